"""Brings one service's schema up to date: alembic, under an advisory lock, in one transaction.

Each service keeps its revisions in a folder of its own (`<service>/migrations/`, files like
`0001_journal.py`) and a version table in its own schema. A revision holds plain SQL and calls
`run_sql`. Running it again, or from several processes at once, changes nothing. Called by each
service's `migrate` command, and at start in development.
"""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import alembic.command
import alembic.config
import alembic.op
import alembic.util
import asyncpg
import sqlalchemy
import sqlalchemy.ext.asyncio
import sqlalchemy.pool

from runtime import grants, limits
from runtime.errors import ConfigurationError, Unavailable
from runtime.settings import PostgresSettings, mask_dsn

VERSION_TABLE: Final = "schema_version"
# The first half of the advisory lock's key; the second is the hash of the schema's name.
LOCK_CLASS: Final = 0x0CA3
_SCHEMA_NAME: Final = re.compile(r"[a-z][a-z_]{0,62}")


@dataclass(frozen=True, slots=True)
class Migrations:
    """The revisions of one service: their folder and the schema that holds the version table."""

    schema: str
    folder: Path
    # Schemas beside it that the revisions make.
    further_schemas: tuple[str, ...] = ()
    # Tables without a guard of their own whose rows a service must never change: `schema.name`.
    written_once: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Checks the schemas' names: they are written into SQL."""
        for schema in (self.schema, *self.further_schemas):
            if not _SCHEMA_NAME.fullmatch(schema):
                raise ValueError(f"not the name of a schema: {schema!r}")


async def migrate(settings: PostgresSettings, migrations: Migrations) -> list[str]:
    """Applies what is missing and returns the revisions applied, oldest first.

    Waits for another process that migrates the same schema, at most 60 s. Raises Unavailable
    when the database does not answer or the wait is over, ConfigurationError when the database
    is newer than this program or the role of the service is not fit. All revisions are applied or
    none.
    """
    async with open_engine(settings) as engine, engine.begin() as connection:
        await lock(connection, migrations.schema)
        before = await read_version(connection, migrations.schema)
        try:
            await connection.run_sync(upgrade, migrations)
        except alembic.util.CommandError as error:
            raise ConfigurationError(
                f"schema {migrations.schema} is at {before}, unknown to this program: {error}"
            ) from error
        after = await read_version(connection, migrations.schema)
        if settings.service_role:
            await grants.grant(
                connection,
                settings.service_role,
                (migrations.schema, *migrations.further_schemas),
                version_table=f"{migrations.schema}.{VERSION_TABLE}",
                written_once=migrations.written_once,
            )
    return revisions_between(migrations, before, after)


@asynccontextmanager
async def open_engine(
    settings: PostgresSettings,
) -> AsyncIterator[sqlalchemy.ext.asyncio.AsyncEngine]:
    """An engine over asyncpg that takes the DSN as asyncpg reads it."""
    dsn = settings.dsn.get_secret_value()

    async def connect() -> asyncpg.Connection[asyncpg.Record]:
        try:
            return await asyncpg.connect(dsn, timeout=settings.connect_timeout_seconds)
        except (OSError, TimeoutError, asyncpg.PostgresConnectionError) as error:
            raise Unavailable(f"no database at {mask_dsn(dsn)}: {error}") from error

    engine = sqlalchemy.ext.asyncio.create_async_engine(
        "postgresql+asyncpg://", async_creator=connect, poolclass=sqlalchemy.pool.NullPool
    )
    try:
        yield engine
    finally:
        await engine.dispose()


async def lock(connection: sqlalchemy.ext.asyncio.AsyncConnection, schema: str) -> None:
    """Takes the advisory lock until the end of the transaction and makes the schema."""
    wait = f"set local lock_timeout = '{limits.MIGRATION_LOCK_SECONDS}s'"
    await connection.execute(sqlalchemy.text(wait))
    try:
        await connection.execute(
            sqlalchemy.text("select pg_advisory_xact_lock(:class, hashtext(:schema))"),
            {"class": LOCK_CLASS, "schema": schema},
        )
    except sqlalchemy.exc.DBAPIError as error:
        raise Unavailable(f"another process migrates schema {schema}: {error.orig}") from error
    await connection.execute(sqlalchemy.text(f"create schema if not exists {schema}"))


async def read_version(
    connection: sqlalchemy.ext.asyncio.AsyncConnection, schema: str
) -> str | None:
    """The revision that the schema is at, or None."""
    table = f"{schema}.{VERSION_TABLE}"
    there = await connection.scalar(sqlalchemy.text("select to_regclass(:table)"), {"table": table})
    if there is None:
        return None
    # The table's name is made of a checked identifier and a constant.
    version: str | None = await connection.scalar(
        sqlalchemy.text(f"select version_num from {table}")  # noqa: S608
    )
    return version


def make_config(migrations: Migrations) -> alembic.config.Config:
    """Alembic's configuration, without a file."""
    config = alembic.config.Config()
    script_location = importlib.resources.files("runtime") / "alembic"
    config.set_main_option("script_location", str(script_location))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", str(migrations.folder))
    return config


def upgrade(connection: sqlalchemy.Connection, migrations: Migrations) -> None:
    """Runs alembic on an open connection; runtime/alembic/env.py takes it from the attributes."""
    config = make_config(migrations)
    config.attributes["connection"] = connection
    config.attributes["version_table"] = VERSION_TABLE
    config.attributes["version_table_schema"] = migrations.schema
    alembic.command.upgrade(config, "head")


def revisions_between(migrations: Migrations, before: str | None, after: str | None) -> list[str]:
    """Revisions after `before` up to `after`, oldest first."""
    if before == after:
        return []
    script = alembic.script.ScriptDirectory.from_config(make_config(migrations))
    walked = [str(revision.revision) for revision in script.walk_revisions()]
    oldest_first = walked[::-1]
    start = 0 if before is None else oldest_first.index(before) + 1
    return oldest_first[start:]


def run_sql(script: str) -> None:
    """Runs SQL of any number of statements inside the migration's transaction.

    For use in revisions only. Alembic's own `op.execute` takes one statement under asyncpg.
    """
    adapted: Any = alembic.op.get_bind().connection.dbapi_connection
    adapted.run_async(lambda connection: connection.execute(script))
