"""Builds the table of methods that the server offers, from the contract's descriptors.

Each method is admitted by its permission before its servicer sees it. What is not built answers
UNIMPLEMENTED with a link; bytes that are not the request answer MALFORMED_REQUEST.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import ModuleType
from typing import Any, Final

import grpc
import grpc.aio
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from gateway.door.admission import Admission
from gateway.door.calls import Call, Received, StreamCall
from gateway.door.permissions import Permission
from gateway.errors import GatewayError, malformed
from runtime import errors as runtime_errors
from runtime.rpc_errors import Fault, HelpLink, abort

Servicer = Callable[..., Awaitable[Any]]
Context = grpc.aio.ServicerContext[Any, Any]
HELP: Final = HelpLink("What is built and what is not", "README.md#not-built-yet")


def full_name(method: MethodDescriptor) -> str:
    """The path of a method: "/package.Service/Method"."""
    return f"/{method.containing_service.full_name}/{method.name}"


def methods_of(modules: Iterable[ModuleType]) -> dict[str, MethodDescriptor]:
    """All methods of the services that the generated modules declare, by full name."""
    found: dict[str, MethodDescriptor] = {}
    for module in modules:
        services: Mapping[str, ServiceDescriptor] = module.DESCRIPTOR.services_by_name
        for service in services.values():
            for method in service.methods:
                found[full_name(method)] = method
    return found


def serialise(message: Message | bytes) -> bytes:
    """Bytes of an answer; what is encoded already passes through."""
    return message if isinstance(message, bytes) else message.SerializeToString()


def deserialiser(method: MethodDescriptor) -> Callable[[bytes], Received[Message]]:
    """Reads requests of a method and keeps their bytes; never raises."""
    parse = GetMessageClass(method.input_type).FromString

    def read(raw: bytes) -> Received[Message]:
        try:
            return Received(parse(raw), raw)
        except DecodeError:
            return Received(None, raw)

    return read


def fault_of(error: Exception) -> Fault:
    """What the caller is told of an error that a servicer raised."""
    if isinstance(error, GatewayError):
        return error.fault
    return Fault(
        grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE", str(error), retry_after_seconds=1.0
    )


def unbuilt(method: MethodDescriptor) -> Servicer:
    """The servicer of what is not built."""
    fault = Fault(
        grpc.StatusCode.UNIMPLEMENTED,
        "NOT_BUILT",
        f"{method.full_name} is part of the contract and not built yet",
        help_links=(HELP,),
    )

    async def servicer(*_: object) -> None:
        raise GatewayError(fault)

    return servicer


def make_handler(
    method: MethodDescriptor, servicer: Servicer, permission: Permission, admission: Admission
) -> grpc.RpcMethodHandler[Any, Any]:
    """The handler of one method. Servicers take (request, call), or (call) when clients stream.

    Unary servicers return the answer; streaming ones write.
    """
    name = full_name(method)

    async def unary(received: Received[Message], context: Context) -> Any:
        try:
            caller = await admission.admit(name, permission, context)
            call = Call(context, caller, admission.address_of(context))
            if received.message is None:
                raise malformed("MALFORMED_REQUEST", f"not a {method.input_type.full_name}")
            if method.server_streaming:
                with admission.stream(caller):
                    return await servicer(received, call)
            return await servicer(received, call)
        except (GatewayError, runtime_errors.Unavailable, runtime_errors.Unknown) as error:
            await abort(context, fault_of(error))

    async def streaming(_: object, context: Context) -> Any:
        try:
            caller = await admission.admit(name, permission, context)
            call: StreamCall[Message] = StreamCall(context, caller, admission.address_of(context))
            with admission.stream(caller):
                await servicer(call)
        except (GatewayError, runtime_errors.Unavailable, runtime_errors.Unknown) as error:
            await abort(context, fault_of(error))

    makers: dict[tuple[bool, bool], Callable[..., grpc.RpcMethodHandler[Any, Any]]] = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }
    make = makers[method.client_streaming, method.server_streaming]
    behaviour = streaming if method.client_streaming else unary
    return make(behaviour, request_deserializer=deserialiser(method), response_serializer=serialise)


class Door(grpc.GenericRpcHandler):
    """All methods of the server by full name; anything else is unknown to it."""

    def __init__(self, handlers: Mapping[str, grpc.RpcMethodHandler[Any, Any]]) -> None:
        self._handlers = dict(handlers)

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """The handler of a call, None when there is no such method."""
        return self._handlers.get(handler_call_details.method or "")
