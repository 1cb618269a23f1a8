"""How much is staked, and what is taken back."""

from hypothesis import given
from hypothesis import strategies as st

from wallets.tron.staking import (
    STEP_SUN_LEAST,
    Change,
    Decision,
    Stake,
    StakePolicy,
    decide,
    decide_loan,
)

TRX = 10**6
NOW_MS = 1_795_354_200_000
LIFE_MS = 300_000
WAIT_MS = 14 * 24 * 3_600_000
POLICY = StakePolicy(kept_sun=100 * TRX, sun_max=10_000 * TRX)
NONE = Stake(0, 0, ())


def due(stake: Stake, *, balance: int = 10**6 * TRX, needed: int = 0) -> Decision | None:
    return decide(
        stake, POLICY, balance_sun=balance, needed_sun=needed, now_ms=NOW_MS, life_ms=LIFE_MS
    )


def change(stake: Stake, *, balance: int = 10**6 * TRX, needed: int = 0) -> tuple[str, int] | None:
    found = due(stake, balance=balance, needed=needed)
    return None if found is None else (found.change.value, found.amount_sun)


def test_stake_follows_the_need_between_its_bounds_and_never_chases_it() -> None:
    needed = 1_000 * TRX
    assert change(NONE) is None
    assert change(NONE, needed=needed) == ("stake", needed)
    assert change(NONE, needed=10**6 * TRX) == ("stake", POLICY.sun_max)
    assert change(NONE, needed=needed, balance=600 * TRX) == ("stake", 500 * TRX)
    assert change(NONE, needed=needed, balance=100 * TRX) is None
    assert change(Stake(950 * TRX, 950 * TRX, ()), needed=needed) is None
    assert change(Stake(1_500 * TRX, 1_500 * TRX, ()), needed=needed) is None
    assert change(Stake(1_600 * TRX, 1_600 * TRX, ()), needed=needed) == ("unstake", 600 * TRX)
    # What is lent stays until it is taken back.
    assert change(Stake(1_600 * TRX, 50 * TRX, ()), needed=needed) == ("unstake", 50 * TRX)
    assert change(Stake(1_600 * TRX, 0, ()), needed=needed) is None


def test_what_has_waited_is_taken_once_and_alone() -> None:
    ripe = (5 * TRX, NOW_MS)
    assert change(Stake(0, 0, (ripe, (7 * TRX, NOW_MS - 1)))) == ("unstaked", 12 * TRX)
    assert change(Stake(0, 0, (ripe, (7 * TRX, NOW_MS + LIFE_MS)))) is None
    later = (7 * TRX, NOW_MS + LIFE_MS + 1)
    assert change(Stake(0, 0, (ripe, later))) == ("unstaked", 5 * TRX)
    # An unstaking takes along what is ripe: none begins while one is under way.
    assert change(Stake(1_600 * TRX, 1_600 * TRX, (later,))) is None


@given(
    st.integers(0, 10**11),
    st.integers(0, 10**11),
    st.integers(0, 10**11),
    st.integers(0, 10**11),
)
def test_a_few_changes_come_to_rest_within_the_bounds(
    staked_sun: int, lent_sun: int, balance_sun: int, needed_sun: int
) -> None:
    staked_sun += lent_sun
    whole_sun, stake, now_ms = (
        staked_sun + balance_sun,
        Stake(staked_sun, staked_sun - lent_sun, ()),
        0,
    )
    for _ in range(6):
        found = decide(
            stake,
            POLICY,
            balance_sun=balance_sun,
            needed_sun=needed_sun,
            now_ms=now_ms,
            life_ms=LIFE_MS,
        )
        if found is None:
            break
        amount_sun = found.amount_sun
        assert amount_sun >= STEP_SUN_LEAST
        own_sun = stake.free_sun
        if found.change is Change.STAKE:
            balance_sun -= amount_sun
            assert balance_sun >= POLICY.kept_sun
            stake = Stake(stake.staked_sun + amount_sun, own_sun + amount_sun, stake.leaving)
            assert stake.staked_sun <= POLICY.sun_max
        elif found.change is Change.UNSTAKE:
            assert amount_sun <= own_sun
            leaving = ((amount_sun, now_ms + WAIT_MS),)
            stake = Stake(stake.staked_sun - amount_sun, own_sun - amount_sun, leaving)
            now_ms += WAIT_MS
        else:
            balance_sun += amount_sun
            stake = Stake(stake.staked_sun, own_sun, ())
    else:
        raise AssertionError("it never comes to rest")
    leaving_sun = sum(sun for sun, _ in stake.leaving)
    assert stake.staked_sun + leaving_sun + balance_sun == whole_sun


def loan(
    lent_sun: int, wanted_sun: int, lendable_sun: int, free_sun: int
) -> tuple[str, int] | None:
    found = decide_loan(
        lent_sun=lent_sun, free_sun=free_sun, wanted_sun=wanted_sun, lendable_sun=lendable_sun
    )
    return None if found is None else (found.change.value, found.amount_sun)


def test_the_hot_account_is_lent_what_its_payouts_need_and_no_more() -> None:
    hundred = 100 * TRX
    cases = [
        ((0, hundred, 10**12, 0), ("standing_loan", hundred)),
        ((0, hundred, 50 * TRX, 0), ("standing_loan", 50 * TRX)),
        ((0, hundred, 9 * TRX, 0), None),
        ((95 * TRX, hundred, 10**12, 95 * TRX), None),
        ((150 * TRX, hundred, 10**12, 150 * TRX), None),
        ((151 * TRX, hundred, 10**12, 151 * TRX), ("standing_reclaim", 51 * TRX)),
        # Under a lock it waits.
        ((151 * TRX, hundred, 10**12, 0), None),
        ((5 * TRX, 0, 10**12, 5 * TRX), ("standing_reclaim", 5 * TRX)),
        ((0, 0, 10**12, 0), None),
    ]
    for given_, wanted in cases:
        assert loan(*given_) == wanted, given_


@given(*[st.integers(0, 10**10)] * 4)
def test_loans_to_the_hot_account_come_to_rest(
    lent_sun: int, wanted_sun: int, lendable_sun: int, locked_sun: int
) -> None:
    for _ in range(3):
        free_sun = max(0, lent_sun - locked_sun)
        found = decide_loan(
            lent_sun=lent_sun, free_sun=free_sun, wanted_sun=wanted_sun, lendable_sun=lendable_sun
        )
        if found is None:
            return
        sign = 1 if found.change is Change.LOAN else -1
        assert 0 < found.amount_sun <= (lendable_sun if sign > 0 else free_sun)
        lent_sun += sign * found.amount_sun
        lendable_sun -= sign * found.amount_sun
    raise AssertionError("it never comes to rest")
