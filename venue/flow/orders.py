"""A firm's own view of its open orders, kept from events alone.

The checker holds this view against the journal at the end.
"""

from dataclasses import dataclass, field
from random import Random

from venue import client_log
from venue.client_log import Record


@dataclass(slots=True)
class OpenOrder:
    """An order that rests, as its owner knows it."""

    order_id: int
    account_id: int
    market_id: int
    is_buy: bool
    price_ticks: int
    quantity_lots: int
    leaves_lots: int
    cum_lots: int = 0
    # A cancel or an amendment of it is on its way.
    is_asked: bool = False
    # Where it lies in the list that random choices are made from.
    place: int = 0


@dataclass(slots=True)
class OpenOrders:
    """All open orders of a firm; a random one is found in constant time."""

    by_id: dict[int, OpenOrder] = field(default_factory=dict)
    fill_count: int = 0
    _list: list[OpenOrder] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._list)

    def pick(self, random: Random) -> OpenOrder | None:
        """A random order that nothing was asked of; None when the tries find none."""
        for _ in range(4):
            if not self._list:
                return None
            order = self._list[random.randrange(len(self._list))]
            if not order.is_asked:
                return order
        return None

    def add(self, order: OpenOrder) -> None:
        """A new order rests, or will say that it does not."""
        order.place = len(self._list)
        self._list.append(order)
        self.by_id[order.order_id] = order

    def take(self, record: Record) -> None:
        """An event of an order that is known; others are none of ours."""
        order = self.by_id.get(record.order_id)
        if order is None or record.code & client_log.REPEAT:
            return
        code = record.code
        if code == client_log.FILLED:
            self.fill_count += 1
            order.leaves_lots = record.leaves_lots
            order.cum_lots = record.cum_lots
            if not record.leaves_lots:
                self._drop(order)
        elif code in (client_log.CANCELED, client_log.EXPIRED):
            self._drop(order)
        elif code == client_log.REPLACED:
            order.price_ticks = record.price_ticks
            order.quantity_lots = record.lots
            order.leaves_lots = record.leaves_lots
            order.is_asked = False
        elif code == client_log.RESTATED:
            order.leaves_lots = record.leaves_lots
            order.quantity_lots = record.lots

    def refused(self, order_id: int) -> None:
        """A request on this order was refused; another may be made."""
        order = self.by_id.get(order_id)
        if order is not None:
            order.is_asked = False

    def _drop(self, order: OpenOrder) -> None:
        del self.by_id[order.order_id]
        last = self._list.pop()
        if last is not order:
            self._list[order.place] = last
            last.place = order.place
