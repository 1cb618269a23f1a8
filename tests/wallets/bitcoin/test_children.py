"""What a child pays for its parent: enough for both, never above a bound, or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.internal.signer.v1 import intent_pb2
from wallets.bitcoin.children import CHILD_WEIGHT, Bounds, Parent, fee_of_child, plan_child
from wallets.bitcoin.coin_selection import fee_of
from wallets.bitcoin.coins import OwnCoin
from wallets.bitcoin.planning import CHANGE_DUST_ATOMS, Place

PARENT = Parent(weight=800, fee_atoms=200, with_descendants=1)
BOUNDS = Bounds(rate=10_000, ceiling_rate=50_000, fee_atoms_max=1_000_000)
CHANGE = Place("change", 3)


@pytest.mark.parametrize(
    ("parent", "bounds"),
    [
        (Parent(800, fee_of(800, 10_000), 1), BOUNDS),
        (Parent(800, 200, 2), BOUNDS),
        (PARENT, Bounds(10_000, 50_000, 1_000)),
        (PARENT, Bounds(10_000, 1_000, 1_000_000)),
    ],
    ids=["pays the rate itself", "has a child", "above what may be spent", "at the ceiling"],
)
def test_no_child_where_none_would_help_or_none_may_be(parent: Parent, bounds: Bounds) -> None:
    assert fee_of_child(parent, bounds) == 0


@given(
    weight=st.integers(400, 400_000),
    paid=st.integers(0, 10_000_000),
    rate=st.integers(1, 1_000_000),
    ceiling=st.integers(1, 1_000_000),
    allowed=st.integers(0, 100_000_000),
)
def test_both_together_pay_the_rate_and_no_bound_is_passed(
    weight: int, paid: int, rate: int, ceiling: int, allowed: int
) -> None:
    fee = fee_of_child(Parent(weight, paid, 1), Bounds(rate, ceiling, allowed))
    if fee:
        assert paid + fee == fee_of(weight + CHILD_WEIGHT, min(rate, ceiling))
        assert fee_of(CHILD_WEIGHT, min(rate, ceiling)) < fee <= allowed


def test_the_child_pays_our_change_and_its_fee_and_leaves_no_dust() -> None:
    coin = OwnCoin("ab" * 32 + ":1", 10_000, "change", 0)
    found = plan_child(b"i" * 16, 1, coin, 3_000, CHANGE)
    assert found is not None
    plan, left_atoms = found
    assert (plan.inputs, plan.fee_atoms_max, left_atoms) == ((coin.outpoint,), 3_000, 7_000)
    intent = intent_pb2.Intent.FromString(plan.intent)
    assert intent.kind == intent_pb2.INTENT_KIND_INTERNAL
    (output,) = intent.bitcoin.outputs
    assert (output.amount_atoms, output.key.branch, output.key.index) == (7_000, "change", 3)
    least = coin.amount_atoms - CHANGE_DUST_ATOMS
    assert plan_child(b"i" * 16, 1, coin, least, CHANGE) is not None
    assert plan_child(b"i" * 16, 1, coin, least + 1, CHANGE) is None
