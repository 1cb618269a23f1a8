"""Forgets nonces and ends of connections that nobody will ask about, again and again.

`serve` runs it beside everything else. A database that is away is waited for: nothing depends on
these rows being gone.
"""

import asyncio

from gateway import limits
from gateway.identity.session_store import SessionStore
from gateway.identity.store import KeyStore
from runtime import logs
from runtime.clock import NANOSECONDS_PER_SECOND, Clock
from runtime.errors import Unavailable, Unknown

LOGGER = logs.get(__name__)


async def forget_what_is_over(keys: KeyStore, sessions: SessionStore, clock: Clock) -> None:
    """Runs for ever."""
    while True:
        await asyncio.sleep(limits.UPKEEP_SECONDS)
        try:
            await forget_once(keys, sessions, clock.wall_ns())
        except (Unavailable, Unknown) as error:
            LOGGER.warning("upkeep", error=str(error))


async def forget_once(keys: KeyStore, sessions: SessionStore, now_ns: int) -> None:
    """Drops what is over at `now_ns`. Raises Unavailable, Unknown."""
    await keys.forget_nonces(now_ns - limits.NONCE_SECONDS * NANOSECONDS_PER_SECOND)
    await sessions.forget_ends(now_ns - limits.PREVIOUS_END_SECONDS * NANOSECONDS_PER_SECOND)
