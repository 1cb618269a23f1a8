"""The same internal transaction at a higher price, in place of one that nobody mines. Pure.

Called by the adapter. What is moved, and where to, is copied from the earlier plan; the signer
checks it again.
"""

from cambist.internal.signer.v1 import intent_pb2
from wallets.contract import Plan
from wallets.errors import Condition, Stuck
from wallets.ethereum.fees import Fees
from wallets.ethereum.transactions import Signed, payment_of


def payable_per_gas(signed: Signed, balance_atoms: int) -> int:
    """The most that the account can offer for one gas; ether that it sends is its own to cut."""
    is_ether = not signed.data
    kept = 1 if is_ether and signed.value_atoms else 0
    return (balance_atoms - kept) // signed.gas_limit


def dearer(
    intent_id: bytes, before: Plan, signed: Signed, fees: Fees, balance_atoms: int
) -> tuple[Plan, int]:
    """The plan, and the atoms that it moves. Raises Stuck when nothing would be left to move.

    Ether that left nothing behind moves less, by what its gas costs more.
    """
    fee_atoms_max = signed.gas_limit * fees.max_fee_per_gas_atoms
    intent = intent_pb2.Intent.FromString(before.intent)
    intent.intent_id = intent_id
    message = intent.ethereum
    message.max_fee_per_gas_atoms = str(fees.max_fee_per_gas_atoms)
    message.max_priority_fee_per_gas_atoms = str(fees.priority_fee_per_gas_atoms)
    payment = payment_of(signed)
    amount_atoms = 0 if payment is None else payment[2]
    if not signed.data and signed.value_atoms:
        amount_atoms = min(signed.value_atoms, balance_atoms - fee_atoms_max)
        if amount_atoms < 1:
            raise Stuck(Condition.AT_CEILING, "its gas would cost all that it moves")
        message.value_atoms = str(amount_atoms)
    content = intent.SerializeToString(deterministic=True)
    return Plan(intent_id, content, (signed.anchor,), fee_atoms_max), amount_atoms
