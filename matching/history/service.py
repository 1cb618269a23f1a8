"""HistoryService on the history port of the projector: checks questions, asks, answers.

The caller (a gateway) has checked that the account is its client's. What is asked wrongly is
INVALID_ARGUMENT, an order that is not there NOT_FOUND, with the projected sequence as metadata.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

import grpc
import grpc.aio

from cambist.internal.history.v1 import history_pb2 as pb
from matching import limits
from matching.errors import Rejected
from matching.history.queries import HistoryQueries, Page, PageQuestion
from matching.rpc import faults
from matching.rpc.faults import Context
from runtime.postgres import Database

SERVICE: Final = "cambist.internal.history.v1.HistoryService"
ID_BYTES: Final = 16
Handlers: TypeAlias = "dict[str, grpc.RpcMethodHandler[Any, Any]]"


class HistoryService:
    """The methods; nothing is kept between calls."""

    def __init__(self, database: Database, shard: int) -> None:
        self._queries = HistoryQueries(database, shard)
        self._shard = shard

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the service to a server."""
        handlers: Handlers = {
            "GetOrder": self._handler(self._get_order, pb.GetOrderRequest),
            "ListOrders": self._handler(self._list_orders, pb.ListOrdersRequest),
            "ListFills": self._handler(self._list_fills, pb.ListFillsRequest),
            "ListPreventedMatches": self._handler(
                self._list_prevented_matches, pb.ListPreventedMatchesRequest
            ),
            "ListLedgerEntries": self._handler(
                self._list_ledger_entries, pb.ListLedgerEntriesRequest
            ),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))

    def _handler(
        self, method: Callable[[Any], Awaitable[Any]], request: Any
    ) -> "grpc.RpcMethodHandler[Any, Any]":
        async def call(message: Any, context: Context) -> bytes:
            try:
                if message.shard != self._shard:
                    raise Rejected("WRONG_SHARD", f"this is shard {self._shard}")
                answer = await method(message)
            except faults.TOLD as error:
                await faults.abort(context, faults.fault_of(error))
            return bytes(answer.SerializeToString())

        return grpc.unary_unary_rpc_method_handler(call, request_deserializer=request.FromString)

    async def _get_order(self, request: pb.GetOrderRequest) -> pb.GetOrderResponse:
        if bool(request.cl_ord_id) == bool(request.order_id):
            raise Rejected("INVALID_ID", "exactly one of cl_ord_id and order_id")
        if request.order_id:
            asked = self._queries.order_by_id(request.account_id, request.order_id)
        elif len(request.cl_ord_id) == ID_BYTES:
            asked = self._queries.order_by_client_id(request.account_id, request.cl_ord_id)
        else:
            raise Rejected("INVALID_ID", f"cl_ord_id is not {ID_BYTES} bytes")
        projected_seq, order = await asked
        if order is None:
            raise Rejected(
                "UNKNOWN_ORDER",
                f"no such order up to sequence {projected_seq}",
                grpc.StatusCode.NOT_FOUND,
                {"projected_seq": str(projected_seq)},
            )
        return pb.GetOrderResponse(projected_seq=projected_seq, order=order)

    async def _list_orders(self, request: pb.ListOrdersRequest) -> pb.ListOrdersResponse:
        page = await self._queries.orders(question_of(request, request.before_order_id))
        return pb.ListOrdersResponse(
            projected_seq=page.projected_seq, orders=page.events, more=page.has_more
        )

    async def _list_fills(self, request: pb.ListFillsRequest) -> pb.ListFillsResponse:
        page = await self._queries.fills(question_of(request, request.before_account_seq))
        return pb.ListFillsResponse(
            projected_seq=page.projected_seq, fills=page.events, more=page.has_more
        )

    async def _list_prevented_matches(
        self, request: pb.ListPreventedMatchesRequest
    ) -> pb.ListPreventedMatchesResponse:
        page: Page = await self._queries.prevented_matches(
            PageQuestion(request.account_id, request.before_account_seq, size_of(request.page_size))
        )
        return pb.ListPreventedMatchesResponse(
            projected_seq=page.projected_seq, prevented_matches=page.events, more=page.has_more
        )

    async def _list_ledger_entries(
        self, request: pb.ListLedgerEntriesRequest
    ) -> pb.ListLedgerEntriesResponse:
        after = request.after.account_seq, request.after.part
        return await self._queries.ledger(request.account_id, after, size_of(request.page_size))


def question_of(request: pb.ListOrdersRequest | pb.ListFillsRequest, before: int) -> PageQuestion:
    """The page that a request asks for. Raises Rejected."""
    return PageQuestion(request.account_id, before, size_of(request.page_size), request.market_id)


def size_of(page_size: int) -> int:
    """A page size. Raises Rejected."""
    if not 1 <= page_size <= limits.HISTORY_PAGE_MAX:
        raise Rejected("INVALID_PAGE_SIZE", f"not from 1 to {limits.HISTORY_PAGE_MAX}")
    return page_size
