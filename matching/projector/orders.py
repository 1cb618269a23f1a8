"""Folds execution reports into what changes about orders. Pure.

Reports carry absolute values, so an order is brought up to date without reading it: what a report
does not tell stays as it is stored. Repeats of answers change nothing.
"""

from dataclasses import dataclass
from typing import Any, Final

from cambist.orders.v1 import enums_pb2 as enums
from cambist.orders.v1 import events_pb2 as events

NEW: Final = int(enums.EXEC_TYPE_NEW)
TRADE: Final = int(enums.EXEC_TYPE_TRADE)
REPLACED: Final = int(enums.EXEC_TYPE_REPLACED)
TRIGGERED: Final = int(enums.EXEC_TYPE_TRIGGERED)
RESTATED: Final = int(enums.EXEC_TYPE_RESTATED)
REJECTED: Final = int(enums.EXEC_TYPE_REJECTED)


@dataclass(slots=True)
class OrderChange:
    """What a batch of rows did to one order. None = as it was."""

    # The report that entered it, when that was in this batch.
    entered: events.ExecutionReport | None = None
    price_ticks: int | None = None
    quantity_lots: int | None = None
    public_order_id: int | None = None
    display_lots: int | None = None
    cum_tick_lots: bytes | None = None
    leaves_lots: int = 0
    cum_lots: int = 0
    last_event: events.PrivateEvent | None = None

    def follow(self, kind: int, report: events.ExecutionReport) -> None:
        """Takes the next report of the order; `kind` is its exec_type."""
        if kind == NEW:
            self.entered = report
            self.cum_tick_lots = b""
        if kind in (NEW, REPLACED):
            self.price_ticks = report.price_ticks
            self.public_order_id = report.public_order_id
            self.display_lots = report.display_lots
        # Of one that waited, its first place; of an iceberg, the next one.
        if kind in (TRIGGERED, RESTATED) and report.public_order_id:
            self.public_order_id = report.public_order_id
        if kind in (NEW, REPLACED, RESTATED):
            self.quantity_lots = report.quantity_lots
        if kind == TRADE:
            self.cum_tick_lots = report.cum_tick_lots
        # Every report tells both; those that end an order tell no leaves, which are zero.
        self.leaves_lots = report.leaves_lots
        self.cum_lots = report.cum_lots

    def followed(self) -> tuple[Any, ...]:
        """Columns from price_ticks to last_event; None where nothing changed."""
        assert self.last_event is not None, "a change has an event"
        return (
            self.price_ticks,
            self.quantity_lots,
            self.leaves_lots,
            self.cum_lots,
            self.cum_tick_lots,
            self.public_order_id,
            self.display_lots,
            self.last_event.SerializeToString(),
        )


class OrderFold:
    """Changes of orders, by (account, order)."""

    def __init__(self) -> None:
        self.changes: dict[tuple[int, int], OrderChange] = {}
        # The last refusal of a NewOrder by (account, client id).
        self.refusals: dict[tuple[int, bytes], events.PrivateEvent] = {}

    def add(self, account_id: int, event: events.PrivateEvent) -> int:
        """Takes an event with an execution report; its exec_type, 0 when it is a repeat."""
        report = event.execution_report
        if report.repeat:
            return 0
        kind = int(report.exec_type)
        if kind == REJECTED:
            self.refusals[account_id, report.cl_ord_id] = event
            return kind
        key = (account_id, report.order_id)
        change = self.changes.get(key)
        if change is None:
            change = self.changes[key] = OrderChange()
        change.follow(kind, report)
        change.last_event = event
        return kind

    def entered(self, shard: int) -> list[tuple[Any, ...]]:
        """Rows of orders that were entered in this batch, in the order of the table's columns."""
        return [
            (
                shard,
                account_id,
                order_id,
                change.entered.market_id,
                change.entered.cl_ord_id,
                change.entered.side,
                change.entered.order_type,
                change.entered.time_in_force,
                change.entered.tag,
                change.entered.expire_time_ns,
                change.entered.quote_budget_atoms,
                change.entered.trigger_price_ticks,
                change.entered.trailing_offset_ticks,
                change.entered.trailing_offset_ppm,
                *change.followed(),
            )
            for (account_id, order_id), change in self.changes.items()
            if change.entered is not None
        ]

    def updated(self) -> list[tuple[Any, ...]]:
        """(account, order, followed columns) of orders entered before this batch."""
        return [
            (*key, *change.followed())
            for key, change in self.changes.items()
            if change.entered is None
        ]
