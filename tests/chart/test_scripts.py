"""The programs that travel in the chart run against the SDK and a database as they are."""

import asyncio
import secrets
from pathlib import Path

import asyncpg
import pytest

from cambist.client.keys import ApiKey
from helm.cambist.files import make_roles, trade, wait_for_schema
from runtime.embedded_postgres import EmbeddedPostgres


def test_the_key_of_the_helm_test_is_told_in_one_line_that_a_shell_reads(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    trade.make_key(str(path))
    key = ApiKey.load(path)
    assert Path(f"{path}.public").read_text() == f"{key.key_id} {key.public_hex}\n"


def test_a_schema_is_waited_for_until_it_is_there(
    postgres_server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DSN", postgres_server.dsn)
    assert asyncio.run(wait_for_schema.table_exists("pg_catalog.pg_namespace"))
    assert not asyncio.run(wait_for_schema.table_exists("journal.never_made"))
    monkeypatch.setenv("DSN", "postgresql://nobody@127.0.0.1:1/none")
    assert not asyncio.run(wait_for_schema.table_exists("pg_catalog.pg_namespace"))


def run_sql(dsn: str, statement: str) -> object:
    """One value."""

    async def ask() -> object:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(ask())


def dsn_of(server: EmbeddedPostgres, name: str, password: str) -> str:
    """The server's, as another user."""
    address = server.dsn.partition("@")[2]
    return f"postgresql://{name}:{password}@{address}"


def test_roles_of_services_are_made_and_get_the_password_of_their_secret(
    postgres_server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"service_{secrets.token_hex(4)}"
    monkeypatch.setenv("OWNER_DSN", postgres_server.dsn)
    # A password that a statement would have to quote.
    for password in ("first'%25", "second"):
        dsn = dsn_of(postgres_server, name, password)
        monkeypatch.setenv(f"ROLE_DSN_{name}", dsn)
        asyncio.run(make_roles.main())
        assert run_sql(dsn, "select current_user::text") == name
        assert run_sql(dsn, "select rolsuper from pg_roles where rolname = current_user") is False


def test_a_role_whose_secret_names_another_user_is_refused(
    postgres_server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OWNER_DSN", postgres_server.dsn)
    monkeypatch.setenv("ROLE_DSN_service_one", dsn_of(postgres_server, "another", "p"))
    with pytest.raises(SystemExit, match="names another user"):
        asyncio.run(make_roles.main())
    assert (
        run_sql(
            postgres_server.dsn,
            "select count(*) from pg_roles where rolname in ('another', 'service_one')",
        )
        == 0
    )


def test_a_role_waits_for_its_rights_too(
    postgres_server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, schema = (f"{word}_{secrets.token_hex(4)}" for word in ("service", "schema"))
    dsn = dsn_of(postgres_server, name, "of-the-test")
    monkeypatch.setenv("OWNER_DSN", postgres_server.dsn)
    monkeypatch.setenv(f"ROLE_DSN_{name}", dsn)
    asyncio.run(make_roles.main())
    run_sql(postgres_server.dsn, f"create schema {schema}")
    run_sql(postgres_server.dsn, f"create table {schema}.one ()")
    monkeypatch.setenv("DSN", dsn)
    assert not asyncio.run(wait_for_schema.table_exists(f"{schema}.one"))
    run_sql(postgres_server.dsn, f"grant usage on schema {schema} to {name}")
    assert asyncio.run(wait_for_schema.table_exists(f"{schema}.one"))
