"""A child that pays for its parent: change of a transaction that nobody mines, spent dearly. Pure.

Called by the treasury's plans when a payout's fee cannot be raised any more. The child pays only
us. Both together reach the rate that is asked for, and no more; it never goes above the ceiling.
"""

from dataclasses import dataclass

from cambist.internal.signer.v1 import intent_pb2
from wallets.bitcoin import planning
from wallets.bitcoin.coin_selection import fee_of
from wallets.bitcoin.coins import OwnCoin
from wallets.bitcoin.planning import Place
from wallets.contract import Plan

CHILD_WEIGHT = planning.FRAME_WEIGHT + planning.INPUT_WEIGHT + planning.CHANGE_WEIGHT


@dataclass(frozen=True, slots=True)
class Parent:
    """What a node's pool knows of the transaction, with all before it that is unmined."""

    weight: int
    fee_atoms: int
    # 1 = nothing in the pool spends it.
    with_descendants: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """Satoshi per 1,000 virtual bytes that are wanted and the most, and the most in satoshi."""

    rate: int
    ceiling_rate: int
    fee_atoms_max: int


def fee_of_child(parent: Parent, bounds: Bounds) -> int:
    """What the child pays, in satoshi; 0 = it would not help, or may not."""
    rate = min(bounds.rate, bounds.ceiling_rate)
    missing = fee_of(parent.weight + CHILD_WEIGHT, rate) - parent.fee_atoms
    # Nothing is missing when the child alone pays the rate: then the parent pays it too.
    if parent.with_descendants > 1 or missing <= fee_of(CHILD_WEIGHT, rate):
        return 0
    return missing if missing <= bounds.fee_atoms_max else 0


def plan_child(
    intent_id: bytes, network_id: int, coin: OwnCoin, fee_atoms: int, change: Place
) -> tuple[Plan, int] | None:
    """The child, and what it leaves; None when that would be dust."""
    left_atoms = coin.amount_atoms - fee_atoms
    if left_atoms < planning.CHANGE_DUST_ATOMS:
        return None
    intent = intent_pb2.Intent(
        intent_id=intent_id, kind=intent_pb2.INTENT_KIND_INTERNAL, network_id=network_id
    )
    intent.bitcoin.version = 2
    planning.add_inputs(intent.bitcoin, [coin])
    key = intent_pb2.KeyPlace(branch=change.branch, index=change.index)
    intent.bitcoin.outputs.add(amount_atoms=left_atoms, key=key)
    content = intent.SerializeToString(deterministic=True)
    return Plan(intent_id, content, (coin.outpoint,), fee_atoms), left_atoms
