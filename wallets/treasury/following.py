"""Follows transfers of the venue's own to their end: signed, stored, sent, looked up by id, booked.

Called by the treasury's step and by whoever gathers deposits, under their leases. It plans nothing.
Done twice it is harmless: the signer signs a plan once, and the store locks each attempt.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from runtime import logs
from runtime.postgres import Database
from wallets.contract import Attempt, ConfirmationState, Plan
from wallets.errors import Broken, Condition, Fenced, Stuck
from wallets.states import AttemptState
from wallets.treasury import store
from wallets.treasury.ports import Follows, ReplacesMoves, RunsUnderLease
from wallets.treasury.store import Transfer

# What an attempt is called that takes the nonce of another one and pays nothing.
CANCEL: Final = "cancel"
# Answers about another transaction after which this one can never be mined.
ENDS: Final = (ConfirmationState.FINAL, ConfirmationState.FAILED, ConfirmationState.DEAD)


@runtime_checkable
class CancelsNonces(Protocol):
    """A chain on which people may ask for a nonce to be cancelled."""

    def cancels(self, signer: "SignsInternal") -> RunsUnderLease:
        """The job that does it."""


class SignsInternal(Protocol):
    """The signer, for transfers that pay only addresses of ours."""

    async def sign(self, plan: Plan, approvals: tuple[()], /) -> bytes:
        """As in `Signs`; it takes no approval and trusts its own list. Raises Stuck."""


@dataclass(frozen=True, slots=True)
class Following:
    """Of one network: what cancels a nonce, or all but that."""

    database: Database
    chain: Follows
    signer: SignsInternal
    cancels: bool = False
    make_id: Callable[[], bytes] = lambda: secrets.token_bytes(16)

    async def look(self) -> list[Transfer]:
        """One look at everything that is open, as it was before. Raises Unavailable, Unknown."""
        found = await store.read_open(self.database, self.chain.network.network_id)
        transfers = [one for one in found if (one.kind == CANCEL) is self.cancels]
        for transfer in transfers:
            try:
                is_unmined = await self._advance(transfer)
                if is_unmined and is_due(transfer, transfers, self.chain):
                    await self._raise_fee(transfer)
                if is_unmined:
                    await store.say(self.database, transfer, "")
            except (Stuck, Fenced) as error:
                condition = error.condition if isinstance(error, Stuck) else ""
                await store.say(self.database, transfer, condition)
        return transfers

    async def _advance(self, transfer: Transfer) -> bool:
        """Whether it was sent and nothing says that it, or another one of its group, is mined."""
        if transfer.state is AttemptState.PLANNED:
            if transfer.plan is None:
                return False
            raw = await self._sign(transfer.plan)
            await store.write_ahead(self.database, transfer, self.chain.identify(raw), raw)
            return False
        attempt = Attempt(transfer.attempt_id, transfer.txid, transfer.raw, (), transfer.fee_atoms)
        found = await self.chain.confirm(attempt)
        if found.txid != transfer.txid:
            # Another one of its group was mined, whose look books it, or a stranger's.
            if found.state in ENDS:
                proof = f"final is {found.txid}: ".encode() + found.proof
                await store.bury(self.database, transfer, proof)
            return False
        match found.state:
            case ConfirmationState.FINAL:
                await store.settle(self.database, transfer, found)
            case ConfirmationState.FAILED:
                logs.get(__name__).error("a transfer failed on the chain", txid=transfer.txid)
                await store.fail(self.database, transfer, found)
            case ConfirmationState.MINED:
                await store.move(self.database, transfer, AttemptState.MINED)
            case ConfirmationState.DEAD:
                await store.bury(self.database, transfer, found.proof)
            case _:
                # Whatever the node says, only a look-up by id decides.
                await store.move(self.database, transfer, AttemptState.BROADCAST)
                await self.chain.broadcast(attempt)
                return True
        await store.say(self.database, transfer, "")
        return False

    async def _raise_fee(self, transfer: Transfer) -> None:
        """A dearer attempt in its place, which the next look has signed. Raises Stuck, Fenced."""
        chain = self.chain
        if transfer.plan is None or not isinstance(chain, ReplacesMoves):
            return
        found = await chain.build_again(self.make_id(), transfer.plan, transfer.raw)
        if found is None:
            return
        plan, atoms = found
        await store.add_again(self.database, transfer, plan, atoms)
        logs.get(__name__).info("a transfer's fee is raised", txid=transfer.txid)

    async def _sign(self, plan: Plan) -> bytes:
        """A refusal is for people to look at, an address that is not listed perhaps; payouts go on.

        Raises Stuck.
        """
        try:
            return await self.signer.sign(plan, ())
        except Broken as error:
            logs.get(__name__).error("the signer refuses a transfer", reason=str(error))
            raise Stuck(Condition.SIGNER_UNAVAILABLE, str(error)) from error


def is_due(transfer: Transfer, transfers: Sequence[Transfer], chain: Follows) -> bool:
    """Whether nobody mines the newest one of a group for longer than the schedule has it."""
    if not isinstance(chain, ReplacesMoves) or transfer.state is not AttemptState.BROADCAST:
        return False
    group = [one for one in transfers if one.conflict_group_id == transfer.conflict_group_id]
    return (
        transfer.conflict_group_id is not None
        and transfer.waited_seconds >= chain.bump_schedule.after_seconds
        and transfer.attempt_id == max(one.attempt_id for one in group)
        and len(group) <= chain.bump_schedule.bumps_max
    )
