"""Many open withdrawals leave in batches on a real node, each once, whoever is killed meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chains.bitcoin.regtest import Regtest
from tests.chains.bitcoin.whole_venue import ASSET_ID, COIN, World, whole_venue
from tests.wallets.scale.draining import ACCOUNTS, COUNT, Draining, Paying
from venue.custody.listing import ASSET, BITCOIN

pytestmark = [pytest.mark.chains, pytest.mark.slow, pytest.mark.timeout(300 + 3 * COUNT)]

UNIT = 20_000
FEE = BITCOIN.withdrawal_fee_atoms
PAID = sum(UNIT + number for number in range(COUNT))
# A transaction spends confirmed coins only, so that at least so many can be on their way at once.
COINS = 16
COINS_EACH = -(-COINS // ACCOUNTS)
LEFT = UNIT
DEPOSITED = PAID + COUNT * FEE + LEFT
TARGETS = 8
# So that there are several batches, however few withdrawals there are.
BATCH_MAX = min(100, max(2, COUNT // 10))


@pytest.fixture
async def world(
    regtest: Regtest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    monkeypatch.setenv("CAMBIST_WALLETS_STEPS", "8")
    async with whole_venue(regtest, tmp_path, batch_max=BATCH_MAX, accounts=ACCOUNTS) as found:
        yield found


def received(world: World, text: str, depth: int) -> int:
    """Satoshi of a target, by the node's own wallet."""
    atoms: int = round(world.regtest.call("getreceivedbyaddress", text, depth) * COIN)
    return atoms


async def paying(world: World) -> Paying:
    """Targets are addresses of the node's wallet."""

    def make_targets() -> tuple[str, ...]:
        return tuple(str(world.regtest.call("getnewaddress")) for _ in range(TARGETS))

    texts = await asyncio.to_thread(make_targets)

    async def count_taken() -> int:
        return sum([await asyncio.to_thread(received, world, text, 0) for text in texts]) // UNIT

    return Paying("bitcoin", ASSET, UNIT, texts, world.mine, count_taken)


async def deposit(world: World, draining: Draining) -> None:
    """Coins of the customers', until all of them may be spent."""
    for at, account_id in enumerate(draining.accounts):
        address = await world.client.withdrawals.deposit_address(account_id, ASSET_ID, "bitcoin")
        total = draining.paying.spent(at, COUNT, FEE) + (0 if at else LEFT)
        for number in range(COINS_EACH):
            atoms = total // COINS_EACH + (0 if number else total % COINS_EACH)
            await asyncio.to_thread(send, world, address, atoms)

    async def are_there() -> str:
        return str(await draining.are_there(COINS_EACH))

    await world.mine_until(are_there, "True")


def send(world: World, address: str, atoms: int) -> None:
    """From the node's own wallet; the text of a float would round."""
    world.regtest.call("sendtoaddress", address, f"{atoms // COIN}.{atoms % COIN:08d}")


async def test_open_withdrawals_leave_in_batches_while_everything_is_killed_once(
    world: World,
) -> None:
    draining = Draining(world, await paying(world), COUNT)
    await deposit(world, draining)
    await draining.open_all()
    await draining.drain()
    assert draining.killed == [draining.worker, "signer", "matching", "postgres"]

    async def are_spent() -> str:
        return str(await draining.are_spent(LEFT))

    await world.mine_until(are_spent, "True")
    # To each target what it was owed, to the last satoshi.
    for at, text in enumerate(draining.paying.targets):
        assert received(world, text, 1) == draining.paying.owed(at, COUNT)
    ask = draining.ask
    transactions = await ask("select count(*) from custody.attempt where state = 'final'")
    assert COUNT / BATCH_MAX <= transactions < COUNT
    # A plan that nobody signed, of a worker or signer that died, is dead by the signer's word.
    unended = "select count(*) from custody.attempt where state not in ('final', 'dead')"
    assert await ask(unended) == 0
    sums = "select sum(amount_atoms) from custody.posting where account = "
    cost = int(await ask(sums + "'network_cost'"))
    assert int(await ask(sums + "'hot'")) == DEPOSITED - PAID - cost
    assert int(await ask(sums + "'customers'")) == -LEFT
    assert await world.coins_atoms() == DEPOSITED - PAID - cost
    assert await ask("select stopped_reason from custody.chain") == ""
