"""The standard gRPC health service on a plain port of its own.

Probes of Kubernetes carry no client certificate, so health stays off the TLS port. Services name
what they offer ("" is the process) and set each to serving or not; draining cannot be undone.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from runtime import rpc_server
from runtime.rpc_server import RpcServer
from runtime.settings import RpcSettings

Serving = health_pb2.HealthCheckResponse.ServingStatus


@dataclass(frozen=True, slots=True)
class HealthServer:
    """A running health service; everything starts as not serving."""

    server: RpcServer
    servicer: health.aio.HealthServicer

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self.server.port

    async def set_serving(self, name: str, *, serving: bool) -> None:
        """Says whether `name` serves; "" is the whole process."""
        status = (
            health_pb2.HealthCheckResponse.SERVING
            if serving
            else health_pb2.HealthCheckResponse.NOT_SERVING
        )
        await self.servicer.set(name, status)

    async def drain(self) -> None:
        """Everything is NOT_SERVING from now on."""
        await self.servicer.enter_graceful_shutdown()

    async def stop(self) -> None:
        """Stops the port."""
        await self.server.stop(0)


async def start_health_server(address: str, *names: str) -> HealthServer:
    """Starts health on `address` (plain text) with "" and `names` not serving."""
    servicer = health.aio.HealthServicer()

    def register(server: grpc.aio.Server) -> None:
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)

    server = await rpc_server.start_server(address, register, rpc=RpcSettings())
    started = HealthServer(server, servicer)
    for name in ("", *names):
        await started.set_serving(name, serving=False)
    return started


@asynccontextmanager
async def serving(address: str) -> AsyncIterator[None]:
    """Says that the process serves, for as long as this lasts; nothing without an address.

    For a process that has nothing to say but that its loop runs: probes restart one that hangs.
    """
    if not address:
        yield
        return
    health = await start_health_server(address)
    try:
        await health.set_serving("", serving=True)
        yield
        await health.drain()
    finally:
        await health.stop()
