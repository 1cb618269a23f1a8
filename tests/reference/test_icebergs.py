"""Icebergs under rules version 2: docs/semantics/icebergs.md."""

from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cambist.internal.journal.v1 import frames_pb2
from cambist.internal.journal.v1 import snapshot_pb2 as snapshots
from cambist.market_data.v1 import events_pb2 as market_events
from cambist.orders.v1 import enums_pb2 as enums
from tests.reference.conftest import ENGINES, founded_second
from tests.reference.told import Told
from tests.reference.triggers.orders import STOP_LIMIT
from tests.reference.venue import (
    BUY,
    FIRST,
    MARKET,
    SECOND,
    SELL,
    STRANGER,
    Placed,
    Venue,
)

IOC, FOK = enums.TIME_IN_FORCE_IOC, enums.TIME_IN_FORCE_FOK
DECREMENT = enums.SELF_TRADE_PREVENTION_DECREMENT
OLDEST = enums.SELF_TRADE_PREVENTION_CANCEL_OLDEST


def iceberg(venue: Venue, lots: int, display: int, price: int = 100, **fields: Any) -> Placed:
    """An iceberg that sells."""
    return venue.place(FIRST, SELL, price, lots, display_lots=display, **fields)


def buy(venue: Venue, lots: int, **fields: Any) -> Told:
    """Another buys at once."""
    return venue.send(venue.order(STRANGER, BUY, 100, lots, time_in_force=IOC, **fields))


def shown(venue: Venue) -> list[tuple[int, int, int]]:
    """Public id, shown and open lots of the asks, in queue order."""
    asks = venue.state.books.books[0].asks
    return [
        (o.public_order_id, o.shown_lots if o.display_lots else o.leaves_lots, o.leaves_lots)
        for o in asks
    ]


def test_only_the_display_is_shown(second_venue: Venue) -> None:
    venue = second_venue
    placed = iceberg(venue, 10, 3)
    assert placed.told.l3(MARKET) == ["ADD 1 SELL 3@100"]
    [delta] = placed.told.of_kind(frames_pb2.FRAME_KIND_L2)
    assert [(level.quantity_lots, level.order_count) for level in delta.asks] == [(3, 1)]
    [report] = placed.told.reports(FIRST)
    assert (report.display_lots, report.leaves_lots) == (3, 10)
    assert venue.send(placed.sent).reports(FIRST)[0].display_lots == 3


def test_an_eaten_display_is_refreshed_at_the_tail(second_venue: Venue) -> None:
    venue = second_venue
    iceberg(venue, 7, 3)
    venue.place(SECOND, SELL, 100, 2)
    told = buy(venue, 4)
    assert told.lines(FIRST) == [
        "TRADE 3@100 MAKER leaves 4 fee 2",
        "RESTATED 7 leaves 4 by 0",
    ]
    assert told.reports(FIRST)[1].public_order_id == 3
    assert told.l3(MARKET) == ["EXECUTE 1 3", "ADD 3 SELL 3@100", "EXECUTE 2 1"]
    assert shown(venue) == [(2, 1, 1), (3, 3, 4)]
    venue.restore()
    assert buy(venue, 9).lines(FIRST) == [
        "TRADE 3@100 MAKER leaves 1 fee 2",
        "RESTATED 7 leaves 1 by 0",
        "TRADE 1@100 MAKER leaves 0 fee 1",
    ]
    assert shown(venue) == []


def test_a_display_that_is_partly_eaten_keeps_its_place(second_venue: Venue) -> None:
    venue = second_venue
    iceberg(venue, 7, 3)
    assert buy(venue, 2).l3(MARKET) == ["EXECUTE 1 2"]
    assert shown(venue) == [(1, 1, 5)]


@pytest.mark.parametrize(
    "fields",
    [
        {"display_lots": -1},
        {"display_lots": 11},
        {"time_in_force": IOC},
        {"time_in_force": FOK},
        {"order_type": enums.ORDER_TYPE_MARKET, "price_ticks": 0, "time_in_force": IOC},
        {"order_type": STOP_LIMIT, "trigger_price_ticks": 5},
    ],
)
def test_a_display_does_not_go_with_everything(second_venue: Venue, fields: dict[str, Any]) -> None:
    sent = second_venue.order(FIRST, SELL, 100, 10, display_lots=2)
    for name, value in fields.items():
        setattr(sent, name, value)
    assert second_venue.send(sent).lines(FIRST) == ["REJECTED INVALID_COMBINATION"]


def test_a_display_is_of_whole_steps(second_venue: Venue) -> None:
    venue = second_venue
    venue.update_market(quantity_step_lots=2)
    off = venue.order(FIRST, SELL, 100, 10, display_lots=3)
    assert venue.send(off).lines(FIRST) == ["REJECTED OFF_LOT"]
    placed = iceberg(venue, 10, 4)
    told = venue.send(venue.amend(FIRST, placed.id, display_lots=3))
    assert told.lines(FIRST) == ["CANCEL REJECTED OFF_LOT"]


# --- amendments


AMENDMENTS: Final = [
    # Price, quantity, display; what the feed is told; shown and open lots after.
    ((0, 8, 0), [], (1, 4, 8)),
    ((0, 3, 0), ["MODIFY 1 3"], (1, 3, 3)),
    ((0, 0, 2), ["MODIFY 1 2"], (1, 2, 10)),
    ((0, 0, 5), ["DELETE 1", "ADD 3 SELL 5@100"], (3, 5, 10)),
    ((0, 11, 0), ["DELETE 1", "ADD 3 SELL 4@100"], (3, 4, 11)),
    ((101, 0, 0), ["DELETE 1", "ADD 3 SELL 4@101"], (3, 4, 10)),
    ((0, 8, 8), ["DELETE 1", "ADD 3 SELL 8@100"], (3, 8, 8)),
]


@pytest.mark.parametrize(("change", "feed", "after"), AMENDMENTS)
def test_an_iceberg_is_amended(
    second_venue: Venue,
    change: tuple[int, int, int],
    feed: list[str],
    after: tuple[int, int, int],
) -> None:
    venue = second_venue
    placed = iceberg(venue, 10, 4)
    venue.place(SECOND, SELL, 100, 1)
    price, lots, display = change
    told = venue.send(venue.amend(FIRST, placed.id, price, lots, display_lots=display))
    assert told.l3(MARKET) == feed
    assert after in shown(venue)
    assert told.reports(FIRST)[0].display_lots == (display or 4)


@pytest.mark.parametrize(
    ("display", "reason"),
    [(-1, "INVALID_COMBINATION"), (11, "INVALID_COMBINATION"), (4, "NOTHING_TO_AMEND")],
)
def test_a_display_that_cannot_be_is_refused(
    second_venue: Venue, display: int, reason: str
) -> None:
    placed = iceberg(second_venue, 10, 4)
    told = second_venue.send(second_venue.amend(FIRST, placed.id, display_lots=display))
    assert told.lines(FIRST) == [f"CANCEL REJECTED {reason}"]


def test_an_order_without_a_display_does_not_get_one(second_venue: Venue) -> None:
    placed = second_venue.place(FIRST, SELL, 100, 10)
    told = second_venue.send(second_venue.amend(FIRST, placed.id, display_lots=2))
    assert told.lines(FIRST) == ["CANCEL REJECTED INVALID_COMBINATION"]


# --- prevention and counts


def test_a_decrement_takes_the_hidden_part_first(second_venue: Venue) -> None:
    venue = second_venue
    iceberg(venue, 10, 4)
    for lots, feed, after in ((6, [], (1, 4, 4)), (1, ["MODIFY 1 3"], (1, 3, 3))):
        sent = venue.order(
            FIRST, BUY, 100, lots, time_in_force=IOC, self_trade_prevention=DECREMENT
        )
        assert venue.send(sent).l3(MARKET) == feed
        assert shown(venue) == [after]


def test_a_count_goes_as_the_matching_would(second_venue: Venue) -> None:
    """The second display stands behind the taker's own order, where the count ends."""
    venue = second_venue
    iceberg(venue, 6, 3)
    venue.place(STRANGER, SELL, 100, 1)
    for lots, line in ((4, "REJECTED FOK_NOT_FILLABLE"), (3, "NEW 3@100")):
        sent = venue.order(STRANGER, BUY, 100, lots, time_in_force=FOK)
        assert venue.send(sent).lines(STRANGER)[0] == line
    over = venue.order(STRANGER, BUY, 100, 3, time_in_force=FOK, self_trade_prevention=OLDEST)
    assert venue.send(over).lines(STRANGER)[0] == "NEW 3@100"


# --- state


@pytest.mark.parametrize(
    "change",
    [{"shown_lots": 0}, {"shown_lots": 5}, {"display_lots": 0}, {"display_lots": 2}],
)
def test_an_iceberg_that_cannot_be_is_refused(second_venue: Venue, change: dict[str, int]) -> None:
    iceberg(second_venue, 10, 4)
    whole = snapshots.Snapshot.FromString(second_venue.engine.snapshot())
    section = snapshots.BooksSection.FromString(whole.books)
    for name, value in change.items():
        setattr(section.books[0].asks[0], name, value)
    whole.books = section.SerializeToString(deterministic=True)
    kind = second_venue.kind
    with pytest.raises(kind.snapshot_refused):
        kind.restore(whole.SerializeToString(deterministic=True))


class Feed:
    """The book of a market, from its public events alone."""

    def __init__(self) -> None:
        self.places: dict[int, int] = {}

    def fold(self, told: Told) -> None:
        """Takes the events of a row in."""
        for event in told.of_kind(frames_pb2.FRAME_KIND_L3, MARKET):
            id_, lots = event.public_order_id, event.quantity_lots
            match event.action:
                case market_events.L3_ACTION_ADD:
                    assert id_ not in self.places
                    self.places[id_] = lots
                case market_events.L3_ACTION_MODIFY:
                    self.places[id_] = lots
                case market_events.L3_ACTION_DELETE:
                    del self.places[id_]
                case market_events.L3_ACTION_EXECUTE:
                    self.places[id_] -= lots
                    if not self.places[id_]:
                        del self.places[id_]


@pytest.mark.parametrize("engine_name", ENGINES)
@settings(
    max_examples=60,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([FIRST, SECOND, STRANGER]),
            st.sampled_from([BUY, SELL]),
            st.integers(98, 102),
            st.integers(1, 9),
            st.integers(0, 4),
            st.sampled_from(enums.SelfTradePrevention.values()),
        ),
        min_size=5,
        max_size=50,
    )
)
def test_the_public_events_rebuild_what_the_book_shows(
    engine_name: str, steps: list[tuple[int, Any, int, int, int, Any]]
) -> None:
    venue = founded_second(engine_name)
    feed = Feed()
    for number, (account, side, price, lots, display, mode) in enumerate(steps):
        if number % 5 == 4:
            feed.fold(venue.send(venue.amend(account, 1 + number * lots % 20, price, lots)))
        sent = venue.order(
            account, side, price, lots, display_lots=min(display, lots), self_trade_prevention=mode
        )
        feed.fold(venue.send(sent))
        book = venue.state.books.books[0]
        rows = {
            o.public_order_id: o.shown_lots if o.display_lots else o.leaves_lots
            for o in (*book.bids, *book.asks)
        }
        assert feed.places == rows
        if number % 7 == 6:
            venue.restore()
