"""How a busy contract's calls grow dearer: the dynamic energy factor. Pure.

In each round of maintenance in which a contract used more than its share, its factor rises by a
fifth, up to a ceiling; in a quiet round it falls by a twentieth. A real node rounds the penalty per
instruction, so that its sum is a few per cent lower than here.
"""

from dataclasses import replace

from wallets.tron.simulator.parameters import SLOT_MILLISECONDS
from wallets.tron.simulator.state import Contract, State

WHOLE = 10_000
# A quiet round takes a fourth of what a busy one adds.
DECREASE_DIVISION = 4
# From any factor up to the ceiling and back down to none.
ROUNDS_MAX = 64


def cycle_of(state: State, time_ms: int) -> int:
    """The round of maintenance of a time."""
    return time_ms // (SLOT_MILLISECONDS * state.parameters.maintenance_slots)


def current(state: State, key: bytes, time_ms: int) -> Contract:
    """A contract after the rounds that went by."""
    contract, cycle = state.contract(key), cycle_of(state, time_ms)
    factor, is_busy = contract.factor, contract.cycle_energy >= state.parameters.busy_energy
    for _ in range(min(cycle - contract.cycle, ROUNDS_MAX)):
        factor, is_busy = next_factor(state, factor, is_busy=is_busy), False
    energy = contract.cycle_energy if cycle == contract.cycle else 0
    return replace(contract, cycle=cycle, cycle_energy=energy, factor=factor)


def next_factor(state: State, factor: int, *, is_busy: bool) -> int:
    """The factor after one round."""
    increase = state.parameters.factor_increase
    change = WHOLE + increase if is_busy else WHOLE - increase // DECREASE_DIVISION
    return max(0, min(state.parameters.factor_max, (factor + WHOLE) * change // WHOLE - WHOLE))


def penalty_of(state: State, key: bytes, energy: int, time_ms: int) -> int:
    """Energy that a call costs beyond its own."""
    factor = current(state, key, time_ms).factor
    whole = energy * (WHOLE + factor) // WHOLE
    # Of tests, for all contracts alike.
    return whole * state.energy_factor // 1_000 - energy


def count_use(state: State, key: bytes, energy: int, time_ms: int) -> None:
    """Adds a call's own energy to its round."""
    contract = current(state, key, time_ms)
    energy += contract.cycle_energy
    state.contracts[key] = replace(contract, cycle_energy=energy)
