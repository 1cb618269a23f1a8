"""Ends when the named table exists; runs before a service, which must not find an old schema."""

import asyncio
import os
import sys

import asyncpg

POLL_SECONDS = 0.5
CONNECT_SECONDS = 5


async def table_exists(name: str) -> bool:
    """Whether the database answers and has the table."""
    try:
        connection = await asyncpg.connect(os.environ["DSN"], timeout=CONNECT_SECONDS)
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return False
    try:
        return await connection.fetchval("select to_regclass($1)::text", name) is not None
    except asyncpg.InsufficientPrivilegeError:
        # The schema is there, and migrations have not yet given this role its rights.
        return False
    finally:
        await connection.close()


async def main() -> None:
    """Polls for ever: the pod shows that it waits."""
    while not await table_exists(sys.argv[1]):  # noqa: ASYNC110 - it is another process that makes it
        await asyncio.sleep(POLL_SECONDS)


if __name__ == "__main__":
    asyncio.run(main())
