"""Replay: the same state from snapshot and journal, and nothing that was altered gets by."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace

import pytest

from matching import limits
from matching.engines import Engine, EngineKind
from matching.errors import JournalCorrupt, WentBackwards
from matching.journal.reader import JournalReader
from matching.journal.rows import Applied, JournalRow, Tail, chain
from matching.recovery.replay import Replay, ReplayParts, check_head
from matching.recovery.skips import Skips
from matching.snapshots.store import SnapshotStore
from runtime.postgres import Database
from tests.matching.projector.journal import SHARD, Journal, store
from tests.matching.shard import KIND

ROWS = 60
MIDDLE = 30
MakeReplay = Callable[..., Replay]


class Heard:
    """A listener that keeps what it was told."""

    def __init__(self) -> None:
        self.snapshots: list[bytes | None] = []
        self.rows: list[JournalRow] = []

    def start_from(self, snapshot: bytes | None) -> None:
        self.snapshots.append(snapshot)

    def row_replayed(self, row: JournalRow) -> None:
        self.rows.append(row)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def snapshots(database: Database) -> SnapshotStore:
    return SnapshotStore(database, SHARD, chunk_bytes=1_000, chunk_pause_seconds=0)


@pytest.fixture
def make_replay(
    database: Database, executor: Executor, snapshots: SnapshotStore, heard: Heard
) -> MakeReplay:
    def make(kind: EngineKind = KIND) -> Replay:
        return Replay(
            ReplayParts(
                shard=SHARD,
                kind=kind,
                reader=JournalReader(database, SHARD),
                snapshots=snapshots,
                skips=Skips({}),
                executor=executor,
                listeners=(heard,),
            )
        )

    return make


async def test_an_empty_journal_gives_a_new_engine(make_replay: MakeReplay, heard: Heard) -> None:
    replay = make_replay()
    assert await replay.catch_up() == 0
    assert replay.tail.last_seq == replay.engine.last_seq == 0
    assert heard.snapshots == [None]


async def test_replay_gives_the_state_that_was(
    database: Database, make_replay: MakeReplay, heard: Heard
) -> None:
    journal = Journal(1).play(ROWS)
    await store(database, journal.rows)
    replay = make_replay()
    assert await replay.catch_up() == len(journal.rows)
    assert replay.engine.state_hash == journal.engine.state_hash
    assert replay.engine.snapshot() == journal.engine.snapshot()
    assert replay.tail == journal.tail
    assert heard.rows == journal.rows


async def test_snapshot_and_tail_give_the_same_state_as_the_whole_journal(
    database: Database, make_replay: MakeReplay, snapshots: SnapshotStore, heard: Heard
) -> None:
    journal = Journal(2).play(MIDDLE)
    content, tail = journal.engine.snapshot(), journal.tail
    await snapshots.write(tail, content)
    journal.play(MIDDLE)
    await store(database, journal.rows)
    replay = make_replay()
    await replay.catch_up()
    assert replay.snapshot_seq == tail.last_seq
    assert heard.snapshots == [content]
    assert heard.rows[0].first_seq == tail.last_seq + 1
    assert replay.engine.snapshot() == journal.engine.snapshot()


async def test_rows_before_the_snapshot_are_not_needed(
    database: Database, make_replay: MakeReplay, snapshots: SnapshotStore
) -> None:
    journal = Journal(3).play(MIDDLE)
    await snapshots.write(journal.tail, journal.engine.snapshot())
    kept_from = len(journal.rows)
    journal.play(5)
    await store(database, journal.rows[kept_from:])
    replay = make_replay()
    await replay.catch_up()
    assert replay.engine.state_hash == journal.engine.state_hash


async def test_it_goes_on_with_rows_that_come_later(
    database: Database, make_replay: MakeReplay
) -> None:
    journal = Journal(4).play(10)
    await store(database, journal.rows)
    replay = make_replay()
    await replay.catch_up()
    done = len(journal.rows)
    journal.play(10)
    await store(database, journal.rows[done:])
    assert await replay.catch_up() == 10
    assert replay.engine.state_hash == journal.engine.state_hash
    assert await replay.catch_up() == 0


async def test_a_broken_snapshot_gives_way_to_the_one_before(
    database: Database, make_replay: MakeReplay, snapshots: SnapshotStore
) -> None:
    journal = Journal(5).play(10)
    older = journal.tail
    await snapshots.write(older, journal.engine.snapshot())
    journal.play(10)
    await snapshots.write(journal.tail, journal.engine.snapshot())
    await store(database, journal.rows)
    await database.write(
        "update journal.snapshot_chunks set bytes = set_byte(bytes, 5, get_byte(bytes, 5) # 1)"
        " where seq = $1 and index = 0",
        journal.tail.last_seq,
    )
    replay = make_replay()
    await replay.catch_up()
    assert replay.snapshot_seq == older.last_seq
    assert replay.engine.state_hash == journal.engine.state_hash


async def test_without_a_usable_snapshot_the_whole_journal_is_replayed(
    database: Database, make_replay: MakeReplay, snapshots: SnapshotStore
) -> None:
    journal = Journal(6).play(10)
    # Stored whole, but of another state than its row says.
    other = Journal(7).play(10)
    await snapshots.write(journal.tail, other.engine.snapshot())
    await store(database, journal.rows)
    replay = make_replay()
    await replay.catch_up()
    assert replay.snapshot_seq == 0
    assert replay.engine.state_hash == journal.engine.state_hash


COLUMNS = {
    "first_seq": "first_seq + 1000000",
    "last_seq": "last_seq + 1",
    "epoch": "epoch + 1",
    "time_ns": "time_ns + 1",
    "bytes": "set_byte(bytes, 20, get_byte(bytes, 20) # 1)",
    "state_hash": "set_byte(state_hash, 3, get_byte(state_hash, 3) # 1)",
    "row_hash": "set_byte(row_hash, 3, get_byte(row_hash, 3) # 1)",
    "shard": "2",
}


@pytest.mark.parametrize("place", [0, MIDDLE, -1])
@pytest.mark.parametrize("table", ["commands", "events"])
@pytest.mark.parametrize("column", COLUMNS)
async def test_a_flip_in_any_column_of_any_row_is_found_with_its_number(
    database: Database, make_replay: MakeReplay, column: str, table: str, place: int
) -> None:
    journal = Journal(8).play(ROWS)
    await store(database, journal.rows)
    row = journal.rows[place]
    if column == "shard":
        await database.write(
            f"create table journal.{table}_of_two partition of journal.{table}"
            f" for values from (2, 0) to (2, {limits.PARTITION_COMMANDS})"
        )
    await database.write(
        f"update journal.{table} set {column} = {COLUMNS[column]} where first_seq = $1",
        row.first_seq,
    )
    replay = make_replay()
    with pytest.raises(JournalCorrupt, match=r"row first_seq=\d+"):
        await replay.catch_up()
    # Nothing of what is wrong was taken for good.
    assert replay.tail.last_seq <= row.first_seq - 1


@pytest.mark.parametrize("column", ["epoch", "time_ns", "last_seq", "bytes", "state_hash"])
async def test_a_flip_in_both_tables_at_once_is_found_too(
    database: Database, make_replay: MakeReplay, column: str
) -> None:
    journal = Journal(9).play(ROWS)
    await store(database, journal.rows)
    for table in ("commands", "events"):
        await database.write(
            f"update journal.{table} set {column} = {COLUMNS[column]} where first_seq = $1",
            journal.rows[MIDDLE].first_seq,
        )
    with pytest.raises(JournalCorrupt, match=f"row first_seq={journal.rows[MIDDLE].first_seq}"):
        await make_replay().catch_up()


async def test_a_row_that_is_gone_from_both_tables_is_found(
    database: Database, make_replay: MakeReplay
) -> None:
    journal = Journal(10).play(ROWS)
    await store(database, [*journal.rows[:MIDDLE], *journal.rows[MIDDLE + 1 :]])
    with pytest.raises(JournalCorrupt, match="does not follow"):
        await make_replay().catch_up()


async def test_rows_chained_by_somebody_else_are_found_by_the_engine(
    database: Database, make_replay: MakeReplay
) -> None:
    """The hashes of rows can be made anew by whoever can write; the events cannot be invented."""
    journal = Journal(11).play(3)
    tail, forged = Tail(), []
    for index, row in enumerate(journal.rows):
        events = row.events + b"x" if index == 2 else row.events
        applied = Applied(
            row.first_seq, row.last_seq, row.time_ns, row.commands, events, row.state_hash
        )
        forged.append(chain(applied, 1, tail))
        tail = forged[-1].tail
    await store(database, forged)
    with pytest.raises(JournalCorrupt, match="other events"):
        await make_replay().catch_up()


class OtherEngine:
    """An engine of another build: it gives other bytes for one row."""

    def __init__(self, inside: Engine, at_seq: int) -> None:
        self._inside = inside
        self._at_seq = at_seq

    def __getattr__(self, name: str) -> object:
        return getattr(self._inside, name)

    def apply(self, batch: bytes) -> bytes:
        events = self._inside.apply(batch)
        return events + b"!" if self._inside.last_seq >= self._at_seq else events

    def apply_expecting(self, batch: bytes, row: bytes) -> bool:
        return self.apply(batch) == row


async def test_an_engine_that_does_something_else_is_not_let_on(
    database: Database, make_replay: MakeReplay
) -> None:
    journal = Journal(12).play(10)
    await store(database, journal.rows)
    at_seq = journal.rows[5].last_seq
    kind = replace(KIND, make=lambda shard: OtherEngine(KIND.make(shard), at_seq))  # type: ignore[arg-type,return-value]
    with pytest.raises(JournalCorrupt, match=f"row first_seq={journal.rows[5].first_seq}"):
        await make_replay(kind).catch_up()


async def test_a_head_that_was_seen_must_still_be_there(
    database: Database, make_replay: MakeReplay
) -> None:
    journal = Journal(13).play(5)
    await store(database, journal.rows)
    replay = make_replay()
    await replay.catch_up()
    reader = JournalReader(database, SHARD)
    await check_head(reader, replay.tail)
    for table in ("commands", "events"):
        await database.write(
            f"delete from journal.{table} where first_seq = $1", journal.tail.first_seq
        )
    with pytest.raises(WentBackwards):
        await check_head(reader, replay.tail)
