"""Two processes want one shard: the one that was frozen past its lease writes nothing more."""

import asyncio
import os
import signal
from pathlib import Path

import asyncpg
import pytest

from cambist.internal.matching.v1 import matching_pb2
from runtime.embedded_postgres import free_port
from tests.faults.venue import Venue, assert_kept, open_venue, until_role
from venue.processes import Process
from venue.stack import MATCHING, StackPlan

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1_800)]

TAKEOVERS = int(os.environ.get("CAMBIST_TEST_TAKEOVERS", "50"))
# Nobody takes snapshots here: a standby starts with the whole journal, which must stay readable in
# the time that a start may take.
COMMANDS_PER_SECOND = 2_000
EXIT_SECONDS = 30.0
PRIMARY = matching_pb2.ROLE_PRIMARY
BLOCKED = matching_pb2.ROLE_TAKEOVER_BLOCKED
EPOCHS_FALL = """
select count(*) from (
    select epoch, lag(epoch) over (partition by shard order by first_seq) as before
    from journal.commands
) as rows where epoch < before
"""


class Pair:
    """Two processes of matching at fixed addresses, by turns primary and standby."""

    def __init__(self, venue: Venue, endpoints: tuple[str, str]) -> None:
        self._venue = venue
        self.endpoints = endpoints
        self.primary = 0

    def start(self, index: int) -> Process:
        environment = {
            **self._venue.stack.matching_environment("serve"),
            "CAMBIST_MATCHING_LISTEN_ADDRESS": self.endpoints[index],
            "CAMBIST_MATCHING_ADMIN_ADDRESS": f"127.0.0.1:{free_port()}",
            "CAMBIST_MATCHING_HEALTH_ADDRESS": f"127.0.0.1:{free_port()}",
            "CAMBIST_MATCHING_INSTANCE": f"matching-{index}",
        }
        return self._venue.stack.processes.start(
            self.name(index), ["-m", "matching", "serve"], environment=environment
        )

    def name(self, index: int) -> str:
        return MATCHING if index == 0 else "matching-second"

    def process(self, index: int) -> Process:
        return self._venue.stack.processes.running[self.name(index)]


def plan_of_two(directory: Path, endpoints: tuple[str, str]) -> StackPlan:
    both = {"MATCHING_ENDPOINTS": f"1={endpoints[0]},{endpoints[1]}"}
    return StackPlan(
        directory,
        helpers=False,
        matching_environment={"LISTEN_ADDRESS": endpoints[0]},
        gateway_environment=both,
    )


async def ended(process: Process) -> int:
    """The exit status of a process that is to end by itself."""
    return await asyncio.to_thread(process.popen.wait, EXIT_SECONDS)


async def test_a_primary_frozen_past_its_lease_writes_nothing_after_the_takeover(
    tmp_path: Path,
) -> None:
    endpoints = (f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}")
    async with open_venue(tmp_path, plan_of_two(tmp_path, endpoints)) as venue:
        pair = Pair(venue, endpoints)
        venue.start_traders(seed=2, commands_per_second=COMMANDS_PER_SECOND)
        for _ in range(TAKEOVERS):
            old, new = pair.primary, 1 - pair.primary
            pair.start(new)
            await until_role(endpoints[new], matching_pb2.ROLE_STANDBY)
            await venue.progress(100)
            frozen = pair.process(old)
            frozen.send(signal.SIGSTOP)
            await until_role(endpoints[new], PRIMARY)
            await venue.progress(100)
            frozen.send(signal.SIGCONT)
            assert await ended(frozen) != 0, "the old primary exits as fenced"
            del venue.stack.processes.running[pair.name(old)]
            pair.primary = new
        connection = await asyncpg.connect(venue.stack.dsn)
        try:
            assert await connection.fetchval(EPOCHS_FALL) == 0
            epoch = await connection.fetchval("select epoch from journal.shard_fence")
            assert epoch > TAKEOVERS
        finally:
            await connection.close()
        assert_kept(await venue.verdict())


async def freeze_backend_with_fence(connection: asyncpg.Connection) -> int:
    """Locks the fence row as an insert does, and freezes the backend that holds it; its pid."""
    await connection.execute("begin")
    await connection.execute("select epoch from journal.shard_fence for share")
    pid = int(await connection.fetchval("select pg_backend_pid()"))
    os.kill(pid, signal.SIGSTOP)
    return pid


async def test_a_frozen_backend_of_the_old_primary_blocks_the_takeover_by_name(
    tmp_path: Path,
) -> None:
    endpoints = (f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}")
    async with open_venue(tmp_path, plan_of_two(tmp_path, endpoints)) as venue:
        pair = Pair(venue, endpoints)
        venue.start_traders(seed=3)
        pair.start(1)
        await until_role(endpoints[1], matching_pb2.ROLE_STANDBY)
        await venue.progress()
        holder = await asyncpg.connect(venue.stack.dsn)
        backend = await freeze_backend_with_fence(holder)
        try:
            venue.stack.processes.kill(MATCHING)
            await until_role(endpoints[1], BLOCKED)
        finally:
            os.kill(backend, signal.SIGCONT)
            holder.terminate()
        await until_role(endpoints[1], PRIMARY)
        await venue.progress()
        connection = await asyncpg.connect(venue.stack.dsn)
        try:
            assert await connection.fetchval(EPOCHS_FALL) == 0
        finally:
            await connection.close()
        assert_kept(await venue.verdict())
