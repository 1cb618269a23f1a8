"""Who signed a transaction, and whether that is enough, as a real node finds out. Pure."""

import hashlib
from dataclasses import dataclass

from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError
from tronpy.proto import tron_pb2

from wallets.tron.addresses import address_of
from wallets.tron.simulator.permissions import Permission, of_one_key
from wallets.tron.simulator.refusals import Refused
from wallets.tron.simulator.state import State


@dataclass(frozen=True, slots=True)
class Signed:
    """Accounts whose keys signed, in order, and what they count together."""

    signers: tuple[bytes, ...]
    weight: int


def check_signatures(state: State, whole: tron_pb2.Transaction, owner: bytes) -> None:
    """Raises Refused unless keys of the permission that is named signed, and enough of them."""
    if not whole.signature:
        raise signature_error("miss sig or contract")
    permission = permission_for(state, whole, owner)
    if signed_with(whole, permission).weight < permission.threshold:
        raise signature_error("sig error")


def permission_for(state: State, whole: tron_pb2.Transaction, owner: bytes) -> Permission:
    """The permission that a transaction names. Raises Refused."""
    contract = whole.raw_data.contract[0]
    account = state.accounts.get(owner)
    permissions = (account and account.permissions) or of_one_key(owner)
    permission = permissions.find(contract.Permission_id)
    if permission is None:
        raise signature_error("permission isn't exit")
    if not permission.allows(contract.type):
        raise signature_error("Permission denied")
    return permission


def signed_with(whole: tron_pb2.Transaction, permission: Permission) -> Signed:
    """Who of a permission signed. Raises Refused for a stranger, or the same key twice."""
    if len(whole.signature) > len(permission.keys):
        raise signature_error(
            f"Signature count is {len(whole.signature)} more than key counts of permission :"
            f" {len(permission.keys)}"
        )
    raw = whole.raw_data.SerializeToString()
    signers: list[bytes] = []
    for signature in whole.signature:
        if len(signature) < 65:
            raise signature_error(f"Signature size is {len(signature)}")
        signer = signer_of(raw, signature)
        if not permission.weight(signer):
            raise signature_error(
                f"{signature.hex()} is signed by {address_of(signer)} but it is not contained of"
                " permission."
            )
        if signer in signers:
            raise signature_error(f"{address_of(signer)} has signed twice!")
        signers.append(signer)
    return Signed(tuple(signers), sum(permission.weight(signer) for signer in signers))


def signer_of(raw: bytes, signature: bytes) -> bytes:
    """The account whose key signed these bytes. Raises Refused."""
    recovery = signature[64] - 27 if signature[64] >= 27 else signature[64]
    try:
        recovered = Signature(signature[:64] + bytes((recovery,)))
        key = recovered.recover_public_key_from_msg_hash(hashlib.sha256(raw).digest())
    except (BadSignature, ValidationError) as error:
        words = "java.lang.IllegalArgumentException: Invalid point compression"
        raise signature_error(words) from error
    return b"\x41" + key.to_canonical_address()


def signature_error(text: str) -> Refused:
    """The node's refusal of a signature."""
    return Refused("SIGERROR", f"Validate signature error: {text}")
