"""An approval that runs out before its plan is signed is asked for again; the payout goes on."""

from collections.abc import Sequence

import pytest

from tests.wallets.core.conftest import Venue, request
from tests.wallets.core.memory_chain import FEE_ATOMS, RAISE_ATOMS, MemoryApprover, MemorySigner
from tests.wallets.core.test_bumps import broadcast, bump, condition_of, states_of
from tests.wallets.core.test_pipeline import check_paid_once
from wallets.contract import Approval, Death, Plan, WithdrawalId
from wallets.errors import Condition, Rejected, Stuck


class Clocked(MemoryApprover):
    """Approvals of one time; a new one is given when the time has passed."""

    time = 0
    refuses = False

    async def approve(
        self, withdrawal_id: WithdrawalId, fee_atoms_max: int, dead: Sequence[Death]
    ) -> Approval:
        if self.refuses:
            raise Rejected("DESTINATION_DENIED", "since then")
        given = await super().approve(withdrawal_id, fee_atoms_max, dead)
        return Approval(given.approval, str(self.time).encode())


class Strict(MemorySigner):
    """Signs under approvals of the present time only."""

    def __init__(self, approver: Clocked) -> None:
        super().__init__()
        self.approver = approver

    async def sign(self, plan: Plan, approvals: Sequence[Approval]) -> bytes:
        if any(one.signature != str(self.approver.time).encode() for one in approvals):
            raise Stuck(Condition.APPROVAL_MISSING, "APPROVAL_EXPIRED")
        return await super().sign(plan, approvals)


@pytest.fixture
def approver(venue: Venue) -> Clocked:
    approver = Clocked()
    venue.approver, venue.signer = approver, Strict(approver)
    return approver


async def test_a_plan_whose_approval_ran_out_is_signed_under_a_new_one(
    venue: Venue, approver: Clocked
) -> None:
    await venue.engine.request(request())
    await venue.run(venue.worker(), 3, mines=False)
    assert await venue.states() == ["built"]
    approver.time += 1
    await venue.run(venue.worker(), 12)
    await check_paid_once(venue)


async def test_a_bump_whose_approval_ran_out_is_signed_under_a_new_one(
    venue: Venue, approver: Clocked
) -> None:
    await broadcast(venue)
    approver.time += 1
    await bump(venue)
    await venue.run(venue.worker(), 2, mines=False)
    assert await states_of(venue) == ["broadcast", "broadcast"]
    await venue.run(venue.worker(), 5)
    await check_paid_once(venue, FEE_ATOMS + RAISE_ATOMS)


async def test_what_the_approver_refuses_by_now_waits_for_people(
    venue: Venue, approver: Clocked
) -> None:
    await venue.engine.request(request())
    await venue.run(venue.worker(), 3, mines=False)
    approver.time, approver.refuses = 1, True
    await venue.run(venue.worker(), 4)
    assert await venue.states() == ["built"]
    assert await condition_of(venue) == "ApprovalMissing"
