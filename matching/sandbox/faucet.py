"""The faucet of a sandbox: firms credit play money to their own accounts, each wish once.

Called by MatchingService for the gateway, which knows whose account it is. A pay-in is written down
with its number before it is sent; those without an answer are settled, in order, before the next.
It must never give anything where settings do not say that the venue is a sandbox.
"""

import asyncio
import math
from dataclasses import dataclass
from typing import Final

import grpc

from cambist.internal.matching.v1 import matching_pb2
from matching import limits
from matching.admin.definitions import Definitions
from matching.admin.desk import Desk
from matching.admin.refusals import refusal
from matching.admin.settling import settle
from matching.errors import Rejected
from matching.journal.reader import JournalReader
from matching.primary import Primary
from matching.projector.numbers import BIGINT_SPAN, bigint
from matching.sandbox.pay_in import PayIn
from matching.settings import SandboxSettings
from runtime.errors import Unavailable, Unknown
from runtime.postgres import Database

COLUMNS: Final = (
    "account_id, request_id, asset_id, amount_atoms, number, correlation, after_seq, reason"
)
BY_ID: Final = f"""
select {COLUMNS} from journal.pay_ins where shard = $1 and account_id = $2 and request_id = $3
"""  # noqa: S608 - made of constants
UNSETTLED: Final = f"""
select {COLUMNS} from journal.pay_ins where shard = $1 and reason is null order by number limit $2
"""  # noqa: S608 - made of constants
LAST_HOUR: Final = """
select count(*), extract(epoch from min(created_at) + interval '1 hour' - now())::float8
from journal.pay_ins
where shard = $1 and account_id = $2 and created_at > now() - interval '1 hour'
"""
INSERT: Final = """
insert into journal.pay_ins
  (shard, number, account_id, request_id, asset_id, amount_atoms, correlation, after_seq)
select $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5, $6, $7
from journal.pay_ins where shard = $1
"""
# The newest row stays whatever its age: it holds the last number.
FORGET: Final = """
delete from journal.pay_ins where shard = $1 and number in (
    select number from journal.pay_ins
    where shard = $1 and reason is not null
      and created_at < now() - make_interval(days => $2)
      and number < (select max(number) from journal.pay_ins where shard = $1)
    order by created_at limit $3)
"""
SETTLE: Final = "update journal.pay_ins set reason = $3 where shard = $1 and number = $2"


@dataclass(frozen=True, slots=True)
class Written:
    """A pay-in that was written down."""

    wish: PayIn
    number: int
    # Of the credit, odd; the next number is that of what follows it.
    correlation: int
    # Head when it was written down: its answer comes later.
    after_seq: int
    # Of the credit's answer, 0 = done; None = not known yet.
    reason: int | None


class Faucet:
    """All pay-ins of one shard; one is carried out at a time."""

    def __init__(
        self,
        database: Database,
        reader: JournalReader,
        desk: Desk,
        definitions: Definitions,
        settings: SandboxSettings,
    ) -> None:
        self._database = database
        self._reader = reader
        self._shard = reader.shard
        self._desk = desk
        self._definitions = definitions
        self._settings = settings
        self._turn = asyncio.Lock()

    async def pay_in(self, primary: Primary, asked: matching_pb2.PayInRequest) -> bool:
        """Carries a wish out; whether it had been before.

        Raises Rejected (also as the first time), Unavailable when nothing was written down, Unknown
        when it was: the same wish again settles it.
        """
        if not self._settings.enabled:
            code = grpc.StatusCode.FAILED_PRECONDITION
            raise Rejected("NOT_A_SANDBOX", "this venue gives no play money", code)
        wish = PayIn.of(asked, self._definitions, self._settings)
        async with self._turn:
            known = await self._find(wish)
            if known is None:
                await self._settle_all(primary)
                await self._check_rate(wish.account_id)
                await self._write_down(primary, wish)
            elif known.wish != wish:
                code = grpc.StatusCode.ALREADY_EXISTS
                raise Rejected("ID_REUSED", "the id stands for another pay-in", code)
            settled = known
            if settled is None or settled.reason is None:
                settled = await self._carry_out(primary, wish)
        if settled.reason:
            raise refusal(settled.reason)
        return known is not None

    async def _carry_out(self, primary: Primary, wish: PayIn) -> Written:
        """What was written down, settled. Raises Unknown."""
        try:
            await self._settle_all(primary)
            settled = await self._find(wish)
        except Unavailable as error:
            raise Unknown("it is written down and not carried out yet: ask again") from error
        assert settled is not None, "it was written down"
        return settled

    async def _find(self, wish: PayIn) -> Written | None:
        row = await self._database.read_row(
            BY_ID, self._shard, bigint(wish.account_id), wish.request_id
        )
        return None if row is None else written(*row)

    async def _check_rate(self, account_id: int) -> None:
        row = await self._database.read_row(LAST_HOUR, self._shard, bigint(account_id))
        assert row is not None, "an aggregate gives one row"
        if row[0] < self._settings.pay_ins_per_hour:
            return
        seconds = max(1, math.ceil(row[1] or 0))
        raise Rejected(
            "FAUCET_EXHAUSTED",
            f"an account has {self._settings.pay_ins_per_hour} pay-ins an hour",
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            metadata={"retry_after_seconds": str(seconds)},
        )

    async def _write_down(self, primary: Primary, wish: PayIn) -> None:
        await self._database.write(
            FORGET, self._shard, limits.PAY_INS_KEPT_DAYS, limits.PAY_INS_FORGOTTEN_MAX
        )
        await self._database.write(
            INSERT,
            self._shard,
            bigint(wish.account_id),
            wish.request_id,
            wish.asset_id,
            wish.amount_atoms,
            self._desk.next_correlation(),
            primary.released.seq,
        )

    async def _settle_all(self, primary: Primary) -> None:
        """Carries out what has no answer yet, in order."""
        while True:
            rows = await self._database.read(UNSETTLED, self._shard, limits.PAY_INS_PAGE)
            for row in rows:
                await self._settle(primary, written(*row))
            if len(rows) < limits.PAY_INS_PAGE:
                return

    async def _settle(self, primary: Primary, one: Written) -> None:
        """Both commands; the second consumes its number also when the first was refused."""
        credit, final = one.wish.commands(one.number)
        desk, reader = self._desk, self._reader
        reason = await settle(primary, desk, reader, credit, one.correlation, one.after_seq)
        await settle(primary, desk, reader, final, one.correlation + 1, one.after_seq)
        await self._database.write(SETTLE, self._shard, one.number, reason)


def written(
    account_id: int,
    request_id: bytes,
    asset_id: int,
    amount_atoms: int,
    number: int,
    correlation: int,
    after_seq: int,
    reason: int | None,
) -> Written:
    """A row."""
    wish = PayIn(account_id % BIGINT_SPAN, request_id, asset_id, int(amount_atoms))
    return Written(wish, number, correlation, after_seq, reason)
