"""A seed or key in a file: AES-256-GCM under a key that scrypt makes of a passphrase.

Used by the signer and the approver, at start and in their commands only. A wrong passphrase and a
changed file look the same, and no message of an error holds what was read.
"""

import json
import os
import resource
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from runtime.errors import ConfigurationError

# About 130 MB and half a second per guess.
SCRYPT_N: Final = 2**17
PASSPHRASE_BYTES_MIN: Final = 12
PASSPHRASE_BYTES_MAX: Final = 1_024
PURPOSE: Final = b"cambist seed v1"
SEED_BYTES: Final = 64


def file_key(passphrase: bytes, salt: bytes) -> bytes:
    """The key of a file, 32 bytes."""
    return Scrypt(salt=salt, length=32, n=SCRYPT_N, r=8, p=1).derive(passphrase)


def write_seed(path: Path, seed: bytes, passphrase: bytes) -> None:
    """Writes a new file that only its owner reads; raises FileExistsError rather than replace."""
    salt, nonce = os.urandom(16), os.urandom(12)
    sealed = AESGCM(file_key(passphrase, salt)).encrypt(nonce, seed, PURPOSE)
    content = {"salt": salt.hex(), "nonce": nonce.hex(), "sealed": sealed.hex()}
    write_file(path, json.dumps(content))


def write_file(path: Path, text: str) -> None:
    """A new file that only its owner reads, on the disk; raises OSError when there is one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def read_seed(path: Path, passphrase: bytes) -> bytes:
    """The seed; raises ConfigurationError without any of its bytes."""
    try:
        content = json.loads(path.read_text(encoding="ascii"))
        salt, nonce, sealed = (bytes.fromhex(content[key]) for key in ("salt", "nonce", "sealed"))
        return AESGCM(file_key(passphrase, salt)).decrypt(nonce, sealed, PURPOSE)
    except (InvalidTag, KeyError, TypeError, ValueError, OSError):
        raise ConfigurationError("the seed cannot be read: file or passphrase is wrong") from None


def file_of(directory: Path, branch: str) -> Path:
    """Where the seed of a branch is; raises ConfigurationError for a name that is no name."""
    if not (branch.isascii() and branch.replace("_", "").isalnum()):
        raise ConfigurationError("a branch is named by letters, digits and underscores")
    return directory / f"{branch}.json"


def write_new(path: Path, seed: bytes, passphrase: bytes) -> None:
    """Writes a file that must not exist; raises ConfigurationError."""
    try:
        write_seed(path, seed, passphrase)
    except OSError as error:
        raise ConfigurationError(f"{path.name}: {type(error).__name__}") from None


def read_passphrase(path: Path) -> bytes:
    """The passphrase of the seeds, without the line's end; raises ConfigurationError."""
    try:
        found = path.read_bytes().removesuffix(b"\n")
    except OSError as error:
        raise ConfigurationError(f"passphrase file: {type(error).__name__}") from None
    if not PASSPHRASE_BYTES_MIN <= len(found) <= PASSPHRASE_BYTES_MAX:
        raise ConfigurationError("passphrase file: too short or too long")
    return found


def forbid_dumps() -> None:
    """No core file of this process: it would hold every key."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
