"""Who changes states: every transaction that does says an actor and a reason.

Called by all of `wallets.core` that writes. The trigger of the schema refuses a change without.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runtime.postgres import Connection, Database


async def name_actor(connection: Connection, actor: str, reason: str = "") -> None:
    """For the rest of the connection's transaction."""
    await connection.execute(
        "select set_config('custody.actor', $1, true), set_config('custody.reason', $2, true)",
        actor,
        reason,
    )


@asynccontextmanager
async def changing(database: Database, actor: str, reason: str = "") -> AsyncIterator[Connection]:
    """One transaction. Raises Unavailable (nothing changed) or Unknown (the commit was lost)."""
    async with database.transaction() as connection:
        await name_actor(connection, actor, reason)
        yield connection
