"""A block and its receipts, as movements of ether and tokens. Pure.

Called by the node set and by whoever reads again. Ether counts where the transaction itself, with
status 1, carries it to an account. Ether that a contract passes on inside a call is not in blocks
and receipts: `traces` reads that, where it is wanted. Of a token only the
exact contract's `Transfer` event counts, so a twin of the same name never does, and a
fee on transfer leaves what the log says. A movement's index is the place of the log within its
transaction (-1 = ether): it stays when another block mines the transaction again.
"""

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from wallets.contract import Block, BlockRef, Movement, TransactionId
from wallets.errors import Quarantined
from wallets.ethereum.projection import canonical, header_of, transaction_of
from wallets.ethereum.wire import (
    ADDRESS_BYTES,
    HASH_BYTES,
    account,
    data,
    fields,
    hash_text,
    quantity,
    words,
)

TRANSFER_TOPIC: Final = bytes.fromhex(
    "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
)
ADDRESS_PAD: Final = bytes(HASH_BYTES - ADDRESS_BYTES)
# Topic, sender, recipient: the amount is not indexed. Tokens of another kind index it.
TOPICS: Final = 3
NATIVE_INDEX: Final = -1


class Transfer(NamedTuple):
    """A token's event, and the log that says so."""

    # Its place within its transaction.
    log_index: int
    contract: bytes
    recipient: bytes
    amount_atoms: int
    log: dict[str, Any]


def parse_block(block: Any, receipts: Any, ref: BlockRef, contracts: Collection[bytes]) -> Block:
    """The block of a reference, whole or not at all. Raises Quarantined: the node is wrong."""
    header = fields(block)
    if hash_text(header.get("hash")) != ref.block_hash:
        raise Quarantined("another block than the one that was asked for")
    if quantity(header.get("number")) != ref.height:
        raise Quarantined("a block of another height")
    transactions = header.get("transactions")
    if not isinstance(transactions, list) or not isinstance(receipts, list):
        raise Quarantined("a block without transactions or receipts")
    if len(transactions) != len(receipts):
        raise Quarantined(f"{len(receipts)} receipts of {len(transactions)} transactions")
    movements: list[Movement] = []
    for place, (transaction, receipt) in enumerate(zip(transactions, receipts, strict=True)):
        txid = TransactionId(hash_text(fields(transaction).get("hash")))
        check_receipt(fields(receipt), txid, place, ref)
        movements += movements_of(transaction, receipt, contracts, txid, ref)
    return Block(
        ref=ref,
        parent_hash=hash_text(header.get("parentHash")),
        time_ns=quantity(header.get("timestamp")) * 10**9,
        header=canonical(header_of(header)),
        movements=tuple(movements),
        spent=(),
    )


def check_receipt(receipt: dict[str, Any], txid: TransactionId, place: int, ref: BlockRef) -> None:
    """Whether a receipt is that of the transaction at its place. Raises Quarantined."""
    if hash_text(receipt.get("transactionHash")) != txid:
        raise Quarantined(f"the receipt at {place} is of another transaction")
    if hash_text(receipt.get("blockHash")) != ref.block_hash:
        raise Quarantined(f"the receipt at {place} is of another block")
    if quantity(receipt.get("transactionIndex")) != place:
        raise Quarantined(f"the receipt at {place} says another place")


def movements_of(
    transaction: dict[str, Any],
    receipt: dict[str, Any],
    contracts: Collection[bytes],
    txid: TransactionId,
    ref: BlockRef,
) -> list[Movement]:
    """What one transaction moved; nothing when it failed."""
    if quantity(receipt.get("status")) != 1:
        return []
    found = []
    value = quantity(transaction.get("value"))
    # A transaction that makes a contract has no recipient.
    if value and transaction.get("to") is not None:
        recipient = data(transaction["to"], ADDRESS_BYTES)
        found.append(native_movement(txid, recipient, value, transaction))
    found += [token_movement(txid, moved, ref) for moved in transfers(receipt, contracts)]
    return found


def native_movement(
    txid: TransactionId, recipient: bytes, value: int, transaction: dict[str, Any]
) -> Movement:
    """Ether that a transaction carries."""
    proof = canonical(transaction_of(transaction))
    return Movement(txid, NATIVE_INDEX, b"", recipient, value, is_coinbase=False, proof=proof)


def token_movement(txid: TransactionId, moved: Transfer, ref: BlockRef) -> Movement:
    """Tokens that a log says were moved."""
    return Movement(
        txid,
        moved.log_index,
        moved.contract,
        moved.recipient,
        moved.amount_atoms,
        is_coinbase=False,
        proof=log_proof(moved, txid, ref),
    )


def transfers(receipt: dict[str, Any], contracts: Collection[bytes]) -> list[Transfer]:
    """The transfers of our tokens that a successful receipt logs. Raises Quarantined."""
    logs = receipt.get("logs")
    if not isinstance(logs, list):
        raise Quarantined("a receipt without logs")
    found = []
    for index, log in enumerate(logs):
        contract = account(fields(log).get("address"))
        if contract not in contracts or log.get("removed") is True:
            continue
        moved = read_transfer(log)
        if moved is not None:
            found.append(Transfer(index, contract, *moved, log))
    return found


def read_transfer(log: dict[str, Any]) -> tuple[bytes, int] | None:
    """Recipient and amount of a `Transfer` event; None for any other, and for nothing moved."""
    topics, content = log.get("topics"), log.get("data")
    if not isinstance(topics, list) or len(topics) != TOPICS:
        return None
    if len(data(content)) != HASH_BYTES:
        return None
    # All at once: a block has thousands.
    told = words([*topics, content])
    sender_at, recipient_at, amount_at = HASH_BYTES, 2 * HASH_BYTES, 3 * HASH_BYTES
    if told[:sender_at] != TRANSFER_TOPIC:
        return None
    recipient, amount_atoms = told[recipient_at:amount_at], int.from_bytes(told[amount_at:])
    if not recipient.startswith(ADDRESS_PAD):
        return None
    return (recipient[len(ADDRESS_PAD) :], amount_atoms) if amount_atoms else None


def log_proof(moved: Transfer, txid: TransactionId, ref: BlockRef) -> bytes:
    """What `canonical(log_of(log))` gives, in a tenth of the time: a block has thousands."""
    topics = '","'.join(moved.log["topics"]).lower()
    # All that a node told here was read as digits before, so nothing in it can end a string.
    proof = (
        f'{{"address":"0x{moved.contract.hex()}","blockHash":"0x{ref.block_hash}",'
        f'"data":"0x{moved.amount_atoms:064x}","logIndex":"{quantity(moved.log.get("logIndex")):#x}",'
        f'"removed":false,"topics":["{topics}"],"transactionHash":"0x{txid}"}}'
    )
    return proof.encode()
