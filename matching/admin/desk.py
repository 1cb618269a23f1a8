"""Journals one command of the venue and waits for its committed answer."""

import asyncio
from collections.abc import Callable

from cambist.internal.journal.v1 import system_pb2
from matching import limits
from matching.admin.refusals import malformed
from matching.engines import EngineKind, Malformation
from matching.primary import Primary
from matching.sequencer.envelopes import SYSTEM, system_envelope
from matching.sequencer.inbox import Item
from runtime.clock import Clock
from runtime.errors import Unavailable, Unknown

CORRELATION_BITS = 63
# Operators take turns like one session.
TURN = 0


class Desk:
    """The way of operators to the engine."""

    def __init__(self, kind: EngineKind, clock: Clock, random_bits: Callable[[int], int]) -> None:
        self._kind = kind
        self._clock = clock
        self._random_bits = random_bits

    def next_correlation(self) -> int:
        """A number no other sender uses."""
        return self._random_bits(CORRELATION_BITS) | 1

    def envelope(self, command: system_pb2.SystemCommand, correlation: int) -> bytes:
        """The envelope of a command. Raises Rejected when the engine would not take it."""
        made = system_envelope(command, correlation, self._clock.wall_ns())
        try:
            self._kind.check_envelope(made)
        except self._kind.malformed as error:
            raise malformed(Malformation.of(error)) from error
        return made

    async def carry_out(
        self, primary: Primary, command: system_pb2.SystemCommand, correlation: int
    ) -> int:
        """The RejectReason of the committed answer, 0 = done.

        Raises Rejected when it is malformed, Unavailable when it did not enter in time, Unknown
        when it did and no answer came in time.
        """
        envelope = self.envelope(command, correlation)
        answer = primary.answers.expect(correlation)
        try:
            item = Item(envelope, SYSTEM, 1, TURN, self._clock.monotonic_ns())
            try:
                async with asyncio.timeout(limits.ADMIN_ANSWER_SECONDS):
                    await primary.inbox.put(item)
            except TimeoutError:
                raise Unavailable("the inbox is full") from None
            try:
                async with asyncio.timeout(limits.ADMIN_ANSWER_SECONDS):
                    return await answer
            except TimeoutError:
                raise Unknown("no answer yet: ask again") from None
        finally:
            primary.answers.forget(correlation)
