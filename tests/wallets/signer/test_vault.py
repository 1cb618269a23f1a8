"""Seeds wrapped by a real OpenBao: for one branch, by one authority's certificate, and no other."""

import datetime
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.development_certificates import make_authority
from runtime.errors import ConfigurationError, Unavailable
from tests.wallets.signer.openbao import KEY, OpenBao, openbao
from wallets.signer.keys import ceremony
from wallets.signer.keys.seeds import read_seeds
from wallets.signer.keys.stores import PassphraseFiles, VaultFiles
from wallets.signer.keys.vault import Vault, open_vault, read_text
from wallets.signer.settings import SignerSettings, open_store

SEED = bytes.fromhex("5eedf00d") * 16
PASSPHRASE = b"a planted passphrase"


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    with openbao(tmp_path_factory.mktemp("openbao")) as running:
        yield running


@pytest.fixture
def vault(bao: OpenBao) -> Vault:
    return open_vault(bao.address, bao.authority, bao.token_file, KEY)


def test_a_seed_comes_back_for_its_own_branch_only(vault: Vault, tmp_path: Path) -> None:
    store = VaultFiles(tmp_path, vault)
    store.write("hot", SEED)
    assert store.read("hot") == SEED
    wrapped = (tmp_path / "hot.wrapped").read_text()
    assert wrapped.startswith("vault:v1:")
    assert (tmp_path / "hot.wrapped").stat().st_mode & 0o777 == 0o600
    (tmp_path / "gas.wrapped").write_text(wrapped)
    with pytest.raises(ConfigurationError, match="refused to decrypt"):
        store.read("gas")
    with pytest.raises(ConfigurationError, match="FileExistsError"):
        store.write("hot", SEED)


def test_seeds_move_from_a_passphrase_to_a_vault_by_backup_and_restore(
    vault: Vault, tmp_path: Path
) -> None:
    kept, live = PassphraseFiles(tmp_path, PASSPHRASE), VaultFiles(tmp_path, vault)
    made = {branch: ceremony.new_seed(kept, branch) for branch in ("gas", "hot")}
    assert ceremony.restore(kept, live, made) == made
    back = PassphraseFiles(tmp_path / "back", b"another passphrase")
    assert ceremony.backup(live, back, made) == made


def test_the_settings_of_a_signer_open_its_seeds(bao: OpenBao, tmp_path: Path) -> None:
    settings = SignerSettings(
        seed_directory=str(tmp_path),
        vault_address=bao.address,
        vault_authority_file=str(bao.authority),
        vault_token_file=str(bao.token_file),
    )
    fingerprint = ceremony.new_seed(open_store(settings), "hot")
    seeds = read_seeds(open_store(settings), ["hot"])
    assert ceremony.fingerprint(seeds.by_branch["hot"]) == fingerprint


def test_a_vault_of_another_authority_is_not_asked(bao: OpenBao, tmp_path: Path) -> None:
    authority = make_authority(tmp_path, datetime.datetime.now(datetime.UTC))
    other = Path(authority.authority_file)
    stranger = open_vault(bao.address, other, bao.token_file, KEY)
    with pytest.raises(Unavailable, match="SSLCertVerificationError"):
        stranger.wrap("hot", SEED)


def test_a_refusal_and_an_outage_are_told_apart_and_repeat_no_secret(
    vault: Vault, bao: OpenBao
) -> None:
    told = []
    for changed in (
        replace(vault, token="planted-and-wrong"),
        replace(vault, key="unknown"),
        replace(vault, mount="nowhere"),
    ):
        with pytest.raises(ConfigurationError, match="refused") as refused:
            changed.wrap("hot", SEED)
        told.append(refused.value)
    with pytest.raises(Unavailable) as away:
        replace(vault, port=9).wrap("hot", SEED)
    for text in map(repr, (*told, away.value, vault, VaultFiles(Path(), vault))):
        assert "planted" not in text
        assert vault.token not in text
        assert SEED.hex() not in text


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("http://127.0.0.1:8200", KEY),
        ("https://", KEY),
        ("https://vault:8200/elsewhere", KEY),
        ("https://vault:port", KEY),
        ("https://[", KEY),
        ("https://vault:8200", "transit"),
        ("https://vault:8200", "transit/../sys"),
    ],
)
def test_settings_that_lead_elsewhere_are_refused(bao: OpenBao, address: str, key: str) -> None:
    with pytest.raises(ConfigurationError, match="vault"):
        open_vault(address, bao.authority, bao.token_file, key)


@pytest.mark.parametrize(
    "content", ["", "none", "00" * 64, "vault:v1:AAAA", "é", "x" * 5_000], ids=len
)
def test_a_file_that_no_vault_wrapped_is_refused(
    vault: Vault, tmp_path: Path, content: str
) -> None:
    (tmp_path / "hot.wrapped").write_text(content)
    with pytest.raises(ConfigurationError):
        VaultFiles(tmp_path, vault).read("hot")


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"[]",
        b"[" * 10_000,
        b'{"data": null}',
        b'{"data": {}}',
        b'{"data": {"plaintext": 7}}',
        b'{"data": {"plaintext": "' + b"A" * 20_000 + b'"}}',
    ],
    ids=len,
)
def test_an_answer_without_the_text_is_none(told: bytes) -> None:
    assert read_text(told, "plaintext") is None
