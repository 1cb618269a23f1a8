"""Plans: everybody gets what is due, sums are exact, anchors are in, fees are as allowed."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.internal.signer.v1 import intent_pb2
from wallets.bitcoin.coins import OwnCoin
from wallets.bitcoin.planning import SEQUENCE, Place, Spending, highest_fee, plan
from wallets.bitcoin.scripts import ScriptKind, script_of
from wallets.contract import Destination, Payout, Plan, Token, WithdrawalId
from wallets.errors import Condition, Rejected, Stuck

INTENT = b"i" * 16
SPENDING = Spending(10_000, 10_000, 10_000_000, Place("change", 3))


def coin_of(place: int, amount_atoms: int) -> OwnCoin:
    return OwnCoin(f"{place:064x}:{place}", amount_atoms, "hot", place)


def payout_of(place: int, amount_atoms: int, kind: ScriptKind, contract: bytes = b"") -> Payout:
    destination = Destination("", script_of(kind, bytes(kind.value[1])))
    token = Token(1, contract, 8)
    return Payout(WithdrawalId(place.to_bytes(16)), destination, token, amount_atoms)


def planned(
    payouts: list[Payout],
    coins: list[OwnCoin],
    anchors: list[OwnCoin] | None = None,
    spending: Spending = SPENDING,
) -> tuple[Plan, intent_pb2.Intent]:
    found = plan(INTENT, 7, payouts, coins, anchors or [], spending, Random(1))
    intent = intent_pb2.Intent()
    intent.ParseFromString(found.intent)
    return found, intent


@given(
    st.lists(
        st.tuples(st.integers(1_000, 500_000), st.sampled_from(ScriptKind)), min_size=1, max_size=9
    ),
    st.integers(0, 3),
)
def test_a_plan_pays_all_and_its_sums_are_exact(
    due: list[tuple[int, ScriptKind]], anchors: int
) -> None:
    payouts = [payout_of(place, amount, kind) for place, (amount, kind) in enumerate(due)]
    coins = [coin_of(place, 70_000 + place) for place in range(100)]
    found, intent = planned(payouts, coins, coins[:anchors])
    transaction = intent.bitcoin
    paid = {bytes(one.withdrawal_id): one.amount_atoms for one in transaction.outputs}
    assert {payout.withdrawal_id: payout.amount_atoms for payout in payouts}.items() <= paid.items()
    taken = sum(one.amount_atoms for one in transaction.inputs)
    given_out = sum(one.amount_atoms for one in transaction.outputs)
    assert taken - given_out == found.fee_atoms_max > 0
    assert found.inputs == tuple(f"{one.txid}:{one.index}" for one in transaction.inputs)
    assert len(set(found.inputs)) == len(found.inputs)
    assert {coin.outpoint for coin in coins[:anchors]} <= set(found.inputs)
    change = [one for one in transaction.outputs if not one.withdrawal_id]
    assert [(one.key.branch, one.key.index) for one in change] in ([], [("change", 3)])
    assert {one.sequence for one in transaction.inputs} == {SEQUENCE}
    assert (intent.intent_id, intent.kind, intent.network_id) == (INTENT, 1, 7)


def test_what_would_cost_more_than_allowed_waits_by_name() -> None:
    payouts = [payout_of(1, 50_000, ScriptKind.P2WPKH)]
    found, _ = planned(payouts, [coin_of(1, 100_000)])
    exact = Spending(10_000, 10_000, found.fee_atoms_max, Place("change", 3))
    planned(payouts, [coin_of(1, 100_000)], spending=exact)
    less = Spending(10_000, 10_000, found.fee_atoms_max - 1, Place("change", 3))
    with pytest.raises(Stuck) as stuck:
        planned(payouts, [coin_of(1, 100_000)], spending=less)
    assert stuck.value.condition is Condition.AT_CEILING
    assert found.fee_atoms_max <= highest_fee(payouts[0], 10_000, 1)


def test_a_batch_without_funds_waits_by_name() -> None:
    with pytest.raises(Stuck) as stuck:
        planned([payout_of(1, 50_000, ScriptKind.P2TR)], [coin_of(1, 50_000)])
    assert stuck.value.condition is Condition.HOT_WALLET_UNFUNDED


@pytest.mark.parametrize(
    ("payouts", "reason"),
    [
        ([], "BATCH_SIZE"),
        ([payout_of(place, 1_000, ScriptKind.P2WPKH) for place in range(201)], "BATCH_SIZE"),
        ([payout_of(1, 293, ScriptKind.P2WPKH)], "DUST"),
        ([payout_of(1, 545, ScriptKind.P2PKH)], "DUST"),
        ([payout_of(1, 0, ScriptKind.P2WPKH)], "DUST"),
        ([payout_of(1, 2**63, ScriptKind.P2WPKH)], "AMOUNT_TOO_LARGE"),
        ([payout_of(1, 1_000, ScriptKind.P2WPKH, b"token")], "UNKNOWN_ASSET"),
    ],
)
def test_what_the_network_would_refuse_is_refused_by_name(
    payouts: list[Payout], reason: str
) -> None:
    with pytest.raises(Rejected) as refused:
        planned(payouts, [coin_of(1, 10**9)])
    assert refused.value.reason == reason
