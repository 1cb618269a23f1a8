"""A long sweep overflows the stack, or loses makers on its way."""

from tests.differential.flow import messages
from tests.reference.venue import BASE, BUY, FIRST, MARKET, ORDER, SELL, STRANGER, Venue

MAKERS = 1_000


def test_a_sweep_through_a_thousand_makers_takes_each_once(venue: Venue) -> None:
    asks = [
        messages.command(venue.order(FIRST, SELL, 100 + number % 10, 1)) for number in range(MAKERS)
    ]
    venue.apply(messages.firm_envelope(ORDER, asks, session_id=1, connection=1, first_seq_no=1))
    before = venue.available(STRANGER, BASE)
    told = venue.place(STRANGER, BUY, 110, MAKERS + 5).told
    trades = told.trades(MARKET)
    assert [trade.trade_id for trade in trades] == list(range(1, MAKERS + 1))
    assert [trade.price_ticks for trade in trades] == sorted(100 + n % 10 for n in range(MAKERS))
    assert len({report.order_id for report in told.reports(FIRST)}) == MAKERS
    assert told.reports(STRANGER)[-1].leaves_lots == 5
    assert venue.available(STRANGER, BASE) == before + MAKERS * 100
    assert venue.book() == (["5@110 of 5000"], [])
