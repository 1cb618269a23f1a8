"""Snapshots are stored whole or not at all, and what is broken is named when it is read."""

import asyncio

import pytest

from matching.errors import NoSnapshot
from matching.journal.rows import Tail
from matching.recovery.snapshot_source import StoredSnapshot
from matching.snapshots import statements
from matching.snapshots.store import SnapshotStore
from runtime.postgres import Database
from tests.matching.projector.journal import SHARD, Journal

CONTENT = bytes(index % 251 for index in range(4_321))


def tail_at(seq: int) -> Tail:
    return Tail(seq - 3, seq, 2, 1_000 + seq, b"s" * 32, b"c" * 32, b"e" * 32)


async def read(snapshots: SnapshotStore, snapshot: StoredSnapshot) -> bytes:
    return b"".join([chunk async for chunk in snapshots.chunks(snapshot)])


async def test_a_snapshot_is_read_back_as_it_was_written(snapshots: SnapshotStore) -> None:
    assert await snapshots.stored() == []
    assert await snapshots.write(tail_at(10), CONTENT)

    (stored,) = await snapshots.stored()
    assert (stored.tail, stored.byte_count) == (tail_at(10), len(CONTENT))
    chunks = [chunk async for chunk in snapshots.chunks(stored)]
    assert [len(chunk) for chunk in chunks] == [1_000, 1_000, 1_000, 1_000, 321]
    assert b"".join(chunks) == CONTENT


@pytest.mark.parametrize("chunk_count", [15, 16, 17, 32, 33])
async def test_any_number_of_chunks_comes_back_in_order(
    database: Database, chunk_count: int
) -> None:
    snapshots = SnapshotStore(database, SHARD, chunk_bytes=10, chunk_pause_seconds=0)
    content = CONTENT[: chunk_count * 10 - 3]
    await snapshots.write(tail_at(10), content)
    (stored,) = await snapshots.stored()
    assert stored.chunk_count == chunk_count
    assert await read(snapshots, stored) == content


@pytest.mark.parametrize("content", [b"", b"x", bytes(1_000), bytes(1_001)])
async def test_any_length_is_taken(snapshots: SnapshotStore, content: bytes) -> None:
    await snapshots.write(tail_at(10), content)
    (stored,) = await snapshots.stored()
    assert await read(snapshots, stored) == content


async def test_a_state_of_the_engine_comes_back(snapshots: SnapshotStore) -> None:
    journal = Journal(seed=1).play(20)
    await snapshots.write(journal.tail, journal.engine.snapshot())
    (stored,) = await snapshots.stored()
    restored = type(journal.engine).restore(await read(snapshots, stored))  # type: ignore[attr-defined]
    assert restored.state_hash == journal.engine.state_hash == stored.tail.state_hash


async def test_the_same_state_is_stored_once(snapshots: SnapshotStore) -> None:
    assert await snapshots.write(tail_at(10), CONTENT)
    assert not await snapshots.write(tail_at(10), CONTENT)
    assert len(await snapshots.stored()) == 1


async def test_the_two_newest_are_kept_and_the_newest_comes_first(
    snapshots: SnapshotStore, database: Database
) -> None:
    for seq in (10, 20, 30, 40):
        await snapshots.write(tail_at(seq), CONTENT)
    assert await snapshots.keep_newest() == [10, 20]
    assert [one.seq for one in await snapshots.stored()] == [40, 30]
    left = await database.read("select distinct seq from journal.snapshot_chunks order by seq")
    assert [record[0] for record in left] == [30, 40]


async def test_those_that_are_named_are_deleted_with_their_chunks(
    snapshots: SnapshotStore, database: Database
) -> None:
    for seq in (10, 20, 30):
        await snapshots.write(tail_at(seq), CONTENT)
    await snapshots.delete(frozenset({20, 77}))
    assert [one.seq for one in await snapshots.stored()] == [30, 10]
    left = await database.read("select distinct seq from journal.snapshot_chunks order by seq")
    assert [record[0] for record in left] == [10, 30]


DAMAGES = {
    "a bit of a chunk": "update journal.snapshot_chunks set bytes = set_bit(bytes, 77, 1 -"
    " get_bit(bytes, 77)) where index = 2",
    "a chunk is gone": "delete from journal.snapshot_chunks where index = 4",
    "two chunks changed places": "update journal.snapshot_chunks c set bytes = o.bytes,"
    " hash = o.hash from journal.snapshot_chunks o where o.index = 3 - c.index"
    " and c.index in (1, 2)",
    "the hash of the whole": "update journal.snapshots set hash = set_byte(hash, 0, 1 +"
    " get_byte(hash, 0) % 2)",
    "the length": "update journal.snapshots set byte_count = byte_count + 1",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
async def test_what_is_broken_is_never_read_to_its_end(
    snapshots: SnapshotStore, database: Database, damage: str
) -> None:
    await snapshots.write(tail_at(10), CONTENT)
    await database.write(damage)
    (stored,) = await snapshots.stored()
    with pytest.raises(NoSnapshot):
        await read(snapshots, stored)


async def test_a_chunk_that_is_broken_is_not_told(
    snapshots: SnapshotStore, database: Database
) -> None:
    await snapshots.write(tail_at(10), CONTENT)
    await database.write(DAMAGES["a bit of a chunk"])
    (stored,) = await snapshots.stored()
    chunks = aiter(snapshots.chunks(stored))
    assert [await anext(chunks), await anext(chunks)] == [CONTENT[:1_000], CONTENT[1_000:2_000]]
    with pytest.raises(NoSnapshot, match="chunk 2"):
        await anext(chunks)


async def test_a_write_that_was_cut_counts_for_nothing_and_its_chunks_go(
    database: Database,
) -> None:
    slow = SnapshotStore(database, SHARD, chunk_bytes=100, chunk_pause_seconds=0.05)
    writing = asyncio.create_task(slow.write(tail_at(10), CONTENT))
    while not await database.read("select from journal.snapshot_chunks"):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing

    quick = SnapshotStore(database, SHARD, chunk_bytes=1_000, chunk_pause_seconds=0)
    assert await quick.stored() == []
    await quick.write(tail_at(20), CONTENT)
    left = await database.read("select distinct seq from journal.snapshot_chunks")
    assert [record[0] for record in left] == [20]


async def test_chunks_taken_away_while_it_is_written_leave_no_snapshot(
    snapshots: SnapshotStore, database: Database
) -> None:
    slow = SnapshotStore(database, SHARD, chunk_bytes=1_000, chunk_pause_seconds=0.05)
    writing = asyncio.create_task(slow.write(tail_at(10), CONTENT))
    while not await database.read("select from journal.snapshot_chunks"):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    # Another snapshotter clears leftovers before it writes its own.
    await snapshots.write(tail_at(20), CONTENT)
    with pytest.raises(NoSnapshot):
        await writing
    assert [one.seq for one in await snapshots.stored()] == [20]


async def test_other_shards_do_not_meet(snapshots: SnapshotStore, database: Database) -> None:
    other = SnapshotStore(database, SHARD + 1, chunk_bytes=1_000, chunk_pause_seconds=0)
    await snapshots.write(tail_at(10), CONTENT)
    await other.write(tail_at(10), CONTENT[:100])
    await other.delete(frozenset({10}))
    assert await other.stored() == []
    (stored,) = await snapshots.stored()
    assert await read(snapshots, stored) == CONTENT


@pytest.mark.parametrize("statement", [statements.INSERT_CHUNK, statements.DELETE_CHUNK])
async def test_a_chunk_alone_does_not_wait_for_the_disk(database: Database, statement: str) -> None:
    chunk = [SHARD, 10, 0, b"content", b"h" * 32]
    await database.write(statements.INSERT_CHUNK, *chunk)
    arguments = [SHARD, 10, 1, *chunk[3:]] if "insert" in statement else chunk[:3]
    async with database.connection() as connection:
        told = f"{statement} returning current_setting('synchronous_commit')"
        assert await connection.fetchval(told, *arguments) == "off"
        assert await connection.fetchval("show synchronous_commit") == "on"
