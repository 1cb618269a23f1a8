"""Migrations on a real Postgres: idempotent, all or nothing, one process at a time."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from runtime.errors import ConfigurationError
from runtime.migrations import Migrations, migrate
from runtime.settings import PostgresSettings

REVISION = '''"""Revision."""

from runtime.migrations import run_sql

revision = "{revision}"
down_revision = {before!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies it."""
    run_sql("""{sql}""")
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(
        tmp_path, "0001", None, "create table example.one (n int); create table example.two (n int)"
    )
    return tmp_path


def write(folder: Path, revision: str, before: str | None, sql: str) -> None:
    text = REVISION.format(revision=revision, before=before, sql=sql)
    (folder / f"{revision}_step.py").write_text(text)


async def tables(dsn: str) -> set[str]:
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch(
        "select table_name from information_schema.tables where table_schema = 'example'"
    )
    await connection.close()
    return {row[0] for row in rows} - {"schema_version"}


async def test_migrating_again_changes_nothing(
    postgres_settings: PostgresSettings, postgres_dsn: str, folder: Path
) -> None:
    migrations = Migrations("example", folder)
    assert await migrate(postgres_settings, migrations) == ["0001"]
    assert await migrate(postgres_settings, migrations) == []
    write(folder, "0002", "0001", "create table example.three (n int)")
    assert await migrate(postgres_settings, migrations) == ["0002"]
    assert await tables(postgres_dsn) == {"one", "two", "three"}


async def test_several_at_once_apply_it_once(
    postgres_settings: PostgresSettings, folder: Path
) -> None:
    migrations = Migrations("example", folder)
    done = await asyncio.gather(*(migrate(postgres_settings, migrations) for _ in range(4)))
    assert sorted(done) == [[], [], [], ["0001"]]


async def test_a_failing_revision_applies_none(
    postgres_settings: PostgresSettings, postgres_dsn: str, folder: Path
) -> None:
    write(folder, "0002", "0001", "create table example.three (n int); select 1 / 0")
    with pytest.raises(Exception, match="division by zero"):
        await migrate(postgres_settings, Migrations("example", folder))
    assert await tables(postgres_dsn) == set()


async def test_a_database_newer_than_the_program_is_refused(
    postgres_settings: PostgresSettings, folder: Path
) -> None:
    write(folder, "0002", "0001", "select 1")
    await migrate(postgres_settings, Migrations("example", folder))
    (folder / "0002_step.py").unlink()
    with pytest.raises(ConfigurationError, match="0002"):
        await migrate(postgres_settings, Migrations("example", folder))


@pytest.mark.parametrize("name", ["", "Example", "a; drop table b", "1a", "a" * 70])
def test_what_is_no_name_of_a_schema_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not the name"):
        Migrations(name, Path())
