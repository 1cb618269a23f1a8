"""Bitcoin's transactions as bytes: read, written, and their ids computed by us. Pure.

Called by block reading and by the builder. Scripts are bytes and stay unread: no output, however
odd, can stop a block. A transaction read here and written again is the same bytes.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final

from wallets.contract import TransactionId
from wallets.errors import Rejected

# Of an input without a previous output: a coinbase.
NO_TXID: Final = "00" * 32
NO_INDEX: Final = 0xFFFFFFFF
# Weight of a byte outside of witnesses.
BASE_WEIGHT: Final = 4


class Malformed(Rejected):
    """Bytes that are no transaction or block."""

    def __init__(self, message: str) -> None:
        super().__init__("MALFORMED", message)


@dataclass(frozen=True, slots=True)
class Input:
    """What a transaction spends."""

    txid: TransactionId
    index: int
    script: bytes
    sequence: int
    witness: tuple[bytes, ...] = ()

    @property
    def outpoint(self) -> str:
        """As the contract writes it."""
        return f"{self.txid}:{self.index}"


@dataclass(frozen=True, slots=True)
class Output:
    """What a transaction pays."""

    amount_atoms: int
    script: bytes


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction."""

    version: int
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    lock_time: int

    @property
    def is_coinbase(self) -> bool:
        """Whether it makes new coins."""
        first = self.inputs[0]
        return len(self.inputs) == 1 and first.txid == NO_TXID and first.index == NO_INDEX

    def serialise(self, *, with_witness: bool = True) -> bytes:
        """Its bytes; without witnesses, those that its id is the hash of."""
        is_witness = with_witness and any(one.witness for one in self.inputs)
        parts = [self.version.to_bytes(4, "little"), b"\x00\x01" if is_witness else b""]
        parts.append(compact(len(self.inputs)))
        for one in self.inputs:
            parts += (bytes.fromhex(one.txid)[::-1], one.index.to_bytes(4, "little"))
            parts += (sized(one.script), one.sequence.to_bytes(4, "little"))
        parts.append(compact(len(self.outputs)))
        for output in self.outputs:
            parts += (output.amount_atoms.to_bytes(8, "little"), sized(output.script))
        if is_witness:
            for one in self.inputs:
                parts += (compact(len(one.witness)), *(sized(item) for item in one.witness))
        parts.append(self.lock_time.to_bytes(4, "little"))
        return b"".join(parts)

    def txid(self) -> TransactionId:
        """Our own computation of its id."""
        return TransactionId(double_hash(self.serialise(with_witness=False))[::-1].hex())

    def weight(self) -> int:
        """In weight units."""
        base = len(self.serialise(with_witness=False))
        return base * (BASE_WEIGHT - 1) + len(self.serialise())


@dataclass(slots=True)
class Reader:
    """Takes bytes from the front. Every method raises Malformed at the end of the data."""

    data: bytes
    place: int = field(default=0)

    def take(self, count: int) -> bytes:
        """The next bytes."""
        end = self.place + count
        if end > len(self.data):
            raise Malformed(f"ends within {count} bytes at {self.place}")
        found = self.data[self.place : end]
        self.place = end
        return found

    def number(self, count: int) -> int:
        """A number of so many bytes, least first."""
        return int.from_bytes(self.take(count), "little")

    def size(self) -> int:
        """A number of one to nine bytes."""
        first = self.number(1)
        if first < 0xFD:
            return first
        return self.number({0xFD: 2, 0xFE: 4, 0xFF: 8}[first])

    def count(self, bytes_each: int) -> int:
        """A number of things that must still fit into the data."""
        found = self.size()
        if found * bytes_each > len(self.data) - self.place:
            raise Malformed(f"announces {found} things at {self.place}")
        return found

    def item(self) -> bytes:
        """Bytes after their number."""
        return self.take(self.size())

    def transaction(self) -> Transaction:
        """One transaction, with or without witnesses."""
        version = self.number(4)
        is_witness = self.data[self.place : self.place + 2] == b"\x00\x01"
        if is_witness:
            self.take(2)
        inputs = [
            Input(
                TransactionId(self.take(32)[::-1].hex()),
                self.number(4),
                self.item(),
                self.number(4),
            )
            for _ in range(self.count(41))
        ]
        if not inputs:
            raise Malformed("a transaction without inputs")
        outputs = tuple(Output(self.number(8), self.item()) for _ in range(self.count(9)))
        if is_witness:
            inputs = [
                Input(
                    one.txid,
                    one.index,
                    one.script,
                    one.sequence,
                    tuple(self.item() for _ in range(self.count(1))),
                )
                for one in inputs
            ]
        return Transaction(version, tuple(inputs), outputs, self.number(4))


def parse_transaction(raw: bytes) -> Transaction:
    """Exactly one transaction. Raises Malformed."""
    reader = Reader(raw)
    found = reader.transaction()
    if reader.place != len(raw) or found.serialise() != raw:
        raise Malformed("bytes that are not of the transaction")
    return found


def double_hash(data: bytes) -> bytes:
    """SHA-256 twice."""
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def compact(number: int) -> bytes:
    """A number in as few bytes as the format allows."""
    if number < 0xFD:
        return bytes((number,))
    if number <= 0xFFFF:
        return b"\xfd" + number.to_bytes(2, "little")
    if number <= 0xFFFFFFFF:
        return b"\xfe" + number.to_bytes(4, "little")
    return b"\xff" + number.to_bytes(8, "little")


def sized(data: bytes) -> bytes:
    """Bytes after their number."""
    return compact(len(data)) + data
