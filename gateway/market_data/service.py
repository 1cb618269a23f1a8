"""MarketDataService: the session, its server-stream twins, and one question."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from cambist.market_data.v1 import service_pb2
from cambist.orders.v1 import enums_pb2
from gateway import limits, wire
from gateway.door.accounts import SHARD_BITS, shard_of
from gateway.door.calls import Call, Received, StreamCall
from gateway.errors import denied, exhausted, invalid, not_found, unauthenticated, unavailable
from gateway.identity.callers import Callers
from gateway.identity.keys import Caller
from gateway.identity.session_store import PreviousEnd, SessionStore
from gateway.market_data.stream import End, MarketDataStream, encode_session_data
from gateway.market_data.subscription import KINDS, Channel, Subscription, Update
from gateway.shard.shard import Shard
from runtime import logs
from runtime.clock import NANOSECONDS_PER_MILLISECOND, Clock
from runtime.errors import Unavailable, Unknown

LOGGER = logs.get(__name__)
Stream = StreamCall[service_pb2.MarketDataSessionRequest]
# The only end that is remembered.
SLOW_CONSUMER = 1


@dataclass(frozen=True, slots=True)
class MarketDataParts:
    """What the service stands on."""

    shards: Mapping[int, Shard]
    callers: Callers
    store: SessionStore
    clock: Clock


class MarketDataService:
    """Market data streams of this process."""

    def __init__(self, parts: MarketDataParts) -> None:
        self._parts = parts
        self._streams: set[MarketDataStream] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def market_data_session(self, call: Stream) -> None:
        """One stream with subscriptions and credit."""
        shard = shard_of(self._parts.shards, min(self._parts.shards))
        stream = self._make_stream(encode_session_data)
        subject = f"market_data/{call.caller.key_id}"
        previous = await self._parts.store.take_end(subject)
        welcome = service_pb2.MarketDataWelcome(seq=shard.feed.image_seq)
        if previous is not None:
            welcome.previous_end, welcome.previous_last_seq = "SLOW_CONSUMER", previous.last_seq
        stream.say(respond(welcome=welcome))

        def heartbeat() -> bytes:
            beat = service_pb2.MarketDataHeartbeat(seq=shard.feed.image_seq)
            return respond(heartbeat=beat)

        with self._holding(stream, call.caller):
            reader = asyncio.create_task(self._read(call, stream))
            writer = asyncio.create_task(stream.run(call.write, heartbeat))
            # Outlives the call: a client that is cut off has to be told as well.
            remember = asyncio.create_task(self._remember_slow(stream, subject))
            self._tasks.add(remember)
            remember.add_done_callback(self._tasks.discard)
            try:
                await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
                if reader.done():
                    reader.result()
                    stream.end("FINISHED")
                end = await writer
                await call.write(respond(go_away=self._go_away(end)))
            finally:
                reader.cancel()
                writer.cancel()
                await asyncio.gather(reader, writer, return_exceptions=True)

    def _go_away(self, end: End) -> service_pb2.MarketDataGoAway:
        return service_pb2.MarketDataGoAway(reason=end.reason, last_seq=end.last_seq)

    async def _remember_slow(self, stream: MarketDataStream, subject: str) -> None:
        """Keeps at once why a stalled stream ended: its writer may never run again."""
        end = await stream.wait_end()
        if end.reason != "SLOW_CONSUMER":
            return
        LOGGER.info("slow consumer", subject=subject, last_seq=end.last_seq)
        previous = PreviousEnd(SLOW_CONSUMER, end.last_seq)
        try:
            await self._parts.store.remember_end(subject, previous, self._parts.clock.wall_ns())
        except (Unavailable, Unknown) as error:
            LOGGER.warning("end not remembered", subject=subject, error=str(error))

    async def _read(self, call: Stream, stream: MarketDataStream) -> None:
        """Requests of the client until it has said its last."""
        while stream.ended is None:
            received = await call.read()
            if received is None:
                return
            request = received.message
            if request is None:
                stream.say(status(0, "MALFORMED_REQUEST"))
                continue
            match request.WhichOneof("request"):
                case "subscribe":
                    self._subscribe(call.caller, stream, request.subscribe)
                case "unsubscribe":
                    request_id = request.unsubscribe.request_id
                    known = stream.unsubscribe(request_id)
                    stream.say(status(request_id, "UNSUBSCRIBED" if known else "UNKNOWN_REQUEST"))
                case "credit":
                    if not 1 <= request.credit.messages <= limits.CREDIT_GRANT_MAX:
                        stream.say(status(0, "BAD_CREDIT"))
                    else:
                        stream.grant(request.credit.messages)
                case _:
                    stream.say(status(0, "MALFORMED_REQUEST"))

    def _subscribe(
        self, caller: Caller, stream: MarketDataStream, request: service_pb2.Subscribe
    ) -> None:
        reason = self._refusal(caller, stream, request)
        if reason:
            stream.say(status(request.request_id, reason))
            return
        stream.say(respond(status=active(request.request_id)))
        stream.subscribe(self._subscription(request, stream))

    def _refusal(
        self, caller: Caller, stream: MarketDataStream, request: service_pb2.Subscribe
    ) -> str:
        """Why a subscription cannot be; empty when it can."""
        market_id = request.market_id
        shard = self._parts.shards.get(market_id >> SHARD_BITS)
        if not request.request_id or stream.has(request.request_id):
            return "DUPLICATE_REQUEST_ID"
        if request.channel not in KINDS:
            return "UNSUPPORTED_CHANNEL"
        if shard is None:
            return "WRONG_SHARD"
        if market_id not in shard.feed.reference.markets:
            return "UNKNOWN_MARKET"
        if not caller.may_see_market(market_id):
            return "MARKET_NOT_PERMITTED"
        if request.depth > limits.DEPTH_MAX:
            return "BAD_DEPTH"
        if request.conflation_ms > limits.CONFLATION_MAXIMUM_MS or (
            request.conflation_ms
            and request.channel not in (Channel.CHANNEL_L1, Channel.CHANNEL_L2)
        ):
            return "BAD_CONFLATION"
        return "TOO_MANY" if len(stream) >= limits.SUBSCRIPTIONS_MAX else ""

    def _subscription(
        self, request: service_pb2.Subscribe, stream: MarketDataStream
    ) -> Subscription:
        return Subscription(
            request_id=request.request_id,
            market_id=request.market_id,
            channel=request.channel,
            depth=request.depth or limits.DEPTH_DEFAULT,
            conflation_ns=request.conflation_ms * NANOSECONDS_PER_MILLISECOND,
            shard=self._parts.shards[request.market_id >> SHARD_BITS],
            meter=stream.meter,
        )

    async def stream_level2(
        self, received: Received[service_pb2.StreamLevel2Request], call: Call
    ) -> None:
        """Level 2 of several markets."""
        request = received.message
        assert request is not None
        template = service_pb2.Subscribe(
            channel=Channel.CHANNEL_L2, depth=request.depth, conflation_ms=request.conflation_ms
        )
        await self._stream_all(call, list(request.market_ids), template, encode_level2)

    async def stream_trades(
        self, received: Received[service_pb2.StreamTradesRequest], call: Call
    ) -> None:
        """Trades of several markets."""
        request = received.message
        assert request is not None
        template = service_pb2.Subscribe(channel=Channel.CHANNEL_TRADES)
        await self._stream_all(call, list(request.market_ids), template, encode_plain)

    async def stream_best_bid_offer(
        self, received: Received[service_pb2.StreamBestBidOfferRequest], call: Call
    ) -> None:
        """Best bid and offer of several markets."""
        request = received.message
        assert request is not None
        template = service_pb2.Subscribe(
            channel=Channel.CHANNEL_L1, conflation_ms=request.conflation_ms
        )
        await self._stream_all(call, list(request.market_ids), template, encode_plain)

    async def _stream_all(
        self,
        call: Call,
        market_ids: list[int],
        template: service_pb2.Subscribe,
        encode: Callable[[Subscription, Update], bytes],
    ) -> None:
        """A server stream: subscriptions without credit, faults instead of messages."""
        if not 1 <= len(set(market_ids)) <= limits.STREAM_MARKETS_MAX:
            raise invalid("market_ids", f"not 1 to {limits.STREAM_MARKETS_MAX}")
        stream = self._make_stream(encode)
        with self._holding(stream, call.caller):
            for number, market_id in enumerate(dict.fromkeys(market_ids), start=1):
                template.request_id, template.market_id = number, market_id
                reason = self._refusal(call.caller, stream, template)
                if reason in {"UNKNOWN_MARKET", "WRONG_SHARD"}:
                    raise not_found("UNKNOWN_MARKET", f"no market {market_id}")
                if reason == "MARKET_NOT_PERMITTED":
                    raise denied(reason, f"market {market_id} is not on the key's list")
                if reason:
                    raise invalid("depth" if reason == "BAD_DEPTH" else "conflation_ms", reason)
                stream.subscribe(self._subscription(template, stream))
            raise_end(await stream.run(call.write, None))

    async def get_level2(
        self, received: Received[service_pb2.GetLevel2Request], call: Call
    ) -> service_pb2.GetLevel2Response:
        """Level 2 of one market now."""
        request = received.message
        assert request is not None
        market_id = request.market_id
        shard = self._parts.shards.get(market_id >> SHARD_BITS)
        if shard is None or market_id not in shard.feed.reference.markets:
            raise not_found("UNKNOWN_MARKET", f"no market {market_id}")
        if not call.caller.may_see_market(market_id):
            raise denied("MARKET_NOT_PERMITTED", f"market {market_id} is not on the key's list")
        if not 1 <= request.depth <= limits.DEPTH_MAX:
            raise invalid("depth", f"not 1 to {limits.DEPTH_MAX}")
        async with shard.feed.still_image() as image:
            return service_pb2.GetLevel2Response(
                seq=image.last_seq,
                payload=image.l2(market_id, request.depth),
                phase=phase_of(shard, market_id),
            )

    def drain(self) -> None:
        """Ends every stream with DRAINING: market data has nothing to lose, clients come back."""
        for stream in list(self._streams):
            stream.end("DRAINING")

    def _make_stream(self, encode: Callable[[Subscription, Update], bytes]) -> MarketDataStream:
        return MarketDataStream(self._parts.clock, encode, bytes_max=limits.MARKET_DATA_BYTES_MAX)

    @contextmanager
    def _holding(self, stream: MarketDataStream, caller: Caller) -> Iterator[None]:
        """Ends the stream with its key, and frees everything at the end."""
        self._streams.add(stream)

        def key_gone(reason: str) -> None:
            stream.end("KEY_REVOKED" if reason != "KEY_CHANGED" else reason)

        try:
            with self._parts.callers.watching(caller, key_gone):
                yield
        finally:
            self._streams.discard(stream)
            stream.end("FINISHED")


def raise_end(end: End) -> None:
    """The fault that a server stream ends with."""
    if end.reason == "SLOW_CONSUMER":
        error = exhausted("SLOW_CONSUMER", f"read up to sequence {end.last_seq}", 1.0)
        raise error
    if end.reason.startswith("KEY_"):
        raise unauthenticated(end.reason, "the key was revoked or changed")
    raise unavailable(end.reason, "start the stream again")


def phase_of(shard: Shard, market_id: int) -> enums_pb2.MarketPhase.ValueType:
    """Phase of a market that exists."""
    return shard.feed.reference.markets[market_id].phase


def respond(**member: object) -> bytes:
    """A response of the session with one member."""
    response = service_pb2.MarketDataSessionResponse(**member)  # type: ignore[arg-type]
    return response.SerializeToString()


def status(request_id: int, reason: str) -> bytes:
    """A subscription was refused or has ended."""
    return respond(status=service_pb2.SubscriptionStatus(request_id=request_id, reason=reason))


def active(request_id: int) -> service_pb2.SubscriptionStatus:
    """A subscription has started."""
    return service_pb2.SubscriptionStatus(request_id=request_id, active=True)


def encode_level2(subscription: Subscription, update: Update) -> bytes:
    """A StreamLevel2Response."""
    return b"".join(
        (
            wire.number(1, subscription.market_id),
            wire.number(2, int(update.is_snapshot)),
            wire.header(3, len(update.payload)),
            update.payload,
        )
    )


def encode_plain(subscription: Subscription, update: Update) -> bytes:
    """A StreamTradesResponse or StreamBestBidOfferResponse."""
    return b"".join(
        (
            wire.number(1, subscription.market_id),
            wire.header(2, len(update.payload)),
            update.payload,
        )
    )
