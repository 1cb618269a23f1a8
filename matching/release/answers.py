"""Answers of the engine to commands of the venue, by correlation, once they are committed."""

import asyncio
from typing import Final

from cambist.internal.journal.v1 import frames_pb2
from matching.journal.rows import JournalRow
from matching.release.directory import SYSTEM, Directory

ONLY_SYSTEM: Final = (SYSTEM,)


class Answers:
    """Who waits for which answer."""

    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Future[int]] = {}

    def expect(self, correlation: int) -> asyncio.Future[int]:
        """The RejectReason of the answer to come (0 = done); call `forget` when done waiting."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting[correlation] = future
        return future

    def forget(self, correlation: int) -> None:
        """Nobody waits any more."""
        self._waiting.pop(correlation, None)

    def row_released(self, row: JournalRow) -> None:
        """Finds answers in a row."""
        if not self._waiting:
            return
        for correlation, reason in answers_in(row.events):
            future = self._waiting.get(correlation)
            if future is not None and not future.done():
                future.set_result(reason)


def answers_in(events: bytes) -> list[tuple[int, int]]:
    """(correlation, reason) of each answer of an event row, in order."""
    directory = Directory(events)
    return [
        (event.answer.correlation, int(event.answer.reason))
        for record in directory.last_of(ONLY_SYSTEM)
        for event in frames_pb2.SystemEvents.FromString(directory.payload(record)).events
        if event.HasField("answer")
    ]
