"""What a simulated node answers to calls that change nothing. Pure.

Used by the server. Of a real node's answer the unsigned transaction is left out, but for its
result.
"""

from typing import Any, Final

from eth_utils.crypto import keccak
from tronpy.proto import tron_pb2

from wallets.tron.simulator.state import State
from wallets.tron.simulator.tokens import call

BALANCE: Final = bytes.fromhex("70a08231")
ENERGY_BALANCE: Final = 502
REVERTED: Final = b"REVERT opcode executed".hex()
NO_CONTRACT: Final = b"Smart contract is not exist.".hex()


def constant_call(state: State, asked: dict[str, Any]) -> dict[str, Any]:
    """`triggerconstantcontract` on a state."""
    contract = bytes.fromhex(asked.get("contract_address", ""))
    if contract not in state.tokens:
        return {"result": {"code": "CONTRACT_VALIDATE_ERROR", "message": NO_CONTRACT}}
    selector = keccak(str(asked.get("function_selector", "")).encode())[:4]
    data = selector + bytes.fromhex(asked.get("parameter", ""))
    if selector == BALANCE and len(data) == 36:
        held = state.tokens[contract].get(b"\x41" + data[16:], 0)
        return answer("", ENERGY_BALANCE, held.to_bytes(32), 0)
    owner = bytes.fromhex(asked.get("owner_address", ""))
    body = tron_pb2.TriggerSmartContract(owner_address=owner, contract_address=contract, data=data)
    result, energy, returned, _ = call(state, body)
    penalty = energy - energy * 1_000 // state.energy_factor
    return answer("" if result == "SUCCESS" else REVERTED, energy, returned, penalty)


def answer(message: str, energy: int, returned: bytes, penalty: int) -> dict[str, Any]:
    """As a real node words it; zeros are left out."""
    told: dict[str, Any] = {"result": {"result": True}, "energy_used": energy}
    if message:
        told["result"]["message"] = message
    if penalty:
        told["energy_penalty"] = penalty
    told["constant_result"] = [returned.hex()]
    return told | {"transaction": {"ret": [{"ret": "FAILED"} if message else {}]}}
