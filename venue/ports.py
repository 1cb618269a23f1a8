"""Ports for processes that are killed and started again.

They lie below those that the operating system gives to outgoing connections: while a process is
dead, no connection of anybody can take its port.
"""

import secrets
import socket
from typing import Final

LOWEST: Final = 20_000
# Linux gives 32,768 and above to connections by default.
COUNT: Final = 12_000
TRIES_MAX: Final = 200


class NoPort(Exception):
    """No port was found free."""


def choose_ports(count: int) -> tuple[int, ...]:
    """Different ports of the loopback on which nobody listens now. Raises NoPort."""
    found: list[int] = []
    for _ in range(TRIES_MAX):
        if len(found) == count:
            return tuple(found)
        port = LOWEST + secrets.randbelow(COUNT)
        if port not in found and is_free(port):
            found.append(port)
    raise NoPort(f"found {len(found)} free ports of {count} in {TRIES_MAX} tries")


def is_free(port: int) -> bool:
    """Whether we could listen there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tried:
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
