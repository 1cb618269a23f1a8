"""A call of a contract: its limits, what it comes to, and who pays for it. Pure.

A call that fails is in a block like any other and is charged. Nothing here runs code: the contracts
of the simulator are Python.
"""

from dataclasses import dataclass, replace

from tronpy.proto import tron_pb2

from wallets.tron.simulator.dynamic_factor import count_use, penalty_of
from wallets.tron.simulator.energy import (
    EnergyBill,
    energy_limit,
    origin_share,
    pay_energy,
    use_energy,
)
from wallets.tron.simulator.fees import take_fees
from wallets.tron.simulator.parameters import FEE_LIMIT_SUN_MAX
from wallets.tron.simulator.paying_contract import call_paying
from wallets.tron.simulator.refusals import Invalid
from wallets.tron.simulator.state import Account, Receipt, State
from wallets.tron.simulator.tokens import Outcome, call_token


@dataclass(frozen=True, slots=True)
class Ran:
    """A call with the energy that it costs at a time, penalty included."""

    outcome: Outcome
    energy: int
    penalty: int


def trigger(
    state: State, whole: tron_pb2.Transaction, body: tron_pb2.TriggerSmartContract, time_ms: int
) -> Receipt:
    """`TriggerSmartContract`. Raises Refused."""
    owner, key, limit = body.owner_address, body.contract_address, whole.raw_data.fee_limit
    if not 0 <= limit <= FEE_LIMIT_SUN_MAX:
        raise Invalid(f"feeLimit must be >= 0 and <= {FEE_LIMIT_SUN_MAX}")
    if owner not in state.accounts:
        raise Invalid("no OwnerAccount")
    if not state.is_contract(key):
        raise Invalid("No contract or not a valid smart contract")
    net = take_fees(state, owner, whole, time_ms)
    most = energy_limit(state, owner, limit, body.call_value, time_ms)
    trial = state.copy()
    ran = run(trial, body, time_ms)
    origin = origin_share(state, key, owner, ran.energy, time_ms)
    if ran.energy - origin > most:
        ran = out_of_energy(ran, most + origin)
    if ran.outcome.result == "SUCCESS":
        state.take_over(trial)
    bill = pay(state, owner, key, ran.energy, origin, time_ms)
    count_use(state, key, ran.energy - ran.penalty, time_ms)
    return replace(
        net,
        fee=net.fee + bill.fee,
        energy_usage=bill.usage,
        energy_total=ran.energy,
        energy_fee=bill.fee,
        energy_penalty=ran.penalty,
        origin_energy_usage=origin,
        result=ran.outcome.result,
        returned=ran.outcome.returned,
        token=key,
        logs=ran.outcome.logs,
        internals=ran.outcome.internals,
        message=ran.outcome.message,
    )


def pay(
    state: State, owner: bytes, key: bytes, energy: int, origin: int, time_ms: int
) -> EnergyBill:
    """The creator gives its part from stake, the caller the rest. Raises Refused."""
    if origin:
        use_energy(state, state.contract(key).creator, origin, time_ms)
    return pay_energy(state, owner, energy - origin, time_ms)


def run(state: State, body: tron_pb2.TriggerSmartContract, time_ms: int) -> Ran:
    """Runs a call on this state, which is to be dropped when it fails."""
    key, contract = body.contract_address, state.contract(body.contract_address)
    if contract.pays_out:
        state.accounts.setdefault(key, Account(0, time_ms))
        if body.call_value:
            state.charge(body.owner_address, body.call_value)
            state.pay(key, body.call_value)
        outcome = call_paying(state, body, time_ms)
    else:
        outcome = call_token(state, body)
    penalty = penalty_of(state, key, outcome.energy, time_ms)
    return Ran(outcome, outcome.energy + penalty, penalty)


def out_of_energy(ran: Ran, most: int) -> Ran:
    """What a call comes to that its limit does not cover: all of the limit is charged."""
    step, cost, used = ("PUSH1", 3, 0) if most < 3 else ("SSTORE", next_cost(ran), 6_647)
    words = (
        f"Not enough energy for '{step}' operation executing: curInvokeEnergyLimit[{most}],"
        f" curOpEnergy[{cost}], usedEnergy[{used}]"
    )
    return Ran(Outcome("OUT_OF_ENERGY", most, message=words), most, min(ran.penalty, most))


def next_cost(ran: Ran) -> int:
    """Energy of writing the receiver's balance: dearer where none was."""
    return 20_000 if ran.energy - ran.penalty > 20_000 else 5_000
