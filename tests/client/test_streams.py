"""Market data and drop copy over real gRPC, against servers that break, repeat and lie.

Each server is a script: what the first stream says, what the second says, and so on.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest

from cambist.client.book import Book
from cambist.client.channels import Anonymous, Channels
from cambist.client.drop_copy import DropCopy
from cambist.client.enums import Channel
from cambist.client.errors import Rejected
from cambist.client.events import Accepted
from cambist.client.market_data import MarketData
from cambist.drop_copy.v1 import drop_copy_pb2
from cambist.market_data.v1 import events_pb2, service_pb2
from cambist.orders.v1 import enums_pb2
from cambist.orders.v1 import events_pb2 as private_pb2
from tests.client.test_book import Truth, full

MARKET = 65_537
SECONDS = 10.0
Response = service_pb2.MarketDataSessionResponse
Script = Callable[[AsyncIterator[Any]], AsyncIterator[Any]]


class Scripted:
    """One method; every call runs the next script, the last one for ever."""

    def __init__(self, service: str, method: str, scripts: list[Script]) -> None:
        self.scripts = scripts
        self.requests: list[list[Any]] = []
        self._name = service, method
        self._server = grpc.aio.server()
        self.port = 0

    async def start(self, request: Any, *, is_bidirectional: bool) -> str:
        make: Any = grpc.unary_stream_rpc_method_handler
        if is_bidirectional:
            make = grpc.stream_stream_rpc_method_handler
        behaviour = self.both if is_bidirectional else self.one
        handler = make(
            behaviour,
            request_deserializer=request.FromString,
            response_serializer=lambda answer: answer.SerializeToString(),
        )
        service, method = self._name
        generic = grpc.method_handlers_generic_handler(service, {method: handler})
        self._server.add_generic_rpc_handlers((generic,))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        await self._server.start()
        return f"127.0.0.1:{self.port}"

    async def stop(self) -> None:
        await self._server.stop(None)

    def _next(self) -> Script:
        return self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]

    async def both(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        heard: list[Any] = []
        self.requests.append(heard)

        async def listen() -> AsyncIterator[Any]:
            async for request in requests:
                heard.append(request)
                yield request

        async for answer in self._next()(listen()):
            yield answer
        await context.abort(grpc.StatusCode.UNAVAILABLE, "cut")

    async def one(self, request: Any, context: Any) -> AsyncIterator[Any]:
        self.requests.append([request])

        async def nothing() -> AsyncIterator[Any]:
            return
            yield

        async for answer in self._next()(nothing()):
            yield answer
        await context.abort(grpc.StatusCode.UNAVAILABLE, "cut")


@asynccontextmanager
async def market_data(*scripts: Script) -> AsyncIterator[tuple[MarketData, Scripted]]:
    server = Scripted(
        "cambist.market_data.v1.MarketDataService", "MarketDataSession", list(scripts)
    )
    endpoint = await server.start(service_pb2.MarketDataSessionRequest, is_bidirectional=True)
    try:
        async with MarketData(Channels.open((endpoint,), None, Anonymous())) as feed:
            yield feed, server
    finally:
        await server.stop()


def data(request_id: int, delta: events_pb2.L2Delta, *, is_snapshot: bool = False) -> Response:
    payload = events_pb2.L2Deltas(deltas=[delta]).SerializeToString()
    message = service_pb2.MarketData(
        request_id=request_id,
        market_id=MARKET,
        market_seq=delta.last_market_seq,
        snapshot=is_snapshot,
        payload=payload,
    )
    return Response(data=message)


async def subscriptions(requests: AsyncIterator[Any]) -> AsyncIterator[int]:
    """Request ids, one per subscription."""
    async for request in requests:
        if request.HasField("subscribe"):
            yield request.subscribe.request_id


def telling(truth: Truth, changes: int, *, lie_at: int = 0, hold: bool = False) -> Script:
    """A snapshot per subscription, then changes; a wrong CRC at one of them."""

    async def script(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for request_id in subscriptions(requests):
            yield data(request_id, truth.snapshot(), is_snapshot=True)
            for number in range(1, changes + 1):
                delta = truth.change([(True, 999, number)])
                if number == lie_at:
                    delta.crc32 ^= 1
                yield data(request_id, delta)
            if not hold:
                return

    return script


async def until(feed: MarketData, is_so: Callable[[Book], bool]) -> Book:
    async with asyncio.timeout(SECONDS):
        books = feed.books(MARKET)
        try:
            async for book in books:
                if is_so(book):
                    return book
        finally:
            await books.aclose()
    raise AssertionError("the books ended")


async def test_a_book_goes_on_after_a_cut_with_a_new_snapshot() -> None:
    truth = full(30)
    scripts = telling(truth, 3), telling(truth, 2), telling(truth, 4, hold=True)
    async with market_data(*scripts) as (feed, server):
        book = await until(feed, lambda book: book.market_seq >= 9)
    assert {level.price_ticks: level.quantity_lots for level in book.bids} == truth.bids
    assert len(server.requests) == 3


async def test_a_wrong_crc_makes_a_new_subscription_on_the_same_stream() -> None:
    truth = full(30)
    async with market_data(telling(truth, 3, lie_at=2, hold=True)) as (feed, server):
        # The script lies once per subscription: the second one never gets beyond it either.
        await until(feed, lambda book: book.market_seq >= 4)
        (heard,) = server.requests
        kinds = [request.WhichOneof("request") for request in heard]
    assert kinds.count("subscribe") >= 2
    assert "unsubscribe" in kinds


async def test_a_refused_subscription_raises_and_others_go_on() -> None:
    truth = full(30)

    async def script(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for request_id in subscriptions(requests):
            if request_id == 1:
                status = service_pb2.SubscriptionStatus(
                    request_id=1, active=False, reason="UNKNOWN_MARKET"
                )
                yield Response(status=status)
            else:
                yield data(request_id, truth.snapshot(), is_snapshot=True)

    async with market_data(script) as (feed, _):
        refused, good = feed.subscribe(1, Channel.L2), feed.subscribe(MARKET, Channel.L2)
        with pytest.raises(Rejected, match="UNKNOWN_MARKET"):
            await anext(refused)
        async with asyncio.timeout(SECONDS):
            assert (await anext(good)).is_snapshot


async def test_credit_is_given_back_as_updates_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cambist.client.limits.MARKET_DATA_CREDIT", 10)
    truth = full(30)
    granted = 0

    async def script(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
        nonlocal granted
        request_id, told = 0, 0
        async for request in requests:
            if request.HasField("credit"):
                granted += request.credit.messages
            elif request.HasField("subscribe"):
                request_id = request.subscribe.request_id
            while request_id and told < granted:
                is_snapshot = told == 0
                delta = truth.snapshot() if is_snapshot else truth.change([(True, 999, told)])
                yield data(request_id, delta, is_snapshot=is_snapshot)
                told += 1

    async with market_data(script) as (feed, _):
        await until(feed, lambda book: book.market_seq >= 100)
    assert granted >= 100


def event(account_seq: int, account_id: int = 4_096) -> private_pb2.PrivateEvent:
    report = private_pb2.ExecutionReport(
        exec_type=enums_pb2.EXEC_TYPE_NEW, order_id=account_seq, cl_ord_id=bytes(16)
    )
    return private_pb2.PrivateEvent(
        seq=account_seq, account_seq=account_seq, account_id=account_id, execution_report=report
    )


def row(last_seq: int, *account_seqs: int, **fields: Any) -> Any:
    events = private_pb2.PrivateEvents(events=[event(seq) for seq in account_seqs])
    return drop_copy_pb2.StreamPrivateEventsResponse(
        last_seq=last_seq, private_events=events.SerializeToString(), **fields
    )


def saying(*rows: Any) -> Script:
    async def script(_requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
        for each in rows:
            yield each

    return script


async def test_a_drop_copy_resumes_after_the_last_row_and_tells_nothing_twice() -> None:
    server = Scripted(
        "cambist.drop_copy.v1.DropCopyService",
        "StreamPrivateEvents",
        [
            saying(row(10, 1, 2), row(12)),
            # A page of a snapshot is no resume point; the stream breaks in the middle of it.
            saying(row(12, 2, 3), row(14, 9, snapshot=True, more_pages=True)),
            saying(row(13, 3, 4), row(15, 5)),
        ],
    )
    endpoint = await server.start(drop_copy_pb2.StreamPrivateEventsRequest, is_bidirectional=False)
    copy = DropCopy(Channels.open((endpoint,), None, Anonymous()), (4_096,), 0, 1)
    told: list[int] = []
    rows = copy.rows()
    async with asyncio.timeout(SECONDS):
        async for each in rows:
            assert all(isinstance(event, Accepted) for event in each.events)
            if not each.is_snapshot:
                told += [event.account_seq for event in each.events]
            if told and told[-1] == 5:
                break
    await rows.aclose()
    await copy.close()
    await server.stop()
    assert told == [1, 2, 3, 4, 5]
    assert [heard[0].resume_after_seq for heard in server.requests] == [0, 12, 12]
