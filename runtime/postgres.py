"""A pool of Postgres connections with errors that say what the caller may do.

All SQL at run time goes through here. A read that fails raises Unavailable: ask again. A write
(or the commit of a transaction) whose answer does not come raises Unknown: it may be durable.
Nothing here retries a write, and nothing turns a timeout into a failure. Errors that a statement
itself causes (asyncpg.UniqueViolationError, …) pass through: those were rolled back.

Connections are refused when the server would acknowledge commits that it can lose.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import asyncpg

from runtime import limits
from runtime.errors import ConfigurationError, Unavailable, Unknown
from runtime.settings import PostgresSettings, mask_dsn

# What asyncpg knows as a connection of a pool or one of our own.
Connection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)

# Values of synchronous_commit under which an acknowledged commit survives a crash.
DURABLE_SYNCHRONOUS_COMMIT: Final = frozenset({"on", "remote_apply"})
# The connection or the server ended while a statement was under way.
_LOST_CONNECTION: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InternalClientError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleSessionTimeoutError,
)
# The server has no room for a connection or a lock now; nothing happened.
_TRY_AGAIN: Final = (
    asyncpg.TooManyConnectionsError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
)


@dataclass(frozen=True, slots=True)
class Database:
    """An open pool; make it with `connect`, end it with `close`."""

    pool: asyncpg.Pool[asyncpg.Record]
    settings: PostgresSettings

    async def read(
        self, query: str, *arguments: Any, timeout_seconds: float | None = None
    ) -> list[asyncpg.Record]:
        """Rows of one statement that changes nothing; raises Unavailable."""
        async with self.connection() as connection, outcome_of_read():
            return await connection.fetch(query, *arguments, timeout=self._limit(timeout_seconds))

    async def read_row(
        self, query: str, *arguments: Any, timeout_seconds: float | None = None
    ) -> asyncpg.Record | None:
        """The first row of one statement that changes nothing, or None; raises Unavailable."""
        async with self.connection() as connection, outcome_of_read():
            timeout = self._limit(timeout_seconds)
            return await connection.fetchrow(query, *arguments, timeout=timeout)

    async def write(
        self, query: str, *arguments: Any, timeout_seconds: float | None = None
    ) -> list[asyncpg.Record]:
        """One statement in a transaction of its own, with the rows it returns.

        Raises Unavailable when nothing was sent, Unknown when it was sent and not answered.
        """
        async with self.connection() as connection, outcome_of_write(connection):
            return await connection.fetch(query, *arguments, timeout=self._limit(timeout_seconds))

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Several statements that commit together at the end of the block.

        An exception in the block rolls back: a lost connection there is Unavailable. A commit
        that is not answered in time is Unknown.
        """
        async with self.connection() as connection:
            transaction = connection.transaction()
            async with outcome_of_read():
                await transaction.start()
            try:
                async with outcome_of_read():
                    yield connection
            except BaseException:
                await roll_back(connection, transaction)
                raise
            async with outcome_of_write(connection):
                async with asyncio.timeout(self.settings.statement_timeout_seconds):
                    await transaction.commit()

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection of the pool; Unavailable when none is free or can be opened in time."""
        try:
            connection = await self.pool.acquire(timeout=self.settings.pool_wait_seconds)
        except (*_LOST_CONNECTION, *_TRY_AGAIN, asyncpg.InterfaceError) as error:
            raise Unavailable(f"no database connection: {describe(error)}") from error
        try:
            yield connection
        finally:
            await self._give_back(connection)

    async def close(self, timeout_seconds: float = 5.0) -> None:
        """Waits for running statements, then cuts what is left."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self.pool.close()
        except TimeoutError:
            self.pool.terminate()

    async def _give_back(self, connection: asyncpg.pool.PoolConnectionProxy[Any]) -> None:
        """Returns a connection; one that does not answer its reset is cut."""
        try:
            await self.pool.release(connection, timeout=self.settings.pool_wait_seconds)
        except (*_LOST_CONNECTION, asyncpg.InterfaceError, asyncpg.PostgresError):
            cut(connection)

    def _limit(self, timeout_seconds: float | None) -> float:
        return (
            self.settings.statement_timeout_seconds if timeout_seconds is None else timeout_seconds
        )


async def connect(
    settings: PostgresSettings,
    *,
    application_name: str,
    on_open: Callable[[Connection], Awaitable[None]] | None = None,
) -> Database:
    """Opens a pool on `settings.dsn` and checks that commits are durable.

    Raises Unavailable when the server does not answer, ConfigurationError when it must not be
    used. `application_name` is what pg_stat_activity shows. `on_open` is called with each new
    connection, after a loss of the server too, before anything else is done on it.
    """

    async def init(connection: Connection) -> None:
        await check_durability(connection)
        if on_open is not None:
            await on_open(connection)

    dsn = settings.dsn.get_secret_value()
    if not dsn:
        raise ConfigurationError("no database: POSTGRES_DSN is empty")
    try:
        pool = await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=settings.pool_connections_max,
            timeout=settings.connect_timeout_seconds,
            statement_cache_size=settings.statement_cache_size,
            init=init,
            reset=keep_session,
            server_settings={"application_name": application_name, "jit": "off"},
        )
    except (*_LOST_CONNECTION, *_TRY_AGAIN) as error:
        raise Unavailable(f"no database at {mask_dsn(dsn)}: {describe(error)}") from error
    except (asyncpg.PostgresError, ValueError) as error:
        raise ConfigurationError(f"{mask_dsn(dsn)}: {describe(error)}") from error
    return Database(pool, settings)


async def keep_session(_: Connection) -> None:
    """Called before a connection is given back, after what is open in it was rolled back.

    asyncpg would set back all that belongs to a session, a round trip for each use of the pool.
    Nobody changes a session of the pool: settings, locks and cursors end with their transaction.
    """


async def connect_one(settings: PostgresSettings, *, application_name: str) -> Connection:
    """One connection outside any pool, checked like the others; its owner closes it."""
    dsn = settings.dsn.get_secret_value()
    try:
        connection: Connection = await asyncpg.connect(
            dsn,
            timeout=settings.connect_timeout_seconds,
            statement_cache_size=settings.statement_cache_size,
            server_settings={"application_name": application_name, "jit": "off"},
        )
        await check_durability(connection)
    except (*_LOST_CONNECTION, *_TRY_AGAIN) as error:
        raise Unavailable(f"no database at {mask_dsn(dsn)}: {describe(error)}") from error
    return connection


async def check_durability(connection: Connection) -> None:
    """Raises ConfigurationError when this session's commits could be lost by a crash."""
    row = await connection.fetchrow(
        "select current_setting('fsync') as fsync,"
        " current_setting('synchronous_commit') as synchronous_commit",
        timeout=limits.CONNECT_TIMEOUT_SECONDS,
    )
    assert row is not None, "a select without from gives one row"
    if row["fsync"] != "on":
        raise ConfigurationError("refused: the database runs with fsync off")
    if row["synchronous_commit"] not in DURABLE_SYNCHRONOUS_COMMIT:
        raise ConfigurationError(
            f"refused: the database runs with synchronous_commit {row['synchronous_commit']}"
        )


@contextlib.asynccontextmanager
async def outcome_of_read() -> AsyncIterator[None]:
    """Turns a lost connection, a timeout or contention into Unavailable: nothing was committed."""
    try:
        yield
    except (*_LOST_CONNECTION, *_TRY_AGAIN) as error:
        raise Unavailable(describe(error)) from error
    except asyncpg.InterfaceError as error:
        raise_if_closed(error)
        raise


@contextlib.asynccontextmanager
async def outcome_of_write(connection: Connection | None = None) -> AsyncIterator[None]:
    """Turns a lost connection or a timeout around a committing statement into Unknown.

    Contention that Postgres reports as an error was rolled back: Unavailable. The connection is
    cut when the outcome is unknown, so that it never serves another caller half-way.
    """
    try:
        yield
    except _LOST_CONNECTION as error:
        if connection is not None:
            cut(connection)
        raise Unknown(describe(error)) from error
    except asyncio.CancelledError:
        if connection is not None:
            cut(connection)
        raise
    except _TRY_AGAIN as error:
        raise Unavailable(describe(error)) from error
    except asyncpg.InterfaceError as error:
        raise_if_closed(error)
        raise


def raise_if_closed(error: asyncpg.InterfaceError) -> None:
    """Raises Unavailable when asyncpg refused to send because the connection was closed before.

    It has no class of its own for that; its other InterfaceErrors are wrong use, our bugs.
    """
    if "clos" in str(error):
        raise Unavailable(describe(error)) from error


def cut(connection: Connection) -> None:
    """Cuts a connection. The pool takes one back by itself when its backend dies: then it is gone,
    and that must not hide what happened to the statement."""
    with contextlib.suppress(asyncpg.InterfaceError):
        connection.terminate()


async def roll_back(connection: Connection, transaction: asyncpg.transaction.Transaction) -> None:
    """Rolls back, or cuts the connection, which has the same effect."""
    try:
        async with asyncio.timeout(limits.POOL_WAIT_SECONDS):
            await transaction.rollback()
    except (*_LOST_CONNECTION, asyncpg.InterfaceError, asyncpg.PostgresError):
        cut(connection)


def describe(error: BaseException) -> str:
    """An error in one line with its class: asyncpg's timeouts have no text."""
    return f"{type(error).__name__}: {error}".rstrip(": ")
