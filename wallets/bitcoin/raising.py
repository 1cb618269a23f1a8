"""A transfer of our own at a higher fee, in place of one that nobody mines. Pure.

Called by the adapter for children and every other transfer of the venue's. Inputs and payments are
those of the earlier plan, so that at most one of the two is ever mined; what it costs more is taken
from what comes back to us. With all that it waits for it reaches the rate that is asked for, never
the ceiling's, and its fee stays within what a transfer may cost.
"""

from dataclasses import dataclass
from typing import Final

from cambist.internal.signer.v1 import intent_pb2
from wallets.bitcoin import planning
from wallets.bitcoin.coin_selection import fee_of
from wallets.bitcoin.replacement import INCREMENT_RATE
from wallets.contract import Plan
from wallets.errors import Condition, Stuck
from wallets.treasury.bounds import fee_atoms_max

# A signature may come out longer than the one before it.
SIGNATURE_WEIGHT_SLACK: Final = 2


@dataclass(frozen=True, slots=True)
class Waiting:
    """A transaction in a node's pool: its own weight, and weight and satoshi of its whole line."""

    own_weight: int
    line_weight: int
    line_fee_atoms: int


def raise_fee(
    intent_id: bytes, before: Plan, waiting: Waiting, rate: int, ceiling_rate: int
) -> tuple[Plan, int] | None:
    """The dearer plan, and the satoshi that it moves; None when what is in the pool pays enough.

    Rates are satoshi per 1,000 virtual bytes. Raises Stuck(AT_CEILING).
    """
    missing = fee_of(waiting.line_weight, min(rate, ceiling_rate)) - waiting.line_fee_atoms
    if missing <= 0:
        return None
    intent = intent_pb2.Intent.FromString(before.intent)
    intent.intent_id = intent_id
    inputs, outputs = intent.bitcoin.inputs, intent.bitcoin.outputs
    weight = waiting.own_weight + SIGNATURE_WEIGHT_SLACK * len(inputs)
    # What a node asks of a replacement for its own relay.
    more = max(missing, fee_of(weight, INCREMENT_RATE))
    held = sum(one.amount_atoms for one in inputs)
    fee = held - sum(one.amount_atoms for one in outputs) + more
    if waiting.line_fee_atoms + more > fee_of(waiting.line_weight, ceiling_rate):
        raise Stuck(Condition.AT_CEILING, f"{more} satoshi more are above the highest rate")
    if fee > fee_atoms_max(held):
        raise Stuck(Condition.AT_CEILING, f"{fee} satoshi of {held} are above a transfer's share")
    change = max(
        (one for one in outputs if one.HasField("key")),
        key=lambda one: one.amount_atoms,
        default=None,
    )
    if change is None or change.amount_atoms - more < planning.CHANGE_DUST_ATOMS:
        raise Stuck(Condition.AT_CEILING, f"nothing comes back that could pay {more} satoshi more")
    change.amount_atoms -= more
    listed = sum(one.amount_atoms for one in outputs if not one.HasField("key"))
    content = intent.SerializeToString(deterministic=True)
    names = tuple(f"{one.txid}:{one.index}" for one in inputs)
    return Plan(intent_id, content, names, fee), listed or change.amount_atoms
