"""Connections of order sessions: how many share one, and when it is closed."""

from cambist.client import limits
from cambist.client.channels import Anonymous, Channels

ENDPOINTS = ("127.0.0.1:1", "127.0.0.1:2")


def opened() -> Channels:
    return Channels.open(ENDPOINTS, None, Anonymous())


async def test_sessions_share_a_connection_up_to_the_limit() -> None:
    calls = opened()
    sessions = [calls.for_session() for _ in range(2 * limits.CONNECTION_SESSIONS_MAX)]
    first, second = (
        {id(session.channel) for session in part}
        for part in (
            sessions[: limits.CONNECTION_SESSIONS_MAX],
            sessions[limits.CONNECTION_SESSIONS_MAX :],
        )
    )
    assert len(first) == len(second) == 1
    assert len(first | second | {id(calls.channel)}) == 3


async def test_a_place_that_was_left_is_taken_again() -> None:
    calls = opened()
    sessions = [calls.for_session() for _ in range(limits.CONNECTION_SESSIONS_MAX)]
    # Twice is once.
    await sessions[3].close()
    await sessions[3].close()
    assert calls.for_session().channel is sessions[0].channel
    assert calls.for_session().channel is not sessions[0].channel


async def test_a_connection_that_all_have_left_is_not_used_again() -> None:
    calls = opened()
    session = calls.for_session()
    left = session.channel
    await session.close()
    assert calls.for_session().channel is not left


async def test_a_session_goes_to_another_endpoint_alone() -> None:
    calls = opened()
    calls.rotate()
    first, second = calls.for_session(), calls.for_session()
    assert first.endpoint == ENDPOINTS[1]
    first.rotate()
    assert (first.endpoint, second.endpoint) == ENDPOINTS
