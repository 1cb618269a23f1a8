"""Approvals are what the journal and the policy say, once per question, on real Postgres."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from cambist.internal.approver.v1 import approver_pb2
from cambist.internal.signer.v1 import intent_pb2
from tests.wallets.approver.conftest import (
    HELD_NS,
    KEY,
    PEOPLE,
    POLICY,
    World,
    id_of,
    question,
)
from wallets.approver import log
from wallets.errors import Broken, Condition, Rejected, Stuck
from wallets.signer.approvals import Terms, consent_bytes, read_approval
from wallets.signer.policy import Policy as SignerPolicy

SIGNER = SignerPolicy({}, {"k1": KEY.public_key().public_bytes_raw()}, POLICY.people, 2)


async def refused(world: World, asked: approver_pb2.ApproveRequest) -> str:
    with pytest.raises(Rejected) as caught:
        await world.approver.approve(asked)
    return caught.value.reason


async def waits(world: World, asked: approver_pb2.ApproveRequest) -> Condition:
    with pytest.raises(Stuck) as caught:
        await world.approver.approve(asked)
    return caught.value.condition


async def counted(world: World) -> int:
    async with world.approver.database.connection() as connection:
        return int(await connection.fetchval("select count(*) from approver.counted"))


async def test_an_approval_says_what_the_journal_says_and_the_signer_takes_it(
    world: World,
) -> None:
    await world.request(1)
    world.clock.advance(HELD_NS)
    issued = await world.approver.approve(question(1))
    found = read_approval(issued.approval.approval, issued.approval.signature, SIGNER)
    assert (found.withdrawal_id, found.terms) == (id_of(1), Terms(1, "somewhere", "", 1_000))
    assert found.highest_fee_atoms == 500
    assert found.expires_ns == world.clock.wall_ns() + 600 * 1_000_000_000


async def test_the_same_question_has_the_same_answer_and_counts_once(world: World) -> None:
    await world.request(1, 150)
    world.clock.advance(HELD_NS)
    first = await world.approver.approve(question(1))
    assert await world.approver.approve(question(1)) == first
    dearer = await world.approver.approve(question(1, fee=600))
    assert dearer != first
    world.clock.advance(600 * 1_000_000_000)
    later = await world.approver.approve(question(1))
    assert later.expires_ns > first.expires_ns
    assert await counted(world) == 1


async def test_what_the_journal_has_not_waits(world: World) -> None:
    assert await waits(world, question(1)) is Condition.APPROVAL_MISSING


async def test_a_refusal_stays_one_whatever_the_policy_says_later(world: World) -> None:
    await world.request(1, destination="denied")
    assert await refused(world, question(1)) == "DESTINATION_DENIED"
    later = replace(world.approver, policy=replace(POLICY, denied_destinations=frozenset()))
    with pytest.raises(Rejected, match="DESTINATION_DENIED"):
        await later.approve(question(1))


async def test_what_was_approved_is_never_refused_for_good_afterwards(world: World) -> None:
    await world.request(1)
    world.clock.advance(HELD_NS)
    await world.approver.approve(question(1))
    later = replace(
        world.approver, policy=replace(POLICY, denied_destinations=frozenset({"somewhere"}))
    )
    with pytest.raises(Stuck):
        await later.approve(question(1, fee=600))


async def test_a_new_address_is_held_once_for_an_account(world: World) -> None:
    await world.request(1)
    assert await waits(world, question(1)) is Condition.APPROVAL_MISSING
    world.clock.advance(HELD_NS)
    await world.request(2)
    await world.request(3, account=2)
    await world.approver.approve(question(2))
    assert await waits(world, question(3)) is Condition.APPROVAL_MISSING


async def test_above_the_limit_two_people_sign_the_terms_of_the_journal(world: World) -> None:
    await world.request(1, 201)
    world.clock.advance(HELD_NS)
    assert await waits(world, question(1)) is Condition.APPROVAL_MISSING
    terms = Terms(1, "somewhere", "", 20_100)
    for number, (name, key) in enumerate(PEOPLE.items(), start=1):
        for signed, is_right in ((replace(terms, amount_atoms=20_101), False), (terms, True)):
            consent = approver_pb2.ConsentRequest(
                withdrawal_id=id_of(1),
                person=intent_pb2.PersonSignature(
                    person=name, signature=key.sign(consent_bytes(id_of(1), signed))
                ),
            )
            if is_right:
                assert await world.approver.consent(consent) == number
            else:
                with pytest.raises(Rejected, match="CONSENT_FORGED"):
                    await world.approver.consent(consent)
    issued = await world.approver.approve(question(1))
    found = read_approval(issued.approval.approval, issued.approval.signature, SIGNER)
    assert found.people == {"x", "y"}


async def test_velocity_waits_and_time_mends_it(world: World) -> None:
    for number in range(1, 6):
        await world.request(number, 200, account=1 + number // 4)
    world.clock.advance(HELD_NS)
    await world.approver.approve(question(1))
    await world.approver.approve(question(2))
    # The account's day: 50,000 atoms; everybody's hour: 80,000.
    assert await waits(world, question(3)) is Condition.AT_CEILING
    await world.approver.approve(question(4))
    await world.approver.approve(question(5))
    world.clock.advance(3_600 * 1_000_000_000)
    assert await waits(world, question(3)) is Condition.AT_CEILING
    world.clock.advance(23 * 3_600 * 1_000_000_000)
    await world.approver.approve(question(3))


async def test_approvals_asked_at_once_do_not_pass_a_limit_together(world: World) -> None:
    for number in range(1, 9):
        await world.request(number, 200, account=number)
    world.clock.advance(HELD_NS)
    asked = [world.approver.approve(question(number)) for number in range(1, 9)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(answer, log.Issued) for answer in answers) == 4
    assert sum(isinstance(answer, Stuck) for answer in answers) == 4


async def test_a_retry_binds_its_deaths_and_is_not_counted_again(world: World) -> None:
    await world.request(1, 150)
    world.clock.advance(HELD_NS)
    assert await waits(world, question(1, dead="t")) is Condition.APPROVAL_MISSING
    await world.approver.approve(question(1))
    approval = await world.approve(question(1, dead="t"))
    assert approval.kind == intent_pb2.APPROVAL_KIND_RETRY
    assert [one.txid for one in approval.dead_attempts] == ["t"]
    assert await counted(world) == 1


async def test_a_fee_above_the_policy_waits(world: World) -> None:
    await world.request(1)
    world.clock.advance(HELD_NS)
    assert await waits(world, question(1, fee=1_001)) is Condition.AT_CEILING


MALFORMED = [
    approver_pb2.ApproveRequest(kind="sweep"),
    approver_pb2.ApproveRequest(intent_id=b"short"),
    approver_pb2.ApproveRequest(highest_fee_atoms="1.5"),
    approver_pb2.ApproveRequest(kind="retry"),
]


@pytest.mark.parametrize("change", MALFORMED)
async def test_a_malformed_question_changes_nothing(
    world: World, change: approver_pb2.ApproveRequest
) -> None:
    await world.request(1)
    world.clock.advance(HELD_NS)
    asked = question(1)
    asked.MergeFrom(change)
    assert await refused(world, asked) == "MALFORMED"
    await world.approver.approve(question(1))


async def test_a_journal_that_was_trimmed_before_is_begun_by_hand_once(world: World) -> None:
    await log.begin(world.approver.database, 1, 40)
    with pytest.raises(Rejected, match="BEGUN"):
        await log.begin(world.approver.database, 1, 50)
    assert await log.read_cursor(world.approver.database, 1) == 40


async def test_two_followers_of_one_journal_do_not_both_go_on(world: World) -> None:
    await world.request(1)
    with pytest.raises(Broken):
        await log.take(world.approver.database, 1, 0, 5, [])


async def test_decisions_are_append_only(world: World) -> None:
    await world.request(1)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await world.approver.database.write("update approver.request set amount_atoms = 1")


async def test_an_amount_that_the_chain_cannot_pay_exactly_is_refused(world: World) -> None:
    coarse = replace(POLICY, assets=(replace(POLICY.assets[0], decimals=4),))
    await world.request(1, 10)
    world.clock.advance(HELD_NS)
    with pytest.raises(Rejected, match="AMOUNT_TOO_PRECISE"):
        await replace(world.approver, policy=coarse).approve(question(1))
