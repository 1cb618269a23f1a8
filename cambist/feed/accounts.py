"""Balances and open orders of accounts, kept from private events and balance updates.

Used by `image`. It must never tell a closed order as open.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import islice

from cambist.feed.errors import FeedBroken
from cambist.internal.journal.v1 import frames_pb2 as frames
from cambist.internal.journal.v1 import snapshot_pb2 as snapshots
from cambist.orders.v1 import enums_pb2 as enums
from cambist.orders.v1 import events_pb2 as events

Balance = tuple[bytes, bytes, bytes]  # available, held, in flight
ZERO: Balance = (b"", b"", b"")
KEPT_OF_NEW = (
    "cl_ord_id",
    "order_id",
    "market_id",
    "side",
    "price_ticks",
    "quantity_lots",
    "leaves_lots",
    "cum_lots",
    "cum_tick_lots",
    "public_order_id",
    "time_in_force",
    "tag",
    "expire_time_ns",
    "display_lots",
)
# Of orders that wait for a price, besides.
KEPT_OF_WAITING = (
    *KEPT_OF_NEW,
    "order_type",
    "quote_budget_atoms",
    "trigger_price_ticks",
    "trailing_offset_ticks",
    "trailing_offset_ppm",
)
WAITING_TYPES = frozenset(
    {
        enums.ORDER_TYPE_STOP,
        enums.ORDER_TYPE_STOP_LIMIT,
        enums.ORDER_TYPE_TAKE_PROFIT,
        enums.ORDER_TYPE_TAKE_PROFIT_LIMIT,
        enums.ORDER_TYPE_TRAILING_STOP,
    }
)
FOLLOWED = {
    enums.EXEC_TYPE_TRADE: ("leaves_lots", "cum_lots", "cum_tick_lots"),
    enums.EXEC_TYPE_REPLACED: (
        "price_ticks",
        "quantity_lots",
        "leaves_lots",
        "public_order_id",
        "display_lots",
    ),
    enums.EXEC_TYPE_TRIGGERED: ("public_order_id",),
    enums.EXEC_TYPE_RESTATED: ("quantity_lots", "leaves_lots"),
}
CLOSING = frozenset({enums.EXEC_TYPE_CANCELED, enums.EXEC_TYPE_EXPIRED})


@dataclass(slots=True)
class Account:
    """One account. Its open orders, as NEW reports, lie in ascending order of id."""

    account_seq: int = 0
    balances: dict[int, Balance] = field(default_factory=dict)
    orders: dict[int, events.ExecutionReport] = field(default_factory=dict)

    def set_balance(self, asset_id: int, balance: Balance) -> None:
        """Sets the balances in one asset; three zeros are forgotten."""
        if balance == ZERO:
            self.balances.pop(asset_id, None)
        else:
            self.balances[asset_id] = balance

    def apply(self, event: events.PrivateEvent) -> None:
        """Applies one private event. Raises FeedBroken(ACCOUNT_GAP)."""
        if event.account_seq != self.account_seq + 1:
            raise FeedBroken("ACCOUNT_GAP")
        self.account_seq = event.account_seq
        report = event.execution_report
        if event.WhichOneof("event") != "execution_report" or report.repeat:
            return
        if report.exec_type == enums.EXEC_TYPE_NEW:
            self._open(report)
        elif _ends(report):
            self.orders.pop(report.order_id, None)
        elif (order := self.orders.get(report.order_id)) is not None:
            self._follow(order, report)
            if not order.leaves_lots:
                del self.orders[report.order_id]

    def _open(self, report: events.ExecutionReport) -> None:
        if report.order_type in WAITING_TYPES:
            self.orders[report.order_id] = _copy(report, KEPT_OF_WAITING, _open_order())
        elif report.public_order_id:
            order = _copy(report, KEPT_OF_NEW, _open_order())
            _rests(order)
            self.orders[report.order_id] = order

    @staticmethod
    def _follow(order: events.ExecutionReport, report: events.ExecutionReport) -> None:
        _copy(report, FOLLOWED.get(report.exec_type, ()), order)
        if report.exec_type == enums.EXEC_TYPE_TRIGGERED:
            _rests(order)
        elif report.exec_type == enums.EXEC_TYPE_RESTATED and report.public_order_id:
            # An iceberg that shows its next part has another place.
            order.public_order_id = report.public_order_id

    def add_resting(
        self, market_id: int, side: enums.Side.ValueType, state: snapshots.OrderState
    ) -> None:
        """Adds a resting order of a snapshot."""
        order = _of_state(market_id, side, state)
        _rests(order)
        self.orders[order.order_id] = order

    def add_waiting(self, market_id: int, state: snapshots.WaitingOrder) -> None:
        """Adds a waiting order of a snapshot."""
        order = _of_state(market_id, state.side, state.order)
        order.time_in_force = state.time_in_force
        for name in KEPT_OF_WAITING[len(KEPT_OF_NEW) :]:
            setattr(order, name, getattr(state, name))
        self.orders[order.order_id] = order

    def sort_orders(self) -> None:
        """Brings orders of several books into ascending order; rows keep it by themselves."""
        self.orders = dict(sorted(self.orders.items()))

    def balance_updates(self, account_id: int, seq: int) -> frames.BalanceUpdates:
        """The balances, ascending by asset, as of `seq`."""
        return frames.BalanceUpdates(
            updates=[
                frames.BalanceUpdate(
                    seq=seq,
                    account_id=account_id,
                    asset_id=asset_id,
                    available_atoms=available,
                    held_atoms=held,
                    in_flight_atoms=in_flight,
                )
                for asset_id, (available, held, in_flight) in sorted(self.balances.items())
            ]
        )

    def open_orders(self, after_order_id: int, limit: int) -> list[events.ExecutionReport]:
        """At most `limit` open orders above an id, ascending."""
        ids = list(self.orders)
        first = bisect_right(ids, after_order_id)
        return [self.orders[order_id] for order_id in islice(ids, first, first + limit)]


def _ends(report: events.ExecutionReport) -> bool:
    """Whether an order is open no more; one that is triggered without a place never rests."""
    is_run = report.exec_type == enums.EXEC_TYPE_TRIGGERED and not report.public_order_id
    return is_run or report.exec_type in CLOSING


def _of_state(
    market_id: int, side: enums.Side.ValueType, state: snapshots.OrderState
) -> events.ExecutionReport:
    order = _open_order()
    for name in KEPT_OF_NEW:
        if name not in {"market_id", "side", "time_in_force"}:
            setattr(order, name, getattr(state, name))
    order.market_id, order.side = market_id, side
    return order


def _rests(order: events.ExecutionReport) -> None:
    """An order that rests is told as what it is now, whatever it was sent as."""
    is_dated = order.expire_time_ns != 0
    order.order_type = enums.ORDER_TYPE_LIMIT
    order.time_in_force = enums.TIME_IN_FORCE_GTD if is_dated else enums.TIME_IN_FORCE_GTC
    order.trigger_price_ticks = order.trailing_offset_ticks = order.trailing_offset_ppm = 0


def _open_order() -> events.ExecutionReport:
    return events.ExecutionReport(exec_type=enums.EXEC_TYPE_NEW, order_type=enums.ORDER_TYPE_LIMIT)


def _copy(
    source: events.ExecutionReport, names: tuple[str, ...], target: events.ExecutionReport
) -> events.ExecutionReport:
    for name in names:
        setattr(target, name, getattr(source, name))
    return target
