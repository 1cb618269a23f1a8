"""A solid block and its receipts, as movements of TRX and TRC-20 tokens. Pure.

Called by the node set. Ids are computed here from the bytes, and what a transfer says is read
from the same bytes: the node's own JSON of them is not looked at. TRX counts by contract type and
result; TRX that a contract passes on within a call does not count, for many nodes do not keep it.
Of a token only the exact contract's `Transfer` event of a successful call counts, one movement per
log. A block without all of its receipts is unknown (Unavailable), never a block.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import DecodeError
from tronpy.proto import tron_pb2

from runtime.errors import Unavailable
from wallets.contract import Block, BlockRef, Movement, TransactionId
from wallets.errors import Quarantined
from wallets.tron.addresses import KEY_BYTES, PREFIX
from wallets.tron.transactions import transaction_id
from wallets.tron.wire import HASH_BYTES, canonical, data, fields, items, number

TRANSFER_TOPIC: Final = bytes.fromhex(
    "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
)
ADDRESS_PAD: Final = bytes(12)
TOPICS: Final = 3
NATIVE_INDEX: Final = -1
TRANSFER_TYPE: Final = 1
SUCCESS: Final = "SUCCESS"


@dataclass(frozen=True, slots=True)
class TronBlock(Block):
    """A block with the ids of all its transactions, for proofs that one is not there."""

    txids: frozenset[TransactionId] = frozenset()


def ref_of(block: object) -> BlockRef:
    """The place of a block. Raises Quarantined, Unavailable for an empty answer."""
    told = fields(block)
    if not told:
        raise Unavailable("an empty answer instead of a block")
    height = number(header_of(told).get("number"))
    block_hash = data(told.get("blockID"), HASH_BYTES)
    # The id of a block begins with its height.
    if block_hash[:8] != height.to_bytes(8):
        raise Quarantined(f"the hash is not that of block {height}")
    return BlockRef(height, block_hash.hex())


def time_of(block: object) -> int:
    """Milliseconds of the chain's clock."""
    return number(header_of(fields(block)).get("timestamp"))


def header_of(block: dict[str, Any]) -> dict[str, Any]:
    """What the block says of itself."""
    return fields(fields(block.get("block_header")).get("raw_data"))


def parse_block(
    block: object, infos: object, height: int, contracts: Collection[bytes]
) -> TronBlock:
    """The block of a height, whole or not at all. Raises Quarantined, Unavailable."""
    ref = ref_of(block)
    if ref.height != height:
        raise Quarantined(f"block {ref.height} instead of {height}")
    told = fields(block)
    receipts = {str(fields(info).get("id")): fields(info) for info in items(infos)}
    movements: list[Movement] = []
    txids: list[TransactionId] = []
    for transaction in items(told.get("transactions")):
        raw = data(fields(transaction).get("raw_data_hex"))
        txid = transaction_id(raw)
        if fields(transaction).get("txID") != txid:
            raise Quarantined(f"a transaction's id is not that of its bytes in block {height}")
        receipt = receipts.get(txid)
        if receipt is None:
            raise Unavailable(f"block {height} without the receipt of {txid}")
        if number(receipt.get("blockNumber")) != height:
            raise Quarantined(f"the receipt of {txid} is of another block")
        txids.append(txid)
        movements += movements_of(txid, raw, transaction, receipt, contracts)
    if len(receipts) != len(txids):
        raise Quarantined(f"{len(receipts)} receipts of {len(txids)} transactions")
    header = header_of(told)
    return TronBlock(
        ref,
        data(header.get("parentHash"), HASH_BYTES).hex(),
        number(header.get("timestamp")) * 10**6,
        canonical(header),
        tuple(movements),
        (),
        frozenset(txids),
    )


def movements_of(
    txid: TransactionId,
    raw: bytes,
    transaction: dict[str, Any],
    receipt: dict[str, Any],
    contracts: Collection[bytes],
) -> list[Movement]:
    """What one transaction moved; nothing when it failed."""
    results = [fields(one).get("contractRet") for one in items(transaction.get("ret"))]
    if results != [SUCCESS] or has_failed(receipt):
        return []
    try:
        contract = tron_pb2.Transaction.raw.FromString(raw).contract[0]
        if contract.type != TRANSFER_TYPE:
            return transfers(txid, receipt, contracts)
        transfer = tron_pb2.TransferContract.FromString(contract.parameter.value)
    except (DecodeError, IndexError) as error:
        raise Quarantined(f"{txid} cannot be read") from error
    to, amount = bytes(transfer.to_address), transfer.amount
    return [Movement(txid, NATIVE_INDEX, b"", to, amount, is_coinbase=False, proof=raw)]


def has_failed(receipt: dict[str, Any]) -> bool:
    """Whether a transaction in a block did nothing but cost."""
    result = fields(receipt.get("receipt", {})).get("result", SUCCESS)
    return receipt.get("result") == "FAILED" or result != SUCCESS


def transfers(
    txid: TransactionId, receipt: dict[str, Any], contracts: Collection[bytes]
) -> list[Movement]:
    """The transfers of our tokens that a successful call logs. Raises Quarantined."""
    # Without the word SUCCESS no code ran to its end.
    if fields(receipt.get("receipt", {})).get("result") != SUCCESS:
        return []
    found = []
    for index, log in enumerate(items(receipt.get("log"))):
        # Log addresses come without their prefix.
        contract = bytes((PREFIX,)) + data(fields(log).get("address"), KEY_BYTES - 1)
        moved = read_transfer(log) if contract in contracts else None
        if moved is not None:
            key, amount = moved
            movement = Movement(
                txid, index, contract, key, amount, is_coinbase=False, proof=canonical(log)
            )
            found.append(movement)
    return found


def read_transfer(log: dict[str, Any]) -> tuple[bytes, int] | None:
    """Recipient and amount of a `Transfer` event; None for any other, and for nothing moved."""
    topics = [data(topic, HASH_BYTES) for topic in items(log.get("topics"))]
    content = data(log.get("data"))
    if len(topics) != TOPICS or topics[0] != TRANSFER_TOPIC or len(content) != HASH_BYTES:
        return None
    if not topics[2].startswith(ADDRESS_PAD):
        return None
    amount = int.from_bytes(content)
    return (bytes((PREFIX,)) + topics[2][len(ADDRESS_PAD) :], amount) if amount else None
