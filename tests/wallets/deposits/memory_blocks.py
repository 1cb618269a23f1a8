"""A chain in memory that reorganises, a scanner that follows it, and an engine that credits."""

from dataclasses import dataclass, field

import pytest

from cambist.internal.journal.v1 import system_pb2
from cambist.orders.v1 import enums_pb2
from runtime.errors import Unavailable
from runtime.postgres import Connection, Database
from tests.wallets.conftest import NETWORK_ID
from wallets.contract import Block, BlockRef, Held, Movement, TransactionId
from wallets.core import inbox, outbox
from wallets.core.inbox import Answered, JournalRow
from wallets.deposits.scanner import Moved, Scanner
from wallets.errors import Condition, Stuck

OURS, AHEAD, THEIRS = b"ours", b"ahead", b"theirs"
ACCOUNT = 4096
SHARD = 3
SOURCE_ID = 5
SECOND_NS = 1_000_000_000


@dataclass
class MemoryBlocks:
    """A best chain of blocks; each has a hash of its own, also at the same height."""

    blocks: list[Block] = field(default_factory=list)
    made: int = 0
    is_down: bool = False
    is_foreign: bool = False
    # As a chain says that knows finality of its own.
    final: int = -1

    def mine(self, *movements: Movement) -> None:
        height = len(self.blocks)
        parent = self.blocks[-1].ref.block_hash if self.blocks else "none"
        self.made += 1
        ref = BlockRef(height, f"block{self.made}")
        self.blocks.append(Block(ref, parent, height * SECOND_NS, b"header", movements, ()))

    def mined(self) -> set[str]:
        return {move.txid for block in self.blocks for move in block.movements}

    async def check(self) -> None:
        if self.is_foreign:
            raise Stuck(Condition.CHAIN_MISMATCH, "its genesis is another")

    async def tip(self) -> BlockRef:
        if self.is_down:
            raise Unavailable("down")
        return self.blocks[-1].ref

    async def read_block(self, height: int) -> Block:
        return self.blocks[height]

    async def final_height(self) -> int:
        return self.final


@dataclass
class Scan:
    """A scanner that holds its lease."""

    database: Database
    scanner: Scanner
    chain: MemoryBlocks
    lease: Held
    connection: Connection

    async def step(self, now_ns: int = 0) -> Moved:
        return await self.scanner.step(self.lease, now_ns=now_ns)

    async def catch_up(self) -> None:
        for _ in range(300):
            if await self.step() is Moved.NOT:
                return
        pytest.fail("no end")

    async def states(self) -> dict[str, str]:
        rows = await self.connection.fetch("select txid, state from custody.deposit")
        return {row["txid"]: row["state"] for row in rows}

    async def hashes(self) -> list[str]:
        rows = await self.connection.fetch("select block_hash from custody.block order by height")
        return [row["block_hash"] for row in rows]


@dataclass
class MemoryCredits:
    """Deposits as the engine keeps them (docs/semantics.md), told in rows of a journal."""

    database: Database
    connection: Connection
    deposits: dict[bytes, bool] = field(default_factory=dict)
    amounts: dict[bytes, int] = field(default_factory=dict)
    # Every credit minus every reversal.
    balance: int = 0
    accounts: set[int] = field(default_factory=lambda: {ACCOUNT})
    journal_seq: int = 0
    last_seq: int = 0
    done: list[str] = field(default_factory=list)

    async def apply(self, count: int = 1_000) -> None:
        """The oldest commands, answered in one row each."""
        waiting = await outbox.read_unanswered(self.connection, SOURCE_ID)
        for command in waiting[:count]:
            assert command.source_seq == self.last_seq + 1, "numbers have no gap"
            self.last_seq += 1
            reason = self._apply(system_pb2.SystemCommand.FromString(command.command))
            self.journal_seq += 1
            answer = Answered(command.source_id, command.source_seq, reason)
            row = JournalRow(SHARD, self.journal_seq, self.journal_seq, (answer,))
            await inbox.take(self.database, row)

    def _apply(self, command: system_pb2.SystemCommand) -> int:
        kind = command.WhichOneof("command")
        assert kind is not None
        message = getattr(command, kind)
        deposit_id, is_credited = message.deposit_id, self.deposits.get(message.deposit_id)
        self.done.append(kind)
        if kind == outbox.CREDIT:
            if is_credited:
                return int(enums_pb2.REJECT_REASON_DEPOSIT_STATE)
            self.amounts[deposit_id] = int.from_bytes(message.amount_atoms, "little")
            self.deposits[deposit_id] = True
            self.balance += self.amounts[deposit_id]
            known = message.account_id in self.accounts
            return 0 if known else int(enums_pb2.REJECT_REASON_UNKNOWN_ACCOUNT)
        if is_credited is None:
            return int(enums_pb2.REJECT_REASON_UNKNOWN_DEPOSIT)
        if kind == outbox.FINALIZE:
            del self.deposits[deposit_id]
            return 0
        if not is_credited:
            return int(enums_pb2.REJECT_REASON_DEPOSIT_STATE)
        self.deposits[deposit_id] = False
        self.balance -= self.amounts[deposit_id]
        return 0


def pays(
    name: str, amount_atoms: int = 1_000, key: bytes = OURS, *, is_coinbase: bool = False
) -> Movement:
    return Movement(TransactionId(name), 0, b"", key, amount_atoms, is_coinbase, b"proof")


async def add_tier(
    connection: Connection, version: int, above_atoms: int, credit: int, withdrawable: int
) -> None:
    await connection.execute(
        "insert into custody.confirmation_tier values ($1, 1, $2, $3, $4, $5)",
        NETWORK_ID,
        version,
        above_atoms,
        credit,
        withdrawable,
    )
