"""A raw block, proven by its own hash, as the contract's block. Pure.

Called by the node set with the bytes that a node gave for a hash that nodes agree on. The header
must hash to it, and the transactions to the header's merkle root: a node can withhold a block but
not change a byte of what is credited.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from wallets.bitcoin.wire import Malformed, Reader, Transaction, double_hash
from wallets.contract import Block, BlockRef, Movement, TransactionId
from wallets.errors import Quarantined

HEADER_BYTES: Final = 80
# A transaction has at least so many bytes.
TRANSACTION_BYTES_MIN: Final = 60


def parse_block(raw: bytes, ref: BlockRef) -> Block:
    """The block of a hash. Raises Quarantined: the node gave bytes that are not of this block."""
    header = raw[:HEADER_BYTES]
    if len(header) != HEADER_BYTES or double_hash(header)[::-1].hex() != ref.block_hash:
        raise Quarantined(f"header does not hash to {ref.block_hash}")
    reader = Reader(raw, HEADER_BYTES)
    try:
        count = reader.count(TRANSACTION_BYTES_MIN)
        transactions = [reader.transaction() for _ in range(count)]
    except Malformed as error:
        raise Quarantined(f"block {ref.block_hash} is not whole: {error}") from error
    if reader.place != len(raw):
        raise Quarantined(f"block {ref.block_hash} is followed by other bytes")
    # What an id is the hash of is put together once: a block has thousands.
    proofs = [one.serialise(with_witness=False) for one in transactions]
    hashes = [double_hash(proof) for proof in proofs]
    check_transactions(transactions, hashes, header, ref)
    movements = tuple(
        found
        for one, proof, txid in zip(transactions, proofs, hashes, strict=True)
        for found in movements_of(one, proof, TransactionId(txid[::-1].hex()))
    )
    spent = [one.outpoint for paid in transactions[1:] for one in paid.inputs]
    return Block(
        ref=ref,
        parent_hash=header[4:36][::-1].hex(),
        time_ns=int.from_bytes(header[68:72], "little") * 1_000_000_000,
        header=header,
        movements=movements,
        spent=tuple(spent),
    )


def check_transactions(
    transactions: Sequence[Transaction], hashes: Sequence[bytes], header: bytes, ref: BlockRef
) -> None:
    """Raises Quarantined unless these are exactly the transactions that the header names."""
    # Without a coinbase in front, inner nodes of the tree could pass for transactions.
    if not transactions or not transactions[0].is_coinbase:
        raise Quarantined(f"block {ref.block_hash} has no coinbase")
    if merkle_root(hashes) != header[36:68]:
        raise Quarantined(f"transactions are not those of {ref.block_hash}")


def merkle_root(hashes: Sequence[bytes]) -> bytes:
    """Root of the ids. Raises Quarantined for doubled ones: the same root, other transactions."""
    level = list(hashes)
    while len(level) > 1:
        pairs = range(0, len(level) - 1, 2)
        if any(level[place] == level[place + 1] for place in pairs):
            raise Quarantined("transactions of a block are doubled")
        if len(level) % 2:
            level.append(level[-1])
        level = [double_hash(level[place] + level[place + 1]) for place in range(0, len(level), 2)]
    return level[0]


def movements_of(transaction: Transaction, proof: bytes, txid: TransactionId) -> Iterator[Movement]:
    """All outputs, odd ones included; the proof is the transaction that its id is the hash of."""
    for index, output in enumerate(transaction.outputs):
        yield Movement(
            txid=txid,
            index=index,
            contract=b"",
            key=output.script,
            amount_atoms=output.amount_atoms,
            is_coinbase=transaction.is_coinbase,
            proof=proof,
        )
