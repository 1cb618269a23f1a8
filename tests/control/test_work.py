"""The queue: one key at a time, failures later, nothing while another replica leads."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from control.cluster.kinds import Kind
from control.errors import Unavailable
from control.work import Key, Work

KEY = Key(Kind.MARKET, "btc-usdt")


@asynccontextmanager
async def running(
    reconcile: Callable[[Key], Awaitable[float | None]], may_act: Callable[[], bool] = lambda: True
) -> AsyncIterator[Work]:
    work = Work(reconcile, may_act=may_act)
    task = asyncio.create_task(work.run())
    yield work
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_key_that_is_asked_for_while_it_runs_runs_once_more_and_not_at_the_same_time() -> (
    None
):
    running_now, most, count = 0, 0, 0
    done = asyncio.Event()

    async def reconcile(key: Key) -> None:
        nonlocal running_now, most, count
        running_now, count = running_now + 1, count + 1
        most = max(most, running_now)
        if count == 1:
            for _ in range(3):
                work.add(key)
        await asyncio.sleep(0)
        running_now -= 1
        if count == 2:
            done.set()

    async with running(reconcile) as work:
        work.add(KEY)
        await asyncio.wait_for(done.wait(), 10)
        await asyncio.sleep(0.05)
    assert (count, most) == (2, 1)


async def test_a_failure_of_any_kind_is_tried_again_and_stops_nobody_else() -> None:
    seen: list[str] = []
    done = asyncio.Event()
    other = Key(Kind.MARKET, "other")

    async def reconcile(key: Key) -> None:
        seen.append(key.name)
        if seen.count(KEY.name) == 1 and key == KEY:
            raise Unavailable("away")
        if seen.count(KEY.name) == 2 and key == KEY:
            raise KeyError("a bug")
        if seen.count(KEY.name) == 3:
            done.set()

    async with running(reconcile) as work:
        work.add(KEY)
        work.add(other)
        await asyncio.wait_for(done.wait(), 20)
    assert other.name in seen


async def test_keys_wait_while_this_replica_may_not_act() -> None:
    may_act = False
    done = asyncio.Event()

    async def reconcile(_key: Key) -> None:
        assert may_act
        done.set()

    async with running(reconcile, lambda: may_act) as work:
        work.add(KEY)
        await asyncio.sleep(0.05)
        assert not done.is_set()
        may_act = True
        await asyncio.wait_for(done.wait(), 10)
