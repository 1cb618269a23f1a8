"""A seed survives its file, and a wrong passphrase tells nothing."""

from pathlib import Path

import pytest

from runtime.errors import ConfigurationError
from wallets.sealed_files import read_seed, write_seed

SEED = b"\x5a" * 64


def test_a_seed_comes_back_with_its_passphrase_only(tmp_path: Path) -> None:
    path = tmp_path / "seed"
    write_seed(path, SEED, b"right")
    assert read_seed(path, b"right") == SEED
    assert path.stat().st_mode & 0o077 == 0
    assert SEED.hex() not in path.read_text()
    with pytest.raises(ConfigurationError) as caught:
        read_seed(path, b"wrong")
    assert caught.value.__cause__ is None
    with pytest.raises(FileExistsError):
        write_seed(path, SEED, b"right")
