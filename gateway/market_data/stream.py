"""One market data stream: subscriptions that are ready, credit, and the one writer.

It never waits for its reader in the feed's path: what does not fit ends or shrinks as the channel
says.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cambist.market_data.v1 import service_pb2
from gateway import limits, wire
from gateway.market_data.subscription import Fit, Meter, Subscription, Update
from gateway.shard.frames import Piece
from runtime.clock import NANOSECONDS_PER_SECOND, Clock

Write = Callable[[bytes], Awaitable[None]]
Encode = Callable[[Subscription, Update], bytes]


@dataclass(frozen=True, slots=True)
class End:
    """Why a stream ended and how far it came."""

    reason: str
    last_seq: int


class Feeder:
    """Puts frames of one subscription into its stream; the hub calls it."""

    __slots__ = ("_stream", "subscription")

    def __init__(self, stream: "MarketDataStream", subscription: Subscription) -> None:
        self._stream = stream
        self.subscription = subscription

    def frame(self, _kind: int, piece: Piece) -> None:
        """A frame of the subscription's topic."""
        self._stream.taken(self.subscription, self.subscription.take(piece))

    def feed_lost(self) -> None:
        """The feed does not go on."""
        self._stream.end("FEED_LOST")


class MarketDataStream:
    """What one client subscribed to."""

    def __init__(self, clock: Clock, encode: Encode, *, bytes_max: int) -> None:
        self._clock = clock
        self._encode = encode
        self._bytes_max = bytes_max
        self.meter = Meter()
        self._feeders: dict[int, Feeder] = {}
        self._ready: deque[Subscription] = deque()
        self._control: deque[bytes] = deque()
        self._timers: set[asyncio.TimerHandle] = set()
        self._wake: asyncio.Event = asyncio.Event()
        # None = the client has never granted any: not paced.
        self.credit: int | None = None
        self.sent_seq = 0
        self.ended: End | None = None
        self._over = asyncio.Event()

    def __len__(self) -> int:
        return len(self._feeders)

    def has(self, request_id: int) -> bool:
        """Whether a subscription of this id lives."""
        return request_id in self._feeders

    def subscribe(self, subscription: Subscription) -> None:
        """Starts a subscription; its snapshot comes first."""
        feeder = Feeder(self, subscription)
        self._feeders[subscription.request_id] = feeder
        subscription.shard.frames.subscribe(feeder, [subscription.topic])
        self._mark(subscription)

    def unsubscribe(self, request_id: int) -> bool:
        """Ends a subscription; False when there is none."""
        feeder = self._feeders.pop(request_id, None)
        if feeder is None:
            return False
        subscription = feeder.subscription
        subscription.shard.frames.unsubscribe(feeder, [subscription.topic])
        subscription.forget()
        subscription.pages.clear()
        subscription.must_snapshot = False
        return True

    def close(self) -> None:
        """Ends all subscriptions and timers."""
        for request_id in list(self._feeders):
            self.unsubscribe(request_id)
        for timer in self._timers:
            timer.cancel()

    def taken(self, subscription: Subscription, fit: Fit) -> None:
        """A subscription took a frame."""
        if self.ended is not None:
            return
        if fit is Fit.KEPT and self.meter.bytes_waiting > self._bytes_max:
            fit = subscription.shrink()
        if fit is Fit.TOO_MUCH:
            self.end("SLOW_CONSUMER")
            return
        self._mark(subscription)

    def say(self, message: bytes) -> None:
        """Queues a message that needs no credit; few per request of the client."""
        if len(self._control) >= limits.OUTBOX_MESSAGES_MAX:
            self.end("SLOW_CONSUMER")
            return
        self._control.append(message)
        self._wake.set()

    def grant(self, messages: int) -> None:
        """More messages the client will take."""
        self.credit = min(limits.CREDIT_MAX, (self.credit or 0) + messages)
        self._wake.set()

    def end(self, reason: str) -> None:
        """The stream is over: what waits is freed at once."""
        if self.ended is None:
            self.ended = End(reason, self.sent_seq)
            self.close()
            self._ready.clear()
            self._control.clear()
            self._over.set()
            self._wake.set()

    async def wait_end(self) -> End:
        """Returns when the stream has ended, also while its writer is stuck."""
        await self._over.wait()
        assert self.ended is not None
        return self.ended

    def _mark(self, subscription: Subscription) -> None:
        if subscription.is_ready:
            return
        subscription.is_ready = True
        wait_ns = subscription.due_ns - self._clock.monotonic_ns()
        if subscription.conflation_ns and wait_ns > 0:
            self._later(subscription, wait_ns)
            return
        self._ready.append(subscription)
        self._wake.set()

    def _later(self, subscription: Subscription, wait_ns: int) -> None:
        loop = asyncio.get_running_loop()

        def due() -> None:
            self._timers.discard(timer)
            if self.ended is None:
                self._ready.append(subscription)
                self._wake.set()

        timer = loop.call_later(wait_ns / NANOSECONDS_PER_SECOND, due)
        self._timers.add(timer)

    async def run(self, write: Write, heartbeat: Callable[[], bytes] | None) -> End:
        """Writes until the stream has ended; the one writer. The caller says goodbye."""
        while True:
            if self.ended is not None:
                return self.ended
            if self._control:
                await write(self._control.popleft())
            elif self._ready and self.credit != 0:
                await self._send_next(write)
            else:
                await self._idle(write, heartbeat)

    async def _idle(self, write: Write, heartbeat: Callable[[], bytes] | None) -> None:
        self._wake.clear()
        try:
            async with asyncio.timeout(limits.MARKET_DATA_HEARTBEAT_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            if heartbeat is not None:
                await write(heartbeat())

    async def _send_next(self, write: Write) -> None:
        subscription = self._ready.popleft()
        subscription.is_ready = False
        update = await subscription.next_update()
        if update is None or self.ended is not None:
            return
        if self.credit is not None:
            self.credit -= 1
        await write(self._encode(subscription, update))
        self.sent_seq = max(self.sent_seq, update.seq)
        subscription.due_ns = self._clock.monotonic_ns() + subscription.conflation_ns
        if not subscription.is_empty:
            self._mark(subscription)


def encode_session_data(subscription: Subscription, update: Update) -> bytes:
    """A MarketDataSessionResponse; the part after request_id is encoded once per frame."""
    prefix = wire.number(1, subscription.request_id)
    piece = update.piece
    if piece is None:
        tail = encode_tail(subscription.market_id, update)
    else:
        if not piece.tail:
            piece.tail = encode_tail(subscription.market_id, update)
        tail = piece.tail
    field = service_pb2.MarketDataSessionResponse.DATA_FIELD_NUMBER
    return b"".join((wire.header(field, len(prefix) + len(tail)), prefix, tail))


def encode_tail(market_id: int, update: Update) -> bytes:
    """MarketData without its request_id."""
    return service_pb2.MarketData(
        market_id=market_id,
        seq=update.seq,
        snapshot=update.is_snapshot,
        resnapshot=update.is_resnapshot,
        more_pages=update.has_more,
        payload=update.payload,
        market_seq=update.market_seq,
        time_ns=update.time_ns,
    ).SerializeToString()
