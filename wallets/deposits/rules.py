"""What a movement to an address of ours becomes, and what each new height makes of it. Pure.

For the scan of blocks, which stores what is decided here. It reads no clock, chain or table, and
never decides that a credit is lost: that needs a conflict or an absence, which only a chain shows.
"""

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wallets.contract import Movement
from wallets.deposits import limits
from wallets.states import DepositState


class Reason(enum.StrEnum):
    """Why a deposit is not on its way to a credit."""

    NONE = ""
    UNKNOWN_ASSET = "UNKNOWN_ASSET"
    ZERO_AMOUNT = "ZERO_AMOUNT"
    ADDRESS_NOT_GIVEN_OUT = "ADDRESS_NOT_GIVEN_OUT"
    BELOW_MINIMUM = "BELOW_MINIMUM"
    BELOW_ENGINE_UNIT = "BELOW_ENGINE_UNIT"
    TOO_LARGE = "TOO_LARGE"
    ASSET_SUSPENDED = "ASSET_SUSPENDED"
    IMMATURE = "IMMATURE"


@dataclass(frozen=True, slots=True)
class DepositAsset:
    """What a network's asset says of deposits."""

    decimals: int
    engine_decimals: int
    minimum_atoms: int
    is_suspended: bool


@dataclass(frozen=True, slots=True)
class Units:
    """An amount in the engine's unit, and the chain's atoms that this unit cannot hold."""

    engine_atoms: int
    remainder_atoms: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The first state after `seen` of what arrived, why, and its amount for the engine."""

    state: DepositState
    reason: Reason
    units: Units


@dataclass(frozen=True, slots=True)
class Tier:
    """Depths from above a sum of an account's unfinal deposits of an asset."""

    above_atoms: int
    credit_depth: int
    withdrawable_depth: int


NOTHING = Units(0, 0)
D = DepositState


def to_engine(amount_atoms: int, *, decimals: int, engine_decimals: int) -> Units:
    """Rounds down; no atom is lost between the two parts."""
    if engine_decimals >= decimals:
        return Units(amount_atoms * int(10 ** (engine_decimals - decimals)), 0)
    return Units(*divmod(amount_atoms, int(10 ** (decimals - engine_decimals))))


def judge(movement: Movement, asset: DepositAsset | None, *, account_id: int) -> Verdict:
    """What a movement becomes when its block is seen; `account_id` 0 = a place derived ahead."""
    if movement.amount_atoms <= 0:
        return Verdict(D.IGNORED, Reason.ZERO_AMOUNT, NOTHING)
    if asset is None:
        return Verdict(D.UNCLAIMED, Reason.UNKNOWN_ASSET, NOTHING)
    units = to_engine(
        movement.amount_atoms, decimals=asset.decimals, engine_decimals=asset.engine_decimals
    )
    if units.engine_atoms >> limits.AMOUNT_BITS:
        return Verdict(D.UNCLAIMED, Reason.TOO_LARGE, NOTHING)
    if account_id == 0:
        return Verdict(D.UNCLAIMED, Reason.ADDRESS_NOT_GIVEN_OUT, units)
    if movement.amount_atoms < asset.minimum_atoms:
        return Verdict(D.UNCLAIMED, Reason.BELOW_MINIMUM, units)
    if units.engine_atoms == 0:
        return Verdict(D.UNCLAIMED, Reason.BELOW_ENGINE_UNIT, units)
    # Before suspension: nobody may lift an immature coin out of a hold by hand.
    if movement.is_coinbase:
        return Verdict(D.IMMATURE, Reason.IMMATURE, units)
    if asset.is_suspended:
        return Verdict(D.HELD, Reason.ASSET_SUSPENDED, units)
    return Verdict(D.CONFIRMING, Reason.NONE, units)


def choose_tier(tiers: Sequence[Tier], unfinal_atoms: Iterable[int]) -> Tier:
    """The tier of the sum of all of an account's unfinal deposits, the new one among them.

    Many small deposits wait like one large one. Raises ValueError when no tier covers the sum.
    """
    sum_atoms = sum(unfinal_atoms)
    covering = [tier for tier in tiers if tier.above_atoms < sum_atoms]
    if not covering:
        raise ValueError("no confirmation tier covers the sum")
    return max(covering, key=lambda tier: tier.above_atoms)


def depth_of(block_height: int, tip_height: int) -> int:
    """Confirmations: the block itself is the first."""
    return max(0, tip_height - block_height + 1)


def advance(
    state: DepositState, tier: Tier, *, depth: int, may_credit: bool
) -> tuple[DepositState, ...]:
    """The states that a deposit in a block of the best chain goes through at a depth, in order.

    `may_credit` is false while the asset is suspended or screening has not accepted the deposit:
    what was not credited waits where it is. Each credit is one state of the answer, never skipped:
    its command goes with that change.
    """
    states: list[DepositState] = []
    if state is D.IMMATURE and depth >= limits.COINBASE_DEPTH:
        states.append(state := D.CONFIRMING)
    if state is D.CONFIRMING and may_credit and depth >= tier.credit_depth:
        states.append(state := D.CREDITED)
    if state is D.CREDITED and depth >= tier.withdrawable_depth:
        states.append(state := D.WITHDRAWABLE)
    return tuple(states)
