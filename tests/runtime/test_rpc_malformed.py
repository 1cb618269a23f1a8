"""Servers of ours answer bytes that are no request by name."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2

from runtime import rpc_errors, rpc_server
from runtime.rpc_malformed import MALFORMED
from runtime.settings import RpcSettings

REQUEST = health_pb2.HealthCheckRequest(service="a")
NOISE = b"\xff\xff"


async def answer(request: Any, _: Any) -> bytes:
    return f"hello {request.service}".encode()


async def write(request: Any, context: Any) -> None:
    await context.write(f"hello {request.service}".encode())


async def generate(request: Any, _: Any) -> AsyncIterator[bytes]:
    yield f"hello {request.service}".encode()


async def converse(_: Any, context: Any) -> None:
    while (request := await context.read()) is not grpc.aio.EOF:
        await context.write(b"none" if request is MALFORMED else request.service.encode())


@pytest.fixture
async def channel() -> AsyncIterator[grpc.aio.Channel]:
    parse = health_pb2.HealthCheckRequest.FromString
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        "Answer": grpc.unary_unary_rpc_method_handler(answer, parse),
        "Write": grpc.unary_stream_rpc_method_handler(write, parse),
        "Generate": grpc.unary_stream_rpc_method_handler(generate, parse),
        "Converse": grpc.stream_stream_rpc_method_handler(converse, parse),
    }

    def register(server: grpc.aio.Server) -> None:
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.S", handlers),))

    server = await rpc_server.start_server("127.0.0.1:0", register, rpc=RpcSettings())
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as opened:
        yield opened
    await server.stop(0)


async def ask(channel: Any, method: str, request: bytes) -> bytes:
    make = channel.unary_unary if method == "Answer" else channel.unary_stream
    call = make(f"/test.S/{method}")(request)
    found: bytes = await call if method == "Answer" else await call.read()
    return found


@pytest.mark.parametrize("method", ["Answer", "Write", "Generate"])
async def test_a_request_that_is_none_is_an_invalid_argument(
    channel: grpc.aio.Channel, method: str
) -> None:
    assert await ask(channel, method, REQUEST.SerializeToString()) == b"hello a"
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await ask(channel, method, NOISE)
    fault = rpc_errors.fault_of(error.value)
    assert (fault.code, fault.reason) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "MALFORMED_REQUEST",
    )
    assert await ask(channel, method, REQUEST.SerializeToString()) == b"hello a"


async def test_a_stream_sees_that_a_message_was_none(channel: Any) -> None:
    call = channel.stream_stream("/test.S/Converse")()
    for request, expected in ((REQUEST.SerializeToString(), b"a"), (NOISE, b"none")):
        await call.write(request)
        assert await call.read() == expected
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF


async def test_a_method_that_does_not_exist_is_unimplemented(channel: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await channel.unary_unary("/test.S/None")(b"")
    assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED
