"""Accounts as their private events tell them: open orders, holds, and what each event moved.

Money itself is checked in `money`; this module says what every event must have done to it.
"""

from dataclasses import dataclass, field

from cambist.orders.v1 import enums_pb2, events_pb2
from venue.checker.findings import Findings, Kind
from venue.checker.markets import Market, Markets, amount
from venue.checker.money import FEES, Money

NEW = int(enums_pb2.EXEC_TYPE_NEW)
TRADE = int(enums_pb2.EXEC_TYPE_TRADE)
CLOSING = frozenset({int(enums_pb2.EXEC_TYPE_CANCELED), int(enums_pb2.EXEC_TYPE_EXPIRED)})
REPLACED = int(enums_pb2.EXEC_TYPE_REPLACED)
RESTATED = int(enums_pb2.EXEC_TYPE_RESTATED)
LIMIT = int(enums_pb2.ORDER_TYPE_LIMIT)
BUY = int(enums_pb2.SIDE_BUY)


@dataclass(slots=True)
class Order:
    """An order that is not closed."""

    account_id: int
    market: Market
    is_buy: bool
    is_limit: bool
    price_ticks: int
    leaves_lots: int
    cum_lots: int
    fee_ppm: int

    def hold(self) -> tuple[int, int]:
        """(asset, atoms) that it holds now."""
        market = self.market
        if not self.is_limit:
            return market.quote_asset_id, 0
        if self.is_buy:
            held = market.hold_atoms(self.price_ticks, self.leaves_lots, self.fee_ppm)
            return market.quote_asset_id, held
        return market.base_asset_id, self.leaves_lots * market.lot_size_atoms


@dataclass(slots=True)
class Accounts:
    """All accounts of a shard."""

    findings: Findings
    markets: Markets
    money: Money
    orders: dict[int, Order] = field(default_factory=dict)
    account_seqs: dict[int, int] = field(default_factory=dict)
    accepted_count: int = 0

    def take(self, event: events_pb2.PrivateEvent) -> None:
        """One private event of the journal, in order."""
        account_id = event.account_id
        expected = self.account_seqs.get(account_id, 0) + 1
        if event.account_seq != expected:
            kind = Kind.DUPLICATED if event.account_seq < expected else Kind.ACCOUNT_SEQ
            text = f"account {account_id}: event {event.account_seq}, not {expected}"
            self.findings.add(kind, text)
        self.account_seqs[account_id] = event.account_seq
        which = event.WhichOneof("event")
        if which == "execution_report":
            report = event.execution_report
            if not report.repeat and not report.reject_reason:
                self._take_report(account_id, event.seq, report)
        elif which == "money_report":
            report_of_money = event.money_report
            if not report_of_money.repeat and not report_of_money.reject_reason:
                self.money.report(account_id, report_of_money)

    def _take_report(self, account_id: int, seq: int, report: events_pb2.ExecutionReport) -> None:
        kind = int(report.exec_type)
        if kind == NEW:
            self._accept(account_id, seq, report)
            return
        order = self.orders.get(report.order_id)
        if order is None or order.account_id != account_id:
            text = f"order {report.order_id} of account {account_id}: report {kind}, not open"
            self.findings.add(Kind.ORDER, text)
            return
        before = order.hold()
        if kind == TRADE:
            self._fill(order, report)
        elif kind in CLOSING:
            self._same_cum(order, report)
            order.leaves_lots = 0
        elif kind == REPLACED:
            self._same_cum(order, report)
            order.price_ticks = report.price_ticks
            order.leaves_lots = report.leaves_lots
        elif kind == RESTATED:
            self._same_cum(order, report)
            order.leaves_lots = report.leaves_lots
        self.money.move_hold(account_id, before, order.hold())
        if kind in CLOSING or (order.is_limit and order.leaves_lots == 0):
            del self.orders[report.order_id]

    def _accept(self, account_id: int, seq: int, report: events_pb2.ExecutionReport) -> None:
        market = self.markets.by_id.get(report.market_id)
        if market is None or report.order_id in self.orders:
            text = f"order {report.order_id}: market {report.market_id}, or accepted twice"
            self.findings.add(Kind.ORDER, text)
            return
        self.accepted_count += 1
        order = Order(
            account_id,
            market,
            int(report.side) == BUY,
            int(report.order_type) == LIMIT,
            report.price_ticks,
            report.leaves_lots,
            0,
            market.taker_fee_ppm(seq),
        )
        self.orders[report.order_id] = order
        asset_id, held = order.hold()
        self.money.move_hold(account_id, (asset_id, 0), (asset_id, held))

    def _fill(self, order: Order, report: events_pb2.ExecutionReport) -> None:
        market, lots = order.market, report.last_lots
        order.cum_lots += lots
        left = order.leaves_lots - lots
        if order.cum_lots != report.cum_lots or (
            report.leaves_lots != left and not (report.leaves_lots == 0 and not order.is_limit)
        ):
            text = (
                f"order {report.order_id}: fill of {lots} tells {report.cum_lots} filled, "
                f"{report.leaves_lots} open; {order.cum_lots}, {left} expected"
            )
            self.findings.add(Kind.ORDER, text)
        order.leaves_lots = report.leaves_lots
        notional = lots * report.last_price_ticks * market.tick_value_atoms
        base = lots * market.lot_size_atoms
        fee = amount(report.fee_atoms)
        sign = 1 if order.is_buy else -1
        self.money.add(order.account_id, market.base_asset_id, sign * base)
        self.money.add(order.account_id, market.quote_asset_id, -sign * notional - fee)
        self.money.add(FEES, market.quote_asset_id, fee)
        self.markets.take_fill(
            market.market_id,
            report.trade_id,
            report.last_price_ticks,
            lots,
            int(report.liquidity),
        )

    def _same_cum(self, order: Order, report: events_pb2.ExecutionReport) -> None:
        if report.cum_lots != order.cum_lots:
            text = f"order {report.order_id}: {report.cum_lots} filled, not {order.cum_lots}"
            self.findings.add(Kind.ORDER, text)
