"""A screening that is asked by HTTP: one POST per deposit, bounded, never followed elsewhere.

Made by the worker from its chain file. Anything but a well-formed verdict is no answer, and the
deposit waits. The address may hold a key: it is never repeated in a message.

    POST url {"deposit_id": hex, "chain", "network", "txid", "index", "address", "account_id",
              "symbol", "amount_atoms": text}
    200 {"verdict": "accept" | "hold", "reason": "SANCTIONED", "reference": "case 7"}
"""

import ipaddress
import json
import re
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import aiohttp
from pydantic import SecretStr

from runtime.errors import Unavailable
from wallets.deposits import limits
from wallets.deposits.screening import Answer, Asked, Verdict
from wallets.depth import is_deeper

REASON: Final = re.compile(r"[A-Z0-9][A-Z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class ScreeningSettings:
    """Where the screening listens: `https`, or plain text on this machine only."""

    url: SecretStr
    # Sent as a bearer token.
    token: SecretStr | None = None
    timeout_seconds: int = 5

    def __post_init__(self) -> None:
        """Refuses what anybody on the way could answer, and waits without an end."""
        parts = urlsplit(self.url.get_secret_value())
        if not parts.hostname or parts.scheme not in ("http", "https"):
            raise ValueError("screening: url is none")
        if parts.scheme == "http" and not _is_here(parts.hostname):
            raise ValueError("screening: plain text to another machine")
        if not 1 <= self.timeout_seconds <= limits.SCREENING_TIMEOUT_SECONDS_MAX:
            raise ValueError(
                f"screening: timeout_seconds 1 to {limits.SCREENING_TIMEOUT_SECONDS_MAX}"
            )


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class HttpScreen:
    """One endpoint. Use it as an asynchronous context."""

    def __init__(self, settings: ScreeningSettings) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        token = self._settings.token
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {token.get_secret_value()}"} if token else {},
            timeout=aiohttp.ClientTimeout(total=self._settings.timeout_seconds),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def judge(self, asked: Asked) -> Answer:
        """Asks once; the header names the deposit, so that a repeated question is known as one."""
        assert self._session is not None, "the screening is used within its context"
        deposit_id = asked.deposit_id.hex()
        question = {
            "deposit_id": deposit_id,
            "chain": asked.chain,
            "network": asked.network,
            "txid": asked.txid,
            "index": asked.index,
            "address": asked.address,
            "account_id": asked.account_id,
            "symbol": asked.symbol,
            "amount_atoms": str(asked.amount_atoms),
        }
        content = bytearray()
        try:
            async with self._session.post(
                self._settings.url.get_secret_value(),
                json=question,
                headers={"Idempotency-Key": deposit_id},
                allow_redirects=False,
            ) as response:
                if response.status != 200:
                    raise Unavailable(f"screening: HTTP {response.status}")
                async for part in response.content.iter_any():
                    content += part
                    if len(content) > limits.SCREENING_ANSWER_BYTES_MAX:
                        raise Unavailable("screening: the answer is too long")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"screening: {type(error).__name__}") from None
        return read_answer(bytes(content))


def read_answer(content: bytes) -> Answer:
    """A verdict that nobody can misread. Raises Unavailable for all else."""
    # The reader of JSON goes down with the nesting and can take the process along.
    if is_deeper(content, limits.SCREENING_ANSWER_DEPTH_MAX):
        raise Unavailable("screening: nested too deeply")
    try:
        said: Any = json.loads(content)
    except ValueError:
        raise Unavailable("screening: not JSON") from None
    if not isinstance(said, dict) or said.get("verdict") not in list(Verdict):
        raise Unavailable("screening: no verdict")
    reason, reference = said.get("reason", "NONE"), said.get("reference", "")
    if not isinstance(reason, str) or not REASON.fullmatch(reason):
        raise Unavailable("screening: a reason that is no name")
    if not isinstance(reference, str) or len(reference) > limits.SCREENING_REFERENCE_MAX:
        raise Unavailable("screening: a reference that is too long")
    # Postgres keeps no zero bytes in text.
    return Answer(Verdict(said["verdict"]), reason, reference.replace("\0", ""))
