"""A withdrawal from the journal to its settlement, through pipeline, signer and a real node."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from runtime.postgres import Database
from tests.chains.ethereum.custody import Custody, approve
from tests.chains.ethereum.nodes import on_every_node
from tests.wallets.core.memory_chain import SHARD, SOURCE_ID, MemoryEngine
from wallets.contract import Approval, Death, Plan, WithdrawalId
from wallets.core.inbox import Requested
from wallets.core.pipeline import Pipeline
from wallets.core.store import Store
from wallets.ethereum.adapter import Ethereum
from wallets.ethereum.addresses import text_of
from wallets.states import PayoutState

pytestmark = [pytest.mark.chains, on_every_node]


@dataclass
class StoredApprover:
    """Approves what the payout's row says."""

    database: Database

    async def approve(
        self, withdrawal_id: WithdrawalId, fee_atoms_max: int, dead: Sequence[Death]
    ) -> Approval:
        row = await self.database.read_row(
            "select p.destination_text, p.amount_atoms, s.contract from custody.payout p "
            "join custody.asset s using (network_id, asset_id) where withdrawal_id = $1",
            withdrawal_id,
        )
        assert row is not None
        return approve(
            withdrawal_id,
            row["destination_text"],
            row["contract"],
            int(row["amount_atoms"]),
            dead,
            fee_atoms_max,
        )


async def run(custody: Custody, engine: MemoryEngine, workers: int, rounds: int) -> None:
    signer, approver = custody.signer, StoredApprover(custody.database)
    names = [f"worker-{number}" for number in range(workers)]
    pipelines = [
        Pipeline(Store(custody.database, 1, name), custody.adapter, approver, signer)
        for name in names
    ]
    for _ in range(rounds):
        await custody.database.write(
            "update custody.payout set not_before = '-infinity', claim_expires_at = '-infinity'"
        )
        for pipeline in pipelines:
            await pipeline.step()
        await engine.apply()
        custody.node.mine()


@pytest.fixture
async def engine(custody: Custody) -> MemoryEngine:
    await custody.database.write("insert into custody.source values ($1, 1, $2)", SOURCE_ID, SHARD)
    return MemoryEngine(custody.database)


def request(custody: Custody, number: int, asset_id: int, engine_atoms: int) -> Requested:
    payout = custody.payout(number, 1)
    return Requested(
        payout.withdrawal_id, 4096, asset_id, 1, engine_atoms, 20, payout.destination.text
    )


async def states(database: Database) -> list[str]:
    rows = await database.read("select state from custody.payout order by withdrawal_id")
    return [str(row["state"]) for row in rows]


async def test_ether_and_a_token_are_paid_once_and_settled(
    custody: Custody, engine: MemoryEngine
) -> None:
    await engine.request(request(custody, 1, 1, 10**8))
    await engine.request(request(custody, 2, 2, 3_000_000))
    await run(custody, engine, 2, 14)
    assert await states(custody.database) == ["settled", "settled"]
    assert set(engine.states.values()) == {"settled"}
    assert custody.node.balance(custody.payout(1, 1).destination.text) == 10**18
    assert custody.tokens_of(custody.payout(2, 1).destination.key) == 3_000_000
    assert await custody.database.read("select 1 from custody.owned_input") == []


async def test_an_own_address_is_rejected_and_the_money_goes_back(
    custody: Custody, engine: MemoryEngine
) -> None:
    own = Requested(WithdrawalId(b"o" * 16), 4096, 1, 1, 10**8, 20, text_of(custody.lane))
    await engine.request(own)
    await run(custody, engine, 1, 3)
    assert await states(custody.database) == [PayoutState.REJECTED]
    assert engine.states == {own.withdrawal_id: "released"}


async def test_a_failed_token_payout_is_paid_by_its_next_attempt(
    custody: Custody, engine: MemoryEngine
) -> None:
    await engine.request(request(custody, 1, 2, 3_000_000))
    key = custody.payout(1, 1).destination.key
    ban = "4c68f4a2"
    while await states(custody.database) != ["signed"]:
        await run(custody, engine, 1, 1)
    # Banned before the signed transaction is sent; it fails in the block that takes it.
    custody.call_token(ban, int.from_bytes(key), 1)
    custody.node.mine()
    await run(custody, engine, 1, 5)
    custody.call_token(ban, int.from_bytes(key), 0)
    custody.node.mine()
    await run(custody, engine, 1, 14)
    assert await states(custody.database) == ["settled"]
    assert custody.tokens_of(key) == 3_000_000
    attempts = await custody.database.read("select state from custody.attempt order by attempt_id")
    assert [row["state"] for row in attempts] == ["failed", "final"]


async def test_e1_workers_side_by_side_never_share_a_nonce_and_all_are_paid(
    custody: Custody, engine: MemoryEngine
) -> None:
    """Two workers of four steps each, a hundred payouts, a lane that keeps sixteen nonces open."""
    numbers = range(1, 101)
    for number in numbers:
        await engine.request(request(custody, number, 1, 10**6))
    workers = [
        Pipeline(
            Store(custody.database, 1, f"worker-{number}"),
            custody.adapter,
            StoredApprover(custody.database),
            custody.signer,
        )
        for number in range(2)
    ]
    for _ in range(400):
        await custody.database.write(
            "update custody.payout set not_before = '-infinity', claim_expires_at = '-infinity'"
        )
        await asyncio.gather(*(worker.step() for worker in workers * 4))
        await engine.apply()
        if set(await states(custody.database)) == {"settled"}:
            break
        custody.node.mine()
    assert set(engine.states.values()) == {"settled"}
    for number in numbers:
        assert custody.node.balance(custody.payout(number, 1).destination.text) == 10**16
    sent = int(custody.node.call("eth_getTransactionCount", text_of(custody.lane), "latest"), 16)
    assert sent == len(numbers)


async def test_strides_of_one_worker_side_by_side_ask_nodes_for_no_plan_in_vain(
    custody: Custody, engine: MemoryEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = range(1, 9)
    for number in numbers:
        await engine.request(request(custody, number, 1, 10**6))
    asked: list[bytes] = []
    build = Ethereum.build

    async def counted(adapter: Ethereum, intent_id: bytes, *arguments: Any, **named: Any) -> Plan:
        asked.append(intent_id)
        return await build(adapter, intent_id, *arguments, **named)

    monkeypatch.setattr(Ethereum, "build", counted)
    approver = StoredApprover(custody.database)
    worker = Pipeline(Store(custody.database, 1, "one"), custody.adapter, approver, custody.signer)
    for _ in range(4):
        await asyncio.gather(*(worker.stride() for _ in numbers))
        await engine.apply()
    assert set(await states(custody.database)) == {"broadcasting"}
    # One each: the nonce of every plan was still free when it was stored.
    assert len(asked) == len(numbers)
    custody.node.mine()
    for number in numbers:
        assert custody.node.balance(custody.payout(number, 1).destination.text) == 10**16
