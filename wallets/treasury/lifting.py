"""Payouts at the ceiling of their fee: a child of the venue's own pays for the transaction.

Run by the treasury's step. What customers' approvals allow was offered and nobody mines it; from
here on it is the venue's money, within the bounds of every transfer. One child per transaction; it
is stored, signed, sent and followed like any other transfer, and dead when its parent is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from runtime import logs
from runtime.postgres import Database
from wallets.books.accounts import Account
from wallets.contract import Plan
from wallets.errors import Rejected, Stuck
from wallets.treasury import store
from wallets.treasury.store import Draft

CHILD: Final = "child"
# The newest of its group, whose payouts say that no dearer one may follow.
AT_CEILING: Final = """
select a.raw from custody.attempt a join custody.chain c using (network_id)
where a.network_id = $1 and a.kind = 'payout' and a.state = 'broadcast'
    and not c.withdrawals_stopped
    and exists (select from custody.attempt_output o join custody.payout p using (withdrawal_id)
                where o.attempt_id = a.attempt_id and p.state = 'broadcasting'
                    and p.condition = 'AtCeiling')
    and not exists (select from custody.attempt later
                    where later.conflict_group_id = a.conflict_group_id
                        and later.attempt_id > a.attempt_id and later.state <> 'dead')
order by a.attempt_id limit $2
"""
LIFTED_MAX: Final = 20


@runtime_checkable
class Lifts(Protocol):
    """A chain on which an output can pay for the transaction that it is in."""

    async def plan_child(self, intent_id: bytes, raw: bytes) -> tuple[Plan, int] | None:
        """The child of these bytes and what it leaves; None when it would not help.

        Within `bounds.fee_atoms_max`. Raises Stuck, Rejected, Unavailable.
        """


@dataclass(frozen=True, slots=True)
class Lifting:
    """Of one network."""

    database: Database
    network_id: int
    chain: Lifts
    make_id: Callable[[], bytes]

    async def look(self, asset_id: int) -> None:
        """A child for each that has none. Raises Unavailable, Unknown."""
        owned = await store.read_owned(self.database, self.network_id)
        for row in await self.database.read(AT_CEILING, self.network_id, LIFTED_MAX):
            try:
                found = await self.chain.plan_child(self.make_id(), row["raw"])
            except (Stuck, Rejected) as error:
                logs.get(__name__).warning("not lifted", reason=str(error))
                continue
            if found is None or owned.intersection(found[0].inputs):
                continue
            plan, left_atoms = found
            draft = Draft(
                asset_id,
                Account.HOT,
                Account.HOT,
                left_atoms,
                plan.fee_atoms_max,
                plan.inputs,
                plan,
                kind=CHILD,
            )
            await store.add(self.database, self.network_id, draft)
            logs.get(__name__).info("a child pays for payouts", atoms=str(plan.fee_atoms_max))
