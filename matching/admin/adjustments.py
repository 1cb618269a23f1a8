"""Adjustments of money by operators: each id happens once, whatever crashes.

They are a source of the engine with dense numbers. An adjustment is written down with its number
before it is sent; those without an answer are settled, in order, before the next one is sent.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from cambist.internal.journal.v1 import system_pb2
from matching.admin.desk import Desk
from matching.admin.refusals import refusal
from matching.admin.settling import settle
from matching.errors import Rejected
from matching.journal.reader import JournalReader
from matching.primary import Primary
from runtime.postgres import Database

# The source number of adjustments; custody's sources count from 1.
SOURCE_ID: Final = 2**32 - 1
COLUMNS: Final = "source_seq, adjustment_id, command, correlation, after_seq, reason"
BY_ID: Final = f"""
select {COLUMNS} from journal.adjustments where shard = $1 and adjustment_id = $2
"""  # noqa: S608 - made of constants
UNSETTLED: Final = f"""
select {COLUMNS} from journal.adjustments where shard = $1 and reason is null
order by source_seq limit $2
"""  # noqa: S608 - made of constants
LAST: Final = "select coalesce(max(source_seq), 0) from journal.adjustments where shard = $1"
INSERT: Final = """
insert into journal.adjustments
  (shard, source_seq, adjustment_id, command, correlation, after_seq)
values ($1, $2, $3, $4, $5, $6)
"""
SETTLE: Final = """
update journal.adjustments set reason = $3 where shard = $1 and source_seq = $2
"""
PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One that was asked for."""

    source_seq: int
    adjustment_id: bytes
    command: bytes
    correlation: int
    # Head when it was written down: its answer comes later.
    after_seq: int
    # Of its answer, 0 = done; None = not known yet.
    reason: int | None


class Adjustments:
    """All adjustments of one shard; one is carried out at a time."""

    def __init__(self, database: Database, reader: JournalReader, desk: Desk) -> None:
        self._database = database
        self._reader = reader
        self._desk = desk
        self._turn = asyncio.Lock()

    async def adjust(self, primary: Primary, command: system_pb2.Adjust) -> bool:
        """Carries one out; whether it had been before.

        Raises Rejected (as the first time), Unavailable, Unknown.
        """
        async with self._turn:
            await self._settle_all(primary)
            known = await self._find(command.adjustment_id)
            if known is None:
                await self._write_down(primary, command)
                await self._settle_all(primary)
                known = await self._find(command.adjustment_id)
                assert known is not None, "it was written down"
                return finish(known, is_repeat=False)
            if not is_same(known, command):
                raise Rejected("ID_REUSED", "the id stands for another adjustment")
            return finish(known, is_repeat=True)

    async def _find(self, adjustment_id: bytes) -> Adjustment | None:
        row = await self._database.read_row(BY_ID, self._reader.shard, adjustment_id)
        return None if row is None else Adjustment(*row)

    async def _write_down(self, primary: Primary, command: system_pb2.Adjust) -> None:
        last = await self._database.read_row(LAST, self._reader.shard)
        assert last is not None, "an aggregate gives one row"
        source_seq = int(last[0]) + 1
        numbered = system_pb2.Adjust()
        numbered.CopyFrom(command)
        numbered.source_id, numbered.source_seq = SOURCE_ID, source_seq
        correlation = self._desk.next_correlation()
        # One that the engine does not take would keep its number for ever.
        self._desk.envelope(system_pb2.SystemCommand(adjust=numbered), correlation)
        await self._database.write(
            INSERT,
            self._reader.shard,
            source_seq,
            command.adjustment_id,
            numbered.SerializeToString(),
            correlation,
            primary.released.seq,
        )

    async def _settle_all(self, primary: Primary) -> None:
        """Carries out what has no answer yet, in order."""
        while True:
            rows = await self._database.read(UNSETTLED, self._reader.shard, PAGE)
            for row in rows:
                await self._settle(primary, Adjustment(*row))
            if len(rows) < PAGE:
                return

    async def _settle(self, primary: Primary, adjustment: Adjustment) -> None:
        command = system_pb2.Adjust.FromString(adjustment.command)
        reason = await settle(
            primary,
            self._desk,
            self._reader,
            system_pb2.SystemCommand(adjust=command),
            adjustment.correlation,
            adjustment.after_seq,
        )
        await self._database.write(SETTLE, self._reader.shard, adjustment.source_seq, reason)


def is_same(known: Adjustment, command: system_pb2.Adjust) -> bool:
    """Whether an id is used for what it was used for before."""
    before = system_pb2.Adjust.FromString(known.command)
    before.ClearField("source_id")
    before.ClearField("source_seq")
    return before == command


def finish(adjustment: Adjustment, *, is_repeat: bool) -> bool:
    """The outcome of a settled adjustment. Raises Rejected when it was refused."""
    reason: Any = adjustment.reason
    if reason:
        raise refusal(reason)
    return is_repeat
