"""What takes the place of a sweep, a top-up or a cancel moves no more than there is."""

import pytest

from cambist.internal.signer.v1 import intent_pb2
from wallets.contract import Plan, TransactionId
from wallets.errors import Stuck
from wallets.ethereum.fees import Fees
from wallets.ethereum.lanes import Lane
from wallets.ethereum.planning import Move, plan_internal
from wallets.ethereum.replacing import dearer, payable_per_gas
from wallets.ethereum.transactions import Signed, transfer_call

FROM = Lane(b"\1" * 20, "deposit", 5, is_draining=False)
TO = Lane(b"\2" * 20, "hot", 0, is_draining=False)
TOKEN = b"\3" * 20
GAS = 100
BEFORE, AFTER = Fees(10, 1), Fees(12, 2)


def planned(move: Move) -> tuple[Plan, Signed]:
    """A plan as it was, and the bytes that were signed of it."""
    plan = plan_internal(b"i" * 16, 1, FROM, 7, GAS, BEFORE, move)
    is_token = bool(move.contract)
    signed = Signed(
        TransactionId("t"),
        FROM.account,
        7,
        GAS,
        BEFORE.max_fee_per_gas_atoms,
        BEFORE.priority_fee_per_gas_atoms,
        TOKEN if is_token else move.to.account,
        0 if is_token else move.amount_atoms,
        transfer_call(move.to.account, move.amount_atoms) if is_token else b"",
    )
    return plan, signed


@pytest.mark.parametrize(
    ("move", "balance_atoms", "moved_atoms"),
    [
        (Move(TO, TOKEN, 500), 5_000, 500),
        # All that lay there, less what gas costs more.
        (Move(TO, b"", 4_000), 5_000, 3_800),
        # A top-up, of an account that has plenty.
        (Move(TO, b"", 4_000), 50_000, 4_000),
        (Move(FROM), 5_000, 0),
    ],
    ids=["token", "all ether", "some ether", "cancel"],
)
def test_it_is_the_same_at_a_higher_price(move: Move, balance_atoms: int, moved_atoms: int) -> None:
    before, signed = planned(move)
    plan, atoms = dearer(b"j" * 16, before, signed, AFTER, balance_atoms)
    assert (atoms, plan.fee_atoms_max) == (moved_atoms, 1_200)
    assert plan.inputs == before.inputs
    expected = intent_pb2.Intent.FromString(before.intent)
    expected.intent_id = b"j" * 16
    expected.ethereum.max_fee_per_gas_atoms = "12"
    expected.ethereum.max_priority_fee_per_gas_atoms = "2"
    if not move.contract:
        expected.ethereum.value_atoms = str(moved_atoms)
    assert intent_pb2.Intent.FromString(plan.intent) == expected


def test_ether_whose_gas_would_cost_all_of_it_stays() -> None:
    before, signed = planned(Move(TO, b"", 100))
    with pytest.raises(Stuck, match="AtCeiling"):
        dearer(b"j" * 16, before, signed, AFTER, 1_200)


@pytest.mark.parametrize(
    ("move", "payable_atoms"),
    [(Move(TO, TOKEN, 500), 12), (Move(TO, b"", 100), 11), (Move(FROM), 12)],
)
def test_no_more_is_offered_than_lies_there(move: Move, payable_atoms: int) -> None:
    _, signed = planned(move)
    assert payable_per_gas(signed, 1_200) == payable_atoms
