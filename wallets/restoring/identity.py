"""Notices that the database is another one than before, and stops all payouts then.

Called on each new connection of a worker. The stop is committed before the connection is used, so
that nothing is decided on rows that lack what was paid. Only `verify_command` ends it.
"""

from typing import Final

from runtime.postgres import Connection

NOTICE: Final = "select custody.notice_database()"


async def notice(connection: Connection) -> None:
    """Raises asyncpg's error when the schema is older than this."""
    await connection.execute(NOTICE)
