"""Commands that need no venue, and errors of the command line, by click's runner."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cambist.cli import main
from cambist.cli.failures import describe, status_of
from cambist.cli.main import COMMANDS
from cambist.client.errors import (
    BookBroken,
    CambistError,
    InvalidInput,
    Rejected,
    SessionEnded,
    Unavailable,
    Unknown,
)
from cambist.client.keys import ApiKey
from tests.replay.recorder import Recorder


def run(*arguments: str) -> Result:
    nothing = dict.fromkeys(("CAMBIST_ENDPOINT", "CAMBIST_ADMIN", "CAMBIST_KEY", "CAMBIST_CA"))
    return CliRunner().invoke(main, arguments, env=nothing)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "Usage: " in result.output


def test_all_commands_are_listed() -> None:
    output = run("--help").output
    assert all(command in output for command in COMMANDS)


def test_a_key_pair_is_made_once_and_its_file_is_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    made = run("keys", "new", str(path), "--key-id", "maker")
    assert made.exit_code == 0
    key = ApiKey.load(path)
    assert key.public_hex in made.output
    assert key.private_hex() not in made.output
    assert path.stat().st_mode & 0o777 == 0o600
    shown = run("keys", "show", str(path), "--json")
    assert json.loads(shown.output) == {"key_id": "maker", "public_key": key.public_hex}
    again = run("keys", "new", str(path), "--key-id", "maker")
    assert (again.exit_code, "File exists" in again.output) == (2, True)
    assert ApiKey.load(path).private_hex() == key.private_hex()


@pytest.mark.parametrize("content", ["", "{}", '{"key_id": "a", "private_key": "00"}', "\xff"])
def test_a_file_that_is_no_key_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key.json"
    path.write_text(content, encoding="latin-1")
    result = run("keys", "show", str(path))
    assert (result.exit_code, "INVALID_KEY" in result.output) == (2, True)
    assert result.exception is None or isinstance(result.exception, SystemExit)


@pytest.mark.parametrize(
    "arguments",
    [
        ("cancel",),
        ("cancel", "5", "--all"),
        ("cancel", "5", "--market", "BTC-USDT"),
        ("order", "BTC-USDT"),
        ("--key", "nowhere.json", "balances"),
        ("apply",),
        ("nothing",),
        ("bench", "BTC-USDT", "1", "1", "--window", "0"),
    ],
)
def test_a_wrong_command_line_ends_with_two(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Error: " in result.output


def test_a_command_for_a_firm_needs_a_key() -> None:
    result = run("balances")
    assert result.exit_code == 2
    assert "no key: give --key FILE or set CAMBIST_KEY" in result.output


def test_a_venue_that_is_away_is_told_and_not_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "venue.yaml"
    path.write_text("assets: []")
    result = run("--admin", "127.0.0.1", "apply", "-f", str(path))
    assert (result.exit_code, "INVALID_ENDPOINT" in result.output) == (2, True)
    other = run("--shard", "2", "apply", "-f", str(path))
    assert (other.exit_code, "WRONG_SHARD" in other.output) == (2, True)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (Rejected("STALE", "too old"), 1, "STALE: too old"),
        (InvalidInput("OFF_TICK", "no"), 2, "OFF_TICK: no"),
        (Unavailable("NOT_PRIMARY"), 3, "NOT_PRIMARY"),
        (SessionEnded("UNREACHABLE"), 3, "UNREACHABLE"),
        (SessionEnded("TAKEN_OVER"), 1, "TAKEN_OVER"),
        (Unknown("no answer", id=b"\x01\x02"), 4, "OUTCOME_UNKNOWN: no answer (id 0102)"),
        (BookBroken("CRC_DIFFERS"), 1, "CRC_DIFFERS"),
    ],
)
def test_each_kind_of_error_has_its_exit_status(
    error: CambistError, status: int, said: str
) -> None:
    assert (status_of(error), describe(error)) == (status, said)


def test_a_recording_is_played_on_paper_without_a_venue(tmp_path: Path) -> None:
    recorder = Recorder(seed=1)
    recorder.record(400)
    path = recorder.save(tmp_path)
    played = run("replay", str(path), "--paper", "--json")
    assert played.exit_code == 0
    report = json.loads(played.output)
    assert report["trades_equal"] == report["trades_expected"] > 10
    assert report["unexplained"] == 0
    people = run("replay", str(path), "--paper")
    assert "trades_expected" in people.output


def test_a_recording_whose_trades_differ_ends_with_one(tmp_path: Path) -> None:
    recorder = Recorder(seed=1)
    recorder.record(400)
    path = recorder.save(tmp_path)
    trades = tmp_path / "made-trades.csv"
    lines = trades.read_text().splitlines()
    # Nothing in the recording explains another price.
    parts = lines[1].split(",")
    parts[3] = "1.00"
    trades.write_text("\n".join([lines[0], ",".join(parts), *lines[2:]]) + "\n")
    result = run("replay", str(path), "--paper")
    assert result.exit_code == 1
    assert "TRADES_DIFFER" in result.output


@pytest.mark.parametrize(
    ("content", "said"),
    [("a,b,c\n1,2,3\n", "neither"), ("34200.0,1,7,100,200,2\n", "row 1"), ("", "neither")],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "recording.csv"
    path.write_text(content)
    result = run("replay", str(path), "--paper")
    assert (result.exit_code, said in result.output) == (2, True)
