"""A call as servicers see it: who calls, what was sent, how to answer.

Streams are read and written with `read` and `write` only; there is one reader and one writer task
per stream. Messages may be written as bytes that are encoded already.
"""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import grpc.aio
from google.protobuf.message import Message

from gateway.identity.keys import Caller

# Without a deadline core gives a time of many years.
SECONDS_WITHOUT_DEADLINE = 86_400 * 365

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


@dataclass(frozen=True, slots=True)
class Received(Generic[Request]):
    """A request and its bytes as they came; `message` is None when they are not one."""

    message: Request | None
    raw: bytes


class Call:
    """One unary or server-streaming call."""

    __slots__ = ("_caller", "_context", "address")

    def __init__(
        self,
        context: grpc.aio.ServicerContext[Any, Any],
        caller: Caller | None,
        address: str,
    ) -> None:
        self._context = context
        self._caller = caller
        # Network address of the peer, or what a trusted proxy says it is.
        self.address = address

    @property
    def caller(self) -> Caller:
        """Who calls; only anonymous methods have nobody."""
        assert self._caller is not None, "an anonymous method has no caller"
        return self._caller

    def seconds_left(self) -> float | None:
        """Seconds until the caller's deadline, None without one."""
        # None, which its types deny, when the client named no deadline at all.
        left = cast("float | None", self._context.time_remaining())
        return None if left is None or left > SECONDS_WITHOUT_DEADLINE else left

    def set_trailers(self, metadata: tuple[tuple[str, str], ...]) -> None:
        """Metadata sent after the answer."""
        self._context.set_trailing_metadata(metadata)

    async def write(self, message: Message | bytes) -> None:
        """Sends a message of a stream; waits while the peer does not read."""
        await self._context.write(message)


class StreamCall(Call, Generic[Request]):
    """One bidirectional call."""

    __slots__ = ()

    async def read(self) -> Received[Request] | None:
        """The next message; None when the client has said its last one."""
        received = await self._context.read()
        if received is grpc.aio.EOF:
            return None
        assert isinstance(received, Received)
        return received
