"""Cuts a flow into windows whose commands may reach the engine in any order between the classes.

A venue takes cancels of a session before its orders, so their order among each other is not kept.
Within one window it does not matter: no order in it could trade with one that is cancelled in it,
and none is cancelled in it that may have traded on its entry. The player waits for all answers
between two windows. Pure.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from cambist.client.enums import Side
from cambist.replay import limits
from cambist.replay.flow import Change, Command, Enter, Remove

# Beyond every price of a recording.
BEYOND: Final = 1 << 62


@dataclass(slots=True)
class Reach:
    """The furthest prices of one class in the present window."""

    highest_bid: int = -1
    lowest_ask: int = BEYOND

    def add(self, side: Side, price: int) -> None:
        """One more command."""
        if side is Side.BUY:
            self.highest_bid = max(self.highest_bid, price)
        else:
            self.lowest_ask = min(self.lowest_ask, price)

    def meets(self, side: Side, price: int) -> bool:
        """Whether an order of this side and price could trade with one in here."""
        return self.lowest_ask <= price if side is Side.BUY else self.highest_bid >= price


class Windows:
    """The windows of a flow; `left_out` are orders whose removal is not played."""

    def __init__(
        self,
        left_out: AbstractSet[int] = frozenset(),
        commands_max: int = limits.WINDOW_COMMANDS_MAX,
    ) -> None:
        self._left_out = left_out
        self._commands_max = commands_max
        # Side and price of every order that was entered and not removed.
        self._orders: dict[int, tuple[Side, int]] = {}

    def cut(self, commands: Iterable[Command]) -> Iterator[list[Command]]:
        """Windows in order; their commands are those of the flow, in its order."""
        window: list[Command] = []
        entered, removed = Reach(), Reach()
        # Orders that may have traded at the hands of this window's own commands.
        restless: set[int] = set()
        for command in commands:
            if isinstance(command, Remove) and command.order in self._left_out:
                continue
            place = self._place(command)
            if place is None:
                continue
            own, other = (removed, entered) if isinstance(command, Remove) else (entered, removed)
            is_late = isinstance(command, Remove) and command.order in restless
            if is_late or len(window) >= self._commands_max or other.meets(*place):
                yield window
                window, entered, removed, restless = [], Reach(), Reach(), set()
                own = removed if isinstance(command, Remove) else entered
            own.add(*place)
            window.append(command)
            if isinstance(command, Change) or (
                isinstance(command, Enter) and not command.is_post_only
            ):
                restless.add(command.order)
        if window:
            yield window

    def _place(self, command: Command) -> tuple[Side, int] | None:
        """Side and price that a command concerns; None when its order is not there any more."""
        match command:
            case Enter(order=order, side=side, price=price):
                market_price = BEYOND if side is Side.BUY else 0
                place: tuple[Side, int] | None = side, price or market_price
            case Change(order=order, price=price):
                known = self._orders.get(order)
                place = None if known is None else (known[0], price)
            case Remove(order=order):
                return self._orders.pop(order, None)
        if place is not None:
            self._orders[order] = place
        return place
