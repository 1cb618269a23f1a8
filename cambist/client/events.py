"""What a session and a drop copy tell, as frozen values.

Prices are ticks, quantities lots, amounts atoms; `Market.price` and `Market.quantity` turn them
into decimals. `seq` is the journal sequence of the cause; `account_seq` has no gaps per account.
Which event answers which command: docs of `Session`.
"""

from dataclasses import dataclass
from typing import TypeAlias

from cambist.client.enums import (
    CancelReason,
    Liquidity,
    MarketPhase,
    MoneyKind,
    OrderType,
    RejectReason,
    ResolveState,
    SelfTradePrevention,
    Side,
    TimeInForce,
)


@dataclass(frozen=True, slots=True)
class Event:
    """Common to all private events."""

    seq: int
    account_seq: int
    account_id: int
    received_ns: int
    sequenced_ns: int


@dataclass(frozen=True, slots=True)
class OrderEvent(Event):
    """Something happened to an order."""

    cl_ord_id: bytes
    order_id: int
    market_id: int
    side: Side


@dataclass(frozen=True, slots=True)
class Accepted(OrderEvent):
    """An order was taken. With `repeat` it repeats the answer of `first_answer_seq`."""

    price_ticks: int = 0
    quantity_lots: int = 0
    leaves_lots: int = 0
    # Above zero only for orders told in a snapshot.
    cum_lots: int = 0
    order_type: OrderType = OrderType.UNSPECIFIED
    time_in_force: TimeInForce = TimeInForce.UNSPECIFIED
    tag: int = 0
    expire_time_ns: int = 0
    quote_budget_atoms: int = 0
    public_order_id: int = 0
    repeat: bool = False
    first_answer_seq: int = 0
    # Of orders that wait for a price, and of icebergs, as they were sent.
    trigger_price_ticks: int = 0
    trailing_offset_ticks: int = 0
    trailing_offset_ppm: int = 0
    display_lots: int = 0


@dataclass(frozen=True, slots=True)
class Triggered(OrderEvent):
    """An order that waited saw its price: from now on it is a limit or a market order."""

    price_ticks: int
    quantity_lots: int
    leaves_lots: int
    order_type: OrderType
    time_in_force: TimeInForce
    # Its place in the public feed, when what is left of it may rest.
    public_order_id: int
    # The trigger that was reached, and the trade that reached it.
    trigger_price_ticks: int
    last_price_ticks: int


@dataclass(frozen=True, slots=True)
class Filled(OrderEvent):
    """A fill."""

    last_lots: int
    last_price_ticks: int
    leaves_lots: int
    cum_lots: int
    # Sum of price times lots over all fills; divided by cum_lots it is the average price.
    cum_tick_lots: int
    fee_atoms: int
    fee_asset_id: int
    liquidity: Liquidity
    trade_id: int


@dataclass(frozen=True, slots=True)
class Canceled(OrderEvent):
    """The rest of an order was cancelled; `request_id` names the Cancel that asked."""

    reason: CancelReason
    request_id: bytes = b""
    quantity_lots: int = 0
    cum_lots: int = 0
    repeat: bool = False
    first_answer_seq: int = 0


@dataclass(frozen=True, slots=True)
class Replaced(OrderEvent):
    """An order was amended."""

    request_id: bytes
    price_ticks: int = 0
    quantity_lots: int = 0
    leaves_lots: int = 0
    cum_lots: int = 0
    public_order_id: int = 0
    repeat: bool = False
    first_answer_seq: int = 0
    display_lots: int = 0


@dataclass(frozen=True, slots=True)
class Expired(OrderEvent):
    """An order reached its end: the time of a GTD order, midnight of a DAY order."""

    quantity_lots: int
    cum_lots: int


@dataclass(frozen=True, slots=True)
class Restated(OrderEvent):
    """Self-trade prevention took `last_lots` from the order, or it is an iceberg that shows more.

    Of an iceberg `public_order_id` is its new place in the public feed and `last_lots` is 0.
    """

    quantity_lots: int
    leaves_lots: int
    cum_lots: int
    last_lots: int
    public_order_id: int = 0


@dataclass(frozen=True, slots=True)
class Refused(Event):
    """A command was refused; nothing changed. `id` is its cl_ord_id or request_id."""

    id: bytes
    reason: RejectReason
    market_id: int = 0
    orig_cl_ord_id: bytes = b""
    order_id: int = 0
    # With reason PHASE.
    phase: MarketPhase = MarketPhase.UNSPECIFIED
    repeat: bool = False
    first_answer_seq: int = 0


@dataclass(frozen=True, slots=True)
class MassCanceled(Event):
    """Answer to a mass cancel, for each order a Canceled follows; or to a CancelAllAfter."""

    request_id: bytes
    affected_count: int
    repeat: bool = False
    first_answer_seq: int = 0


@dataclass(frozen=True, slots=True)
class Resolved(Event):
    """What became of an id."""

    id: bytes
    state: ResolveState
    order_id: int = 0
    cum_lots: int = 0
    leaves_lots: int = 0
    reason: RejectReason = RejectReason.UNSPECIFIED
    first_answer_seq: int = 0


@dataclass(frozen=True, slots=True)
class MatchPrevented(Event):
    """A match that self-trade prevention stopped."""

    market_id: int
    order_id: int
    side: Side
    price_ticks: int
    quantity_lots: int
    mode: SelfTradePrevention
    liquidity: Liquidity


@dataclass(frozen=True, slots=True)
class MoneyMoved(Event):
    """Money moved other than by trading."""

    kind: MoneyKind
    id: bytes
    asset_id: int
    amount_atoms: int
    fee_atoms: int = 0
    counterparty_account_id: int = 0
    repeat: bool = False
    first_answer_seq: int = 0


@dataclass(frozen=True, slots=True)
class AccountStatus(Event):
    """Limits, freeze or kill switch of the account changed."""

    open_orders_max: int
    frozen: bool
    killed: bool


@dataclass(frozen=True, slots=True)
class EventsMissed(Event):
    """Events up to this one are no longer kept by the venue: ask the history for them.

    `account_seq` is the last one missed, `first_account_seq` the first; snapshots of open orders
    follow as Accepted events when the session has resumed from them.
    """

    first_account_seq: int


Answer: TypeAlias = Accepted | Canceled | Replaced | Refused | MassCanceled | Resolved | MoneyMoved
