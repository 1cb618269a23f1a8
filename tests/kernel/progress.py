"""Shows that the interpreter's lock is free: another thread goes on."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

# A busy machine may leave the other thread without a core for a while.
ATTEMPTS_MAX: Final = 500


@contextmanager
def no_forced_switches() -> Iterator[None]:
    """Threads change places only when one gives the lock up by itself."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1_000)
    yield
    sys.setswitchinterval(interval)


def another_thread_goes_on(work: Callable[[], object]) -> bool:
    """Whether another thread ever goes round while `work` runs in this one."""
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
        for _ in range(ATTEMPTS_MAX):
            work()
            if rounds != before:
                break
        after = rounds
    is_over = True
    thread.join()
    return after > before
