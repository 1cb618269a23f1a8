"""One subscription of one stream: what waits for it, and what happens when that is too much.

L1 keeps the newest quote only. L2 keeps deltas, or forgets them and takes a snapshot. L3, trades
and status keep everything until the bound, then the stream has to end.
"""

import enum
from collections import deque
from dataclasses import dataclass, field

from cambist.market_data.v1 import service_pb2
from gateway import limits
from gateway.shard import rows
from gateway.shard.frames import Piece, Topic
from gateway.shard.image import FeedImage
from gateway.shard.shard import Shard

Channel = service_pb2.Channel
KINDS = {
    Channel.CHANNEL_L1: rows.BBO,
    Channel.CHANNEL_L2: rows.L2,
    Channel.CHANNEL_L3: rows.L3,
    Channel.CHANNEL_TRADES: rows.TRADES,
    Channel.CHANNEL_STATUS: rows.STATUS,
}


class Fit(enum.Enum):
    """What became of a piece."""

    KEPT = enum.auto()
    TOO_MUCH = enum.auto()


@dataclass(slots=True)
class Meter:
    """Bytes that wait in all subscriptions of a stream."""

    bytes_waiting: int = 0


@dataclass(frozen=True, slots=True)
class Update:
    """One message of a subscription before it is encoded."""

    payload: bytes
    seq: int
    market_seq: int
    time_ns: int = 0
    is_snapshot: bool = False
    is_resnapshot: bool = False
    has_more: bool = False
    # Set when the update is exactly one frame, which is encoded once for all.
    piece: Piece | None = None


@dataclass(slots=True)
class Subscription:
    """A market's channel on one stream."""

    request_id: int
    market_id: int
    channel: service_pb2.Channel.ValueType
    depth: int
    conflation_ns: int
    shard: Shard
    meter: Meter
    pieces: list[Piece] = field(default_factory=list)
    bytes_waiting: int = 0
    must_snapshot: bool = True
    is_resnapshot: bool = False
    pages: deque[Update] = field(default_factory=deque)
    due_ns: int = 0
    is_ready: bool = False

    @property
    def topic(self) -> Topic:
        """What it hears."""
        return KINDS[self.channel], self.market_id

    def take(self, piece: Piece) -> Fit:
        """Keeps a piece as its channel does; the snapshot that is still to come will hold it."""
        if self.must_snapshot:
            return Fit.KEPT
        if self.channel == Channel.CHANNEL_L1:
            self.pieces = [piece]
            self._set_bytes(len(piece.payload))
            return Fit.KEPT
        self.pieces.append(piece)
        self._set_bytes(self.bytes_waiting + len(piece.payload))
        if (
            len(self.pieces) <= limits.SUBSCRIPTION_PIECES_MAX
            and self.bytes_waiting <= limits.SUBSCRIPTION_BYTES_MAX
        ):
            return Fit.KEPT
        return self.shrink()

    def shrink(self) -> Fit:
        """Forgets what waits where a snapshot can stand for it, and where little waits."""
        if self.channel == Channel.CHANNEL_L1:
            return Fit.KEPT
        if self.channel == Channel.CHANNEL_L2:
            self.forget()
            self.must_snapshot = self.is_resnapshot = True
            return Fit.KEPT
        return Fit.TOO_MUCH

    def forget(self) -> None:
        """Drops what waits."""
        self.pieces = []
        self._set_bytes(0)

    def _set_bytes(self, count: int) -> None:
        self.meter.bytes_waiting += count - self.bytes_waiting
        self.bytes_waiting = count

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to send."""
        return not (self.pieces or self.pages or self.must_snapshot)

    async def next_update(self) -> Update | None:
        """The next message; None when there is none after all."""
        if self.must_snapshot:
            await self._take_snapshot()
        if self.pages:
            return self.pages.popleft()
        if not self.pieces:
            return None
        pieces = self.pieces
        self.forget()
        last = pieces[-1]
        if len(pieces) == 1:
            payload, piece = last.payload, last
        else:
            # Containers of one repeated field: their bytes joined are the container of both.
            payload, piece = b"".join(one.payload for one in pieces), None
        return Update(payload, last.seq, last.market_seq, last.time_ns, piece=piece)

    async def _take_snapshot(self) -> None:
        """Reads the present from the image; what waited is in it already."""
        async with self.shard.feed.still_image() as image:
            self.forget()
            self.must_snapshot = False
            payload = self._read(image)
            seq, market_seq = image.last_seq, image.market_seq(self.market_id)
        pages = split_pages(payload) if self.channel == Channel.CHANNEL_L3 else [payload]
        for index, page in enumerate(pages):
            self.pages.append(
                Update(
                    page,
                    seq,
                    market_seq,
                    is_snapshot=True,
                    is_resnapshot=self.is_resnapshot,
                    has_more=index + 1 < len(pages),
                )
            )
        self.is_resnapshot = False

    def _read(self, image: FeedImage) -> bytes:
        match self.channel:
            case Channel.CHANNEL_L1:
                return image.bbo(self.market_id)
            case Channel.CHANNEL_L2:
                return image.l2(self.market_id, self.depth)
            case Channel.CHANNEL_L3:
                return image.l3(self.market_id)
            case Channel.CHANNEL_STATUS:
                return image.status(self.market_id)
        return b""


def split_pages(container: bytes, page_bytes_max: int = limits.PAGE_BYTES_MAX) -> list[bytes]:
    """A container of one repeated field in pages, cut between its messages."""
    if len(container) <= page_bytes_max:
        return [container]
    pages: list[bytes] = []
    start = position = 0
    while position < len(container):
        length, shift, after = 0, 0, position + 1
        while True:
            byte = container[after]
            after += 1
            length |= (byte & 0x7F) << shift
            if byte < 128:
                break
            shift += 7
        end = after + length
        if end - start > page_bytes_max and position > start:
            pages.append(container[start:position])
            start = position
        position = end
    pages.append(container[start:])
    return pages
