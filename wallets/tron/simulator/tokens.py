"""Calls of a TRC-20 token with USDT's habits. Pure."""

from dataclasses import replace
from typing import Final

from tronpy.proto import tron_pb2

from wallets.tron.simulator.energy import energy_limit, pay_energy
from wallets.tron.simulator.fees import take_bandwidth, take_memo_fee
from wallets.tron.simulator.parameters import FEE_LIMIT_SUN_MAX
from wallets.tron.simulator.refusals import Invalid
from wallets.tron.simulator.state import TRANSFER, Log, Receipt, State

TOO_LOW: Final = (
    bytes.fromhex("08c379a0")
    + (32).to_bytes(32)
    + (15).to_bytes(32)
    + b"balance too low".ljust(32, b"\0")
)
ENERGY_HELD: Final = 13_664
ENERGY_EMPTY: Final = 28_664
ENERGY_REVERT: Final = 1_005
ENERGY_NO_FUNCTION: Final = 234
# Outcome, energy, returned bytes and events.
Outcome = tuple[str, int, bytes, tuple[Log, ...]]


def trigger(
    state: State, whole: tron_pb2.Transaction, body: tron_pb2.TriggerSmartContract, time_ms: int
) -> Receipt:
    """A call of a token: costs energy whatever comes of it. Raises Refused."""
    owner, limit = body.owner_address, whole.raw_data.fee_limit
    if not 0 <= limit <= FEE_LIMIT_SUN_MAX:
        raise Invalid(f"feeLimit must be >= 0 and <= {FEE_LIMIT_SUN_MAX}")
    if owner not in state.accounts:
        raise Invalid("no OwnerAccount")
    if body.contract_address not in state.tokens:
        raise Invalid("No contract or not a smart contract")
    net = take_bandwidth(state, owner, whole, time_ms)
    memo = take_memo_fee(state, owner, whole)
    most = energy_limit(state, owner, limit, body.call_value, time_ms)
    result, energy, returned, logs = call(state, body)
    if energy > most:
        result, energy, returned, logs = "OUT_OF_ENERGY", most, b"", ()
    if result == "SUCCESS":
        move(state, logs)
    bill = pay_energy(state, owner, energy, time_ms)
    return replace(
        net,
        fee=net.net_fee + memo + bill.fee,
        energy_usage=bill.usage,
        energy_total=energy,
        energy_fee=bill.fee,
        result=result,
        returned=returned,
        token=body.contract_address,
        logs=logs,
    )


def call(state: State, body: tron_pb2.TriggerSmartContract) -> Outcome:
    """What a call would do; changes nothing."""
    data, holders = body.data, state.tokens[body.contract_address]
    if data[:4] != TRANSFER or len(data) != 68:
        return "REVERT", factored(state, ENERGY_NO_FUNCTION), b"", ()
    to, amount = b"\x41" + data[16:36], int.from_bytes(data[36:])
    if holders.get(body.owner_address, 0) < amount:
        return "REVERT", factored(state, ENERGY_REVERT), TOO_LOW, ()
    # Storage that leaves zero costs more; a transfer of nothing writes nothing new.
    costs_more = bool(amount) and not holders.get(to)
    energy = ENERGY_EMPTY if costs_more else ENERGY_HELD
    log = Log(body.contract_address, body.owner_address, to, amount)
    # USDT's habit: the word returned is false although the transfer succeeded.
    return "SUCCESS", factored(state, energy), bytes(32), (log,)


def factored(state: State, energy: int) -> int:
    """Energy under the dynamic factor."""
    return energy * state.energy_factor // 1_000


def move(state: State, logs: tuple[Log, ...]) -> None:
    """Books the events of a call."""
    for log in logs:
        holders = state.tokens[log.token]
        holders[log.sender] = holders.get(log.sender, 0) - log.amount
        holders[log.receiver] = holders.get(log.receiver, 0) + log.amount
