"""A payout that nobody mines is bumped on a real node, and paid once by whichever was mined."""

import pytest

from tests.chains.ethereum.custody import Custody
from tests.chains.ethereum.nodes import on_every_node
from tests.chains.ethereum.test_pipeline import StoredApprover, request, states
from tests.wallets.core.memory_chain import SHARD, SOURCE_ID, MemoryEngine
from wallets.core.pipeline import Pipeline
from wallets.core.store import Store
from wallets.ethereum.transactions import Signed, parse_signed

pytestmark = [pytest.mark.chains, on_every_node]

ETHER = 10**18


@pytest.fixture
async def engine(custody: Custody) -> MemoryEngine:
    await custody.database.write("insert into custody.source values ($1, 1, $2)", SOURCE_ID, SHARD)
    return MemoryEngine(custody.database)


async def run(custody: Custody, engine: MemoryEngine, rounds: int, *, mines: bool = False) -> None:
    approver = StoredApprover(custody.database)
    store = Store(custody.database, 1, "worker")
    worker = Pipeline(store, custody.adapter, approver, custody.signer)
    for _ in range(rounds):
        await custody.database.write("update custody.payout set not_before = '-infinity'")
        await worker.step()
        await engine.apply()
        if mines:
            custody.node.mine()


async def bumped(custody: Custody, engine: MemoryEngine) -> tuple[Signed, Signed]:
    """One ether is paid; nobody mined the first attempt, and the second is sent."""
    await engine.request(request(custody, 1, 1, 10**8))
    await run(custody, engine, 7)
    await custody.database.write(
        "update custody.attempt set changed_at = changed_at - interval '1 hour'"
    )
    await run(custody, engine, 3)
    rows = await custody.database.read("select raw, state from custody.attempt order by attempt_id")
    assert [row["state"] for row in rows] == ["broadcast", "broadcast"]
    older, newer = (parse_signed(row["raw"]) for row in rows)
    return older, newer


async def check_settled_once(custody: Custody, engine: MemoryEngine, ends: list[str]) -> None:
    assert await states(custody.database) == ["settled"]
    assert set(engine.states.values()) == {"settled"}
    assert custody.node.balance(custody.payout(1, 1).destination.text) == ETHER
    rows = await custody.database.read("select state from custody.attempt order by attempt_id")
    assert [row["state"] for row in rows] == ends
    assert await custody.database.read("select 1 from custody.owned_input") == []


async def test_an_unmined_payout_is_bumped_in_both_fields_and_settles_once(
    custody: Custody, engine: MemoryEngine
) -> None:
    older, newer = await bumped(custody, engine)
    assert newer.nonce == older.nonce
    assert newer.max_fee_per_gas_atoms * 10 >= older.max_fee_per_gas_atoms * 11
    assert newer.priority_fee_per_gas_atoms * 10 >= older.priority_fee_per_gas_atoms * 11
    assert custody.node.call("eth_getTransactionByHash", "0x" + older.txid) is None
    assert custody.node.call("eth_getTransactionByHash", "0x" + newer.txid) is not None
    await run(custody, engine, 8, mines=True)
    await check_settled_once(custody, engine, ["dead", "final"])


async def test_the_older_one_mined_instead_settles_once(
    custody: Custody, engine: MemoryEngine
) -> None:
    older, newer = await bumped(custody, engine)
    # Some miner never heard of the newer one.
    raw = await custody.database.read(
        "select raw from custody.attempt where txid = $1", str(older.txid)
    )
    custody.node.mine_instead(raw[0]["raw"], newer.txid)
    await run(custody, engine, 8, mines=True)
    await check_settled_once(custody, engine, ["final", "dead"])
