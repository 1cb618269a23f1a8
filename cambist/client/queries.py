"""Questions about orders. Lists are read page by page while they are iterated."""

from collections.abc import AsyncIterator
from typing import Any, Final, TypeAlias

from cambist.client import limits
from cambist.client.channels import Channels
from cambist.client.decode import decode_event
from cambist.client.errors import InvalidInput
from cambist.client.events import Event
from cambist.client.retry import read
from cambist.orders.v1 import events_pb2
from cambist.query.v1 import query_pb2 as pb

SERVICE: Final = "/cambist.query.v1.OrderQueryService/"
Page: TypeAlias = tuple[list[events_pb2.PrivateEvent], str]


class Queries:
    """Orders, fills and prevented matches of the key's accounts."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def order(
        self,
        account_id: int,
        *,
        cl_ord_id: bytes = b"",
        order_id: int = 0,
        as_of_seq: int = 0,
        shard: int = 1,
    ) -> tuple[Event | None, bool]:
        """The last report of an order, and whether it is open. Raises Rejected(UNKNOWN_ORDER)."""
        if bool(cl_ord_id) == bool(order_id):
            raise InvalidInput("INVALID_COMBINATION", "name an order by exactly one id")
        request = pb.GetOrderRequest(
            account_id=account_id,
            cl_ord_id=cl_ord_id,
            order_id=order_id,
            as_of_seq=as_of_seq,
            shard=shard,
        )
        answer = await read(self._channels, SERVICE + "GetOrder", request, pb.GetOrderResponse)
        return decode_event(answer.order), answer.open

    async def open_orders(
        self, account_id: int, *, as_of_seq: int = 0, shard: int = 1
    ) -> AsyncIterator[Event]:
        """Open orders, one Accepted each."""
        request = pb.ListOpenOrdersRequest(
            account_id=account_id, as_of_seq=as_of_seq, shard=shard, page_size=limits.PAGE_SIZE
        )
        method = "ListOpenOrders", pb.ListOpenOrdersResponse, "orders"
        async for event in self._pages(request, *method):
            yield event

    async def orders(
        self, account_id: int, *, market_id: int = 0, shard: int = 1
    ) -> AsyncIterator[Event]:
        """Last report of each order, newest first."""
        request = pb.ListOrdersRequest(
            account_id=account_id, market_id=market_id, shard=shard, page_size=limits.PAGE_SIZE
        )
        async for event in self._pages(request, "ListOrders", pb.ListOrdersResponse, "orders"):
            yield event

    async def fills(
        self, account_id: int, *, market_id: int = 0, shard: int = 1
    ) -> AsyncIterator[Event]:
        """Fills, newest first."""
        request = pb.ListFillsRequest(
            account_id=account_id, market_id=market_id, shard=shard, page_size=limits.PAGE_SIZE
        )
        async for event in self._pages(request, "ListFills", pb.ListFillsResponse, "fills"):
            yield event

    async def prevented_matches(self, account_id: int, *, shard: int = 1) -> AsyncIterator[Event]:
        """Matches that self-trade prevention stopped, newest first."""
        request = pb.ListPreventedMatchesRequest(
            account_id=account_id, shard=shard, page_size=limits.PAGE_SIZE
        )
        method = "ListPreventedMatches", pb.ListPreventedMatchesResponse, "prevented_matches"
        async for event in self._pages(request, *method):
            yield event

    async def _pages(
        self, request: Any, method: str, response: type[Any], field: str
    ) -> AsyncIterator[Event]:
        while True:
            answer = await read(self._channels, SERVICE + method, request, response)
            for message in getattr(answer, field):
                event = decode_event(message)
                if event is not None:
                    yield event
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token
