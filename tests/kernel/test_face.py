"""The Python face of the kernel: stubs, the interpreter's lock."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from cambist.orders.v1 import enums_pb2 as enums
from tests.feed.rows import SHARD, LittleVenue

pytest.importorskip("cambist_kernel")
from cambist_kernel.feed import Image


@pytest.mark.slow
def test_stubs_say_what_the_module_has() -> None:
    command = [sys.executable, "-m", "mypy.stubtest", "cambist_kernel"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


@contextmanager
def no_forced_switches() -> Iterator[None]:
    """Threads change places only when one gives the lock up by itself."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1_000)
    yield
    sys.setswitchinterval(interval)


def progress_of_another_thread(work: Callable[[], None]) -> int:
    """How often another thread went round while `work` ran in this one."""
    rounds, is_over, started = 0, False, threading.Event()

    def go_round() -> None:
        nonlocal rounds
        started.set()
        while not is_over:
            rounds += 1
            time.sleep(0)  # gives the lock up, so that `work` can end

    thread = threading.Thread(target=go_round)
    thread.start()
    started.wait()
    with no_forced_switches():
        before = rounds
        work()
        after = rounds
    is_over = True
    thread.join()
    return after - before


def test_another_thread_goes_on_while_a_snapshot_is_loaded() -> None:
    venue = LittleVenue()
    for number in range(3_000):
        venue.add(number % 2, enums.SIDE_BUY, 1 + number % 50, 5)
    snapshot = venue.snapshot()
    image = Image(SHARD)
    assert progress_of_another_thread(lambda: image.load_snapshot(snapshot)) > 0


def test_arguments_of_another_type_are_refused() -> None:
    with pytest.raises(TypeError):
        Image("1")  # type: ignore[arg-type]
    with pytest.raises(OverflowError):
        Image(-1)
    with pytest.raises(TypeError):
        Image(SHARD).load_snapshot("text")  # type: ignore[arg-type]
