"""Runs a service: event loop, signals, exit status.

A service's `__main__` loads its settings and hands `run` a coroutine function that serves until
the given event is set. SIGTERM and SIGINT set it once; a second signal cancels what still runs.
Exit status: 0 ended as asked, 1 a fault of ours, 69 a dependency is away (try again), 78 wrong
configuration (do not).
"""

import asyncio
import contextlib
import enum
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final

import uvloop

from runtime import logs
from runtime.errors import ConfigurationError, Unavailable, Unknown
from runtime.settings import Settings

Main = Callable[[asyncio.Event], Coroutine[Any, Any, None]]


class ExitStatus(enum.IntEnum):
    """What the process tells its supervisor; the numbers are those of sysexits.h."""

    OK = 0
    FAULT = 1
    UNAVAILABLE = 69
    CONFIGURATION = 78


_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


def run(main: Main, *, service: str, settings: Settings) -> int:
    """Runs `main` to its end and returns the exit status; logs settings with secrets masked."""
    try:
        logs.configure(settings.log, service=service)
    except ConfigurationError as error:
        return report(error)
    logs.get(__name__).info("starting", settings=settings.describe())
    try:
        uvloop.run(serve(main))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return ExitStatus.FAULT
    except BaseException as error:  # noqa: BLE001 - the outermost frame turns all into a status
        return report(error)
    return ExitStatus.OK


async def serve(main: Main) -> None:
    """Runs `main` with signals wired to its stop event."""
    stop = asyncio.Event()
    task = asyncio.get_running_loop().create_task(main(stop), name="main")

    def on_signal(number: signal.Signals) -> None:
        logger = logs.get(__name__)
        if stop.is_set():
            logger.warning("second signal: cancelling", signal=number.name)
            task.cancel()
        else:
            logger.info("stopping", signal=number.name)
            stop.set()

    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, on_signal, number)
    try:
        await task
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


def report(error: BaseException) -> int:
    """Logs what ended the process and gives the exit status for it."""
    logger = logs.get(__name__)
    status = exit_status(error)
    if status is ExitStatus.FAULT:
        logger.error("ended by a fault", exc_info=error)
    else:
        logger.error("ended", reason=status.name, error=str(root_of(error)))
    return status


def root_of(error: BaseException) -> BaseException:
    """The first single exception inside nested groups (task groups wrap what ends them)."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def exit_status(error: BaseException) -> ExitStatus:
    """The exit status for what ended the process."""
    root = root_of(error)
    if isinstance(root, ConfigurationError):
        return ExitStatus.CONFIGURATION
    if isinstance(root, (Unavailable, Unknown)):
        return ExitStatus.UNAVAILABLE
    return ExitStatus.FAULT


@contextlib.asynccontextmanager
async def supervise(
    stop: asyncio.Event, **tasks: Coroutine[Any, Any, None]
) -> AsyncIterator[asyncio.TaskGroup]:
    """Runs named tasks beside the block; the first that fails ends the block with its error.

    When the block ends, or `stop` was set and the block noticed, the tasks are cancelled and
    awaited. A task that returns early is fine.
    """
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(task, name=name) for name, task in tasks.items()]
        try:
            yield group
        finally:
            stop.set()
            for task in running:
                task.cancel()
