"""Whether a block's header gives its hash, and its transactions and receipts its roots. Pure.

Called where a block is read, before anything in it is believed. A node can repeat a true hash and
lie about the rest: a status, an amount, a log more or less. What does not hash up to the header
that everybody agrees on is refused, so such a lie needs no second node to be found. What the roots
do not cover (traces, senders, the price of gas) is left to the agreement of nodes. It never trusts
a `hash` field, and a field that the header needs and the node leaves out is a refusal as well.
"""

from collections.abc import Callable
from typing import Any, Final

from eth_account import Account
from eth_keys.exceptions import BadSignature
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError

from wallets.contract import BlockRef
from wallets.errors import Quarantined
from wallets.ethereum.trie_root import encoded, encoded_list, encoded_number, ordered_root
from wallets.ethereum.wire import ADDRESS_BYTES, HASH_BYTES, data, fields, quantity

BLOOM_BYTES: Final = 256
NONCE_BYTES: Final = 8
LEGACY: Final = 0
# Types of EIP-2718 that are encoded as a list behind one byte, all below a list's first byte.
TYPE_MAX: Final = 0x7F

Encoder = Callable[[Any], bytes]


class FalseBlock(Quarantined):
    """A node's block, or a part of it, does not hash up to what its header says."""


def as_number(value: Any) -> bytes:
    """A quantity in RLP."""
    return encoded_number(quantity(value))


def as_data(value: Any) -> bytes:
    """Bytes of any length in RLP."""
    return encoded(data(value))


def as_hash(value: Any) -> bytes:
    """32 bytes in RLP."""
    return encoded(data(value, HASH_BYTES))


def as_address(value: Any) -> bytes:
    """An account in RLP; a transaction that makes a contract has none."""
    return encoded(b"" if value is None else data(value, ADDRESS_BYTES))


def as_bloom(value: Any) -> bytes:
    """A filter of logs in RLP. It need not be computed: a false one gives a false root."""
    return encoded(data(value, BLOOM_BYTES))


def as_nonce(value: Any) -> bytes:
    """A header's nonce in RLP, zero today."""
    return encoded(data(value, NONCE_BYTES))


def as_accesses(value: Any) -> bytes:
    """The storage that a transaction says it will touch (EIP-2930)."""
    entries = [fields(one) for one in listed(value)]
    return encoded_list(
        [
            encoded_list([as_address(one.get("address")), as_hashes(one.get("storageKeys"))])
            for one in entries
        ]
    )


def as_hashes(value: Any) -> bytes:
    """A list of 32 bytes each."""
    return encoded_list([as_hash(one) for one in listed(value)])


def as_authorizations(value: Any) -> bytes:
    """Accounts that a transaction lends code to (EIP-7702)."""
    return encoded_list([by(AUTHORIZATION, fields(one)) for one in listed(value)])


# Header fields in their order. From the base fee on each came with an upgrade and stands only in
# blocks from then on; one that stands in the middle of others cannot be left out unseen.
HEADER: Final[tuple[tuple[str, Encoder], ...]] = (
    ("parentHash", as_hash),
    ("sha3Uncles", as_hash),
    ("miner", as_address),
    ("stateRoot", as_hash),
    ("transactionsRoot", as_hash),
    ("receiptsRoot", as_hash),
    ("logsBloom", as_bloom),
    ("difficulty", as_number),
    ("number", as_number),
    ("gasLimit", as_number),
    ("gasUsed", as_number),
    ("timestamp", as_number),
    ("extraData", as_data),
    ("mixHash", as_hash),
    ("nonce", as_nonce),
)
HEADER_LATER: Final[tuple[tuple[str, Encoder], ...]] = (
    ("baseFeePerGas", as_number),
    ("withdrawalsRoot", as_hash),
    ("blobGasUsed", as_number),
    ("excessBlobGas", as_number),
    ("parentBeaconBlockRoot", as_hash),
    ("requestsHash", as_hash),
    ("blockAccessListHash", as_hash),
    ("slotNumber", as_number),
)
AUTHORIZATION: Final[tuple[tuple[str, Encoder], ...]] = (
    ("chainId", as_number),
    ("address", as_address),
    ("nonce", as_number),
    ("yParity", as_number),
    ("r", as_number),
    ("s", as_number),
)
PAYING: Final[tuple[tuple[str, Encoder], ...]] = (
    ("gas", as_number),
    ("to", as_address),
    ("value", as_number),
    ("input", as_data),
)
ACCESSES: Final = ("accessList", as_accesses)
CHAIN: Final[tuple[tuple[str, Encoder], ...]] = (("chainId", as_number), ("nonce", as_number))
FEES: Final[tuple[tuple[str, Encoder], ...]] = (
    ("maxPriorityFeePerGas", as_number),
    ("maxFeePerGas", as_number),
)
# `v` is the parity, under the name that every client gives.
SIGNATURE: Final[tuple[tuple[str, Encoder], ...]] = (
    ("v", as_number),
    ("r", as_number),
    ("s", as_number),
)
TRANSACTION: Final[dict[int, tuple[tuple[str, Encoder], ...]]] = {
    LEGACY: (("nonce", as_number), ("gasPrice", as_number), *PAYING, *SIGNATURE),
    1: (*CHAIN, ("gasPrice", as_number), *PAYING, ACCESSES, *SIGNATURE),
    2: (*CHAIN, *FEES, *PAYING, ACCESSES, *SIGNATURE),
    3: (
        *CHAIN,
        *FEES,
        *PAYING,
        ACCESSES,
        ("maxFeePerBlobGas", as_number),
        ("blobVersionedHashes", as_hashes),
        *SIGNATURE,
    ),
    4: (*CHAIN, *FEES, *PAYING, ACCESSES, ("authorizationList", as_authorizations), *SIGNATURE),
}


def check_block(block: Any, receipts: Any, ref: BlockRef) -> None:
    """Whether a block and its receipts are what the hash says. Raises FalseBlock, Quarantined."""
    header = fields(block)
    check_header(header, ref)
    check_transactions(header, listed(header.get("transactions")))
    check_receipts(header, listed(receipts))


def check_header(header: dict[str, Any], ref: BlockRef) -> None:
    """Whether a header is that of a reference. Raises FalseBlock, Quarantined."""
    later = [one for one in HEADER_LATER if header.get(one[0]) is not None]
    if keccak(by((*HEADER, *later), header)).hex() != ref.block_hash:
        raise FalseBlock(f"the header of block {ref.height} does not give its hash")
    if quantity(header["number"]) != ref.height:
        raise FalseBlock(f"block {ref.block_hash} is not of height {ref.height}")


def check_transactions(header: dict[str, Any], transactions: list[Any]) -> None:
    """Whether transactions are those of a header, and their hashes. Raises FalseBlock."""
    raw = [encoded_transaction(fields(one)) for one in transactions]
    if ordered_root(raw) != data(header.get("transactionsRoot"), HASH_BYTES):
        raise FalseBlock("the transactions do not give the header's root")
    for content, transaction in zip(raw, transactions, strict=True):
        if keccak(content) != data(transaction.get("hash"), HASH_BYTES):
            raise FalseBlock("a transaction under the hash of another")


def check_receipts(header: dict[str, Any], receipts: list[Any]) -> None:
    """Whether receipts are those of a header. Raises FalseBlock, Quarantined."""
    root = ordered_root([encoded_receipt(fields(one)) for one in receipts])
    if root != data(header.get("receiptsRoot"), HASH_BYTES):
        raise FalseBlock("the receipts do not give the header's root")
    before = 0
    for receipt in receipts:
        after = quantity(receipt["cumulativeGasUsed"])
        if quantity(receipt.get("gasUsed")) != after - before:
            raise FalseBlock("a receipt with gas that its place does not give")
        before = after


def encoded_transaction(transaction: dict[str, Any]) -> bytes:
    """A transaction as it stands in a block. Raises FalseBlock for a type that we do not know."""
    kind = kind_of(transaction)
    names = TRANSACTION.get(kind)
    if names is None:
        raise FalseBlock(f"a transaction of type {kind}, which cannot be checked")
    return prefix(kind) + by(names, transaction)


def sender_of(transaction: dict[str, Any]) -> bytes:
    """The account whose signature a transaction has. Raises FalseBlock."""
    try:
        found = Account.recover_transaction(encoded_transaction(transaction))
    except (ValueError, TypeError, ValidationError, BadSignature) as error:
        raise FalseBlock(f"a transaction that nobody signed: {error}") from error
    return data(found, ADDRESS_BYTES)


def encoded_receipt(receipt: dict[str, Any]) -> bytes:
    """A receipt as it stands in a block."""
    logs = [encoded_log(fields(log)) for log in listed(receipt.get("logs"))]
    status = as_number(receipt.get("status"))
    gas = as_number(receipt.get("cumulativeGasUsed"))
    bloom = as_bloom(receipt.get("logsBloom"))
    return prefix(kind_of(receipt)) + encoded_list([status, gas, bloom, encoded_list(logs)])


def encoded_log(log: dict[str, Any]) -> bytes:
    """A log: the contract, what it is indexed by, and its data."""
    address = encoded(data(log.get("address"), ADDRESS_BYTES))
    return encoded_list([address, as_hashes(log.get("topics")), as_data(log.get("data"))])


def kind_of(value: dict[str, Any]) -> int:
    """The type of a transaction or receipt; old nodes leave that of the oldest out."""
    kind = quantity(value.get("type", hex(LEGACY)))
    if kind > TYPE_MAX:
        raise FalseBlock(f"a type of {kind}")
    return kind


def prefix(kind: int) -> bytes:
    """The byte that tells a type; the oldest has none."""
    return bytes([kind]) if kind else b""


def by(names: tuple[tuple[str, Encoder], ...], value: dict[str, Any]) -> bytes:
    """The named fields in their order, as a list in RLP. Raises Quarantined for one not there."""
    parts = []
    for name, encoder in names:
        if name not in value:
            raise FalseBlock(f"no {name} in what a node told")
        parts.append(encoder(value[name]))
    return encoded_list(parts)


def listed(value: Any) -> list[Any]:
    """A list."""
    if not isinstance(value, list):
        raise FalseBlock("something else where a list must be")
    return value
