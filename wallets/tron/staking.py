"""How much TRX of the station is staked for energy, and how much of it the hot account uses. Pure.

Called by `gathering` once a round, and by `python -m wallets.tron.plan`. Both follow what the
busiest of the last days needed, between the operator's bounds, and are changed only by what is
worth a transaction. One part at a time is on its way back, so that what a withdrawal brings is
known to the sun before it is signed.
"""

import enum
from dataclasses import dataclass
from typing import Final

# Least that the chain stakes or lends.
STEP_SUN_LEAST: Final = 1_000_000
# Stake grows by no less than a tenth of what is wanted, and shrinks when half too much is there.
GROWTH_PART: Final = 10
EXCESS_PERCENT: Final = 150
PERCENT: Final = 100


class Change(enum.StrEnum):
    """One transaction; the names are those of attempts."""

    STAKE = "stake"
    # Begins the waiting time of fourteen days.
    UNSTAKE = "unstake"
    # Takes what has waited.
    WITHDRAWAL = "unstaked"
    # Energy of the stake for the hot account, ahead of its payouts.
    LOAN = "standing_loan"
    RECALL = "standing_reclaim"


@dataclass(frozen=True, slots=True)
class StakePolicy:
    """All in sun; `kept_sun` stays free for top-ups and bytes."""

    kept_sun: int
    sun_max: int
    sun_min: int = 0


@dataclass(frozen=True, slots=True)
class Stake:
    """What an account has staked for energy, as the chain holds it."""

    # Its own and what is lent.
    staked_sun: int
    # Not lent, so that it can be taken back.
    free_sun: int
    # On its way back: sun, and from when on it can be taken, in milliseconds.
    leaving: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do now, and why."""

    change: Change
    amount_sun: int
    why: str


def decide(
    stake: Stake,
    policy: StakePolicy,
    *,
    balance_sun: int,
    needed_sun: int,
    now_ms: int,
    life_ms: int,
) -> Decision | None:
    """The change that is due; None = all is as it should be, or must wait.

    `needed_sun` is the stake whose energy of a day covers the need; a transaction may be mined up
    to `life_ms` from now.
    """
    ripe_sun = sum(sun for sun, from_ms in stake.leaving if from_ms <= now_ms)
    if ripe_sun:
        # What ripens until the block would come along, and the book would not know.
        if any(now_ms < from_ms <= now_ms + life_ms for _, from_ms in stake.leaving):
            return None
        return Decision(Change.WITHDRAWAL, ripe_sun, f"{ripe_sun} sun have waited long enough")
    wanted_sun = min(max(needed_sun, policy.sun_min), policy.sun_max)
    words = f"{stake.staked_sun} sun are staked, {wanted_sun} wanted"
    missing_sun = wanted_sun - stake.staked_sun
    if missing_sun > 0:
        amount_sun = min(missing_sun, balance_sun - policy.kept_sun)
        if amount_sun < STEP_SUN_LEAST or amount_sun * GROWTH_PART < wanted_sun:
            return None
        return Decision(Change.STAKE, amount_sun, words)
    if stake.leaving or stake.staked_sun * PERCENT <= wanted_sun * EXCESS_PERCENT:
        return None
    amount_sun = min(-missing_sun, stake.free_sun)
    if amount_sun < STEP_SUN_LEAST:
        return None
    return Decision(Change.UNSTAKE, amount_sun, words)


def decide_loan(
    *, lent_sun: int, free_sun: int, wanted_sun: int, lendable_sun: int
) -> Decision | None:
    """The change of what the hot account is lent; None = it is as it should be, or must wait.

    Of `lent_sun` what is in `free_sun` could be taken back now; `lendable_sun` could be lent.
    """
    words = f"{lent_sun} sun are lent to the hot account, {wanted_sun} wanted"
    more_sun = min(wanted_sun - lent_sun, lendable_sun)
    if more_sun >= STEP_SUN_LEAST and more_sun * GROWTH_PART >= wanted_sun:
        return Decision(Change.LOAN, more_sun, words)
    less_sun = min(lent_sun - wanted_sun, free_sun)
    if less_sun > 0 and lent_sun * PERCENT > wanted_sun * EXCESS_PERCENT:
        return Decision(Change.RECALL, less_sun, words)
    return None
