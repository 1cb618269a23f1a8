"""Children are started, watched and ended by their recorded pid."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from venue.processes import Processes, ProcessFailed

WAITS = ["-c", "import time; print('up', flush=True); time.sleep(600)"]
DEAF_CODE = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(600)
"""


@pytest.fixture
async def processes(tmp_path: Path) -> AsyncIterator[Processes]:
    """An empty list of children; all are ended."""
    children = Processes(tmp_path)
    yield children
    await children.stop_all()


def wait_up(children: Processes, name: str) -> int:
    process = children.running[name]
    deadline = time.monotonic() + 30
    while "up" not in process.log_tail():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process.pid


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_child_is_stopped_by_its_recorded_pid(processes: Processes, tmp_path: Path) -> None:
    processes.start("one", WAITS)
    pid = wait_up(processes, "one")
    assert (tmp_path / "one.pid").read_text() == f"{pid}\n"
    processes.check()
    assert await processes.stop("one") == -signal.SIGTERM
    assert not is_alive(pid)
    assert await processes.stop("one") is None


async def test_a_killed_child_is_gone_and_may_start_again(processes: Processes) -> None:
    processes.start("one", WAITS)
    pid = wait_up(processes, "one")
    assert processes.kill("one") == pid
    assert not is_alive(pid)
    assert processes.start("one", WAITS).pid != pid


async def test_a_frozen_child_can_be_stopped(processes: Processes) -> None:
    processes.start("one", WAITS).send(signal.SIGSTOP)
    assert await processes.stop("one") == -signal.SIGTERM


async def test_a_child_that_does_not_obey_is_killed(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("venue.processes.STOP_SECONDS", 0.1)
    processes.start("one", ["-c", DEAF_CODE])
    wait_up(processes, "one")
    assert await processes.stop("one") == -signal.SIGKILL


async def test_a_child_that_ends_by_itself_is_told_with_its_last_words(
    processes: Processes,
) -> None:
    process = processes.start("one", ["-c", "import sys; print('no more'); sys.exit(7)"])
    process.popen.wait()
    with pytest.raises(ProcessFailed, match=r"one \(pid \d+\) ended with status 7:\nno more"):
        processes.check()


PARENT_CODE = """
import sys, time
from pathlib import Path
from venue.processes import Processes
children = Processes(Path(sys.argv[1]))
children.start("grandchild", ["-c", "import time; print('up', flush=True); time.sleep(600)"])
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no death signal")
async def test_the_kernel_ends_a_child_whose_parent_is_gone(
    processes: Processes, tmp_path: Path
) -> None:
    inner = tmp_path / "inner"
    processes.start("parent", ["-c", PARENT_CODE, str(inner)])
    log = inner / "grandchild.log"
    deadline = time.monotonic() + 30
    while not (log.exists() and "up" in log.read_text()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    grandchild = int((inner / "grandchild.pid").read_text())
    processes.kill("parent")
    while is_alive(grandchild):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
