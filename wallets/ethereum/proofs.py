"""Whether a block's header gives its hash, and its transactions and receipts its roots. Pure.

Called where a block is read, before anything in it is believed. A node can repeat a true hash and
lie about the rest: a status, an amount, a log more or less. What does not hash up to the header
that everybody agrees on is refused, so such a lie needs no second node to be found. What the roots
do not cover (traces, senders, the price of gas) is left to the agreement of nodes. It never trusts
a `hash` field, and a field that the header needs and the node leaves out is a refusal as well.
"""

from collections.abc import Callable
from typing import Any, Final

from eth_hash.auto import keccak

from wallets.contract import BlockRef
from wallets.errors import Quarantined
from wallets.ethereum import hex_rlp
from wallets.ethereum.trie_root import ordered_root
from wallets.ethereum.wire import ADDRESS_BYTES, HASH_BYTES, data, fields, quantity

BLOOM_BYTES: Final = 256
NONCE_BYTES: Final = 8
LEGACY: Final = 0
# Types of EIP-2718 that are encoded as a list behind one byte, all below a list's first byte.
TYPE_MAX: Final = 0x7F

# Of a value as a node tells it, the digits of its RLP.
Encoder = Callable[[Any], str]


class FalseBlock(Quarantined):
    """A node's block, or a part of it, does not hash up to what its header says."""


def as_hash(value: Any) -> str:
    """32 bytes in RLP."""
    return hex_rlp.fixed(value, HASH_BYTES)


def as_address(value: Any) -> str:
    """An account in RLP; a transaction that makes a contract has none."""
    return hex_rlp.NOTHING if value is None else hex_rlp.fixed(value, ADDRESS_BYTES)


def as_bloom(value: Any) -> str:
    """A filter of logs in RLP. It need not be computed: a false one gives a false root."""
    return hex_rlp.fixed(value, BLOOM_BYTES)


def as_nonce(value: Any) -> str:
    """A header's nonce in RLP, zero today."""
    return hex_rlp.fixed(value, NONCE_BYTES)


def as_accesses(value: Any) -> str:
    """The storage that a transaction says it will touch (EIP-2930)."""
    entries = [fields(one) for one in listed(value)]
    return hex_rlp.sequence(
        hex_rlp.sequence([as_owner(one.get("address")), as_hashes(one.get("storageKeys"))])
        for one in entries
    )


def as_owner(value: Any) -> str:
    """An account that must be there, in RLP."""
    return hex_rlp.fixed(value, ADDRESS_BYTES)


def as_hashes(value: Any) -> str:
    """A list of 32 bytes each."""
    return hex_rlp.words(listed(value))


def as_authorizations(value: Any) -> str:
    """Accounts that a transaction lends code to (EIP-7702)."""
    return hex_rlp.sequence([in_order(AUTHORIZATION, fields(one)) for one in listed(value)])


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
    ("difficulty", hex_rlp.number),
    ("number", hex_rlp.number),
    ("gasLimit", hex_rlp.number),
    ("gasUsed", hex_rlp.number),
    ("timestamp", hex_rlp.number),
    ("extraData", hex_rlp.content),
    ("mixHash", as_hash),
    ("nonce", as_nonce),
)
HEADER_LATER: Final[tuple[tuple[str, Encoder], ...]] = (
    ("baseFeePerGas", hex_rlp.number),
    ("withdrawalsRoot", as_hash),
    ("blobGasUsed", hex_rlp.number),
    ("excessBlobGas", hex_rlp.number),
    ("parentBeaconBlockRoot", as_hash),
    ("requestsHash", as_hash),
    ("blockAccessListHash", as_hash),
    ("slotNumber", hex_rlp.number),
)
AUTHORIZATION: Final[tuple[tuple[str, Encoder], ...]] = (
    ("chainId", hex_rlp.number),
    ("address", as_address),
    ("nonce", hex_rlp.number),
    ("yParity", hex_rlp.number),
    ("r", hex_rlp.number),
    ("s", hex_rlp.number),
)
PAYING: Final[tuple[tuple[str, Encoder], ...]] = (
    ("gas", hex_rlp.number),
    ("to", as_address),
    ("value", hex_rlp.number),
    ("input", hex_rlp.content),
)
ACCESSES: Final = ("accessList", as_accesses)
CHAIN: Final[tuple[tuple[str, Encoder], ...]] = (
    ("chainId", hex_rlp.number),
    ("nonce", hex_rlp.number),
)
FEES: Final[tuple[tuple[str, Encoder], ...]] = (
    ("maxPriorityFeePerGas", hex_rlp.number),
    ("maxFeePerGas", hex_rlp.number),
)
# `v` is the parity, under the name that every client gives.
SIGNATURE: Final[tuple[tuple[str, Encoder], ...]] = (
    ("v", hex_rlp.number),
    ("r", hex_rlp.number),
    ("s", hex_rlp.number),
)
TRANSACTION: Final[dict[int, tuple[tuple[str, Encoder], ...]]] = {
    LEGACY: (("nonce", hex_rlp.number), ("gasPrice", hex_rlp.number), *PAYING, *SIGNATURE),
    1: (*CHAIN, ("gasPrice", hex_rlp.number), *PAYING, ACCESSES, *SIGNATURE),
    2: (*CHAIN, *FEES, *PAYING, ACCESSES, *SIGNATURE),
    3: (
        *CHAIN,
        *FEES,
        *PAYING,
        ACCESSES,
        ("maxFeePerBlobGas", hex_rlp.number),
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


def encoded_receipt(receipt: dict[str, Any]) -> bytes:
    """A receipt as it stands in a block."""
    logs = [log_in_order(fields(log)) for log in listed(receipt.get("logs"))]
    status = hex_rlp.number(receipt.get("status"))
    gas = hex_rlp.number(receipt.get("cumulativeGasUsed"))
    bloom = as_bloom(receipt.get("logsBloom"))
    content = hex_rlp.sequence([status, gas, bloom, hex_rlp.sequence(logs)])
    return prefix(kind_of(receipt)) + hex_rlp.to_bytes(content)


def log_in_order(log: dict[str, Any]) -> str:
    """A log in RLP: the contract, what it is indexed by, and its data."""
    address, content = as_owner(log.get("address")), hex_rlp.content(log.get("data"))
    return hex_rlp.sequence([address, as_hashes(log.get("topics")), content])


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
    return hex_rlp.to_bytes(in_order(names, value))


def in_order(names: tuple[tuple[str, Encoder], ...], value: dict[str, Any]) -> str:
    """The digits of that list."""
    try:
        return hex_rlp.sequence([encoder(value[name]) for name, encoder in names])
    except KeyError as error:
        raise FalseBlock(f"no {error.args[0]} in what a node told") from None


def listed(value: Any) -> list[Any]:
    """A list."""
    if not isinstance(value, list):
        raise FalseBlock("something else where a list must be")
    return value
