"""POSTs to a service that is not trusted: bounded, asked for once, never followed elsewhere.

Used by the clients of nodes and of the screening, which know what an answer means and what may be
asked again. A call ends in an answer or Unavailable. Addresses may hold keys: no message and no
chain of errors repeats them. Numbers with a fraction are read as decimals, never as floats.
"""

import json
from asyncio import Semaphore
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from pydantic import SecretStr

from runtime.errors import Unavailable
from wallets import limits
from wallets.depth import is_deeper

OK: Final = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one service may cost."""

    call_seconds: float
    answer_bytes_max: int
    # Calls at once.
    calls_max: int


class HttpPosts:
    """One service; clients of it inherit. Use it as an asynchronous context."""

    def __init__(self, name: str, headers: Mapping[str, str], bounds: Bounds) -> None:
        self.name = name
        self._headers = headers
        self._answer_bytes_max = bounds.answer_bytes_max
        self._seats = Semaphore(bounds.calls_max)
        self._timeout = aiohttp.ClientTimeout(
            total=bounds.call_seconds, sock_connect=limits.NODE_CONNECT_SECONDS
        )
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=self._timeout)
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

    async def _send(
        self, url: SecretStr, body: str, what: str, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The answer to one call; `what` names it in errors. Raises Unavailable."""
        assert self._session is not None, "the service is used within its context"
        content = bytearray()
        try:
            async with (
                self._seats,
                self._session.post(
                    url.get_secret_value(), data=body, headers=headers, allow_redirects=False
                ) as response,
            ):
                async for part in response.content.iter_any():
                    content += part
                    if len(content) > self._answer_bytes_max:
                        raise Unavailable(f"{self.name} {what}: the answer is too long")
                return Answer(response.status, bytes(content))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"{self.name} {what}: {type(error).__name__}") from None


def read_json(content: bytes, depth_max: int, place: str) -> Any:
    """What an answer says; `place` names it in errors. Raises Unavailable."""
    # The reader of JSON calls itself for each bracket and can take the process along.
    if is_deeper(content, depth_max):
        raise Unavailable(f"{place}, not JSON of any answer")
    try:
        return json.loads(content, parse_float=Decimal)
    except ValueError as error:
        raise Unavailable(f"{place}, not JSON") from error
