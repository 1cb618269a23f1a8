"""Wraps and unwraps seeds by the transit engine of HashiCorp Vault or OpenBao.

Called at start and by the commands of the ceremony: the Vault cannot sign with secp256k1, so it
guards seeds at rest only. TLS against one named authority, no proxy, no redirect; an answer is
bounded, and what the Vault says is repeated in no error.

    POST /v1/<mount>/encrypt/<key> {"plaintext": base64, "associated_data": base64}
    200 {"data": {"ciphertext": "vault:v1:…"}}
    POST /v1/<mount>/decrypt/<key> {"ciphertext": …, "associated_data": base64}
    200 {"data": {"plaintext": base64}}
"""

import base64
import binascii
import http.client
import json
import re
import ssl
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from runtime.errors import ConfigurationError, Unavailable
from wallets.depth import is_deeper
from wallets.signer import limits

# A seed that was wrapped for one branch is not unwrapped as another's.
PURPOSE: Final = "cambist seed v1 "
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
REFUSALS: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})


@dataclass(frozen=True, slots=True)
class Vault:
    """One key of one transit engine."""

    host: str
    port: int
    mount: str
    key: str
    context: ssl.SSLContext = field(repr=False)
    token: str = field(repr=False)

    def wrap(self, branch: str, seed: bytes) -> str:
        """What is written to a file. Raises ConfigurationError, Unavailable."""
        plaintext = base64.b64encode(seed).decode()
        return self._ask("encrypt", branch, {"plaintext": plaintext}, "ciphertext")

    def unwrap(self, branch: str, wrapped: str) -> bytes:
        """The seed. Raises ConfigurationError for what was not wrapped for it, Unavailable."""
        plaintext = self._ask("decrypt", branch, {"ciphertext": wrapped}, "plaintext")
        try:
            return base64.b64decode(plaintext, validate=True)
        except binascii.Error:
            raise Unavailable("vault: no answer to decrypt") from None

    def _ask(self, operation: str, branch: str, content: dict[str, str], wanted: str) -> str:
        """The text of this name in the answer."""
        bound = base64.b64encode((PURPOSE + branch).encode()).decode()
        connection = http.client.HTTPSConnection(
            self.host, self.port, timeout=limits.VAULT_SECONDS, context=self.context
        )
        try:
            connection.request(
                "POST",
                f"/v1/{self.mount}/{operation}/{self.key}",
                json.dumps({**content, "associated_data": bound}),
                {"Content-Type": "application/json", "X-Vault-Token": self.token},
            )
            response = connection.getresponse()
            told = response.read(limits.VAULT_ANSWER_BYTES_MAX + 1)
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"vault: {type(error).__name__}") from None
        finally:
            connection.close()
        if response.status in REFUSALS:
            # Of the token, the key's name, or a text that was not wrapped for this branch.
            raise ConfigurationError(f"vault: refused to {operation}, HTTP {response.status}")
        found = read_text(told, wanted) if response.status == HTTPStatus.OK else None
        if found is None:
            raise Unavailable(f"vault: no answer to {operation}, HTTP {response.status}")
        return found


def open_vault(address: str, authority: Path, token_file: Path, place: str) -> Vault:
    """`place` is "mount/key"; nothing is asked yet. Raises ConfigurationError."""
    mount, _, key = place.partition("/")
    try:
        parts = urlsplit(address)
        port = parts.port or limits.VAULT_PORT
    except ValueError:
        raise ConfigurationError("vault: the address is https://host:port") from None
    if parts.scheme != "https" or not parts.hostname or parts.path.strip("/"):
        raise ConfigurationError("vault: the address is https://host:port")
    if not (NAME.fullmatch(mount) and NAME.fullmatch(key)):
        raise ConfigurationError("vault: the key is MOUNT/KEY")
    try:
        context = ssl.create_default_context(cafile=str(authority))
        token = token_file.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"vault: {type(error).__name__}") from None
    if not token.isprintable() or not token:
        raise ConfigurationError("vault: no token")
    return Vault(parts.hostname, port, mount, key, context, token)


def read_text(told: bytes, wanted: str) -> str | None:
    """The text of this name in an answer; None for what is no answer. Pure."""
    is_bounded = len(told) <= limits.VAULT_ANSWER_BYTES_MAX
    if not is_bounded or is_deeper(told, limits.VAULT_ANSWER_DEPTH_MAX):
        return None
    try:
        found = json.loads(told)["data"][wanted]
    except (ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) else None
