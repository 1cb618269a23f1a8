"""The checker as a process of its own, on a journal in a real database."""

import asyncio
import json
import os
import sys
from pathlib import Path

import asyncpg
import pytest

from runtime import migrations
from runtime.migrations import Migrations
from runtime.settings import PostgresSettings
from tests.venue.journal_maker import SoundJournal
from venue.checker.rows import JournalRow
from venue.flow.definitions import SHARD
from venue.plants import Plant

ROOT = Path(__file__).resolve().parents[2]
INSERT = """
insert into journal.{table}
  (shard, first_seq, last_seq, epoch, time_ns, bytes, state_hash, row_hash)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""


async def store(settings: PostgresSettings, rows: list[JournalRow]) -> None:
    """Writes rows into the tables of matching's own migrations."""
    await migrations.migrate(settings, Migrations("journal", ROOT / "matching" / "migrations"))
    connection = await asyncpg.connect(settings.dsn.get_secret_value())
    try:
        for table in ("commands", "events"):
            await connection.execute(
                f"create table journal.{table}_all partition of journal.{table} default"
            )
            await connection.executemany(
                INSERT.format(table=table),
                [
                    (
                        SHARD,
                        row.first_seq,
                        row.last_seq,
                        row.epoch,
                        row.time_ns,
                        getattr(row, table),
                        row.state_hash,
                        row.command_row_hash if table == "commands" else row.event_row_hash,
                    )
                    for row in rows
                ],
            )
    finally:
        await connection.close()


async def run_checker(dsn: str, *arguments: str) -> tuple[int, str, str]:
    """Exit status and what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "venue.checker",
        *arguments,
        env={**os.environ, "CAMBIST_CHECKER_DSN": dsn},
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@pytest.fixture
async def logs(sound: SoundJournal, postgres_settings: PostgresSettings) -> Path:
    """A sound journal in the database; the folder of its clients' logs."""
    await store(postgres_settings, sound.rows)
    return sound.logs[0].parent


async def test_a_sound_journal_ends_with_status_zero(
    sound: SoundJournal, logs: Path, postgres_dsn: str, tmp_path: Path
) -> None:
    out = tmp_path / "check.json"
    status, printed, trouble = await run_checker(
        postgres_dsn, "--logs", str(logs), "--out", str(out)
    )
    assert (status, trouble) == (0, "")
    report = json.loads(out.read_text())
    assert report["ok"] is True
    assert report["rows"] == len(sound.rows)
    assert report["commands"] == sound.rows[-1].last_seq
    assert report["acknowledged_lost"] == report["duplicated"] == 0
    assert json.loads(printed.splitlines()[-1])["trades"] == report["trades"] > 0


@pytest.mark.parametrize("plant", [Plant.LOST_EVENT, Plant.LOST_ROW, Plant.BROKEN_BALANCE])
async def test_a_plant_ends_with_status_one_and_its_reason(
    logs: Path, postgres_dsn: str, plant: Plant
) -> None:
    status, printed, _ = await run_checker(
        postgres_dsn, "--logs", str(logs), "--plant", plant.value
    )
    reasons = {
        Plant.LOST_EVENT: "event_not_told:",
        Plant.LOST_ROW: "sequence:",
        Plant.BROKEN_BALANCE: "conservation:",
    }
    assert status == 1
    assert reasons[plant] in printed


@pytest.mark.usefixtures("logs")
async def test_a_plant_without_a_place_is_no_success(postgres_dsn: str) -> None:
    status, _, trouble = await run_checker(postgres_dsn, "--plant", Plant.LOST_EVENT.value)
    assert status == 3
    assert "found no place" in trouble


async def test_a_row_missing_in_one_table_is_found(
    sound: SoundJournal, logs: Path, postgres_dsn: str
) -> None:
    connection = await asyncpg.connect(postgres_dsn)
    try:
        place = sound.rows[len(sound.rows) // 2].first_seq
        await connection.execute("delete from journal.events where first_seq = $1", place)
    finally:
        await connection.close()
    status, printed, _ = await run_checker(postgres_dsn, "--logs", str(logs))
    assert status == 1
    assert "malformed_row:" in printed


async def test_the_checker_does_not_load_what_it_checks() -> None:
    code = (
        "import sys, venue.checker.__main__; "
        "print(sorted(name for name in sys.modules if name.split('.')[0] in "
        "('cambist_kernel', 'matching', 'gateway') or name == 'cambist.feed'))"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert out.decode().strip() == "[]"
