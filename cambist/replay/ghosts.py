"""Orders of a recording that were gone long before it says so.

A recording that begins with a snapshot can miss the end of an order that left while the snapshot
was taken; the order then stands in it until the closing clean-up, and others rest at crossing
prices, which no venue allows. Pure; nothing is guessed: only an order that rests against a later,
really resting one, and has no row of its own before the clean-up, is a ghost.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cambist.client.enums import Side
from cambist.replay.paper import PaperSide, Resting


@dataclass(frozen=True, slots=True)
class Life:
    """The rows of one order that matter here."""

    order: int
    side: Side
    price: int
    quantity: int
    first_row: int
    last_row: int
    # It rested: it was there after the moment of its entry.
    has_rested: bool


@dataclass(slots=True)
class GhostHunt:
    """A book of real orders in which crossing ones are noticed."""

    bids: PaperSide = field(default_factory=PaperSide)
    asks: PaperSide = field(default_factory=PaperSide)
    # Ghost to the row before which it was gone.
    found: dict[int, int] = field(default_factory=dict)

    def enter(self, life: Life, clean_up_row: int, lives: dict[int, Life]) -> None:
        """An order rests from its first row on."""
        is_buy = life.side is Side.BUY
        own, other = (self.bids, self.asks) if is_buy else (self.asks, self.bids)
        for key in list(other.keys):
            if key > life.price if is_buy else -key < life.price:
                break
            for order in list(other.levels[key]):
                if lives[order].last_row >= clean_up_row:
                    self.found[order] = life.first_row
                    other.remove(key, order)
        own.add(key_of(life), Resting(life.order, life.side, life.price, life.quantity))

    def leave(self, life: Life) -> None:
        """An order is gone after its last row."""
        if life.order not in self.found:
            own = self.bids if life.side is Side.BUY else self.asks
            own.remove(key_of(life), life.order)


def key_of(life: Life) -> int:
    """Key of its level in a side."""
    return -life.price if life.side is Side.BUY else life.price


def find_ghosts(lives: Sequence[Life], clean_up_row: int) -> dict[int, int]:
    """Ghosts, and the row before which each was gone. `lives`: without takers."""
    rested = {life.order: life for life in lives if life.has_rested}
    moments: list[tuple[int, bool, Life]] = []
    for life in rested.values():
        if life.first_row < clean_up_row:
            moments.append((life.first_row, True, life))
            if life.last_row < clean_up_row:
                moments.append((life.last_row, False, life))
    hunt = GhostHunt()
    for _, is_entry, life in sorted(moments, key=lambda moment: moment[0]):
        if is_entry:
            hunt.enter(life, clean_up_row, rested)
        else:
            hunt.leave(life)
    return hunt.found


def clean_up_row(rows: Iterable[tuple[int, bool]]) -> int:
    """First row of the last run of deletions, from (row, is deletion); beyond all when none."""
    start = last = 0
    for row, is_deletion in rows:
        last = row
        if not is_deletion:
            start = 0
        elif not start:
            start = row
    return start or last + 1
