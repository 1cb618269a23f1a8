"""A gateway over gRPC with the venue of `venue_model` behind it, which breaks where told.

`faults` is read one entry per message of a session, in order; when it is used up everything works:
"cut" before the message is read on, "swallow" after it was applied and before its answer goes out,
"twice" sends the answer twice, "late" holds answers back for a moment.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc
import grpc.aio

from cambist.auth.v1 import auth_pb2
from cambist.client.keys import CHALLENGE_PREFIX, ApiKey
from cambist.orders.v1 import enums_pb2, service_pb2
from cambist.reference.v1 import reference_pb2
from tests.fakes.venue_model import ACCOUNT, VenueModel

Request = service_pb2.OrderEntrySessionRequest
Response = service_pb2.OrderEntrySessionResponse
MARKET = reference_pb2.Market(
    market_id=65537,
    symbol="BTC-USDT",
    shard=1,
    base_asset_id=1,
    quote_asset_id=2,
    lot_size_atoms="1000",
    tick_size_atoms="10000",
    tick_value_atoms=1,
    price_step_ticks=1,
    quantity_step_lots=1,
    minimum_quantity_lots=1,
    maximum_quantity_lots=1 << 53,
    minimum_notional_atoms="0",
    maximum_notional_atoms="0",
    phase=enums_pb2.MARKET_PHASE_CONTINUOUS,
)


class ScriptedGateway:
    """One process; several may share a venue."""

    def __init__(self, venue: VenueModel, key: ApiKey, faults: Iterable[str] = ()) -> None:
        self.venue = venue
        self.key = key
        self.faults = deque(faults)
        # Ends to give instead of Established, one per Establish.
        self.refusals: deque[service_pb2.Terminate] = deque()
        # Refusals of batches, one per batch.
        self.batch_refusals: deque[service_pb2.BatchRefused] = deque()
        self.negotiations = 0
        self.logons = 0
        self.version = 1
        self.goodbyes: list[int] = []
        self.batch_sizes: list[int] = []
        self.is_answering = asyncio.Event()
        self.is_answering.set()
        self.outboxes: list[asyncio.Queue[Response | None]] = []
        self.port = 0
        self._server: grpc.aio.Server | None = None

    async def start(self, port: int = 0) -> str:
        self._server = grpc.aio.server()
        self._server.add_generic_rpc_handlers(self._handlers())
        self.port = self._server.add_insecure_port(f"127.0.0.1:{port}")
        await self._server.start()
        return f"127.0.0.1:{self.port}"

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop(None)

    def _handlers(self) -> list[grpc.GenericRpcHandler]:
        unary: dict[str, dict[str, tuple[Any, Any]]] = {
            "cambist.auth.v1.AuthService": {
                "GetChallenge": (self.get_challenge, auth_pb2.GetChallengeRequest),
                "Logon": (self.logon, auth_pb2.LogonRequest),
            },
            "cambist.reference.v1.ReferenceDataService": {
                "GetServerTime": (self.get_server_time, reference_pb2.GetServerTimeRequest),
                "ListAssets": (self.list_assets, reference_pb2.ListAssetsRequest),
                "ListMarkets": (self.list_markets, reference_pb2.ListMarketsRequest),
            },
            "cambist.orders.v1.OrderEntryService": {
                "Negotiate": (self.negotiate, service_pb2.NegotiateRequest)
            },
        }
        stream = grpc.stream_stream_rpc_method_handler(
            self.session, Request.FromString, Response.SerializeToString
        )
        found = []
        for service, methods in unary.items():
            handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
                name: grpc.unary_unary_rpc_method_handler(
                    method, request.FromString, lambda answer: answer.SerializeToString()
                )
                for name, (method, request) in methods.items()
            }
            if "Negotiate" in handlers:
                handlers["OrderEntrySession"] = stream
            found.append(grpc.method_handlers_generic_handler(service, handlers))
        return found

    # --- logon and reference data

    async def get_challenge(self, *_: Any) -> auth_pb2.GetChallengeResponse:
        return auth_pb2.GetChallengeResponse(nonce=b"n" * 32, server_time_ns=1)

    async def logon(self, request: Any, _context: Any) -> auth_pb2.LogonResponse:
        time = request.time_ns.to_bytes(8, "big", signed=True)
        signed = CHALLENGE_PREFIX + request.key_id.encode() + b"\n" + request.nonce + time
        self.key.private_key.public_key().verify(request.signature, signed)
        self.logons += 1
        return auth_pb2.LogonResponse(
            token=f"token-{self.logons}", expires_ns=1 << 62, firm_id=1, account_ids=[ACCOUNT]
        )

    async def get_server_time(self, _request: Any, context: Any) -> Any:
        await check_token(context)
        return reference_pb2.GetServerTimeResponse(time_ns=1)

    async def list_assets(self, *_: Any) -> Any:
        assets = [
            reference_pb2.Asset(asset_id=1, symbol="BTC", decimals=8),
            reference_pb2.Asset(asset_id=2, symbol="USDT", decimals=6),
        ]
        return reference_pb2.ListAssetsResponse(assets=assets)

    async def list_markets(self, *_: Any) -> Any:
        return reference_pb2.ListMarketsResponse(markets=[MARKET])

    # --- sessions

    async def negotiate(self, _request: Any, context: Any) -> service_pb2.NegotiateResponse:
        await check_token(context)
        self.negotiations += 1
        return service_pb2.NegotiateResponse(
            session_id=1, session_version=self.version, account_ids=[ACCOUNT]
        )

    async def session(
        self, request_iterator: AsyncIterator[Request], context: Any
    ) -> AsyncIterator[Response]:
        await check_token(context)
        first = await anext(request_iterator)
        if self.faults and self.faults[0] == "cut before established":
            self.faults.popleft()
            await context.abort(grpc.StatusCode.UNAVAILABLE, "cut")
        if self.refusals:
            yield Response(terminate=self.refusals.popleft())
            return
        established = self.venue.establish(first.establish)
        yield Response(established=established)
        outbox: asyncio.Queue[Response | None] = asyncio.Queue()
        self.outboxes.append(outbox)
        resume = first.establish.resume_after_seq or established.seq
        if established.oldest_seq:
            page = self.venue.open_orders_page()
            outbox.put_nowait(Response(open_orders=page))
            resume = page.as_of_seq
        for row in self.venue.rows_after(resume):
            outbox.put_nowait(row.message())
        reader = asyncio.create_task(self._read(request_iterator, established.connection, outbox))
        try:
            while (response := await outbox.get()) is not None:
                await self.is_answering.wait()
                yield response
            if not reader.done() or reader.result() == "cut":
                await context.abort(grpc.StatusCode.UNAVAILABLE, "cut")
        finally:
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader

    async def _read(
        self,
        requests: AsyncIterator[Request],
        connection: int,
        outbox: "asyncio.Queue[Response | None]",
    ) -> str:
        async for request in requests:
            if request.HasField("terminate"):
                self.goodbyes.append(request.terminate.reason)
                outbox.put_nowait(None)
                return "end"
            if not request.HasField("batch"):
                continue
            fault = self.faults.popleft() if self.faults else ""
            if fault == "cut":
                outbox.put_nowait(None)
                return "cut"
            if self.batch_refusals:
                refused = self.batch_refusals.popleft()
                refused.command_class = request.batch.command_class
                refused.first_seq_no = request.batch.first_seq_no
                refused.count = request.batch.count
                outbox.put_nowait(Response(batch_refused=refused))
                continue
            self.batch_sizes.append(request.batch.count)
            row = self.venue.batch(connection, request.batch)
            if fault == "swallow":
                outbox.put_nowait(None)
                return "cut"
            outbox.put_nowait(row.message())
            if fault == "twice":
                outbox.put_nowait(row.message())
        outbox.put_nowait(None)
        return "end"


async def check_token(context: Any) -> None:
    metadata = dict(context.invocation_metadata())
    if not metadata.get("authorization", "").startswith("Bearer token-"):
        await context.abort(grpc.StatusCode.UNAUTHENTICATED, "no token")
