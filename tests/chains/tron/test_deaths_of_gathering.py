"""Who gathers deposits on TRON dies at every point where something may be left behind."""

import pytest

from tests.chains.tron.gathered import ROUND_STEPS, SETTINGS, Gathered
from tests.chains.tron.test_gathering import gathered
from tests.wallets.crash_points import Countdown, Sites, die_everywhere
from wallets.treasury import following, gathering
from wallets.treasury.gathering import Gathering
from wallets.tron.gathering import TronGathering

pytestmark = [pytest.mark.chains, pytest.mark.timeout(600)]

__all__ = ["gathered"]

# Never reached here: a transfer that fails on the chain, dies, or is stuck, which is said; one that
# is made dearer, which TRON has not. What a look awaits are points of its own.
ELSEWHERE = {"fail", "bury", "say", "look", "build_again", "add_again"}


async def test_t13_whenever_who_gathers_dies_each_deposit_is_gathered_once(
    gathered: Gathered,
) -> None:
    custody, (key, *_) = gathered.custody, gathered.keys
    sites = Sites(gathering, following)
    deposits = 0

    async def live(countdown: Countdown) -> None:
        nonlocal deposits
        await gathered.deposit(key, token=True)
        deposits += 1
        database = countdown.before(custody.database)
        gathers = TronGathering(custody.adapter.network, gathered.nodes, custody.database, SETTINGS)
        job = Gathering(
            database,
            countdown.before(custody.adapter),
            countdown.before(gathers),
            countdown.before(custody.signer),
        )
        await gathered.run(job, 2 * ROUND_STEPS)

    async def go_on() -> None:
        job = gathered.job()
        for _ in range(4 * ROUND_STEPS):
            await gathered.run(job, 1)
            if custody.received(key)[1] == 0 and await ends(gathered):
                break
        assert custody.received(key)[1] == 0
        made = await gathered.attempts()
        assert set(made) == {("top_up", "final"), ("sweep", "final")}
        # Each was planned, sent and booked once, whoever did it.
        assert made.count(("sweep", "final")) == deposits
        assert made.count(("top_up", "final")) <= deposits
        assert custody.received(custody.hot)[1] == 10**12
        assert custody.received(gathered.keys[1]) == (0, 0)

    reached: set[str] = set()
    await die_everywhere(sites, live, go_on, reached)
    missed = {point for point in sites.expected() - reached if point.split()[-1] not in ELSEWHERE}
    assert missed == set()


async def ends(gathered: Gathered) -> bool:
    """Whether nothing is under way."""
    return {state for _, state in await gathered.attempts()} <= {"final"}
