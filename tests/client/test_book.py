"""A book takes only what fits: no gap, no wrong CRC, no level it cannot know."""

import struct
import zlib
from dataclasses import dataclass, field
from random import Random

import pytest

from cambist.client import limits
from cambist.client.book import Book
from cambist.client.enums import Channel
from cambist.client.errors import BookBroken
from cambist.client.market_data import Update, feed_book
from cambist.market_data.v1 import events_pb2

DEPTH = 40


@dataclass
class Truth:
    """The whole book, and its deltas as a venue tells them."""

    bids: dict[int, int] = field(default_factory=dict)
    asks: dict[int, int] = field(default_factory=dict)
    market_seq: int = 0

    def crc(self) -> int:
        best = [(price, self.bids[price]) for price in sorted(self.bids, reverse=True)[:10]]
        best += [(price, self.asks[price]) for price in sorted(self.asks)[:10]]
        return zlib.crc32(b"".join(struct.pack("<qq", *level) for level in best))

    def change(self, changes: list[tuple[bool, int, int]]) -> events_pb2.L2Delta:
        delta = events_pb2.L2Delta(
            first_market_seq=self.market_seq + 1,
            last_market_seq=self.market_seq + len(changes),
            prev_market_seq=self.market_seq,
        )
        self.market_seq = delta.last_market_seq
        for is_bid, price, lots in changes:
            side = self.bids if is_bid else self.asks
            side[price] = lots
            if not lots:
                del side[price]
            levels = delta.bids if is_bid else delta.asks
            levels.add(price_ticks=price, quantity_lots=lots, order_count=int(bool(lots)))
        delta.crc32 = self.crc()
        return delta

    def snapshot(self, depth: int = 0) -> events_pb2.L2Delta:
        delta = events_pb2.L2Delta(last_market_seq=self.market_seq, crc32=self.crc())
        for prices, side, levels in (
            (sorted(self.bids, reverse=True), self.bids, delta.bids),
            (sorted(self.asks), self.asks, delta.asks),
        ):
            for price in prices[: depth or None]:
                levels.add(price_ticks=price, quantity_lots=side[price], order_count=1)
        return delta


def full(levels: int = 100) -> Truth:
    truth = Truth()
    for away in range(1, levels + 1):
        truth.bids[1_000 - away] = truth.asks[1_000 + away] = away
    return truth


def test_a_book_follows_the_truth_through_random_changes() -> None:
    random, truth, book = Random(2), full(30), Book()
    book.snapshot(truth.snapshot())
    for _ in range(500):
        changes = []
        for price in random.sample(range(960, 1_040), random.randrange(1, 6)):
            is_bid = price < 1_000
            side = truth.bids if is_bid else truth.asks
            lots = random.choice([0, 5, 9])
            if lots or price in side:
                changes.append((is_bid, price, lots))
        if changes:
            book.apply(truth.change(changes))
    assert [level.price_ticks for level in book.bids] == sorted(truth.bids, reverse=True)
    assert {level.price_ticks: level.quantity_lots for level in book.asks} == truth.asks
    assert book.market_seq == truth.market_seq
    assert book.bids.best is not None
    assert len(book.asks.top(3)) == 3


def test_a_change_before_a_snapshot_is_refused() -> None:
    with pytest.raises(BookBroken) as caught:
        Book().apply(full().change([(True, 990, 1)]))
    assert caught.value.reason == "NO_SNAPSHOT"


def test_a_gap_breaks_the_book() -> None:
    truth, book = full(), Book()
    book.snapshot(truth.snapshot())
    truth.change([(True, 990, 1)])
    with pytest.raises(BookBroken) as caught:
        book.apply(truth.change([(True, 991, 1)]))
    assert caught.value.reason == "MARKET_GAP"
    assert not book.is_ready


def test_a_repeated_change_is_passed_over() -> None:
    truth, book = full(), Book()
    book.snapshot(truth.snapshot())
    change = truth.change([(True, 999, 7)])
    book.apply(change)
    book.apply(change)
    assert book.market_seq == 1


@pytest.mark.parametrize("is_snapshot", [True, False])
def test_a_wrong_crc_breaks_the_book(is_snapshot: bool) -> None:
    truth, book = full(), Book()
    delta = truth.snapshot()
    if not is_snapshot:
        book.snapshot(delta)
        delta = truth.change([(False, 1_001, 3)])
    delta.crc32 ^= 1
    with pytest.raises(BookBroken) as caught:
        book.snapshot(delta) if is_snapshot else book.apply(delta)
    assert caught.value.reason == "CRC_DIFFERS"
    assert not book.is_ready


def test_a_cut_book_knows_what_it_does_not_know() -> None:
    truth, book = full(levels=60), Book()
    book.snapshot(truth.snapshot(DEPTH), depth=DEPTH)
    gone = list(range(1, DEPTH - limits.CRC_LEVELS + 1))
    book.apply(truth.change([(False, 1_000 + away, 0) for away in gone]))
    with pytest.raises(BookBroken) as caught:
        book.apply(truth.change([(False, 1_000 + len(gone) + 1, 0)]))
    assert caught.value.reason == "BELOW_HORIZON"


def test_an_update_of_the_stream_is_a_snapshot_or_changes() -> None:
    truth, book = full(), Book()
    snapshot = Update(1, Channel.L2, 1, 0, 0, True, False, False, (truth.snapshot(DEPTH),))
    feed_book(book, snapshot, DEPTH)
    change = truth.change([(True, 999, 0)])
    feed_book(book, Update(1, Channel.L2, 2, 1, 0, False, False, False, (change,)), DEPTH)
    assert book.bids.best is not None
    assert book.bids.best.price_ticks == 998
