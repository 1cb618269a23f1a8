"""A venue under load, and what a fault test does to it.

The load is the demo's: firms that trade over the SDK and write down what they were told. `judge`
then reads the journal and those logs without the kernel.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import grpc.aio

from cambist.internal.matching.v1 import matching_pb2, matching_pb2_grpc
from venue import engines
from venue.flow.definitions import FirmPlan, firms
from venue.judgement import Judgement, judge
from venue.setup import create_keys, create_venue
from venue.stack import MATCHING, Stack, StackPlan
from venue.traders import Moment, Traders

TICK_SECONDS = 0.05
PATIENCE_SECONDS = 60.0
FIRMS = 4
CHANNEL_OPTIONS = [("grpc.enable_http_proxy", 0)]


@dataclass
class Venue:
    """A running stack with traders."""

    stack: Stack
    traders: Traders
    firms: tuple[FirmPlan, ...]
    keys: dict[int, Path]
    sizes: engines.Sizes
    # Processes that were killed or replaced on purpose while we watch the others.
    forgiven: set[str] = field(default_factory=set)

    def start_traders(self, *, seed: int, processes: int = 1, commands_per_second: int = 0) -> None:
        """Begins the flow; 0 = as fast as it goes."""
        self.traders.start(
            self.firms,
            self.keys,
            self.sizes,
            seed=seed,
            processes=processes,
            commands_per_second=commands_per_second,
        )

    async def until(
        self, is_reached: Callable[[Moment], bool], seconds: float = PATIENCE_SECONDS
    ) -> Moment:
        """Polls until a condition holds; fails when it does not in time."""
        deadline = time.monotonic() + seconds
        while not is_reached(moment := self.traders.poll()):
            assert time.monotonic() < deadline, f"not reached in {seconds} s: {moment}"
            await asyncio.sleep(TICK_SECONDS)
        return moment

    async def progress(self, answers: int = 500) -> Moment:
        """Waits for so many further answers."""
        before = self.traders.poll().answered
        return await self.until(lambda moment: moment.answered >= before + answers)

    async def all_sent_is_answered(self, at: Moment) -> Moment:
        """Waits until as much is answered as was sent at a moment."""
        return await self.until(lambda moment: moment.answered >= at.sent)

    async def kill_and_restart_matching(self) -> None:
        """SIGKILL, a new start, and all that was unanswered is answered."""
        self.stack.processes.kill(MATCHING)
        moment = self.traders.poll()
        self.stack.start_matching()
        await self.all_sent_is_answered(moment)

    async def verdict(self) -> Judgement:
        """Stops the flow and judges."""
        await self.traders.stop()
        return await judge(self.stack, self.traders.log_directory, None, self.sizes)


@asynccontextmanager
async def open_venue(
    directory: Path, plan: StackPlan | None = None, *, firm_count: int = FIRMS
) -> AsyncIterator[Venue]:
    """A venue with assets, markets, firms, money and keys."""
    sizes = replace(engines.sizes(), replay_commands=2_000)
    chosen = plan or StackPlan(directory)
    async with Stack(replace(chosen, engine=sizes.engine)) as stack:
        plans = firms(firm_count)
        await create_venue(stack, plans)
        keys = await create_keys(stack, plans, directory / "keys")
        yield Venue(stack, Traders(stack, directory / "clients"), plans, keys, sizes)


async def status(endpoint: str) -> matching_pb2.GetStatusResponse:
    """What a process of matching says of itself."""
    async with grpc.aio.insecure_channel(endpoint, options=CHANNEL_OPTIONS) as channel:
        stub = matching_pb2_grpc.MatchingServiceStub(channel)
        answer: matching_pb2.GetStatusResponse = await stub.GetStatus(
            matching_pb2.GetStatusRequest(), timeout=2.0
        )
        return answer


async def until_role(endpoint: str, role: int, seconds: float = PATIENCE_SECONDS) -> None:
    """Waits until a process of matching has a role."""
    deadline = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < deadline:
        try:
            last = (await status(endpoint)).role
        except grpc.aio.AioRpcError as error:
            last = error.code()
        if last == role:
            return
        await asyncio.sleep(TICK_SECONDS)
    raise AssertionError(f"{endpoint} did not become {role} in {seconds} s, was {last}")


def assert_kept(judgement: Judgement) -> None:
    """Every promise was kept, and there was something to keep."""
    assert judgement.ok, (judgement.check.get("findings"), judgement.replay, judgement.trouble)
    assert judgement.check["acknowledged_lost"] == 0
    assert judgement.check["duplicated"] == 0
    assert judgement.check["acknowledged"] > 1_000
