"""Who may call what of the signer and the approver: by the name in the caller's certificate.

An interceptor in front of every method. A name that the settings do not list, and a method that
they do not list for it, are refused; there is no method that everybody may call.
"""

import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias, cast

import grpc
import grpc.aio

from runtime import logs
from runtime.rpc_errors import Fault, abort
from wallets.faults import TOLD, fault_for
from wallets.measured_calls import Call, MeasuredCalls

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"
Continuation: TypeAlias = Callable[[grpc.HandlerCallDetails], Awaitable[Handler]]
Method: TypeAlias = Callable[[Any, Context], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Callers(grpc.aio.ServerInterceptor):
    """Methods by name of the caller; unary methods only."""

    permitted: Mapping[str, frozenset[str]]
    measured: MeasuredCalls

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> Handler:
        """Puts the check before the method, and names its errors after it."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        inner = cast(Method, handler.unary_unary)
        method = str(handler_call_details.method).rpartition("/")[2]

        async def checked(request: Any, context: Context) -> Any:
            with self.measured.call(method, request) as call:
                return await answered(request, context, call)

        async def answered(request: Any, context: Context, call: Call) -> Any:
            caller = caller_of(context)
            if method not in self.permitted.get(caller, frozenset()):
                logs.get(__name__).warning("refused a caller", caller=caller[:128], method=method)
                message = f"this certificate may not call {method}"
                await end(
                    Fault(grpc.StatusCode.PERMISSION_DENIED, "CALLER_UNKNOWN", message),
                    context,
                    call,
                )
            try:
                return await inner(request, context)
            except TOLD as error:
                await end(fault_for(error), context, call)
            except grpc.aio.AbortError:
                raise
            except Exception as error:  # noqa: BLE001 - a library's words may hold a key
                report(error, method)
                message = "a fault of the service, see its log"
                await end(Fault(grpc.StatusCode.INTERNAL, "INTERNAL", message), context, call)

        return grpc.unary_unary_rpc_method_handler(
            checked, handler.request_deserializer, handler.response_serializer
        )


async def end(fault: Fault, context: Context, call: Call) -> NoReturn:
    """Ends the call with the fault, which is how it is counted."""
    call.outcome = fault.reason
    await abort(context, fault)


def report(error: Exception, method: str) -> None:
    """Logs what and where, never the words: nobody knows what a library puts into them."""
    places = traceback.extract_tb(error.__traceback__)
    where = [f"{place.filename}:{place.lineno} {place.name}" for place in places]
    logs.get(__name__).error("a fault", method=method, error=type(error).__name__, where=where)


def caller_of(context: Context) -> str:
    """The common name of the caller's certificate; empty when there is not exactly one."""
    names = [*context.auth_context().get("x509_common_name", ())]
    return names[0].decode(errors="replace") if len(names) == 1 else ""
