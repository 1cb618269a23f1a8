"""Something that is shown again and again: redrawn on a terminal, printed anew into a pipe."""

from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.live import Live

from cambist.cli import limits


class Screen:
    """Use it with `with`; it draws nothing before the first `show`."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, content: RenderableType) -> None:
        """Shows the present state."""
        if not self._console.is_terminal:
            self._console.print(content)
            return
        if self._live is None:
            self._live = Live(console=self._console, refresh_per_second=limits.REDRAWS_PER_SECOND)
            self._live.start()
        self._live.update(content)
