"""Readers of market data for tests: books rebuilt from a stream, and the engine's for truth."""

import asyncio
import itertools
import random
import struct
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from cambist.internal.journal.v1 import snapshot_pb2
from cambist.market_data.v1 import events_pb2, service_pb2, service_pb2_grpc
from cambist.orders.v1 import commands_pb2, enums_pb2
from tests.fakes.engines import Engine
from tests.gateway.venue import (
    ACCOUNT,
    MARKET,
    SECOND_ACCOUNT,
    Client,
    SessionClient,
    fresh_id,
    new_order,
)

Channel = service_pb2.Channel
BUY, SELL = enums_pb2.SIDE_BUY, enums_pb2.SIDE_SELL
Levels = dict[int, dict[int, tuple[int, int]]]


@dataclass
class L3Book:
    """Orders by public id, as told."""

    market_seq: int = 0
    orders: dict[int, list[int]] = field(default_factory=dict)

    def take(self, data: service_pb2.MarketData) -> None:
        events = events_pb2.L3Events.FromString(data.payload).events
        if data.snapshot:
            # The first page of a snapshot is not told apart: an empty book takes any.
            for event in events:
                self.add(event)
            self.market_seq = data.market_seq
            return
        for event in events:
            assert event.market_seq == self.market_seq + 1
            self.market_seq = event.market_seq
            match event.action:
                case events_pb2.L3_ACTION_ADD:
                    self.add(event)
                case events_pb2.L3_ACTION_MODIFY:
                    self.orders[event.public_order_id][2] = event.quantity_lots
                case events_pb2.L3_ACTION_DELETE:
                    del self.orders[event.public_order_id]
                case events_pb2.L3_ACTION_EXECUTE:
                    left = self.orders[event.public_order_id]
                    left[2] -= event.quantity_lots
                    if not left[2]:
                        del self.orders[event.public_order_id]
                case _:
                    pass

    def add(self, event: events_pb2.L3Event) -> None:
        self.orders[event.public_order_id] = [event.side, event.price_ticks, event.quantity_lots]


@dataclass
class L2Book:
    """Levels, checked against numbers and CRC of every delta."""

    market_seq: int = 0
    levels: Levels = field(default_factory=lambda: {BUY: {}, SELL: {}})
    snapshots: int = 0
    resnapshots: int = 0

    def take(self, data: service_pb2.MarketData) -> None:
        for delta in events_pb2.L2Deltas.FromString(data.payload).deltas:
            if data.snapshot:
                self.levels = {BUY: {}, SELL: {}}
                self.snapshots += 1
                self.resnapshots += data.resnapshot
            else:
                assert delta.prev_market_seq == self.market_seq
            self.market_seq = delta.last_market_seq
            for side, changed in ((BUY, delta.bids), (SELL, delta.asks)):
                for level in changed:
                    if level.quantity_lots:
                        told = level.quantity_lots, level.order_count
                        self.levels[side][level.price_ticks] = told
                    else:
                        del self.levels[side][level.price_ticks]
            assert delta.crc32 == crc_of(self.levels)


def crc_of(levels: Levels) -> int:
    best = [
        *sorted(levels[BUY].items(), reverse=True)[:10],
        *sorted(levels[SELL].items())[:10],
    ]
    return zlib.crc32(b"".join(struct.pack("<qq", price, lots) for price, (lots, _) in best))


def book_of(engine: Engine, market_id: int = MARKET) -> snapshot_pb2.BookState:
    """The book in the engine's own snapshot."""
    state = snapshot_pb2.Snapshot.FromString(engine.snapshot())
    books = snapshot_pb2.BooksSection.FromString(state.books).books
    return next(book for book in books if book.market.market_id == market_id)


def levels_of(book: snapshot_pb2.BookState) -> Levels:
    """The levels of a book of the engine."""
    levels: Levels = {}
    for side, orders in ((BUY, book.bids), (SELL, book.asks)):
        sums: dict[int, list[int]] = defaultdict(lambda: [0, 0])
        for order in orders:
            sums[order.price_ticks][0] += order.leaves_lots
            sums[order.price_ticks][1] += 1
        levels[int(side)] = {price: (lots, count) for price, (lots, count) in sums.items()}
    return levels


def queue_of(book: snapshot_pb2.BookState) -> list[tuple[int, int, int]]:
    """Side, price and open quantity of every order in queue order."""
    return [
        (int(side), order.price_ticks, order.leaves_lots)
        for side, orders in ((BUY, book.bids), (SELL, book.asks))
        for order in orders
    ]


class MarketDataClient:
    """One market data stream."""

    def __init__(self, call: Any) -> None:
        self.call = call
        self.ids = itertools.count(1)

    async def send(self, **request: Any) -> None:
        await self.call.write(service_pb2.MarketDataSessionRequest(**request))

    async def read(self, seconds: float = 10.0) -> service_pb2.MarketDataSessionResponse:
        async with asyncio.timeout(seconds):
            response = await self.call.read()
        if isinstance(response, service_pb2.MarketDataSessionResponse):
            return response
        raise AssertionError(f"{await self.call.code()}: {await self.call.details()}")

    async def read_kind(self, kind: str, seconds: float = 10.0) -> Any:
        """The next message of a kind; heartbeats are skipped."""
        while True:
            response = await self.read(seconds)
            found = response.WhichOneof("response")
            if found == kind:
                return getattr(response, kind)
            assert found == "heartbeat", response

    async def subscribe(
        self, channel: service_pb2.Channel.ValueType, **fields: Any
    ) -> service_pb2.SubscriptionStatus:
        """Asks and reads the status."""
        values = {"request_id": next(self.ids), "market_id": MARKET, "channel": channel}
        await self.send(subscribe=service_pb2.Subscribe(**{**values, **fields}))
        status = await self.read_kind("status")
        assert isinstance(status, service_pb2.SubscriptionStatus)
        return status

    async def data_until(self, market_seq: int) -> AsyncIterator[service_pb2.MarketData]:
        """Data up to this market_seq."""
        while True:
            data = await self.read_kind("data")
            yield data
            if data.market_seq >= market_seq and not data.more_pages:
                return


@asynccontextmanager
async def market_data(client: Client) -> AsyncIterator[MarketDataClient]:
    """A stream that said its welcome."""
    stub: Any = service_pb2_grpc.MarketDataServiceStub(client.channel)
    call = stub.MarketDataSession(metadata=client.metadata)
    opened = MarketDataClient(call)
    try:
        yield opened
    finally:
        call.cancel()


async def trade_at_random(session: SessionClient, batches: int, seed: int) -> None:
    """Batches of orders around one price by two accounts, with cancels; every one answered."""
    source = random.Random(seed)
    placed: list[tuple[int, bytes]] = []
    for _ in range(batches):
        commands: list[commands_pb2.Command] = []
        for _ in range(source.randrange(1, 6)):
            order = new_order(
                account_id=source.choice((ACCOUNT, SECOND_ACCOUNT)),
                side=source.choice((BUY, SELL)),
                price_ticks=source.randrange(95, 106),
                quantity_lots=source.randrange(1, 10),
            )
            placed.append((order.account_id, order.cl_ord_id))
            commands.append(commands_pb2.Command(new_order=order))
        await send(session, 1, commands)
        if source.random() < 0.6:
            account_id, identifier = placed.pop(source.randrange(len(placed)))
            cancel = commands_pb2.Cancel(
                request_id=fresh_id(),
                account_id=account_id,
                orig_cl_ord_id=identifier,
                sent_time_ns=commands[0].new_order.sent_time_ns,
            )
            await send(session, 2, [commands_pb2.Command(cancel=cancel)])


async def churn(session: SessionClient, pairs: int) -> None:
    """One batch of orders in pairs that trade with each other and leave nothing behind."""
    orders = [
        new_order(account_id=account_id, side=side)
        for _ in range(pairs)
        for account_id, side in ((ACCOUNT, BUY), (SECOND_ACCOUNT, SELL))
    ]
    await send(session, 1, [commands_pb2.Command(new_order=order) for order in orders])


async def send(
    session: SessionClient, command_class: int, commands: list[commands_pb2.Command]
) -> None:
    body = commands_pb2.Commands(commands=commands).SerializeToString()
    await session.send_body(command_class, body, len(commands))
    await session.session_events("applied")
