"""A level 2 book that checks what it is fed: no gap in market_seq, and the venue's CRC.

Pure. What does not fit is BookBroken; the holder subscribes anew and gets a snapshot.
"""

import struct
import zlib
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Final

from cambist.client import limits
from cambist.client.errors import BookBroken
from cambist.market_data.v1 import events_pb2

CRC_LEVEL: Final = struct.Struct("<qq")


@dataclass(frozen=True, slots=True)
class Level:
    """One price level."""

    price_ticks: int
    quantity_lots: int
    order_count: int


@dataclass(slots=True)
class BookSide:
    """Levels of one side. `horizon_ticks`: worse prices than this one may be unknown."""

    is_bid: bool
    _levels: dict[int, Level] = field(default_factory=dict)
    # Ascending keys: negated prices of bids, so that the best is always first.
    _keys: list[int] = field(default_factory=list)
    horizon_ticks: int | None = None

    def __iter__(self) -> Iterator[Level]:
        """Best first."""
        return (self._levels[key] for key in self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def best(self) -> Level | None:
        """The best level, None on an empty side."""
        return self._levels[self._keys[0]] if self._keys else None

    def top(self, depth: int) -> list[Level]:
        """The best levels."""
        return [self._levels[key] for key in self._keys[:depth]]

    def clear(self) -> None:
        """Forgets all."""
        self._levels.clear()
        self._keys.clear()
        self.horizon_ticks = None

    def set(self, level: Level) -> None:
        """Sets a level; quantity 0 removes it."""
        key = -level.price_ticks if self.is_bid else level.price_ticks
        if not level.quantity_lots:
            if self._levels.pop(key, None) is not None:
                del self._keys[bisect_left(self._keys, key)]
            return
        if key not in self._levels:
            insort(self._keys, key)
        self._levels[key] = level

    def is_known(self, levels: int) -> bool:
        """Whether the best so many levels are surely all known."""
        if self.horizon_ticks is None:
            return True
        horizon = -self.horizon_ticks if self.is_bid else self.horizon_ticks
        return len(self._keys) >= levels and self._keys[levels - 1] <= horizon


class Book:
    """The price levels of one market."""

    def __init__(self) -> None:
        self.bids = BookSide(is_bid=True)
        self.asks = BookSide(is_bid=False)
        self.market_seq = 0
        self.is_ready = False

    def snapshot(self, delta: events_pb2.L2Delta, *, depth: int = 0) -> None:
        """Begins anew from a snapshot that was cut at `depth` levels per side (0 = not cut)."""
        for side, levels in ((self.bids, delta.bids), (self.asks, delta.asks)):
            side.clear()
            fill(side, levels)
            if depth and len(side) >= depth:
                side.horizon_ticks = side.top(depth)[-1].price_ticks
        self.market_seq = delta.last_market_seq
        self.is_ready = True
        self.check(delta.crc32)

    def apply(self, delta: events_pb2.L2Delta) -> None:
        """Applies a change. Raises BookBroken: NO_SNAPSHOT, MARKET_GAP, CRC_DIFFERS."""
        if not self.is_ready:
            raise BookBroken("NO_SNAPSHOT")
        if delta.last_market_seq <= self.market_seq:
            return
        if delta.prev_market_seq > self.market_seq:
            self.is_ready = False
            text = f"after {self.market_seq} came {delta.prev_market_seq}"
            raise BookBroken("MARKET_GAP", text)
        fill(self.bids, delta.bids)
        fill(self.asks, delta.asks)
        self.market_seq = delta.last_market_seq
        self.check(delta.crc32)

    def check(self, crc32: int) -> None:
        """Raises BookBroken: CRC_DIFFERS, or BELOW_HORIZON when levels of a cut are missing."""
        if not (self.bids.is_known(limits.CRC_LEVELS) and self.asks.is_known(limits.CRC_LEVELS)):
            self.is_ready = False
            raise BookBroken("BELOW_HORIZON", "deeper levels than the snapshot had are needed")
        if self.crc() != crc32:
            self.is_ready = False
            raise BookBroken("CRC_DIFFERS", f"at market_seq {self.market_seq}")

    def crc(self) -> int:
        """CRC32 over the best levels of both sides, as the venue computes it."""
        best = chain(islice(self.bids, limits.CRC_LEVELS), islice(self.asks, limits.CRC_LEVELS))
        packed = (CRC_LEVEL.pack(level.price_ticks, level.quantity_lots) for level in best)
        return zlib.crc32(b"".join(packed))


def fill(side: BookSide, levels: Iterable[events_pb2.L2Level]) -> None:
    """Sets levels from a message."""
    for level in levels:
        side.set(Level(level.price_ticks, level.quantity_lots, level.order_count))
