"""Rows of the engine's state: what a snapshot holds, as plain mutable objects.

Owned by `state.State`; changed by the rules of the other modules. No rule lives here.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import NamedTuple

from cambist.internal.journal.v1 import snapshot_pb2, system_pb2
from cambist.orders.v1 import enums_pb2


@dataclass(slots=True)
class Balance:
    """Money of one account in one asset, in atoms."""

    available: int = 0
    held: int = 0
    in_flight: int = 0

    def row(self) -> tuple[int, int, int]:
        """The three numbers, to compare with."""
        return self.available, self.held, self.in_flight


@dataclass(slots=True)
class Order:
    """An order that rests, waits for a price, or is being matched."""

    order_id: int
    account_id: int
    market_id: int
    cl_ord_id: bytes
    session_id: int
    side: enums_pb2.Side.ValueType
    price_ticks: int
    quantity_lots: int
    leaves_lots: int
    maker_fee_ppm: int
    taker_fee_ppm: int
    expire_time_ns: int
    post_only: bool
    self_trade_prevention: enums_pb2.SelfTradePrevention.ValueType
    tag: int
    cum_lots: int = 0
    cum_tick_lots: int = 0
    public_order_id: int = 0
    is_market: bool = False  # a market order: holds nothing and never rests
    budget_atoms: int = 0  # a market buy by budget: quantity and leaves are 0
    spent_atoms: int = 0  # what a market buy has paid, fees included
    # Of an order that waits for a price, or did: see docs/semantics/triggers.md.
    waits: bool = False
    order_type: enums_pb2.OrderType.ValueType = enums_pb2.ORDER_TYPE_UNSPECIFIED
    time_in_force: enums_pb2.TimeInForce.ValueType = enums_pb2.TIME_IN_FORCE_UNSPECIFIED
    trigger_price_ticks: int = 0
    trailing_offset_ticks: int = 0
    trailing_offset_ppm: int = 0
    extreme_price_ticks: int = 0  # best price that a trailing stop saw
    seen_price_ticks: int = 0  # the price that reached the trigger: it is ready
    display_lots: int = 0  # of an iceberg
    shown_lots: int = 0  # what an iceberg shows now

    @property
    def shown(self) -> int:
        """What the book shows of it."""
        return self.shown_lots if self.display_lots else self.leaves_lots

    def show_anew(self) -> None:
        """An iceberg shows its display, as far as it goes."""
        self.shown_lots = min(self.display_lots, self.leaves_lots)


@dataclass(slots=True)
class Level:
    """One price: orders in queue order and their open quantity."""

    orders: OrderedDict[int, Order] = field(default_factory=OrderedDict)
    quantity_lots: int = 0


@dataclass(frozen=True, slots=True)
class MarketParameters:
    """Limits and fees of a market, defaults filled in."""

    price_step_ticks: int
    quantity_step_lots: int
    minimum_quantity_lots: int
    maximum_quantity_lots: int
    minimum_notional_atoms: int
    maximum_notional_atoms: int  # 0 = none
    maker_fee_ppm: int
    taker_fee_ppm: int
    resting_orders_max: int
    market_protection_ppm: int  # 0 = none
    static_band_ppm: int  # 0 = none


class Fees(NamedTuple):
    """What an order pays in parts per million of notional."""

    maker_ppm: int  # when it rested; negative is a rebate
    taker_ppm: int  # when it was the aggressor


# By account and market; market 0 = every one for which the account has no tier of its own.
FeeTiers = dict[tuple[int, int], Fees]


class TradingLimits(NamedTuple):
    """What an account may order in a market; 0 = no limit."""

    order_lots_max: int
    order_notional_atoms_max: int
    open_orders_max: int
    open_lots_max: int  # of one side
    open_notional_atoms_max: int  # of both sides
    position_atoms_max: int  # of the base asset


@dataclass(slots=True)
class Account:
    """An account of a firm."""

    account_id: int
    firm_id: int
    self_trade_group_id: int
    open_orders_max: int
    id_capacity: int
    frozen: bool = False
    killed: bool = False
    account_seq: int = 0
    cancel_all_at_ns: int = 0  # the dead man's timer; 0 = off
    orders: dict[int, Order] = field(default_factory=dict)  # resting and waiting ones by order id


@dataclass(slots=True)
class Key:
    """What is kept of one command id."""

    id: bytes
    kind: snapshot_pb2.KeyKind.ValueType
    body_hash: int
    sent_time_ns: int
    answer_seq: int
    reason: enums_pb2.RejectReason.ValueType = enums_pb2.REJECT_REASON_UNSPECIFIED
    order_id: int = 0
    open: bool = False
    detail: int = 0


@dataclass(slots=True)
class EarlyCancel:
    """A mass cancel that overtook orders of its session."""

    account_id: int
    market_id: int
    side: enums_pb2.Side.ValueType
    tag: int
    up_to_order_seq_no: int


@dataclass(slots=True)
class Session:
    """A session of a firm."""

    established: system_pb2.SessionEstablished
    account_ids: frozenset[int]
    market_ids: frozenset[int]  # empty = all
    connection: int = 0
    connected: bool = False
    last_order_seq_no: int = 0
    last_cancel_seq_no: int = 0
    last_used_ns: int = 0
    early_cancels: list[EarlyCancel] = field(default_factory=list)


@dataclass(slots=True)
class DisconnectWindow:
    """A session that takes its open orders with it unless it comes back in time."""

    ends_ns: int
    account_ids: list[int]  # still to be looked at, ascending


@dataclass(slots=True)
class Deposit:
    """A deposit that is not final."""

    account_id: int
    asset_id: int
    amount_atoms: int
    credited: bool


@dataclass(slots=True)
class Withdrawal:
    """A withdrawal that is not final."""

    account_id: int
    asset_id: int
    amount_atoms: int
    fee_atoms: int
    phase: snapshot_pb2.WithdrawalPhase.ValueType

    @property
    def total_atoms(self) -> int:
        """What it takes from the account."""
        return self.amount_atoms + self.fee_atoms
