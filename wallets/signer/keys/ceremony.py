"""Key ceremony: new seeds, an encrypted backup of all, and the way back.

Called by the commands of `python -m wallets.signer keys`. A seed is named to people by its public
fingerprint only (BIP32: the first four bytes of the hash of the master's public key).
"""

import hmac
import os
from collections.abc import Iterable

from runtime.errors import ConfigurationError
from wallets.sealed_files import SEED_BYTES
from wallets.signer.keys.extended import MASTER_SALT, compressed, identifier
from wallets.signer.keys.stores import PassphraseFiles, SeedStore


def fingerprint(seed: bytes) -> str:
    """What people compare; says nothing of the seed."""
    master = hmac.digest(MASTER_SALT, seed, "sha512")
    return identifier(compressed(master[:32]))[:4].hex()


def new_seed(store: SeedStore, branch: str) -> str:
    """A new seed of a branch; its fingerprint. Raises ConfigurationError when there is one."""
    seed = os.urandom(SEED_BYTES)
    store.write(branch, seed)
    return fingerprint(seed)


def backup(source: SeedStore, target: PassphraseFiles, branches: Iterable[str]) -> dict[str, str]:
    """A backup: each seed anew under the target's passphrase, and read back. Fingerprints."""
    if isinstance(source, PassphraseFiles) and source.passphrase == target.passphrase:
        raise ConfigurationError("a backup has a passphrase of its own, kept elsewhere")
    target.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return restore(source, target, branches)


def restore(source: SeedStore, target: SeedStore, branches: Iterable[str]) -> dict[str, str]:
    """Seeds of one store in another, read back; never replaces a file. Fingerprints."""
    for branch in sorted(branches):
        target.write(branch, source.read(branch))
    return fingerprints(target, branches)


def fingerprints(store: SeedStore, branches: Iterable[str]) -> dict[str, str]:
    """By branch, of what is really in the store. Raises ConfigurationError, Unavailable."""
    return {one: fingerprint(store.read(one)) for one in sorted(branches)}
