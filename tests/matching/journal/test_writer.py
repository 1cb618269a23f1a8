"""Appends: committed behind the fence, or refused, or unknown."""

import asyncio

import asyncpg
import pytest

from matching.errors import Fenced, WentBackwards
from matching.journal.reader import JournalReader
from matching.journal.rows import Tail
from matching.journal.writer import JournalWriter
from runtime.errors import Unknown
from runtime.postgres import Database
from tests.matching.journal.rows import row


async def set_epoch(database: Database, epoch: int) -> None:
    await database.write("update journal.shard_fence set epoch = $1 where shard = 1", epoch)


@pytest.fixture
async def writer(database: Database, reader: JournalReader) -> JournalWriter:
    await set_epoch(database, 1)
    return JournalWriter(database.settings, reader, "test", commit_seconds=0.5)


async def test_a_row_is_in_both_tables_as_it_was_written(
    writer: JournalWriter, reader: JournalReader
) -> None:
    first = row(Tail(), 1, count=3)
    second = row(first.tail, 1)
    await writer.append(first, Tail())
    await writer.append(second, first.tail)
    assert await reader.page_after(0) == [first, second]
    assert await reader.head() == 4
    await writer.close()


async def test_the_row_of_an_old_epoch_is_refused_and_leaves_nothing(
    writer: JournalWriter, reader: JournalReader, database: Database
) -> None:
    first = row(Tail(), 1)
    await writer.append(first, Tail())
    await set_epoch(database, 2)
    with pytest.raises(Fenced):
        await writer.append(row(first.tail, 1), first.tail)
    assert await reader.head() == 1
    await writer.close()


async def test_a_row_that_does_not_follow_the_last_one_is_refused(
    writer: JournalWriter, reader: JournalReader
) -> None:
    first = row(Tail(), 1)
    await writer.append(first, Tail())
    other = row(Tail(), 1)
    with pytest.raises((Fenced, asyncpg.UniqueViolationError)):
        await writer.append(row(Tail(), 1), Tail())
    with pytest.raises(Fenced):
        await writer.append(row(other.tail, 1), other.tail)
    assert await reader.page_after(0) == [first]
    await writer.close()


async def test_a_journal_that_lost_rows_is_told_apart_from_a_fence(
    writer: JournalWriter, database: Database
) -> None:
    first = row(Tail(), 1)
    second = row(first.tail, 1)
    await writer.append(first, Tail())
    await writer.append(second, first.tail)
    await database.write("delete from journal.commands where first_seq = 2")
    await database.write("delete from journal.events where first_seq = 2")
    with pytest.raises(WentBackwards):
        await writer.append(row(second.tail, 1), second.tail)
    await writer.close()


async def test_an_append_waits_for_an_epoch_that_is_being_taken_and_is_then_refused(
    writer: JournalWriter, reader: JournalReader, database: Database
) -> None:
    await writer.open()
    connection = await asyncpg.connect(database.settings.dsn.get_secret_value())
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("update journal.shard_fence set epoch = 2 where shard = 1")
    append = asyncio.create_task(writer.append(row(Tail(), 1), Tail()))
    await asyncio.sleep(0.1)
    assert not append.done(), "the insert waits for the fence row"
    await transaction.commit()
    with pytest.raises(Fenced):
        await append
    assert await reader.head() == 0
    await connection.close()
    await writer.close()


async def test_an_epoch_waits_for_the_append_that_holds_the_fence(
    writer: JournalWriter, database: Database
) -> None:
    connection = await asyncpg.connect(database.settings.dsn.get_secret_value())
    other = await asyncpg.connect(database.settings.dsn.get_secret_value())
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("select epoch from journal.shard_fence where shard = 1 for share")
    await other.execute("set lock_timeout = 100")
    with pytest.raises(asyncpg.LockNotAvailableError):
        await other.execute("update journal.shard_fence set epoch = 2 where shard = 1")
    await transaction.rollback()
    for one in (connection, other):
        await one.close()


async def test_an_append_without_an_answer_is_unknown_and_its_connection_is_cut(
    writer: JournalWriter, database: Database, reader: JournalReader
) -> None:
    connection = await asyncpg.connect(database.settings.dsn.get_secret_value())
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("select epoch from journal.shard_fence where shard = 1 for update")
    first = row(Tail(), 1)
    with pytest.raises(Unknown):
        await writer.append(first, Tail())
    await transaction.rollback()
    await connection.close()
    # Reading first would be wrong: the backend may still commit. A new epoch ends that.
    await database.write("update journal.shard_fence set epoch = epoch + 1 where shard = 1")
    assert await reader.head() == (1 if await writer.find(first) else 0)
    await writer.close()


async def test_looking_for_a_row_finds_it_or_not_or_somebody_elses(
    writer: JournalWriter, reader: JournalReader
) -> None:
    first = row(Tail(), 1)
    assert not await writer.find(first)
    await writer.append(first, Tail())
    assert await writer.find(first)
    with pytest.raises(Fenced):
        await writer.find(row(Tail(), 1))
    await writer.close()
