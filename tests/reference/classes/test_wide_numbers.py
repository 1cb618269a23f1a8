"""Prices or amounts wrap in a type that is too narrow."""

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1.enums_pb2 import MARKET_PHASE_CONTINUOUS
from tests.differential.flow.messages import amount
from tests.reference.venue import (
    BASE,
    BUY,
    FIRST,
    MARKET,
    QUOTE,
    SELL,
    SHARD,
    STRANGER,
    Venue,
    market,
)

PRICE_TICKS_MAX = QUANTITY_LOTS_MAX = 1 << 53
FINE_MARKET = SHARD << 16 | 9
AMOUNT_ATOMS_MAX = 1 << 120


def test_the_largest_price_and_quantity_trade_to_the_atom(venue: Venue) -> None:
    one = amount(1)
    venue.operate(
        system.CreateAsset(asset_id=11, symbol="FINE"),
        market(FINE_MARKET, "FINE", base_asset_id=11, lot_size_atoms=one, tick_size_atoms=one),
        system.SetPhase(market_id=FINE_MARKET, phase=MARKET_PHASE_CONTINUOUS),
    )
    notional = PRICE_TICKS_MAX * QUANTITY_LOTS_MAX
    fee, maker_fee = -(-notional * 2_000 // 10**6), -(-notional // 1_000)
    venue.credit(FIRST, 11, QUANTITY_LOTS_MAX)
    venue.set_available(STRANGER, QUOTE, notional + fee)
    venue.place(FIRST, SELL, PRICE_TICKS_MAX, QUANTITY_LOTS_MAX, market_id=FINE_MARKET)
    before = venue.available(FIRST, QUOTE)
    told = venue.place(
        STRANGER, BUY, PRICE_TICKS_MAX, QUANTITY_LOTS_MAX, market_id=FINE_MARKET
    ).told
    report = told.reports(STRANGER)[1]
    assert report.cum_tick_lots == amount(notional)
    assert report.fee_atoms == amount(fee)
    assert venue.balance(STRANGER, QUOTE) == (0, 0, 0)
    assert venue.available(STRANGER, 11) == QUANTITY_LOTS_MAX
    assert venue.available(FIRST, QUOTE) == before + notional - maker_fee


def test_what_is_beyond_a_bound_is_refused_by_name(venue: Venue) -> None:
    for price, lots, reason in (
        (PRICE_TICKS_MAX + 1, 1, "INVALID_PRICE"),
        ((1 << 63) - 1, 1, "INVALID_PRICE"),
        (-(1 << 63), 1, "INVALID_PRICE"),
        (1, QUANTITY_LOTS_MAX + 1, "INVALID_QUANTITY"),
        (1, (1 << 63) - 1, "INVALID_QUANTITY"),
        (1, -(1 << 63), "INVALID_QUANTITY"),
        (PRICE_TICKS_MAX, QUANTITY_LOTS_MAX, "INSUFFICIENT_FUNDS"),
    ):
        told = venue.send(venue.order(FIRST, BUY, price, lots))
        assert told.lines(FIRST) == [f"REJECTED {reason}"]


def test_amounts_of_127_bits_move_without_loss(venue: Venue) -> None:
    venue.set_available(FIRST, BASE, AMOUNT_ATOMS_MAX)
    venue.send(venue.transfer(FIRST, 4_097, BASE, AMOUNT_ATOMS_MAX))
    assert venue.available(FIRST, BASE) == 0
    venue.set_available(FIRST, BASE, (1 << 120) - 1)
    assert venue.available(FIRST, BASE) == (1 << 120) - 1
    assert venue.book(MARKET) == ([], [])
