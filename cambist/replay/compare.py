"""Trades that came out against trades of the recording: equal ones, and a named cause for the rest.

Differences that share an order belong together: an order that trades elsewhere once trades
elsewhere again. A group has the cause of its first order that has one. Pure.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from cambist.replay.flow import Flow, Note, Trade


class Cause(Enum):
    """Why trades differ. The list is closed; UNEXPLAINED must not occur."""

    GHOST = Note.GHOST.value
    TRADE_BEFORE_ENTRY = Note.TRADE_BEFORE_ENTRY.value
    EXECUTION_WITHOUT_TRADE = Note.EXECUTION_WITHOUT_TRADE.value
    UNKNOWN_ORDER = Note.UNKNOWN_ORDER.value
    ENTERED_TWICE = Note.ENTERED_TWICE.value
    TRADE_WITHOUT_ROW = Note.TRADE_WITHOUT_ROW.value
    HIDDEN_ORDER = Note.HIDDEN_ORDER.value
    CROSS = Note.CROSS.value
    HALT = Note.HALT.value
    # The venue refused an order of the group, by the reason that the report counts.
    REFUSED = "the venue refused an order of the group"
    # The same taker, price and quantity, but another maker of that level came first.
    QUEUE_PLACE = "another order of the same price was first in the queue"
    UNEXPLAINED = "unexplained"


# Notes that explain a difference; RESTED_BEFORE and ENTERED_BY_VALUE do not change a trade.
EXPLAINING = {Note[cause.name]: cause for cause in Cause if cause.name in Note.__members__}


@dataclass(frozen=True, slots=True)
class Difference:
    """A trade on one side only."""

    trade: Trade
    # In the recording and not out of the venue; else the other way round.
    is_missing: bool
    cause: Cause


@dataclass(slots=True)
class Comparison:
    """The outcome."""

    expected: int
    came_out: int
    equal: int
    differences: list[Difference] = field(default_factory=list)

    @property
    def causes(self) -> Counter[Cause]:
        """How many differences each cause has."""
        return Counter(difference.cause for difference in self.differences)

    @property
    def unexplained(self) -> int:
        """Must be zero."""
        return self.causes[Cause.UNEXPLAINED]

    @property
    def equal_share(self) -> float:
        """Equal trades per trade of the recording, 0 to 1."""
        return self.equal / self.expected if self.expected else 1.0


class Groups:
    """Orders that belong together (union-find)."""

    def __init__(self) -> None:
        self._parents: dict[int, int] = {}

    def find(self, order: int) -> int:
        """The order that stands for the group."""
        root = order
        while (parent := self._parents.get(root, root)) != root:
            root = parent
        self._parents[order] = root
        return root

    def join(self, one: int, other: int) -> None:
        """Two orders belong together."""
        self._parents[self.find(one)] = self.find(other)


def compare(
    flow: Flow, trades: Sequence[Trade], refused: Mapping[int, str] | None = None
) -> Comparison:
    """Compares by price, quantity and both ids. `refused`: orders that the venue refused."""
    missing = subtract(flow.trades, trades)
    extra = subtract(trades, flow.trades)
    comparison = Comparison(len(flow.trades), len(trades), len(flow.trades) - len(missing))
    groups = Groups()
    for trade in [*missing, *extra]:
        groups.join(trade.buy_order, trade.sell_order)
    causes = group_causes(flow, missing, extra, groups, refused or {})
    for is_missing, differing in ((True, missing), (False, extra)):
        for trade in differing:
            cause = causes.get(groups.find(trade.buy_order), Cause.UNEXPLAINED)
            comparison.differences.append(Difference(trade, is_missing, cause))
    return comparison


def subtract(trades: Sequence[Trade], others: Sequence[Trade]) -> list[Trade]:
    """Trades without an equal among the others, one for one."""
    left = Counter(trade.identity for trade in others)
    found = []
    for trade in trades:
        if left[trade.identity]:
            left[trade.identity] -= 1
        else:
            found.append(trade)
    return found


def group_causes(
    flow: Flow,
    missing: Sequence[Trade],
    extra: Sequence[Trade],
    groups: Groups,
    refused: Mapping[int, str],
) -> dict[int, Cause]:
    """The cause of each group that has one."""
    differing = {order for trade in [*missing, *extra] for order in orders_of(trade)}
    causes: dict[int, Cause] = {}
    for note, cause in EXPLAINING.items():
        for order in flow.notes.get(note, ()):
            if order in differing:
                causes.setdefault(groups.find(order), cause)
    for order in differing & refused.keys():
        causes.setdefault(groups.find(order), Cause.REFUSED)
    volumes: defaultdict[int, Counter[tuple[int, int]]] = defaultdict(Counter)
    for sign, trades in ((1, missing), (-1, extra)):
        for trade in trades:
            volumes[groups.find(trade.buy_order)][trade.taker, trade.price] += sign * trade.quantity
    for group, balance in volumes.items():
        # Each taker got the same quantity at the same prices, from other makers.
        if not any(balance.values()) and all(taker for taker, _ in balance):
            causes.setdefault(group, Cause.QUEUE_PLACE)
    return causes


def orders_of(trade: Trade) -> tuple[int, int]:
    """Both orders."""
    return trade.buy_order, trade.sell_order
