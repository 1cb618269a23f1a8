"""Whoever makes a sweep dearer is killed at every point where something may be left behind.

Each life is a process of its own, signer and all, that SIGKILL ends at the point; the next one
takes lease and epoch from it and does the rest. What is deposited is swept once, and all of it.
"""

import asyncio
import multiprocessing
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import pytest

from runtime.settings import PostgresSettings
from tests.chains.ethereum import mortal_gatherer
from tests.chains.ethereum.conftest import TRANSFER
from tests.chains.ethereum.custody import ETHER, Custody
from tests.chains.ethereum.mortal_gatherer import SITES, Life
from tests.chains.ethereum.test_gathering import deposit_keys, scan
from tests.wallets.crash_points import Countdown, die_everywhere
from wallets.ethereum.addresses import text_of

pytestmark = [pytest.mark.chains, pytest.mark.timeout(1_800)]

DEPOSITED: Final = 5_000_000
# One process that has imported everything, of which each life is a copy.
LIVES: Final = multiprocessing.get_context("forkserver")
# What a look awaits are points of its own.
ELSEWHERE: Final = {"look"}
# Points that others show too and that stand elsewhere in a world, and which.
PLANS: Final = ("build_again", "add_again", "sign", "write_ahead")
ENDS: Final = ("broadcast", "bury", "settle")
ANEW: Final = {
    "older mined": (*PLANS, *ENDS),
    "failing": ENDS,
    "without gas": PLANS,
    "ether": PLANS,
}
COUNTS: Final = """
select count(*) filter (where state = 'final' and kind = 'sweep') as swept,
    count(*) filter (where state = 'final' and kind = 'top_up') as topped_up,
    count(*) filter (where state = 'failed') as failed,
    count(*) filter (where state = 'dead') as dead,
    count(*) filter (where state not in ('final', 'failed', 'dead')) as open,
    count(distinct conflict_group_id) as nonces, count(*) as made
from custody.attempt where kind <> 'payout' and attempt_id > $1
"""
BOOKED: Final = """
select (select coalesce(sum(amount_atoms), 0) from custody.posting
        where asset_id = 1 and account = 'network_cost')::text as booked,
    (select coalesce(sum(fee_atoms), 0) from custody.attempt)::text as taken,
    (select coalesce(sum(cost_atoms), 0) from custody.gathering_cost)::text as shared,
    (select count(*) from custody.owned_input) as owned,
    (select count(*) from custody.deposit where not is_gathered) as ungathered
"""


@dataclass
class Lives:
    """One process after another, and what each world must come to."""

    custody: Custody
    postgres: PostgresSettings
    token_key: bytes
    ether_key: bytes
    number: int = 0
    after: int = 0
    swept_before: int = 0
    ether_before: int = 0

    async def deposit(self, world: str) -> None:
        """What this life and the next one are to gather."""
        custody = self.custody
        first = custody.node.height() + 1
        if world == "ether":
            custody.node.send(to=text_of(self.ether_key), value=hex(ETHER))
        else:
            custody.call_token(TRANSFER, int.from_bytes(self.token_key), DEPOSITED)
            custody.node.give(text_of(self.token_key), 0 if world == "without gas" else ETHER)
        custody.node.mine()
        await scan(custody, first)
        row = await custody.database.read_row(
            "select coalesce(max(attempt_id), 0) from custody.attempt"
        )
        assert row is not None
        self.after = int(row[0])
        self.swept_before = custody.tokens_of(custody.lane)
        self.ether_before = self.ether()

    def ether(self) -> int:
        """All that is in our hands where ether is deposited and gathered."""
        node = self.custody.node
        return node.balance(text_of(self.custody.lane)) + node.balance(text_of(self.ether_key))

    async def life(self, world: str, countdown: Countdown) -> None:
        """A process, until it ends or is killed at the countdown's point."""
        self.number += 1
        await self.custody.database.write("update custody.lease set expires_at = '-infinity'")
        told = Life(
            self.postgres,
            self.custody.node.url,
            self.custody.token,
            self.custody.lane,
            f"life-{self.number}",
            world,
            self.token_key,
            self.after,
            countdown.point,
            countdown.times,
        )
        receives, sends = LIVES.Pipe(duplex=False)
        process = LIVES.Process(target=mortal_gatherer.run, args=(told, sends))
        process.start()
        sends.close()
        await asyncio.to_thread(process.join)
        countdown.is_dead = process.exitcode == -signal.SIGKILL
        if not countdown.is_dead:
            assert process.exitcode == 0
            countdown.names = receives.recv()
        receives.close()

    async def live(self, world: str, countdown: Countdown) -> None:
        """A deposit, and the first process that gathers it."""
        await self.deposit(world)
        await self.life(world, countdown)

    async def go_on(self, world: str) -> None:
        """The next process does what is left; then nothing is lost and nothing was done twice."""
        await self.life(world, Countdown(SITES))
        made = await self.custody.database.read_row(COUNTS, self.after)
        booked = await self.custody.database.read_row(BOOKED)
        assert made is not None
        assert booked is not None
        moves = 1 + (world == "without gas") + (world == "failing")
        assert (made["swept"], made["failed"], made["open"]) == (1, int(world == "failing"), 0)
        assert (made["topped_up"], made["nonces"]) == (int(world == "without gas"), moves)
        # Each was made dearer, and of each nonce one was mined.
        assert made["made"] == 2 * moves
        assert made["dead"] == moves
        assert (booked["owned"], booked["ungathered"]) == (0, 0)
        assert booked["booked"] == booked["taken"] == booked["shared"]
        await self.check_coins(world)

    async def check_coins(self, world: str) -> None:
        """The chain's word for it."""
        custody = self.custody
        if world == "ether":
            fees = await custody.database.read_row(
                "select sum(fee_atoms)::text as fees from custody.attempt where attempt_id > $1",
                self.after,
            )
            assert fees is not None
            assert self.ether() == self.ether_before - int(fees["fees"])
            assert custody.node.balance(text_of(self.ether_key)) < ETHER // 100
        else:
            assert custody.tokens_of(custody.lane) == self.swept_before + DEPOSITED
            assert custody.tokens_of(self.token_key) == 0


WORLDS: Final = ("quiet", "older mined", "failing", "at the ceiling", "without gas", "ether")


async def test_whenever_who_makes_sweeps_dearer_is_killed_each_deposit_is_swept_once(
    custody: Custody, postgres_settings: PostgresSettings
) -> None:
    LIVES.set_forkserver_preload([mortal_gatherer.__name__])
    token_key, ether_key, _ = await deposit_keys(custody)
    lives = Lives(custody, postgres_settings, token_key, ether_key)
    reached: set[str] = set()
    for world in WORLDS:
        live: Callable[[Countdown], Awaitable[object]] = partial(lives.live, world)
        shown = reached - named(ANEW.get(world, ()))
        await die_everywhere(SITES, live, partial(lives.go_on, world), reached, shown)
    missed = {point for point in SITES.expected() - reached if point.split()[-1] not in ELSEWHERE}
    assert missed == set()


def named(calls: tuple[str, ...]) -> set[str]:
    """The points of these calls."""
    return {point for point in SITES.expected() if point.split()[-1] in calls}
