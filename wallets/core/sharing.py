"""Work on the database that several steps want at the same moment, done as one.

Used by `wallets.core.store`: who comes while a commit is under way shares the next one with all who
came meanwhile, and waits for its end as for a commit of his own. What fails for all together is
done for each alone, so that nobody suffers from another's fault. It decides nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from runtime.errors import Unavailable, Unknown

Item = TypeVar("Item")
Result = TypeVar("Result")
# Of one commit: it holds the rows of all of them until its end.
SHARED_MAX: Final = 64


@dataclass(slots=True)
class Sharing(Generic[Item, Result]):
    """One kind of work. `do_all` ends each piece by itself: with a result, or with an error."""

    do_all: Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]]
    shared_max: int = SHARED_MAX
    _waiting: list[tuple[Item, asyncio.Future[Result]]] = field(default_factory=list)
    _running: asyncio.Task[None] | None = None

    async def do(self, item: Item) -> Result:
        """Raises what this piece came to, or what all that shared its commit did."""
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await done

    async def _run(self) -> None:
        taken: list[tuple[Item, asyncio.Future[Result]]] = []
        try:
            while self._waiting:
                taken = self._waiting[: self.shared_max]
                del self._waiting[: self.shared_max]
                # Who gave up before it began has changed nothing.
                await self._do(taken := [one for one in taken if not one[1].done()])
        finally:
            # Only when the process ends is anybody left.
            for _, done in (*taken, *self._waiting):
                done.cancel()
            self._waiting.clear()
            self._running = None

    async def _do(self, taken: Sequence[tuple[Item, asyncio.Future[Result]]]) -> None:
        if not taken:
            return
        try:
            results = await self.do_all([item for item, _ in taken])
        except (Unavailable, Unknown) as error:
            results = [error] * len(taken)
        except Exception as error:  # noqa: BLE001 - raised where it belongs
            if len(taken) > 1:
                for one in taken:
                    await self._do([one])
                return
            results = [error]
        for (_, done), result in zip(taken, results, strict=True):
            if done.done():
                continue
            if isinstance(result, Exception):
                done.set_exception(result)
            else:
                done.set_result(result)
