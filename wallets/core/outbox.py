"""Commands to the engine, numbered without gaps per source, each in its cause's transaction.

Written by the pipeline and the inbox, read by the sender. A row is never changed but for the
answer; a resend of the same number is safe, the engine applies each once.
"""

from dataclasses import dataclass
from typing import Final

from cambist.internal.journal.v1 import system_pb2
from runtime.postgres import Connection
from wallets import limits
from wallets.contract import WithdrawalId
from wallets.errors import Broken

# The upper bits of an envelope's correlation are the source, the lower ones its number.
SEQ_BITS: Final = 40


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


def encode(kind: str, source_id: int, source_seq: int, withdrawal_id: bytes) -> bytes:
    """The command about a withdrawal; `kind` is start, settle, release or reopen."""
    command = system_pb2.SystemCommand()
    message = getattr(command, f"{kind}_withdrawal")
    message.source_id = source_id
    message.source_seq = source_seq
    message.withdrawal_id = withdrawal_id
    return command.SerializeToString(deterministic=True)


async def put(
    connection: Connection, kind: str, withdrawal_id: WithdrawalId, *, network_id: int, shard: int
) -> None:
    """Numbers a command in the caller's transaction; the source's row is locked until its end.

    A network that is not served takes another source of the shard: the money must go back.
    Raises Broken when the shard has none.
    """
    row = await connection.fetchrow(
        "select source_id, last_seq from custody.source where shard = $1 "
        "order by network_id <> $2, source_id limit 1 for update",
        shard,
        network_id,
    )
    if row is None:
        raise Broken(f"shard {shard} has no source of commands")
    source_id, source_seq = row["source_id"], row["last_seq"] + 1
    await connection.execute(
        "update custody.source set last_seq = $2 where source_id = $1", source_id, source_seq
    )
    await connection.execute(
        "insert into custody.outbox (source_id, source_seq, command, kind, subject_id) "
        "values ($1, $2, $3, $4, $5)",
        source_id,
        source_seq,
        encode(kind, source_id, source_seq, withdrawal_id),
        kind,
        withdrawal_id,
    )


async def read_unanswered(connection: Connection, source_id: int) -> list[Command]:
    """The oldest commands without an answer, in order, at most `limits.OUTBOX_PAGE`."""
    rows = await connection.fetch(
        "select source_id, source_seq, command from custody.outbox "
        "where source_id = $1 and answer_reason is null order by source_seq limit $2",
        source_id,
        limits.OUTBOX_PAGE,
    )
    return [Command(*row) for row in rows]
