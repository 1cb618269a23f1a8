"""From standby to primary: follow the journal, wait for the lease, take an epoch, read the tail.

The lease elects, the epoch protects: nothing is served before the epoch is committed and the
journal was read in a later statement.
"""

import asyncio
from dataclasses import dataclass

from matching import limits
from matching.journal.fence import Lease, ShardLock
from matching.journal.reader import JournalReader
from matching.recovery.replay import Replay, check_head
from matching.shard_state import Role, ShardState
from runtime import logs
from runtime.errors import Unavailable

LOGGER = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Won:
    """What a new primary starts from."""

    epoch: int
    lease: Lease


class Election:
    """One process's way to the shard."""

    def __init__(
        self,
        state: ShardState,
        lock: ShardLock,
        reader: JournalReader,
        replay: Replay,
        lease_renewal_seconds: float,
    ) -> None:
        self._state = state
        self._lock = lock
        self._reader = reader
        self._replay = replay
        self._lease_renewal_seconds = lease_renewal_seconds

    async def win(self) -> Won:
        """Follows the journal until this process is primary. Raises Stop.

        Waits as long as the database is away.
        """
        lease = await self._wait_for_lease()
        LOGGER.info("lease taken", shard=self._state.shard)
        keeper = asyncio.create_task(self._keep_lease(), name="takeover-lease")
        try:
            epoch = await self._lock.next_epoch(self._note_blocked)
            self._state.role = Role.RECOVERING
            LOGGER.info("epoch taken", shard=self._state.shard, epoch=epoch)
            await self._read_tail()
        finally:
            keeper.cancel()
            await asyncio.wait({keeper})
        return Won(epoch, lease)

    async def _wait_for_lease(self) -> Lease:
        """Follows the journal as standby until the lease is ours."""
        last_error = ""
        while True:
            try:
                await self._replay.catch_up()
                lease = await self._lock.take_or_renew()
                if lease.is_ours:
                    return lease
                self._state.role = Role.STANDBY
                self._state.primary_endpoint = lease.endpoint
                if lease.is_expired:
                    # Free and not taken: its row is held by a backend of the one before.
                    await self._lock.clear_lease()
                last_error = ""
            except Unavailable as error:
                if str(error) != last_error:
                    LOGGER.warning("standing by", error=str(error))
                last_error = str(error)
            await asyncio.sleep(limits.STANDBY_POLL_SECONDS)

    async def _keep_lease(self) -> None:
        """Renews the lease while the epoch is being taken, however long that is."""
        while True:
            await asyncio.sleep(self._lease_renewal_seconds)
            try:
                await self._lock.take_or_renew()
            except Unavailable as error:
                LOGGER.warning("lease not renewed", error=str(error))

    async def _read_tail(self) -> None:
        """All rows of older epochs; none can be added any more. Raises Stop."""
        pause = limits.RECONNECT_FIRST_SECONDS
        while True:
            try:
                await check_head(self._reader, self._replay.tail)
                await self._replay.catch_up()
            except Unavailable as error:
                LOGGER.warning("tail not read", error=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, limits.RECONNECT_MAX_SECONDS)
                continue
            return

    def _note_blocked(self, holders: frozenset[int]) -> None:
        if self._state.role is not Role.TAKEOVER_BLOCKED:
            LOGGER.error("TAKEOVER_BLOCKED", shard=self._state.shard, backends=sorted(holders))
        self._state.role = Role.TAKEOVER_BLOCKED
