"""What must hold after every command of random tapes with waiting orders, all kinds of them."""

from dataclasses import dataclass
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.messages import amount
from tests.reference.conftest import second_rules
from tests.reference.told import Told
from tests.reference.triggers.orders import (
    GTC,
    GTD,
    IOC,
    STOP,
    STOP_LIMIT,
    TAKE_PROFIT,
    TAKE_PROFIT_LIMIT,
    TRAILING,
    conditional,
)
from tests.reference.venue import (
    BASE,
    BUY,
    FIRST,
    GROUPED,
    GROUPED_STRANGER,
    MARKET,
    QUOTE,
    SECOND,
    SELL,
    STRANGER,
    Venue,
)

ACCOUNTS: Final = (FIRST, SECOND, STRANGER, GROUPED, GROUPED_STRANGER)
LIMIT_KINDS: Final = (STOP_LIMIT, TAKE_PROFIT_LIMIT)
PRICES = st.integers(90, 110)
usual = settings(
    max_examples=60,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)


@dataclass(frozen=True, slots=True)
class Step:
    """Numbers from which a command is made."""

    kind: int
    account: int
    side: int
    price: int
    trigger: int
    lots: int
    choice: int


STEPS = st.lists(
    st.builds(
        Step,
        kind=st.integers(0, 13),
        account=st.sampled_from(ACCOUNTS),
        side=st.sampled_from([BUY, SELL]),
        price=PRICES,
        trigger=PRICES,
        lots=st.integers(1, 5),
        choice=st.integers(0, 5),
    ),
    min_size=10,
    max_size=60,
)
DAY: Final = enums.TIME_IN_FORCE_DAY
KINDS: Final = (STOP, STOP_LIMIT, TAKE_PROFIT, TAKE_PROFIT_LIMIT, TRAILING)


def waiting_order(venue: Venue, step: Step, side: enums.Side.ValueType) -> commands.NewOrder:
    """A waiting order of the kind that the numbers say."""
    kind = KINDS[step.kind]
    mode = enums.SelfTradePrevention.values()[step.choice]
    sent = conditional(
        venue,
        kind,
        side,
        step.trigger,
        step.lots,
        account=step.account,
        price=step.price,
        self_trade_prevention=mode,
    )
    if kind == TRAILING:
        sent.trigger_price_ticks = 0
        if step.choice % 2:
            sent.trailing_offset_ticks = step.lots
        else:
            sent.trailing_offset_ppm = 10_000 * step.lots
    sent.time_in_force = (GTC, GTD, IOC if kind in LIMIT_KINDS else GTC)[step.choice % 3]
    if sent.time_in_force == GTD:
        sent.expire_time_ns = venue.now + 20_000
    if kind not in LIMIT_KINDS and step.choice == 3:
        sent.price_ticks = 0
        if side == BUY:
            sent.quantity_lots = 0
            sent.quote_budget_atoms = amount(500 * step.lots)
    return sent


def command(venue: Venue, step: Step) -> Told:
    """One command: half of them orders that wait, a third that trade, the others requests."""
    side = BUY if step.side == BUY else SELL
    if step.kind < len(KINDS):
        return venue.send(waiting_order(venue, step, side))
    if step.kind < 9:
        return venue.send(limit_order(venue, step, side))
    target = 1 + step.trigger * step.choice % 40
    if step.kind == 9:
        return venue.send(venue.cancel(step.account, target))
    if step.kind == 10:
        return venue.send(venue.amend(step.account, target, price=step.price, lots=step.lots))
    if step.kind == 11:
        return venue.send(venue.mass_cancel(step.account, side=side))
    if step.kind == 12:
        new = limit_order(venue, step, side)
        old = (12 + step.trigger * step.lots % 40).to_bytes(16, "big")
        return venue.send(commands.Replace(orig_cl_ord_id=old, new_order=new, allow_missing=True))
    timer = commands.CancelAllAfter(
        request_id=venue.new_id(),
        account_id=step.account,
        timeout_ms=step.choice,
        sent_time_ns=venue.now,
    )
    told = venue.send(timer)
    venue.wait(1_000_000 * step.lots)
    return told


def limit_order(venue: Venue, step: Step, side: enums.Side.ValueType) -> commands.NewOrder:
    """A limit order, perhaps an iceberg, for a day, or with a minimum quantity."""
    sent = venue.order(step.account, side, step.price, step.lots)
    sent.time_in_force = (GTC, IOC, DAY)[step.choice % 3]
    if step.choice == 3:
        sent.display_lots = 1
    if step.choice == 4:
        sent.minimum_lots = 1
    return sent


def unseen(venue: Venue) -> list[int]:
    """Orders that wait although the last price is beyond their fixed trigger: none."""
    found = []
    for rows in venue.state.triggers.markets:
        last = rows.last_price_ticks
        for row in rows.waiting:
            rises = (row.side == BUY) != (row.order_type in (TAKE_PROFIT, TAKE_PROFIT_LIMIT))
            trigger = row.trigger_price_ticks
            if trigger and last and (last >= trigger if rises else last <= trigger):
                found.append(row.order.order_id)
    return found


@usual
@given(STEPS)
def test_nobody_waits_whose_price_was_seen_and_money_and_ids_fit(steps: list[Step]) -> None:
    venue = Venue.founded(second_rules())
    venue.operate(system.SwitchRules(version=2))
    for step in steps:
        command(venue, step)  # the venue looks at money, holds, books and ids after each
        assert unseen(venue) == []
    for account in ACCOUNTS:
        venue.send(venue.mass_cancel(account))
    assert venue.state.held() == {}
    assert venue.book(MARKET) == ([], [])


@usual
@given(STEPS, st.data())
def test_a_snapshot_anywhere_changes_nothing_and_a_tape_gives_the_same_bytes(
    steps: list[Step], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(steps)))
    rows = []
    for restores in (False, True):
        venue = Venue.founded(second_rules())
        venue.operate(system.SwitchRules(version=2))
        told = []
        for number, step in enumerate(steps):
            if restores and number == cut:
                venue.restore()
            told.append(command(venue, step).row)
        rows.append((told, venue.engine.state_hash, venue.engine.snapshot()))
    assert rows[0] == rows[1]


@usual
@given(STEPS)
def test_a_refused_command_changes_no_book_money_or_trigger(steps: list[Step]) -> None:
    venue = Venue.founded(second_rules())
    venue.operate(system.SwitchRules(version=2))
    for step in steps:
        before = venue.engine.state_parts()
        timers = venue.engine.next_timer_ns
        told = command(venue, step)
        if told.reasons() and len(told.private()) == 1 and timers == venue.engine.next_timer_ns:
            after = venue.engine.state_parts()
            assert all(after[part] == before[part] for part in ("money", "books", "triggers"))


@usual
@given(STEPS)
def test_what_is_bought_is_sold_and_only_fees_are_lost(steps: list[Step]) -> None:
    venue = Venue.founded(second_rules())
    venue.operate(system.SwitchRules(version=2))
    before = {asset: sum(venue.available(a, asset) for a in ACCOUNTS) for asset in (BASE, QUOTE)}
    traded = dict.fromkeys(ACCOUNTS, 0)
    for step in steps:
        told = command(venue, step)
        for account in ACCOUNTS:
            for report in told.reports(account):
                if report.exec_type == enums.EXEC_TYPE_TRADE:
                    sign = 1 if report.side == BUY else -1
                    traded[account] += sign * report.last_lots
    assert sum(traded.values()) == 0
    for account in ACCOUNTS:
        venue.send(venue.mass_cancel(account))
    after = sum(venue.available(account, BASE) for account in ACCOUNTS)
    assert after == before[BASE]
    assert sum(venue.available(account, QUOTE) for account in ACCOUNTS) <= before[QUOTE]
