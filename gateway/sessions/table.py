"""All connections of this process: heartbeats, stalls, failover, drain."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from gateway import limits
from gateway.sessions import messages
from gateway.sessions.connection import Connection, Reason
from gateway.shard.shard import Shard
from runtime.clock import NANOSECONDS_PER_SECOND, Clock

MILLISECONDS_PER_SECOND = 1_000
STALL_NS = int(limits.WRITE_STALL_SECONDS * NANOSECONDS_PER_SECOND)


class SessionTable:
    """Live connections. It ends them; it never speaks to the engine itself."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._connections: set[Connection] = set()
        self.is_draining = False
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._connections)

    @contextmanager
    def holding(self, connection: Connection) -> Iterator[None]:
        """The connection is looked after while the block runs."""
        self._connections.add(connection)
        try:
            yield
        finally:
            self._connections.discard(connection)
            if not self._connections:
                self._empty.set()

    async def sweep(self) -> None:
        """Looks at heartbeats and stalled writes for ever."""
        while True:
            await asyncio.sleep(limits.SWEEP_SECONDS)
            now_ns = self._clock.monotonic_ns()
            for connection in list(self._connections):
                self._look(connection, now_ns)

    def _look(self, connection: Connection, now_ns: int) -> None:
        if connection.is_over:
            return
        keep_alive_ns = connection.terms.keep_alive_ns
        started_ns = connection.write_started_ns
        if started_ns and now_ns - started_ns > STALL_NS:
            connection.end(Reason.TERMINATE_REASON_SLOW_CONSUMER)
        elif not connection.is_blocked and (
            now_ns - connection.heard_ns > limits.KEEP_ALIVE_LAPSES * keep_alive_ns
        ):
            connection.end(Reason.TERMINATE_REASON_KEEP_ALIVE_LAPSED)
        elif now_ns - connection.queued_ns >= keep_alive_ns and not connection.is_catching_up:
            connection.put(messages.heartbeat(connection.shard.feed.last_seq))

    def end_older_versions(self, session_id: int, version: int) -> None:
        """A Negotiate with other accounts ends what was established before."""
        for connection in list(self._connections):
            terms = connection.terms
            if terms.session_id == session_id and terms.session_version < version:
                connection.end(
                    Reason.TERMINATE_REASON_UNKNOWN_SESSION, "negotiated anew with other accounts"
                )

    def shard_down(self, shard: Shard) -> None:
        """The link broke: the engine counts its sessions as lost already."""
        for connection in list(self._connections):
            if connection.shard is shard:
                connection.end(
                    Reason.TERMINATE_REASON_FAILOVER,
                    "the shard changed its primary: establish again",
                    is_lost=False,
                )

    async def drain(self, milliseconds: int) -> None:
        """Tells every client to go elsewhere, waits, then ends what is left."""
        self.is_draining = True
        for connection in list(self._connections):
            connection.put(messages.go_away("DRAINING", connection.queued_seq, milliseconds))
        if self._connections:
            self._empty.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(milliseconds / MILLISECONDS_PER_SECOND):
                await self._empty.wait()
        for connection in list(self._connections):
            connection.end(Reason.TERMINATE_REASON_DRAINING)
