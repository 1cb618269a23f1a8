"""Who signed a transaction, as a real node finds out. Pure."""

import hashlib

from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError
from tronpy.proto import tron_pb2

from wallets.tron.addresses import address_of
from wallets.tron.simulator.refusals import Refused


def check_signatures(whole: tron_pb2.Transaction, owner: bytes) -> None:
    """Raises Refused unless the owner's one key signed, once."""
    if not whole.signature:
        raise signature_error("miss sig or contract")
    if len(whole.signature) > 1:
        raise signature_error(
            f"Signature count is {len(whole.signature)} more than key counts of permission : 1"
        )
    signature = whole.signature[0]
    if len(signature) < 65:
        raise signature_error(f"Signature size is {len(signature)}")
    signer = signer_of(whole.raw_data.SerializeToString(), signature)
    if signer != owner:
        raise signature_error(
            f"{signature.hex()} is signed by {address_of(signer)} but it is not contained of"
            " permission."
        )


def signer_of(raw: bytes, signature: bytes) -> bytes:
    """The account whose key signed these bytes. Raises Refused."""
    recovery = signature[64] - 27 if signature[64] >= 27 else signature[64]
    try:
        recovered = Signature(signature[:64] + bytes((recovery,)))
        key = recovered.recover_public_key_from_msg_hash(hashlib.sha256(raw).digest())
    except (BadSignature, ValidationError) as error:
        raise signature_error("java.lang.IllegalArgumentException: Invalid point") from error
    return b"\x41" + key.to_canonical_address()


def signature_error(text: str) -> Refused:
    """The node's refusal of a signature."""
    return Refused("SIGERROR", f"Validate signature error: {text}")
