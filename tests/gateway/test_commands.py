"""`python -m gateway`: keys, migrate, methods."""

import time

import pytest
from click.testing import CliRunner, Result

from gateway.__main__ import main
from gateway.door.permissions import PERMISSIONS
from runtime.settings import PostgresSettings
from tests.gateway.venue import SECRET, Key


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, postgres_settings: PostgresSettings) -> "Commands":
    monkeypatch.setenv("CAMBIST_GATEWAY_POSTGRES_DSN", postgres_settings.dsn.get_secret_value())
    monkeypatch.setenv("CAMBIST_GATEWAY_TOKEN_SECRET", SECRET)
    commands = Commands()
    assert commands("migrate").exit_code == 0
    return commands


class Commands:
    """Runs commands in this process."""

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments))

    def lines(self, *arguments: str) -> list[str]:
        result = self(*arguments)
        assert result.exit_code == 0, result.output
        return [line for line in result.output.splitlines() if not line.startswith("{")]


def public() -> str:
    return Key("unused").public_bytes.hex()


def test_migrating_again_does_nothing(run: Commands) -> None:
    assert run.lines("migrate")[-1] == "applied: nothing"


def test_life_of_a_key(run: Commands) -> None:
    first, second = public(), public()
    made = run.lines("keys", "create", "--firm", "7", "--public-key", first, "--key-id", "k")
    assert made == ["k"]
    assert run("keys", "create", "--firm", "7", "--public-key", first, "--key-id", "k").exit_code
    (line,) = run.lines("keys", "list")
    assert line.startswith("k firm=7 live scopes=CANCEL,MARKET_DATA,READ,TRADE,TRANSFER")
    assert first in line
    run.lines("keys", "rotate", "k", "--public-key", second)
    third = run("keys", "rotate", "k", "--public-key", public())
    assert "retire one first" in third.output
    run.lines("keys", "retire", "k", "--public-key", first)
    (line,) = run.lines("keys", "list", "--firm", "7")
    assert second in line
    assert first not in line
    assert run.lines("keys", "list", "--firm", "8") == []
    run.lines("keys", "revoke", "k")
    (line,) = run.lines("keys", "list")
    assert "revoked" in line
    assert run("keys", "revoke", "k").exit_code


def test_every_option_of_a_key_is_kept(run: Commands) -> None:
    before = time.time_ns()
    (key_id,) = run.lines(
        *("keys", "create", "--firm", "9", "--public-key", public(), "--label", "a"),
        *("--scope", "READ", "--scope", "TRADE", "--account", "4096", "--market", "65537"),
        *("--network", "10.0.0.0/8", "--read-only", "--orders-per-second", "5"),
        *("--cancels-per-second", "6", "--expires-in-seconds", "60"),
    )
    assert len(key_id) == 16
    (line,) = run.lines("keys", "list")
    # What a read-only key can use of its scopes.
    assert "scopes=READ keys" in line
    assert time.time_ns() > before


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (["--firm", "0", "--public-key", "00" * 32], "--firm"),
        (["--firm", "1", "--public-key", "xyz"], "hexadecimal"),
        (["--firm", "1", "--public-key", "00"], "bytes, not 32"),
        (["--firm", "1", "--public-key", "00" * 32, "--scope", "ROOT"], "--scope"),
        (["--firm", "1", "--public-key", "00" * 32, "--network", "10.0.0.1/8"], "host bits"),
    ],
)
def test_wrong_keys_are_named(arguments: list[str], wrong: str) -> None:
    result = Commands()("keys", "create", *arguments)
    assert result.exit_code == 2
    assert wrong in result.output


def test_methods_are_listed_with_what_they_need() -> None:
    lines = Commands().lines("methods")
    assert len(lines) == 2 + len(PERMISSIONS)
    assert "| `/cambist.auth.v1.AuthService/Logon` | nothing | yes |" in lines
    unbuilt = Commands().lines("methods", "--unbuilt")
    assert len(unbuilt) == 2 + sum(not one.built for one in PERMISSIONS.values())
    assert all("UNIMPLEMENTED" in line for line in unbuilt[2:])


def test_wrong_settings_end_the_process_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMBIST_GATEWAY_NO_SUCH_THING", "1")
    result = Commands()("serve")
    assert result.exit_code == 78
    assert "NO_SUCH_THING" in result.output
