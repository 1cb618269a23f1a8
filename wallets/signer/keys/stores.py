"""Where seeds are kept, one file per branch: under a passphrase, or wrapped by a Vault.

Used at start by `server`, and by the commands of the ceremony. A file is never replaced, and no
error, log or repr holds a seed.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from runtime.errors import ConfigurationError
from wallets.sealed_files import SEED_BYTES, file_of, read_seed, write_file, write_new
from wallets.signer.keys.vault import Vault

WRAPPED_BYTES_MAX: Final = 4_096


class SeedStore(Protocol):
    """Seeds by branch."""

    def read(self, branch: str) -> bytes:
        """The seed. Raises ConfigurationError, Unavailable."""

    def write(self, branch: str, seed: bytes) -> None:
        """A new one. Raises ConfigurationError when there is one, Unavailable."""


@dataclass(frozen=True, slots=True)
class PassphraseFiles:
    """Each seed under a key that scrypt makes of the passphrase."""

    directory: Path
    passphrase: bytes = field(repr=False)

    def read(self, branch: str) -> bytes:
        """As `SeedStore`."""
        return read_seed(file_of(self.directory, branch), self.passphrase)

    def write(self, branch: str, seed: bytes) -> None:
        """As `SeedStore`."""
        write_new(file_of(self.directory, branch), seed, self.passphrase)


@dataclass(frozen=True, slots=True)
class VaultFiles:
    """Each seed as the Vault wrapped it, bound to its branch: `<branch>.wrapped`."""

    directory: Path
    vault: Vault

    def read(self, branch: str) -> bytes:
        """As `SeedStore`."""
        try:
            with self._file(branch).open("rb") as file:
                wrapped = file.read(WRAPPED_BYTES_MAX + 1)
        except OSError as error:
            raise ConfigurationError(f"{branch}.wrapped: {type(error).__name__}") from None
        if len(wrapped) > WRAPPED_BYTES_MAX or not wrapped.isascii():
            raise ConfigurationError(f"{branch}.wrapped: not what a Vault wrapped")
        seed = self.vault.unwrap(branch, wrapped.decode("ascii").strip())
        if len(seed) != SEED_BYTES:
            raise ConfigurationError(f"{branch}.wrapped: holds no seed")
        return seed

    def write(self, branch: str, seed: bytes) -> None:
        """As `SeedStore`."""
        path = self._file(branch)
        wrapped = self.vault.wrap(branch, seed)
        try:
            write_file(path, wrapped)
        except OSError as error:
            raise ConfigurationError(f"{path.name}: {type(error).__name__}") from None

    def _file(self, branch: str) -> Path:
        return file_of(self.directory, branch).with_suffix(".wrapped")
