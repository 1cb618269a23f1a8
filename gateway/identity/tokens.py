"""Nonces and tokens: signed by the venue's secret, so that any gateway can check them.

Pure: time and randomness are passed in. A nonce says when it was made; a token names its key and
its end. Neither can be made without the secret, and the secret signs nothing else.
"""

import base64
import binascii
import hmac
import struct
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from gateway import limits
from runtime.clock import NANOSECONDS_PER_SECOND

NONCE_BYTES: Final = 32
NONCE_RANDOM_BYTES: Final = 8
_NONCE: Final = struct.Struct(">Q8s16s")
_TOKEN: Final = struct.Struct(">BQI")
_TOKEN_VERSION: Final = 1
_SIGNATURE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Token:
    """What a token says."""

    key_id: str
    firm_id: int
    expires_ns: int


class Signer:
    """Makes and checks nonces and tokens with one secret."""

    __slots__ = ("_nonce_key", "_token_key")

    def __init__(self, secret: bytes) -> None:
        self._nonce_key = hmac.digest(secret, b"cambist nonce", sha256)
        self._token_key = hmac.digest(secret, b"cambist token", sha256)

    def make_nonce(self, now_ns: int, randomness: bytes) -> bytes:
        """32 bytes: when it was made, 8 random bytes, and a seal over both."""
        return _NONCE.pack(now_ns, randomness, self._seal(now_ns, randomness))

    def nonce_expires_ns(self, nonce: bytes, now_ns: int) -> int:
        """When a nonce ends; 0 when it is not ours, or is over."""
        if len(nonce) != NONCE_BYTES:
            return 0
        made_ns, randomness, seal = _NONCE.unpack(nonce)
        if not hmac.compare_digest(seal, self._seal(made_ns, randomness)):
            return 0
        expires_ns: int = made_ns + limits.NONCE_SECONDS * NANOSECONDS_PER_SECOND
        return expires_ns if now_ns <= expires_ns else 0

    def _seal(self, made_ns: int, randomness: bytes) -> bytes:
        return hmac.digest(self._nonce_key, struct.pack(">Q8s", made_ns, randomness), sha256)[:16]

    def make_token(self, token: Token) -> str:
        """The token as text."""
        body = _TOKEN.pack(_TOKEN_VERSION, token.expires_ns, token.firm_id) + token.key_id.encode()
        signature = hmac.digest(self._token_key, body, sha256)
        return base64.urlsafe_b64encode(signature + body).decode()

    def read_token(self, text: str) -> Token | None:
        """What a token says; None when it is not ours. The caller looks at its end."""
        try:
            raw = base64.urlsafe_b64decode(text.encode())
            signature, body = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
            version, expires_ns, firm_id = _TOKEN.unpack_from(body)
            key_id = body[_TOKEN.size :].decode()
        except (binascii.Error, struct.error, UnicodeError):
            return None
        good = hmac.compare_digest(signature, hmac.digest(self._token_key, body, sha256))
        return Token(key_id, firm_id, expires_ns) if good and version == _TOKEN_VERSION else None
