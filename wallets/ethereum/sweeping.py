"""Which deposits are worth gathering now, and which need gas first. Pure.

Called by who sweeps, with what the chain holds. A deposit address is a lane with one key place. A
token there cannot move without ether, so a gas station, a hot lane, sends just what its sweep may
cost. What it sends is an attempt of ours, known by its id, and never a deposit. Deposits below the
minimum stay: whoever sends a thousand single units costs us nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wallets.ethereum.lanes import Lane


@dataclass(frozen=True, slots=True)
class SweepPolicy:
    """What a sweep may cost. Contracts without a minimum are not swept; ether's is of b""."""

    # Highest fee per gas at which sweeps go out; above it they wait for a calmer hour.
    calm_per_gas_atoms: int
    minimum_atoms: Mapping[bytes, int]
    # Of ether: the most of the amount that its sweep may cost.
    cost_percent_max: int = 5
    # Sweeps and top-ups of one round, and wei that the top-ups of one round may send.
    steps_max: int = 16
    top_up_atoms_max: int = 10**18
    # Of a top-up: how much dearer the sweep may become before it is mined.
    bump_room_percent: int = 50
    native_gas: int = 21_000
    token_gas: int = 100_000


@dataclass(frozen=True, slots=True)
class Holding:
    """One asset on one deposit address, with the ether that lies there too."""

    lane: Lane
    contract: bytes
    amount_atoms: int
    native_atoms: int
    # When it lay there.
    height: int = 0


@dataclass(frozen=True, slots=True)
class Sweep:
    """Moves an amount from a deposit address to a hot lane."""

    holding: Holding
    amount_atoms: int
    gas_limit: int


@dataclass(frozen=True, slots=True)
class TopUp:
    """Sends ether to a deposit address, so that its token can move."""

    holding: Holding
    amount_atoms: int


def choose(
    holdings: Sequence[Holding], fee_per_gas_atoms: int, policy: SweepPolicy
) -> list[Sweep | TopUp]:
    """What to do in this round, the most worthwhile first; nothing while gas is dear."""
    if fee_per_gas_atoms > policy.calm_per_gas_atoms:
        return []
    left_atoms = policy.top_up_atoms_max
    found: list[Sweep | TopUp] = []
    worth = [one for one in holdings if is_worth(one, fee_per_gas_atoms, policy)]
    worth.sort(key=lambda one: rank_of(one, policy), reverse=True)
    # Of one address one thing at a time: ether that a token's sweep needs stays where it is.
    busy: set[bytes] = set()
    for holding in sorted(worth, key=lambda one: not one.contract):
        if holding.lane.account in busy or len(found) == policy.steps_max:
            continue
        step = step_of(holding, fee_per_gas_atoms, policy)
        if isinstance(step, TopUp):
            if step.amount_atoms > left_atoms:
                continue
            left_atoms -= step.amount_atoms
        busy.add(holding.lane.account)
        found.append(step)
    return found


def rank_of(holding: Holding, policy: SweepPolicy) -> int:
    """How many times its minimum a holding is."""
    return holding.amount_atoms // max(1, policy.minimum_atoms[holding.contract])


def is_worth(holding: Holding, fee_per_gas_atoms: int, policy: SweepPolicy) -> bool:
    """Whether a holding is above its minimum and above what it costs."""
    minimum_atoms = policy.minimum_atoms.get(holding.contract)
    if minimum_atoms is None or holding.amount_atoms < max(1, minimum_atoms):
        return False
    cost = policy.native_gas * fee_per_gas_atoms
    return bool(holding.contract) or cost * 100 <= holding.amount_atoms * policy.cost_percent_max


def step_of(holding: Holding, fee_per_gas_atoms: int, policy: SweepPolicy) -> Sweep | TopUp:
    """The sweep, or the top-up that comes before it."""
    if not holding.contract:
        cost = policy.native_gas * fee_per_gas_atoms
        return Sweep(holding, holding.amount_atoms - cost, policy.native_gas)
    cost = policy.token_gas * fee_per_gas_atoms
    if holding.native_atoms >= cost:
        return Sweep(holding, holding.amount_atoms, policy.token_gas)
    with_room = cost * (100 + policy.bump_room_percent) // 100
    return TopUp(holding, with_room - holding.native_atoms)
