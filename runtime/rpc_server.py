"""gRPC servers of ours start here, with the options that keep one peer from hurting the others.

Measured on grpcio 1.85: without a stream limit rapid resets starve everybody, without a handshake
limit half-open connections stay for ever, and with the bandwidth probe a stalled stream lets 4 to
6 MB run ahead instead of 96 kB. Interceptors (identity, permissions) belong to the services.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import grpc
import grpc.aio

from runtime import limits, tls
from runtime.errors import ConfigurationError
from runtime.rpc_malformed import RefuseMalformed
from runtime.settings import RpcSettings, TlsSettings

Options = list[tuple[str, Any]]
MILLISECONDS_PER_SECOND: Final = 1_000
NO_TLS: Final = TlsSettings()


@dataclass(frozen=True, slots=True)
class RpcServer:
    """A server that listens; `port` is the real one, also when 0 was asked for."""

    server: grpc.aio.Server
    port: int

    async def stop(self, grace_seconds: float) -> None:
        """Refuses new calls at once; open ones may run for the grace, then are cancelled.

        gRPC tells a running stream nothing: services say GoAway themselves before this.
        """
        await self.server.stop(grace_seconds)


def server_options(settings: RpcSettings) -> Options:
    """Channel arguments of every server."""
    options: Options = [
        ("grpc.max_receive_message_length", limits.RECEIVE_BYTES_MAX),
        ("grpc.max_metadata_size", limits.METADATA_BYTES_MAX),
        ("grpc.absolute_max_metadata_size", limits.METADATA_BYTES_MAX),
        ("grpc.max_concurrent_streams", settings.concurrent_streams_max),
        # On by default: it resets half of 300 calls at once of an honest client on one connection,
        # though each waited for its turn (measured). Streams beyond the limit are refused anyway.
        ("grpc.http.overload_protection", 0),
        ("grpc.server_handshake_timeout_ms", limits.HANDSHAKE_TIMEOUT_MILLISECONDS),
        ("grpc.keepalive_time_ms", limits.KEEPALIVE_INTERVAL_MILLISECONDS),
        ("grpc.keepalive_timeout_ms", limits.KEEPALIVE_TIMEOUT_MILLISECONDS),
        ("grpc.keepalive_permit_without_calls", 1),
        (
            "grpc.http2.min_ping_interval_without_data_ms",
            limits.PING_INTERVAL_MINIMUM_MILLISECONDS,
        ),
        # The window belongs to the receiver: a small fixed one is our flow control.
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.max_frame_size", limits.FRAME_BYTES_MAX),
        # Two processes on one port would split the clients between them without a word.
        ("grpc.so_reuseport", 0),
    ]
    if settings.connection_age_max_seconds > 0:
        age = int(settings.connection_age_max_seconds * MILLISECONDS_PER_SECOND)
        grace = int(settings.connection_age_grace_seconds * MILLISECONDS_PER_SECOND)
        options += [
            ("grpc.max_connection_age_ms", age),
            ("grpc.max_connection_age_grace_ms", grace),
        ]
    return options


async def start_server(
    address: str,
    register: Callable[[grpc.aio.Server], None],
    *,
    rpc: RpcSettings,
    tls_settings: TlsSettings = NO_TLS,
    interceptors: Sequence[grpc.aio.ServerInterceptor] = (),
    concurrent_calls_max: int | None = None,
    options: Sequence[tuple[str, Any]] = (),
) -> RpcServer:
    """Starts a server on `address` ("host:port", port 0 for a free one).

    `register` adds the servicers, `options` are added to ours. Calls beyond `concurrent_calls_max`
    hear RESOURCE_EXHAUSTED.
    Raises ConfigurationError when the address is taken or the TLS files cannot be used.
    """
    server = grpc.aio.server(
        interceptors=[*interceptors, RefuseMalformed()],
        options=[*server_options(rpc), *options],
        maximum_concurrent_rpcs=concurrent_calls_max,
    )
    register(server)
    credentials = tls.server_credentials(tls_settings)
    try:
        if credentials is None:
            port = server.add_insecure_port(address)
        else:
            port = server.add_secure_port(address, credentials)
    except RuntimeError as error:
        raise ConfigurationError(f"cannot listen on {address}: {error}") from error
    await server.start()
    return RpcServer(server, port)
