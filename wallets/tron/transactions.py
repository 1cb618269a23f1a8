"""Builds and hashes TRON's transactions here; no byte and no id of a node is ever signed.

Called by the adapter and by the signer's rebuilder. Pure: the chain's clock and the reference block
are passed in. The reference (TAPOS) is a solid block, so that no fork can void a payout; the
expiration counts from the chain's clock, because the host's may be wrong. TRON has no nonce: two
equal payouts differ by their timestamp alone, which `next_timestamp_ms` never gives twice.
"""

import hashlib
from dataclasses import dataclass

from google.protobuf.any_pb2 import Any
from google.protobuf.message import DecodeError
from tronpy.proto import tron_pb2

from wallets.contract import BlockRef, TransactionId
from wallets.errors import Rejected
from wallets.tron.contracts import TYPE_URL, Contract, Trigger, contract_of, message_of
from wallets.tron.limits import (
    EXPIRATION_MILLISECONDS_MAX,
    FEE_LIMIT_SUN_MAX,
    MEMO_BYTES_MAX,
    PERMISSION_ID_MAX,
    RAW_BYTES_MAX,
    REFERENCE_AGE_BLOCKS_MAX,
    TIMESTAMP_LEAD_MILLISECONDS_MAX,
)

ContractType = tron_pb2.Transaction.Contract.ContractType


@dataclass(frozen=True, slots=True)
class Reference:
    """The block that a transaction names: it is void on a chain without it."""

    # Low two bytes of the height.
    height_bytes: bytes
    # Bytes 8 to 16 of the block's hash.
    hash_bytes: bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """All that decides the bytes of a transaction. Times are milliseconds of the chain's clock."""

    contract: Contract
    reference: Reference
    timestamp_ms: int
    expiration_ms: int
    # Highest burn for energy; above 0 for calls, even with energy at hand, else 0.
    fee_limit_sun: int = 0
    memo: bytes = b""
    # 0 is the owner's permission.
    permission_id: int = 0


def reference_of(solid: BlockRef, head_height: int) -> Reference:
    """TAPOS of a solid block. Raises Rejected when the block is malformed or too old to count."""
    if not 0 <= head_height - solid.height <= REFERENCE_AGE_BLOCKS_MAX:
        raise Rejected("REFERENCE_TOO_OLD", f"block {solid.height} at head {head_height}")
    try:
        block_hash = bytes.fromhex(solid.block_hash)
    except ValueError as error:
        raise Rejected("MALFORMED", "block hash") from error
    # The id of a block begins with its height: a node that mixes blocks up is found here.
    if len(block_hash) != 32 or block_hash[:8] != solid.height.to_bytes(8):
        raise Rejected("MALFORMED", f"the hash is not that of block {solid.height}")
    return Reference(block_hash[6:8], block_hash[8:16])


def next_timestamp_ms(chain_time_ms: int, last_ms: int) -> int:
    """A timestamp later than every one given before, for distinct ids. Raises Rejected.

    `last_ms` is the last one of this account, kept with the attempt in one database transaction.
    """
    timestamp_ms = max(chain_time_ms, last_ms + 1)
    if timestamp_ms - chain_time_ms > TIMESTAMP_LEAD_MILLISECONDS_MAX:
        raise Rejected("TOO_MANY_PAYOUTS", "timestamps run too far ahead of the chain's clock")
    return timestamp_ms


def build(plan: Plan, chain_time_ms: int) -> bytes:
    """The bytes to hash and sign (`raw_data`). Raises Rejected by name."""
    check_plan(plan, chain_time_ms)
    name, message = message_of(plan.contract)
    parameter = Any(type_url=TYPE_URL + name, value=message.SerializeToString(deterministic=True))
    contract = tron_pb2.Transaction.Contract(
        type=ContractType.Value(name), parameter=parameter, Permission_id=plan.permission_id
    )
    raw = tron_pb2.Transaction.raw(
        ref_block_bytes=plan.reference.height_bytes,
        ref_block_hash=plan.reference.hash_bytes,
        expiration=plan.expiration_ms,
        data=plan.memo,
        contract=[contract],
        timestamp=plan.timestamp_ms,
        fee_limit=plan.fee_limit_sun,
    )
    return bytes(raw.SerializeToString(deterministic=True))


def check_plan(plan: Plan, chain_time_ms: int) -> None:
    """Raises Rejected for what the chain would refuse or never include."""
    if not 0 < plan.expiration_ms - chain_time_ms <= EXPIRATION_MILLISECONDS_MAX:
        raise Rejected("INVALID_EXPIRATION", "not within 24 hours of the chain's clock")
    if len(plan.reference.height_bytes) != 2 or len(plan.reference.hash_bytes) != 8:
        raise Rejected("MALFORMED", "reference block")
    if len(plan.memo) > MEMO_BYTES_MAX:
        raise Rejected("MEMO_TOO_LONG", f"{len(plan.memo)} bytes")
    if not 0 <= plan.permission_id <= PERMISSION_ID_MAX:
        raise Rejected("INVALID_PERMISSION", f"{plan.permission_id}")
    is_call = isinstance(plan.contract, Trigger)
    if not is_call and plan.fee_limit_sun:
        raise Rejected("INVALID_FEE_LIMIT", "only calls have a fee limit")
    if is_call and not 0 < plan.fee_limit_sun <= FEE_LIMIT_SUN_MAX:
        raise Rejected("INVALID_FEE_LIMIT", f"{plan.fee_limit_sun} sun")


def read(raw: bytes) -> Plan:
    """What bytes say, read back; they are the only ones that say so. Raises Rejected.

    A byte that this reader does not know would be signed unseen: such a transaction is refused.
    """
    if len(raw) > RAW_BYTES_MAX:
        raise Rejected("MALFORMED", f"{len(raw)} bytes")
    try:
        message = tron_pb2.Transaction.raw.FromString(raw)
    except DecodeError as error:
        raise Rejected("MALFORMED", "not a transaction") from error
    if len(message.contract) != 1:
        raise Rejected("MALFORMED", f"{len(message.contract)} contracts")
    contract = message.contract[0]
    plan = Plan(
        contract_of(contract.parameter.type_url, contract.parameter.value),
        Reference(message.ref_block_bytes, message.ref_block_hash),
        message.timestamp,
        message.expiration,
        message.fee_limit,
        message.data,
        contract.Permission_id,
    )
    if build(plan, message.expiration - 1) != raw:
        raise Rejected("MALFORMED", "bytes beyond what is understood")
    return plan


def kind_of(contract: Contract) -> int:
    """The number of its kind, by which permissions allow it."""
    return int(ContractType.Value(message_of(contract)[0]))


def transaction_id(raw: bytes) -> TransactionId:
    """The id: sha256 of `raw_data`. What a node calls the id is never used."""
    return TransactionId(hashlib.sha256(raw).hexdigest())


def sign(raw: bytes, signatures: list[bytes]) -> bytes:
    """The whole transaction as it is stored before any node hears of it. Raises Rejected."""
    if not signatures or any(len(signature) != 65 for signature in signatures):
        raise Rejected("MALFORMED", "a signature is 65 bytes")
    whole = tron_pb2.Transaction(
        raw_data=tron_pb2.Transaction.raw.FromString(raw), signature=signatures
    )
    return bytes(whole.SerializeToString(deterministic=True))


def bandwidth_bytes(raw: bytes, signature_count: int) -> int:
    """Bytes that the chain counts: the signed transaction and 64 for its result."""
    return len(sign(raw, [bytes(65)] * signature_count)) + 64
