"""Cancels of nonces, which two persons ask for: nothing is sent from them, and what waits goes on.

`ask` is called by the command; the job is the worker's, under a lease whose token each plan names.
Whichever transaction of the nonce is mined decides: a payout that it was taken from is settled by
its own, or built anew with the cancel as the proof. All is in the database, so a worker may die
anywhere. It takes no money from anybody: a cancel pays the lane itself.
"""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from runtime import logs
from runtime.errors import Unavailable, Unknown
from runtime.postgres import Connection, Database
from wallets.books.accounts import Account
from wallets.contract import Held, Plan
from wallets.core.transactions import changing
from wallets.errors import Condition, Fenced, Rejected, Stuck
from wallets.ethereum import lanes, limits
from wallets.ethereum.transactions import anchor_of, parse_anchor
from wallets.people import check_people
from wallets.treasury import store
from wallets.treasury.following import CANCEL, Following, SignsInternal
from wallets.treasury.limits import STEP_SECONDS
from wallets.treasury.ports import Follows
from wallets.treasury.store import Draft

ACTOR: Final = "cancels"
# Taken by an attempt of ours, or below one that is: nothing else is worth a fee.
KNOWN: Final = """
select exists (select from custody.conflict_group where network_id = $1 and anchor = $2)
    or exists (select from custody.owned_input where network_id = $1
        and split_part(input, ':', 1) = $3 and split_part(input, ':', 2)::numeric > $4)
"""
# No row when one is open already.
ASK: Final = """
insert into custody.nonce_cancel (network_id, anchor, people) values ($1, $2, $3)
on conflict do nothing returning cancel_id
"""
AUDIT: Final = """
insert into custody.event (kind, subject_id, state_before, state_after, actor, reason)
values ('nonce_cancel', $1, $2, $3, $4, $5)
"""
OPEN: Final = """
select cancel_id, anchor from custody.nonce_cancel where network_id = $1 and ending = ''
order by cancel_id limit $2
"""
ATTEMPTS: Final = """
select a.state from custody.nonce_cancel c
    join custody.conflict_group g using (network_id, anchor)
    join custody.attempt a using (conflict_group_id)
where c.cancel_id = $1 and a.kind = 'cancel' and a.created_at >= c.created_at
"""


class BuildsEmpty(Follows, Protocol):
    """The adapter."""

    async def build_empty(self, intent_id: bytes, anchor: str, fee_atoms_max: int) -> Plan:
        """Plans nothing at a nonce. Raises Stuck, Unavailable."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """One that is under way."""

    cancel_id: int
    anchor: str


def lease_of(network_id: int) -> str:
    """One worker cancels on a network."""
    return f"cancels/{network_id}"


async def ask(database: Database, network_id: int, anchor: str, people: Sequence[str]) -> str:
    """A job of the workers from now on; the anchor as it is stored. Raises Rejected, Unavailable.

    `anchor` is "address:nonce".
    """
    names = check_people(people)
    try:
        account, nonce = parse_anchor(anchor)
        stored = anchor_of(account, nonce)
    except ValueError as error:
        raise Rejected("INVALID_NONCE", "address:nonce") from error
    known = await lanes.read_lanes(database, network_id)
    if nonce < 0 or account not in {lane.account for lane in known}:
        raise Rejected("UNKNOWN_LANE", "the address is no lane of this network")
    text = stored.partition(":")[0]
    async with changing(database, ACTOR, "asked for") as connection:
        if not await connection.fetchval(KNOWN, network_id, stored, text, nonce):
            raise Rejected("UNKNOWN_NONCE", "no attempt of ours has it or waits behind it")
        if await connection.fetchval(ASK, network_id, stored, names) is None:
            raise Rejected("CANCELLED_ALREADY", "a cancel of it is under way")
        await audit(connection, stored, "", "asked", " and ".join(names))
    return stored


async def audit(connection: Connection, anchor: str, before: str, after: str, reason: str) -> None:
    """A row in the chain of changes."""
    await connection.execute(AUDIT, anchor, before, after, ACTOR, reason)


async def end(database: Database, cancel: Cancel, ending: str) -> None:
    """Once: what it came to."""
    async with changing(database, ACTOR, ending) as connection:
        is_ended = await connection.fetchval(
            "update custody.nonce_cancel set ending = $2 "
            "where cancel_id = $1 and ending = '' returning true",
            cancel.cancel_id,
            ending,
        )
        if is_ended:
            await audit(connection, cancel.anchor, "asked", ending, "by the chain")


@dataclass(frozen=True, slots=True)
class Cancels:
    """The job on one network."""

    database: Database
    chain: BuildsEmpty
    signer: SignsInternal
    # The most that one may cost.
    fee_atoms_max: int
    make_id: Callable[[], bytes] = lambda: secrets.token_bytes(16)

    async def run(self, token: int) -> None:
        """Until cancelled, or the lease is another's."""
        while True:
            try:
                await self.step(token)
            except (Unavailable, Unknown) as error:
                logs.get(__name__).warning("cancels wait", reason=str(error))
            except Fenced as error:
                logs.get(__name__).warning("cancels are another worker's", reason=str(error))
                return
            await asyncio.sleep(STEP_SECONDS)

    async def step(self, token: int) -> None:
        """One look at all that are under way. Raises Unavailable, Unknown, Fenced."""
        network_id = self.chain.network.network_id
        await Following(self.database, self.chain, self.signer, cancels=True).look()
        for row in await self.database.read(OPEN, network_id, limits.CANCELS_MAX):
            cancel = Cancel(row["cancel_id"], row["anchor"])
            states = {
                found["state"] for found in await self.database.read(ATTEMPTS, cancel.cancel_id)
            }
            if "final" in states:
                await end(self.database, cancel, "cancelled")
            elif not states:
                await self._plan(cancel, Held(lease_of(network_id), token))
            elif states <= {"dead", "failed"}:
                await end(self.database, cancel, "mined")

    async def _plan(self, cancel: Cancel, held: Held) -> None:
        network_id = self.chain.network.network_id
        asset_id = await store.native_asset(self.database, network_id)
        try:
            plan = await self.chain.build_empty(self.make_id(), cancel.anchor, self.fee_atoms_max)
        except Stuck as error:
            logs.get(__name__).warning("no cancel", nonce=cancel.anchor, reason=str(error))
            if error.condition is Condition.PINNED:
                await end(self.database, cancel, "used")
            return
        if asset_id is None:
            logs.get(__name__).error("no cancel: ether is not registered", nonce=cancel.anchor)
            return
        hot, fee = Account.HOT, plan.fee_atoms_max
        draft = Draft(asset_id, hot, hot, 0, fee, plan.inputs, plan, kind=CANCEL, replaces=True)
        await store.add(self.database, network_id, draft, held)
        logs.get(__name__).info("a nonce is cancelled", nonce=cancel.anchor)
