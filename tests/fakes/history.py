"""A HistoryService that says what a test tells it to say, and remembers what it was asked."""

# ruff: noqa: N802 - methods are named by the contract

from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio

from cambist.internal.history.v1 import history_pb2, history_pb2_grpc
from runtime import rpc_errors, rpc_server
from runtime.rpc_errors import Fault
from runtime.settings import RpcSettings


@dataclass
class FakeHistory(history_pb2_grpc.HistoryServiceServicer):
    """Answers by method; each is used until the next one is set."""

    projected_seq: int = 0
    # Serialised PrivateEvents.
    order: bytes = b""
    page: tuple[bytes, ...] = ()
    entries: tuple[history_pb2.LedgerEntry, ...] = ()
    more: bool = False
    asked: list[Any] = field(default_factory=list)
    server: rpc_server.RpcServer | None = None

    async def start(self) -> int:
        def register(server: grpc.aio.Server) -> None:
            history_pb2_grpc.add_HistoryServiceServicer_to_server(self, server)

        self.server = await rpc_server.start_server("127.0.0.1:0", register, rpc=RpcSettings())
        return self.server.port

    async def stop(self) -> None:
        if self.server is not None:
            await self.server.stop(0)

    async def GetOrder(self, request: Any, context: Any) -> history_pb2.GetOrderResponse:
        self.asked.append(request)
        if not self.order:
            told = {"projected_seq": str(self.projected_seq)}
            fault = Fault(grpc.StatusCode.NOT_FOUND, "UNKNOWN_ORDER", "no such order", told)
            await rpc_errors.abort(context, fault)
        return history_pb2.GetOrderResponse(projected_seq=self.projected_seq, order=self.order)

    async def ListOrders(self, request: Any, _context: Any) -> history_pb2.ListOrdersResponse:
        self.asked.append(request)
        return history_pb2.ListOrdersResponse(
            projected_seq=self.projected_seq, orders=self.page, more=self.more
        )

    async def ListFills(self, request: Any, _context: Any) -> history_pb2.ListFillsResponse:
        self.asked.append(request)
        return history_pb2.ListFillsResponse(
            projected_seq=self.projected_seq, fills=self.page, more=self.more
        )

    async def ListPreventedMatches(
        self, request: Any, _context: Any
    ) -> history_pb2.ListPreventedMatchesResponse:
        self.asked.append(request)
        return history_pb2.ListPreventedMatchesResponse(
            projected_seq=self.projected_seq, prevented_matches=self.page, more=self.more
        )

    async def ListLedgerEntries(
        self, request: Any, _context: Any
    ) -> history_pb2.ListLedgerEntriesResponse:
        self.asked.append(request)
        return history_pb2.ListLedgerEntriesResponse(
            projected_seq=self.projected_seq, entries=self.entries, more=self.more
        )
