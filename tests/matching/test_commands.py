"""`python -m matching`: what each command prints, does and ends with."""

import os
import subprocess
import sys

import pytest

from runtime import postgres
from runtime.process import ExitStatus
from runtime.settings import PostgresSettings

PREFIX = "CAMBIST_MATCHING_"


def run(*arguments: str, dsn: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    environment |= {PREFIX + name: value for name, value in variables.items()}
    if dsn:
        environment[PREFIX + "POSTGRES_DSN"] = dsn
    return subprocess.run(
        [sys.executable, "-m", "matching", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_names_every_role() -> None:
    told = run("--help")
    assert told.returncode == ExitStatus.OK
    for command in ("serve", "migrate", "snapshotter", "projector", "skip-poison"):
        assert command in told.stdout


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SHARD", "0"),
        ("ENGINE", "other"),
        ("ROLE", "other"),
        ("BATCH_COMMANDS_MAX", "10001"),
        ("INBOX_COMMANDS_MAX", "10"),
        ("LEASE_SECONDS", "0.3"),
        ("NO_SUCH_SETTING", "1"),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_starts(variable: str, value: str) -> None:
    told = run("serve", **{variable: value})
    assert told.returncode == ExitStatus.CONFIGURATION
    assert variable.lower() in told.stderr.lower()


def test_without_a_database_it_says_so_and_may_be_tried_again() -> None:
    told = run("migrate", dsn="postgresql://nobody@127.0.0.1:1/none")
    assert told.returncode == ExitStatus.UNAVAILABLE


async def test_migrate_says_what_it_did_and_then_does_nothing(
    postgres_settings: PostgresSettings,
) -> None:
    dsn = postgres_settings.dsn.get_secret_value()
    # The role may come from the environment.
    first = run(dsn=dsn, ROLE="migrate", SHARDS="1,3")
    assert first.returncode == ExitStatus.OK, first.stderr
    assert first.stdout.startswith("applied: 0001_journal")
    assert run("migrate", dsn=dsn, SHARDS="1,3").stdout == "applied: nothing\n"
    database = await postgres.connect(postgres_settings, application_name="test")
    rows = await database.read("select shard, epoch from journal.shard_fence order by shard")
    assert [tuple(row) for row in rows] == [(1, 0), (3, 0)]
    skipped = run("skip-poison", "--seq", "7", "--by", "me", dsn=dsn, SHARD="3")
    assert skipped.returncode == ExitStatus.OK
    rows = await database.read("select shard, seq, asked_by from journal.skipped_commands")
    assert [tuple(row) for row in rows] == [(3, 7, "me")]
    await database.close()


async def test_verify_restore_shows_the_end_of_each_journal_and_needs_no_lease(
    postgres_settings: PostgresSettings,
) -> None:
    dsn = postgres_settings.dsn.get_secret_value()
    assert run("migrate", dsn=dsn, SHARDS="1,3").returncode == ExitStatus.OK
    for whole in ((), ("--whole",)):
        told = run("verify-restore", *whole, dsn=dsn, SHARDS="1,3")
        assert told.returncode == ExitStatus.OK, told.stderr
        for shard in (1, 3):
            assert (
                f"shard {shard}: 0 rows after seq 0 replayed and equal, head seq 0" in told.stdout
            )
    database = await postgres.connect(postgres_settings, application_name="test")
    rows = await database.read("select epoch from journal.shard_fence")
    assert {row["epoch"] for row in rows} == {0}
    await database.close()
