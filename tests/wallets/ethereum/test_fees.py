"""What gas may cost, and which nonce is next."""

from hypothesis import given
from hypothesis import strategies as st

from wallets.errors import Stuck
from wallets.ethereum.fees import FeePolicy, Fees, fees_for, raised
from wallets.ethereum.nonces import gaps, next_nonce

GWEI = 10**9
POLICY = FeePolicy(300 * GWEI, GWEI // 10, 3 * GWEI)
PRICE = st.integers(1, 200 * GWEI)


@given(base=PRICE, tip=PRICE, payable=PRICE, old=st.none() | st.tuples(PRICE, PRICE))
def test_fees_stay_within_every_ceiling_and_replace_what_was_there(
    base: int, tip: int, payable: int, old: tuple[int, int] | None
) -> None:
    replaced = None if old is None else Fees(max(old), min(old))
    try:
        found = fees_for(base, tip, POLICY, replaced=replaced, payable_per_gas_atoms=payable)
    except Stuck:
        return
    assert found.priority_fee_per_gas_atoms <= found.max_fee_per_gas_atoms
    assert found.max_fee_per_gas_atoms <= min(payable, POLICY.ceiling_per_gas_atoms)
    assert found.max_fee_per_gas_atoms >= base + min(tip, found.priority_fee_per_gas_atoms)
    if replaced is not None:
        assert found.max_fee_per_gas_atoms * 10 >= replaced.max_fee_per_gas_atoms * 11
        assert found.priority_fee_per_gas_atoms * 10 >= replaced.priority_fee_per_gas_atoms * 11


def test_an_absurd_tip_of_a_node_is_cut() -> None:
    found = fees_for(GWEI, 10**18, POLICY, replaced=None, payable_per_gas_atoms=300 * GWEI)
    assert found == Fees(5 * GWEI, 3 * GWEI)


@given(base=PRICE, tip=PRICE)
def test_a_payout_at_its_ceiling_can_always_be_cancelled(base: int, tip: int) -> None:
    payable = 10**30
    try:
        paid = fees_for(base, tip, POLICY, replaced=None, payable_per_gas_atoms=payable)
    except Stuck:
        return
    cancel = fees_for(base, tip, POLICY.for_cancel(), replaced=paid, payable_per_gas_atoms=payable)
    assert cancel.max_fee_per_gas_atoms > paid.max_fee_per_gas_atoms


def test_a_raise_is_never_less_than_ten_per_cent() -> None:
    assert [raised(price) for price in (1, 9, 10, 11)] == [2, 10, 11, 13]


@given(mined=st.integers(0, 50), owned=st.frozensets(st.integers(0, 80)))
def test_a_lane_never_has_more_open_nonces_than_nodes_keep(
    mined: int, owned: frozenset[int]
) -> None:
    nonce = next_nonce(mined, owned)
    if nonce is None:
        assert owned.issuperset(range(mined, mined + 16))
    else:
        assert nonce not in owned
        assert owned.issuperset(range(mined, nonce))
        assert nonce < mined + 16


def test_gaps_are_what_keeps_owned_nonces_from_being_mined() -> None:
    assert gaps(3, frozenset({1, 2, 4, 7})) == [3, 5, 6]
    assert gaps(3, frozenset({3, 4})) == []
    assert gaps(3, frozenset({1})) == []
