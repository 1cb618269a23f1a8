"""Section 3, steps 1 and 2: work that the venue does at the start of a batch, within its bound."""

import pytest

from cambist.internal.journal.v1 import frames_pb2
from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import enums_pb2 as enums
from matching.reference import limits
from tests.differential.flow import messages
from tests.reference.venue import (
    BASE,
    BUY,
    FIRST,
    MARKET,
    OTHER_MARKET,
    SECOND,
    SECOND_NS,
    SELL,
    STRANGER,
    Placed,
    Venue,
)

GTD = enums.TIME_IN_FORCE_GTD
WORK = 5


@pytest.fixture
def little_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference engine may touch few orders in a batch."""
    monkeypatch.setattr(limits, "WORK_ORDERS_MAX", WORK)


def dated(venue: Venue, lots: int, end: int, market_id: int = MARKET) -> Placed:
    """An ask that ends."""
    life = {"time_in_force": GTD, "expire_time_ns": end, "market_id": market_id}
    return venue.place(FIRST, SELL, 100 + lots % 3, lots, **life)


def clock(venue: Venue) -> list[str]:
    """A batch that does nothing by itself; what the account is told."""
    return venue.operate(system.Clock()).lines(FIRST)


# --- cursors


def test_a_killed_market_is_cleared_in_the_next_batch(venue: Venue) -> None:
    for side, price, lots in ((BUY, 90, 1), (BUY, 91, 2), (SELL, 110, 3), (SELL, 109, 4)):
        venue.place(FIRST, side, price, lots)
    venue.place(SECOND, BUY, 91, 5)
    told = venue.kill_market()
    assert told.system() == ["answer", "kill_switch"]
    assert told.private() == []
    assert venue.engine.open_cursors == 1
    first = venue.engine.last_seq + 1
    told = venue.operate(system.Clock(), system.Clock())
    # Bids best first in queue order, then asks.
    cleared = [event.execution_report.quantity_lots for event in told.private()]
    assert sorted(cleared) == [1, 2, 3, 4, 5]
    assert told.l3(MARKET) == ["DELETE 2", "DELETE 5", "DELETE 1", "DELETE 4", "DELETE 3"]
    assert told.lines(SECOND) == ["CANCELED MARKET_CLEARED 5 cum 0"]
    assert told.system() == ["cursor_closed", "answer", "answer"]
    closed = told.system_events()[0]
    assert closed.seq == first
    assert closed.cursor_closed == frames_pb2.CursorClosed(market_id=MARKET, cancelled_count=5)
    assert {(e.seq, e.received_ns) for e in told.private()} == {(first, venue.now)}
    assert venue.engine.open_cursors == 0
    assert not venue.state.books.books[0].clearing


@pytest.mark.usefixtures("little_work")
def test_clearing_goes_on_in_later_batches(reference_venue: Venue) -> None:
    venue = reference_venue
    for lots in range(1, WORK + 4):
        venue.place(FIRST, BUY, 90, lots)
    venue.kill_market()
    assert clock(venue) == [f"CANCELED MARKET_CLEARED {n} cum 0" for n in range(1, WORK + 1)]
    assert venue.engine.open_cursors == 1
    # Switching off does not stop the clearing; nothing is taken meanwhile.
    venue.restore()
    told = venue.apply(
        messages.system_envelope(
            [system.KillSwitch(scope=system.KILL_SCOPE_MARKET, target_id=MARKET, active=False)]
        ),
        venue.unary(venue.order(FIRST, BUY, 90, 99)),
    )
    assert told.lines(FIRST) == [
        *(f"CANCELED MARKET_CLEARED {n} cum 0" for n in range(WORK + 1, WORK + 4)),
        "NEW 99@90",
    ]
    assert told.system()[0] == "cursor_closed"
    assert told.system_events()[0].cursor_closed.cancelled_count == WORK + 3


@pytest.mark.usefixtures("little_work")
def test_a_market_that_is_being_cleared_takes_cancels_only(reference_venue: Venue) -> None:
    venue = reference_venue
    placed = [venue.place(FIRST, BUY, 90, lots) for lots in range(1, 3 * WORK)]
    venue.kill_market()
    told = venue.apply(
        venue.unary(venue.order(SECOND, BUY, 90, 1)),
        venue.unary(venue.amend(FIRST, placed[-1].id, lots=1)),
        venue.unary(venue.cancel(FIRST, placed[-1].id)),
        venue.unary(venue.cancel(FIRST, placed[0].id)),
    )
    assert told.lines(SECOND) == ["REJECTED KILLED"]
    assert told.lines(FIRST)[WORK:] == [
        "CANCEL REJECTED KILLED",
        f"CANCELED REQUESTED {3 * WORK - 1} cum 0",
        "CANCEL REJECTED ORDER_CLOSED",
    ]
    assert venue.engine.open_cursors == 1


@pytest.mark.usefixtures("little_work")
def test_cursors_of_all_markets_and_timers_share_the_work(reference_venue: Venue) -> None:
    venue = reference_venue
    end = venue.now + SECOND_NS
    for lots in range(1, 4):
        venue.place(SECOND, BUY, 90, lots)
        venue.place(SECOND, BUY, 90, lots + 10, market_id=OTHER_MARKET)
        dated(venue, lots + 20, end, OTHER_MARKET)
    venue.kill_market(OTHER_MARKET)
    told = venue.operate(
        system.KillSwitch(scope=system.KILL_SCOPE_MARKET, target_id=MARKET, active=True)
    )
    # The other market had six orders: its cursor had work for five.
    assert len(told.private()) == WORK
    venue.wait(SECOND_NS)
    # Market 1 has three orders, market 2 one that its cursor takes; one is left for timers.
    told = venue.operate(system.Clock())
    assert told.system() == ["cursor_closed", "cursor_closed", "answer"]
    assert told.lines(SECOND) == [f"CANCELED MARKET_CLEARED {n} cum 0" for n in (1, 2, 3)]
    assert told.lines(FIRST) == ["CANCELED MARKET_CLEARED 23 cum 0"]
    assert venue.engine.next_timer_ns == 0


# --- timers


def test_orders_end_by_their_time_then_by_their_number(venue: Venue) -> None:
    start = venue.now
    for lots, seconds in ((1, 20), (2, 10), (3, 20), (4, 10), (5, 30)):
        dated(venue, lots, start + seconds * SECOND_NS, OTHER_MARKET if lots % 2 else MARKET)
    venue.wait(25 * SECOND_NS)
    first = venue.engine.last_seq + 1
    told = venue.operate(system.Clock(), system.Clock())
    assert told.lines(FIRST) == [f"EXPIRED {lots} cum 0" for lots in (2, 4, 1, 3)]
    assert {(e.seq, e.received_ns) for e in told.private()} == {(first, venue.now)}
    assert venue.engine.next_timer_ns == start + 30 * SECOND_NS
    assert venue.balance(FIRST, BASE)[1] == 500


@pytest.mark.parametrize(("early_ns", "told"), [(1, []), (0, ["EXPIRED 4 cum 0"])])
def test_an_order_ends_at_its_time_and_not_before(
    venue: Venue, early_ns: int, told: list[str]
) -> None:
    end = venue.now + SECOND_NS
    dated(venue, 4, end)
    venue.wait(end - venue.now - 1_000 - early_ns)
    assert clock(venue) == told


def test_what_is_due_ends_before_anything_trades(venue: Venue) -> None:
    dated(venue, 4, venue.now + SECOND_NS)
    venue.wait(SECOND_NS)
    told = venue.place(STRANGER, BUY, 110, 4).told
    assert told.trades(MARKET) == []
    assert told.lines(FIRST) == ["EXPIRED 4 cum 0"]


def test_orders_end_in_a_halted_market(venue: Venue) -> None:
    dated(venue, 4, venue.now + SECOND_NS)
    venue.set_phase(enums.MARKET_PHASE_HALTED)
    venue.wait(SECOND_NS)
    assert clock(venue) == ["EXPIRED 4 cum 0"]


def test_a_closed_order_has_no_timer(venue: Venue) -> None:
    end = venue.now + SECOND_NS
    filled, cancelled = dated(venue, 1, end), dated(venue, 2, end)
    venue.place(STRANGER, BUY, 101, 1)
    venue.send(venue.cancel(FIRST, cancelled.id))
    assert venue.engine.next_timer_ns == 0
    venue.wait(SECOND_NS)
    assert clock(venue) == []
    assert filled.order_id != cancelled.order_id


@pytest.mark.usefixtures("little_work")
def test_a_market_with_due_orders_left_over_takes_none(reference_venue: Venue) -> None:
    venue = reference_venue
    end = venue.now + SECOND_NS
    bid = venue.place(SECOND, BUY, 50, 7)
    for lots in range(1, WORK + 3):
        dated(venue, lots, end)
    # The other market has orders that end, but none that is due.
    dated(venue, 30, end + SECOND_NS, OTHER_MARKET)
    venue.wait(SECOND_NS)
    amendment = venue.amend(SECOND, bid.id, lots=6)
    told = venue.apply(
        venue.unary(venue.order(SECOND, BUY, 50, 1)),
        venue.unary(amendment),
        venue.unary(venue.order(SECOND, BUY, 50, 1, market_id=OTHER_MARKET)),
        venue.unary(venue.cancel(SECOND, bid.id)),
    )
    assert told.lines(FIRST) == [f"EXPIRED {lots} cum 0" for lots in range(1, WORK + 1)]
    assert told.lines(SECOND) == [
        "REJECTED PHASE CANCEL_ONLY",
        "CANCEL REJECTED PHASE CANCEL_ONLY",
        "NEW 1@50",
        "CANCELED REQUESTED 7 cum 0",
    ]
    assert venue.engine.next_timer_ns == end
    told = venue.send(venue.order(SECOND, BUY, 50, 1))
    assert told.lines(FIRST) == [f"EXPIRED {lots} cum 0" for lots in (WORK + 1, WORK + 2)]
    assert told.lines(SECOND) == ["NEW 1@50"]


# --- the work of one taker


@pytest.mark.usefixtures("little_work")
@pytest.mark.parametrize("life", [enums.TIME_IN_FORCE_GTC, enums.TIME_IN_FORCE_IOC])
def test_a_taker_stops_at_the_work_limit(
    reference_venue: Venue, life: enums.TimeInForce.ValueType
) -> None:
    venue = reference_venue
    for _ in range(WORK + 2):
        venue.place(FIRST, SELL, 100, 1)
    fok = venue.order(STRANGER, BUY, 100, WORK + 1, time_in_force=enums.TIME_IN_FORCE_FOK)
    assert venue.send(fok).lines(STRANGER) == ["REJECTED FOK_NOT_FILLABLE"]
    told = venue.place(STRANGER, BUY, 100, WORK + 1, time_in_force=life).told
    assert len(told.trades(MARKET)) == WORK
    assert told.lines(STRANGER)[-1] == f"CANCELED WORK_LIMIT {WORK + 1} cum {WORK}"
    assert venue.book() == ([], ["1@100 of 4096"] * 2)


@pytest.mark.usefixtures("little_work")
def test_exactly_the_limit_is_filled_wholly(reference_venue: Venue) -> None:
    venue = reference_venue
    for _ in range(WORK):
        venue.place(FIRST, SELL, 100, 1)
    fok = venue.order(STRANGER, BUY, 100, WORK, time_in_force=enums.TIME_IN_FORCE_FOK)
    assert len(venue.send(fok).trades(MARKET)) == WORK
