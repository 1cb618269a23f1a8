"""What the flow knows of the venue: told by event rows, so that commands find their targets.

Used by the flow. It is a convenience of the generator, never an oracle: nothing is asserted on it.
"""

from collections import deque
from dataclasses import dataclass, field
from random import Random
from typing import Final, Generic, TypeVar

from cambist.feed.row import Frame
from cambist.feed.row import frames as frames_of
from cambist.internal.journal.v1 import frames_pb2 as frames
from cambist.market_data.v1 import events_pb2 as market_data
from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from cambist.orders.v1 import events_pb2 as events
from tests.differential.flow.world import SessionPlan, World

T = TypeVar("T")
SENT_KEPT: Final = 600
CLOSED_KEPT: Final = 300
WAITING: Final = frozenset(
    {
        enums.ORDER_TYPE_STOP,
        enums.ORDER_TYPE_STOP_LIMIT,
        enums.ORDER_TYPE_TAKE_PROFIT,
        enums.ORDER_TYPE_TAKE_PROFIT_LIMIT,
        enums.ORDER_TYPE_TRAILING_STOP,
    }
)
CLOSING: Final = frozenset({enums.EXEC_TYPE_CANCELED, enums.EXEC_TYPE_EXPIRED})


class Bag(Generic[T]):
    """Things by key, of which any can be drawn in constant time."""

    def __init__(self) -> None:
        self._items: list[tuple[object, T]] = []
        self._places: dict[object, int] = {}

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: object) -> T | None:
        """The thing with this key."""
        place = self._places.get(key)
        return None if place is None else self._items[place][1]

    def put(self, key: object, item: T) -> None:
        """Adds or replaces."""
        place = self._places.get(key)
        if place is None:
            self._places[key] = len(self._items)
            self._items.append((key, item))
        else:
            self._items[place] = key, item

    def drop(self, key: object) -> T | None:
        """Removes; nothing when it is not there."""
        place = self._places.pop(key, None)
        if place is None:
            return None
        item = self._items[place][1]
        last = self._items.pop()
        if place < len(self._items):
            self._items[place] = last
            self._places[last[0]] = place
        return item

    def draw(self, random: Random) -> T | None:
        """Any of them."""
        return self._items[random.randrange(len(self._items))][1] if self._items else None

    def all(self) -> list[T]:
        """All of them."""
        return [item for _, item in self._items]


@dataclass(slots=True)
class Order:
    """A resting or waiting order, or one that was."""

    order_id: int
    account_id: int
    cl_ord_id: bytes
    market_id: int
    side: enums.Side.ValueType
    price_ticks: int
    quantity_lots: int
    leaves_lots: int
    display_lots: int = 0
    waits: bool = False


@dataclass(slots=True)
class Market:
    """What is known of a market."""

    phase: enums.MarketPhase.ValueType = enums.MARKET_PHASE_HALTED
    is_killed: bool = False
    bid_ticks: int = 0
    ask_ticks: int = 0
    resting: int = 0


@dataclass(slots=True)
class Account:
    """What is known of an account."""

    is_frozen: bool = False
    is_killed: bool = False
    resting: int = 0


@dataclass(slots=True)
class Session:
    """A session as its gateway sees it; `last` are the numbers sent, by class."""

    plan: SessionPlan
    connection: int = 0
    is_connected: bool = False
    last: dict[int, int] = field(
        default_factory=lambda: {enums.COMMAND_CLASS_ORDER: 0, enums.COMMAND_CLASS_CANCEL: 0}
    )


@dataclass(frozen=True, slots=True)
class Sent:
    """A command that was sent before."""

    command: commands.Command
    account_id: int


class Model:
    """Everything the flow knows."""

    def __init__(self, world: World) -> None:
        self.orders: Bag[Order] = Bag()
        self.closed: deque[Order] = deque(maxlen=CLOSED_KEPT)
        self.sent: deque[Sent] = deque(maxlen=SENT_KEPT)
        self.markets = {plan.market_id: Market() for plan in world.markets}
        self.accounts = {plan.account_id: Account() for plan in world.accounts}
        self.sessions = {plan.session_id: Session(plan) for plan in world.sessions}
        self.sources: dict[int, int] = {}
        self.deposits: Bag[bytes] = Bag()
        self.withdrawals: Bag[bytes] = Bag()
        self.last_order_id = 0
        self.last_seq = 0
        self.open_cursors = 0

    def observe(self, row: bytes) -> None:
        """Takes in an event row."""
        for frame in frames_of(row):
            match frame.kind:
                case frames.FRAME_KIND_PRIVATE:
                    for event in events.PrivateEvents.FromString(frame.payload).events:
                        self._private(event)
                case frames.FRAME_KIND_SESSION:
                    self._session(frame)
                case frames.FRAME_KIND_BBO:
                    quotes = market_data.BestBidOffers.FromString(frame.payload).quotes
                    if (market := self.markets.get(frame.key)) is not None:
                        market.bid_ticks = quotes[-1].bid_price_ticks
                        market.ask_ticks = quotes[-1].ask_price_ticks
                case frames.FRAME_KIND_STATUS:
                    statuses = market_data.MarketStatuses.FromString(frame.payload).statuses
                    if (market := self.markets.get(frame.key)) is not None:
                        market.phase = statuses[-1].phase
                case frames.FRAME_KIND_SYSTEM:
                    for happened in frames.SystemEvents.FromString(frame.payload).events:
                        self._system(happened)

    def _private(self, event: events.PrivateEvent) -> None:
        kind = event.WhichOneof("event")
        if kind == "execution_report":
            self._report(event.account_id, event.execution_report)
        elif kind == "account_status_report":
            account = self.accounts.setdefault(event.account_id, Account())
            account.is_frozen = event.account_status_report.frozen
            account.is_killed = event.account_status_report.killed

    def _report(self, account_id: int, report: events.ExecutionReport) -> None:
        if report.repeat or not report.order_id:
            return
        self.last_order_id = max(self.last_order_id, report.order_id)
        order_id, exec_type = report.order_id, report.exec_type
        order = self.orders.get(order_id)
        if exec_type == enums.EXEC_TYPE_NEW:
            if report.public_order_id or report.order_type in WAITING:
                self._open(account_id, report)
        elif order is None:
            return
        elif exec_type in CLOSING:
            self._close(order)
        elif exec_type == enums.EXEC_TYPE_TRADE:
            order.leaves_lots = report.leaves_lots
        elif exec_type == enums.EXEC_TYPE_REPLACED:
            order.price_ticks = report.price_ticks
            order.quantity_lots, order.leaves_lots = report.quantity_lots, report.leaves_lots
            order.display_lots = report.display_lots
        elif exec_type == enums.EXEC_TYPE_TRIGGERED:
            order.waits = False
        elif exec_type == enums.EXEC_TYPE_RESTATED:
            order.quantity_lots, order.leaves_lots = report.quantity_lots, report.leaves_lots
        # One that waits by budget has no leaves.
        if order is not None and order.leaves_lots == 0 and not order.waits:
            self._close(order)

    def _open(self, account_id: int, report: events.ExecutionReport) -> None:
        self.orders.put(
            report.order_id,
            Order(
                report.order_id,
                account_id,
                report.cl_ord_id,
                report.market_id,
                report.side,
                report.price_ticks,
                report.quantity_lots,
                report.leaves_lots,
                report.display_lots,
                report.order_type in WAITING,
            ),
        )
        self.accounts.setdefault(account_id, Account()).resting += 1
        self.markets.setdefault(report.market_id, Market()).resting += 1

    def _close(self, order: Order) -> None:
        if self.orders.drop(order.order_id) is not None:
            self.closed.append(order)
            self.accounts[order.account_id].resting -= 1
            self.markets[order.market_id].resting -= 1

    def _session(self, frame: Frame) -> None:
        session = self.sessions.get(frame.key)
        if session is None:
            return
        session.last = {
            enums.COMMAND_CLASS_ORDER: frame.first,
            enums.COMMAND_CLASS_CANCEL: frame.last,
        }
        for event in events.SessionEvents.FromString(frame.payload).events:
            match event.WhichOneof("event"):
                case "opened":
                    session.connection, session.is_connected = event.connection, True
                case "dropped":
                    session.is_connected = False
                case "over":
                    session.connection, session.is_connected = 0, False

    def _system(self, event: frames.SystemEvent) -> None:
        match event.WhichOneof("event"):
            case "kill_switch":
                switch = event.kill_switch
                if (market := self.markets.get(switch.target_id)) is not None:
                    market.is_killed = switch.active
            case "epoch_started":
                for session in self.sessions.values():
                    session.is_connected = False
