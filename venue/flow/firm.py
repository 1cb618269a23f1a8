"""One firm's next command: about half new orders, two fifths cancels, a tenth amendments.

Makers rest around a moving price, takers cross it; one new order in seven is IOC. Ids are counted
within a prefix of the firm, times are passed in.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Final

from cambist.orders.v1 import commands_pb2, enums_pb2
from venue import client_log
from venue.client_log import Record
from venue.flow.definitions import MARKETS, FirmPlan, MarketPlan
from venue.flow.orders import OpenOrder, OpenOrders
from venue.flow.prices import PricePath

# Shares of commands; the rest are new orders.
CANCEL_SHARE: Final = 0.38
AMEND_SHARE: Final = 0.10
IOC_SHARE: Final = 0.15
# Open orders per firm above which nothing is added.
OPEN_CEILING: Final = 6_000
MAKER_LOTS: Final = (50, 150)
# Trading is calm while a firm has fewer open orders than it wants, and lively above: fills and
# cancels together must end as many orders as are made, or the shares above could not last.
CALM_TAKER_LOTS: Final = (10, 60)
LIVELY_TAKER_LOTS: Final = (60, 260)
# How far beyond the price a taker goes, and where makers rest, in parts of the price.
TAKER_REACH: Final = 0.004
LIVELY_DEPTH: Final = 0.0008
CALM_DEPTH: Final = 0.004
MODES: Final = (
    enums_pb2.SELF_TRADE_PREVENTION_CANCEL_NEWEST,
    enums_pb2.SELF_TRADE_PREVENTION_CANCEL_OLDEST,
    enums_pb2.SELF_TRADE_PREVENTION_CANCEL_BOTH,
    enums_pb2.SELF_TRADE_PREVENTION_DECREMENT,
)
NEW: Final = 1
CANCEL: Final = 2
AMEND: Final = 3


@dataclass(frozen=True, slots=True)
class Made:
    """A command, ready to be sent."""

    kind: int
    account_id: int
    id: bytes
    sent_time_ns: int
    command: commands_pb2.Command


@dataclass(slots=True)
class Firm:
    """The flow of one firm. Feed it with `told`, ask it with `next`."""

    plan: FirmPlan
    seed: int
    # Different in every run of one firm: ids must be new.
    run: int
    # Open orders that it keeps about; below half of them it cancels nothing.
    open_wanted: int = 300
    step: int = 0
    orders: OpenOrders = field(default_factory=OpenOrders)
    # Requests on their way, by id: which order they are about.
    asked: dict[bytes, int] = field(default_factory=dict)
    sides: dict[bytes, bool] = field(default_factory=dict)
    random: Random = field(init=False)
    paths: dict[int, PricePath] = field(init=False)

    def __post_init__(self) -> None:
        self.random = Random(f"{self.seed}/{self.plan.firm_id}/{self.run}")
        self.paths = {
            market.market_id: PricePath.seeded(self.seed, market.market_id, market.middle_ticks)
            for market in MARKETS
        }

    def next(self, now_ns: int) -> Made:
        """The next command."""
        self.step += 1
        draw, open_count = self.random.random(), len(self.orders)
        if draw < CANCEL_SHARE + AMEND_SHARE and open_count > self.open_wanted // 2:
            order = self.orders.pick(self.random)
            if order is not None:
                if draw < CANCEL_SHARE:
                    return self._cancel(order, now_ns)
                return self._amend(order, now_ns)
        elif open_count > OPEN_CEILING:
            order = self.orders.pick(self.random)
            if order is not None:
                return self._cancel(order, now_ns)
        return self._new(now_ns)

    def last(self, now_ns: int) -> Made:
        """A command that changes nothing: when it is answered all before it was told."""
        self.step += 1
        cancel = commands_pb2.Cancel(
            request_id=self._id(),
            account_id=self.plan.account_ids[0],
            orig_cl_ord_id=self._id(),
            sent_time_ns=now_ns,
        )
        command = commands_pb2.Command(cancel=cancel)
        return Made(CANCEL, cancel.account_id, cancel.request_id, now_ns, command)

    def told(self, record: Record) -> None:
        """An event of one of the firm's accounts."""
        code = record.code & ~client_log.REPEAT
        if code == client_log.ACCEPTED:
            is_buy = self.sides.pop(record.id, None)
            if is_buy is not None and record.leaves_lots:
                self.orders.add(_open_order(record, is_buy))
        elif code == client_log.REFUSED:
            self.sides.pop(record.id, None)
            order_id = self.asked.pop(record.id, 0)
            self.orders.refused(order_id)
        else:
            self.asked.pop(record.request_id, None)
            self.orders.take(record)

    def _id(self) -> bytes:
        head = (self.plan.firm_id << 32 | self.run).to_bytes(8, "big")
        return head + self.step.to_bytes(8, "big")

    def _new(self, now_ns: int) -> Made:
        random = self.random
        market = MARKETS[random.randrange(len(MARKETS))]
        price = self.paths[market.market_id].at(self.step)
        is_buy = random.random() < 0.5
        is_taker = random.random() < IOC_SHARE
        is_lively = len(self.orders) > self.open_wanted
        # The last third of the accounts take, the others make.
        accounts = self.plan.account_ids
        split = len(accounts) * 2 // 3
        account_id = random.choice(accounts[split:] if is_taker else accounts[:split])
        order = commands_pb2.NewOrder(
            cl_ord_id=self._id(),
            account_id=account_id,
            market_id=market.market_id,
            side=enums_pb2.SIDE_BUY if is_buy else enums_pb2.SIDE_SELL,
            order_type=enums_pb2.ORDER_TYPE_LIMIT,
            sent_time_ns=now_ns,
            tag=self.step % 7,
        )
        if is_taker:
            order.time_in_force = enums_pb2.TIME_IN_FORCE_IOC
            order.price_ticks = _beside(price, TAKER_REACH * random.random(), is_up=is_buy)
            order.quantity_lots = random.randint(
                *(LIVELY_TAKER_LOTS if is_lively else CALM_TAKER_LOTS)
            )
            order.self_trade_prevention = random.choice(MODES)
        else:
            order.time_in_force = enums_pb2.TIME_IN_FORCE_GTC
            depth = random.expovariate(1 / (LIVELY_DEPTH if is_lively else CALM_DEPTH))
            order.price_ticks = _beside(price, depth, is_up=not is_buy)
            order.quantity_lots = random.randint(*MAKER_LOTS)
            order.post_only = random.random() < 0.2
        self.sides[order.cl_ord_id] = is_buy
        command = commands_pb2.Command(new_order=order)
        return Made(NEW, account_id, order.cl_ord_id, now_ns, command)

    def _cancel(self, order: OpenOrder, now_ns: int) -> Made:
        order.is_asked = True
        cancel = commands_pb2.Cancel(
            request_id=self._id(),
            account_id=order.account_id,
            order_id=order.order_id,
            sent_time_ns=now_ns,
        )
        self.asked[cancel.request_id] = order.order_id
        command = commands_pb2.Command(cancel=cancel)
        return Made(CANCEL, order.account_id, cancel.request_id, now_ns, command)

    def _amend(self, order: OpenOrder, now_ns: int) -> Made:
        order.is_asked = True
        amend = commands_pb2.Amend(
            request_id=self._id(),
            account_id=order.account_id,
            order_id=order.order_id,
            sent_time_ns=now_ns,
        )
        if self.random.random() < 0.5 and order.leaves_lots > 1:
            amend.quantity_lots = order.cum_lots + max(1, order.leaves_lots * 3 // 4)
        else:
            # Towards the other side: some of these trade at once.
            price = self.paths[order.market_id].at(self.step)
            reach = self.random.uniform(-LIVELY_DEPTH, LIVELY_DEPTH / 2)
            amend.price_ticks = _beside(price, reach, is_up=order.is_buy)
        self.asked[amend.request_id] = order.order_id
        command = commands_pb2.Command(amend=amend)
        return Made(AMEND, order.account_id, amend.request_id, now_ns, command)


def _beside(price: int, share: float, *, is_up: bool) -> int:
    """A price beside another one by a share of it, at least one tick."""
    distance = round(price * share)
    return max(1, price + distance if is_up else price - distance)


def _open_order(record: Record, is_buy: bool) -> OpenOrder:
    return OpenOrder(
        record.order_id,
        record.account_id,
        record.market_id,
        is_buy,
        record.price_ticks,
        record.lots,
        record.leaves_lots,
    )


def market_of(market_id: int) -> MarketPlan:
    """The plan of a market; raises KeyError."""
    return {market.market_id: market for market in MARKETS}[market_id]
