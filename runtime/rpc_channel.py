"""gRPC channels between our services are opened here, with the options that match the servers'.

Nothing is retried inside the channel: whoever sends a command knows whether to resend or to ask.
"""

import asyncio
from typing import Any, Final

import grpc
import grpc.aio

from runtime import limits, tls
from runtime.errors import Unavailable
from runtime.settings import TlsSettings

NO_TLS: Final = TlsSettings()
RECONNECT_FIRST_MILLISECONDS: Final = 50
# A standby serves within 3 s of a crash; waiting longer than that between attempts wastes it.
RECONNECT_MAX_MILLISECONDS: Final = 1_000


def channel_options() -> list[tuple[str, Any]]:
    """Channel arguments of every channel."""
    return [
        ("grpc.max_receive_message_length", limits.RECEIVE_BYTES_MAX),
        ("grpc.keepalive_time_ms", limits.KEEPALIVE_INTERVAL_MILLISECONDS),
        ("grpc.keepalive_timeout_ms", limits.KEEPALIVE_TIMEOUT_MILLISECONDS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.max_frame_size", limits.FRAME_BYTES_MAX),
        ("grpc.enable_retries", 0),
        ("grpc.initial_reconnect_backoff_ms", RECONNECT_FIRST_MILLISECONDS),
        ("grpc.min_reconnect_backoff_ms", RECONNECT_FIRST_MILLISECONDS),
        ("grpc.max_reconnect_backoff_ms", RECONNECT_MAX_MILLISECONDS),
        # Two channels to one address are two connections, each with its own stream limit.
        ("grpc.use_local_subchannel_pool", 1),
        # A proxy from the environment must not stand between services.
        ("grpc.enable_http_proxy", 0),
    ]


def open_channel(
    address: str,
    *,
    tls_settings: TlsSettings = NO_TLS,
    server_name: str = "",
    options: list[tuple[str, Any]] | None = None,
) -> grpc.aio.Channel:
    """A channel to `address`; it connects when first used. `options` override ours.

    `server_name` is the name to check in the server's certificate; empty = that of the address.
    """
    merged = {**dict(channel_options()), **dict(options or [])}
    if server_name:
        merged["grpc.ssl_target_name_override"] = server_name
    credentials = tls.channel_credentials(tls_settings)
    if credentials is None:
        return grpc.aio.insecure_channel(address, options=list(merged.items()))
    return grpc.aio.secure_channel(address, credentials, options=list(merged.items()))


async def wait_ready(channel: grpc.aio.Channel, address: str, timeout_seconds: float) -> None:
    """Waits until the channel is connected; raises Unavailable when the time is over."""
    try:
        async with asyncio.timeout(timeout_seconds):
            await channel.channel_ready()
    except TimeoutError:
        raise Unavailable(f"no connection to {address} in {timeout_seconds} s") from None
