"""Tapes of states that small tapes never reach: ten thousand orders, full tables, huge numbers.

Used by the tests of large states, on both engines. What each must have met is said beside it: names
of events and refusals of the census.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.messages import amount
from tests.differential.script import BASE, QUOTE, Script, market_id
from tests.differential.tape import Step

FIRST, SECOND, THIRD = 5_000, 5_001, 5_002
WORK_ORDERS_MAX: Final = 10_000
SELL, IOC, FOK = enums.SIDE_SELL, enums.TIME_IN_FORCE_IOC, enums.TIME_IN_FORCE_FOK
OLDEST = enums.SELF_TRADE_PREVENTION_CANCEL_OLDEST


@dataclass(frozen=True, slots=True)
class LargeState:
    """A tape and what must occur on it."""

    write: Callable[[Script], None]
    occurs: tuple[str, ...]
    rules_version: int = 1

    def steps(self) -> list[Step]:
        """The tape."""
        script = Script()
        self.write(script)
        script.end_batch()
        return script.steps


def _asks(script: Script, account: int, count: int, **fields: Any) -> None:
    """One-lot asks at ten prices."""
    orders = [
        script.order(account, **({"side": SELL, "price_ticks": 100 + n % 10} | fields))
        for n in range(count)
    ]
    script.firm(account, *orders)


def _taker(script: Script, lots: int, **fields: Any) -> None:
    values = {"price_ticks": 200, "quantity_lots": lots, "time_in_force": IOC}
    script.firm(THIRD, script.order(THIRD, **(values | fields)))
    script.end_batch(1)


def _kill(market: int, *, active: bool = True) -> system.KillSwitch:
    return system.KillSwitch(
        scope=system.KILL_SCOPE_MARKET, target_id=market_id(market), active=active
    )


def takers_reach_the_work_limit(script: Script) -> None:
    """FOK counts at most the limit; IOC, an amendment and CANCEL_OLDEST stop at it."""
    script.found((FIRST, SECOND, THIRD), (1,))
    _asks(script, FIRST, 7_000)
    _asks(script, SECOND, 7_000)
    script.end_batch(1)
    _taker(script, WORK_ORDERS_MAX + 1, time_in_force=FOK)
    _taker(script, WORK_ORDERS_MAX + 500)
    _asks(script, FIRST, 7_000)
    script.end_batch(1)
    _taker(script, WORK_ORDERS_MAX, time_in_force=FOK)
    _asks(script, FIRST, 9_000)
    _asks(script, SECOND, 9_000)
    script.end_batch(1)
    resting = script.order(THIRD, price_ticks=50, quantity_lots=20_000)
    script.firm(THIRD, resting)
    amendment = commands.Amend(
        request_id=script.new_id(),
        account_id=THIRD,
        orig_cl_ord_id=resting.cl_ord_id,
        price_ticks=300,
        sent_time_ns=script.now,
    )
    script.firm(THIRD, amendment)
    script.end_batch(1)
    _asks(script, THIRD, 9_990)
    script.end_batch(1)
    _taker(script, 30_000, self_trade_prevention=OLDEST)
    _taker(script, 30_000, self_trade_prevention=OLDEST)


def cursors_share_the_work_of_a_batch(script: Script) -> None:
    """Two markets are killed with more orders than one batch may touch; a snapshot in between."""
    script.found((FIRST, SECOND, THIRD), (1, 2, 3))
    _asks(script, FIRST, 9_000)
    _asks(script, SECOND, 3_000)
    bids = {"side": enums.SIDE_BUY, "market_id": market_id(2)}
    _asks(script, THIRD, 9_000, **bids)
    script.end_batch(1)
    script.venue(_kill(1), _kill(2), _kill(3))
    script.firm(FIRST, script.order(FIRST, price_ticks=1))
    script.end_batch(1)
    for is_restored in (False, True, False):
        script.venue(system.Clock())
        script.firm(SECOND, script.order(SECOND, price_ticks=1, market_id=market_id(2)))
        script.venue(_kill(2, active=False), _kill(2))
        script.end_batch(1)
        if is_restored:
            script.restore()
    script.venue(_kill(1, active=False), _kill(2, active=False))
    _taker(script, 5)


def timers_are_due_by_the_thousand(script: Script) -> None:
    """More GTD orders end at once than a batch may touch; a cursor takes its share first."""
    script.found((FIRST, SECOND, THIRD), (1, 2))
    end = script.now + 1_000
    dated = {"time_in_force": enums.TIME_IN_FORCE_GTD, "expire_time_ns": end}
    _asks(script, FIRST, 9_000, **dated)
    _asks(script, SECOND, 6_000, **dated, market_id=market_id(2))
    _asks(script, THIRD, 2_000)
    late = script.order(THIRD, price_ticks=50)
    script.firm(THIRD, late)
    script.end_batch(999)
    _taker(script, 3)
    script.now = end
    for number in range(4):
        for market in (1, 2):
            fields = {"market_id": market_id(market), "time_in_force": IOC}
            script.firm(THIRD, script.order(THIRD, price_ticks=100, quantity_lots=2, **fields))
        amendment = commands.Amend(
            request_id=script.new_id(),
            account_id=THIRD,
            orig_cl_ord_id=late.cl_ord_id,
            price_ticks=51 + number,
            sent_time_ns=script.now,
        )
        script.firm(THIRD, amendment)
        if number == 0:
            script.venue(_kill(1))
        script.end_batch(number % 2)


def one_command_cancels_ten_thousand(script: Script) -> None:
    """MassCancel, the kill switch of an account, and an account that may have no more orders."""
    script.found((FIRST, SECOND, THIRD), (1, 2))
    for market in (1, 2):
        _asks(script, FIRST, 5_001, market_id=market_id(market))
        _asks(script, SECOND, 5_000, market_id=market_id(market))
    script.end_batch(1)
    script.firm(
        FIRST,
        commands.MassCancel(request_id=script.new_id(), account_id=FIRST, sent_time_ns=script.now),
    )
    script.venue(system.KillSwitch(scope=system.KILL_SCOPE_ACCOUNT, target_id=SECOND, active=True))
    _taker(script, 1)


def quantities_of_a_level_pass_63_bits(script: Script) -> None:
    """A level of 1,100 orders of 2^53 lots is told as 2^63 - 1; then it shrinks below."""
    script.found((FIRST, SECOND, THIRD), (1,))
    _asks(script, FIRST, 1_100, price_ticks=100, quantity_lots=1 << 53)
    script.end_batch(1)
    _taker(script, 1 << 53)
    script.restore()
    for _ in range(80):
        _taker(script, 1 << 53, price_ticks=100)


def a_budget_buys_more_than_63_bits_of_lots(script: Script) -> None:
    """A market order by budget sweeps 1,100 makers of 2^53 lots each."""
    script.found((FIRST, SECOND, THIRD), (1,))
    _asks(script, FIRST, 1_100, price_ticks=1, quantity_lots=1 << 53)
    script.end_batch(1)
    fields = {"order_type": enums.ORDER_TYPE_MARKET, "price_ticks": 0, "time_in_force": IOC}
    budget = amount(1 << 80)
    _taker(script, 0, **(fields | {"quote_budget_atoms": budget}))
    _taker(script, 0, **(fields | {"quote_budget_atoms": budget}))


def tables_of_the_venue_are_full(script: Script) -> None:
    """Assets, markets and sources up to their bound, and one more of each."""
    script.found((FIRST, SECOND, THIRD), (1,))
    script.venue(
        *(system.CreateAsset(asset_id=n, symbol=f"A{n}") for n in range(3, WORK_ORDERS_MAX + 4))
    )
    script.venue(
        *(
            system.CreateMarket(
                market_id=market_id(n),
                symbol=f"M{n}",
                base_asset_id=BASE,
                quote_asset_id=QUOTE,
                lot_size_atoms=amount(1),
                tick_size_atoms=amount(1),
            )
            for n in range(2, 4_099)
        )
    )
    script.venue(
        *(
            system.FinalizeCredit(source_id=n, source_seq=1, deposit_id=script.new_id())
            for n in range(2, WORK_ORDERS_MAX + 3)
        )
    )
    script.venue(system.Halt(), system.Resume(phase=enums.MARKET_PHASE_POST_ONLY))
    _taker(script, 1)
    script.restore()
    _taker(script, 1)


def sessions_give_way_when_there_are_too_many(script: Script) -> None:
    """20,000 sessions; a new one takes the place of the one that was idle longest, if it may."""
    script.found((FIRST, SECOND, THIRD), (1,))
    plans = [
        system.SessionEstablished(session_id=n, firm_id=1, account_ids=[FIRST], link_id=2 + n % 3)
        for n in range(10_000, 30_000)
    ]
    script.venue(*plans[:-3])
    script.end_batch(5)
    script.venue(*plans[-3:])
    script.venue(system.GatewayLost(link_id=3))
    script.end_batch(3_600 * 10**9 - 5)
    script.venue(plans[-1])
    script.end_batch(5)
    script.venue(plans[-2], plans[-3])
    script.end_batch(1)
    script.venue(plans[-1])
    _taker(script, 1)
    script.restore()
    script.venue(system.GatewayLost(link_id=2))
    _taker(script, 1)


def amounts_are_as_large_as_they_may_be(script: Script) -> None:
    """Holds, fees and fills at 2^120; a market order of an account with nearly 2^126."""
    script.found((FIRST, SECOND, THIRD), (1,), taker_fee_ppm=100_000, maker_fee_ppm=-100_000)
    most = 1 << 53
    script.venue(
        system.CreateAsset(asset_id=3, symbol="DEEP", decimals=20),
        system.CreateMarket(
            market_id=market_id(9),
            symbol="WIDE",
            base_asset_id=3,
            quote_asset_id=QUOTE,
            lot_size_atoms=amount(10**20),
            tick_size_atoms=amount(1),
            parameters=system.MarketParameters(taker_fee_ppm=77_777, maker_fee_ppm=-55_555),
        ),
        system.CreateMarket(
            market_id=market_id(10),
            symbol="STEEP",
            base_asset_id=BASE,
            quote_asset_id=QUOTE,
            lot_size_atoms=amount(1 << 14),
            tick_size_atoms=amount(1),
            parameters=system.MarketParameters(taker_fee_ppm=77_777, maker_fee_ppm=-55_555),
        ),
    )
    for number in (9, 10):
        script.venue(
            system.SetPhase(market_id=market_id(number), phase=enums.MARKET_PHASE_CONTINUOUS)
        )
    for _ in range(60):
        script.venue(
            script.credit(FIRST, QUOTE, 1 << 120),
            script.credit(SECOND, BASE, 1 << 120),
            script.credit(SECOND, 3, 1 << 120),
        )
    script.end_batch(1)
    wide = {"market_id": market_id(9), "price_ticks": 1 << 50, "quantity_lots": most}
    script.firm(SECOND, script.order(SECOND, side=SELL, **wide))
    script.firm(FIRST, script.order(FIRST, **wide))
    steep = {"market_id": market_id(10)}
    for lots in (most, 3, most - 1):
        script.firm(
            SECOND, script.order(SECOND, side=SELL, price_ticks=most, quantity_lots=lots, **steep)
        )
        script.firm(FIRST, script.order(FIRST, price_ticks=most, quantity_lots=lots, **steep))
    script.firm(
        SECOND, script.order(SECOND, side=SELL, price_ticks=most, quantity_lots=most, **steep)
    )
    at_market = {"order_type": enums.ORDER_TYPE_MARKET, "price_ticks": 0, "time_in_force": IOC}
    script.firm(FIRST, script.order(FIRST, quantity_lots=most, **at_market, **steep))
    script.firm(
        FIRST,
        script.order(
            FIRST, quantity_lots=0, quote_budget_atoms=amount(1 << 120), **at_market, **steep
        ),
    )
    script.restore()


def _sell_stops(script: Script, count: int, **fields: Any) -> None:
    """Stops that a trade at 100 reaches."""
    values = {
        "side": SELL,
        "order_type": enums.ORDER_TYPE_STOP,
        "price_ticks": 0,
        "trigger_price_ticks": 100,
    }
    script.firm(FIRST, *(script.order(FIRST, **(values | fields)) for _ in range(count)))


def cascades_are_bounded(script: Script) -> None:
    """One trade reaches more orders than a cascade enters, in all and by what they touch."""
    script.found([FIRST, SECOND, THIRD], [1, 2])
    script.venue(system.SwitchRules(version=2))
    script.end_batch(1)
    for number, counts in ((1, (1_500, 0)), (2, (7_000, 6_000))):
        market = market_id(number)
        for account, count in zip((SECOND, THIRD), counts, strict=True):
            script.firm(account, *(script.order(account, market_id=market) for _ in range(count)))
    _sell_stops(script, 1_200)
    _sell_stops(script, 4, market_id=market_id(2), quantity_lots=4_000)
    script.end_batch(1)
    for number in (1, 2):
        taker = script.order(FIRST, market_id=market_id(number), side=SELL, time_in_force=IOC)
        script.firm(FIRST, taker)
    script.end_batch(1)
    script.restore()
    for _ in range(3):
        script.venue(system.Clock())
        script.end_batch(1)


LARGE_STATES: Final = {
    state.write.__name__: state
    for state in (
        LargeState(
            takers_reach_the_work_limit,
            ("CANCEL_REASON_WORK_LIMIT", "REJECT_REASON_FOK_NOT_FILLABLE"),
        ),
        LargeState(
            cursors_share_the_work_of_a_batch,
            ("CANCEL_REASON_MARKET_CLEARED", "REJECT_REASON_KILLED", "system cursor_closed"),
        ),
        LargeState(timers_are_due_by_the_thousand, ("EXEC_TYPE_EXPIRED", "REJECT_REASON_PHASE")),
        LargeState(
            one_command_cancels_ten_thousand,
            (
                "CANCEL_REASON_MASS_CANCEL",
                "CANCEL_REASON_KILLED",
                "REJECT_REASON_OPEN_ORDERS_LIMIT",
            ),
        ),
        LargeState(quantities_of_a_level_pass_63_bits, ("EXEC_TYPE_TRADE",)),
        LargeState(a_budget_buys_more_than_63_bits_of_lots, ("CANCEL_REASON_INSUFFICIENT_FUNDS",)),
        LargeState(tables_of_the_venue_are_full, ("REJECT_REASON_CAPACITY",)),
        LargeState(
            sessions_give_way_when_there_are_too_many,
            ("REJECT_REASON_CAPACITY", "session dropped", "session opened"),
        ),
        LargeState(amounts_are_as_large_as_they_may_be, ("EXEC_TYPE_TRADE",)),
        LargeState(cascades_are_bounded, ("EXEC_TYPE_TRIGGERED",), rules_version=2),
    )
}
