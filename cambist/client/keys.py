"""API keys on the firm's side: an Ed25519 pair and the signature of a logon.

The private key never leaves this process; the venue knows the public key alone.
"""

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cambist.client.errors import InvalidInput

CHALLENGE_PREFIX: Final = b"cambist-logon-v1\n"
KEY_ID: Final = re.compile(r"[!-~]{1,64}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key with its private half."""

    key_id: str
    private_key: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls, key_id: str) -> Self:
        """A new pair. `key_id`: 1 to 64 printable characters without blanks."""
        return cls(check_key_id(key_id), Ed25519PrivateKey.generate())

    @classmethod
    def from_hex(cls, key_id: str, private_key: str) -> Self:
        """A key from 64 hex digits."""
        try:
            raw = bytes.fromhex(private_key)
            return cls(check_key_id(key_id), Ed25519PrivateKey.from_private_bytes(raw))
        except ValueError as error:
            raise InvalidInput("INVALID_KEY", "the private key is not 64 hex digits") from error

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Reads what `save` wrote; raises InvalidInput that names the file."""
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            return cls.from_hex(content["key_id"], content["private_key"])
        except OSError as error:
            raise InvalidInput("INVALID_KEY", f"{path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidInput("INVALID_KEY", f"{path} is not a key file") from error

    def save(self, path: str | Path) -> None:
        """Writes a new file that only its owner can read; an existing one is not overwritten."""
        content = json.dumps({"key_id": self.key_id, "private_key": self.private_hex()})
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content + "\n")

    def private_hex(self) -> str:
        """The private half, 64 hex digits: a secret."""
        raw = self.private_key.private_bytes(
            serialization.Encoding.Raw,
            serialization.PrivateFormat.Raw,
            serialization.NoEncryption(),
        )
        return raw.hex()

    @property
    def public_hex(self) -> str:
        """The public half, 64 hex digits: what the operator registers."""
        return self.private_key.public_key().public_bytes_raw().hex()

    def sign_challenge(self, nonce: bytes, time_ns: int) -> bytes:
        """The signature of a logon at `time_ns`."""
        return self.private_key.sign(
            CHALLENGE_PREFIX
            + self.key_id.encode()
            + b"\n"
            + nonce
            + time_ns.to_bytes(8, "big", signed=True)
        )


def check_key_id(key_id: str) -> str:
    """The key id; raises InvalidInput when it cannot be one."""
    if not KEY_ID.fullmatch(key_id):
        raise InvalidInput("INVALID_KEY", "a key id is 1 to 64 printable characters")
    return key_id
