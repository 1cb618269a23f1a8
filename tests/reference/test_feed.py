"""Sections 2 and 3: the event row with its directory, and what closes a batch."""

import struct
import zlib
from typing import Any

from cambist.internal.journal.v1 import frames_pb2
from cambist.internal.journal.v1 import system_pb2 as system
from cambist.market_data.v1 import events_pb2 as market_events
from cambist.orders.v1.enums_pb2 import MARKET_PHASE_CONTINUOUS
from tests.differential.flow import messages
from tests.differential.flow.messages import amount
from tests.reference.told import CONTAINERS, Told
from tests.reference.venue import (
    BASE,
    BUY,
    FIRST,
    MARKET,
    OTHER_MARKET,
    OTHER_SESSION,
    QUOTE,
    SECOND,
    SELL,
    SESSION,
    STRANGER,
    WEALTH,
    Venue,
)

KIND = frames_pb2
FEES_ACCOUNT = 1


def l2(told: Told, market_id: int = MARKET) -> Any:
    """The only L2 delta of a market."""
    (delta,) = told.of_kind(KIND.FRAME_KIND_L2, market_id)
    return delta


def levels(found: Any) -> list[tuple[int, int, int]]:
    """Levels as price, quantity, number of orders."""
    return [(level.price_ticks, level.quantity_lots, level.order_count) for level in found]


def crc(bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> int:
    """The checksum of a book, best levels first."""
    return zlib.crc32(b"".join(struct.pack("<qq", *level) for level in [*bids, *asks]))


# --- the row


def test_frames_ascend_and_are_read_by_their_directory(venue: Venue) -> None:
    venue.place(FIRST, SELL, 100, 5)
    last = venue.engine.last_seq
    told = venue.apply(
        venue.envelope(venue.order(STRANGER, BUY, 100, 2), session_id=OTHER_SESSION),
        venue.envelope(venue.order(FIRST, SELL, 101, 1)),
        messages.system_envelope([system.Halt(), system.Clock()]),
    )
    records = [(frame.kind, frame.key, frame.first, frame.last) for frame in told.frames]
    seq = last + 4
    numbers = {row.account.account_id: row.account_seq for row in venue.state.limits.accounts}
    assert records == [
        (KIND.FRAME_KIND_SESSION, SESSION, 1, 0),
        (KIND.FRAME_KIND_SESSION, OTHER_SESSION, 1, 0),
        (KIND.FRAME_KIND_PRIVATE, FIRST, numbers[FIRST] - 1, numbers[FIRST]),
        (KIND.FRAME_KIND_PRIVATE, STRANGER, numbers[STRANGER] - 1, numbers[STRANGER]),
        (KIND.FRAME_KIND_BALANCE, FEES_ACCOUNT, seq, seq),
        (KIND.FRAME_KIND_BALANCE, FIRST, seq, seq),
        (KIND.FRAME_KIND_BALANCE, STRANGER, seq, seq),
        # Before: the phase and the first ask. Now: a fill, an ask, the halt.
        (KIND.FRAME_KIND_L3, MARKET, 3, 5),
        (KIND.FRAME_KIND_L3, OTHER_MARKET, 2, 2),
        (KIND.FRAME_KIND_TRADES, MARKET, 3, 3),
        (KIND.FRAME_KIND_L2, MARKET, 3, 5),
        (KIND.FRAME_KIND_L2, OTHER_MARKET, 2, 2),
        (KIND.FRAME_KIND_BBO, MARKET, 5, 5),
        (KIND.FRAME_KIND_STATUS, MARKET, 5, 5),
        (KIND.FRAME_KIND_STATUS, OTHER_MARKET, 2, 2),
        (KIND.FRAME_KIND_SYSTEM, 0, last + 3, last + 4),
    ]
    for frame in told.frames:
        container, field = CONTAINERS[frame.kind]
        payload = container.FromString(frame.payload)
        assert frame.events == len(getattr(payload, field))
        assert payload.SerializeToString(deterministic=True) == frame.payload


def test_a_row_without_events_is_a_bare_directory(venue: Venue) -> None:
    told = venue.operate(system.Clock())
    assert [frame.kind for frame in told.frames] == [KIND.FRAME_KIND_SYSTEM]
    head = struct.unpack_from("<II", told.row)
    assert head == (1, 1)


# --- balances


def test_balances_that_differ_from_the_start_are_told_once(venue: Venue) -> None:
    told = venue.apply(
        venue.unary(venue.order(FIRST, SELL, 100, 5)),
        venue.unary(venue.transfer(FIRST, SECOND, QUOTE, 8)),
        venue.unary(venue.order(STRANGER, BUY, 100, 2)),
        venue.unary(venue.transfer(SECOND, FIRST, QUOTE, 8)),
    )
    seq = venue.engine.last_seq
    found = told.of_kind(KIND.FRAME_KIND_BALANCE)
    places = [(row.account_id, row.asset_id) for row in found]
    assert places == [
        (1, QUOTE),
        (FIRST, BASE),
        (FIRST, QUOTE),
        (STRANGER, BASE),
        (STRANGER, QUOTE),
    ]
    assert {row.seq for row in found} == {seq}
    assert found[1] == KIND.BalanceUpdate(
        seq=seq,
        account_id=FIRST,
        asset_id=BASE,
        available_atoms=amount(WEALTH - 500),
        held_atoms=amount(300),
    )


def test_what_comes_back_within_a_batch_is_not_told(venue: Venue) -> None:
    sent = venue.order(FIRST, SELL, 100, 5)
    told = venue.apply(venue.unary(sent), venue.unary(venue.cancel(FIRST, sent.cl_ord_id)))
    assert told.of_kind(KIND.FRAME_KIND_BALANCE) == []
    assert levels(l2(told).asks) == []
    assert (l2(told).first_market_seq, l2(told).last_market_seq) == (2, 3)
    assert told.of_kind(KIND.FRAME_KIND_BBO) == []


# --- the book


def test_levels_that_differ_are_told_best_first_with_the_checksum(venue: Venue) -> None:
    told = venue.apply(
        *(
            venue.unary(venue.order(account, side, price, lots))
            for account, side, price, lots in (
                (FIRST, BUY, 90, 1),
                (FIRST, BUY, 92, 2),
                (SECOND, BUY, 90, 3),
                (FIRST, SELL, 99, 4),
                (FIRST, SELL, 97, 5),
            )
        )
    )
    delta = l2(told)
    assert levels(delta.bids) == [(92, 2, 1), (90, 4, 2)]
    assert levels(delta.asks) == [(97, 5, 1), (99, 4, 1)]
    assert delta.crc32 == crc([(92, 2), (90, 4)], [(97, 5), (99, 4)])
    assert (delta.prev_market_seq, delta.first_market_seq, delta.last_market_seq) == (1, 2, 6)
    told = venue.send(venue.mass_cancel(SECOND))
    delta = l2(told)
    assert (levels(delta.bids), levels(delta.asks)) == ([(90, 1, 1)], [])
    assert (delta.prev_market_seq, delta.first_market_seq, delta.last_market_seq) == (6, 7, 7)
    assert told.of_kind(KIND.FRAME_KIND_BBO) == []
    taken = venue.place(STRANGER, SELL, 90, 3).told
    assert levels(l2(taken).bids) == [(92, 0, 0), (90, 0, 0)]
    assert l2(taken).crc32 == crc([], [(97, 5), (99, 4)])


def test_the_checksum_covers_ten_levels_a_side(venue: Venue) -> None:
    bids = [(90 - number, number + 1) for number in range(12)]
    asks = [(100 + number, number + 1) for number in range(12)]
    for side, book in ((BUY, bids), (SELL, asks)):
        for price, lots in book:
            told = venue.place(FIRST, side, price, lots).told
    assert l2(told).crc32 == crc(bids[:10], asks[:10])


def test_the_best_prices_are_told_when_they_differ(venue: Venue) -> None:
    told = venue.place(FIRST, SELL, 100, 5).told
    assert told.of_kind(KIND.FRAME_KIND_BBO) == [
        market_events.BestBidOffer(market_seq=2, ask_price_ticks=100, ask_lots=5)
    ]
    assert venue.place(FIRST, SELL, 101, 5).told.of_kind(KIND.FRAME_KIND_BBO) == []
    told = venue.place(SECOND, SELL, 100, 2).told
    assert told.of_kind(KIND.FRAME_KIND_BBO) == [
        market_events.BestBidOffer(market_seq=4, ask_price_ticks=100, ask_lots=7)
    ]
    told = venue.place(STRANGER, BUY, 100, 9).told
    assert told.of_kind(KIND.FRAME_KIND_BBO) == [
        market_events.BestBidOffer(
            market_seq=7, bid_price_ticks=100, bid_lots=2, ask_price_ticks=101, ask_lots=5
        )
    ]


def test_a_phase_moves_the_feed_without_levels(venue: Venue) -> None:
    told = venue.operate(system.Halt(market_id=MARKET))
    delta = l2(told)
    assert (levels(delta.bids), levels(delta.asks), delta.crc32) == ([], [], 0)
    assert (delta.first_market_seq, delta.last_market_seq) == (2, 2)


def test_a_level_beyond_63_bits_is_told_as_the_largest_number(venue: Venue) -> None:
    venue.checks = False
    one = amount(1)
    wide = MARKET + 8
    venue.operate(
        system.CreateAsset(asset_id=5, symbol="WIDE"),
        system.CreateMarket(
            market_id=wide,
            symbol="WIDE",
            base_asset_id=5,
            quote_asset_id=QUOTE,
            lot_size_atoms=one,
            tick_size_atoms=one,
        ),
        system.SetPhase(market_id=wide, phase=MARKET_PHASE_CONTINUOUS),
    )
    venue.credit(FIRST, 5, 1 << 64)
    limits = system.AccountLimits(open_orders_max=2_000)
    venue.operate(system.SetAccountLimits(account_id=FIRST, limits=limits))
    largest = (1 << 63) - 1
    for number in range(1, 1_026):
        sent = venue.order(FIRST, SELL, 7, 1 << 53, market_id=wide)
        told = venue.send(sent)
        expected = min(number << 53, largest)
        if number >= 1_023:
            assert levels(l2(told, wide).asks) == [(7, expected, number)]
            assert l2(told, wide).crc32 == crc([], [(7, expected)])
    # The quantity differs, though what can be told of it does not.
    (quote,) = told.of_kind(KIND.FRAME_KIND_BBO)
    assert (quote.ask_price_ticks, quote.ask_lots) == (7, largest)
