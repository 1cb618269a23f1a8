"""Many open withdrawals are paid to the last one, each once, whatever is killed on the way."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from tests.chains.tron.custody import TRX as UNIT
from tests.chains.tron.whole_venue import CUSTOMER, World, whole_venue
from tests.wallets.scale.draining import ACCOUNTS, COUNT, Draining, Paying
from venue.custody.listing import TRON, TRX
from wallets.tron.addresses import address_of, parse_address

pytestmark = [pytest.mark.chains, pytest.mark.slow, pytest.mark.timeout(300 + 3 * COUNT)]

TARGETS = [b"\x41" + bytes([0xA0 + number]) * 20 for number in range(8)]
FEE = TRON.withdrawal_fee_atoms
# Ten thousand of these are less than what the approver lets go in an hour.
AMOUNT = UNIT // 2
PAID = sum(AMOUNT + number for number in range(COUNT))
DEPOSITED = PAID + COUNT * FEE + UNIT
# Beside what is deposited, for the fees of deposits.
SPARE = 100 * UNIT + ACCOUNTS * UNIT
# The network takes at most so much for one payment.
FUNDED = PAID + COUNT * 2 * UNIT


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setenv("CAMBIST_WALLETS_STEPS", "8")
    async with whole_venue(tmp_path, accounts=ACCOUNTS) as found:
        hot = await found.rows.fetchval("select account from custody.tron_account")
        found.give(hot, FUNDED, 0)
        found.give(CUSTOMER, DEPOSITED + SPARE, 0)
        for target in TARGETS:
            found.give(target, UNIT, 0)
        for _ in range(5):
            found.chain.make_block()
        yield found


def paying(world: World) -> Paying:
    """Blocks are made at once, and what the node has taken is known without asking."""

    async def make_block() -> None:
        world.chain.make_block()

    async def count_taken() -> int:
        return len(world.chain.heights) + len(world.chain.pending)

    texts = tuple(address_of(target) for target in TARGETS)
    return Paying("tron", TRX, AMOUNT, texts, make_block, count_taken)


async def test_open_withdrawals_are_drained_while_everything_is_killed_once(world: World) -> None:
    draining = Draining(world, paying(world), COUNT)
    for at, account_id in enumerate(draining.accounts):
        text = await world.client.withdrawals.deposit_address(account_id, TRX.asset_id, "tron")
        amount = draining.paying.spent(at, COUNT, FEE) + (0 if at else UNIT)
        await world.send(parse_address(text).key, amount, token=False)
    await world.mine_until(draining.are_there)
    before = len(world.chain.heights)
    await draining.open_all()
    await draining.drain()
    assert draining.killed == [draining.worker, "signer", "matching", "postgres"]

    await world.mine_until(partial(draining.are_spent, UNIT))
    # One transaction for each, and to each target what it was owed to the last sun.
    assert len(world.chain.heights) - before == COUNT
    for at, target in enumerate(TARGETS):
        assert world.held(target)[0] == UNIT + draining.paying.owed(at, COUNT)
    cost = int(
        await draining.ask(
            "select sum(amount_atoms) from custody.posting where account = 'network_cost'"
        )
    )
    (hot,) = [await draining.ask("select account from custody.tron_account")]
    assert isinstance(hot, bytes)
    assert world.held(hot)[0] == FUNDED - PAID - cost
    assert (
        await draining.ask(
            "select sum(amount_atoms) from custody.posting where account = 'customers'"
        )
        == PAID + COUNT * FEE - DEPOSITED
    )
    assert await draining.ask("select count(*) from custody.attempt where state = 'final'") == COUNT
    assert await draining.ask("select stopped_reason from custody.chain") == ""
