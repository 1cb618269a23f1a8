"""Another database than before pays nothing, until two persons end that stop and it alone."""

from collections.abc import AsyncIterator

import pytest

from runtime import postgres
from runtime.postgres import Connection, Database
from runtime.settings import PostgresSettings
from tests.wallets.conftest import NETWORK_ID
from wallets.core import stops
from wallets.errors import Rejected
from wallets.restoring import ending, identity

OTHER_NETWORK = 2
BOTH = ("anna", "boris")


@pytest.fixture
async def database(
    custody: Connection, postgres_settings: PostgresSettings
) -> AsyncIterator[Database]:
    await custody.execute(
        "insert into custody.chain values ('tron', 'nile', $1, 'genesis')", OTHER_NETWORK
    )
    opened = await open_as_worker(postgres_settings)
    yield opened
    await opened.close()


async def open_as_worker(settings: PostgresSettings) -> Database:
    return await postgres.connect(settings, application_name="wallets", on_open=identity.notice)


async def reasons(custody: Connection) -> list[str]:
    """Why each network is stopped; empty = it is not."""
    rows = await custody.fetch("select * from custody.chain order by network_id")
    assert all(row["withdrawals_stopped"] == bool(row["stopped_reason"]) for row in rows)
    return [str(row["stopped_reason"]) for row in rows]


async def change_database(custody: Connection) -> None:
    """As if what is here had come from another server."""
    await custody.execute("update custody.database_identity set identity = '1/00000001'")


async def test_the_same_database_again_stops_nobody(
    database: Database, custody: Connection, postgres_settings: PostgresSettings
) -> None:
    again = await open_as_worker(postgres_settings)
    await again.close()
    assert await reasons(custody) == ["", ""]


async def test_a_worker_that_finds_another_database_stops_all_networks_before_its_first_statement(
    database: Database, custody: Connection, postgres_settings: PostgresSettings
) -> None:
    await change_database(custody)
    found = await open_as_worker(postgres_settings)
    row = await found.read_row("select bool_and(withdrawals_stopped) as all from custody.chain")
    assert row is not None
    assert row["all"]
    await found.close()
    stopped = await reasons(custody)
    assert all(one.startswith("Restored: the database is ") for one in stopped)
    assert all("was 1/00000001" in one for one in stopped)
    events = await custody.fetch("select * from custody.event where kind = 'database'")
    assert [event["state_before"] for event in events] == ["1/00000001"]
    # The next one finds what is known by now.
    again = await open_as_worker(postgres_settings)
    await again.close()
    assert await custody.fetchval("select count(*) from custody.event where kind = 'database'") == 1


async def test_two_persons_end_it_on_their_network_and_are_written_down(
    database: Database, custody: Connection
) -> None:
    with pytest.raises(Rejected, match="NOT_STOPPED"):
        await ending.end(database, NETWORK_ID, BOTH)
    for network_id in (NETWORK_ID, OTHER_NETWORK):
        await ending.stop(database, network_id, "2 differences")
    for people in ((), ("anna",), ("anna", " Anna")):
        with pytest.raises(Rejected, match="TWO_PERSONS"):
            await ending.end(database, NETWORK_ID, people)
    assert await ending.end(database, NETWORK_ID, BOTH) == ""
    assert await reasons(custody) == ["", "Restored: 2 differences"]
    event = await custody.fetchrow("select * from custody.event where kind = 'restore'")
    assert event is not None
    assert (event["subject_id"], event["state_after"]) == (str(NETWORK_ID), "paying")
    assert "anna and boris" in event["reason"]


async def test_a_stop_for_another_reason_before_or_meanwhile_is_back_afterwards(
    database: Database, custody: Connection
) -> None:
    async with database.connection() as connection:
        await stops.stop(connection, NETWORK_ID, "BooksDeficit: 1")
    for _ in range(2):
        await ending.stop(database, NETWORK_ID, "again")
    assert (await reasons(custody))[0] == "Restored: again"
    assert await ending.end(database, NETWORK_ID, BOTH) == "BooksDeficit: 1"
    assert (await reasons(custody))[0] == "BooksDeficit: 1"
    await ending.stop(database, NETWORK_ID, "again")
    async with database.connection() as connection:
        await stops.stop(connection, NETWORK_ID, "EngineAhead: 7/3")
    assert (await reasons(custody))[0] == "Restored: again"
    assert await ending.end(database, NETWORK_ID, BOTH) == "EngineAhead: 7/3"


async def test_a_role_that_may_change_rows_and_nothing_else_notices_too(
    database: Database, custody: Connection
) -> None:
    role = "restoring_" + str(await custody.fetchval("select pg_backend_pid()"))
    await change_database(custody)
    await custody.execute(f"create role {role}")
    try:
        await custody.execute(
            f"grant usage on schema custody to {role};"
            f"grant select, insert, update on all tables in schema custody to {role};"
            f"grant usage on all sequences in schema custody to {role};"
            f"set role {role}"
        )
        await identity.notice(custody)
        assert (await reasons(custody))[0].startswith("Restored: ")
    finally:
        await custody.execute(f"reset role; drop owned by {role}; drop role {role}")
