"""A fault of a call comes out at the other end as it went in, over real gRPC."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest

from runtime import rpc_channel, rpc_server
from runtime.errors import ConfigurationError, Unavailable
from runtime.rpc_errors import VIOLATIONS_MAX, Fault, FieldViolation, HelpLink, abort, fault_of
from runtime.settings import RpcSettings

METHOD = "/test.Echo/Say"


@asynccontextmanager
async def failing_server(fault: Fault) -> AsyncIterator[str]:
    async def say(_request: bytes, context: Any) -> None:
        await abort(context, fault)

    def register(server: grpc.aio.Server) -> None:
        handler: grpc.RpcMethodHandler[Any, Any] = grpc.unary_unary_rpc_method_handler(say)
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("test.Echo", {"Say": handler}),)
        )

    server = await rpc_server.start_server("127.0.0.1:0", register, rpc=RpcSettings())
    try:
        yield f"127.0.0.1:{server.port}"
    finally:
        await server.stop(0)


async def heard(fault: Fault) -> Fault:
    async with failing_server(fault) as address, rpc_channel.open_channel(address) as channel:
        call: Any = channel.unary_unary(METHOD)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(b"")
        return fault_of(caught.value)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(grpc.StatusCode.NOT_FOUND, "UNKNOWN_MARKET", "no market 7"),
        Fault(grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED", "", {}, 1.5),
        Fault(grpc.StatusCode.FAILED_PRECONDITION, "NOT_PRIMARY", "x", {"primary": "host:1"}),
        Fault(
            grpc.StatusCode.INVALID_ARGUMENT,
            "INVALID",
            "two fields",
            violations=(FieldViolation("a.b", "is zero"), FieldViolation("c", "is long")),
            help_links=(HelpLink("how", "https://example.org"),),
        ),
    ],
    ids=lambda fault: fault.reason,
)
async def test_a_fault_survives_the_wire(fault: Fault) -> None:
    assert await heard(fault) == fault


async def test_a_fault_tells_a_bounded_number_of_fields() -> None:
    many = tuple(FieldViolation(f"field{n}", "wrong") for n in range(VIOLATIONS_MAX + 5))
    told = await heard(Fault(grpc.StatusCode.INVALID_ARGUMENT, "X", "", violations=many))
    assert told.violations == many[:VIOLATIONS_MAX]


async def test_an_error_of_the_transport_has_no_reason() -> None:
    async with rpc_channel.open_channel("127.0.0.1:1") as channel:
        call: Any = channel.unary_unary(METHOD)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(b"")
    assert fault_of(caught.value).reason == ""


async def test_a_port_that_is_taken_is_a_wrong_configuration() -> None:
    fault = Fault(grpc.StatusCode.NOT_FOUND, "X", "")
    async with failing_server(fault) as address:
        with pytest.raises(ConfigurationError, match="cannot listen"):
            await rpc_server.start_server(address, lambda _server: None, rpc=RpcSettings())


async def test_a_server_that_is_away_is_unavailable() -> None:
    async with rpc_channel.open_channel("127.0.0.1:1") as channel:
        with pytest.raises(Unavailable, match="no connection"):
            await rpc_channel.wait_ready(channel, "127.0.0.1:1", 0.2)
