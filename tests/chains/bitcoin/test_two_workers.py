"""Two worker processes pay from one set of coins at once: nothing is spent, nobody paid twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chains.bitcoin.regtest import Regtest
from tests.chains.bitcoin.whole_venue import ASSET_ID, COIN, World, whole_venue
from tests.wallets.scale.draining import Draining, Paying
from venue.custody.listing import ASSET, BITCOIN
from venue.ports import choose_ports
from wallets.bitcoin.wire import parse_transaction

pytestmark = [pytest.mark.chains, pytest.mark.slow, pytest.mark.timeout(600)]

COUNT = 50
UNIT = 20_000
FEE = BITCOIN.withdrawal_fee_atoms
# Fewer coins than withdrawals: both workers reach for the same ones all the time.
COINS = 8
EACH = (COUNT * (UNIT + COUNT + FEE)) // COINS + 10 * UNIT
TARGETS = 5
SECOND = "worker-bitcoin-second"


@pytest.fixture
async def world(
    regtest: Regtest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    monkeypatch.setenv("CAMBIST_WALLETS_STEPS", "4")
    # Each withdrawal is a transaction of its own.
    async with whole_venue(regtest, tmp_path, batch_max=1) as found:
        yield found


def start_second(world: World, first: str) -> None:
    """Another process of the same chain, as a second pod."""
    port, health_port = choose_ports(2)
    own = {
        "CAMBIST_WALLETS_INSTANCE": SECOND,
        "CAMBIST_WALLETS_LISTEN_ADDRESS": f"127.0.0.1:{port}",
        "CAMBIST_WALLETS_HEALTH_ADDRESS": f"127.0.0.1:{health_port}",
    }
    world.stack.processes.start(
        SECOND, ["-m", "wallets", "worker"], environment=world.custody.environment(first) | own
    )


async def deposit(world: World) -> None:
    address = await world.client.withdrawals.deposit_address(world.account_id, ASSET_ID, "bitcoin")
    for _ in range(COINS):
        await asyncio.to_thread(world.regtest.call, "sendtoaddress", address, f"{EACH / COIN:.8f}")

    async def states() -> str:
        found = [one.state async for one in world.client.withdrawals.deposits(world.account_id)]
        return " ".join(sorted(set(found))) if len(found) == COINS else ""

    await world.mine_until(states, "withdrawable")


async def test_b12_two_workers_that_reach_for_the_same_coins_pay_each_withdrawal_once(
    world: World,
) -> None:
    texts = tuple(
        [str(await asyncio.to_thread(world.regtest.call, "getnewaddress")) for _ in range(TARGETS)]
    )

    async def count_taken() -> int:
        return 0

    await deposit(world)
    draining = Draining(
        world, Paying("bitcoin", ASSET, UNIT, texts, world.mine, count_taken), COUNT
    )
    await draining.open_all()
    start_second(world, draining.worker)
    world.custody.start_process(draining.worker)

    async def settled() -> str:
        return str(await draining.count_settled())

    await world.mine_until(settled, str(COUNT))
    received = await asyncio.to_thread(world.regtest.call, "listreceivedbyaddress", 1)
    paid = {one["address"]: one for one in received if one["address"] in texts}
    for at, text in enumerate(texts):
        assert round(paid[text]["amount"] * COIN) == draining.paying.owed(at, COUNT)
        assert len(paid[text]["txids"]) == COUNT // TARGETS
    raws = await world.rows.fetch("select raw from custody.attempt where raw is not null")
    spent = Counter(
        one.outpoint for row in raws for one in parse_transaction(bytes(row["raw"])).inputs
    )
    # No withdrawal has a second transaction, and no coin was given to two of them.
    assert len(raws) == COUNT
    assert max(spent.values()) == 1
    assert await world.rows.fetchval("select count(*) from custody.owned_input") == 0
    both = await world.rows.fetch(
        "select actor, count(*) as count from custody.event where kind = 'payout' "
        "and state_after = 'built' group by actor"
    )
    assert len(both) == 2, "both have planned"
