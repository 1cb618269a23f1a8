"""Who does a task that one worker at a time should do, by the database's clock.

Called by the sender before each look at the outbox, and by the worker around a whole task. A lease
alone never protects money: what is done under it must be harmless when done twice, or name the
fencing token in its writes.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from runtime import logs
from runtime.errors import Unavailable, Unknown
from runtime.postgres import Database
from wallets.core.transactions import changing
from wallets.link import limits

ACTOR = "lease"
# What is done under a lease, given its token.
Work: TypeAlias = Callable[[int], Coroutine[Any, Any, None]]


async def hold(database: Database, name: str, owner: str, seconds: float) -> int | None:
    """Takes or renews a lease; its fencing token, or None while another holds it."""
    async with changing(database, ACTOR) as connection:
        await connection.execute(
            "insert into custody.lease (name) values ($1) on conflict do nothing", name
        )
        token = await connection.fetchval(
            "update custody.lease set owner = $2, "
            "fencing_token = fencing_token + (owner <> $2)::integer, "
            "expires_at = clock_timestamp() + $3 * interval '1 second' "
            "where name = $1 and (owner = $2 or expires_at < clock_timestamp()) "
            "returning fencing_token",
            name,
            owner,
            seconds,
        )
        return None if token is None else int(token)


async def hand_over(database: Database, name: str, owner: str) -> None:
    """Ends our own lease, so that the next worker need not wait."""
    async with changing(database, ACTOR) as connection:
        await connection.execute(
            "update custody.lease set expires_at = '-infinity' where name = $1 and owner = $2",
            name,
            owner,
        )


async def while_held(database: Database, name: str, owner: str, work: Work) -> None:
    """Runs `work` whenever the lease is ours, cancels it when not; raises what `work` raises.

    It is given the fencing token, and is begun anew under another one.
    """
    while True:
        token = await _token(database, name, owner)
        if token is not None:
            await _run_held(database, name, owner, work, token)
        await asyncio.sleep(limits.LEASE_SECONDS / limits.RENEWALS)


async def _run_held(database: Database, name: str, owner: str, work: Work, token: int) -> None:
    task = asyncio.create_task(work(token), name=name)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=limits.LEASE_SECONDS / limits.RENEWALS)
            if not task.done() and await _token(database, name, owner) != token:
                logs.get(__name__).warning("lost a lease", name=name)
                return
        task.result()
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _token(database: Database, name: str, owner: str) -> int | None:
    """A database that does not answer is a lease that is not ours."""
    try:
        return await hold(database, name, owner, limits.LEASE_SECONDS)
    except (Unavailable, Unknown):
        return None
