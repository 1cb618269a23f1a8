"""How a service runs and what its end tells the supervisor."""

import asyncio
import os
import signal

import pytest

from runtime.errors import ConfigurationError, Unavailable, Unknown
from runtime.process import ExitStatus, exit_status, root_of, serve, supervise


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConfigurationError("x"), ExitStatus.CONFIGURATION),
        (Unavailable("x"), ExitStatus.UNAVAILABLE),
        (Unknown("x"), ExitStatus.UNAVAILABLE),
        (ValueError("x"), ExitStatus.FAULT),
        (ExceptionGroup("g", [ExceptionGroup("h", [Unavailable("x")])]), ExitStatus.UNAVAILABLE),
    ],
)
def test_the_exit_status_says_whether_to_try_again(error: Exception, status: ExitStatus) -> None:
    assert exit_status(error) is status


def test_the_root_of_nested_groups_is_the_first_single_error() -> None:
    root = KeyError("a")
    assert root_of(ExceptionGroup("g", [ExceptionGroup("h", [root]), ValueError("b")])) is root


async def test_one_signal_asks_to_stop_and_a_second_one_cancels() -> None:
    stopped = asyncio.Event()

    async def main(stop: asyncio.Event) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await stop.wait()
        stopped.set()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(serve(main))
    assert stopped.is_set()


async def test_a_task_that_fails_ends_the_block_and_the_others() -> None:
    ended = asyncio.Event()

    async def fails() -> None:
        raise Unavailable("gone")

    async def goes_on() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    stop = asyncio.Event()
    with pytest.raises(ExceptionGroup) as caught:
        async with supervise(stop, bad=fails(), good=goes_on()):
            await asyncio.Event().wait()
    assert isinstance(root_of(caught.value), Unavailable)
    assert ended.is_set()
    assert stop.is_set()


async def test_tasks_end_with_the_block() -> None:
    ended = asyncio.Event()

    async def goes_on() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with supervise(asyncio.Event(), good=goes_on()):
        await asyncio.sleep(0)
    assert ended.is_set()
