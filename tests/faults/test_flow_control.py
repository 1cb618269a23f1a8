"""Postgres stands still under full load: buffers fill, memory stays flat, everything is answered.

And a client that never reads slows nobody; it learns why it was ended when it comes back.
"""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc.aio
import psutil
import pytest

from cambist.client.keys import ApiKey
from cambist.client.logon import Logon
from cambist.orders.v1 import service_pb2, service_pb2_grpc
from tests.faults.pusher import PusherConfig
from tests.faults.venue import CHANNEL_OPTIONS, Venue, open_venue, status
from venue.processes import Process
from venue.stack import MATCHING, StackPlan

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

FREEZE_SECONDS = float(os.environ.get("CAMBIST_TEST_FREEZE_SECONDS", "60"))
SESSIONS = 100
FIRMS = 12
FULL_SECONDS = 60.0
# Memory that may come and go without a buffer behind it: allocator, telemetry, one batch.
SLACK_BYTES = 24 * 1024 * 1024
SLOW_CONSUMER = service_pb2.TERMINATE_REASON_SLOW_CONSUMER


@dataclass
class Push:
    """The pusher process of a venue."""

    process: Process

    @classmethod
    def start(cls, venue: Venue, directory: Path, sessions: int) -> "Push":
        left, dealt = sessions, []
        for firm in venue.firms:
            accounts = firm.account_ids[: min(left, len(firm.account_ids))]
            left -= len(accounts)
            if accounts:
                dealt.append((str(venue.keys[firm.firm_id]), accounts))
        config = PusherConfig(venue.stack.endpoints, tuple(dealt))
        path = directory / "pusher.json"
        config.save(path)
        arguments = ["-m", "tests.faults.pusher", str(path)]
        return cls(venue.stack.processes.start("pusher", arguments, takes_input=True))

    def told(self) -> dict[str, Any]:
        """The newest line."""
        lines = self.process.log_path.read_bytes().rsplit(b"\n", 2)
        for line in reversed(lines):
            if line.startswith(b'{"sent"'):
                found: dict[str, Any] = json.loads(line)
                return found
        return {"sent": 0, "answered": 0, "sessions": 0, "done": False}

    async def until_answered(self, count: int, seconds: float = 90.0) -> None:
        deadline = time.monotonic() + seconds
        while self.told()["answered"] < count:
            assert self.process.is_running, self.process.log_tail()
            assert time.monotonic() < deadline, self.told()
            await asyncio.sleep(0.1)

    async def stop(self) -> dict[str, Any]:
        stdin = self.process.popen.stdin
        assert stdin is not None
        with contextlib.suppress(BrokenPipeError):
            stdin.write(b"stop\n")
            stdin.close()
        assert await asyncio.to_thread(self.process.popen.wait, 120.0) == 0, self.process.log_tail()
        return self.told()


@contextlib.contextmanager
def frozen(postmaster_pid: int) -> Iterator[None]:
    """Every process of the server stands still meanwhile."""
    postmaster = psutil.Process(postmaster_pid)
    family = [postmaster, *postmaster.children(recursive=True)]
    try:
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
        yield
    finally:
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()


def memory_bytes(venue: Venue) -> dict[str, int]:
    """Resident bytes of matching and of each gateway."""
    names = [MATCHING, *(gateway.name for gateway in venue.stack.gateways)]
    running = venue.stack.processes.running
    return {name: psutil.Process(running[name].pid).memory_info().rss for name in names}


async def until_everything_is_full(venue: Venue, push: Push) -> None:
    """Waits until the inbox takes no further envelope and no session can send any more."""
    deadline = time.monotonic() + FULL_SECONDS
    before: tuple[int, int] | None = None
    while True:
        inbox = (await status(venue.stack.matching_endpoint)).inbox_commands
        now = (inbox, int(push.told()["sent"]))
        if now == before and inbox > 0:
            break
        assert time.monotonic() < deadline, f"still moving: {before} to {now}"
        before = now
        await asyncio.sleep(2.0)
    # New orders fill all of the inbox that is not kept for cancels and operators.
    assert before[0] >= 7_000, f"the inbox holds {before[0]} commands only"


async def test_memory_stays_flat_and_nothing_is_lost_while_postgres_stands_still(
    tmp_path: Path,
) -> None:
    plan = StackPlan(tmp_path, helpers=False)
    async with open_venue(tmp_path, plan, firm_count=FIRMS) as venue:
        push = Push.start(venue, tmp_path, SESSIONS)
        await push.until_answered(20 * SESSIONS)
        assert push.told()["sessions"] == SESSIONS
        postgres = venue.stack.postgres
        assert postgres is not None
        with frozen(postgres.postmaster_pid):
            ends = time.monotonic() + FREEZE_SECONDS
            await until_everything_is_full(venue, push)
            full, stuck = memory_bytes(venue), push.told()
            while time.monotonic() < ends:
                await asyncio.sleep(1.0)
                for name, used in memory_bytes(venue).items():
                    assert used <= full[name] + SLACK_BYTES, f"{name} grew while all was full"
            assert push.told()["sent"] == stuck["sent"], "senders wait"
            assert push.told()["answered"] == stuck["answered"], "nothing is told before a commit"
        await push.until_answered(int(stuck["sent"]) + 1_000)
        told = await push.stop()
        assert told["answered"] == told["sent"]
        assert told["disordered"] == 0
        assert told["refused"] == 0


async def open_session(
    stub: Any, metadata: Any, account_id: int
) -> tuple[Any, service_pb2.Established]:
    """An order session opened by hand, so that the test decides what is read."""
    made = await stub.Negotiate(
        service_pb2.NegotiateRequest(shard=1, session_name="never reads", account_ids=[account_id]),
        metadata=metadata,
    )
    call: Any = stub.OrderEntrySession(metadata=metadata)
    establish = service_pb2.Establish(
        session_id=made.session_id,
        session_version=made.session_version,
        keep_alive_ms=60_000,
        next_order_seq_no=1,
        next_cancel_seq_no=1,
    )
    await call.write(service_pb2.OrderEntrySessionRequest(establish=establish))
    answer = await asyncio.wait_for(call.read(), 20.0)
    return call, answer.established


async def test_a_client_that_never_reads_slows_nobody_and_learns_why_it_was_ended(
    tmp_path: Path,
) -> None:
    async with open_venue(tmp_path, StackPlan(tmp_path, helpers=False, gateway_count=1)) as venue:
        firm = venue.firms[0]
        key = ApiKey.load(venue.keys[firm.firm_id])
        endpoint = venue.stack.endpoints[0]
        async with grpc.aio.insecure_channel(endpoint, options=CHANNEL_OPTIONS) as channel:
            metadata = await Logon(key).metadata(channel)
            stub: Any = service_pb2_grpc.OrderEntryServiceStub(channel)
            account = firm.account_ids[0]
            deaf, established = await open_session(stub, metadata, account)
            assert established.connection == 1
            # The same account trades over another session: all of it is told to the deaf one too.
            push = Push.start(venue, tmp_path, 4)
            gateway = venue.stack.processes.running[venue.stack.gateways[0].name]
            before = psutil.Process(gateway.pid).memory_info().rss
            await push.until_answered(600_000, seconds=240.0)
            grown = psutil.Process(gateway.pid).memory_info().rss - before
            assert grown < 256 * 1024 * 1024, "the queue of the deaf one was freed"
            told = await push.stop()
            assert told["answered"] == told["sent"]
            assert told["disordered"] == 0
            deaf.cancel()
            call, again = await open_session(stub, metadata, account)
            assert again.previous_end.reason == SLOW_CONSUMER
            assert again.previous_end.last_seq > 0
            call.cancel()
