"""Channels to the gateways of a venue, and calls on them with a fresh token.

Any gateway serves any session; `rotate` goes on to the next endpoint after a failure.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, Protocol, Self, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message

from cambist.client import limits
from cambist.client.errors import InvalidInput, Rejected, Unavailable
from cambist.client.statuses import error_of

Response = TypeVar("Response", bound=Message)
Metadata = tuple[tuple[str, str], ...]
Options = Sequence[tuple[str, Any]]
# Of the connections of an order session.
SESSION_OPTIONS: Final[Options] = (("grpc.http2.lookahead_bytes", limits.SESSION_WINDOW_BYTES),)
# A gateway with another secret, or a clock that went on: log on anew.
TOKEN_REFUSALS: Final = frozenset({"BAD_TOKEN", "TOKEN_EXPIRED", "NO_CREDENTIALS"})


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files of TLS. `authority` is whom to trust (empty = the system's); the other two, given
    together, are the client's own identity (mTLS)."""

    authority: str | Path = ""
    certificate: str | Path = ""
    private_key: str | Path = ""
    # Name to check in the venue's certificate instead of the endpoint's.
    server_name: str = ""

    def credentials(self) -> grpc.ChannelCredentials:
        """Reads the files; raises InvalidInput that names a missing one."""
        if bool(self.certificate) != bool(self.private_key):
            raise InvalidInput("INVALID_TLS", "a certificate needs its private key")
        return grpc.ssl_channel_credentials(
            read_pem(self.authority), read_pem(self.private_key), read_pem(self.certificate)
        )


def read_pem(path: str | Path) -> bytes | None:
    """Content of a file, None for an empty path."""
    if not str(path):
        return None
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InvalidInput("INVALID_TLS", f"{path}: {error.strerror}") from error


def channel_options(tls: Tls | None) -> list[tuple[str, Any]]:
    """Options of every channel. Without the probe an unread stream holds its window."""
    options: list[tuple[str, Any]] = [
        ("grpc.max_receive_message_length", limits.RECEIVE_BYTES_MAX),
        ("grpc.keepalive_time_ms", limits.KEEPALIVE_INTERVAL_MS),
        ("grpc.keepalive_timeout_ms", limits.KEEPALIVE_TIMEOUT_MS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.max_frame_size", limits.FRAME_BYTES_MAX),
        ("grpc.enable_retries", 0),
        ("grpc.initial_reconnect_backoff_ms", limits.RECONNECT_FIRST_MS),
        ("grpc.min_reconnect_backoff_ms", limits.RECONNECT_FIRST_MS),
        ("grpc.max_reconnect_backoff_ms", limits.RECONNECT_MAX_MS),
        ("grpc.use_local_subchannel_pool", 1),
    ]
    if tls is not None and tls.server_name:
        options.append(("grpc.ssl_target_name_override", tls.server_name))
    return options


def open_channel(endpoint: str, tls: Tls | None, options: Options = ()) -> grpc.aio.Channel:
    """A channel to "host:port"; it connects when first used. `options` are added to ours."""
    host, separator, port = endpoint.rpartition(":")
    if not separator or not host or not port.isdigit():
        raise InvalidInput("INVALID_ENDPOINT", f"{endpoint!r} is not HOST:PORT")
    all_options = [*channel_options(tls), *options]
    if tls is None:
        return grpc.aio.insecure_channel(endpoint, options=all_options)
    return grpc.aio.secure_channel(endpoint, tls.credentials(), options=all_options)


class Token(Protocol):
    """Where the metadata of a call comes from."""

    async def metadata(self, channel: grpc.aio.Channel) -> Metadata:
        """Metadata with a token that is still good for a while."""
        ...

    def forget(self) -> None:
        """The venue does not take the token any more."""
        ...


class Anonymous:
    """No token: admin ports know their callers by certificate."""

    async def metadata(self, channel: grpc.aio.Channel) -> Metadata:  # noqa: ARG002
        """Nothing."""
        return ()

    def forget(self) -> None:
        """There is nothing to forget."""


class Stream(Generic[Response]):
    """One bidirectional call; writes are bytes already encoded. Errors are the SDK's."""

    def __init__(self, call: "grpc.aio.StreamStreamCall[bytes, Response]") -> None:
        self._call = call

    async def write(self, message: bytes) -> None:
        """Sends; waits while the venue does not read."""
        try:
            await self._call.write(message)
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from error
        except asyncio.InvalidStateError:
            # The call has ended; its status says why.
            raise error_of(await ended_call(self._call)) from None

    async def read(self) -> Response | None:
        """The next message; None at the end of a stream that ended well."""
        try:
            message = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from error
        except asyncio.CancelledError:
            # Either we are being cancelled, or the call was (its channel was closed).
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise Unavailable("CANCELLED", "the call was cancelled") from None
        return None if message is grpc.aio.EOF else message  # type: ignore[return-value]

    async def done_writing(self) -> None:
        """Nothing more will be sent."""
        try:
            await self._call.done_writing()
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from error

    def cancel(self) -> None:
        """Gives the call up."""
        self._call.cancel()


async def ended_call(call: Any) -> grpc.aio.AioRpcError:
    """The status of a call that has ended, as an error."""
    return grpc.aio.AioRpcError(
        await call.code(),
        await call.initial_metadata() or grpc.aio.Metadata(),
        await call.trailing_metadata() or grpc.aio.Metadata(),
        await call.details(),
    )


@dataclass(slots=True, eq=False)
class Connections:
    """A channel to each endpoint, for all who use them; the last one closes them."""

    endpoints: tuple[str, ...]
    channels: tuple[grpc.aio.Channel, ...]
    users: int = 0

    @classmethod
    def open(cls, endpoints: tuple[str, ...], tls: Tls | None, options: Options = ()) -> Self:
        """Channels connect when first used. Raises InvalidInput."""
        if not endpoints:
            raise InvalidInput("INVALID_ENDPOINT", "no endpoint")
        return cls(endpoints, tuple(open_channel(one, tls, options) for one in endpoints))

    async def leave(self) -> None:
        """One user less."""
        self.users -= 1
        if not self.users:
            for channel in self.channels:
                await channel.close()


class Channels:
    """All endpoints of one venue as one user sees them; one is in use at a time."""

    def __init__(
        self, connections: Connections, tls: Tls | None, token: Token, index: int = 0
    ) -> None:
        connections.users += 1
        self._connections = connections
        self._tls = tls
        self._token = token
        self._index = index
        self._is_closed = False
        # Of sessions, each for a number of them.
        self._shared: list[Connections] = []

    @classmethod
    def open(
        cls, endpoints: tuple[str, ...], tls: Tls | None, token: Token, options: Options = ()
    ) -> Self:
        """Over connections of its own. Raises InvalidInput."""
        return cls(Connections.open(endpoints, tls, options), tls, token)

    @property
    def endpoint(self) -> str:
        """The endpoint in use."""
        return self._connections.endpoints[self._index]

    @property
    def channel(self) -> grpc.aio.Channel:
        """The channel in use."""
        return self._connections.channels[self._index]

    def rotate(self) -> None:
        """The next call goes to the next endpoint."""
        self._index = (self._index + 1) % len(self._connections.channels)

    async def unary(
        self,
        method: str,
        request: Message,
        response: type[Response],
        timeout_seconds: float = limits.CALL_SECONDS,
    ) -> Response:
        """One call. Raises Rejected, Unavailable, Unknown."""
        try:
            return await self._unary(method, request, response, timeout_seconds)
        except Rejected as error:
            if not self.must_log_on(error):
                raise
            return await self._unary(method, request, response, timeout_seconds)

    async def _unary(
        self, method: str, request: Message, response: type[Response], timeout_seconds: float
    ) -> Response:
        channel = self.channel
        metadata = await self._token.metadata(channel)
        call: Callable[..., Any] = channel.unary_unary(
            method,
            request_serializer=type(request).SerializeToString,
            response_deserializer=response.FromString,
        )
        try:
            answer: Response = await call(request, timeout=timeout_seconds, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from error
        return answer

    def must_log_on(self, error: Rejected) -> bool:
        """Whether the token was refused; then the next call gets another one."""
        if error.reason not in TOKEN_REFUSALS:
            return False
        self._token.forget()
        return True

    async def stream(self, method: str, response: type[Response]) -> "Stream[Response]":
        """Opens a bidirectional call."""
        channel = self.channel
        metadata = await self._token.metadata(channel)
        call: Callable[..., Any] = channel.stream_stream(
            method, request_serializer=None, response_deserializer=response.FromString
        )
        return Stream(call(metadata=metadata))

    async def server_stream(
        self, method: str, request: Message, response: type[Response]
    ) -> AsyncIterator[Response]:
        """Messages of a server-streaming call. Raises Rejected, Unavailable, Unknown."""
        channel = self.channel
        metadata = await self._token.metadata(channel)
        open_call: Callable[..., Any] = channel.unary_stream(
            method,
            request_serializer=type(request).SerializeToString,
            response_deserializer=response.FromString,
        )
        call = open_call(request, metadata=metadata)
        try:
            async for message in call:
                yield message
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from error
        finally:
            call.cancel()

    def separate(self) -> "Channels":
        """The same endpoints over connections of their own, beginning with the present one."""
        connections = Connections.open(self._connections.endpoints, self._tls)
        return Channels(connections, self._tls, self._token, self._index)

    def for_session(self) -> "Channels":
        """The same endpoints over connections that a number of sessions share.

        An edge bounds the connections of an address, and less is written at once, and more often,
        when each session has one (docs/adr/0011).
        """
        self._shared = [one for one in self._shared if one.users]
        for connections in self._shared:
            if connections.users < limits.CONNECTION_SESSIONS_MAX:
                break
        else:
            endpoints = self._connections.endpoints
            connections = Connections.open(endpoints, self._tls, SESSION_OPTIONS)
            self._shared.append(connections)
        return Channels(connections, self._tls, self._token, self._index)

    async def close(self) -> None:
        """Closes the channels, unless others use them."""
        if not self._is_closed:
            self._is_closed = True
            await self._connections.leave()
