"""Lease and fence of one shard. The lease elects, the fence protects.

Whoever becomes primary takes the lease, then a new epoch, even if it was the last owner. Both rows
may be locked by a backend of the old primary; such backends are ended, and one that cannot be
(stopped, or waiting for a lost replica) leaves the takeover blocked, safely, until it can.
Used by the primary only; standby, snapshotter and projector never touch the fence.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from matching import limits
from runtime import logs, postgres
from runtime.clock import Clock
from runtime.errors import Unavailable, Unknown
from runtime.postgres import Connection
from runtime.settings import PostgresSettings

LOGGER = logs.get(__name__)
NANOSECONDS_PER_MICROSECOND: Final = 1_000

TAKE_LEASE: Final = """
update journal.shard_lease
set owner = $2, endpoint = $3, expires_at = clock_timestamp() + make_interval(secs => $4)
where shard = $1 and (owner = $2 or expires_at < clock_timestamp())
returning (extract(epoch from clock_timestamp()) * 1000000)::bigint
"""
READ_LEASE: Final = """
select owner, endpoint, expires_at < clock_timestamp(),
       (extract(epoch from clock_timestamp()) * 1000000)::bigint
from journal.shard_lease where shard = $1
"""
RELEASE_LEASE: Final = """
update journal.shard_lease set expires_at = '-infinity' where shard = $1 and owner = $2
"""
NEXT_EPOCH: Final = """
update journal.shard_fence set epoch = epoch + 1 where shard = $1 returning epoch
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """What a look at the lease told. `is_ours` after a successful take."""

    is_ours: bool
    owner: str
    endpoint: str
    is_expired: bool
    # The database's time and our monotonic reading of the same moment, half a round trip apart.
    database_ns: int
    monotonic_ns: int


@dataclass(frozen=True, slots=True)
class Claim:
    """Who we are at the lease."""

    shard: int
    # Unique per start of a process.
    owner: str
    endpoint: str
    lease_seconds: float


class ShardLock:
    """Takes and renews the lease of one shard, and takes epochs."""

    def __init__(
        self, settings: PostgresSettings, claim: Claim, application_name: str, clock: Clock
    ) -> None:
        self._settings = settings
        self._claim = claim
        self._application_name = application_name
        self._clock = clock
        self._connection: Connection | None = None
        # A connection carries one statement at a time.
        self._turn = asyncio.Lock()
        # Backends that hold up a takeover and could not be ended, for logs and status.
        self.blocked_by: frozenset[int] = frozenset()

    async def take_or_renew(self) -> Lease:
        """Takes the lease when it is free or ours. Raises Unavailable."""
        claim = self._claim
        started = self._clock.monotonic_ns()
        arguments = (claim.shard, claim.owner, claim.endpoint, claim.lease_seconds)
        row = await self._on_lease(TAKE_LEASE, *arguments)
        if row is not None:
            return self._lease(True, claim.owner, claim.endpoint, False, row[0], started)
        started = self._clock.monotonic_ns()
        row = await self._on_lease(READ_LEASE, claim.shard)
        if row is None:
            raise Unavailable(f"shard {claim.shard} has no lease row: run `matching migrate`")
        return self._lease(False, row[0], row[1], row[2], row[3], started)

    def _lease(
        self,
        is_ours: bool,
        owner: str,
        endpoint: str,
        is_expired: bool,
        database_us: int,
        started_ns: int,
    ) -> Lease:
        middle = (started_ns + self._clock.monotonic_ns()) // 2
        database_ns = database_us * NANOSECONDS_PER_MICROSECOND
        return Lease(is_ours, owner, endpoint, is_expired, database_ns, middle)

    async def release(self) -> None:
        """Lets the lease go at a clean end; a failure only means that it runs out by itself."""
        with contextlib.suppress(Unavailable):
            await self._on_lease(RELEASE_LEASE, self._claim.shard, self._claim.owner)
        await self.close()

    async def close(self) -> None:
        """Closes the connection."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _on_lease(self, query: str, *arguments: Any) -> asyncpg.Record | None:
        """One statement on the lease's own connection. Raises Unavailable."""
        async with self._turn:
            return await self._in_turn(query, *arguments)

    async def _in_turn(self, query: str, *arguments: Any) -> asyncpg.Record | None:
        timeout = limits.FENCE_STATEMENT_SECONDS
        is_new = self._connection is None or self._connection.is_closed()
        if is_new:
            self._connection = await self._connect("lease")
        assert self._connection is not None
        try:
            async with postgres.outcome_of_write(self._connection):
                if is_new:
                    # A frozen backend that holds the row must not hold us as well.
                    wait = f"set lock_timeout = {limits.FENCE_LOCK_MILLISECONDS}"
                    await self._connection.execute(wait, timeout=timeout)
                return await self._connection.fetchrow(query, *arguments, timeout=timeout)
        except Unknown as error:
            # Whether the renewal came through does not matter: it is done again.
            self._connection = None
            raise Unavailable(str(error)) from error

    async def clear_lease(self) -> None:
        """Ends backends of others that hold the row of an expired lease. Raises Unavailable."""
        query = "update journal.shard_lease set owner = owner where shard = $1 returning 1"
        await self._update_past_holders(query)

    async def next_epoch(self, note_blocked: Callable[[frozenset[int]], None]) -> int:
        """Takes the next epoch, however long that takes; what stays locked is told.

        When it returns no statement of an older epoch can add a row any more.
        """
        attempts = 0
        while True:
            try:
                epoch = await self._update_past_holders(NEXT_EPOCH)
            except Unavailable as error:
                LOGGER.warning("epoch not taken", shard=self._claim.shard, error=str(error))
                epoch = None
            if epoch is not None:
                self.blocked_by = frozenset()
                return epoch
            attempts += 1
            if attempts >= limits.FENCE_ATTEMPTS_BEFORE_BLOCKED and self.blocked_by:
                note_blocked(self.blocked_by)
            await asyncio.sleep(limits.FENCE_RETRY_SECONDS)

    async def _update_past_holders(self, query: str) -> int | None:
        """Runs an update of a row of ours; on a lock timeout ends who holds it and gives None."""
        async with self._connected("takeover") as worker, self._connected("watch") as watcher:
            milliseconds = limits.FENCE_LOCK_MILLISECONDS
            await worker.execute(f"set lock_timeout = {milliseconds}")
            worker_pid = await worker.fetchval("select pg_backend_pid()")
            update = asyncio.ensure_future(
                worker.fetchval(query, self._claim.shard, timeout=limits.FENCE_STATEMENT_SECONDS)
            )
            holders: set[int] = set()
            try:
                while not update.done():
                    await asyncio.wait({update}, timeout=milliseconds / 3_000)
                    if not update.done():
                        found = await watcher.fetchval("select pg_blocking_pids($1)", worker_pid)
                        holders |= set(found or ())
                epoch: int = await update
            except asyncpg.LockNotAvailableError:
                self.blocked_by = frozenset(holders)
                LOGGER.warning("ending backends", shard=self._claim.shard, pids=sorted(holders))
                for pid in holders:
                    await watcher.fetchval("select pg_terminate_backend($1)", pid)
                return None
            finally:
                update.cancel()
            return epoch

    @contextlib.asynccontextmanager
    async def _connected(self, purpose: str) -> AsyncIterator[Connection]:
        """A connection for a takeover; what breaks it is Unavailable: an epoch more is harmless."""
        connection = await self._connect(purpose)
        try:
            async with postgres.outcome_of_read():
                yield connection
        finally:
            connection.terminate()

    async def _connect(self, purpose: str) -> Connection:
        name = f"{self._application_name}-{purpose}"
        return await postgres.connect_one(self._settings, application_name=name)
