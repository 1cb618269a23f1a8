"""Settles commands that the engine took and this database never gave, and ends that stop.

Called by the command `engine-ahead`. A credit becomes what it is: the deposit counts as credited,
is on the book, and no command goes to the engine. A withdrawal is parked: nobody pays it again, and
nobody may cancel it. All else is people's to judge. Every settlement names two persons.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import grpc.aio

from cambist.orders.v1 import events_pb2
from runtime.postgres import Connection, Database
from wallets.books import postings
from wallets.core import engine_ahead, outbox
from wallets.core.transactions import changing
from wallets.engines import Primary, Stub
from wallets.errors import Rejected
from wallets.people import check_people
from wallets.restoring import effects, limits
from wallets.restoring.effects import Effect, Number
from wallets.states import DepositState, PayoutState

ACTOR: Final = "people"
WITHDRAWAL_KINDS: Final = frozenset(
    {
        events_pb2.MONEY_KIND_WITHDRAWAL_STARTED,
        events_pb2.MONEY_KIND_WITHDRAWAL_SETTLED,
        events_pb2.MONEY_KIND_WITHDRAWAL_RELEASED,
        events_pb2.MONEY_KIND_WITHDRAWAL_REOPENED,
    }
)
OPEN: Final = """
select u.source_id, u.source_seq
from custody.unknown_command u join custody.source s using (source_id)
where s.network_id = $1 and u.settlement = '' order by u.source_id, u.source_seq limit $2
"""
ALL: Final = """
select u.source_id, u.source_seq, u.after_seq, s.shard, u.settlement = '' as is_open
from custody.unknown_command u join custody.source s using (source_id)
where s.network_id = $1 order by u.source_id, u.source_seq limit $2
"""
SETTLE: Final = """
update custody.unknown_command set settlement = $3, note = $4, people = $5,
    settled_at = clock_timestamp()
where source_id = $1 and source_seq = $2 and settlement = '' returning true
"""
# As deep as what is never taken back: the engine may have forgotten it by now.
CREDITED: Final = """
select d.*, d.block_height <= (
        select max(height) from custody.block b where b.network_id = d.network_id)
        - c.deposit_final_depth as is_deep
from custody.deposit d join custody.chain c using (network_id)
where d.network_id = $1 and d.deposit_id = $2 for update of d
"""
# State and reason of a deposit that was seen and never credited here.
ADOPTABLE: Final = frozenset({("held", "ASSET_SUSPENDED"), ("confirming", "")})
ADOPT: Final = """
update custody.deposit set credit_count = 1, is_final = true, reason = '', shard = $2
where deposit_id = $1
"""
MOVE: Final = "update custody.deposit set state = $2 where deposit_id = $1"
PARK: Final = """
update custody.payout set state = $3, reason = $4, claimed_by = '',
    fencing_token = fencing_token + 1, claim_expires_at = '-infinity'
where network_id = $1 and withdrawal_id = $2 and state in ('requested', 'approved', 'held')
"""
END: Final = """
update custody.chain set withdrawals_stopped = false, stopped_reason = ''
where network_id = $1 and withdrawals_stopped and stopped_reason like $2 returning true
"""
LIFT: Final = """
update custody.asset set deposits_suspended = false, deposits_suspended_by = ''
where network_id = $1 and deposits_suspended_by = $2
"""
EVENT: Final = """
insert into custody.event (kind, subject_id, state_before, state_after, actor, reason)
values ('engine_ahead', $1, 'stopped', 'paying', $2, $3)
"""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A command that this database never gave."""

    number: Number
    after_seq: int
    shard: int
    # Nobody has settled it.
    is_open: bool


@dataclass(frozen=True, slots=True)
class Settling:
    """Of one network, with the engines whose journals say what happened."""

    database: Database
    network_id: int
    channels: Mapping[int, tuple[grpc.aio.Channel, ...]]

    async def read_all(self) -> list[Unknown]:
        """All, settled ones too. Raises Rejected when there are too many to be judged together."""
        rows = await self.database.read(ALL, self.network_id, limits.UNKNOWN_MAX + 1)
        if len(rows) > limits.UNKNOWN_MAX:
            raise Rejected("TOO_MANY", f"more than {limits.UNKNOWN_MAX} commands: take a backup")
        return [
            Unknown(
                (row["source_id"], row["source_seq"]),
                row["after_seq"],
                row["shard"],
                row["is_open"],
            )
            for row in rows
        ]

    async def read_effects(self, unknown: Sequence[Unknown]) -> list[Effect]:
        """What the engine did under these. Raises Rejected, Unavailable, Broken."""
        by_shard: dict[int, list[Unknown]] = defaultdict(list)
        for one in unknown:
            by_shard[one.shard].append(one)
        found: list[Effect] = []
        for shard, those in by_shard.items():
            if shard not in self.channels:
                raise Rejected("UNKNOWN_SHARD", f"no engine of shard {shard} is named")
            found += await Primary(self.channels[shard]).first(
                shard, partial(_effects, shard=shard, those=those)
            )
        return found

    async def adopt(self, people: Sequence[str]) -> tuple[list[Effect], list[tuple[Effect, str]]]:
        """What was settled, and what is left with why. Raises Rejected, Unavailable, Unknown."""
        names = check_people(people)
        unknown = await self.read_all()
        found = await self.read_effects(unknown)
        of_subject = Counter(one.subject_id for one in found)
        open_numbers = {one.number for one in unknown if one.is_open}
        done: list[Effect] = []
        left: list[tuple[Effect, str]] = []
        for one in found:
            if one.number not in open_numbers:
                continue
            try:
                is_alone = of_subject[one.subject_id] == 1
                await self._adopt(one, names, is_alone=is_alone)
                done.append(one)
            except Rejected as error:
                left.append((one, str(error)))
        return done, left

    async def _adopt(self, effect: Effect, names: Sequence[str], *, is_alone: bool) -> None:
        """One, in one transaction. Raises Rejected when people must judge."""
        reason = f"{effect}, settled by {' and '.join(names)}"
        async with changing(self.database, ACTOR, reason) as connection:
            if effect.reason:
                raise Rejected("REFUSED", "the engine refused it")
            if not effect.subject_id:
                settlement = "nothing"
            elif effect.kind in WITHDRAWAL_KINDS:
                await self._park(connection, effect.subject_id)
                settlement = "parked"
            elif effect.kind == events_pb2.MONEY_KIND_CREDIT and is_alone:
                await self._credit(connection, effect)
                settlement = "credited"
            else:
                raise Rejected("NOT_SIMPLE", "more than one credit of one deposit")
            await _settle(connection, effect.number, settlement, "", names)

    async def _credit(self, connection: Connection, effect: Effect) -> None:
        row = await connection.fetchrow(CREDITED, self.network_id, effect.subject_id)
        if row is None:
            raise Rejected("UNKNOWN_DEPOSIT", "custody has not seen it: rescan first")
        same = (row["account_id"], row["asset_id"], int(row["engine_atoms"]))
        if same != (effect.account_id, effect.asset_id, effect.amount_atoms):
            raise Rejected(
                "OTHER_DEPOSIT", f"custody has it for account {same[0]}, {same[2]} atoms"
            )
        if (row["state"], row["reason"]) not in ADOPTABLE or row["credit_count"]:
            raise Rejected("DEPOSIT_STATE", f"it is {row['state']} {row['reason']}".strip())
        if not row["is_deep"]:
            raise Rejected("NOT_FINAL", "its block is not deep enough yet: later")
        for state in (DepositState.CREDITED, DepositState.WITHDRAWABLE):
            await connection.execute(MOVE, row["deposit_id"], state.value)
        shard = await connection.fetchval(
            "select shard from custody.source where source_id = $1", effect.number[0]
        )
        await connection.execute(ADOPT, row["deposit_id"], shard)
        entries = postings.of_credit(
            row["asset_id"], int(row["amount_atoms"]), int(row["remainder_atoms"])
        )
        await postings.post(connection, self.network_id, outbox.CREDIT, row["deposit_id"], entries)

    async def _park(self, connection: Connection, withdrawal_id: bytes) -> None:
        await connection.execute(
            PARK, self.network_id, withdrawal_id, PayoutState.HELD.value, engine_ahead.PARKED
        )

    async def settle(self, number: Number, note: str, people: Sequence[str]) -> None:
        """People say what became of it. Raises Rejected, Unavailable, Unknown."""
        names = check_people(people)
        if not 1 <= len(note) <= limits.NOTE_LENGTH_MAX:
            raise Rejected("INVALID_NOTE", f"1 to {limits.NOTE_LENGTH_MAX} characters")
        async with changing(self.database, ACTOR, note) as connection:
            is_ours = await connection.fetchval(
                "select exists (select from custody.source "
                "where source_id = $1 and network_id = $2)",
                number[0],
                self.network_id,
            )
            if not is_ours:
                raise Rejected("UNKNOWN_COMMAND", "no source of this network")
            await _settle(connection, number, "people", note, names)

    async def end(self, people: Sequence[str]) -> None:
        """Payouts and deposits go on. Raises Rejected while anything is not settled."""
        names = " and ".join(check_people(people))
        async with changing(self.database, ACTOR, f"ended by {names}") as connection:
            if open_ones := await connection.fetch(OPEN, self.network_id, 1):
                first = f"{open_ones[0]['source_id']}/{open_ones[0]['source_seq']}"
                raise Rejected("NOT_SETTLED", f"{first} and perhaps others")
            if not await connection.fetchval(END, self.network_id, f"{engine_ahead.NAME}:%"):
                raise Rejected("NOT_STOPPED", "no stop of this kind to end: see verify-restore")
            await connection.execute(LIFT, self.network_id, engine_ahead.NAME)
            await connection.execute(EVENT, str(self.network_id), ACTOR, f"ended by {names}")


async def _effects(stub: Stub, shard: int, those: Sequence[Unknown]) -> list[Effect]:
    wanted = {one.number for one in those}
    first = min(one.after_seq for one in those) + 1
    found: list[Effect] = []
    async for effect in effects.read(stub, shard, first, wanted):
        found.append(effect)
        wanted.remove(effect.number)
        if not wanted:
            break
    return found


async def _settle(
    connection: Connection, number: Number, settlement: str, note: str, names: Sequence[str]
) -> None:
    if not await connection.fetchval(SETTLE, *number, settlement, note, list(names)):
        raise Rejected("UNKNOWN_COMMAND", "nothing to settle under this number")
