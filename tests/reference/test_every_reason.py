"""Every reason for which something can be refused is told, each in the shortest story."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from cambist.internal.journal.v1 import frames_pb2
from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.messages import amount
from tests.reference import lines
from tests.reference.told import Told
from tests.reference.venue import (
    BASE,
    BUY,
    FIRM,
    FIRST,
    MARKET,
    OTHER_MARKET,
    QUOTE,
    SECOND,
    SECOND_NS,
    SELL,
    SESSION,
    SHARD,
    SOURCE,
    STRANGER,
    WEALTH,
    Venue,
    market,
)

NOBODY: Final = 9_999
SOME_ID: Final = b"i" * 16
RICH: Final = 1 << 120
Story = Callable[[Venue], Told]


def ordered(**fields: Any) -> Story:
    """A story of one refused order."""

    def tell(venue: Venue) -> Told:
        return venue.send(venue.order(FIRST, BUY, 100, 10, **fields))

    return tell


def with_parameters(story: Story, **parameters: Any) -> Story:
    """A story in a market of other parameters."""

    def tell(venue: Venue) -> Told:
        venue.update_market(**parameters)
        return story(venue)

    return tell


def operated(command: Callable[[], object]) -> Story:
    """A story of one refused command of the venue."""
    return lambda venue: venue.operate(command())  # type: ignore[arg-type]


def limited(**limits: Any) -> Story:
    """A story of an order that an account's limits refuse."""

    def tell(venue: Venue) -> Told:
        venue.operate(system.SetTradingLimits(account_id=FIRST, market_id=MARKET, **limits))
        return ordered()(venue)

    return tell


def outside_price_band(venue: Venue) -> Told:
    venue.update_market(static_band_ppm=100_000)
    venue.operate(system.SetReferencePrice(market_id=MARKET, price_ticks=90))
    return ordered()(venue)


def id_reused(venue: Venue) -> Told:
    placed = venue.place(FIRST, BUY, 100, 10)
    return venue.send(venue.order(FIRST, BUY, 100, 11, cl_ord_id=placed.id))


def expired(venue: Venue) -> Told:
    sent = venue.order(FIRST, BUY, 100, 10, expires_after_ms=1)
    venue.wait(1_000_000)
    return venue.send(sent)


def burnt(venue: Venue) -> Told:
    sent = venue.order(FIRST, BUY, 100, 10)
    venue.send(venue.resolve(FIRST, sent.cl_ord_id))
    return venue.send(sent)


def cancelled_before_entry(venue: Venue) -> Told:
    sent = venue.order(FIRST, BUY, 100, 10)
    venue.in_session(venue.cancel(FIRST, sent.cl_ord_id, after_order_seq_no=1))
    return venue.in_session(sent)


def insufficient_funds(venue: Venue) -> Told:
    venue.set_available(FIRST, QUOTE, 5_009)
    return ordered()(venue)


def phase(venue: Venue) -> Told:
    venue.set_phase(enums.MARKET_PHASE_CANCEL_ONLY)
    return ordered()(venue)


def post_only_would_cross(venue: Venue) -> Told:
    venue.place(SECOND, SELL, 100, 1)
    return ordered(post_only=True)(venue)


def open_orders_limit(venue: Venue) -> Told:
    limits = system.AccountLimits(open_orders_max=1)
    venue.operate(system.SetAccountLimits(account_id=FIRST, limits=limits))
    venue.place(FIRST, BUY, 100, 10)
    return ordered()(venue)


def order_closed(venue: Venue) -> Told:
    placed = venue.place(FIRST, BUY, 100, 10)
    venue.send(venue.mass_cancel(FIRST))
    return venue.send(venue.cancel(FIRST, placed.id))


def quantity_below_filled(venue: Venue) -> Told:
    placed = venue.place(FIRST, BUY, 100, 10)
    venue.place(STRANGER, SELL, 100, 4)
    return venue.send(venue.amend(FIRST, placed.id, lots=4))


def account_frozen(venue: Venue) -> Told:
    venue.freeze(FIRST)
    return ordered()(venue)


def killed(venue: Venue) -> Told:
    venue.kill_account(FIRST)
    return ordered()(venue)


def book_full(venue: Venue) -> Told:
    venue.update_market(resting_orders_max=1)
    venue.place(SECOND, BUY, 100, 1)
    return ordered()(venue)


def balance_overflow(venue: Venue) -> Told:
    for _ in range(63):
        venue.credit(FIRST, BASE, RICH)
    return venue.credit(STRANGER, BASE, RICH)


def too_many_pending(venue: Venue) -> Told:
    ahead = [venue.mass_cancel(FIRST, after_order_seq_no=99) for _ in range(17)]
    return venue.in_session(*ahead)


def nothing_to_amend(venue: Venue) -> Told:
    placed = venue.place(FIRST, BUY, 100, 10)
    return venue.send(venue.amend(FIRST, placed.id, 100, 10))


def poisoned(venue: Venue) -> Told:
    envelope = venue.unary(venue.order(FIRST, BUY, 100, 10))
    return venue.operate(system.CommandPoisoned(envelope=envelope.SerializeToString()))


def capacity(venue: Venue) -> Told:
    venue.checks = False
    created = [
        system.CreateMarket(
            market_id=SHARD << 16 | number,
            symbol=f"M{number}",
            base_asset_id=BASE,
            quote_asset_id=QUOTE,
            lot_size_atoms=amount(100),
            tick_size_atoms=amount(5),
        )
        for number in range(3, 4_098)
    ]
    for start in range(0, len(created), 1_000):
        told = venue.operate(*created[start : start + 1_000])
    return told


def deposit_state(venue: Venue) -> Told:
    venue.credit(FIRST, BASE, 5, SOME_ID)
    return venue.credit(FIRST, BASE, 5, SOME_ID)


def withdrawal_state(venue: Venue) -> Told:
    sent = venue.withdrawal(FIRST, BASE, 5)
    venue.send(sent)
    return venue.custody(system.SettleWithdrawal(withdrawal_id=sent.request_id))


def numbered_credit(source_seq: int) -> system.Credit:
    return system.Credit(
        source_id=SOURCE,
        source_seq=source_seq,
        deposit_id=SOME_ID,
        account_id=FIRST,
        asset_id=BASE,
        amount_atoms=amount(1),
    )


def market_not_permitted(venue: Venue) -> Told:
    venue.establish(SESSION, FIRM, (FIRST,), market_ids=[OTHER_MARKET])
    return venue.in_session(venue.order(FIRST, BUY, 100, 10))


def unknown_session(venue: Venue) -> Told:
    return venue.apply(
        venue.envelope(venue.order(FIRST, BUY, 100, 10), session_id=77, connection=1)
    )


def old_connection(venue: Venue) -> Told:
    return venue.apply(venue.envelope(venue.order(FIRST, BUY, 100, 10), connection=9))


def wide_market(venue: Venue) -> Told:
    """The largest price and quantity of a market whose tick is worth 2^15 atoms."""
    wide = SHARD << 16 | 9
    venue.operate(
        system.CreateAsset(asset_id=5, symbol="WIDE"),
        market(wide, "WIDE", base_asset_id=5, tick_size_atoms=amount(1 << 15)),
        system.SetPhase(market_id=wide, phase=enums.MARKET_PHASE_CONTINUOUS),
    )
    return venue.send(venue.order(FIRST, BUY, 1 << 53, 1 << 53, market_id=wide))


STORIES: Final[dict[str, Story]] = {
    "UNKNOWN_ACCOUNT": lambda v: v.send(v.order(NOBODY, BUY, 100, 10)),
    "ACCOUNT_NOT_PERMITTED": lambda v: v.in_session(v.order(STRANGER, BUY, 100, 10)),
    "UNKNOWN_MARKET": ordered(market_id=SHARD << 16 | 99),
    "MARKET_NOT_PERMITTED": market_not_permitted,
    "WRONG_SHARD": ordered(market_id=(SHARD + 1) << 16 | 1),
    "ID_REUSED": id_reused,
    "STALE": ordered(sent_time_ns=1),
    "SENT_TIME_AHEAD": lambda v: ordered(sent_time_ns=v.now + 6 * SECOND_NS)(v),
    "EXPIRED": expired,
    "BURNT": burnt,
    "CANCELLED_BEFORE_ENTRY": cancelled_before_entry,
    "INVALID_PRICE": ordered(price_ticks=0),
    "OFF_TICK": with_parameters(ordered(price_ticks=99), price_step_ticks=2),
    "INVALID_QUANTITY": ordered(quantity_lots=-1),
    "OFF_LOT": with_parameters(ordered(quantity_lots=3), quantity_step_lots=2),
    "QUANTITY_BELOW_MINIMUM": with_parameters(ordered(), minimum_quantity_lots=11),
    "QUANTITY_ABOVE_MAXIMUM": with_parameters(ordered(), maximum_quantity_lots=9),
    "NOTIONAL_BELOW_MINIMUM": with_parameters(ordered(), minimum_notional_atoms=amount(5_001)),
    "NOTIONAL_ABOVE_MAXIMUM": with_parameters(ordered(), maximum_notional_atoms=amount(4_999)),
    "NOTIONAL_OVERFLOW": wide_market,
    "INVALID_COMBINATION": ordered(expire_time_ns=1),
    "INVALID_EXPIRE_TIME": ordered(time_in_force=enums.TIME_IN_FORCE_GTD, expire_time_ns=1),
    "INSUFFICIENT_FUNDS": insufficient_funds,
    "PHASE": phase,
    "POST_ONLY_WOULD_CROSS": post_only_would_cross,
    "FOK_NOT_FILLABLE": ordered(time_in_force=enums.TIME_IN_FORCE_FOK),
    "OPEN_ORDERS_LIMIT": open_orders_limit,
    "UNKNOWN_ORDER": lambda v: v.send(v.cancel(FIRST, 99)),
    "ORDER_CLOSED": order_closed,
    "QUANTITY_BELOW_FILLED": quantity_below_filled,
    "ACCOUNT_FROZEN": account_frozen,
    "KILLED": killed,
    "UNSUPPORTED": ordered(hidden=True),
    "BOOK_FULL": book_full,
    "BALANCE_OVERFLOW": balance_overflow,
    "TOO_MANY_PENDING": too_many_pending,
    "NOTHING_TO_AMEND": nothing_to_amend,
    "POISONED": poisoned,
    "UNKNOWN_ASSET": lambda v: v.send(v.transfer(FIRST, SECOND, 99, 1)),
    "UNKNOWN_FIRM": operated(lambda: system.CreateAccount(account_id=NOBODY, firm_id=99)),
    "INVALID_AMOUNT": lambda v: v.send(v.transfer(FIRST, SECOND, BASE, 0)),
    "INVALID_PARAMETER": operated(lambda: system.CreateAsset(asset_id=0, symbol="X")),
    "DUPLICATE_ID": operated(lambda: system.CreateAsset(asset_id=BASE, symbol="X")),
    "CAPACITY": capacity,
    "TICK_VALUE_NOT_INTEGER": operated(
        lambda: market(SHARD << 16 | 9, "X", lot_size_atoms=amount(1))
    ),
    "SOURCE_GAP": operated(lambda: numbered_credit(99)),
    "SOURCE_REPEAT": operated(lambda: numbered_credit(1)),
    "UNKNOWN_DEPOSIT": lambda v: v.custody(system.ReverseCredit(deposit_id=SOME_ID)),
    "DEPOSIT_STATE": deposit_state,
    "UNKNOWN_WITHDRAWAL": lambda v: v.custody(system.StartWithdrawal(withdrawal_id=SOME_ID)),
    "WITHDRAWAL_STATE": withdrawal_state,
    "FOREIGN_ACCOUNT": lambda v: v.send(v.transfer(FIRST, STRANGER, BASE, 1)),
    "UNKNOWN_SESSION": unknown_session,
    "OLD_CONNECTION": old_connection,
    "UNKNOWN_RULES_VERSION": operated(lambda: system.SwitchRules(version=2)),
}
# Those of rules version 2: an order of 10 lots, whose notional is 5,000, meets a limit.
SECOND_STORIES: Final[dict[str, Story]] = {
    "ORDER_QUANTITY_LIMIT": limited(order_lots_max=9),
    "ORDER_NOTIONAL_LIMIT": limited(order_notional_atoms_max=amount(4_999)),
    "OPEN_QUANTITY_LIMIT": limited(open_lots_max=9),
    "OPEN_NOTIONAL_LIMIT": limited(open_notional_atoms_max=amount(4_999)),
    "POSITION_LIMIT": limited(position_atoms_max=amount(WEALTH + 999)),
    "OUTSIDE_PRICE_BAND": outside_price_band,
}


def test_there_is_a_story_for_every_reason() -> None:
    stories = [*STORIES, *SECOND_STORIES]
    assert stories == [lines.reason_name(n) for n in enums.RejectReason.values() if n]


@pytest.mark.parametrize("reason", STORIES)
def test_the_reason_is_told_once(venue: Venue, reason: str) -> None:
    told = STORIES[reason](venue)
    assert told.reasons()[-1] == reason
    assert told.reasons().count(reason) == 1


@pytest.mark.parametrize("reason", SECOND_STORIES)
def test_the_reason_of_newer_rules_is_told_once(second_venue: Venue, reason: str) -> None:
    assert SECOND_STORIES[reason](second_venue).reasons() == [reason]


def test_a_refused_command_changes_neither_books_nor_money(venue: Venue) -> None:
    venue.place(STRANGER, SELL, 100, 3)
    before = venue.state
    for request in (
        venue.order(FIRST, BUY, 100, 10, time_in_force=enums.TIME_IN_FORCE_FOK),
        venue.order(FIRST, BUY, 100, 10, post_only=True),
        venue.cancel(FIRST, 1),
        venue.amend(FIRST, 1, price=5),
        venue.transfer(FIRST, SECOND, BASE, WEALTH + 1),
        venue.withdrawal(FIRST, BASE, WEALTH, fee=1),
    ):
        told = venue.send(request)
        assert len(told.reasons()) == 1
        assert [frame.kind for frame in told.frames] == [frames_pb2.FRAME_KIND_PRIVATE]
    assert (venue.state.books, venue.state.money) == (before.books, before.money)
