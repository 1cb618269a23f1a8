"""A token that begins to keep a fee is paid no more by itself, and two persons let it go on."""

import pytest

from tests.chains.ethereum.conftest import TRANSFER
from tests.chains.ethereum.custody import ETHER, Custody
from tests.chains.ethereum.test_blocks import SET
from tests.chains.ethereum.test_pipeline import request, run, states
from tests.chains.real_signer import NETWORK_ID
from tests.wallets.core.memory_chain import SHARD, SOURCE_ID, MemoryEngine
from wallets.core.transactions import changing
from wallets.errors import Condition, Rejected
from wallets.ethereum import suspending

pytestmark = pytest.mark.chains

PEOPLE = ("Ada", "Bo")


@pytest.fixture
async def engine(custody: Custody) -> MemoryEngine:
    await custody.database.write("insert into custody.source values ($1, 1, $2)", SOURCE_ID, SHARD)
    return MemoryEngine(custody.database)


async def scan(custody: Custody, first: int) -> None:
    """What the scanner's hook sees."""
    for height in range(first, custody.node.height() + 1):
        block = await custody.adapter.read_block(height)
        async with changing(custody.database, "test") as connection:
            await suspending.apply_block(connection, NETWORK_ID, block)


async def conditions(custody: Custody) -> list[str]:
    rows = await custody.database.read(
        "select condition from custody.payout order by withdrawal_id"
    )
    return [row["condition"] for row in rows]


async def test_e13_a_fee_that_is_switched_on_pauses_payouts_of_that_token_only(
    custody: Custody, engine: MemoryEngine
) -> None:
    first = custody.node.height() + 1
    await engine.request(request(custody, 1, 2, 3_000_000))
    await run(custody, engine, 1, 14)
    await scan(custody, first)
    assert await suspending.read_reason(custody.database, NETWORK_ID, custody.token) == ""
    custody.call_token(SET, 0, 0, 0, 20)
    custody.node.mine()
    first = custody.node.height() + 1
    await engine.request(request(custody, 2, 2, 3_000_000))
    await run(custody, engine, 1, 16)
    # It was paid, less the fee: the token took it from the recipient.
    assert await states(custody.database) == ["settled", "settled"]
    assert custody.tokens_of(custody.payout(2, 1).destination.key) == 2_940_000
    await scan(custody, first)
    reason = await suspending.read_reason(custody.database, NETWORK_ID, custody.token)
    assert reason.startswith(Condition.ASSET_SUSPENDED)
    assert reason.endswith("moved 2940000 of 3000000 atoms")
    await engine.request(request(custody, 3, 2, 3_000_000))
    await engine.request(request(custody, 4, 1, 10**8))
    await run(custody, engine, 2, 14)
    assert await states(custody.database) == ["settled", "settled", "started", "settled"]
    assert (await conditions(custody))[2] == Condition.ASSET_SUSPENDED
    assert custody.node.balance(custody.payout(4, 1).destination.text) == ETHER
    with pytest.raises(Rejected, match="TWO_PERSONS"):
        await suspending.resume(custody.database, NETWORK_ID, custody.token, PEOPLE[:1])
    custody.call_token(SET, 0, 0, 0, 0)
    custody.node.mine()
    await suspending.resume(custody.database, NETWORK_ID, custody.token, PEOPLE)
    with pytest.raises(Rejected, match="NOT_SUSPENDED"):
        await suspending.resume(custody.database, NETWORK_ID, custody.token, PEOPLE)
    await run(custody, engine, 1, 14)
    assert set(await states(custody.database)) == {"settled"}
    events = await custody.database.read(
        "select state_after, reason from custody.event where kind = 'asset' order by event_id"
    )
    assert [tuple(row) for row in events] == [("suspended", reason), ("paid", "Ada and Bo")]


async def test_a_stranger_s_transfers_suspend_nothing(custody: Custody) -> None:
    first = custody.node.height() + 1
    custody.call_token(SET, 0, 0, 0, 20)
    custody.call_token(TRANSFER, int.from_bytes(custody.lane), 1_000_000)
    custody.node.mine()
    await scan(custody, first)
    assert await suspending.read_reason(custody.database, NETWORK_ID, custody.token) == ""
