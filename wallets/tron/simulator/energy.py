"""How much energy a call may use, and who pays for what it used. Pure.

Energy of the account's stake, its own or lent to it, is used first; the rest is burned.
"""

from dataclasses import dataclass

from wallets.tron.contracts import Resource
from wallets.tron.simulator.parameters import SLOT_MILLISECONDS
from wallets.tron.simulator.state import State
from wallets.tron.simulator.usage import recovered, used_more


@dataclass(frozen=True, slots=True)
class EnergyBill:
    """Energy that stake gave, and sun that were burned for the rest."""

    usage: int
    fee: int


def energy_left(state: State, owner: bytes, time_ms: int) -> int:
    """Energy of an account's stake that it may use now."""
    holding = state.accounts[owner].energy
    used = recovered(holding, time_ms // SLOT_MILLISECONDS)
    return max(0, state.share(Resource.ENERGY, holding.counted) - used)


def energy_limit(state: State, owner: bytes, fee_limit: int, call_value: int, time_ms: int) -> int:
    """Energy that a call may use: the fee limit caps staked energy as well."""
    price = state.parameters.energy_price
    burnable = max(0, state.accounts[owner].balance - call_value) // price
    return min(energy_left(state, owner, time_ms) + burnable, fee_limit // price)


def pay_energy(state: State, owner: bytes, energy: int, time_ms: int) -> EnergyBill:
    """Uses staked energy and burns for the rest. Raises Refused."""
    usage = min(energy, energy_left(state, owner, time_ms))
    use_energy(state, owner, usage, time_ms)
    fee = (energy - usage) * state.parameters.energy_price
    state.charge(owner, fee)
    return EnergyBill(usage, fee)


def use_energy(state: State, owner: bytes, energy: int, time_ms: int) -> None:
    """Uses energy of an account's stake."""
    holding = state.accounts[owner].energy
    used = used_more(holding, energy, time_ms // SLOT_MILLISECONDS)
    state.change(owner, Resource.ENERGY, used)


def origin_share(state: State, key: bytes, caller: bytes, energy: int, time_ms: int) -> int:
    """Of a call's energy, what the contract's creator gives from stake."""
    contract = state.contract(key)
    creator = contract.creator
    if contract.user_percent >= 100 or creator == caller or creator not in state.accounts:
        return 0
    share = energy * (100 - contract.user_percent) // 100
    return min(share, contract.origin_energy_limit, energy_left(state, creator, time_ms))
