"""Event rows rebuild what the engine knows: books, best prices, levels, balances, open orders."""

import importlib
import importlib.util
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from cambist.feed import Image
from cambist.feed.row import frames as frames_of
from cambist.internal.journal.v1 import frames_pb2 as frames
from cambist.market_data.v1 import events_pb2 as market_data
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.conftest import best_engine
from tests.differential.engines import Engine, Row
from tests.differential.flow.stream import Stream
from tests.differential.operations import Placed
from tests.differential.small import SHARD, SmallTape
from tests.differential.state import State
from tests.differential.strategies import SECOND_TAPES, TAPES
from tests.differential.tape import Restore
from tests.differential.walk import walk

# The plain image, and the kernel's when it is built.
IMAGES: list[Any] = [Image]
if importlib.util.find_spec("cambist_kernel") is not None:
    IMAGES.append(importlib.import_module("cambist_kernel.feed").Image)
usual = settings(
    max_examples=60,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@dataclass(slots=True)
class Told:
    """Levels and best prices as L2 deltas and quotes told them."""

    last: int = 0
    levels: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    quote: tuple[int, int, int, int] = (0, 0, 0, 0)

    def delta(self, delta: market_data.L2Delta) -> None:
        """Folds in a delta, which must follow the one before it."""
        assert (delta.prev_market_seq, delta.first_market_seq) == (self.last, self.last + 1)
        self.last = delta.last_market_seq
        for side, levels in ((enums.SIDE_BUY, delta.bids), (enums.SIDE_SELL, delta.asks)):
            for level in levels:
                if level.quantity_lots:
                    told = (level.quantity_lots, level.order_count)
                    assert self.levels.get((side, level.price_ticks)) != told, "nothing changed"
                    self.levels[side, level.price_ticks] = told
                else:
                    del self.levels[side, level.price_ticks]

    def best(self, quote: market_data.BestBidOffer) -> None:
        """Takes in a quote, which must be another one."""
        told = (quote.bid_price_ticks, quote.bid_lots, quote.ask_price_ticks, quote.ask_lots)
        assert told != self.quote, "nothing changed"
        self.quote = told


class Follower:
    """Follows rows with an image and by hand, and compares both with the engine."""

    def __init__(self, shard: int) -> None:
        self.images = [make(shard) for make in IMAGES]
        self.told: dict[int, Told] = {}

    def row(self, row: bytes, first_seq: int, last_seq: int) -> None:
        """Takes in a row."""
        for image in self.images:
            image.apply(first_seq, last_seq, row)
        for frame in frames_of(row):
            told = self.told.setdefault(frame.key, Told())
            if frame.kind == frames.FRAME_KIND_L2:
                for delta in market_data.L2Deltas.FromString(frame.payload).deltas:
                    told.delta(delta)
            elif frame.kind == frames.FRAME_KIND_BBO:
                for quote in market_data.BestBidOffers.FromString(frame.payload).quotes:
                    told.best(quote)

    def compare(self, engine: Engine) -> None:
        """What was told is what the engine's snapshot says."""
        snapshot = engine.snapshot()
        state = State.of(snapshot)
        fresh = Image(state.head.shard)
        fresh.load_snapshot(snapshot)
        for book in state.books.books:
            self.compare_levels(fresh, book.market.market_id)
        for image in self.images:
            assert image.markets == fresh.markets
            assert image.last_seq == fresh.last_seq == engine.last_seq
            for market in fresh.markets:
                assert image.l3(market) == fresh.l3(market)
                assert image.l2(market, 0) == fresh.l2(market, 0)
                assert image.bbo(market) == fresh.bbo(market)
                assert image.status(market) == fresh.status(market)
            for account in state.limits.accounts:
                number = account.account.account_id
                assert image.balances(number) == fresh.balances(number)
                orders = fresh.open_orders(number, 0, 10_000)
                assert image.open_orders(number, 0, 10_000) == orders

    def compare_levels(self, fresh: Image, market: int) -> None:
        """L2 is the fold of L3, and the quote is its best levels."""
        (delta,) = market_data.L2Deltas.FromString(fresh.l2(market, 0)).deltas
        told = self.told.get(market, Told())
        assert told.levels == {
            (side, level.price_ticks): (level.quantity_lots, level.order_count)
            for side, levels in ((enums.SIDE_BUY, delta.bids), (enums.SIDE_SELL, delta.asks))
            for level in levels
        }
        (quote,) = market_data.BestBidOffers.FromString(fresh.bbo(market)).quotes
        best = (quote.bid_price_ticks, quote.bid_lots, quote.ask_price_ticks, quote.ask_lots)
        assert told.quote == best


def follow_short_tape(rules_version: int, placed: list[Placed]) -> None:
    """Images follow a small tape row by row."""
    kind = best_engine(rules_version)
    follower, last_seq = Follower(SHARD), 0
    for walked in walk(kind, SHARD, SmallTape(rules_version).steps(placed)):
        if walked.row is not None:
            follower.row(walked.row, last_seq + 1, walked.engine.last_seq)
            last_seq = walked.engine.last_seq
        follower.compare(walked.engine)


@usual
@given(TAPES)
def test_rows_of_short_tapes_rebuild_books_and_balances(placed: list[Placed]) -> None:
    follow_short_tape(1, placed)


@usual
@given(SECOND_TAPES)
def test_rows_of_short_tapes_of_the_second_rules_rebuild_them_too(placed: list[Placed]) -> None:
    follow_short_tape(2, placed)


@pytest.mark.parametrize("rules_version", [1, 2])
def test_rows_of_a_bulk_tape_rebuild_books_and_balances(rules_version: int) -> None:
    stream, kind = Stream(17, rules_version=rules_version), best_engine(rules_version)
    engine = kind.make(stream.world.shard)
    follower, number = Follower(stream.world.shard), 0
    while engine.last_seq < 12_000:
        step = stream.next_step()
        number += 1
        if isinstance(step, Restore):
            engine = kind.restore(engine.snapshot())
            continue
        before = engine.last_seq
        outcome = kind.apply(engine, step.batch)
        row = outcome.row if isinstance(outcome, Row) else None
        stream.observe(row, engine.last_seq, engine.open_cursors)
        if row is not None:
            follower.row(row, before + 1, engine.last_seq)
        if number % 20 == 0:
            follower.compare(engine)
