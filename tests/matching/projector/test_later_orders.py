"""The history of orders of rules version 2: those that wait, those that show a part."""

from typing import Any

from cambist.internal.journal.v1 import snapshot_pb2, system_pb2
from cambist.orders.v1 import commands_pb2, enums_pb2, events_pb2
from matching.history.description import described
from runtime.postgres import Database
from tests.matching.projector.conftest import MakeProjector
from tests.matching.projector.journal import ACCOUNTS, MARKETS, SIDES, Journal, store, system

WAITING = (
    enums_pb2.ORDER_TYPE_STOP_LIMIT,
    enums_pb2.ORDER_TYPE_TAKE_PROFIT_LIMIT,
    enums_pb2.ORDER_TYPE_TRAILING_STOP,
)
FOLLOWED = ("price_ticks", "quantity_lots", "leaves_lots", "cum_lots", "public_order_id")
ALL = (*FOLLOWED, "display_lots")


def order_of(journal: Journal) -> commands_pb2.NewOrder:
    """A plain order, an iceberg, or one that waits."""
    pick = journal.random
    journal.ids += 1
    order = commands_pb2.NewOrder(
        cl_ord_id=(1 << 64 | journal.ids).to_bytes(16, "big"),
        account_id=pick.choice(ACCOUNTS),
        market_id=MARKETS[0],
        side=pick.choice(SIDES),
        order_type=enums_pb2.ORDER_TYPE_LIMIT,
        time_in_force=enums_pb2.TIME_IN_FORCE_GTC,
        price_ticks=1_000 + pick.randint(-4, 4),
        quantity_lots=pick.randint(2, 9) * 10,
        self_trade_prevention=enums_pb2.SELF_TRADE_PREVENTION_NONE,
        sent_time_ns=journal.time_ns,
    )
    kind = pick.random()
    if kind < 0.3:
        order.display_lots = 10
    elif kind < 0.6:
        order.order_type = pick.choice(WAITING)
        if order.order_type == enums_pb2.ORDER_TYPE_TRAILING_STOP:
            order.trailing_offset_ticks = pick.randint(1, 3)
        else:
            order.trigger_price_ticks = order.price_ticks
    return order


def played(seed: int) -> Journal:
    """A journal that switches to version 2 and enters many orders."""
    journal = Journal(seed)
    journal.commit(journal.of_system(system(switch_rules=system_pb2.SwitchRules(version=2))))
    for _ in range(60):
        orders = [order_of(journal) for _ in range(journal.random.randint(1, 5))]
        journal.commit(*(journal.of_firm(new_order=order) for order in orders))
    return journal


async def test_history_follows_orders_that_wait_and_that_show_a_part(
    database: Database, make_projector: MakeProjector
) -> None:
    journal = played(seed=5)
    await store(database, journal.rows)
    await make_projector(rows_max=7).catch_up()
    state = snapshot_pb2.Snapshot.FromString(journal.engine.snapshot())
    books = snapshot_pb2.BooksSection.FromString(state.books).books
    triggers = snapshot_pb2.TriggersSection.FromString(state.triggers).markets
    resting = [order for book in books for order in (*book.bids, *book.asks)]
    waiting = [row for market in triggers for row in market.waiting]
    assert any(order.display_lots for order in resting)
    assert waiting
    open_orders: dict[int, tuple[Any, ...]] = {
        order.order_id: tuple(getattr(order, name) for name in ALL)
        for order in (*resting, *(row.order for row in waiting))
    }
    records = await database.read("select * from history.orders where leaves_lots > 0")
    assert {r["order_id"]: tuple(r[name] for name in ALL) for r in records} == open_orders
    stored = {record["order_id"]: record for record in records}
    for row in waiting:
        event = events_pb2.PrivateEvent.FromString(described(stored[row.order.order_id]))
        for name in ("order_type", "trigger_price_ticks", "trailing_offset_ticks"):
            assert getattr(event.execution_report, name) == getattr(row, name)


async def test_any_split_gives_the_same_history_of_them(
    database: Database, make_projector: MakeProjector
) -> None:
    journal = played(seed=6)
    await store(database, journal.rows)
    query = "select * from history.orders order by order_id"
    await make_projector().catch_up()
    whole = [tuple(record) for record in await database.read(query)]
    await database.write("truncate history.orders, history.progress, history.account_index")
    await database.write(
        "truncate history.fills, history.venue_entries, history.venue_balances, history.money,"
        " history.candles, history.markets, history.refused_orders, history.prevented_matches"
    )
    await make_projector(rows_max=1).catch_up()
    assert [tuple(record) for record in await database.read(query)] == whole
