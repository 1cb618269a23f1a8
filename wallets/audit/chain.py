"""Hashes `custody.event` into batches, each hash over the one before, and finds what was changed.

The worker extends the chain under a lease; `python -m wallets verify-audit` reads it all again.
Whoever can change rows can also cut both tables at the same place: only a head that was kept
elsewhere shows that, so operators keep what `verify-audit` prints. It changes no event.
"""

import asyncio
import hashlib
import json
from dataclasses import dataclass
from typing import Final

import asyncpg

from runtime import logs
from runtime.errors import Unavailable, Unknown
from runtime.postgres import Connection, Database
from wallets.audit import limits
from wallets.core.transactions import changing
from wallets.errors import Broken

ACTOR: Final = "audit"
START: Final = bytes(32)

EVENTS: Final = """
select event_id, kind, subject_id, state_before, state_after, actor, reason, details::text,
    (extract(epoch from created_at) * 1000000)::bigint
from custody.event where event_id > $1 and event_id <= $2 order by event_id limit $3
"""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain."""

    last_event_id: int
    hash: bytes


def extend(before: bytes, rows: list[asyncpg.Record]) -> bytes:
    """The hash over the one before and these events."""
    digest = hashlib.sha256(before)
    for row in rows:
        # JSON keeps two texts apart wherever one ends; a line end is never inside.
        digest.update(json.dumps(list(row), ensure_ascii=True).encode() + b"\n")
    return digest.digest()


async def read_head(connection: Connection) -> Head:
    """The last batch's, or the start."""
    row = await connection.fetchrow(
        "select last_event_id, hash from custody.audit_batch order by last_event_id desc limit 1"
    )
    return Head(0, START) if row is None else Head(row["last_event_id"], bytes(row["hash"]))


async def read_settled_id(database: Database) -> int:
    """The last event below which none can still appear.

    The lock waits for transactions that took a number and have not committed; it is held for one
    look only.
    """
    async with database.transaction() as connection:
        await connection.execute("lock table custody.event in share mode")
        return int(
            await connection.fetchval("select coalesce(max(event_id), 0) from custody.event")
        )


async def add_batch(database: Database) -> int:
    """Covers the oldest events that are not covered; how many. Raises Unavailable, Unknown."""
    settled_id = await read_settled_id(database)
    async with changing(database, ACTOR) as connection:
        # Two at once wait for each other.
        await connection.execute("lock table custody.audit_batch in share row exclusive mode")
        head = await read_head(connection)
        rows = await connection.fetch(
            EVENTS, head.last_event_id, settled_id, limits.BATCH_EVENTS_MAX
        )
        if rows:
            await connection.execute(
                "insert into custody.audit_batch (last_event_id, event_count, hash) "
                "values ($1, $2, $3)",
                rows[-1]["event_id"],
                len(rows),
                extend(head.hash, rows),
            )
        return len(rows)


async def run(database: Database) -> None:
    """Covers events for ever."""
    while True:
        try:
            while await add_batch(database) == limits.BATCH_EVENTS_MAX:
                continue
        except (Unavailable, Unknown) as error:
            logs.get(__name__).warning("no batch", reason=str(error))
        await asyncio.sleep(limits.PAUSE_SECONDS)


async def verify(database: Database, kept: Head | None = None) -> Head:
    """Reads everything again. Raises Broken that names the first batch at fault.

    `kept` is a head from an earlier verification: it must still be in the chain.
    """
    head, is_kept = Head(0, START), kept is None or kept.last_event_id == 0
    while True:
        batches = await database.read(
            "select last_event_id, event_count, hash from custody.audit_batch "
            "where last_event_id > $1 order by last_event_id limit $2",
            head.last_event_id,
            limits.BATCHES_PAGE,
        )
        for batch in batches:
            head = await _verify_batch(database, head, batch)
            is_kept = is_kept or head == kept
        if len(batches) < limits.BATCHES_PAGE:
            break
    if not is_kept:
        assert kept is not None
        raise Broken(f"the chain does not hold the kept head of event {kept.last_event_id}")
    return head


async def _verify_batch(database: Database, before: Head, batch: asyncpg.Record) -> Head:
    last_id, count = batch["last_event_id"], batch["event_count"]
    rows = await database.read(EVENTS, before.last_event_id, last_id, limits.BATCH_EVENTS_MAX + 1)
    named = f"events {before.last_event_id + 1} to {last_id}"
    if len(rows) != count:
        raise Broken(f"{named}: {len(rows)} are there, {count} were covered")
    if extend(before.hash, list(rows)) != bytes(batch["hash"]):
        raise Broken(f"{named}: changed, or a batch before them is missing")
    return Head(last_id, bytes(batch["hash"]))
