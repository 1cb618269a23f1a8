"""Key ceremony, backup and restore drill as commands, and the check of a restored log."""

import os
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from runtime import postgres
from runtime.errors import ConfigurationError
from runtime.migrations import migrate
from runtime.settings import PostgresSettings
from wallets.sealed_files import file_of, write_seed
from wallets.signer import log
from wallets.signer.keys import ceremony
from wallets.signer.keys.stores import PassphraseFiles

PASSPHRASE, OTHER = b"a planted passphrase", b"the passphrase of the backup"
SEED = bytes.fromhex("5eedf00d") * 16
POLICY = """{
    "networks": {"1": {
        "network_id": 1, "chain": "bitcoin", "network": "regtest", "chain_id": 0,
        "branches": {"hot": "m/84'/1'/0'/0", "deposit": "m/84'/1'/1'/0"},
        "assets": {}, "fee_cap_atoms": 0
    }},
    "approver_keys": {"k": "00"}, "people": {}, "people_needed": 2
}"""


def test_a_seed_is_made_once_and_named_by_its_public_fingerprint(tmp_path: Path) -> None:
    store = PassphraseFiles(tmp_path, PASSPHRASE)
    first = ceremony.new_seed(store, "hot")
    with pytest.raises(ConfigurationError, match="FileExistsError"):
        ceremony.new_seed(store, "hot")
    assert ceremony.new_seed(store, "gas") != first
    assert ceremony.fingerprints(store, ["hot"]) == {"hot": first}
    with pytest.raises(ConfigurationError):
        file_of(tmp_path, "../hot")


def test_the_fingerprint_is_that_of_the_standard() -> None:
    assert ceremony.fingerprint(bytes.fromhex("000102030405060708090a0b0c0d0e0f")) == "3442193e"


def test_a_backup_restores_the_same_seeds_under_another_passphrase(tmp_path: Path) -> None:
    for name in ("live", "again"):
        (tmp_path / name).mkdir()
    live = PassphraseFiles(tmp_path / "live", PASSPHRASE)
    kept = PassphraseFiles(tmp_path / "kept", OTHER)
    again = PassphraseFiles(tmp_path / "again", PASSPHRASE)
    made = {name: ceremony.new_seed(live, name) for name in ("gas", "hot")}
    with pytest.raises(ConfigurationError):
        ceremony.backup(live, replace(kept, passphrase=PASSPHRASE), made)
    assert ceremony.backup(live, kept, made) == made
    with pytest.raises(ConfigurationError):
        ceremony.fingerprints(replace(kept, passphrase=PASSPHRASE), made)
    assert ceremony.restore(kept, again, made) == made
    assert again.read("hot") == live.read("hot")


@dataclass
class Commands:
    """The signer's commands, and all that they ever printed."""

    environment: dict[str, str]
    told: bytes = field(default=b"")

    def run(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "wallets.signer", *words]
        done = subprocess.run(
            command, env=self.environment, check=False, timeout=60, capture_output=True
        )
        self.told += done.stdout + done.stderr
        return done


@pytest.fixture
def commands(tmp_path: Path, postgres_settings: PostgresSettings) -> Commands:
    (tmp_path / "policy.json").write_text(POLICY)
    (tmp_path / "passphrase").write_bytes(PASSPHRASE + b"\n")
    (tmp_path / "other").write_bytes(OTHER)
    (tmp_path / "seeds").mkdir()
    return Commands(
        {
            **os.environ,
            "CAMBIST_SIGNER_POLICY_FILE": str(tmp_path / "policy.json"),
            "CAMBIST_SIGNER_SEED_DIRECTORY": str(tmp_path / "seeds"),
            "CAMBIST_SIGNER_PASSPHRASE_FILE": str(tmp_path / "passphrase"),
            "CAMBIST_SIGNER_POSTGRES_DSN": postgres_settings.dsn.get_secret_value(),
        }
    )


def test_the_drill_passes_with_the_right_backup_only_and_no_command_shows_a_secret(
    commands: Commands, tmp_path: Path
) -> None:
    write_seed(file_of(tmp_path / "seeds", "hot"), SEED, PASSPHRASE)
    assert commands.run("keys", "new", "--branch", "deposit").returncode == 0
    kept = ("--passphrase-file", str(tmp_path / "other"))
    backup = str(tmp_path / "backup")
    made = commands.run("keys", "backup", "--to", backup, *kept)
    drill = commands.run("keys", "verify", "--from", backup, *kept)
    assert (drill.returncode, drill.stdout) == (0, made.stdout)
    file_of(tmp_path / "backup", "hot").unlink()
    write_seed(file_of(tmp_path / "backup", "hot"), SEED[::-1], OTHER)
    assert (
        b"other seeds of ['hot']" in commands.run("keys", "verify", "--from", backup, *kept).stderr
    )
    wrong = ("--passphrase-file", str(tmp_path / "passphrase"))
    assert commands.run("keys", "verify", "--from", backup, *wrong).returncode != 0
    for secret in (SEED, PASSPHRASE, OTHER):
        assert secret not in commands.told
        assert secret.hex().encode() not in commands.told


async def test_a_restored_log_that_is_older_than_custody_is_found(
    commands: Commands, postgres_settings: PostgresSettings
) -> None:
    await migrate(postgres_settings, log.MIGRATIONS)
    database = await postgres.connect(postgres_settings, application_name="test")
    await database.write(
        "insert into signer.entry values (1, $1, $2, 1, 't', '{}', 'r', 1)", b"i" * 16, b"s" * 32
    )
    await database.close()
    assert commands.run("verify-restore", "--seen", "1").returncode == 0
    assert commands.run("verify-restore", "--seen", "2").returncode != 0
