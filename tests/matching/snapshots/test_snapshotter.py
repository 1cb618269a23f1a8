"""The follower stores states that can be started from, and stops when the journal lies."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from matching import engines
from matching.engines import EngineKind
from matching.errors import EngineBroken, JournalCorrupt
from matching.journal.reader import JournalReader
from matching.journal.rows import Applied, chain
from matching.recovery import skips
from matching.recovery.replay import Replay, ReplayParts
from matching.settings import MatchingSettings
from matching.snapshots import process
from matching.snapshots.schedule import Schedule
from matching.snapshots.snapshotter import Snapshotter, SnapshotterParts
from matching.snapshots.store import SnapshotStore
from runtime import rpc_channel
from runtime.clock import ManualClock
from runtime.postgres import Database
from runtime.process import root_of
from runtime.settings import PostgresSettings
from tests.matching.poisonous import POISON_TAG, poisonous_kind
from tests.matching.projector.journal import ACCOUNTS, SHARD, Journal, store

KIND = engines.load("auto")
MINUTE_NS = 60 * 10**9


@pytest.fixture
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as made:
        yield made


@dataclass
class Follower:
    """A snapshotter that follows when it is told to."""

    snapshotter: Snapshotter
    snapshots: SnapshotStore
    clock: ManualClock
    database: Database
    executor: Executor

    async def follow(self) -> list[int]:
        """Catches up and stores what was taken; the stored ones, newest first."""
        await self.snapshotter.catch_up()
        await self.snapshotter.store_taken()
        return [one.seq for one in await self.snapshots.stored()]

    async def replay(self, kind: EngineKind = KIND) -> Replay:
        """A recovery as the primary does it."""
        parts = ReplayParts(
            SHARD,
            kind,
            JournalReader(self.database, SHARD),
            self.snapshots,
            await skips.read(self.database, SHARD),
            self.executor,
        )
        replay = Replay(parts)
        await replay.catch_up()
        return replay


MakeFollower = Callable[..., Follower]


@pytest.fixture
def make_follower(database: Database, snapshots: SnapshotStore, executor: Executor) -> MakeFollower:
    def make(every_commands: int = 100, kind: EngineKind = KIND) -> Follower:
        clock = ManualClock()
        parts = SnapshotterParts(
            shard=SHARD,
            kind=kind,
            database=database,
            store=snapshots,
            schedule=Schedule(every_commands, MINUTE_NS),
            clock=clock,
            executor=executor,
        )
        return Follower(Snapshotter(parts), snapshots, clock, database, executor)

    return make


async def test_a_state_is_stored_after_so_many_commands(
    database: Database, make_follower: MakeFollower
) -> None:
    journal, follower, stored = Journal(seed=51), make_follower(), 0
    for _ in range(6):
        journal.play(12, commands=5)
        await store(database, journal.rows[stored:])
        stored = len(journal.rows)
        seqs = await follower.follow()
        assert all(seq in {row.last_seq for row in journal.rows} for seq in seqs)
    assert len(seqs) == 2
    assert seqs[0] - seqs[1] >= 100
    assert journal.tail.last_seq - seqs[0] < 100 + 60


async def test_a_state_is_stored_after_a_time_only_when_something_changed(
    database: Database, make_follower: MakeFollower
) -> None:
    journal, follower = Journal(seed=52), make_follower(every_commands=10**9)
    await store(database, journal.rows)
    assert await follower.follow() == []
    follower.clock.advance(MINUTE_NS)
    first = journal.tail.last_seq
    assert await follower.follow() == [first]
    follower.clock.advance(10 * MINUTE_NS)
    assert await follower.follow() == [first]
    stored = len(journal.rows)
    journal.play(1)
    await store(database, journal.rows[stored:])
    assert await follower.follow() == [journal.tail.last_seq, first]


async def test_recovery_from_a_snapshot_gives_the_engine_that_made_the_journal(
    database: Database, make_follower: MakeFollower
) -> None:
    journal, follower = Journal(seed=53).play(60), make_follower()
    await store(database, journal.rows)
    (seq,) = await follower.follow()
    stored = len(journal.rows)
    journal.play(20)
    await store(database, journal.rows[stored:])

    replay = await follower.replay()
    assert replay.snapshot_seq == seq
    assert replay.tail == journal.tail
    assert replay.engine.snapshot() == journal.engine.snapshot()


DAMAGE = (
    "update journal.snapshot_chunks set bytes = set_bit(bytes, 9, 1 - get_bit(bytes, 9))"
    " where index = 1 and seq >= $1"
)


async def two_snapshots(
    database: Database, make_follower: MakeFollower
) -> tuple[Journal, Follower, list[int]]:
    """A journal with two snapshots and rows after the newer one."""
    journal, follower, stored = Journal(seed=54), make_follower(), 0
    for batches in (40, 40, 3):
        journal.play(batches)
        await store(database, journal.rows[stored:])
        stored = len(journal.rows)
        seqs = await follower.follow()
    assert len(seqs) == 2
    return journal, follower, seqs


@pytest.mark.parametrize("broken", [1, 2])
async def test_recovery_falls_back_to_what_is_whole(
    database: Database, make_follower: MakeFollower, broken: int
) -> None:
    journal, follower, seqs = await two_snapshots(database, make_follower)
    await database.write(DAMAGE, seqs[broken - 1])
    replay = await follower.replay()
    assert replay.snapshot_seq == (seqs[1] if broken == 1 else 0)
    assert replay.tail == journal.tail
    assert replay.engine.state_hash == journal.engine.state_hash


@pytest.mark.parametrize("broken", [1, 2])
@pytest.mark.parametrize("batches", [0, 1])
async def test_a_new_snapshotter_replaces_those_that_are_broken(
    database: Database, make_follower: MakeFollower, broken: int, batches: int
) -> None:
    journal, follower, stored = await two_snapshots(database, make_follower)
    rows = len(journal.rows)
    if not batches:
        # The broken one has the sequence of the head.
        follower.clock.advance(MINUTE_NS)
        stored = await follower.follow()
        assert stored[0] == journal.tail.last_seq
    await database.write(DAMAGE, stored[broken - 1])
    journal.play(batches)
    await store(database, journal.rows[rows:])

    follower = make_follower(every_commands=10**9)
    after = await follower.follow()
    assert after == [journal.tail.last_seq, *stored[broken:]]
    replay = await follower.replay()
    assert replay.snapshot_seq == after[0]
    assert replay.tail == journal.tail


@pytest.mark.parametrize("column", ["bytes", "state_hash", "row_hash", "time_ns"])
@pytest.mark.parametrize("table", ["commands", "events"])
async def test_a_journal_that_lies_stops_it_before_the_row(
    database: Database, make_follower: MakeFollower, table: str, column: str
) -> None:
    journal, follower = Journal(seed=55).play(30), make_follower(every_commands=1)
    await store(database, journal.rows)
    row = journal.rows[20]
    flipped = "time_ns + 1" if column == "time_ns" else f"set_bit({column}, 77, 1 -"
    flipped += "" if column == "time_ns" else f" get_bit({column}, 77))"
    await database.write(
        f"update journal.{table} set {column} = {flipped} where first_seq = $1", row.first_seq
    )
    with pytest.raises(JournalCorrupt, match=f"first_seq={row.first_seq}"):
        await follower.snapshotter.catch_up()
    await follower.snapshotter.store_taken()
    assert all(one.seq < row.first_seq for one in await follower.snapshots.stored())


async def test_other_events_under_good_hashes_are_found(
    database: Database, make_follower: MakeFollower
) -> None:
    """What a build with other rules would have written."""
    journal = Journal(seed=56).play(10)
    other = Journal(seed=57).play(10)
    follower = make_follower()
    forged = replace(journal.rows[-1], events=other.rows[-1].events)
    applied = Applied(
        forged.first_seq,
        forged.last_seq,
        forged.time_ns,
        forged.commands,
        forged.events,
        forged.state_hash,
    )
    await store(database, [*journal.rows[:-1], chain(applied, 1, journal.rows[-2].tail)])
    with pytest.raises(JournalCorrupt, match="other events"):
        await follower.snapshotter.catch_up()


async def test_a_state_with_a_command_put_aside_is_stored_once_the_journal_goes_on_from_it(
    database: Database, make_follower: MakeFollower
) -> None:
    journal = Journal(seed=59).play(20)
    poison = journal.commit(journal.order(tag=POISON_TAG, quantity_lots=5, price_ticks=99))
    journal.play(5)
    await store(database, journal.rows)
    kind = poisonous_kind()
    with pytest.raises(EngineBroken):
        await make_follower(every_commands=1, kind=kind).follow()

    await skips.ask(database, SHARD, poison.first_seq, "the test")
    follower = make_follower(every_commands=1, kind=kind)
    for _ in range(2):
        # The second time nothing waits any more that was taken on the way.
        assert all(seq < poison.first_seq for seq in await follower.follow())
    # A primary goes on without the command.
    replay = await follower.replay(kind)
    assert replay.engine.state_hash != journal.tail.state_hash
    journal.engine = KIND.restore(replay.engine.snapshot())
    await store(database, [journal.commit(journal.of_system(journal.credit(ACCOUNTS[0], 1, 5)))])
    assert (await follower.follow())[0] == journal.tail.last_seq
    assert (await follower.replay()).engine.snapshot() == journal.engine.snapshot()


@contextlib.asynccontextmanager
async def running(settings: MatchingSettings) -> AsyncIterator[tuple[asyncio.Task[None], int]]:
    """The role in this loop, and its health port."""
    stop = asyncio.Event()
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(process.run(settings, stop, ready.set_result, niceness=0))
    try:
        yield task, await asyncio.wait_for(ready, 20)
    finally:
        stop.set()
        await asyncio.wait({task})


async def test_the_role_stores_says_that_it_serves_and_ends_loudly(
    database: Database, postgres_settings: PostgresSettings, snapshots: SnapshotStore
) -> None:
    settings = MatchingSettings(
        shard=SHARD,
        health_address="127.0.0.1:0",
        snapshot_every_commands=50,
        snapshot_chunk_pause_seconds=0,
        postgres=postgres_settings,
    )
    journal = Journal(seed=58).play(40)
    await store(database, journal.rows)
    async with running(settings) as (task, port), asyncio.timeout(30):
        while not await snapshots.stored():  # noqa: ASYNC110 - another task stores
            await asyncio.sleep(0.02)
        channel = rpc_channel.open_channel(f"127.0.0.1:{port}")
        stub: Any = health_pb2_grpc.HealthStub(channel)
        for name in ("", process.HEALTH_NAME):
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        await channel.close()

        stored = len(journal.rows)
        journal.play(2)
        await store(database, [replace(row, state_hash=bytes(32)) for row in journal.rows[stored:]])
        await asyncio.wait({task})
    error = task.exception()
    assert error is not None
    assert isinstance(root_of(error), JournalCorrupt)


async def test_the_role_ends_when_it_is_asked_to(
    database: Database, postgres_settings: PostgresSettings
) -> None:
    settings = MatchingSettings(
        shard=SHARD, health_address="127.0.0.1:0", postgres=postgres_settings
    )
    async with running(settings) as (task, _):
        pass
    assert task.exception() is None
    assert await database.read("select from journal.snapshots") == []
