"""Which lane pays, and what the signer is asked for."""

import pytest

from cambist.internal.signer.v1 import intent_pb2
from wallets.contract import Destination, Payout, Token, WithdrawalId
from wallets.errors import Condition, Stuck
from wallets.ethereum.addresses import text_of
from wallets.ethereum.fees import Fees
from wallets.ethereum.lanes import Lane, UnderWay, owned_nonces
from wallets.ethereum.planning import Stock, choose_lane, plan_payout
from wallets.ethereum.transactions import anchor_of

TOKEN = b"t" * 20
FEE = 100
LANES = [Lane(bytes([number]) * 20, "hot", number, is_draining=False) for number in range(3)]


def payout(amount_atoms: int, contract: bytes = b"") -> Payout:
    key = b"r" * 20
    token = Token(1, contract, 18)
    return Payout(WithdrawalId(b"w" * 16), Destination(text_of(key), key), token, amount_atoms)


def stock(number: int, native: int, token: int, nonce: int | None = 5) -> Stock:
    return Stock(LANES[number], 5, native, token, nonce)


@pytest.mark.parametrize(
    ("stocks", "contract", "chosen"),
    [
        ([stock(0, 1_099, 0), stock(1, 1_100, 0)], b"", 1),
        ([stock(0, 99, 1_000), stock(1, 100, 999), stock(2, 100, 1_000)], TOKEN, 2),
        ([stock(0, 9_999, 0, 9), stock(1, 9_999, 0, 6)], b"", 1),
        ([stock(0, 9_999, 0, None), stock(1, 9_999, 0, 20)], b"", 1),
    ],
    ids=["ether with its fee", "gas and tokens", "fewest open nonces", "not a full one"],
)
def test_the_lane_that_can_pay_with_fewest_open_nonces_pays(
    stocks: list[Stock], contract: bytes, chosen: int
) -> None:
    assert choose_lane(stocks, [], payout(1_000, contract), FEE).lane == LANES[chosen]


def test_what_is_under_way_from_a_lane_is_not_spent_twice() -> None:
    stocks = [stock(0, 2_000, 0)]
    choose_lane(stocks, [UnderWay(LANES[0].account, 4, b"", 900, FEE)], payout(1_000), FEE)
    with pytest.raises(Stuck) as stuck:
        choose_lane(stocks, [UnderWay(LANES[0].account, 5, b"", 900, FEE)], payout(1_000), FEE)
    assert stuck.value.condition is Condition.HOT_WALLET_UNFUNDED


def test_lanes_that_are_all_full_wait_by_another_name_than_empty_ones() -> None:
    with pytest.raises(Stuck) as stuck:
        choose_lane([stock(0, 9_999, 0, None)], [], payout(1_000), FEE)
    assert stuck.value.condition is Condition.PINNED


def test_a_plan_owns_its_nonce_and_says_its_highest_cost() -> None:
    plan = plan_payout(b"i" * 16, 1, payout(7, TOKEN), LANES[1], 9, 50_000, Fees(30, 2))
    assert plan.inputs == (anchor_of(LANES[1].account, 9),)
    assert plan.fee_atoms_max == 50_000 * 30
    intent = intent_pb2.Intent.FromString(plan.intent)
    assert intent.ethereum.to == text_of(TOKEN)
    assert intent.ethereum.value_atoms == "0"
    assert intent.ethereum.data.hex() == "a9059cbb" + "00" * 12 + "72" * 20 + "07".rjust(64, "0")


def test_owned_nonces_are_told_apart_by_lane() -> None:
    owned = frozenset({anchor_of(LANES[0].account, 1), anchor_of(LANES[1].account, 2)})
    assert owned_nonces(owned, LANES[1]) == {2}
