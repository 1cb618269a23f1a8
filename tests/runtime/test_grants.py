"""The role that services log in as works on rows of every schema, and can change no schema."""

import secrets
from collections.abc import AsyncIterator

import asyncpg
import pytest

from gateway.identity.store import MIGRATIONS as IDENTITY
from matching.server import MIGRATIONS as JOURNAL
from runtime.embedded_postgres import EmbeddedPostgres
from runtime.errors import ConfigurationError
from runtime.grants import rights_on
from runtime.migrations import Migrations, migrate
from runtime.settings import PostgresSettings
from wallets.approver.log import MIGRATIONS as APPROVER
from wallets.schema import MIGRATIONS as CUSTODY
from wallets.signer.log import MIGRATIONS as SIGNER

ALL = pytest.mark.parametrize("service", [JOURNAL, IDENTITY, CUSTODY, SIGNER, APPROVER])
APPEND_ONLY = [
    (JOURNAL, "journal.commands"),
    (JOURNAL, "journal.events"),
    (CUSTODY, "custody.posting"),
    (CUSTODY, "custody.event"),
    (CUSTODY, "custody.audit_batch"),
    (SIGNER, "signer.entry"),
    (SIGNER, "signer.payment"),
    (APPROVER, "approver.approval"),
]


@pytest.fixture
async def role(postgres_server: EmbeddedPostgres) -> str:
    """A role that may log in; it goes with the server."""
    name = f"service_{secrets.token_hex(4)}"
    administrator = await asyncpg.connect(postgres_server.dsn)
    await administrator.execute(f"create role {name} login password 'of-the-test'")
    await administrator.close()
    return name


@pytest.fixture
async def service_connection(
    postgres_dsn: str, role: str
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Logged in as a service does."""
    opened = await asyncpg.connect(postgres_dsn, user=role, password="of-the-test")
    yield opened
    await opened.close()


def with_role(settings: PostgresSettings, role: str) -> PostgresSettings:
    return settings.model_copy(update={"service_role": role})


async def tables(connection: "asyncpg.Connection[asyncpg.Record]", service: Migrations) -> set[str]:
    rows = await connection.fetch(
        "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = any($1) and c.relkind in ('r', 'p') and not c.relispartition",
        [service.schema, *service.further_schemas],
    )
    return {f"{row[0]}.{row[1]}" for row in rows}


@ALL
async def test_the_role_reads_every_table_and_may_change_no_schema(
    postgres_settings: PostgresSettings,
    service_connection: "asyncpg.Connection[asyncpg.Record]",
    role: str,
    service: Migrations,
) -> None:
    await migrate(with_role(postgres_settings, role), service)
    found = await tables(service_connection, service)
    assert found
    for table in found:
        await service_connection.fetch(f"select from {table} limit 1")
        for change in (
            f"alter table {table} add column another integer",
            f"alter table {table} disable trigger all",
            f"drop table {table}",
            f"truncate {table}",
            f"create index on {table} ((1))",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await service_connection.execute(change)
    for change in (
        f"create table {service.schema}.another (n integer)",
        "create schema another",
        f"drop schema {service.schema} cascade",
        f"update {service.schema}.schema_version set version_num = '0'",
        "set session_replication_role = replica",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await service_connection.execute(change)


@pytest.mark.parametrize(("service", "table"), APPEND_ONLY)
async def test_rows_of_journals_and_logs_cannot_be_changed_or_deleted_by_the_role(
    postgres_settings: PostgresSettings,
    service_connection: "asyncpg.Connection[asyncpg.Record]",
    role: str,
    service: Migrations,
    table: str,
) -> None:
    await migrate(with_role(postgres_settings, role), service)
    column = await service_connection.fetchval(
        "select attname from pg_attribute where attrelid = $1::text::regclass and attnum = 2", table
    )
    for change in (f"update {table} set {column} = {column}", f"delete from {table}"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await service_connection.execute(change)
    granted = await service_connection.fetchval("select has_table_privilege($1, 'insert')", table)
    assert granted is True


async def test_partitions_are_made_for_the_role_and_give_it_no_right_of_their_own(
    postgres_settings: PostgresSettings,
    service_connection: "asyncpg.Connection[asyncpg.Record]",
    role: str,
) -> None:
    await migrate(with_role(postgres_settings, role), JOURNAL)
    query = "select journal.make_partitions(7, 3, 10)"
    assert await service_connection.fetchval(query) == ["commands_s7_p3", "events_s7_p3"]
    assert await service_connection.fetchval(query) == []
    # A second run of `migrate` finds them there.
    await migrate(with_role(postgres_settings, role), JOURNAL)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service_connection.execute("delete from journal.commands_s7_p3")
    for number, commands in ((-1, 10), (0, 0)):
        with pytest.raises(asyncpg.InvalidParameterValueError):
            await service_connection.fetchval(
                "select journal.make_partitions(7, $1, $2)", number, commands
            )


async def test_the_audit_log_can_be_locked_by_the_role(
    postgres_settings: PostgresSettings,
    service_connection: "asyncpg.Connection[asyncpg.Record]",
    role: str,
) -> None:
    await migrate(with_role(postgres_settings, role), CUSTODY)
    async with service_connection.transaction():
        await service_connection.execute("lock table custody.event in share mode")
        mode = "share row exclusive"
        await service_connection.execute(f"lock table custody.audit_batch in {mode} mode")


async def test_a_role_that_is_missing_or_could_change_the_schema_is_refused(
    postgres_settings: PostgresSettings,
) -> None:
    for role, reason in (
        ("nobody_at_all", "no role nobody_at_all"),
        ("postgres", "may do what the role that migrates may do"),
        ('x"; drop table y', "not the name of a role"),
    ):
        with pytest.raises(ConfigurationError, match=reason):
            await migrate(with_role(postgres_settings, role), IDENTITY)


@pytest.mark.parametrize(
    ("is_guarded", "version", "rights"),
    [
        (False, 180_000, "select, insert, update, delete"),
        (True, 180_000, "select, insert, maintain"),
        # Before Postgres 17 a lock needs it; the guard refuses the change.
        (True, 160_004, "select, insert, update"),
    ],
)
def test_rights_follow_from_the_guard_and_the_server(
    is_guarded: bool, version: int, rights: str
) -> None:
    def of(once: frozenset[str]) -> str:
        return rights_on("s.t", is_guarded=is_guarded, written_once=once, version=version)

    assert of(frozenset()) == rights
    assert of(frozenset({"s.t"})) == "select, insert"
