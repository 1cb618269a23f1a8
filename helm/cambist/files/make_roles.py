"""Makes the roles that services log in as, in the evaluation database; runs before the migrations.

Each variable ROLE_DSN_<name> holds the DSN of one: its name and its password are read from there.
"""

import asyncio
import os
from urllib.parse import unquote, urlsplit

import asyncpg

PREFIX = "ROLE_DSN_"
CONNECT_SECONDS = 5
# Names and passwords are quoted by the server.
STATEMENT = """
select format('%s role %I login password %L', case when exists (
    select from pg_roles where rolname = $1) then 'alter' else 'create' end, $1::text, $2::text)
"""


async def make(connection: "asyncpg.Connection[asyncpg.Record]", name: str, dsn: str) -> None:
    """Makes the role, or gives it the password that its Secret has now."""
    parts = urlsplit(dsn)
    if unquote(parts.username or "") != name or not parts.password:
        raise SystemExit(f"the DSN of the role {name} names another user, or no password")
    await connection.execute(await connection.fetchval(STATEMENT, name, unquote(parts.password)))


async def main() -> None:
    """All of them. Raises when the database does not answer; the Job tries again."""
    connection = await asyncpg.connect(os.environ["OWNER_DSN"], timeout=CONNECT_SECONDS)
    try:
        for variable, dsn in sorted(os.environ.items()):
            if variable.startswith(PREFIX):
                await make(connection, variable.removeprefix(PREFIX), dsn)
    finally:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(main())
