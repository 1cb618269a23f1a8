"""A contract that pays the TRX of a call on to an account, as an internal transaction. Pure.

No `TransferContract` shows such a payment: a wallet finds it in `internal_transactions` or not at
all.
"""

from typing import Final

from tronpy.proto import tron_pb2

from wallets.tron.simulator.state import Internal, State
from wallets.tron.simulator.tokens import (
    ENERGY_NO_FUNCTION,
    Outcome,
    account,
    refusal,
    reverted,
    selector,
)
from wallets.tron.simulator.transfers import activate

PAY: Final = selector("pay(address)")
FAIL: Final = selector("fail()")
BAD: Final = selector("bad()")
ENERGY_PAY: Final = 7_092
ENERGY_NEW_ACCOUNT: Final = 25_000
# What a failed `assert` returns.
PANIC: Final = bytes.fromhex("4e487b71") + (1).to_bytes(32)


def call_paying(state: State, body: tron_pb2.TriggerSmartContract, time_ms: int) -> Outcome:
    """One call; the TRX of it is already the contract's."""
    function, amount = body.data[:4], body.call_value
    if function == PAY and len(body.data) == 36:
        to = account(body.data[4:])
        energy = ENERGY_PAY + (0 if to in state.accounts else ENERGY_NEW_ACCOUNT)
        activate(state, to, time_ms)
        state.charge(body.contract_address, amount)
        state.pay(to, amount)
        paid = Internal(body.contract_address, to, amount)
        return Outcome("SUCCESS", energy, internals=(paid,))
    if function == FAIL:
        return refusal("always fails", 242)
    if function == BAD:
        return reverted(171, PANIC)
    return reverted(ENERGY_NO_FUNCTION)
