"""Rights of the role that a service logs in as: it reads and writes rows, and changes no schema.

Called by `migrations.migrate`, in its transaction, when settings name such a role. Rights are given
anew each time, so tables of new revisions have theirs. Rows of a journal or a log can be added and
never changed or deleted, whatever the program does. It never makes a role: whoever runs the
database does, with a password that nobody here needs to know.
"""

import re
from typing import Final

import sqlalchemy
import sqlalchemy.ext.asyncio

from runtime.errors import ConfigurationError

ROLE_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
# Triggers of this name make a table append-only in every schema of ours.
GUARD: Final = "refuse_change"
# From this version on a role may lock a table without a right to change its rows.
MAINTAIN_VERSION: Final = 170_000

ROLE: Final = """
select rolsuper or pg_has_role(rolname, current_user, 'member') from pg_roles where rolname = :role
"""
# Partitions are reached through their parent alone, and nobody gets a right on one.
TABLES: Final = """
select n.nspname, c.relname, exists (
    select from pg_trigger t join pg_proc p on p.oid = t.tgfoid
    where t.tgrelid = c.oid and p.proname = :guard)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any(:schemas) and c.relkind in ('r', 'p') and not c.relispartition
order by n.nspname, c.relname
"""


def rights_on(table: str, *, is_guarded: bool, written_once: frozenset[str], version: int) -> str:
    """What the role may do with a table, `schema.name`, of a server of this version. Pure."""
    if table in written_once:
        return "select, insert"
    if is_guarded:
        # To lock the table; where that needs a right to change rows, the guard refuses the change.
        return f"select, insert, {'maintain' if version >= MAINTAIN_VERSION else 'update'}"
    return "select, insert, update, delete"


async def grant(
    connection: sqlalchemy.ext.asyncio.AsyncConnection,
    role: str,
    schemas: tuple[str, ...],
    *,
    version_table: str,
    written_once: frozenset[str],
) -> None:
    """Gives `role` its rights on all that is in `schemas`, and takes away any others.

    `written_once` are tables without a guard that are append-only all the same. Raises
    ConfigurationError when there is no such role, or when it could change the schema.
    """
    await check_role(connection, role)
    version = int(await connection.scalar(sqlalchemy.text("show server_version_num")) or 0)
    query = sqlalchemy.text(TABLES)
    tables = await connection.execute(query, {"schemas": list(schemas), "guard": GUARD})
    statements = []
    for schema in schemas:
        statements += [
            f"grant usage on schema {schema} to {role}",
            f"grant usage, select on all sequences in schema {schema} to {role}",
            f"revoke execute on all functions in schema {schema} from public",
            f"grant execute on all functions in schema {schema} to {role}",
        ]
    for schema, name, is_guarded in tables:
        table = f"{schema}.{name}"
        rights = rights_on(table, is_guarded=is_guarded, written_once=written_once, version=version)
        if table == version_table:
            rights = "select"
        statements.append(f"revoke all on {schema}.{name} from {role}")
        statements.append(f"grant {rights} on {schema}.{name} to {role}")
    for statement in statements:
        await connection.execute(sqlalchemy.text(statement))


async def check_role(connection: sqlalchemy.ext.asyncio.AsyncConnection, role: str) -> None:
    """Raises ConfigurationError unless `role` is there and is not the one that migrates."""
    if not ROLE_NAME.fullmatch(role):
        raise ConfigurationError(f"not the name of a role: {role!r}")
    found = await connection.execute(sqlalchemy.text(ROLE), {"role": role})
    row = found.one_or_none()
    if row is None:
        raise ConfigurationError(
            f"no role {role} in the database: make it first, create role {role} login password …"
        )
    if row[0]:
        raise ConfigurationError(f"the role {role} may do what the role that migrates may do")
