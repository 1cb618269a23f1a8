"""The programs that travel in the chart run against the SDK and a database as they are."""

import asyncio
from pathlib import Path

import pytest

from cambist.client.keys import ApiKey
from helm.cambist.files import trade, wait_for_schema
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
