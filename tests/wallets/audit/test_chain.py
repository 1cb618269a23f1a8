"""Whatever a superuser changes in events or batches is found."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from runtime import postgres
from runtime.postgres import Connection, Database
from runtime.settings import PostgresSettings
from wallets.audit import chain, limits
from wallets.errors import Broken

EVENTS = 7


@pytest.fixture
async def database(
    custody: Connection, postgres_settings: PostgresSettings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Database]:
    monkeypatch.setattr(limits, "BATCH_EVENTS_MAX", 3)
    await custody.execute(
        "insert into custody.event (kind, subject_id, state_before, state_after, actor, reason) "
        "select 'payout', n::text, 'requested', 'approved', 'worker', 'r' "
        "from generate_series(1, $1::integer) n",
        EVENTS,
    )
    opened = await postgres.connect(postgres_settings, application_name="audit-test")
    yield opened
    await opened.close()


async def cover(database: Database) -> None:
    while await chain.add_batch(database):
        pass


async def test_every_event_is_covered_once_and_the_chain_grows(
    database: Database, custody: Connection
) -> None:
    await cover(database)
    first = await chain.verify(database)
    assert first.last_event_id == EVENTS
    counts = await custody.fetch("select event_count from custody.audit_batch order by 1")
    assert [row["event_count"] for row in counts] == [1, 3, 3]
    await custody.execute(
        "insert into custody.event (kind, subject_id, state_before, state_after, actor, reason) "
        "values ('payout', 'x', 'a', 'b', 'c', 'd')"
    )
    await cover(database)
    second = await chain.verify(database, first)
    assert second.last_event_id == EVENTS + 1
    assert await chain.add_batch(database) == 0


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("update custody.event set actor = 'else' where event_id = 2", "1 to 3: changed"),
        ("update custody.event set created_at = now() where event_id = 7", "7 to 7: changed"),
        ("delete from custody.event where event_id = 5", "4 to 6: 2 are there, 3 were covered"),
        ("delete from custody.event where event_id > 6", "7 to 7: 0 are there"),
        ("delete from custody.audit_batch where last_event_id = 3", "1 to 6: 4 are there"),
        (
            (
                "delete from custody.audit_batch where last_event_id = 7; "
                "delete from custody.event where event_id = 7"
            ),
            "does not hold the kept head of event 7",
        ),
    ],
)
async def test_what_a_superuser_changes_is_found(
    database: Database, custody: Connection, change: str, found: str
) -> None:
    await cover(database)
    kept = await chain.verify(database)
    await custody.execute("set session_replication_role = replica")
    await custody.execute(change)
    with pytest.raises(Broken, match=found):
        await chain.verify(database, kept)


async def test_an_event_that_commits_late_is_waited_for_and_covered(
    database: Database, custody: Connection
) -> None:
    await custody.execute("begin")
    await custody.execute(
        "insert into custody.event (kind, subject_id, state_before, state_after, actor, reason) "
        "values ('payout', 'late', 'a', 'b', 'c', 'd')"
    )
    settled = asyncio.create_task(chain.read_settled_id(database))
    done, _ = await asyncio.wait({settled}, timeout=0.3)
    assert not done
    await custody.execute("commit")
    assert await settled == EVENTS + 1
