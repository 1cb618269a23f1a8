"""A withdrawal's way: approve, start, build, sign, write ahead, broadcast, confirm, settle.

One step per claim, chosen by what is stored, so that a worker may die anywhere and the next one
goes on. What is unmined for long gets further attempts that conflict with all before them. Called
by the worker. It never signs before the Start is read back, never sends bytes that are not stored,
and never builds anew without a proof that every earlier attempt is dead.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from runtime.errors import Unavailable
from wallets import limits
from wallets.contract import (
    Approval,
    Approves,
    Attempt,
    Batches,
    Builds,
    BumpSchedule,
    Confirmation,
    ConfirmationState,
    Leases,
    Payout,
    Plan,
    Replaces,
    Signs,
    TransactionId,
)
from wallets.core.attempts import StoredAttempt, deaths
from wallets.core.batches import Mate
from wallets.core.claims import STOPPABLE, Claim
from wallets.core.store import Obstacles, Store, number_of
from wallets.core.verdict import Ending, Verdict, judge, live, named
from wallets.core.working import Work
from wallets.errors import Broken, Condition, Rejected, Stuck
from wallets.states import AttemptState, PayoutState

C: Final = ConfirmationState


class Pipeline:
    """Withdrawals of one network; any number of them work side by side."""

    def __init__(self, store: Store, chain: Builds, approver: Approves, signer: Signs) -> None:
        self._store = store
        self._chain = chain
        self._approver = approver
        self._signer = signer
        self._batching = chain.batching if isinstance(chain, Batches) else None
        self._schedule = chain.bump_schedule if isinstance(chain, Replaces) else None
        self._leases = chain if isinstance(chain, Leases) else None
        # Of planning, where only this worker plans on what it has a lease of. Public, unlike the
        # parts whose calls the crash tests take for points to die at: a wait here changes nothing.
        self.turn = asyncio.Lock()

    async def step(self) -> bool:
        """Takes one payout one step on; False when nothing can be done now.

        Raises Unavailable, Unknown, Fenced: try again, nothing is lost. Raises Broken: stop.
        """
        mine = await self._claim(goes_on=False)
        if mine is None:
            return False
        await self._take(mine)
        return True

    async def stride(self) -> bool:
        """As many steps of one payout as need no answer of anybody else, under one claim.

        Each is stored as by `step`: whoever takes over goes on from the last one. Raises as `step`.
        """
        mine = await self._claim(goes_on=True)
        if mine is None:
            return False
        while mine is not None:
            mine = await self._take(mine)
        return True

    async def _claim(self, *, goes_on: bool) -> Claim | None:
        builds = self._leases is None or self._leases.can_build
        # Several that are claimed at once may be of one batch, which is one piece of work.
        is_alone = self._batching is not None and self._batching.payouts_max > 1
        return await self._store.claim(builds=builds, goes_on=goes_on, is_alone=is_alone)

    async def _take(self, mine: Claim) -> Claim | None:
        """One step on; the claim as it is for the next one, None when it was given back."""
        work = await self._store.read(mine)
        mine = replace(mine, cancel_requested=work.cancel_requested)
        if work.is_stopped and mine.state in STOPPABLE:
            # Since it was claimed.
            await self._store.wait(mine, None, work)
            return None
        try:
            state = await self._advance(mine, work)
        except Stuck as error:
            await self._store.wait(mine, error.condition, work)
        except Unavailable:
            await self._store.wait(mine, None, work)
        else:
            return replace(mine, state=state) if mine.goes_on and state is not None else None
        return None

    async def _advance(self, mine: Claim, work: Work) -> PayoutState | None:
        """The state of `claims.KEPT` in which it is now; None = it is in another one, or waits."""
        match mine.state:
            case PayoutState.REQUESTED:
                return await self._approve(mine, work)
            case PayoutState.APPROVED:
                await self._start(mine, work)
            case PayoutState.STARTED:
                return await self._build(mine, work)
            case PayoutState.BUILT:
                await self._sign(mine, work)
            case PayoutState.SIGNED:
                await self._send(mine, work)
            case PayoutState.BROADCASTING | PayoutState.CONFIRMING | PayoutState.CANCELLING:
                await self._follow(mine, work)
            case PayoutState.SETTLED:
                await self._watch(mine, work)
            case _:
                raise Broken(f"a payout in state {mine.state} was claimed")
        return None

    async def _approve(self, mine: Claim, work: Work) -> PayoutState | None:
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
                return None
            await self._store.reject(mine, error.reason)
            return None
        if mine.state is not PayoutState.REQUESTED:
            await self._store.approve(mine, number, approval, fee_atoms_max)
            return None
        # What stands in its way is told by the step that follows.
        found = await self._store.obstacles(mine, payout.destination.key) if mine.goes_on else None
        starts = found == Obstacles(pays_ourselves=False, awaits_deposits=False)
        await self._store.approve(mine, number, approval, fee_atoms_max, starts=starts)
        return None if starts else PayoutState.APPROVED

    async def _start(self, mine: Claim, work: Work) -> None:
        if work.start_was_in_vain:
            raise Broken("an answered start left its payout approved")
        if work.start_was_sent:
            # We chose the row before another worker started it, and when we got it Postgres looked
            # again at the row alone. The answer moves it, or has: only the claim is given back.
            await self._store.let_go((Mate(mine, None, 0),))
            return
        # Asked here too: the address may have become ours since, and commands reach the engine by
        # other ways than our service.
        found = await self._store.obstacles(mine, self._payout(mine, work).destination.key)
        if found.pays_ourselves:
            await self._store.reject(mine, "OWN_ADDRESS")
            return
        if found.awaits_deposits:
            raise Stuck(Condition.DEPOSITS_NOT_WITHDRAWABLE, "a credit may still be taken back")
        await self._store.start(mine)

    async def _build(self, mine: Claim, work: Work) -> PayoutState | None:
        if mine.cancel_requested and await self._is_over(mine, work):
            await self._store.cancel(mine)
            return None
        if work.approval is None:
            await self._approve(mine, work)
            return None
        mates_max = 0 if self._batching is None else self._batching.payouts_max - 1
        if mates_max and self._batching and work.waited_seconds < self._batching.window_seconds:
            ready = await self._store.count_ready(mine, mates_max + 1)
            if ready <= mates_max:
                # More may come that share the cost of a transaction.
                await self._store.wait(mine)
                return None
        mates = await self._store.gather(mine, mates_max)
        try:
            await self._plan_in_turn(mine, work, mates)
        except (Stuck, Rejected):
            # What one transaction for all cannot do, one for the oldest perhaps can.
            await self._store.let_go(mates)
            if not mates:
                raise
            await self._plan_in_turn(mine, work, ())
        except Unavailable:
            await self._store.let_go(mates)
            raise
        return PayoutState.BUILT

    async def _plan_in_turn(self, mine: Claim, work: Work, mates: tuple[Mate, ...]) -> None:
        """Plans of one lane that are made side by side take the same nonce, and one is stored."""
        if self._leases is None:
            await self._plan(mine, work, mates)
            return
        async with self.turn:
            owned = await self._store.read_owned(mine)
            await self._plan(mine, replace(work, owned=owned), mates)

    async def _plan(self, mine: Claim, work: Work, mates: tuple[Mate, ...]) -> None:
        """One transaction for all of these."""
        together = replace(work, mates=mates)
        payouts = self._payouts(mine, together)
        plan = await self._chain.build(
            intent_id_of(mine, len(work.attempts)),
            payouts,
            fee_atoms_max=together.batch_fee_atoms_max,
            must_use=(),
            owned=work.owned,
        )
        check_plan(plan, together.batch_fee_atoms_max, work.owned)
        await self._store.plan(mine, plan, payouts, mates)

    async def _is_over(self, mine: Claim, work: Work, endings: Sequence[Ending] = ()) -> bool:
        """Whether nothing pays it any more: the signer closed it, or all that it signed is dead."""
        signed = await self._signer.close(mine.withdrawal_id)
        dead = {death.txid for death in deaths(work.attempts) if death.proof}
        dead |= {one.attempt.txid for one in endings}
        return all(self._chain.identify(raw) in dead for raw in signed)

    async def _sign(self, mine: Claim, work: Work) -> None:
        together = (mine, *(mate.claim for mate in work.mates if mate.claim.state is mine.state))
        wish = next((one for one in together if one.cancel_requested), None)
        # What was signed for it before may be this plan, by a worker that died: then it is paid.
        if wish is not None and not await self._signer.close(wish.withdrawal_id):
            await self._store.drop(mine, work, wish)
            return
        approvals = work.batch_approvals
        if approvals is None:
            raise Broken("a plan without an approval")
        attempt = work.attempts[-1]
        raw = await self._signed(mine, work, approvals)
        txid = self._chain.identify(raw)
        await self._store.write_ahead(mine, attempt, txid, raw, releases=mine.goes_on)
        if mine.goes_on:
            await self._hand_out(mine, work, replace(attempt, txid=txid, raw=raw))

    async def _send(self, mine: Claim, work: Work) -> None:
        attempt = work.attempts[-1]
        await self._store.release_to_nodes(mine, attempt)
        await self._hand_out(mine, work, attempt)

    async def _hand_out(self, mine: Claim, work: Work, attempt: StoredAttempt) -> None:
        """The first broadcast, at once: nobody was told before, so nothing need be looked up.

        No answer decides anything. What was not sent is sent by the next look, which says why.
        """
        with contextlib.suppress(Stuck, Unavailable):
            await self._chain.broadcast(self._of(mine, work, attempt))

    async def _follow(self, mine: Claim, work: Work) -> None:
        verdict = await self._look(mine, work)
        if verdict.winner is not None and verdict.found is not None:
            if verdict.found.state is C.FINAL:
                await self._store.settle(mine, verdict.winner, work, verdict.found)
            else:
                await self._store.mined(mine, verdict.winner, work)
            return
        if mine.state is PayoutState.CANCELLING:
            await self._leave(mine, work, verdict)
            return
        if verdict.open:
            # Whatever the node says, only a look-up by id decides.
            await self._chain.broadcast(self._of(mine, work, verdict.open[-1]))
        if work.attempts[-1].state is AttemptState.PLANNED:
            # Perhaps the signer has signed it: none is buried before all are known.
            await self._sign_bump(mine, work)
        elif not verdict.open:
            ended = work.approvals >= limits.ATTEMPTS_MAX
            await self._store.bury(mine, verdict.endings, work, ended=ended)
        elif (schedule := self._schedule_for(mine, work, verdict)) is None:
            await self._store.unmined(mine, work)
        else:
            is_due = verdict.open[-1].waited_seconds >= schedule.after_seconds
            await self._replace(mine, work, schedule, is_due=is_due)

    async def _leave(self, mine: Claim, work: Work, verdict: Verdict) -> None:
        """It was dropped from its batch: its money goes back once all that pays it is dead."""
        if verdict.open:
            # Never sent again: what drops it is to win.
            await self._store.unmined(mine, work)
        elif await self._is_over(mine, work, verdict.endings):
            await self._store.leave(mine, verdict.endings, work)
        else:
            raise Stuck(Condition.PINNED, "the signer signed for it what is not proven dead")

    def _schedule_for(self, mine: Claim, work: Work, verdict: Verdict) -> BumpSchedule | None:
        """How what is unmined may be replaced; None = it may not be now."""
        may_be = (
            mine.state is PayoutState.BROADCASTING
            and not verdict.endings
            # None on a chain whose attempts do not conflict, nor after a settlement was undone.
            and bool(work.anchors)
            and work.batch_approvals is not None
        )
        return self._schedule if may_be else None

    async def _replace(
        self, mine: Claim, work: Work, schedule: BumpSchedule, *, is_due: bool
    ) -> None:
        """Drops at once who wants his money back, and raises the fee when it is time for it."""
        leaving = leaving_of(mine, work)
        if leaving:
            try:
                await self._bump(mine, work, schedule, leaving)
            except Stuck:
                # The approvals of those who stay do not pay for it alone.
                if not is_due:
                    raise
            else:
                return
        if is_due:
            await self._bump(mine, work, schedule, ())
        else:
            await self._store.unmined(mine, work)

    async def _bump(
        self, mine: Claim, work: Work, schedule: BumpSchedule, leaving: Sequence[Claim]
    ) -> None:
        """A further attempt that conflicts with every one before it, under the same approvals.

        It pays all but those that leave.
        """
        if len(live(work.attempts)) > schedule.bumps_max:
            raise Stuck(Condition.AT_CEILING, "its fee was raised as often as it may be")
        payouts, allowed = self._staying(mine, work, leaving)
        owned = await self._store.read_owned(mine)
        elsewhere = owned.difference(work.anchors)
        plan = await self._chain.build(
            intent_id_of(mine, len(work.attempts)),
            payouts,
            fee_atoms_max=allowed,
            must_use=work.anchors,
            owned=elsewhere,
        )
        check_plan(plan, allowed, elsewhere)
        if not set(work.anchors) <= set(plan.inputs):
            raise Broken("a bump that does not conflict with every earlier attempt")
        highest = max(one.plan.fee_atoms_max for one in live(work.attempts))
        if plan.fee_atoms_max <= highest:
            # The market is no dearer than what was offered: nodes would keep the earlier one.
            await self._store.unmined(mine, work)
            return
        await self._store.plan_bump(mine, plan, payouts, work, leaving)

    async def _sign_bump(self, mine: Claim, work: Work) -> None:
        approvals = work.batch_approvals
        if approvals is None:
            raise Stuck(Condition.APPROVAL_MISSING, "a bump that was planned under no approval")
        attempt = work.attempts[-1]
        raw = await self._signed(mine, work, approvals)
        await self._store.write_ahead_bump(mine, attempt, self._chain.identify(raw), raw)

    async def _signed(self, mine: Claim, work: Work, approvals: Sequence[Approval]) -> bytes:
        """The newest plan's bytes. Raises Stuck; approvals that ran out are renewed before that."""
        try:
            return await self._signer.sign(work.attempts[-1].plan, approvals)
        except Stuck as error:
            if error.condition is Condition.APPROVAL_MISSING:
                await self._renew(mine, work)
            raise

    async def _renew(self, mine: Claim, work: Work) -> None:
        """Asks the approver the same questions again: it signs anew what has run out.

        Raises Stuck.
        """
        fees = {mine.withdrawal_id: work.fee_atoms_max}
        fees |= {mate.claim.withdrawal_id: mate.fee_atoms_max for mate in work.mates}
        for withdrawal_id, fee_atoms_max in fees.items():
            ended = await self._store.read_ended(withdrawal_id)
            try:
                approval = await self._approver.approve(withdrawal_id, fee_atoms_max, deaths(ended))
            except Rejected as error:
                # It was approved before: what it refuses now is for people to look at.
                raise Stuck(Condition.APPROVAL_MISSING, str(error)) from error
            await self._store.renew(mine, withdrawal_id, len(ended), approval)

    async def _watch(self, mine: Claim, work: Work) -> None:
        winner = next(one for one in work.attempts if one.state is AttemptState.FINAL)
        found = await self._chain.confirm(self._of(mine, work, winner))
        if found.state is C.FINAL and found.txid == winner.txid:
            await self._store.wait(mine, None, work)
        else:
            await self._store.reopen(mine, winner, work)

    async def _look(self, mine: Claim, work: Work) -> Verdict:
        """Asks about every attempt that may be mined, and any that an answer names."""
        answers: dict[TransactionId, Confirmation] = {}
        for one in live(work.attempts):
            answers[one.txid] = await self._chain.confirm(self._of(mine, work, one))
        for one in named(work.attempts, answers):
            answers[one.txid] = await self._chain.confirm(self._of(mine, work, one))
        return judge(work.attempts, answers)

    def _payout(self, mine: Claim, work: Work) -> Payout:
        destination = self._chain.parse_address(mine.destination_text)
        return Payout(mine.withdrawal_id, destination, work.token, mine.amount_atoms)

    def _payouts(self, mine: Claim, work: Work) -> list[Payout]:
        """All of a batch, the claimed one first."""
        return [self._payout(one, work) for one in (mine, *(mate.claim for mate in work.mates))]

    def _staying(
        self, mine: Claim, work: Work, leaving: Sequence[Claim]
    ) -> tuple[list[Payout], int]:
        """All of a batch but those that leave, and the most that paying them may cost."""
        fees = {mine.withdrawal_id: work.fee_atoms_max}
        fees |= {mate.claim.withdrawal_id: mate.fee_atoms_max for mate in work.mates}
        gone = {one.withdrawal_id for one in leaving}
        payouts = [one for one in self._payouts(mine, work) if one.withdrawal_id not in gone]
        return payouts, sum(fees[one.withdrawal_id] for one in payouts)

    def _of(self, mine: Claim, work: Work, stored: StoredAttempt) -> Attempt:
        return Attempt(
            stored.attempt_id,
            stored.txid,
            stored.raw,
            tuple(self._payouts(mine, work)),
            stored.plan.fee_atoms_max,
        )


def leaving_of(mine: Claim, work: Work) -> tuple[Claim, ...]:
    """Who of a batch wants to be cancelled, when others stay and all stand at the same place."""
    together = (mine, *(mate.claim for mate in work.mates))
    wishes = tuple(one for one in together if one.cancel_requested)
    is_whole = all(one.state is mine.state for one in together)
    return wishes if is_whole and len(wishes) < len(together) else ()


def check_plan(plan: Plan, fee_atoms_max: int, elsewhere: frozenset[str]) -> None:
    """What a plan must never be. Raises Broken."""
    if not elsewhere.isdisjoint(plan.inputs):
        raise Broken("a plan uses inputs of another attempt")
    if plan.fee_atoms_max > fee_atoms_max:
        raise Broken("a plan may cost more than was approved")


def intent_id_of(mine: Claim, number: int) -> bytes:
    """The same for every worker: the signer gives one attempt one signature."""
    text = b"cambist intent v1\0" + mine.withdrawal_id + number.to_bytes(4, "big")
    return hashlib.sha256(text).digest()[:16]
