"""A dearer transfer in place of one in a pool: what is wanted and no more, never above a bound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.internal.signer.v1 import intent_pb2
from wallets.bitcoin.coin_selection import fee_of
from wallets.bitcoin.raising import Waiting, raise_fee
from wallets.bitcoin.replacement import INCREMENT_RATE
from wallets.contract import Plan
from wallets.errors import Condition, Stuck
from wallets.treasury.bounds import fee_atoms_max

CEILING_RATE = 50_000
HELD_ATOMS, FEE_ATOMS = 1_000_000, 1_000
WAITING = Waiting(own_weight=440, line_weight=1_000, line_fee_atoms=1_200)


def plan_of(returned_atoms: int = HELD_ATOMS - FEE_ATOMS, listed_atoms: int = 0) -> Plan:
    """A transaction that pays us, and a listed address perhaps."""
    intent = intent_pb2.Intent(intent_id=b"o" * 16, kind=intent_pb2.INTENT_KIND_INTERNAL)
    intent.bitcoin.inputs.add(txid="ab" * 32, index=1, amount_atoms=HELD_ATOMS)
    if listed_atoms:
        intent.bitcoin.outputs.add(amount_atoms=listed_atoms, listed_destination="bc1q")
    if returned_atoms:
        place = intent_pb2.KeyPlace(branch="change", index=3)
        intent.bitcoin.outputs.add(amount_atoms=returned_atoms, key=place)
    return Plan(b"o" * 16, intent.SerializeToString(), (), FEE_ATOMS)


@given(
    own=st.integers(400, 4_000),
    others=st.integers(0, 400_000),
    paid=st.integers(0, 1_000_000),
    rate=st.integers(1, 100_000),
)
def test_a_dearer_one_reaches_the_rate_and_no_bound_is_passed(
    own: int, others: int, paid: int, rate: int
) -> None:
    waiting = Waiting(own, own + others, paid)
    try:
        found = raise_fee(b"n" * 16, plan_of(), waiting, rate, CEILING_RATE)
    except Stuck:
        return
    wanted = fee_of(waiting.line_weight, min(rate, CEILING_RATE))
    if found is None:
        assert paid >= wanted
        return
    plan, moved_atoms = found
    more = plan.fee_atoms_max - FEE_ATOMS
    assert more >= fee_of(own, INCREMENT_RATE)
    assert wanted <= paid + more <= fee_of(waiting.line_weight, CEILING_RATE)
    assert plan.fee_atoms_max <= fee_atoms_max(HELD_ATOMS)
    assert moved_atoms == HELD_ATOMS - plan.fee_atoms_max


def test_what_others_get_is_untouched_and_our_change_pays() -> None:
    plan = plan_of(HELD_ATOMS - FEE_ATOMS - 600_000, 600_000)
    found = raise_fee(b"n" * 16, plan, WAITING, 20_000, CEILING_RATE)
    assert found is not None
    dearer, moved_atoms = found
    more = fee_of(WAITING.line_weight, 20_000) - WAITING.line_fee_atoms
    assert (dearer.intent_id, dearer.inputs) == (b"n" * 16, (f"{'ab' * 32}:1",))
    assert (dearer.fee_atoms_max, moved_atoms) == (FEE_ATOMS + more, 600_000)
    intent = intent_pb2.Intent.FromString(dearer.intent)
    assert intent.intent_id == b"n" * 16
    before = intent_pb2.Intent.FromString(plan.intent).bitcoin
    assert list(intent.bitcoin.inputs) == list(before.inputs)
    assert intent.bitcoin.outputs[0] == before.outputs[0]
    assert intent.bitcoin.outputs[1].key == before.outputs[1].key


@pytest.mark.parametrize(
    ("plan", "waiting", "rate", "ceiling_rate"),
    [
        (plan_of(), Waiting(440, 1_000, 12_400), 50_000, 50_000),
        (plan_of(), Waiting(440, 400_000, 0), 50_000, 50_000),
        (plan_of(0, HELD_ATOMS - FEE_ATOMS), WAITING, 20_000, 50_000),
        (plan_of(3_000, HELD_ATOMS - FEE_ATOMS - 3_000), WAITING, 20_000, 50_000),
    ],
    ids=["the next step is above the ceiling", "above a share", "no change", "change is dust"],
)
def test_what_may_not_be_raised_says_so(
    plan: Plan, waiting: Waiting, rate: int, ceiling_rate: int
) -> None:
    with pytest.raises(Stuck) as stuck:
        raise_fee(b"n" * 16, plan, waiting, rate, ceiling_rate)
    assert stuck.value.condition is Condition.AT_CEILING
