"""A server stream with a bounded queue: drop copy, balances, trading status stand on it.

One writer per stream. When the queue is full the owner decides: start anew, or end with a fault.
"""

import asyncio
from collections.abc import Callable

from gateway import limits
from gateway.door.calls import Call
from gateway.errors import GatewayError
from gateway.shard.outbox import Budget, Outbox, Outgoing


class LiveStream:
    """Messages for one client until something ends it."""

    def __init__(self, budget: Budget) -> None:
        self.outbox = Outbox(budget, limits.OUTBOX_BYTES_MAX, limits.OUTBOX_MESSAGES_MAX)
        self.fault: GatewayError | None = None
        self.sent_seq = 0

    def end(self, fault: GatewayError) -> None:
        """Ends the stream with a fault; what waits is freed at once."""
        if self.fault is None:
            self.fault = fault
            self.outbox.close(None, drop_waiting=True)

    async def write(self, call: Call, outgoing: Outgoing) -> None:
        """Writes one message."""
        await call.write(outgoing.message)
        if outgoing.seq:
            self.sent_seq = outgoing.seq

    async def run(self, call: Call, heartbeat: Callable[[], bytes] | None = None) -> None:
        """Writes what is queued until the stream ends. Raises its fault."""
        while True:
            try:
                async with asyncio.timeout(limits.MARKET_DATA_HEARTBEAT_SECONDS):
                    outgoing = await self.outbox.take()
            except TimeoutError:
                if heartbeat is not None:
                    await call.write(heartbeat())
                continue
            if outgoing is None:
                break
            await self.write(call, outgoing)
        if self.fault is not None:
            raise self.fault
