"""Section 8: assets, markets, firms, accounts, phases, kill switches."""

from typing import Any, Final

import pytest
from google.protobuf.message import Message

from cambist.internal.journal.v1 import frames_pb2
from cambist.internal.journal.v1 import system_pb2 as system
from cambist.market_data.v1 import events_pb2 as market_events
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.messages import amount
from tests.reference.venue import (
    BASE,
    BUY,
    FIRM,
    FIRST,
    GROUPED,
    MARKET,
    OTHER_MARKET,
    QUOTE,
    SECOND,
    SELL,
    SHARD,
    STRANGER,
    TICK_VALUE,
    Venue,
    market,
)

NEW_MARKET: Final = SHARD << 16 | 0xFFFF
PHASES = enums.MarketPhase
CONTINUOUS, POST_ONLY = enums.MARKET_PHASE_CONTINUOUS, enums.MARKET_PHASE_POST_ONLY
CANCEL_ONLY, HALTED = enums.MARKET_PHASE_CANCEL_ONLY, enums.MARKET_PHASE_HALTED
DEFAULTS: Final = system.MarketParameters(
    price_step_ticks=1,
    quantity_step_lots=1,
    minimum_quantity_lots=1,
    maximum_quantity_lots=1 << 53,
    resting_orders_max=2_000_000,
)


def parameters(**fields: Any) -> system.MarketParameters:
    """Parameters of a market."""
    return system.MarketParameters(**fields)


def new_market(**fields: Any) -> system.CreateMarket:
    """Another market."""
    return market(NEW_MARKET, **({"symbol": "NEW"} | fields))


def with_parameters(**fields: Any) -> system.CreateMarket:
    """Another market with these parameters."""
    return new_market(parameters=parameters(**fields))


SIZE: Final = 1 << 100
REFUSED: Final[list[tuple[Message, str]]] = [
    (system.CreateAsset(asset_id=0, symbol="X"), "INVALID_PARAMETER"),
    (system.CreateAsset(asset_id=BASE, symbol="X", decimals=31), "INVALID_PARAMETER"),
    (system.CreateAsset(asset_id=BASE, symbol="X"), "DUPLICATE_ID"),
    (system.CreateAsset(asset_id=9, symbol="BASE"), "DUPLICATE_ID"),
    (market((SHARD + 1) << 16 | 1, "X"), "WRONG_SHARD"),
    (market(SHARD << 16, "BASE-QUOTE"), "INVALID_PARAMETER"),
    (market(MARKET, "X", base_asset_id=99), "DUPLICATE_ID"),
    (new_market(symbol="BASE-QUOTE"), "DUPLICATE_ID"),
    (new_market(base_asset_id=99, lot_size_atoms=b""), "UNKNOWN_ASSET"),
    (new_market(quote_asset_id=99, lot_size_atoms=b""), "UNKNOWN_ASSET"),
    (new_market(quote_asset_id=BASE), "INVALID_PARAMETER"),
    (new_market(lot_size_atoms=b""), "INVALID_PARAMETER"),
    (new_market(tick_size_atoms=amount(-1)), "INVALID_PARAMETER"),
    (new_market(lot_size_atoms=amount(SIZE + 1)), "INVALID_PARAMETER"),
    (
        new_market(lot_size_atoms=amount(SIZE), tick_size_atoms=amount((1 << 26) + 1)),
        "INVALID_PARAMETER",
    ),
    (
        new_market(lot_size_atoms=amount(SIZE), tick_size_atoms=amount(1 << 26)),
        "TICK_VALUE_NOT_INTEGER",
    ),
    (new_market(lot_size_atoms=amount(1), tick_size_atoms=amount(99)), "TICK_VALUE_NOT_INTEGER"),
    (
        new_market(lot_size_atoms=amount(100), tick_size_atoms=amount((1 << 60) + 1)),
        "TICK_VALUE_NOT_INTEGER",
    ),
    (with_parameters(price_step_ticks=-1), "INVALID_PARAMETER"),
    (with_parameters(price_step_ticks=(1 << 40) + 1), "INVALID_PARAMETER"),
    (with_parameters(quantity_step_lots=(1 << 40) + 1), "INVALID_PARAMETER"),
    (with_parameters(minimum_quantity_lots=-1), "INVALID_PARAMETER"),
    (
        with_parameters(minimum_quantity_lots=3, maximum_quantity_lots=2),
        "INVALID_PARAMETER",
    ),
    (with_parameters(maximum_quantity_lots=(1 << 53) + 1), "INVALID_PARAMETER"),
    (with_parameters(minimum_notional_atoms=amount(-1)), "INVALID_PARAMETER"),
    (with_parameters(maximum_notional_atoms=amount((1 << 120) + 1)), "INVALID_PARAMETER"),
    (with_parameters(taker_fee_ppm=100_001), "INVALID_PARAMETER"),
    (with_parameters(taker_fee_ppm=-1), "INVALID_PARAMETER"),
    (with_parameters(taker_fee_ppm=5, maker_fee_ppm=6), "INVALID_PARAMETER"),
    (with_parameters(taker_fee_ppm=5, maker_fee_ppm=-6), "INVALID_PARAMETER"),
    (with_parameters(resting_orders_max=10_000_001), "INVALID_PARAMETER"),
    (system.UpdateMarket(market_id=1), "WRONG_SHARD"),
    (system.UpdateMarket(market_id=NEW_MARKET), "UNKNOWN_MARKET"),
    (
        system.UpdateMarket(market_id=MARKET, parameters=parameters(taker_fee_ppm=-1)),
        "INVALID_PARAMETER",
    ),
    (system.SetPhase(market_id=1), "WRONG_SHARD"),
    (system.SetPhase(market_id=NEW_MARKET), "UNKNOWN_MARKET"),
    (system.SetPhase(market_id=MARKET), "INVALID_PARAMETER"),
    *(
        (system.SetPhase(market_id=MARKET, phase=phase), "UNSUPPORTED")
        for phase in PHASES.values()
        if phase and phase not in (CONTINUOUS, POST_ONLY, CANCEL_ONLY, HALTED)
    ),
    (system.Halt(market_id=1), "WRONG_SHARD"),
    (system.Halt(market_id=NEW_MARKET), "UNKNOWN_MARKET"),
    (system.Resume(market_id=1), "INVALID_PARAMETER"),
    (system.Resume(market_id=MARKET, phase=HALTED), "INVALID_PARAMETER"),
    (system.Resume(market_id=1, phase=CONTINUOUS), "WRONG_SHARD"),
    (system.Resume(market_id=NEW_MARKET, phase=CONTINUOUS), "UNKNOWN_MARKET"),
    (system.Resume(market_id=MARKET, phase=CONTINUOUS), "PHASE"),
    (system.CreateFirm(firm_id=0, name="X"), "INVALID_PARAMETER"),
    (system.CreateFirm(firm_id=FIRM, name="X"), "DUPLICATE_ID"),
    (system.CreateAccount(account_id=4_095, firm_id=FIRM), "INVALID_PARAMETER"),
    (system.CreateAccount(account_id=FIRST, firm_id=99), "DUPLICATE_ID"),
    (
        system.CreateAccount(
            account_id=9_999, firm_id=99, limits=system.AccountLimits(id_capacity=1)
        ),
        "UNKNOWN_FIRM",
    ),
    *(
        (system.CreateAccount(account_id=9_999, firm_id=FIRM, limits=limits), "INVALID_PARAMETER")
        for limits in (
            system.AccountLimits(open_orders_max=10_001),
            system.AccountLimits(id_capacity=15),
            system.AccountLimits(id_capacity=65_537),
        )
    ),
    (system.SetAccountLimits(account_id=9_999), "UNKNOWN_ACCOUNT"),
    (system.SetAccountLimits(account_id=1), "UNKNOWN_ACCOUNT"),
    (
        system.SetAccountLimits(
            account_id=FIRST, frozen=True, limits=system.AccountLimits(id_capacity=15)
        ),
        "INVALID_PARAMETER",
    ),
    (system.KillSwitch(target_id=FIRST, active=True), "INVALID_PARAMETER"),
    (system.KillSwitch(scope=system.KILL_SCOPE_ACCOUNT, target_id=9_999), "UNKNOWN_ACCOUNT"),
    (system.KillSwitch(scope=system.KILL_SCOPE_ACCOUNT, target_id=1), "UNKNOWN_ACCOUNT"),
    (system.KillSwitch(scope=system.KILL_SCOPE_MARKET, target_id=1 << 32), "UNKNOWN_MARKET"),
    (system.KillSwitch(scope=system.KILL_SCOPE_MARKET, target_id=1), "WRONG_SHARD"),
    (system.KillSwitch(scope=system.KILL_SCOPE_MARKET, target_id=NEW_MARKET), "UNKNOWN_MARKET"),
    *(
        (system.KillSwitch(scope=scope, target_id=1), "UNSUPPORTED")
        for scope in (
            system.KILL_SCOPE_FIRM,
            system.KILL_SCOPE_SESSION,
            system.KILL_SCOPE_ALL,
        )
    ),
    (system.SetReferencePrice(market_id=MARKET, price_ticks=1), "UNSUPPORTED"),
    (system.SetFeeTier(account_id=FIRST), "UNSUPPORTED"),
    (system.BustTrade(market_id=MARKET, trade_id=1), "UNSUPPORTED"),
    (system.CorrectTrade(market_id=MARKET, trade_id=1), "UNSUPPORTED"),
    (system.SwitchRules(version=0), "UNKNOWN_RULES_VERSION"),
    (system.SwitchRules(version=2), "UNKNOWN_RULES_VERSION"),
]


@pytest.mark.parametrize(("command", "reason"), REFUSED)
def test_a_refused_command_of_the_venue_is_answered_and_changes_nothing(
    venue: Venue, command: Message, reason: str
) -> None:
    before = venue.engine.state_parts()
    told = venue.operate(command)
    assert told.system() == [f"answer {reason}"]
    assert len(told.frames) == 1
    assert venue.engine.state_parts() == before


@pytest.mark.parametrize(
    "command",
    [system.Clock(), system.SkipPoisonCommand(seq=4), system.SwitchRules(version=1)],
)
def test_commands_that_do_nothing_by_themselves(venue: Venue, command: Message) -> None:
    before = venue.engine.state_parts()
    assert venue.operate(command).system() == ["answer"]
    assert venue.engine.state_parts() == before


def test_answers_have_correlation_and_place(venue: Venue) -> None:
    first = venue.engine.last_seq + 1
    told = venue.operate(
        system.Clock(),
        system.CreateFirm(firm_id=0, name="X"),
        system.CreateFirm(firm_id=7, name="seven"),
        correlation=1 << 63,
    )
    assert told.system() == ["answer", "answer INVALID_PARAMETER", "answer", "firm_created"]
    found = told.system_events()
    assert [event.seq for event in found] == [first, first + 1, first + 2, first + 2]
    answers = [event.answer for event in found[:3]]
    assert [(a.correlation, a.index) for a in answers] == [(1 << 63, n) for n in range(3)]
    assert found[3].firm_created == system.CreateFirm(firm_id=7, name="seven")


# --- what was made is told with its defaults


def test_a_market_is_told_as_it_stands(venue: Venue) -> None:
    created = new_market(parameters=None)
    told = venue.operate(created)
    expected = new_market(parameters=DEFAULTS)
    assert told.system_events()[1].market_defined == frames_pb2.MarketDefined(
        market=expected, tick_value_atoms=TICK_VALUE
    )
    book = venue.state.books.books[-1]
    assert (book.market, book.phase, book.market_seq) == (expected, HALTED, 0)
    changed = parameters(price_step_ticks=5, maximum_notional_atoms=amount(9), taker_fee_ppm=3)
    told = venue.operate(system.UpdateMarket(market_id=NEW_MARKET, parameters=changed))
    filled = system.MarketParameters()
    filled.CopyFrom(DEFAULTS)
    filled.MergeFrom(changed)
    assert told.system_events()[1].market_defined.market == new_market(parameters=filled)


def test_an_amount_of_zero_is_told_as_absent(venue: Venue) -> None:
    zero = parameters(minimum_notional_atoms=bytes(16), maximum_notional_atoms=bytes(16))
    told = venue.operate(new_market(parameters=zero))
    assert told.system_events()[1].market_defined.market.parameters == DEFAULTS


def test_an_account_is_told_with_its_limits(venue: Venue) -> None:
    told = venue.operate(
        system.CreateAccount(account_id=9_999, firm_id=FIRM, self_trade_group_id=4)
    )
    limits = system.AccountLimits(open_orders_max=1_000, id_capacity=1_024)
    assert told.system_events()[1].account_created == system.CreateAccount(
        account_id=9_999, firm_id=FIRM, self_trade_group_id=4, limits=limits
    )
    assert told.private() == []
    limits = system.AccountLimits(open_orders_max=10_000, id_capacity=65_536)
    command = system.SetAccountLimits(account_id=9_999, limits=limits, frozen=True)
    told = venue.operate(command)
    assert told.system_events()[1].account_limits_set == command
    assert told.lines(9_999) == ["STATUS 10000 frozen"]
    told = venue.operate(system.SetAccountLimits(account_id=9_999))
    assert told.lines(9_999) == ["STATUS 1000"]


def test_parameters_may_be_at_their_bounds(venue: Venue) -> None:
    largest = amount(1 << 120)
    extremes = parameters(
        price_step_ticks=1 << 40,
        quantity_step_lots=1 << 40,
        minimum_quantity_lots=1 << 53,
        maximum_quantity_lots=1 << 53,
        minimum_notional_atoms=largest,
        maximum_notional_atoms=largest,
        maker_fee_ppm=-100_000,
        taker_fee_ppm=100_000,
        resting_orders_max=10_000_000,
    )
    told = venue.operate(new_market(parameters=extremes))
    assert told.system_events()[1].market_defined.market.parameters == extremes
    sizes = {"lot_size_atoms": amount(SIZE), "tick_size_atoms": amount(25)}
    told = venue.operate(market(SHARD << 16 | 7, "LARGE", **sizes))
    assert told.reasons() == ["TICK_VALUE_NOT_INTEGER"]
    one = system.CreateAsset(asset_id=7, symbol="SEVEN", decimals=30)
    sizes = {"lot_size_atoms": amount(10**30), "tick_size_atoms": amount(1 << 26)}
    told = venue.operate(one, market(SHARD << 16 | 7, "LARGE", base_asset_id=7, **sizes))
    assert told.system_events()[-1].market_defined.tick_value_atoms == 1 << 26


# --- phases


def test_a_change_of_phase_is_told_in_the_feed(venue: Venue) -> None:
    told = venue.set_phase(POST_ONLY)
    assert told.l3(MARKET) == ["PHASE POST_ONLY"]
    statuses = told.of_kind(frames_pb2.FRAME_KIND_STATUS, MARKET)
    assert statuses == [market_events.MarketStatus(market_seq=2, phase=POST_ONLY)]
    assert venue.set_phase(POST_ONLY).l3(MARKET) == []


def test_all_markets_halt_and_resume_ascending(venue: Venue) -> None:
    venue.operate(new_market(), system.SetPhase(market_id=NEW_MARKET, phase=CANCEL_ONLY))
    venue.operate(system.Halt(market_id=OTHER_MARKET))
    told = venue.operate(system.Halt())
    keys = [f.key for f in told.frames if f.kind == frames_pb2.FRAME_KIND_STATUS]
    assert keys == [MARKET, NEW_MARKET]
    venue.set_phase(POST_ONLY)
    told = venue.operate(system.Resume(phase=CANCEL_ONLY))
    keys = [f.key for f in told.frames if f.kind == frames_pb2.FRAME_KIND_STATUS]
    assert keys == [OTHER_MARKET, NEW_MARKET]
    phases = [book.phase for book in venue.state.books.books]
    assert phases == [POST_ONLY, CANCEL_ONLY, CANCEL_ONLY]


def test_one_market_resumes(venue: Venue) -> None:
    venue.operate(system.Halt())
    told = venue.operate(system.Resume(market_id=MARKET, phase=CONTINUOUS))
    assert told.l3(MARKET) == ["PHASE CONTINUOUS"]
    assert [book.phase for book in venue.state.books.books] == [CONTINUOUS, HALTED]


# --- kill switches


def test_a_killed_account_loses_its_orders_in_any_phase(venue: Venue) -> None:
    venue.place(FIRST, BUY, 90, 1)
    venue.place(FIRST, SELL, 110, 2, market_id=OTHER_MARKET)
    venue.place(FIRST, BUY, 91, 3)
    venue.place(SECOND, BUY, 91, 4)
    venue.set_phase(HALTED)
    command = system.KillSwitch(scope=system.KILL_SCOPE_ACCOUNT, target_id=FIRST, active=True)
    told = venue.operate(command)
    assert told.system() == ["answer", "kill_switch"]
    assert told.system_events()[1].kill_switch == command
    assert told.lines(FIRST) == [
        "STATUS 1000 killed",
        "CANCELED KILLED 1 cum 0",
        "CANCELED KILLED 2 cum 0",
        "CANCELED KILLED 3 cum 0",
    ]
    assert venue.book() == (["4@91 of 4097"], [])
    venue.set_phase(CONTINUOUS)
    assert venue.send(venue.order(FIRST, BUY, 90, 1)).reasons() == ["KILLED"]
    assert venue.kill_account(FIRST, active=False).lines(FIRST) == ["STATUS 1000"]
    assert venue.place(FIRST, BUY, 90, 1).told.reasons() == []


def test_a_killed_market_takes_nothing(venue: Venue) -> None:
    venue.kill_market()
    assert venue.send(venue.order(FIRST, BUY, 90, 1)).reasons() == ["KILLED"]
    assert venue.place(FIRST, BUY, 90, 1, market_id=OTHER_MARKET).told.reasons() == []
    # Without orders there is nothing to clear.
    assert venue.engine.open_cursors == 0
    venue.kill_market(active=False)
    assert venue.place(FIRST, BUY, 90, 1).told.reasons() == []


def test_a_frozen_account_may_only_cancel(venue: Venue) -> None:
    placed = venue.place(FIRST, BUY, 90, 1)
    assert venue.freeze(FIRST).lines(FIRST) == ["STATUS 1000 frozen"]
    for sent in (
        venue.order(FIRST, BUY, 90, 1),
        venue.amend(FIRST, placed.id, lots=2),
        venue.transfer(FIRST, SECOND, QUOTE, 1),
        venue.withdrawal(FIRST, QUOTE, 1),
    ):
        assert venue.send(sent).reasons() == ["ACCOUNT_FROZEN"]
    # Its orders still trade, and it may be paid.
    assert venue.place(STRANGER, SELL, 90, 1).told.lines(FIRST) == [
        "TRADE 1@90 MAKER leaves 0 fee 1"
    ]
    assert venue.send(venue.transfer(SECOND, FIRST, QUOTE, 1)).lines(FIRST) == ["TRANSFER_IN 1"]
    assert venue.send(venue.mass_cancel(FIRST)).lines(FIRST) == ["MASS CANCEL 0"]


def test_a_smaller_maximum_of_open_orders_takes_none_away(venue: Venue) -> None:
    for _ in range(3):
        venue.place(GROUPED, BUY, 90, 1)
    limits = system.AccountLimits(open_orders_max=2)
    venue.operate(system.SetAccountLimits(account_id=GROUPED, limits=limits))
    assert len(venue.book()[0]) == 3
    assert venue.send(venue.order(GROUPED, BUY, 90, 1)).reasons() == ["OPEN_ORDERS_LIMIT"]
    immediate = venue.order(GROUPED, BUY, 90, 1, time_in_force=enums.TIME_IN_FORCE_IOC)
    assert venue.send(immediate).reasons() == []


def test_the_epoch_is_told(venue: Venue) -> None:
    told = venue.operate(system.EpochStarted(epoch=12))
    assert told.system_events()[1].epoch_started == system.EpochStarted(epoch=12)
