"""Scan, pool, screening and people's decisions die at every point, and each deposit counts once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import pytest

from tests.wallets.conftest import NETWORK_ID
from tests.wallets.crash_points import Countdown, Sites, die_everywhere
from tests.wallets.deposits.memory_blocks import (
    ACCOUNT,
    AHEAD,
    SHARD,
    MemoryBlocks,
    MemoryCredits,
    Scan,
    add_tier,
    pays,
)
from tests.wallets.deposits.test_addresses import PlainBranch
from tests.wallets.deposits.test_crediting import book
from tests.wallets.deposits.test_pool import MemoryPool
from tests.wallets.deposits.test_screening import PEOPLE, VENUE, Screen
from wallets.bitcoin import coins
from wallets.deposits import (
    crediting,
    held,
    pool,
    refusals,
    rescan,
    restoring,
    scanner,
    screening,
    sightings,
)
from wallets.deposits.held import ReturnAccount
from wallets.deposits.pool import Pool
from wallets.deposits.rescan import Rescan
from wallets.deposits.restoring import Given
from wallets.deposits.scanner import Hooks, Moved, Scanner
from wallets.deposits.screening import Screening
from wallets.errors import Rejected
from wallets.screening import switch
from wallets.screening.verdicts import Subject

# Many short lives, one after the other.
pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

SITES = Sites(
    crediting, held, pool, refusals, rescan, restoring, scanner, screening, sightings, switch
)
CREDIT, WITHDRAWABLE, ABSENCE, FINAL = 2, 3, 2, 4
# The first block that a scan applies; deposits below it are found by a rescan only.
BIRTHDAY = 2
HOOKS = Hooks(coins.apply_block, coins.undo_block)


@dataclass
class Venue:
    """A world that outlives the processes in it, with what happens in it next."""

    scan: Scan
    left: list["Happening"] = field(default_factory=list)

    async def begin_anew(self, happenings: tuple["Happening", ...]) -> None:
        await self.scan.connection.execute(
            "truncate custody.deposit, custody.block, custody.bitcoin_coin, custody.outbox, "
            "custody.inbox_cursor, custody.posting cascade"
        )
        await self.scan.connection.execute("update custody.source set last_seq = 0")
        await self.scan.connection.execute("update custody.chain set screens_deposits = false")
        await self.scan.connection.execute(
            "update custody.address set account_id = 0, request_id = null where key = $1", AHEAD
        )
        self.chain = self.scan.chain = MemoryBlocks()
        self.pool, self.screen = MemoryPool(self.scan), Screen()
        self.engine = MemoryCredits(self.scan.database, self.scan.connection)
        for _ in range(BIRTHDAY):
            self.chain.mine()
        self.left = list(happenings)

    async def work(self, countdown: Countdown) -> None:
        """One process, until nothing happens any more."""
        # The pause of one that died while it asked is over.
        await self.scan.connection.execute(
            "update custody.deposit_screening set asked_at = '-infinity'"
        )
        database, chain = countdown.before(self.scan.database), countdown.before(self.chain)
        scans = Scanner(database, chain, HOOKS, NETWORK_ID, BIRTHDAY, 60)
        looks = Pool(database, NETWORK_ID, countdown.before(self.pool))
        asks = Screening(database, NETWORK_ID, countdown.before(self.screen))
        while True:
            while await scans.step(self.scan.lease, now_ns=0) is not Moved.NOT:
                await looks.look()
            assert await scans.lag() == 0
            await asks.look()
            await self.engine.apply()
            if not self.left:
                return
            await self.left[0](self, countdown)
            del self.left[0]

    async def deposit_id(self) -> bytes:
        return bytes(
            await self.scan.connection.fetchval(
                "select deposit_id from custody.deposit where txid = 'bad'"
            )
        )


Happening = Callable[[Venue, Countdown], Awaitable[None]]


def mines(*names: str) -> Happening:
    """A block that has these; the pool has nothing left."""

    async def happen(venue: Venue, _: Countdown) -> None:
        venue.pool.movements = []
        venue.chain.mine(*(pays(name) for name in names))

    return happen


async def shows(venue: Venue, _: Countdown) -> None:
    """The pool has it, and a block comes without it."""
    venue.pool.movements = [pays("good")]
    venue.chain.mine()


async def forks(venue: Venue, _: Countdown) -> None:
    """Another chain without the deposit is the longer one, for as long as it counts as lost."""
    del venue.chain.blocks[BIRTHDAY + 1 :]
    for _number in range(WITHDRAWABLE + ABSENCE):
        venue.chain.mine()


async def forgets_accounts(venue: Venue, _: Countdown) -> None:
    venue.engine.accounts.clear()


async def opens_return_account(venue: Venue, _: Countdown) -> None:
    venue.engine.accounts.add(VENUE)


async def holds(venue: Venue, countdown: Countdown) -> None:
    """Two persons require verdicts, and one will be bad."""
    venue.screen.held.add("bad")
    database = countdown.before(venue.scan.database)
    await switch.require(database, NETWORK_ID, Subject.DEPOSIT, PEOPLE, on=True)


async def decide(decision: Awaitable[None]) -> None:
    """A person whose answer was lost asks again, and hears that it was decided."""
    try:
        await decision
    except Rejected as error:
        if error.reason != "DEPOSIT_STATE":
            raise


async def releases(venue: Venue, countdown: Countdown) -> None:
    database = countdown.before(venue.scan.database)
    await held.read_held(database, NETWORK_ID)
    await decide(held.release(database, NETWORK_ID, await venue.deposit_id(), PEOPLE))


async def gives_back(venue: Venue, countdown: Countdown) -> None:
    database, account = countdown.before(venue.scan.database), ReturnAccount(VENUE, SHARD)
    await decide(held.give_back(database, NETWORK_ID, await venue.deposit_id(), account, PEOPLE))


async def pays_before_birthday(venue: Venue, _: Countdown) -> None:
    """What a chain held before anybody looked: the first blocks are others."""
    venue.chain.blocks.clear()
    venue.chain.mine()
    venue.chain.mine(pays("early"))
    venue.chain.mine()
    venue.chain.mine()


async def rescans(venue: Venue, countdown: Countdown) -> None:
    database, chain = countdown.before(venue.scan.database), countdown.before(venue.chain)
    await Rescan(database, chain, HOOKS, NETWORK_ID).run(0)


async def pays_nobodys_place(venue: Venue, _: Countdown) -> None:
    venue.chain.mine(pays("early", key=AHEAD))


async def restores(venue: Venue, countdown: Countdown) -> None:
    """Two persons say whose the place is."""
    database = countdown.before(venue.scan.database)
    given = Given(1, 1, ACCOUNT, SHARD, b"r", "")
    await restoring.restore(database, PlainBranch(), NETWORK_ID, 2, [given], PEOPLE)
    assert given in [one async for one in restoring.read_given(database, NETWORK_ID)]


@dataclass(frozen=True)
class World:
    """What happens, and what engine and customers know in the end."""

    happenings: tuple[Happening, ...]
    done: list[str]
    states: dict[str, str]
    account_id: int = ACCOUNT


# What is mined is credited with the next block, and what the engine answered counts a block later.
EMPTY = mines()
CREDITED = (mines("good"), EMPTY)
HELD = (holds, mines("bad"), EMPTY)
WORLDS = {
    "quiet": World(
        (EMPTY, shows, *CREDITED, *[EMPTY] * (FINAL + 1)),
        ["credit", "finalize_credit"],
        {"good": "withdrawable"},
    ),
    "forked": World(
        (EMPTY, *CREDITED, forks, *CREDITED),
        ["credit", "credit", "reverse_credit"],
        {"good": "credited"},
    ),
    "refused": World(
        (forgets_accounts, mines("lost"), *[EMPTY] * FINAL), ["credit"], {"lost": "held"}
    ),
    "released": World(
        (*HELD, releases, *CREDITED),
        ["credit", "credit"],
        {"bad": "withdrawable", "good": "credited"},
    ),
    "returned": World(
        (opens_return_account, *HELD, gives_back, EMPTY), ["credit"], {"bad": "credited"}, VENUE
    ),
    "owned later": World(
        (pays_nobodys_place, restores, rescans, EMPTY), ["credit"], {"early": "credited"}
    ),
    "found later": World((pays_before_birthday, rescans, EMPTY), ["credit"], {"early": "credited"}),
}


@pytest.fixture
async def venue(scan: Scan) -> Venue:
    await add_tier(scan.connection, 1, 0, CREDIT, WITHDRAWABLE)
    await scan.connection.execute(
        "update custody.chain set deposit_final_depth = $1, deposit_absence_blocks = $2",
        FINAL,
        ABSENCE,
    )
    return Venue(scan)


async def go_on(venue: Venue, world: World) -> None:
    """The next process ends it; one credit, and one reversal where there is one."""
    await venue.work(Countdown(SITES))
    assert sorted(venue.engine.done) == world.done
    assert await venue.scan.states() == world.states
    assert venue.engine.balance == 1_000 * len(world.states)
    assert await book(venue.scan) == {
        "hot": venue.engine.balance,
        "customers": -venue.engine.balance,
    }
    accounts = await venue.scan.connection.fetch("select distinct account_id from custody.deposit")
    assert [row["account_id"] for row in accounts] == [world.account_id]
    assert not await venue.scan.connection.fetchval("select withdrawals_stopped from custody.chain")


async def test_what_follows_deposits_may_die_at_every_point(venue: Venue) -> None:
    reached: set[str] = set()

    async def live(world: World, countdown: Countdown) -> None:
        await venue.begin_anew(world.happenings)
        await venue.work(countdown)

    for world in WORLDS.values():
        await die_everywhere(SITES, partial(live, world), partial(go_on, venue, world), reached)
    assert SITES.expected() - reached == set()
