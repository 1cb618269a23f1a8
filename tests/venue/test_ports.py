"""Ports that nobody else gets while their process is dead."""

import socket

import pytest

from venue import ports


def test_ports_differ_and_lie_below_those_of_connections() -> None:
    chosen = ports.choose_ports(20)
    assert len(set(chosen)) == 20
    assert all(20_000 <= port < 32_000 for port in chosen)


def test_a_port_with_a_listener_is_not_free() -> None:
    (port,) = ports.choose_ports(1)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))
        listener.listen()
        assert not ports.is_free(port)


def test_more_ports_than_there_are_tries_are_refused() -> None:
    with pytest.raises(ports.NoPort, match="free ports of 1000"):
        ports.choose_ports(1_000)
