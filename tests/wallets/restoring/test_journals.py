"""Journals that end too early, that know more than custody gave, or that are others'."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from cambist.internal.journal.v1 import frames_pb2
from cambist.internal.matching.v1 import matching_pb2
from runtime import postgres
from runtime.postgres import Connection, Database
from runtime.settings import PostgresSettings
from tests.wallets.conftest import NETWORK_ID
from tests.wallets.link.memory_journal import MemoryJournal
from wallets.contract import WithdrawalId
from wallets.core import inbox
from wallets.core.outbox import SEQ_BITS
from wallets.link.rows import journal_row
from wallets.restoring import journals

SHARD, SOURCE_ID, OTHER_SOURCE = 3, 7, 8


@dataclass
class JournalEngine:
    """The engine of a journal in memory, as far as it is asked; it is its own stub."""

    journal: MemoryJournal = field(default_factory=MemoryJournal)

    async def first(self, shard: int, ask: Callable[[Any], Awaitable[Any]]) -> Any:
        assert shard == SHARD
        return await ask(self)

    async def GetStatus(self, _: Any, **__: Any) -> matching_pb2.GetStatusResponse:  # noqa: N802
        return matching_pb2.GetStatusResponse(released_seq=self.journal.seq)

    async def StreamEvents(  # noqa: N802
        self, request: matching_pb2.StreamEventsRequest, **_: Any
    ) -> AsyncIterator[matching_pb2.StreamEventsResponse]:
        rows = self.journal.rows[request.from_seq - 1 : request.until_seq]
        yield matching_pb2.StreamEventsResponse(rows=rows)

    def request(self, number: int) -> None:
        self.journal.request(WithdrawalId(number.to_bytes(16, "big")), 4_096, 1)

    def answer(self, source_id: int, source_seq: int) -> None:
        answer = frames_pb2.SystemAnswer(correlation=source_id << SEQ_BITS | source_seq)
        self.journal.tell(frames_pb2.SystemEvent(answer=answer))


@pytest.fixture
async def database(
    custody: Connection, postgres_settings: PostgresSettings
) -> AsyncIterator[Database]:
    await custody.execute(
        "insert into custody.asset values ($1, 1, '', 'BTC', 8, 8, 0, 0)", NETWORK_ID
    )
    await custody.execute(
        "insert into custody.source values ($1, $2, $3)", SOURCE_ID, NETWORK_ID, SHARD
    )
    opened = await postgres.connect(postgres_settings, application_name="restoring")
    yield opened
    await opened.close()


async def take_all(database: Database, engine: JournalEngine) -> None:
    """As the reader does."""
    for row in engine.journal.rows:
        await inbox.take(database, journal_row(SHARD, row))


async def found(database: Database, engine: JournalEngine) -> list[str]:
    told = await journals.compare(database, NETWORK_ID, SHARD, engine)  # type: ignore[arg-type]
    return [str(one) for one in told]


async def test_a_journal_that_goes_on_with_what_custody_knows_differs_in_nothing(
    database: Database, custody: Connection
) -> None:
    engine = JournalEngine()
    assert await found(database, engine) == []
    engine.request(1)
    await take_all(database, engine)
    await custody.execute("update custody.source set last_seq = 5")
    engine.answer(SOURCE_ID, 5)
    # Somebody else's commands are not ours to know.
    engine.answer(OTHER_SOURCE, 9)
    engine.request(2)
    assert await found(database, engine) == []


async def test_commands_that_custody_never_gave_are_named_before_they_are_read(
    database: Database, custody: Connection
) -> None:
    engine = JournalEngine()
    engine.request(1)
    await take_all(database, engine)
    for number in (1, 2):
        engine.answer(SOURCE_ID, number)
    assert await found(database, engine) == [
        f"ENGINE_AHEAD: shard {SHARD} at {number + 1}: command {SOURCE_ID}/{number}"
        for number in (1, 2)
    ]
    # It was a look only.
    assert await custody.fetchval("select last_seq from custody.inbox_cursor") == 1
    assert not await custody.fetchval("select withdrawals_stopped from custody.chain")


async def test_a_journal_that_ends_before_what_custody_has_read_is_named(
    database: Database,
) -> None:
    engine = JournalEngine()
    engine.request(1)
    engine.request(2)
    await take_all(database, engine)
    engine.journal.rows.pop()
    assert await found(database, engine) == [
        f"JOURNAL_WENT_BACK: shard {SHARD} ends at 1, custody has read up to 2"
    ]


async def test_a_journal_that_grew_again_without_the_newest_withdrawal_is_named(
    database: Database,
) -> None:
    engine = JournalEngine()
    engine.request(1)
    engine.request(2)
    await take_all(database, engine)
    engine.journal.rows.pop()
    engine.request(3)
    assert await found(database, engine) == [
        f"NOT_IN_JOURNAL: shard {SHARD} at 2: {(2).to_bytes(16, 'big').hex()}"
    ]
