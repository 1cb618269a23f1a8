"""Market data: many subscriptions on one stream, paced by our credit.

Each subscription is iterated on its own. When the stream breaks every one of them is subscribed
again and begins with a snapshot; `Update.is_snapshot` tells.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from cambist.client import limits
from cambist.client.book import Book
from cambist.client.channels import Channels, Stream
from cambist.client.enums import Channel
from cambist.client.errors import BookBroken, Rejected, Unavailable, Unknown
from cambist.client.instruments import Market
from cambist.market_data.v1 import events_pb2
from cambist.market_data.v1 import service_pb2 as pb

METHOD: Final = "/cambist.market_data.v1.MarketDataService/MarketDataSession"
CONTAINERS: Final[dict[Channel, tuple[type[Any], str]]] = {
    Channel.L1: (events_pb2.BestBidOffers, "quotes"),
    Channel.L2: (events_pb2.L2Deltas, "deltas"),
    Channel.L3: (events_pb2.L3Events, "events"),
    Channel.TRADES: (events_pb2.Trades, "trades"),
    Channel.STATUS: (events_pb2.MarketStatuses, "statuses"),
}


@dataclass(frozen=True, slots=True)
class Update:
    """Messages of one subscription, true up to `seq` and `market_seq`.

    `items`: BestBidOffer, L2Delta, L3Event, Trade or MarketStatus of the contract, by channel.
    """

    market_id: int
    channel: Channel
    seq: int
    market_seq: int
    time_ns: int
    is_snapshot: bool
    # The snapshot comes because we were too slow.
    is_resnapshot: bool
    more_pages: bool
    items: tuple[Any, ...]


class Subscription:
    """Updates of one channel of one market: iterate it."""

    def __init__(self, feed: "MarketData", request: pb.Subscribe) -> None:
        self._feed = feed
        self.request = request
        self._updates: deque[Update] = deque()
        self._filled = asyncio.Event()
        self._error: Rejected | None = None
        self._is_closed = False

    @property
    def channel(self) -> Channel:
        """Its channel."""
        return Channel(self.request.channel)

    def put(self, update: Update) -> None:
        """An update came; how many can wait is bounded by the credit of the stream."""
        self._updates.append(update)
        self._filled.set()

    def restart(self) -> None:
        """The stream broke: what waits is older than the snapshot that comes."""
        self._feed.consumed(len(self._updates))
        self._updates.clear()

    def end(self, error: Rejected | None) -> None:
        """It was refused, or ended."""
        self._error = error
        self._is_closed = True
        self._filled.set()

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> Update:
        while not self._updates:
            if self._error is not None:
                raise self._error
            if self._is_closed:
                raise StopAsyncIteration
            self._filled.clear()
            await self._filled.wait()
        self._feed.consumed(1)
        return self._updates.popleft()

    async def aclose(self) -> None:
        """Unsubscribes."""
        self._feed.unsubscribe(self)


class MarketData:
    """One market data stream. `async with client.market_data() as feed`."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        self._subscriptions: dict[int, Subscription] = {}
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue()
        self._next_id = 1
        self._unused_credit = 0
        self._is_connected = False
        self._task: asyncio.Task[None] | None = None
        self.previous_end = ""

    async def open(self) -> Self:
        """Starts the stream."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="cambist-market-data")
        return self

    def __await__(self) -> Generator[Any, None, Self]:
        return self.open().__await__()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the stream and all subscriptions."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for subscription in self._subscriptions.values():
            subscription.end(None)
        await self._channels.close()

    # --- subscriptions

    def subscribe(
        self,
        market: Market | int,
        channel: Channel,
        *,
        depth: int = 0,
        conflation_ms: int = 0,
    ) -> Subscription:
        """A subscription; iterating it raises Rejected (UNKNOWN_MARKET …) when refused."""
        request = pb.Subscribe(
            request_id=self._next_id,
            market_id=market.market_id if isinstance(market, Market) else market,
            channel=pb.Channel.ValueType(channel),
            depth=depth,
            conflation_ms=conflation_ms,
        )
        self._next_id += 1
        subscription = Subscription(self, request)
        self._subscriptions[request.request_id] = subscription
        if self._is_connected:
            self._say(pb.MarketDataSessionRequest(subscribe=request))
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Ends a subscription."""
        request_id = subscription.request.request_id
        if self._subscriptions.pop(request_id, None) is not None and self._is_connected:
            unsubscribe = pb.Unsubscribe(request_id=request_id)
            self._say(pb.MarketDataSessionRequest(unsubscribe=unsubscribe))
        subscription.end(None)

    async def books(
        self, market: Market | int, *, conflation_ms: int = 0
    ) -> AsyncGenerator[Book, None]:
        """The book of a market after every change; the same object each time.

        A book that does not fit its feed is thrown away and begun anew, a bounded number of times.
        """
        broken = 0
        while True:
            subscription = self.subscribe(
                market, Channel.L2, depth=limits.BOOK_DEPTH, conflation_ms=conflation_ms
            )
            book = Book()
            try:
                async for update in subscription:
                    feed_book(book, update, limits.BOOK_DEPTH)
                    broken = 0
                    yield book
            except BookBroken:
                broken += 1
                if broken > limits.RESUBSCRIPTIONS_MAX:
                    raise
            else:
                return
            finally:
                await subscription.aclose()

    def consumed(self, messages: int) -> None:
        """Messages were taken; grants new credit when half of it is used."""
        self._unused_credit += messages
        if self._unused_credit >= limits.MARKET_DATA_CREDIT // 2 and self._is_connected:
            credit = pb.Credit(messages=self._unused_credit)
            self._unused_credit = 0
            self._say(pb.MarketDataSessionRequest(credit=credit))

    def _say(self, request: pb.MarketDataSessionRequest) -> None:
        self._outgoing.put_nowait(request.SerializeToString())

    # --- the stream

    async def _run(self) -> None:
        backoff_seconds = limits.BACKOFF_FIRST_SECONDS
        while True:
            error: Rejected | None = None
            try:
                stream = await self._channels.stream(METHOD, pb.MarketDataSessionResponse)
                try:
                    await self._converse(stream)
                    backoff_seconds = limits.BACKOFF_FIRST_SECONDS
                finally:
                    self._is_connected = False
                    stream.cancel()
            except (Unavailable, Unknown):
                pass
            except Rejected as refusal:
                error = None if self._channels.must_log_on(refusal) else refusal
            if error is not None:
                for subscription in self._subscriptions.values():
                    subscription.end(error)
                return
            self._channels.rotate()
            await asyncio.sleep(backoff_seconds)
            backoff_seconds = min(2 * backoff_seconds, limits.BACKOFF_MAX_SECONDS)

    async def _converse(self, stream: Stream[pb.MarketDataSessionResponse]) -> None:
        self._outgoing = asyncio.Queue()
        self._unused_credit = 0
        self._say(pb.MarketDataSessionRequest(credit=pb.Credit(messages=limits.MARKET_DATA_CREDIT)))
        for subscription in self._subscriptions.values():
            subscription.restart()
            self._say(pb.MarketDataSessionRequest(subscribe=subscription.request))
        self._unused_credit = 0
        self._is_connected = True
        writer = asyncio.create_task(self._write(stream, self._outgoing))
        try:
            while (message := await stream.read()) is not None:
                if not self._take(message):
                    return
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def _write(
        self, stream: Stream[pb.MarketDataSessionResponse], outgoing: "asyncio.Queue[bytes]"
    ) -> None:
        while True:
            await stream.write(await outgoing.get())

    def _take(self, message: pb.MarketDataSessionResponse) -> bool:
        """One message; False when the stream is over."""
        match message.WhichOneof("response"):
            case "data":
                self._data(message.data)
            case "status":
                status = message.status
                subscription = self._subscriptions.get(status.request_id)
                if subscription is not None and not status.active:
                    del self._subscriptions[status.request_id]
                    subscription.end(Rejected(status.reason or "ENDED"))
            case "welcome":
                self.previous_end = message.welcome.previous_end
            case "go_away":
                self.previous_end = message.go_away.reason
                return False
            case _:
                pass
        return True

    def _data(self, data: pb.MarketData) -> None:
        subscription = self._subscriptions.get(data.request_id)
        if subscription is None:
            self.consumed(1)
            return
        channel = subscription.channel
        container, field = CONTAINERS[channel]
        items = tuple(getattr(container.FromString(data.payload), field))
        subscription.put(
            Update(
                data.market_id,
                channel,
                data.seq,
                data.market_seq,
                data.time_ns,
                data.snapshot,
                data.resnapshot,
                data.more_pages,
                items,
            )
        )


def feed_book(book: Book, update: Update, depth: int) -> None:
    """Puts an L2 update into a book. Raises BookBroken."""
    for delta in update.items:
        if update.is_snapshot:
            book.snapshot(delta, depth=depth)
        else:
            book.apply(delta)
