"""A fill-or-kill order counts what self-trade prevention or the lot size would not let it have."""

import pytest

from cambist.orders.v1 import enums_pb2 as enums
from tests.reference.venue import BUY, FIRST, GROUPED, GROUPED_STRANGER, SELL, STRANGER, Venue

FOK = enums.TIME_IN_FORCE_FOK
MODES = enums.SelfTradePrevention
REFUSED = ["REJECTED FOK_NOT_FILLABLE"]


@pytest.mark.parametrize("mode", MODES.values())
@pytest.mark.parametrize("owner", [GROUPED, GROUPED_STRANGER])
def test_own_orders_in_front_do_not_fill_it(venue: Venue, mode: int, owner: int) -> None:
    venue.place(owner, SELL, 100, 5)
    venue.place(FIRST, SELL, 100, 5)
    sent = venue.order(GROUPED, BUY, 100, 5, time_in_force=FOK, self_trade_prevention=mode)
    told = venue.send(sent)
    if mode == enums.SELF_TRADE_PREVENTION_NONE:
        assert "TRADE 5@100 TAKER leaves 0 fee 5" in told.lines(GROUPED)
    elif mode == enums.SELF_TRADE_PREVENTION_CANCEL_OLDEST:
        assert told.lines(FIRST) == ["TRADE 5@100 MAKER leaves 0 fee 3"]
        assert told.lines(owner)[-1] != "NEW 5@100"
        assert venue.book() == ([], [])
    else:
        assert told.lines(GROUPED) == REFUSED
        assert venue.book() == ([], [f"5@100 of {owner}", "5@100 of 4096"])


def test_cancel_oldest_counts_only_what_others_offer(venue: Venue) -> None:
    venue.place(FIRST, SELL, 100, 4)
    venue.place(GROUPED_STRANGER, SELL, 100, 9)
    sent = venue.order(
        GROUPED,
        BUY,
        100,
        5,
        time_in_force=FOK,
        self_trade_prevention=enums.SELF_TRADE_PREVENTION_CANCEL_OLDEST,
    )
    assert venue.send(sent).lines(GROUPED) == REFUSED


def test_a_quantity_off_the_step_is_refused_before_it_is_counted(venue: Venue) -> None:
    venue.update_market(quantity_step_lots=2)
    venue.place(FIRST, SELL, 100, 4)
    told = venue.send(venue.order(STRANGER, BUY, 100, 3, time_in_force=FOK))
    assert told.lines(STRANGER) == ["REJECTED OFF_LOT"]
