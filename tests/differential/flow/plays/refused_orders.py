"""Plays of orders that are refused: one for every clause of section 4, and what is not built."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.flow import SECOND_NS, Flow
from tests.differential.flow.messages import amount
from tests.differential.flow.orders import new_order
from tests.differential.flow.world import AMOUNT_ATOMS_MAX, market_id

Change = Callable[[Flow, commands.NewOrder], None]
PRICE_MAX: Final = 1 << 53
NOT_BUILT: Final = (
    ("display_lots", 1),
    ("hidden", True),
    ("minimum_lots", 1),
    ("trigger_price_ticks", -1),
    ("trailing_offset_ticks", 1),
    ("trailing_offset_ppm", 1),
    ("peg_offset_ticks", -5),
    ("time_in_force", enums.TIME_IN_FORCE_DAY),
    ("time_in_force", enums.TIME_IN_FORCE_AT_THE_OPEN),
    ("time_in_force", enums.TIME_IN_FORCE_AT_THE_CLOSE),
    ("order_type", enums.ORDER_TYPE_STOP),
    ("order_type", enums.ORDER_TYPE_STOP_LIMIT),
    ("order_type", enums.ORDER_TYPE_TAKE_PROFIT),
    ("order_type", enums.ORDER_TYPE_TAKE_PROFIT_LIMIT),
    ("order_type", enums.ORDER_TYPE_TRAILING_STOP),
    ("order_type", enums.ORDER_TYPE_PEGGED),
    ("side", enums.SIDE_UNSPECIFIED),
    ("order_type", enums.ORDER_TYPE_UNSPECIFIED),
    ("time_in_force", enums.TIME_IN_FORCE_UNSPECIFIED),
)


def limit_order(flow: Flow, number: int = 1, **fields: int | bytes | bool) -> commands.NewOrder:
    """A good GTC order on a market of the world, with these fields instead."""
    account = flow.account_of()
    order = new_order(flow, account.account_id, flow.plan(market_id(number)))
    order.order_type, order.time_in_force = enums.ORDER_TYPE_LIMIT, enums.TIME_IN_FORCE_GTC
    order.price_ticks = order.price_ticks or flow.middles[order.market_id]
    order.quantity_lots = order.quantity_lots or 100
    order.quote_budget_atoms, order.expire_time_ns, order.post_only = b"", 0, False
    for name, value in fields.items():
        setattr(order, name, value)
    return order


def what_is_not_built(flow: Flow) -> None:
    """Kinds and instructions of later issues, and what is unspecified."""
    for name, value in flow.random.sample(NOT_BUILT, 4):
        fields: dict[str, Any] = {name: value}
        flow.firm(limit_order(flow, **fields))


def wrong_market(flow: Flow) -> None:
    """Another shard's market, one that does not exist, one that the session may not trade."""
    flow.firm(limit_order(flow, market_id=market_id(1, flow.world.shard + 1)))
    flow.firm(limit_order(flow, market_id=flow.random.choice((market_id(999), market_id(0)))))
    session = flow.model.sessions[12]
    if session.is_connected:
        flow.session(session, [limit_order(flow, 2, account_id=4_096)])


def fields_that_do_not_go_together(flow: Flow) -> None:
    """INVALID_COMBINATION in its kinds."""
    buy, sell, budget = enums.SIDE_BUY, enums.SIDE_SELL, amount(1_000_000)
    market, ioc, fok = (
        enums.ORDER_TYPE_MARKET,
        enums.TIME_IN_FORCE_IOC,
        enums.TIME_IN_FORCE_FOK,
    )
    at_market: dict[str, Any] = {
        "order_type": market,
        "time_in_force": ioc,
        "price_ticks": 0,
        "side": buy,
    }
    spent = at_market | {"quantity_lots": 0, "quote_budget_atoms": budget}
    decrement = {"self_trade_prevention": enums.SELF_TRADE_PREVENTION_DECREMENT}
    kinds: list[dict[str, Any]] = [
        {"quote_budget_atoms": budget},
        at_market | {"price_ticks": 5},
        at_market | {"time_in_force": enums.TIME_IN_FORCE_GTC},
        at_market | {"time_in_force": enums.TIME_IN_FORCE_GTD},
        at_market | {"quote_budget_atoms": budget},
        at_market | {"quantity_lots": 0},
        spent | {"side": sell},
        spent | {"time_in_force": fok},
        spent | decrement,
        at_market | {"post_only": True},
        {"post_only": True, "time_in_force": ioc},
        {"post_only": True, "time_in_force": fok},
        {"expire_time_ns": flow.now + SECOND_NS},
    ]
    for fields in flow.random.sample(kinds, 5):
        flow.firm(limit_order(flow, **fields))


def wrong_numbers(flow: Flow) -> None:
    """Prices and quantities out of bounds or off their steps."""
    extremes = (0, -1, PRICE_MAX + 1, -(1 << 63), (1 << 63) - 1)
    kinds: list[tuple[int, dict[str, Any]]] = [
        (1, {"price_ticks": flow.random.choice(extremes)}),
        (2, {"price_ticks": 3_000_001}),
        (1, {"quantity_lots": flow.random.choice(extremes)}),
        (2, {"quantity_lots": 101}),
        (2, {"quantity_lots": 10}),
        (2, {"quantity_lots": 2_010}),
        (2, {"quantity_lots": 20}),
        (2, {"quantity_lots": 1_000}),
        (1, {"price_ticks": PRICE_MAX, "quantity_lots": PRICE_MAX}),
        (6, {"price_ticks": PRICE_MAX, "quantity_lots": 1 << 20}),
        (5, {"quantity_lots": 1_329_228, "price_ticks": 1}),
        (5, {"quantity_lots": 1_329_227, "price_ticks": 1}),
    ]
    for number, fields in flow.random.sample(kinds, 5):
        flow.firm(limit_order(flow, number, **fields))


def wrong_budget(flow: Flow) -> None:
    """Budgets at and beyond their bounds."""
    for atoms in flow.random.sample(
        (-1, 1, AMOUNT_ATOMS_MAX, AMOUNT_ATOMS_MAX + 1, -(1 << 127)), 2
    ):
        flow.firm(
            limit_order(
                flow,
                order_type=enums.ORDER_TYPE_MARKET,
                time_in_force=enums.TIME_IN_FORCE_IOC,
                side=enums.SIDE_BUY,
                price_ticks=0,
                quantity_lots=0,
                quote_budget_atoms=amount(atoms),
                self_trade_prevention=0,
            )
        )


def wrong_expiry(flow: Flow) -> None:
    """GTD that ends now, never, or too late; and the last moment that is good."""
    last = flow.now + 400 * 86_400 * SECOND_NS
    for end in flow.random.sample((0, -1, flow.now, last + 1, last), 2):
        flow.firm(limit_order(flow, time_in_force=enums.TIME_IN_FORCE_GTD, expire_time_ns=end))


def crossing_post_only(flow: Flow) -> None:
    """Post-only orders at and beyond the best price of the other side."""
    for number, market in ((n, flow.model.markets[market_id(n)]) for n in (1, 3, 4)):
        if market.ask_ticks:
            price = market.ask_ticks + flow.random.choice((-1, 0, 0, 3))
            flow.firm(
                limit_order(
                    flow, number, post_only=True, side=enums.SIDE_BUY, price_ticks=max(1, price)
                )
            )


def more_than_the_account_has(flow: Flow) -> None:
    """Holds above available, and a poor account that spends its last atom."""
    poor = flow.account_of(is_rich=False).account_id
    flow.firm(limit_order(flow, account_id=poor))
    flow.firm(limit_order(flow, 3, quantity_lots=1 << 40, price_ticks=(1 << 40) + (1 << 31)))
    flow.venue(flow.credit(poor, 2, 600_000 * 5 + 600))
    flow.firm(
        limit_order(
            flow,
            account_id=poor,
            side=enums.SIDE_BUY,
            price_ticks=600_000,
            quantity_lots=flow.random.choice((5, 6)),
        )
    )


def too_many_open_orders(flow: Flow) -> None:
    """An account of three open orders, and a book of 25."""
    far = flow.middles[market_id(1)] // 2
    for step in range(4):
        flow.firm(limit_order(flow, account_id=5_002, side=enums.SIDE_BUY, price_ticks=far + step))
    for step in range(flow.random.randint(1, 28)):
        flow.firm(limit_order(flow, 4, side=enums.SIDE_BUY, price_ticks=1 + step % 20))


def unlike_fill_or_kill(flow: Flow) -> None:
    """FOK orders larger than the book, at limit and at market."""
    for side in (enums.SIDE_BUY, enums.SIDE_SELL):
        order = limit_order(flow, side=side, time_in_force=enums.TIME_IN_FORCE_FOK)
        order.quantity_lots = flow.random.choice((1, 30, 200, 5_000))
        flow.firm(order)
        order = limit_order(flow, side=side, time_in_force=enums.TIME_IN_FORCE_FOK)
        order.order_type, order.price_ticks = enums.ORDER_TYPE_MARKET, 0
        order.quantity_lots = flow.random.choice((1, 30, 200, 5_000))
        flow.firm(order)


def unknown_accounts(flow: Flow) -> Iterator[None]:
    """Accounts that do not exist, are the venue's, or are not the session's."""
    for account_id in (0, 1, 4_095, 4_200, (1 << 64) - 1):
        if flow.random.random() < 0.5:
            flow.unary(limit_order(flow, account_id=account_id))
    for session in list(flow.model.sessions.values()):
        if session.is_connected:
            stranger = flow.random.choice((77_777, 3, 4_096, 5_003, 1 << 40))
            flow.session(session, [limit_order(flow, account_id=stranger)])
            yield


PLAYS: Final = (
    what_is_not_built,
    wrong_market,
    fields_that_do_not_go_together,
    wrong_numbers,
    wrong_budget,
    wrong_expiry,
    crossing_post_only,
    more_than_the_account_has,
    too_many_open_orders,
    unlike_fill_or_kill,
    unknown_accounts,
)
