"""What a simulated node answers to calls that change nothing. Pure; used by the server."""

from typing import Any, Final

from tronpy.proto import tron_pb2

from wallets.tron.simulator.dynamic_factor import current, cycle_of
from wallets.tron.simulator.json_forms import log_json
from wallets.tron.simulator.messages import Json
from wallets.tron.simulator.stake_reads import without_zeros
from wallets.tron.simulator.state import State
from wallets.tron.simulator.tokens import selector
from wallets.tron.simulator.vm import Ran, run

NO_CONTRACT: Final = b"Smart contract is not exist.".hex()
MISSING: Final = {"result": {"code": "CONTRACT_VALIDATE_ERROR", "message": NO_CONTRACT}}
# A real node searches the limit by halving; it finds so much for what uses four fifths of it.
SEARCH_FIFTHS: Final = 4


def call_of(asked: dict[str, Any]) -> tron_pb2.TriggerSmartContract:
    """The call that a request describes. Raises ValueError."""
    data = bytes.fromhex(asked.get("data") or asked.get("parameter") or "")
    function = str(asked.get("function_selector") or "")
    return tron_pb2.TriggerSmartContract(
        owner_address=bytes.fromhex(asked.get("owner_address", "")),
        contract_address=bytes.fromhex(asked.get("contract_address", "")),
        data=selector(function) + data if function else data,
        call_value=int(asked.get("call_value") or 0),
    )


def constant_call(state: State, asked: Json, time_ms: int) -> Json:
    """`triggerconstantcontract` on a state."""
    body = call_of(asked)
    if not state.is_contract(body.contract_address):
        return MISSING
    return answer(run(state.copy(), body, time_ms))


def estimate(state: State, asked: Json, time_ms: int) -> Json:
    """`estimateenergy`: more than a call uses, as a real node finds it."""
    body = call_of(asked)
    if not state.is_contract(body.contract_address):
        return MISSING
    ran = run(state.copy(), body, time_ms)
    if ran.outcome.result != "SUCCESS":
        message = ran.outcome.message.encode().hex()
        return {"result": {"code": "CONTRACT_EXE_ERROR", "message": message}}
    required = ran.energy * (SEARCH_FIFTHS + 1) // SEARCH_FIFTHS
    return {"result": {"result": True}, "energy_required": required}


def answer(ran: Ran) -> Json:
    """As a real node words it; zeros are left out."""
    outcome = ran.outcome
    told: Json = {"result": {"result": True}, "energy_used": ran.energy}
    if outcome.message:
        told["result"]["message"] = outcome.message.encode().hex()
    if outcome.logs:
        told["logs"] = [log_json(log) for log in outcome.logs]
    if ran.penalty:
        told["energy_penalty"] = ran.penalty
    told["constant_result"] = [outcome.returned.hex()]
    return told | {"transaction": {"ret": [{"ret": "FAILED"} if outcome.message else {}]}}


def contract_info(state: State, asked: Json, time_ms: int) -> Json:
    """`getcontractinfo`: how busy a contract was, and what its calls cost beyond."""
    key = bytes.fromhex(asked.get("value", ""))
    if not state.is_contract(key):
        return {}
    contract = current(state, key, time_ms)
    told = {
        "energy_usage": contract.cycle_energy,
        "energy_factor": contract.factor,
        "update_cycle": cycle_of(state, time_ms),
    }
    return {"contract_state": without_zeros(told)}
