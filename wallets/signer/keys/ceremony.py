"""Key ceremony: new seeds, an encrypted backup of all, and the drill that proves it restores.

Called by the commands of `python -m wallets.signer keys`. A seed is named to people by its public
fingerprint only (BIP32: the first four bytes of the hash of the master's public key).
"""

import hmac
import os
from collections.abc import Iterable
from pathlib import Path

from runtime.errors import ConfigurationError
from wallets.sealed_files import SEED_BYTES, file_of, read_seed, write_new
from wallets.signer.keys.extended import MASTER_SALT, compressed, identifier


def fingerprint(seed: bytes) -> str:
    """What people compare; says nothing of the seed."""
    master = hmac.digest(MASTER_SALT, seed, "sha512")
    return identifier(compressed(master[:32]))[:4].hex()


def new_seed(directory: Path, branch: str, passphrase: bytes) -> str:
    """A new seed of a branch; its fingerprint. Raises ConfigurationError when there is one."""
    seed = os.urandom(SEED_BYTES)
    write_new(file_of(directory, branch), seed, passphrase)
    return fingerprint(seed)


def backup(
    directory: Path,
    target: Path,
    branches: Iterable[str],
    passphrase: bytes,
    backup_passphrase: bytes,
) -> dict[str, str]:
    """Writes each seed anew under the backup's passphrase, and reads it back: fingerprints."""
    if passphrase == backup_passphrase:
        raise ConfigurationError("a backup has a passphrase of its own, kept elsewhere")
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    for branch in sorted(branches):
        seed = read_seed(file_of(directory, branch), passphrase)
        write_new(file_of(target, branch), seed, backup_passphrase)
    return fingerprints(target, branches, backup_passphrase)


def restore(
    source: Path,
    directory: Path,
    branches: Iterable[str],
    backup_passphrase: bytes,
    passphrase: bytes,
) -> dict[str, str]:
    """The way back: a backup becomes seeds of a signer. Never replaces a file."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for branch in sorted(branches):
        seed = read_seed(file_of(source, branch), backup_passphrase)
        write_new(file_of(directory, branch), seed, passphrase)
    return fingerprints(directory, branches, passphrase)


def fingerprints(directory: Path, branches: Iterable[str], passphrase: bytes) -> dict[str, str]:
    """By branch, of what is really in the files; raises ConfigurationError."""
    return {
        one: fingerprint(read_seed(file_of(directory, one), passphrase)) for one in sorted(branches)
    }
