"""Plays of the kill switches of firms and of the shard, under rules version 2.

They are in a deck of their own test, not in that of all tapes: who is stopped does not trade, and a
fifth of the commands of the others must.
"""

from collections.abc import Iterator

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import commands_pb2 as commands
from tests.differential.flow.flow import Flow
from tests.differential.flow.later_orders import BUY, SELL, WAITING, waiting_order
from tests.differential.flow.orders import amend
from tests.differential.flow.plays.refused_orders import limit_order
from tests.differential.flow.world import market_id

FOREIGN = (4_096, 4_100, 5_000)


def _refused_while_on(flow: Flow) -> None:
    """Orders, amendments and timers of accounts that a switch may have stopped."""
    flow.firm(limit_order(flow, 1))
    kind = flow.random.choice(WAITING)
    flow.firm(waiting_order(flow, limit_order(flow, 1), kind))
    for order in flow.model.orders.all()[:3]:
        flow.firm(amend(flow, order))
    flow.firm(commands.CancelAllAfter(timeout_ms=flow.random.choice((0, 1, 5_000))))


def trades(flow: Flow) -> None:
    """Accounts of several firms trade, unless they are stopped."""
    for number in (1, 3, 8, 1, 3, 8):
        price = flow.middles[market_id(number)]
        for side in (SELL, BUY):
            account = flow.random.choice(FOREIGN)
            order = limit_order(flow, number, side=side, price_ticks=price, account_id=account)
            flow.firm(order)


def a_wide_switch(flow: Flow) -> Iterator[None]:
    """A firm or the shard is stopped, for a batch or two, and goes on again."""
    is_firm = flow.random.random() < 0.85
    scope = system.KILL_SCOPE_FIRM if is_firm else system.KILL_SCOPE_ALL
    target = flow.random.choice((1, 2, 3, 4)) if is_firm else 0
    switch = system.KillSwitch(scope=scope, target_id=target, active=True)
    flow.venue(switch)
    # What rests of the firm is met by others until the next batch cancels it.
    trades(flow)
    _refused_while_on(flow)
    if flow.random.random() < 0.5:
        yield
        _refused_while_on(flow)
    if flow.random.random() < 0.3:
        flow.venue(switch)
        yield
    off = system.KillSwitch(scope=scope, target_id=target)
    flow.venue(off)
    trades(flow)


def refused_wide_switches(flow: Flow) -> None:
    """Firms that are not there, a shard with a number, sessions."""
    targets = (
        (system.KILL_SCOPE_FIRM, flow.random.choice((0, 99, 1 << 32, 1 << 40))),
        (system.KILL_SCOPE_ALL, flow.random.choice((1, 1 << 33))),
        (system.KILL_SCOPE_SESSION, 11),
    )
    for scope, target in targets:
        active = flow.random.random() < 0.5
        flow.venue(system.KillSwitch(scope=scope, target_id=target, active=active))


PLAYS = (a_wide_switch, refused_wide_switches)
