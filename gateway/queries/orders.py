"""OrderQueryService: open orders from the image, the past from the history service."""

import asyncio
from collections.abc import Mapping

import grpc

from cambist.internal.history.v1 import history_pb2
from cambist.orders.v1 import events_pb2
from cambist.query.v1 import query_pb2
from gateway import limits
from gateway.door.accounts import own_account, shard_of
from gateway.door.calls import Call, Received
from gateway.errors import Rejected, invalid, not_found
from gateway.queries.history import HistoryClient
from gateway.queries.waiting import not_reached, wait_as_of
from gateway.shard.image import FeedImage
from gateway.shard.shard import Shard
from gateway.unary.service import seconds_for

ID_BYTES = 16
UINT64_MAX = (1 << 64) - 1


class OrderQueryService:
    """Questions about orders of the caller's accounts."""

    def __init__(self, shards: Mapping[int, Shard], history: HistoryClient) -> None:
        self._shards = shards
        self._history = history

    async def get_order(
        self, received: Received[query_pb2.GetOrderRequest], call: Call
    ) -> query_pb2.GetOrderResponse:
        """One order by either id."""
        request = received.message
        assert request is not None
        if bool(request.cl_ord_id) == bool(request.order_id):
            raise invalid("order_id", "exactly one of order_id and cl_ord_id")
        if request.cl_ord_id and len(request.cl_ord_id) != ID_BYTES:
            raise invalid("cl_ord_id", "not 16 bytes")
        shard = shard_of(self._shards, request.shard)
        own_account(call.caller, shard, request.account_id)
        await wait_as_of(shard.feed, request.as_of_seq, call)
        async with shard.feed.still_image() as image:
            as_of_seq = image.last_seq
            event = open_order(image, request)
        if event is not None:
            return query_pb2.GetOrderResponse(as_of_seq=as_of_seq, order=event, open=True)
        # What was closed a moment ago may not be in the history yet.
        seconds = seconds_for(call) if request.as_of_seq else limits.HISTORY_LAG_SECONDS
        return await self._closed_order(request, shard.number, as_of_seq, seconds)

    async def _closed_order(
        self, request: query_pb2.GetOrderRequest, shard: int, wanted_seq: int, seconds: float
    ) -> query_pb2.GetOrderResponse:
        """The order from a history that stands at `wanted_seq`, or where it is after `seconds`."""
        if not self._history.has(shard):
            raise unknown_order(0)
        question = history_pb2.GetOrderRequest(
            shard=shard,
            account_id=request.account_id,
            cl_ord_id=request.cl_ord_id,
            order_id=request.order_id,
        )
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        while True:
            answer = await self._ask_order(shard, question)
            if answer.projected_seq >= wanted_seq or loop.time() >= ends:
                break
            await asyncio.sleep(limits.HISTORY_POLL_SECONDS)
        if answer.projected_seq < request.as_of_seq:
            raise not_reached(request.as_of_seq, answer.projected_seq)
        if not answer.order:
            raise unknown_order(answer.projected_seq)
        event = events_pb2.PrivateEvent.FromString(answer.order)
        return query_pb2.GetOrderResponse(as_of_seq=answer.projected_seq, order=event)

    async def _ask_order(
        self, shard: int, question: history_pb2.GetOrderRequest
    ) -> history_pb2.GetOrderResponse:
        """The answer; one without an order when there is none."""
        try:
            return await self._history.ask(
                shard, "GetOrder", question, history_pb2.GetOrderResponse
            )
        except Rejected as error:
            if error.fault.code is not grpc.StatusCode.NOT_FOUND:
                raise
            projected = error.fault.metadata.get("projected_seq", "0")
            return history_pb2.GetOrderResponse(
                projected_seq=int(projected) if projected.isdigit() else 0
            )

    async def list_open_orders(
        self, received: Received[query_pb2.ListOpenOrdersRequest], call: Call
    ) -> query_pb2.ListOpenOrdersResponse:
        """Open orders of an account, ascending by id."""
        request = received.message
        assert request is not None
        size = page_size(request.page_size)
        after = page_token(request.page_token)
        shard = shard_of(self._shards, request.shard)
        own_account(call.caller, shard, request.account_id)
        await wait_as_of(shard.feed, request.as_of_seq, call)
        async with shard.feed.still_image() as image:
            as_of_seq = image.last_seq
            page = image.open_orders(request.account_id, after, size + 1)
        orders = list(events_pb2.PrivateEvents.FromString(page).events)
        token = ""
        if len(orders) > size:
            orders = orders[:size]
            token = str(orders[-1].execution_report.order_id)
        return query_pb2.ListOpenOrdersResponse(
            as_of_seq=as_of_seq, orders=orders, next_page_token=token
        )

    async def list_orders(
        self, received: Received[query_pb2.ListOrdersRequest], call: Call
    ) -> query_pb2.ListOrdersResponse:
        """Orders of an account, newest first."""
        request = received.message
        assert request is not None
        shard = shard_of(self._shards, request.shard)
        question = history_pb2.ListOrdersRequest(
            shard=shard.number,
            account_id=own_account(call.caller, shard, request.account_id),
            market_id=request.market_id,
            before_order_id=page_token(request.page_token),
            page_size=page_size(request.page_size),
        )
        found = await self._history.ask(
            shard.number, "ListOrders", question, history_pb2.ListOrdersResponse
        )
        orders = [events_pb2.PrivateEvent.FromString(raw) for raw in found.orders]
        more = found.more and bool(orders)
        return query_pb2.ListOrdersResponse(
            as_of_seq=found.projected_seq,
            orders=orders,
            next_page_token=str(orders[-1].execution_report.order_id) if more else "",
        )

    async def list_fills(
        self, received: Received[query_pb2.ListFillsRequest], call: Call
    ) -> query_pb2.ListFillsResponse:
        """Fills of an account, newest first."""
        request = received.message
        assert request is not None
        shard = shard_of(self._shards, request.shard)
        question = history_pb2.ListFillsRequest(
            shard=shard.number,
            account_id=own_account(call.caller, shard, request.account_id),
            market_id=request.market_id,
            before_account_seq=page_token(request.page_token),
            page_size=page_size(request.page_size),
        )
        found = await self._history.ask(
            shard.number, "ListFills", question, history_pb2.ListFillsResponse
        )
        fills = [events_pb2.PrivateEvent.FromString(raw) for raw in found.fills]
        return query_pb2.ListFillsResponse(
            as_of_seq=found.projected_seq,
            fills=fills,
            next_page_token=next_token(fills, has_more=found.more),
        )

    async def list_prevented_matches(
        self, received: Received[query_pb2.ListPreventedMatchesRequest], call: Call
    ) -> query_pb2.ListPreventedMatchesResponse:
        """Prevented matches of an account, newest first."""
        request = received.message
        assert request is not None
        shard = shard_of(self._shards, request.shard)
        question = history_pb2.ListPreventedMatchesRequest(
            shard=shard.number,
            account_id=own_account(call.caller, shard, request.account_id),
            before_account_seq=page_token(request.page_token),
            page_size=page_size(request.page_size),
        )
        found = await self._history.ask(
            shard.number,
            "ListPreventedMatches",
            question,
            history_pb2.ListPreventedMatchesResponse,
        )
        matches = [events_pb2.PrivateEvent.FromString(raw) for raw in found.prevented_matches]
        return query_pb2.ListPreventedMatchesResponse(
            as_of_seq=found.projected_seq,
            prevented_matches=matches,
            next_page_token=next_token(matches, has_more=found.more),
        )


def open_order(
    image: FeedImage, request: query_pb2.GetOrderRequest
) -> events_pb2.PrivateEvent | None:
    """The report of an open order; None when it is not open."""
    account_id = request.account_id
    if request.order_id:
        page = image.order(account_id, request.order_id)
    else:
        # At most as many as an account may have open.
        page = image.open_orders(account_id, 0, limits.RETRANSMIT_EVENTS_MAX)
    for event in events_pb2.PrivateEvents.FromString(page).events:
        if request.order_id or event.execution_report.cl_ord_id == request.cl_ord_id:
            return event
    return None


def unknown_order(as_of_seq: int) -> Rejected:
    """No such order up to a sequence, or somebody else's."""
    return not_found("UNKNOWN_ORDER", "no such order", {"as_of_seq": str(as_of_seq)})


def page_size(asked: int) -> int:
    """A page size; 0 takes the default. Raises Rejected."""
    if asked > limits.PAGE_SIZE_MAX:
        raise invalid("page_size", f"above {limits.PAGE_SIZE_MAX}")
    return asked or limits.PAGE_SIZE_DEFAULT


def page_token(text: str) -> int:
    """The number in a page token; empty is 0. Raises Rejected."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and int(text[:20]) <= UINT64_MAX and len(text) < 21):
        raise invalid("page_token", "not a token of an earlier answer")
    return int(text)


def next_token(events: list[events_pb2.PrivateEvent], *, has_more: bool) -> str:
    """The token of the page after these events."""
    return str(events[-1].account_seq) if has_more and events else ""
