"""Plays a flow through a venue: over an order session of the SDK, window by window.

The market must be empty and nobody else's; `Player.hear` must be the session's `on_event`.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cambist.client.errors import Unknown
from cambist.client.events import Answer, Event, Filled, Refused
from cambist.client.session import Session
from cambist.replay import limits
from cambist.replay.flow import Command, Enter, Flow, Trade
from cambist.replay.orders import FillBook, Orders
from cambist.replay.paper import PaperVenue
from cambist.replay.windows import Windows


@dataclass(slots=True)
class Played:
    """What came out."""

    trades: list[Trade] = field(default_factory=list)
    # Orders that the venue refused, and by which reason.
    refused: dict[int, str] = field(default_factory=dict)
    # Refused changes and removals, by reason: their order was gone.
    late: Counter[str] = field(default_factory=Counter)
    commands: int = 0
    # Fills of which one side is not ours.
    unpaired: int = 0


class Player:
    """One replay."""

    def __init__(self, flow: Flow, orders: Orders) -> None:
        self._flow = flow
        self._orders = orders
        self._fills = FillBook(orders)
        self.played = Played(self._fills.trades)

    def hear(self, event: Event) -> None:
        """An event of the session."""
        if isinstance(event, Filled):
            self._fills.take(event)

    async def play(
        self, session: Session, on_progress: Callable[[int], None] = lambda _rows: None
    ) -> Played:
        """Plays everything; `on_progress` hears how many commands a window had.

        Raises Unknown when a window is not answered in time, and what ends the session.
        """
        for window in Windows(left_out=refused_on_paper(self._flow)).cut(self._flow.commands):
            requests = [self._orders.request(command) for command in window]
            try:
                async with asyncio.timeout(limits.WINDOW_SECONDS):
                    futures = await session.submit_all(requests)
                    answers = await asyncio.gather(*futures)
            except TimeoutError:
                text = f"a window was not answered in {limits.WINDOW_SECONDS:.0f} s"
                raise Unknown(text) from None
            self._note(window, answers)
            on_progress(len(window))
        self.played.unpaired = self._fills.unpaired
        return self.played

    def _note(self, window: Sequence[Command], answers: Sequence[Answer]) -> None:
        self.played.commands += len(window)
        for command, answer in zip(window, answers, strict=True):
            if not isinstance(answer, Refused):
                continue
            if isinstance(command, Enter):
                self.played.refused[command.order] = answer.reason.name
            else:
                self.played.late[answer.reason.name] += 1


def refused_on_paper(flow: Flow) -> set[int]:
    """Post-only orders that a plain book refuses: nothing is there to remove.

    If the venue takes one all the same it stays, and the trades differ.
    """
    paper = PaperVenue()
    paper.play(flow.commands)
    return paper.refused
