"""The live view of a demo: book, rates, latency per stage. On a pipe: a line now and then."""

import time
from collections import deque
from typing import Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cambist.client.book import Book
from venue.latency import Histogram
from venue.traders import Moment

LINE_SECONDS: Final = 5.0
RATE_SECONDS: Final = 2.0
DEPTH: Final = 8
NS_PER_MS: Final = 1_000_000


class LiveView:
    """Draws; `note` adds what happened. Use it with `with`."""

    def __init__(self, console: Console, market: str) -> None:
        self._console = console
        self._market = market
        self._moments: deque[Moment] = deque(maxlen=200)
        self._notes: deque[str] = deque(maxlen=8)
        self._last_line = 0.0
        is_shown = console.is_terminal
        self._live = Live(console=console, refresh_per_second=4) if is_shown else None
        self.book: Book | None = None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def note(self, text: str) -> None:
        """Something worth keeping happened."""
        self._notes.append(text)
        if self._live is None:
            self._console.print(text, highlight=False, soft_wrap=True)

    def show(self, moment: Moment, latencies: dict[str, Histogram]) -> None:
        """Draws the present state."""
        self._moments.append(moment)
        if self._live is not None:
            self._live.update(self._panel(moment, latencies))
        elif time.monotonic() - self._last_line > LINE_SECONDS:
            self._last_line = time.monotonic()
            self._console.print(self._line(moment), highlight=False)

    def rate(self) -> float:
        """Answered commands per second of late."""
        last = self._moments[-1]
        for moment in self._moments:
            if last.monotonic - moment.monotonic <= RATE_SECONDS:
                seconds = last.monotonic - moment.monotonic
                return (last.answered - moment.answered) / seconds if seconds else 0.0
        return 0.0

    def _line(self, moment: Moment) -> str:
        return (
            f"  {moment.answered:>9,} answered  {moment.fills // 2:>8,} trades  "
            f"{moment.unanswered:>6,} unanswered  {self.rate():>8,.0f} commands/s"
        )

    def _panel(self, moment: Moment, latencies: dict[str, Histogram]) -> Panel:
        columns = Table.grid(padding=(0, 3))
        columns.add_row(self._book_table(), stage_table(latencies))
        notes = Text("\n".join(self._notes))
        return Panel(Group(Text(self._line(moment)), columns, notes), title="cambist demo")

    def _book_table(self) -> Table:
        table = Table(title=self._market, box=None, padding=(0, 1))
        for name in ("lots", "bid", "ask", "lots"):
            table.add_column(name, justify="right")
        if self.book is not None:
            bids, asks = self.book.bids.top(DEPTH), self.book.asks.top(DEPTH)
            for index in range(max(len(bids), len(asks))):
                bid = bids[index] if index < len(bids) else None
                ask = asks[index] if index < len(asks) else None
                table.add_row(
                    f"{bid.quantity_lots:,}" if bid else "",
                    f"[green]{bid.price_ticks:,}[/]" if bid else "",
                    f"[red]{ask.price_ticks:,}[/]" if ask else "",
                    f"{ask.quantity_lots:,}" if ask else "",
                )
        return table


def stage_table(latencies: dict[str, Histogram]) -> Table:
    """Percentiles per stage in ms."""
    table = Table(title="latency, ms", box=None, padding=(0, 1))
    table.add_column("stage")
    for name in ("p50", "p99", "p99.9"):
        table.add_column(name, justify="right")
    for stage, histogram in latencies.items():
        cells = [f"{histogram.percentile(p) / NS_PER_MS:,.2f}" for p in (0.5, 0.99, 0.999)]
        table.add_row(stage, *cells)
    return table
