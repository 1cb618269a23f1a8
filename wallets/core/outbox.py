"""Commands to the engine, numbered without gaps per source, each in its cause's transaction.

Written by the pipeline, the inbox and the scan of deposits, read by the sender. A row is never
changed but for the answer; a resend of the same number is safe, the engine applies each once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cambist.internal.journal.v1 import system_pb2
from runtime.postgres import Connection
from wallets import limits
from wallets.contract import WithdrawalId
from wallets.errors import Broken

# The upper bits of an envelope's correlation are the source, the lower ones its number.
SEQ_BITS: Final = 40
CREDIT: Final = "credit"
REVERSE: Final = "reverse_credit"
FINALIZE: Final = "finalize_credit"
DEPOSIT_KINDS: Final = (CREDIT, REVERSE, FINALIZE)
AMOUNT_BYTES: Final = 16
TAKE_NUMBERS: Final = """
update custody.source set last_seq = last_seq + $3 where source_id = (
    select source_id from custody.source where shard = $1
    order by network_id <> $2, source_id limit 1)
returning source_id, last_seq
"""
INSERT: Final = """
insert into custody.outbox (source_id, source_seq, command, kind, subject_id)
select $1, one.* from unnest($2::bigint[], $3::bytea[], $4::text[], $5::bytea[]) as one
"""
FIRST_SHARD: Final = "select min(shard) from custody.source where network_id = $1"


@dataclass(frozen=True, slots=True)
class Command:
    """A numbered command that has no answer yet, as its bytes go into an envelope."""

    source_id: int
    source_seq: int
    command: bytes

    @property
    def correlation(self) -> int:
        """What the engine repeats in its answer."""
        return self.source_id << SEQ_BITS | self.source_seq


def numbers_of(correlation: int) -> tuple[int, int]:
    """Source and number of a correlation."""
    return correlation >> SEQ_BITS, correlation & ((1 << SEQ_BITS) - 1)


@dataclass(frozen=True, slots=True)
class Credited:
    """What the engine is told of a deposit; the amount is in its own unit."""

    deposit_id: bytes
    account_id: int
    asset_id: int
    amount_atoms: int


def encode(kind: str, source_id: int, source_seq: int, withdrawal_id: bytes) -> bytes:
    """The command about a withdrawal; `kind` is start, settle, release or reopen."""
    command = system_pb2.SystemCommand()
    message = getattr(command, f"{kind}_withdrawal")
    message.source_id = source_id
    message.source_seq = source_seq
    message.withdrawal_id = withdrawal_id
    return command.SerializeToString(deterministic=True)


def encode_deposit(kind: str, source_id: int, source_seq: int, deposit: Credited) -> bytes:
    """The command about a deposit; `kind` is one of `DEPOSIT_KINDS`."""
    command = system_pb2.SystemCommand()
    message = getattr(command, kind)
    message.source_id = source_id
    message.source_seq = source_seq
    message.deposit_id = deposit.deposit_id
    if kind == CREDIT:
        message.account_id = deposit.account_id
        message.asset_id = deposit.asset_id
        message.amount_atoms = deposit.amount_atoms.to_bytes(AMOUNT_BYTES, "little")
    return command.SerializeToString(deterministic=True)


async def put(
    connection: Connection, kind: str, withdrawal_id: WithdrawalId, *, network_id: int, shard: int
) -> None:
    """Numbers a command about a withdrawal in the caller's transaction.

    A network that is not served takes another source of the shard: the money must go back.
    Raises Broken when the shard has none.
    """
    await put_all(connection, kind, [withdrawal_id], network_id=network_id, shard=shard)


async def put_all(
    connection: Connection,
    kind: str,
    withdrawal_ids: Sequence[WithdrawalId],
    *,
    network_id: int,
    shard: int,
) -> None:
    """As `put`, for several withdrawals whose commands go to one shard."""
    count = len(withdrawal_ids)
    source_id, last_seq = await _take_numbers(connection, network_id, shard, count)
    numbers = range(last_seq - count + 1, last_seq + 1)
    await connection.execute(
        INSERT,
        source_id,
        numbers,
        [
            encode(kind, source_id, source_seq, withdrawal_id)
            for source_seq, withdrawal_id in zip(numbers, withdrawal_ids, strict=True)
        ],
        [kind] * count,
        withdrawal_ids,
    )


async def put_deposit(
    connection: Connection, kind: str, deposit: Credited, *, network_id: int, shard: int
) -> int:
    """Numbers a command about a deposit in the caller's transaction; the shard that it goes to.

    Shard 0 stands for the network's first. Raises Broken when the network has no source there.
    """
    if not shard:
        shard = await connection.fetchval(FIRST_SHARD, network_id) or 0
    source_id, source_seq = await _take_numbers(connection, network_id, shard, 1)
    command = encode_deposit(kind, source_id, source_seq, deposit)
    row = source_id, [source_seq], [command], [kind], [deposit.deposit_id]
    await connection.execute(INSERT, *row)
    return shard


async def _take_numbers(
    connection: Connection, network_id: int, shard: int, count: int
) -> tuple[int, int]:
    """Source and the last of so many numbers; its row is locked until the transaction's end."""
    row = await connection.fetchrow(TAKE_NUMBERS, shard, network_id, count)
    if row is None:
        raise Broken(f"shard {shard} has no source of commands")
    return row["source_id"], row["last_seq"]


async def read_unanswered(connection: Connection, source_id: int) -> list[Command]:
    """The oldest commands without an answer, in order, at most `limits.OUTBOX_PAGE`."""
    rows = await connection.fetch(
        "select source_id, source_seq, command from custody.outbox "
        "where source_id = $1 and answer_reason is null order by source_seq limit $2",
        source_id,
        limits.OUTBOX_PAGE,
    )
    return [Command(*row) for row in rows]
