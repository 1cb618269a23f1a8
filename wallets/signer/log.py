"""The signer's own log in Postgres, and its one writer. Called by `service` only.

An entry is committed before its signature leaves the process. All writers lock the one row of
`signer.writer`; an older epoch is fenced, and a stop that is committed comes before every later
entry.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runtime.migrations import Migrations
from runtime.postgres import Connection, Database
from wallets.contract import TransactionId, WithdrawalId
from wallets.errors import Fenced, Rejected
from wallets.signer import limits
from wallets.signer.approvals import Approval, Terms, check_resume
from wallets.signer.policy import Policy
from wallets.signer.rules import Draft, Entry, History

MIGRATIONS: Final = Migrations("signer", Path(__file__).parent / "migrations")


@dataclass(frozen=True, slots=True)
class Signed:
    """A transaction with its signature and our own id of it."""

    raw: bytes
    txid: TransactionId


async def take_epoch(database: Database) -> int:
    """Makes this process the one writer; raises Unavailable, Unknown."""
    rows = await database.write("update signer.writer set epoch = epoch + 1 returning epoch")
    return int(rows[0]["epoch"])


async def lock(connection: Connection, epoch: int) -> str | None:
    """Locks the writer's row; why it is stopped, or None. Raises Fenced."""
    row = await connection.fetchrow("select * from signer.writer for update")
    assert row is not None
    if row["epoch"] != epoch:
        raise Fenced(f"epoch {epoch}, another signer has {row['epoch']}")
    return str(row["stopped_reason"]) if row["stopped"] else None


async def stop(database: Database, reason: str, nonce: bytes) -> None:
    """Stops signing for whoever is the writer; durable when it returns.

    `nonce` is fresh: signatures that end an earlier stop do not end this one.
    """
    await database.write(
        "update signer.writer set stopped = true, stopped_reason = $1, resume_nonce = $2",
        reason,
        nonce,
    )


async def resume(connection: Connection, consents: Mapping[str, bytes], policy: Policy) -> None:
    """Permits signing again when two known people signed this stop's nonce; raises Rejected."""
    row = await connection.fetchrow("select * from signer.writer for update")
    assert row is not None
    if not row["stopped"]:
        raise Rejected("NOT_STOPPED", "there is no stop to end")
    check_resume(row["resume_nonce"], consents, policy)
    await connection.executemany(
        "insert into signer.resumption values ($1, $2, $3)",
        [(row["resume_nonce"], person, consents[person]) for person in sorted(consents)],
    )
    await connection.execute(
        "update signer.writer set stopped = false, stopped_reason = '', resume_nonce = ''"
    )


async def resume_nonce(connection: Connection) -> bytes:
    """What people sign to end the stop; empty when nothing is stopped."""
    return bytes(await connection.fetchval("select resume_nonce from signer.writer"))


async def last_number(connection: Connection) -> int:
    """Number of the last entry, 0 = none."""
    return int(await connection.fetchval("select coalesce(max(log_number), 0) from signer.entry"))


async def stored(
    connection: Connection, intent_id: bytes, intent_sha256: bytes
) -> tuple[Signed, int] | None:
    """What was signed for an intent id; raises Rejected when it had other bytes."""
    row = await connection.fetchrow("select * from signer.entry where intent_id = $1", intent_id)
    if row is None:
        return None
    if row["intent_sha256"] != intent_sha256:
        raise Rejected("INTENT_CHANGED", "the same id had other bytes")
    return Signed(row["raw"], TransactionId(row["txid"])), row["log_number"]


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry as callers may compare it with what they stored."""

    log_number: int
    intent_id: bytes
    txid: TransactionId
    withdrawal_ids: tuple[bytes, ...]


async def entries(database: Database, network_id: int, after: int, size: int) -> list[Listed]:
    """The oldest entries of a network with a higher number; raises Unavailable."""
    rows = await database.read(
        "select log_number, intent_id, txid, coalesce(("
        "select array_agg(withdrawal_id order by withdrawal_id) from signer.payment p "
        "where p.log_number = e.log_number), '{}') as withdrawal_ids from signer.entry e "
        "where network_id = $1 and log_number > $2 order by log_number limit $3",
        network_id,
        after,
        size,
    )
    return [
        Listed(
            row["log_number"],
            row["intent_id"],
            TransactionId(row["txid"]),
            tuple(row["withdrawal_ids"]),
        )
        for row in rows
    ]


async def histories(
    connection: Connection, withdrawal_ids: Iterable[WithdrawalId]
) -> dict[WithdrawalId, History]:
    """What the log knows of each withdrawal."""
    return {one: await history(connection, one) for one in withdrawal_ids}


async def history(connection: Connection, withdrawal_id: WithdrawalId) -> History:
    """What the log knows of one withdrawal."""
    rows = await connection.fetch(
        "select * from signer.payment join signer.entry using (log_number) "
        "where withdrawal_id = $1 order by log_number",
        withdrawal_id,
    )
    dead = await connection.fetch(
        "select txid from signer.death where withdrawal_id = $1", withdrawal_id
    )
    closed = await connection.fetchval(
        "select exists (select from signer.closed where withdrawal_id = $1)", withdrawal_id
    )
    entries = tuple(
        Entry(
            TransactionId(row["txid"]),
            frozenset(row["anchors"]),
            Terms(row["network_id"], row["destination"], row["contract"], int(row["amount_atoms"])),
        )
        for row in rows
    )
    return History(closed, entries, frozenset(row["txid"] for row in dead))


async def spent(connection: Connection, network_id: int, now_ns: int) -> dict[str, int]:
    """What left a network in the last hour, by contract."""
    rows = await connection.fetch(
        "select contract, sum(amount_atoms) as atoms from signer.outflow "
        "where network_id = $1 and signed_ns > $2 group by contract",
        network_id,
        now_ns - limits.CAP_WINDOW_NS,
    )
    return {row["contract"]: int(row["atoms"]) for row in rows}


@dataclass(frozen=True, slots=True)
class NewEntry:
    """All that one signature adds to the log."""

    intent_id: bytes
    intent_sha256: bytes
    draft: Draft
    approvals: Sequence[Approval]
    flow: Mapping[str, int]
    signed: Signed
    now_ns: int


async def append(connection: Connection, new: NewEntry) -> int:
    """Adds an entry and returns its number; durable with the caller's commit."""
    number = await last_number(connection) + 1
    network_id = new.draft.network_id
    await connection.execute(
        "insert into signer.entry values ($1, $2, $3, $4, $5, $6, $7, $8)",
        number,
        new.intent_id,
        new.intent_sha256,
        network_id,
        new.signed.txid,
        sorted(new.draft.anchors),
        new.signed.raw,
        new.now_ns,
    )
    await connection.executemany(
        "insert into signer.payment values ($1, $2, $3, $4, $5)",
        [
            (number, one, terms.destination, terms.contract, terms.amount_atoms)
            for one, terms in new.draft.payments
        ],
    )
    await connection.executemany(
        "insert into signer.outflow values ($1, $2, $3, $4, $5)",
        [(number, network_id, contract, atoms, new.now_ns) for contract, atoms in new.flow.items()],
    )
    await connection.executemany(
        "insert into signer.death values ($1, $2, $3) on conflict do nothing",
        [
            (one.withdrawal_id, txid, proof)
            for one in new.approvals
            for txid, proof in one.dead_attempts
        ],
    )
    return number


async def close(connection: Connection, withdrawal_id: bytes) -> tuple[bytes, ...]:
    """Closes a withdrawal that was never signed; else the stored transactions."""
    rows = await connection.fetch(
        "select raw from signer.payment join signer.entry using (log_number) "
        "where withdrawal_id = $1 order by log_number",
        withdrawal_id,
    )
    if not rows:
        await connection.execute(
            "insert into signer.closed values ($1) on conflict do nothing", withdrawal_id
        )
    return tuple(row["raw"] for row in rows)
