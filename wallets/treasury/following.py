"""Follows transfers of the venue's own to their end: signed, stored, sent, looked up by id, booked.

Called by the treasury's step and by whoever gathers deposits, under their leases. It plans nothing.
Done twice it is harmless: the signer signs a plan once, and the store locks each attempt.
"""

from dataclasses import dataclass
from typing import Protocol

from runtime import logs
from runtime.postgres import Database
from wallets.contract import Attempt, ConfirmationState, Plan
from wallets.errors import Broken, Condition, Stuck
from wallets.states import AttemptState
from wallets.treasury import store
from wallets.treasury.ports import Follows
from wallets.treasury.store import Transfer


class SignsInternal(Protocol):
    """The signer, for transfers that pay only addresses of ours."""

    async def sign(self, plan: Plan, approvals: tuple[()], /) -> bytes:
        """As in `Signs`; it takes no approval and trusts its own list. Raises Stuck."""


@dataclass(frozen=True, slots=True)
class Following:
    """Of one network."""

    database: Database
    chain: Follows
    signer: SignsInternal

    async def look(self) -> list[Transfer]:
        """One look at everything that is open, as it was before. Raises Unavailable, Unknown."""
        transfers = await store.read_open(self.database, self.chain.network.network_id)
        for transfer in transfers:
            try:
                await self._advance(transfer)
            except Stuck as error:
                await store.say(self.database, transfer, error.condition)
        return transfers

    async def _advance(self, transfer: Transfer) -> None:
        if transfer.state is AttemptState.PLANNED:
            if transfer.plan is None:
                return
            raw = await self._sign(transfer.plan)
            await store.write_ahead(self.database, transfer, self.chain.identify(raw), raw)
            return
        attempt = Attempt(transfer.attempt_id, transfer.txid, transfer.raw, (), transfer.fee_atoms)
        found = await self.chain.confirm(attempt)
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
        await store.say(self.database, transfer, "")

    async def _sign(self, plan: Plan) -> bytes:
        """A refusal is for people to look at, an address that is not listed perhaps; payouts go on.

        Raises Stuck.
        """
        try:
            return await self.signer.sign(plan, ())
        except Broken as error:
            logs.get(__name__).error("the signer refuses a transfer", reason=str(error))
            raise Stuck(Condition.SIGNER_UNAVAILABLE, str(error)) from error
