"""Free ports and patience."""

import socket
import time
from collections.abc import Callable
from typing import Any

WAIT_SECONDS = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(what: Callable[[], Any], seconds: float = WAIT_SECONDS) -> float:
    """Waits until something is true; how long it took."""
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < seconds, "not in time"
        time.sleep(0.1)
    return time.monotonic() - began
