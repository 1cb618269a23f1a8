"""Section 3, "Events of an order": whole messages, so that no field more or less is told."""

from typing import Any

import pytest

from cambist.market_data.v1 import events_pb2 as market_events
from cambist.orders.v1 import enums_pb2 as enums
from cambist.orders.v1 import events_pb2 as events
from tests.differential.flow.messages import amount
from tests.reference.venue import (
    BUY,
    FIRST,
    MARKET,
    QUOTE,
    SECOND_NS,
    SELL,
    STRANGER,
    Placed,
    Venue,
)

GTD, IOC = enums.TIME_IN_FORCE_GTD, enums.TIME_IN_FORCE_IOC
TRADE = enums.EXEC_TYPE_TRADE


def base(placed: Placed, exec_type: enums.ExecType.ValueType) -> events.ExecutionReport:
    """What every report of an order has."""
    return events.ExecutionReport(
        cl_ord_id=placed.id,
        order_id=placed.order_id,
        market_id=MARKET,
        exec_type=exec_type,
        side=placed.sent.side,
    )


def merged(first: events.ExecutionReport, second: events.ExecutionReport) -> events.ExecutionReport:
    """Both in one."""
    first.MergeFrom(second)
    return first


def test_new_says_what_was_sent_and_its_public_number(venue: Venue) -> None:
    end = venue.now + SECOND_NS
    placed = venue.place(FIRST, SELL, 100, 7, time_in_force=GTD, expire_time_ns=end, tag=12)
    expected = events.ExecutionReport(
        price_ticks=100,
        quantity_lots=7,
        leaves_lots=7,
        order_type=enums.ORDER_TYPE_LIMIT,
        time_in_force=GTD,
        tag=12,
        expire_time_ns=end,
        public_order_id=1,
    )
    assert placed.told.reports() == [merged(base(placed, enums.EXEC_TYPE_NEW), expected)]


def test_new_of_a_market_order_by_budget_has_no_quantity(venue: Venue) -> None:
    sent = venue.market_order(FIRST, BUY, 0, quote_budget_atoms=amount(777))
    told = venue.send(sent).reports()
    placed = Placed(sent, told[0].order_id, venue.send(sent))
    new = events.ExecutionReport(
        order_type=enums.ORDER_TYPE_MARKET, time_in_force=IOC, quote_budget_atoms=amount(777)
    )
    canceled = events.ExecutionReport(cancel_reason=enums.CANCEL_REASON_NO_LIQUIDITY)
    assert told == [
        merged(base(placed, enums.EXEC_TYPE_NEW), new),
        merged(base(placed, enums.EXEC_TYPE_CANCELED), canceled),
    ]


def test_a_trade_is_told_to_both_with_their_own_fee_and_rest(venue: Venue) -> None:
    venue.place(STRANGER, SELL, 101, 9)
    venue.place(FIRST, BUY, 101, 2)
    maker = venue.place(FIRST, SELL, 100, 10)
    taker = venue.place(STRANGER, BUY, 100, 4)
    common: dict[str, Any] = {
        "last_lots": 4,
        "last_price_ticks": 100,
        "cum_tick_lots": amount(400),
        "cum_lots": 4,
        "fee_asset_id": QUOTE,
        "trade_id": 2,
    }
    to_taker = events.ExecutionReport(
        leaves_lots=0, fee_atoms=amount(4), liquidity=enums.LIQUIDITY_TAKER, **common
    )
    to_maker = events.ExecutionReport(
        leaves_lots=6, fee_atoms=amount(2), liquidity=enums.LIQUIDITY_MAKER, **common
    )
    assert taker.told.reports(STRANGER)[1:] == [merged(base(taker, TRADE), to_taker)]
    assert taker.told.reports(FIRST) == [merged(base(maker, TRADE), to_maker)]
    # Phase, the first ask, the trade with it and the second ask were before.
    assert taker.told.trades(MARKET) == [
        market_events.Trade(
            trade_id=2, market_seq=5, price_ticks=100, quantity_lots=4, aggressor_side=BUY
        )
    ]


def test_fills_add_up_over_prices(venue: Venue) -> None:
    for price, lots in ((100, 2), (103, 5)):
        venue.place(FIRST, SELL, price, lots)
    told = venue.place(STRANGER, BUY, 110, 6).told.reports(STRANGER)[1:]
    assert [(r.leaves_lots, r.cum_lots, r.last_lots) for r in told] == [(4, 2, 2), (0, 6, 4)]
    assert [r.cum_tick_lots for r in told] == [amount(200), amount(200 + 412)]


def test_canceled_names_the_request_only_when_a_cancel_asked(venue: Venue) -> None:
    placed = venue.place(FIRST, SELL, 100, 7)
    venue.place(STRANGER, BUY, 100, 3)
    request = venue.cancel(FIRST, placed.id)
    expected = events.ExecutionReport(
        request_id=request.request_id,
        quantity_lots=7,
        cum_lots=3,
        cancel_reason=enums.CANCEL_REASON_REQUESTED,
    )
    canceled = base(placed, enums.EXEC_TYPE_CANCELED)
    assert venue.send(request).reports() == [merged(canceled, expected)]
    other = venue.place(FIRST, SELL, 100, 7)
    told = venue.send(venue.mass_cancel(FIRST)).reports()
    expected = events.ExecutionReport(
        quantity_lots=7, cancel_reason=enums.CANCEL_REASON_MASS_CANCEL
    )
    assert told == [merged(base(other, enums.EXEC_TYPE_CANCELED), expected)]


def test_expired_says_what_was_filled(venue: Venue) -> None:
    end = venue.now + SECOND_NS
    placed = venue.place(FIRST, SELL, 100, 7, time_in_force=GTD, expire_time_ns=end)
    venue.place(STRANGER, BUY, 100, 3)
    venue.wait(SECOND_NS)
    expected = events.ExecutionReport(quantity_lots=7, cum_lots=3)
    told = venue.credit(STRANGER, QUOTE, 1).reports()
    assert told == [merged(base(placed, enums.EXEC_TYPE_EXPIRED), expected)]


@pytest.mark.parametrize(
    ("price", "lots", "public_order_id"), [(0, 5, 1), (0, 9, 3), (101, 0, 3), (101, 5, 3)]
)
def test_replaced_says_how_the_order_stands(
    venue: Venue, price: int, lots: int, public_order_id: int
) -> None:
    placed = venue.place(FIRST, SELL, 100, 7)
    venue.place(STRANGER, BUY, 100, 3)
    request = venue.amend(FIRST, placed.order_id, price, lots)
    expected = events.ExecutionReport(
        request_id=request.request_id,
        price_ticks=price or 100,
        quantity_lots=lots or 7,
        leaves_lots=(lots or 7) - 3,
        cum_lots=3,
        public_order_id=public_order_id,
    )
    told = venue.send(request).reports()
    assert told == [merged(base(placed, enums.EXEC_TYPE_REPLACED), expected)]


def test_private_events_are_numbered_and_timed(venue: Venue) -> None:
    venue.place(FIRST, SELL, 100, 7)
    before = venue.engine.last_seq
    received = venue.now
    told = venue.place(STRANGER, BUY, 100, 3).told
    for account in (FIRST, STRANGER):
        numbers = {row.account.account_id: row.account_seq for row in venue.state.limits.accounts}
        found = told.private(account)
        assert [event.account_seq for event in found] == list(
            range(numbers[account] - len(found) + 1, numbers[account] + 1)
        )
        assert {event.account_id for event in found} == {account}
        assert {event.seq for event in found} == {before + 1}
        assert {event.received_ns for event in found} == {received}
        assert {event.sequenced_ns for event in found} == {venue.now}


def test_a_refusal_names_the_command_and_nothing_else(venue: Venue) -> None:
    sent = venue.order(FIRST, BUY, 0, 10)
    assert venue.send(sent).reports() == [
        events.ExecutionReport(
            cl_ord_id=sent.cl_ord_id,
            market_id=MARKET,
            exec_type=enums.EXEC_TYPE_REJECTED,
            side=BUY,
            reject_reason=enums.REJECT_REASON_INVALID_PRICE,
        )
    ]
    by_id = venue.cancel(FIRST, b"x" * 16)
    by_number = venue.amend(FIRST, 99, price=1)
    mass = venue.mass_cancel(FIRST, market_id=1)
    expected = [
        events.CancelReject(
            request_id=by_id.request_id,
            orig_cl_ord_id=b"x" * 16,
            reject_reason=enums.REJECT_REASON_UNKNOWN_ORDER,
        ),
        events.CancelReject(
            request_id=by_number.request_id,
            order_id=99,
            reject_reason=enums.REJECT_REASON_UNKNOWN_ORDER,
        ),
        events.CancelReject(
            request_id=mass.request_id, reject_reason=enums.REJECT_REASON_WRONG_SHARD
        ),
    ]
    found = [venue.send(sent).private(FIRST) for sent in (by_id, by_number, mass)]
    assert [[event.cancel_reject for event in told] for told in found] == [[e] for e in expected]
