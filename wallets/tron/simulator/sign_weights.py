"""Answers of a simulated node about who signed a transaction that was not sent yet. Pure."""

from wallets.tron.simulator.json_forms import transaction_from, transaction_json
from wallets.tron.simulator.messages import Json, owner_of
from wallets.tron.simulator.permissions import permission_json
from wallets.tron.simulator.refusals import Refused
from wallets.tron.simulator.signatures import permission_for, signed_with, signer_of
from wallets.tron.simulator.state import State


def sign_weight(state: State, body: Json) -> Json:
    """`getsignweight`: what the signatures count, of what is needed."""
    whole = transaction_from(body)
    told: Json = {"result": {}, "approved_list": [], "transaction": shown(body)}
    try:
        permission = permission_for(state, whole, owner_of(whole))
        told["permission"] = permission_json(permission)
        signed = signed_with(whole, permission)
    except Refused as refusal:
        words = refusal.text.removeprefix("Validate signature error: ")
        return told | {"result": {"code": "PERMISSION_ERROR", "message": words}}
    told["approved_list"] = [signer.hex() for signer in signed.signers]
    if signed.weight:
        told["current_weight"] = signed.weight
    if signed.weight < permission.threshold:
        told["result"] = {"code": "NOT_ENOUGH_PERMISSION"}
    return told


def approved_list(_state: State, body: Json) -> Json:
    """`getapprovedlist`: whoever signed, allowed to or not."""
    whole = transaction_from(body)
    raw = whole.raw_data.SerializeToString()
    try:
        signers = [signer_of(raw, signature).hex() for signature in whole.signature]
    except Refused as refusal:
        return {"result": {"code": "SIGNATURE_FORMAT_ERROR", "message": refusal.text}}
    return {"result": {}, "approved_list": signers, "transaction": shown(body)}


def shown(body: Json) -> Json:
    """The transaction as the node read it."""
    whole = transaction_from(body)
    told = transaction_json(whole)
    told.pop("visible", None)
    return {"result": {"result": True}, "txid": told["txID"], "transaction": told}
