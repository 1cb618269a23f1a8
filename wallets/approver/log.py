"""The approver's own tables in Postgres: what the journal asked, who consented, what was decided.

Called by `service` inside its transactions, and by `journal`. Custody has no right to this schema.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runtime.migrations import Migrations
from runtime.postgres import Connection, Database
from wallets.approver import limits
from wallets.approver.policy import Request, Spent
from wallets.contract import Approval, WithdrawalId
from wallets.errors import Broken, Rejected

MIGRATIONS: Final = Migrations("approver", Path(__file__).parent / "migrations")


@dataclass(frozen=True, slots=True)
class Issued:
    """An approval with its key and end."""

    approval: Approval
    key_id: str
    expires_ns: int


async def take_turn(connection: Connection) -> None:
    """One decision at a time, whichever process makes it."""
    await connection.execute("select from approver.turn for update")


async def read_cursor(database: Database, shard: int) -> int | None:
    """The last sequence whose requests are stored; None before the first."""
    row = await database.read_row("select last_seq from approver.cursor where shard = $1", shard)
    return None if row is None else int(row["last_seq"])


async def begin(database: Database, shard: int, after_seq: int) -> None:
    """Begins a journal whose oldest rows are gone; raises Rejected when it was begun before."""
    made = await database.write(
        "insert into approver.cursor values ($1, $2) on conflict do nothing returning shard",
        shard,
        after_seq,
    )
    if not made:
        raise Rejected("BEGUN", f"the journal of shard {shard} is followed already")


async def take(
    database: Database, shard: int, after_seq: int, last_seq: int, found: Sequence[Request]
) -> None:
    """Stores requests and moves the cursor, once; raises Broken when another one moved it."""
    async with database.transaction() as connection:
        await connection.execute(
            "insert into approver.cursor values ($1, $2) on conflict do nothing", shard, after_seq
        )
        moved = await connection.fetchval(
            "update approver.cursor set last_seq = $3 where shard = $1 and last_seq = $2 "
            "returning last_seq",
            shard,
            after_seq,
            last_seq,
        )
        if moved is None:
            raise Broken(f"shard {shard}: another approver follows the same journal")
        await connection.executemany(
            # The engine forgets ids of finished withdrawals; the first terms stay the only ones.
            "insert into approver.request values ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
            "on conflict do nothing",
            [
                (
                    one.withdrawal_id,
                    one.shard,
                    one.seq,
                    one.time_ns,
                    one.account_id,
                    one.asset_id,
                    one.network_id,
                    one.amount_atoms,
                    one.destination,
                )
                for one in found
            ],
        )


async def request(connection: Connection, withdrawal_id: bytes) -> Request | None:
    """A withdrawal as the journal has it."""
    row = await connection.fetchrow(
        "select * from approver.request where withdrawal_id = $1", withdrawal_id
    )
    if row is None:
        return None
    return Request(
        WithdrawalId(row["withdrawal_id"]),
        row["shard"],
        row["seq"],
        row["time_ns"],
        row["account_id"],
        row["asset_id"],
        row["network_id"],
        int(row["amount_atoms"]),
        row["destination"],
    )


async def first_seen_ns(connection: Connection, asked: Request) -> int:
    """When the account first asked for a payout to this address."""
    return int(
        await connection.fetchval(
            "select min(time_ns) from approver.request "
            "where account_id = $1 and network_id = $2 and destination = $3",
            asked.account_id,
            asked.network_id,
            asked.destination,
        )
    )


async def spent(connection: Connection, asked: Request, now_ns: int) -> Spent:
    """What was approved in the account's last day and in everybody's last hour."""
    row = await connection.fetchrow(
        "select coalesce(sum(amount_atoms) filter (where account_id = $3), 0) as day, "
        "coalesce(sum(amount_atoms) filter (where counted_ns > $5), 0) as hour "
        "from approver.counted where network_id = $1 and asset_id = $2 and counted_ns > $4",
        asked.network_id,
        asked.asset_id,
        asked.account_id,
        now_ns - limits.DAY_NS,
        now_ns - limits.HOUR_NS,
    )
    assert row is not None
    return Spent(int(row["day"]), int(row["hour"]))


async def is_counted(connection: Connection, withdrawal_id: bytes) -> bool:
    """Whether it was approved before."""
    return bool(
        await connection.fetchval(
            "select exists (select from approver.counted where withdrawal_id = $1)", withdrawal_id
        )
    )


async def count(connection: Connection, asked: Request, amount_atoms: int, now_ns: int) -> None:
    """Counts a withdrawal, once ever."""
    await connection.execute(
        "insert into approver.counted values ($1, $2, $3, $4, $5, $6)",
        asked.withdrawal_id,
        asked.account_id,
        asked.asset_id,
        asked.network_id,
        amount_atoms,
        now_ns,
    )


async def refusal(connection: Connection, withdrawal_id: bytes) -> str | None:
    """Why it was refused for good, or None."""
    found: str | None = await connection.fetchval(
        "select reason from approver.refusal where withdrawal_id = $1", withdrawal_id
    )
    return found


async def refuse(connection: Connection, withdrawal_id: bytes, reason: str, now_ns: int) -> None:
    """For good: custody gives the money back."""
    await connection.execute(
        "insert into approver.refusal values ($1, $2, $3)", withdrawal_id, reason, now_ns
    )


async def issued(connection: Connection, withdrawal_id: bytes, asked_sha256: bytes) -> list[Issued]:
    """Approvals given to the same question, newest first."""
    rows = await connection.fetch(
        "select * from approver.approval where withdrawal_id = $1 and asked_sha256 = $2 "
        "order by approval_id desc limit $3",
        withdrawal_id,
        asked_sha256,
        limits.APPROVALS_OF_WITHDRAWAL_MAX,
    )
    return [
        Issued(Approval(row["approval"], row["signature"]), row["key_id"], row["expires_ns"])
        for row in rows
    ]


async def issue(
    connection: Connection, withdrawal_id: bytes, asked_sha256: bytes, new: Issued
) -> None:
    """Stores an approval; it leaves after the caller's commit."""
    await connection.execute(
        "insert into approver.approval "
        "(withdrawal_id, asked_sha256, approval, signature, key_id, expires_ns) "
        "values ($1, $2, $3, $4, $5, $6)",
        withdrawal_id,
        asked_sha256,
        new.approval.approval,
        new.approval.signature,
        new.key_id,
        new.expires_ns,
    )


async def consents(connection: Connection, withdrawal_id: bytes) -> dict[str, bytes]:
    """Signatures of people by name."""
    rows = await connection.fetch(
        "select person, signature from approver.consent where withdrawal_id = $1", withdrawal_id
    )
    return {row["person"]: row["signature"] for row in rows}


async def consent(
    connection: Connection, withdrawal_id: bytes, person: str, signature: bytes
) -> None:
    """Keeps one; the same again changes nothing."""
    await connection.execute(
        "insert into approver.consent values ($1, $2, $3) on conflict do nothing",
        withdrawal_id,
        person,
        signature,
    )
