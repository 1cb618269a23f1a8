"""Bytes that are not the request of a method are the caller's fault: INVALID_ARGUMENT.

Every server of ours has it. Without it grpcio answers UNKNOWN and prints a traceback for each. A
streaming request that is none reaches its servicer as `MALFORMED`, which is no message of any kind.
"""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, TypeAlias

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from runtime.rpc_errors import Fault, abort

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
MALFORMED: Final = object()


class RefuseMalformed(grpc.aio.ServerInterceptor):
    """Refuses requests that cannot be parsed before their servicer sees them."""

    def __init__(self) -> None:
        # By method: a server's handlers do not change.
        self._guarded: dict[str, Handler] = {}

    async def intercept_service(
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        """The handler of a call, guarded; None when there is no such method."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.request_deserializer is None:
            return handler
        name = str(handler_call_details.method)
        found = self._guarded.get(name)
        if found is None:
            found = self._guarded[name] = guard(handler, name)
        return found


def guard(handler: Handler, name: str) -> Handler:
    """The same handler with a parser that never raises."""
    parse: Any = handler.request_deserializer
    fault = Fault(grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_REQUEST", f"no request of {name}")

    def safely(raw: bytes) -> Any:
        try:
            return parse(raw)
        except DecodeError:
            return MALFORMED

    def refusing(behaviour: Any) -> Any:
        if inspect.isasyncgenfunction(behaviour):

            async def generate(request: Any, context: Any) -> AsyncIterator[Any]:
                if request is MALFORMED:
                    await abort(context, fault)
                async for response in behaviour(request, context):
                    yield response

            return generate

        async def call(request: Any, context: Any) -> Any:
            if request is MALFORMED:
                await abort(context, fault)
            return await behaviour(request, context)

        return call

    serialise = handler.response_serializer
    if handler.request_streaming:
        make: Any = (
            grpc.stream_stream_rpc_method_handler
            if handler.response_streaming
            else grpc.stream_unary_rpc_method_handler
        )
        return make(handler.stream_stream or handler.stream_unary, safely, serialise)  # type: ignore[no-any-return]
    if handler.response_streaming:
        return grpc.unary_stream_rpc_method_handler(
            refusing(handler.unary_stream), safely, serialise
        )
    return grpc.unary_unary_rpc_method_handler(refusing(handler.unary_unary), safely, serialise)
