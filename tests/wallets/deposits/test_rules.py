"""What arrives becomes, by table and by properties."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallets.contract import Movement, TransactionId
from wallets.deposits import limits
from wallets.deposits.rules import (
    DepositAsset,
    Reason,
    Tier,
    advance,
    choose_tier,
    depth_of,
    judge,
    to_engine,
)
from wallets.states import DEPOSIT, DepositState

D = DepositState
COIN = DepositAsset(decimals=8, engine_decimals=6, minimum_atoms=1_000, is_suspended=False)
SUSPENDED = dataclasses.replace(COIN, is_suspended=True)
NO_MINIMUM = dataclasses.replace(COIN, minimum_atoms=0)
SMALL, LARGE = Tier(0, 1, 2), Tier(1_000, 3, 6)


def movement(amount_atoms: int, *, is_coinbase: bool = False) -> Movement:
    return Movement(TransactionId("ab"), 0, b"", b"key", amount_atoms, is_coinbase, b"")


@pytest.mark.parametrize(
    ("amount_atoms", "asset", "account_id", "is_coinbase", "state", "reason"),
    [
        (1_000, COIN, 7, False, D.CONFIRMING, Reason.NONE),
        (999, COIN, 7, False, D.UNCLAIMED, Reason.BELOW_MINIMUM),
        (0, COIN, 7, False, D.IGNORED, Reason.ZERO_AMOUNT),
        (0, None, 7, False, D.IGNORED, Reason.ZERO_AMOUNT),
        (1_000, None, 7, False, D.UNCLAIMED, Reason.UNKNOWN_ASSET),
        (1_000, COIN, 0, False, D.UNCLAIMED, Reason.ADDRESS_NOT_GIVEN_OUT),
        (99, NO_MINIMUM, 7, False, D.UNCLAIMED, Reason.BELOW_ENGINE_UNIT),
        (100, NO_MINIMUM, 7, False, D.CONFIRMING, Reason.NONE),
        (1_000, SUSPENDED, 7, False, D.HELD, Reason.ASSET_SUSPENDED),
        (1_000, COIN, 7, True, D.IMMATURE, Reason.IMMATURE),
        (1_000, SUSPENDED, 7, True, D.IMMATURE, Reason.IMMATURE),
        ((1 << 128) * 100 - 1, COIN, 7, False, D.CONFIRMING, Reason.NONE),
        ((1 << 128) * 100, COIN, 7, False, D.UNCLAIMED, Reason.TOO_LARGE),
    ],
)
def test_a_movement_becomes_what_the_table_says(
    amount_atoms: int,
    asset: DepositAsset | None,
    account_id: int,
    is_coinbase: bool,
    state: DepositState,
    reason: Reason,
) -> None:
    found = judge(movement(amount_atoms, is_coinbase=is_coinbase), asset, account_id=account_id)
    assert (found.state, found.reason) == (state, reason)
    assert found.state in DEPOSIT[D.SEEN]
    assert found.units.engine_atoms.bit_length() <= limits.AMOUNT_BITS


@given(st.integers(0, 1 << 256), st.integers(0, 30), st.integers(0, 30))
def test_the_engines_amount_and_the_remainder_are_all_that_came(
    amount_atoms: int, decimals: int, engine_decimals: int
) -> None:
    units = to_engine(amount_atoms, decimals=decimals, engine_decimals=engine_decimals)
    engine_unit, chain_unit = 10**decimals, 10**engine_decimals
    whole = units.engine_atoms * engine_unit + units.remainder_atoms * chain_unit
    assert whole == amount_atoms * chain_unit
    assert units.remainder_atoms * chain_unit < max(engine_unit, 1) or units.remainder_atoms == 0


@pytest.mark.parametrize(
    ("amounts", "tier"),
    [((1,), SMALL), ((1_000,), SMALL), ((1_001,), LARGE), ((1,) * 1_001, LARGE)],
)
def test_many_small_deposits_wait_like_one_large_one(amounts: tuple[int, ...], tier: Tier) -> None:
    assert choose_tier([LARGE, SMALL], amounts) is tier
    assert choose_tier([SMALL, LARGE], amounts) is tier


def test_a_sum_that_no_tier_covers_is_an_error() -> None:
    with pytest.raises(ValueError, match="no confirmation tier"):
        choose_tier([LARGE], [1_000])


@pytest.mark.parametrize(
    ("state", "depth", "may_credit", "states"),
    [
        (D.CONFIRMING, 2, True, ()),
        (D.CONFIRMING, 3, True, (D.CREDITED,)),
        (D.CONFIRMING, 6, True, (D.CREDITED, D.WITHDRAWABLE)),
        (D.CONFIRMING, 6, False, ()),
        (D.CREDITED, 5, True, ()),
        (D.CREDITED, 6, False, (D.WITHDRAWABLE,)),
        (D.IMMATURE, 99, True, ()),
        (D.IMMATURE, 100, True, (D.CONFIRMING, D.CREDITED, D.WITHDRAWABLE)),
        (D.HELD, 100, True, ()),
        (D.ORPHANED, 100, True, ()),
        (D.UNCLAIMED, 100, True, ()),
    ],
)
def test_depth_moves_a_deposit_as_the_table_says(
    state: DepositState, depth: int, may_credit: bool, states: tuple[DepositState, ...]
) -> None:
    assert advance(state, LARGE, depth=depth, may_credit=may_credit) == states


@given(st.sampled_from(D), st.integers(0, 200), st.booleans())
def test_every_step_is_permitted_and_a_second_look_finds_nothing_to_do(
    state: DepositState, depth: int, may_credit: bool
) -> None:
    def look(at: DepositState) -> tuple[DepositState, ...]:
        return advance(at, LARGE, depth=depth, may_credit=may_credit)

    before = state
    for after in look(state):
        assert after in DEPOSIT[before]
        before = after
    assert look(before) == ()


def test_the_block_itself_is_the_first_confirmation() -> None:
    assert [depth_of(5, tip) for tip in (3, 4, 5, 7)] == [0, 0, 1, 3]
