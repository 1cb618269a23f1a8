"""Reading rows back: in order, whole, in pages."""

import pytest

from matching import limits
from matching.errors import JournalCorrupt
from matching.journal.partitions import ensure_partitions, partition_of, prepare_shards
from matching.journal.reader import JournalReader, PageSize
from matching.journal.rows import JournalRow, Tail
from matching.journal.writer import JournalWriter
from runtime.postgres import Database
from tests.matching.journal.rows import row

ROWS = 100


@pytest.fixture
async def rows(database: Database, reader: JournalReader) -> list[JournalRow]:
    await database.write("update journal.shard_fence set epoch = 1 where shard = 1")
    writer = JournalWriter(database.settings, reader, "test")
    tail, written = Tail(), []
    for index in range(ROWS):
        made = row(tail, 1, count=1 + index % 3)
        await writer.append(made, tail)
        written.append(made)
        tail = made.tail
    await writer.close()
    return written


async def test_pages_hold_all_rows_in_order(rows: list[JournalRow], reader: JournalReader) -> None:
    seen: list[JournalRow] = []
    while page := await reader.page_after(seen[-1].last_seq if seen else 0):
        seen += page
    assert seen == rows


async def test_events_are_found_from_the_middle_of_a_row(
    rows: list[JournalRow], reader: JournalReader
) -> None:
    wanted = next(one for one in rows if one.last_seq - one.first_seq == 2 and one.first_seq > 50)
    up_to = wanted.last_seq + 10
    seen = [one async for one in reader.events_between(wanted.first_seq + 1, up_to)]
    assert seen[0].first_seq == wanted.first_seq
    assert seen[0].events == wanted.events
    assert [one.first_seq for one in seen] == [
        one.first_seq for one in rows if wanted.first_seq <= one.first_seq <= up_to
    ]


async def test_events_of_rows_that_are_gone_begin_with_the_oldest_left(
    rows: list[JournalRow], reader: JournalReader, database: Database
) -> None:
    await database.write("delete from journal.events where first_seq <= 20")
    oldest = await reader.oldest_event_seq()
    assert oldest > 20
    seen = [one async for one in reader.events_between(1, rows[-1].last_seq)]
    assert seen[0].first_seq == oldest


@pytest.mark.parametrize("table", ["commands", "events"])
async def test_a_row_of_one_table_only_is_named(
    rows: list[JournalRow], reader: JournalReader, database: Database, table: str
) -> None:
    last = rows[-1]
    await database.write(f"delete from journal.{table} where first_seq = $1", last.first_seq)
    with pytest.raises(JournalCorrupt, match=f"first_seq={last.first_seq}: missing in {table}"):
        await reader.row_at(last.first_seq)


@pytest.mark.parametrize("column", ["last_seq", "epoch", "time_ns", "state_hash"])
async def test_halves_of_a_row_that_differ_are_named(
    rows: list[JournalRow], reader: JournalReader, database: Database, column: str
) -> None:
    value = "'\\x00'" if column == "state_hash" else "0"
    await database.write(f"update journal.events set {column} = {value} where first_seq = 1")
    with pytest.raises(JournalCorrupt, match="differ between"):
        await reader.page_after(0)


def test_pages_adapt_to_the_size_of_rows() -> None:
    page = PageSize()
    for _ in range(20):
        page.learn(page.rows, page.rows * 100)
    assert page.rows == limits.PAGE_ROWS_MAX
    page.learn(page.rows, page.rows * limits.PAGE_BYTES)
    assert page.rows == limits.PAGE_ROWS_MIN
    page.learn(0, 0)
    assert page.rows == limits.PAGE_ROWS_MIN


async def test_partitions_are_made_ahead_and_only_once(database: Database) -> None:
    seq = 3 * limits.PARTITION_COMMANDS
    made = await ensure_partitions(database, 1, seq)
    assert len(made) == 2 * (1 + limits.PARTITIONS_AHEAD)
    assert f"commands_s1_p{partition_of(seq)}" in made
    assert await ensure_partitions(database, 1, seq) == []


async def test_shards_are_prepared_again_without_a_change(
    database: Database, reader: JournalReader
) -> None:
    await database.write("update journal.shard_fence set epoch = 7 where shard = 1")
    await prepare_shards(database, (1, 2))
    await prepare_shards(database, (1, 2))
    assert await reader.fence_epoch() == 7
    assert await JournalReader(database, 2).fence_epoch() == 0
    assert (await database.read_row("select count(*) from journal.shard_lease"))[0] == 2  # type: ignore[index]
