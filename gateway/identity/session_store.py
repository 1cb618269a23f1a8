"""Sessions by name and the ends that could not be told, in Postgres: any gateway reads them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from gateway import limits
from gateway.errors import exhausted
from runtime.postgres import Database

_NEGOTIATE: Final = """
insert into identity.session as s (key_id, shard, session_name, account_ids, created_ns)
values ($1, $2, $3, $4, $5)
on conflict (key_id, shard, session_name) do update set
    account_ids = excluded.account_ids,
    session_version = s.session_version
        + case when s.account_ids = excluded.account_ids then 0 else 1 end
returning session_id, key_id, shard, session_version, account_ids
"""
_REMEMBER: Final = """
insert into identity.previous_end values ($1, $2, $3, $4)
on conflict (subject) do update set
    reason = excluded.reason, last_seq = excluded.last_seq, ended_ns = excluded.ended_ns
"""


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A session as it was negotiated."""

    session_id: int
    key_id: str
    shard: int
    version: int
    account_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PreviousEnd:
    """Why a stream ended; `reason` is a number of the contract."""

    reason: int
    last_seq: int


@dataclass(frozen=True, slots=True)
class SessionStore:
    """Sessions of all keys."""

    database: Database

    async def negotiate(
        self, key_id: str, shard: int, name: str, account_ids: Sequence[int], now_ns: int
    ) -> SessionRecord:
        """The key's session of this name, made when it is new. Raises Rejected at the limit."""
        rows = await self.database.read(
            "select count(*) as count, bool_or(shard = $2 and session_name = $3) as known"
            " from identity.session where key_id = $1",
            key_id,
            shard,
            name,
        )
        if not rows[0]["known"] and rows[0]["count"] >= limits.SESSIONS_PER_KEY_MAX:
            raise exhausted("TOO_MANY_SESSIONS", "the key has as many sessions as it may", 60.0)
        values = key_id, shard, name, list(account_ids), now_ns
        return read_session((await self.database.write(_NEGOTIATE, *values))[0])

    async def find(self, session_id: int) -> SessionRecord | None:
        """One session."""
        row = await self.database.read_row(
            "select * from identity.session where session_id = $1", session_id
        )
        return None if row is None else read_session(row)

    async def remember_end(self, subject: str, end: PreviousEnd, now_ns: int) -> None:
        """Keeps why a stream ended until its client is told."""
        await self.database.write(_REMEMBER, subject, end.reason, end.last_seq, now_ns)

    async def take_end(self, subject: str) -> PreviousEnd | None:
        """Why the last stream of the subject ended, told once."""
        known = await self.database.read_row(
            "select 1 from identity.previous_end where subject = $1", subject
        )
        if known is None:
            return None
        rows = await self.database.write(
            "delete from identity.previous_end where subject = $1 returning reason, last_seq",
            subject,
        )
        return PreviousEnd(rows[0]["reason"], rows[0]["last_seq"]) if rows else None

    async def forget_ends(self, before_ns: int) -> None:
        """Drops ends whose clients never came back."""
        await self.database.write(
            "delete from identity.previous_end where ended_ns < $1", before_ns
        )


def read_session(row: asyncpg.Record) -> SessionRecord:
    """A session from its row."""
    return SessionRecord(
        row["session_id"],
        row["key_id"],
        row["shard"],
        row["session_version"],
        tuple(row["account_ids"]),
    )
