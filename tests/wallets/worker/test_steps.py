"""Steps side by side: they stop when told to, survive what passes, and end with a broken rule."""

import asyncio

import pytest

from runtime.errors import Unavailable
from wallets.errors import Broken
from wallets.worker import limits
from wallets.worker.steps import Steps


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IDLE_SECONDS", "RETRY_SECONDS"):
        monkeypatch.setattr(limits, name, 0.001)


async def test_a_drain_waits_for_the_step_that_runs_and_takes_no_other() -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def step() -> bool:
        entered.set()
        await leave.wait()
        return True

    steps = Steps([step])
    running = asyncio.create_task(steps.run())
    await entered.wait()
    assert await steps.drain(0.01) == 1
    leave.set()
    assert await steps.drain(10.0) == 0
    entered.clear()
    await asyncio.sleep(0.05)
    assert steps.done_count == 1
    assert not entered.is_set()
    steps.undrain()
    await asyncio.wait_for(entered.wait(), 10.0)
    running.cancel()
    await asyncio.wait({running})


async def test_what_is_away_is_tried_again_and_a_broken_rule_ends_all() -> None:
    errors = [Unavailable("away"), Unavailable("away"), Broken("books")]

    async def step() -> bool:
        raise errors.pop(0)

    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(Steps([step]).run(), 10.0)
    assert caught.group_contains(Broken)
    assert errors == []
