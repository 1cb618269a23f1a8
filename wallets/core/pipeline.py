"""A withdrawal's way: approve, start, build, sign, write ahead, broadcast, confirm, settle.

One step per claim, chosen by what is stored, so that a worker may die anywhere and the next one
goes on. Called by the worker. It never signs before the Start is read back, never sends bytes that
are not stored, and never builds anew without a proof that every earlier attempt is dead.
"""

import hashlib
from typing import Final

from runtime.errors import Unavailable
from wallets import limits
from wallets.contract import (
    Approves,
    Attempt,
    Builds,
    Confirmation,
    ConfirmationState,
    Payout,
    Signs,
)
from wallets.core.attempts import StoredAttempt, deaths
from wallets.core.claims import Claim
from wallets.core.store import Store, Work, number_of
from wallets.errors import Broken, Condition, Rejected, Stuck
from wallets.states import PayoutState

C: Final = ConfirmationState


class Pipeline:
    """Withdrawals of one network; any number of them work side by side."""

    def __init__(self, store: Store, chain: Builds, approver: Approves, signer: Signs) -> None:
        self._store = store
        self._chain = chain
        self._approver = approver
        self._signer = signer

    async def step(self) -> bool:
        """Takes one payout one step on; False when nothing can be done now.

        Raises Unavailable, Unknown, Fenced: try again, nothing is lost. Raises Broken: stop.
        """
        mine = await self._store.claim()
        if mine is None:
            return False
        work = await self._store.read(mine)
        try:
            await self._advance(mine, work)
        except Stuck as error:
            await self._store.wait(mine, error.condition)
        except Unavailable:
            await self._store.wait(mine)
        return True

    async def _advance(self, mine: Claim, work: Work) -> None:
        match mine.state:
            case PayoutState.REQUESTED:
                await self._approve(mine, work)
            case PayoutState.APPROVED:
                await self._start(mine, work)
            case PayoutState.STARTED:
                await self._build(mine, work)
            case PayoutState.BUILT:
                await self._sign(mine, work)
            case PayoutState.SIGNED:
                await self._store.release_to_nodes(mine, work.attempts[-1])
            case PayoutState.BROADCASTING | PayoutState.CONFIRMING:
                await self._follow(mine, work)
            case PayoutState.SETTLED:
                await self._watch(mine, work)
            case _:
                raise Broken(f"a payout in state {mine.state} was claimed")

    async def _approve(self, mine: Claim, work: Work) -> None:
        number = number_of(work.attempts)
        try:
            payout = self._payout(mine, work)
            fee_atoms_max = await self._chain.highest_fee(payout)
            approval = await self._approver.approve(
                mine.withdrawal_id, fee_atoms_max, deaths(work.attempts)
            )
        except Rejected as error:
            if mine.state is not PayoutState.REQUESTED:
                # Started: the approver's refusal of a retry is for people to look at.
                await self._store.wait(mine, Condition.APPROVAL_MISSING)
                return
            await self._store.reject(mine, error.reason)
            return
        await self._store.approve(mine, number, approval, fee_atoms_max)

    async def _start(self, mine: Claim, work: Work) -> None:
        if work.start_was_sent:
            raise Broken("an answered start left its payout approved")
        await self._store.start(mine)

    async def _build(self, mine: Claim, work: Work) -> None:
        if work.approval is None:
            await self._approve(mine, work)
            return
        payout = self._payout(mine, work)
        plan = await self._chain.build(
            intent_id_of(mine, number_of(work.attempts)),
            [payout],
            fee_atoms_max=work.fee_atoms_max,
            must_use=(),
            owned=work.owned,
        )
        if not work.owned.isdisjoint(plan.inputs):
            raise Broken("a plan uses inputs of another attempt")
        if plan.fee_atoms_max > work.fee_atoms_max:
            raise Broken("a plan may cost more than was approved")
        await self._store.plan(mine, plan, [payout])

    async def _sign(self, mine: Claim, work: Work) -> None:
        if work.approval is None:
            raise Broken("a plan without an approval")
        attempt = work.attempts[-1]
        raw = await self._signer.sign(attempt.plan, [work.approval])
        await self._store.write_ahead(mine, attempt, self._chain.identify(raw), raw)

    async def _follow(self, mine: Claim, work: Work) -> None:
        attempt = work.attempts[-1]
        found = await self._confirm(mine, work)
        match found.state:
            case C.NOT_SEEN | C.IN_POOL:
                # Whatever the node says, only a look-up by id decides.
                await self._chain.broadcast(self._of(mine, work))
                await self._store.unmined(mine, attempt)
            case C.MINED:
                await self._store.mined(mine, attempt)
            case C.FINAL:
                await self._store.settle(mine, attempt, work, found)
            case C.FAILED | C.DEAD:
                ended = number_of(work.attempts) + 1 >= limits.ATTEMPTS_MAX
                await self._store.bury(mine, attempt, found, ended=ended)

    async def _watch(self, mine: Claim, work: Work) -> None:
        attempt = work.attempts[-1]
        found = await self._confirm(mine, work)
        if found.state is C.FINAL:
            await self._store.wait(mine)
        else:
            await self._store.reopen(mine, attempt, work)

    async def _confirm(self, mine: Claim, work: Work) -> Confirmation:
        found = await self._chain.confirm(self._of(mine, work))
        if found.txid != work.attempts[-1].txid:
            raise Broken(f"asked for {work.attempts[-1].txid}, told of {found.txid}")
        if found.state in (C.FAILED, C.DEAD) and not found.proof:
            raise Broken("a death without a proof")
        return found

    def _payout(self, mine: Claim, work: Work) -> Payout:
        destination = self._chain.parse_address(mine.destination_text)
        return Payout(mine.withdrawal_id, destination, work.token, mine.amount_atoms)

    def _of(self, mine: Claim, work: Work) -> Attempt:
        stored: StoredAttempt = work.attempts[-1]
        return Attempt(
            stored.attempt_id,
            stored.txid,
            stored.raw,
            (self._payout(mine, work),),
            stored.plan.fee_atoms_max,
        )


def intent_id_of(mine: Claim, number: int) -> bytes:
    """The same for every worker: the signer gives one attempt one signature."""
    text = b"cambist intent v1\0" + mine.withdrawal_id + number.to_bytes(4, "big")
    return hashlib.sha256(text).digest()[:16]
