"""The checker finds nothing in a sound journal, and each planted fault by its name."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.venue.journal_maker import SoundJournal
from venue.checker.check import Check, Report
from venue.checker.findings import Kind
from venue.checker.rows import JournalRow
from venue.plants import Plant, RowPlant, plant_log


def check(rows: list[JournalRow], logs: list[Path], directory: Path) -> Report:
    checking = Check(logs, directory / "ids")
    checking.take_all(rows)
    return checking.finish()


def test_a_sound_journal_has_no_findings(sound: SoundJournal, tmp_path: Path) -> None:
    report = check(sound.rows, sound.logs, tmp_path)
    assert report.findings.lines() == []
    assert report.trade_count > 100
    assert report.order_count > 500
    assert report.acknowledged_count > report.order_count
    assert (report.acknowledged_lost, report.duplicated, report.conserves) == (0, 0, True)


@pytest.mark.parametrize(
    ("plant", "kind"),
    [
        (Plant.LOST_EVENT, Kind.EVENT_NOT_TOLD),
        (Plant.DOUBLED_FILL, Kind.DUPLICATED),
        (Plant.LOST_ORDER, Kind.ACKNOWLEDGED_LOST),
        (Plant.BROKEN_BALANCE, Kind.CONSERVATION),
        (Plant.BROKEN_FEE, Kind.BALANCE),
        (Plant.STALE_EPOCH, Kind.EPOCH),
        (Plant.FLIPPED_BIT, Kind.ROW_HASH),
        (Plant.LOST_ROW, Kind.SEQUENCE),
        (Plant.WRONG_VIEW, Kind.CLIENT_VIEW),
    ],
)
def test_a_planted_fault_is_found_by_its_name(
    sound: SoundJournal, tmp_path: Path, plant: Plant, kind: Kind
) -> None:
    if plant_log(plant, sound.logs):
        rows = sound.rows
    else:
        planting = RowPlant(plant, sound.rows[-1].last_seq // 2)
        shown = [planting.take(row) for row in sound.rows]
        assert planting.is_done
        rows = [row for row in shown if row is not None]
    report = check(rows, sound.logs, tmp_path)
    assert report.findings.count(kind) > 0, report.findings.lines()


def test_every_plant_is_tested() -> None:
    marks = test_a_planted_fault_is_found_by_its_name.pytestmark  # type: ignore[attr-defined]
    assert {case[0] for case in marks[0].args[1]} == set(Plant)


@pytest.mark.parametrize("column", ["epoch", "time_ns", "state_hash", "command_row_hash"])
def test_a_changed_column_is_found(sound: SoundJournal, tmp_path: Path, column: str) -> None:
    place = len(sound.rows) // 2
    value = getattr(sound.rows[place], column)
    changed = value + 1 if isinstance(value, int) else bytes([value[0] ^ 1]) + value[1:]
    rows = list(sound.rows)
    changes: dict[str, Any] = {column: changed}
    rows[place] = replace(rows[place], **changes)
    report = check(rows, sound.logs, tmp_path)
    assert report.findings.count(Kind.ROW_HASH) > 0


def test_a_client_that_did_not_end_is_found(sound: SoundJournal, tmp_path: Path) -> None:
    sound.logs[0].with_suffix(".view.json").unlink()
    report = check(sound.rows, sound.logs, tmp_path)
    assert report.findings.count(Kind.UNANSWERED) == 1


def test_rows_that_are_no_rows_are_found(sound: SoundJournal, tmp_path: Path) -> None:
    rows = [*sound.rows[:-1], replace(sound.rows[-1], events=b"\x01\x00\x00\x00\xff")]
    report = check(rows, sound.logs, tmp_path)
    assert report.findings.count(Kind.MALFORMED_ROW) == 1
