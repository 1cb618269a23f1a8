"""One command per call, for tools and simple programs. A session is faster and settles more.

After Unknown the same Request may be sent again, or asked about with `resolve`.
"""

from collections.abc import Iterable
from typing import Final, TypeVar

from google.protobuf.message import Message

from cambist.client import commands
from cambist.client.answers import unknown
from cambist.client.channels import Channels, Response
from cambist.client.commands import Request
from cambist.client.decode import decode_event
from cambist.client.errors import Rejected, Unavailable, Unknown
from cambist.client.events import (
    Accepted,
    Canceled,
    Event,
    MassCanceled,
    Refused,
    Replaced,
    Resolved,
)
from cambist.client.statuses import is_from_venue
from cambist.orders.v1 import events_pb2
from cambist.orders.v1 import service_pb2 as pb

SERVICE: Final = "/cambist.orders.v1.OrderEntryService/"
Expected = TypeVar("Expected", bound=Event)


class UnaryOrders:
    """The unary twins of the session."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def new_order(self, request: Request) -> tuple[Accepted, list[Event]]:
        """Enters an order; its answer, and fills and cancel of the same command."""
        call = pb.NewOrderRequest(order=request.message.new_order)
        answer = await self._call("NewOrder", request, call, pb.NewOrderResponse)
        return judge(request, answer.answer, Accepted), events_of(answer.events)

    async def cancel(self, request: Request) -> Canceled:
        """Cancels an order."""
        call = pb.CancelOrderRequest(cancel=request.message.cancel)
        answer = await self._call("CancelOrder", request, call, pb.CancelOrderResponse)
        return judge(request, answer.answer, Canceled)

    async def amend(self, request: Request) -> tuple[Replaced, list[Event]]:
        """Amends an order; its answer, and fills of the same command."""
        call = pb.AmendOrderRequest(amend=request.message.amend)
        answer = await self._call("AmendOrder", request, call, pb.AmendOrderResponse)
        return judge(request, answer.answer, Replaced), events_of(answer.events)

    async def replace(self, request: Request) -> tuple[Accepted, list[Event]]:
        """Puts an order in place of one, or changes nothing (`commands.replacement`).

        The new order's answer; then the end of the old one, which came first, and fills.
        """
        call = pb.ReplaceOrderRequest(replace=request.message.replace)
        answer = await self._call("ReplaceOrder", request, call, pb.ReplaceOrderResponse)
        return judge(request, answer.answer, Accepted), events_of(answer.events)

    async def cancel_all_after(self, request: Request) -> tuple[MassCanceled, int]:
        """Arms, renews or disarms the dead man's timer (`commands.cancel_all_after`).

        Its answer, and the engine time at which it fires: 0 when disarmed, and for a repeat,
        which arms nothing.
        """
        call = pb.CancelAllAfterRequest(cancel_all_after=request.message.cancel_all_after)
        answer = await self._call("CancelAllAfter", request, call, pb.CancelAllAfterResponse)
        return judge(request, answer.answer, MassCanceled), answer.fires_ns

    async def mass_cancel(self, request: Request) -> tuple[MassCanceled, list[Event]]:
        """Cancels all that match; its answer, and the cancelled orders."""
        call = pb.MassCancelRequest(mass_cancel=request.message.mass_cancel)
        answer = await self._call("MassCancel", request, call, pb.MassCancelResponse)
        return judge(request, answer.answer, MassCanceled), events_of(answer.events)

    async def resolve(self, request: Request) -> Resolved:
        """What became of a command."""
        question = commands.resolve(request.account_id, request.id, request.sent_time_ns)
        call = pb.ResolveOrderRequest(resolve=question.message.resolve)
        answer = await self._call("ResolveOrder", question, call, pb.ResolveOrderResponse)
        return judge(question, answer.answer, Resolved)

    async def _call(
        self, method: str, request: Request, message: Message, response: type[Response]
    ) -> Response:
        try:
            return await self._channels.unary(SERVICE + method, message, response)
        except Unknown as error:
            raise unknown(request, str(error)) from error
        except Unavailable as error:
            if is_from_venue(error):
                raise
            raise unknown(request, str(error)) from error


def judge(request: Request, message: events_pb2.PrivateEvent, kind: type[Expected]) -> Expected:
    """The answer as a value. Raises Rejected for a refusal."""
    event = decode_event(message)
    if isinstance(event, kind):
        return event
    if isinstance(event, Refused):
        raise Rejected(event.reason.name, answer=event)
    raise unknown(request, "no usable answer")


def events_of(messages: Iterable[events_pb2.PrivateEvent]) -> list[Event]:
    """Values of several messages."""
    found = [decode_event(message) for message in messages]
    return [event for event in found if event is not None]
