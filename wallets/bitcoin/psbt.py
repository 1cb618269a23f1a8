"""Transactions that people sign elsewhere, as PSBT (BIP174), for P2WSH multisig only. Pure.

Called by the treasury. What comes back is never trusted: only signatures are taken from it, each is
verified over the transaction that we made, and everything else is ours. Our own, because all that
is needed is two records out and two in; a real node reads and signs what it writes in the tests.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from coincurve import PublicKey

from wallets.bitcoin.cold import ColdScript
from wallets.bitcoin.wire import (
    Input,
    Output,
    Reader,
    Transaction,
    double_hash,
    parse_transaction,
    sized,
)
from wallets.errors import Rejected

MAGIC: Final = b"psbt\xff"
END: Final = b"\x00"
UNSIGNED, WITNESS_UTXO, PARTIAL_SIGNATURE = 0x00, 0x01, 0x02
WITNESS_SCRIPT, DERIVATION, FINAL_WITNESS = 0x05, 0x06, 0x08
TEXT_MAX: Final = 4_000_000
# SIGHASH_ALL, the only kind that is taken.
EVERYTHING: Final = 1


@dataclass(frozen=True, slots=True)
class Spent:
    """An input of the cold wallet."""

    amount_atoms: int
    script: ColdScript


Signatures = Mapping[bytes, bytes]


def write(transaction: Transaction, spent: Sequence[Spent]) -> str:
    """What people are given, in base64."""
    parts = [MAGIC, record(bytes((UNSIGNED,)), transaction.serialise(with_witness=False)), END]
    for one in spent:
        output = Output(one.amount_atoms, one.script.output)
        paid = output.amount_atoms.to_bytes(8, "little") + sized(output.script)
        parts.append(record(bytes((WITNESS_UTXO,)), paid))
        parts.append(record(bytes((WITNESS_SCRIPT,)), one.script.witness))
        for key, origin in one.script.origins:
            parts.append(record(bytes((DERIVATION,)) + key, origin))
        parts.append(END)
    parts += [END] * len(transaction.outputs)
    return base64.b64encode(b"".join(parts)).decode()


def record(key: bytes, value: bytes) -> bytes:
    """One key and its value."""
    return sized(key) + sized(value)


def read(text: str) -> tuple[Transaction, list[list[bytes]]]:
    """The transaction, and by input every signature that is in the file. Raises Rejected."""
    if len(text) > TEXT_MAX:
        raise Rejected("MALFORMED", "a PSBT that is too long")
    try:
        reader = Reader(base64.b64decode(text.strip(), validate=True))
    except (binascii.Error, ValueError):
        raise Rejected("MALFORMED", "no base64") from None
    if reader.take(len(MAGIC)) != MAGIC:
        raise Rejected("MALFORMED", "no PSBT")
    transaction = None
    for key, value in records(reader):
        if key == bytes((UNSIGNED,)):
            transaction = parse_transaction(value)
    if transaction is None:
        raise Rejected("MALFORMED", "a PSBT without its transaction")
    found: list[list[bytes]] = []
    for _ in transaction.inputs:
        signatures: list[bytes] = []
        for key, value in records(reader):
            if key[0] == PARTIAL_SIGNATURE:
                signatures.append(value)
            elif key[0] == FINAL_WITNESS:
                stack = Reader(value)
                signatures += [stack.item() for _ in range(stack.count(1))]
        found.append(signatures)
    return transaction, found


def records(reader: Reader) -> Iterator[tuple[bytes, bytes]]:
    """Up to the end of a map."""
    while True:
        key = reader.item()
        if not key:
            return
        yield key, reader.item()


def verified(
    transaction: Transaction, spent: Sequence[Spent], given: Sequence[Sequence[bytes]]
) -> list[dict[bytes, bytes]]:
    """By input, the signatures that a key of the cold wallet made over our transaction."""
    result = []
    for place, (one, signatures) in enumerate(zip(spent, given, strict=True)):
        digest = digest_of(transaction, place, one)
        by_key: dict[bytes, bytes] = {}
        for signature in signatures:
            for key in one.script.keys:
                if is_signature(signature, digest, key):
                    by_key[key] = signature
        result.append(by_key)
    return result


def is_signature(signature: bytes, digest: bytes, key: bytes) -> bool:
    """Whether a key signed everything; bytes that are no signature are none."""
    if not 9 <= len(signature) <= 73 or signature[-1] != EVERYTHING:
        return False
    try:
        return PublicKey(key).verify(signature[:-1], digest, hasher=None)
    except ValueError:
        return False


def digest_of(transaction: Transaction, place: int, spent: Spent) -> bytes:
    """What an input signs (BIP143)."""
    outpoints = [
        bytes.fromhex(one.txid)[::-1] + one.index.to_bytes(4, "little")
        for one in transaction.inputs
    ]
    sequences = [one.sequence.to_bytes(4, "little") for one in transaction.inputs]
    paid = b"".join(
        one.amount_atoms.to_bytes(8, "little") + sized(one.script) for one in transaction.outputs
    )
    parts = (
        transaction.version.to_bytes(4, "little"),
        double_hash(b"".join(outpoints)),
        double_hash(b"".join(sequences)),
        outpoints[place],
        sized(spent.script.witness),
        spent.amount_atoms.to_bytes(8, "little"),
        sequences[place],
        double_hash(paid),
        transaction.lock_time.to_bytes(4, "little"),
        EVERYTHING.to_bytes(4, "little"),
    )
    return double_hash(b"".join(parts))


def finish(
    transaction: Transaction, spent: Sequence[Spent], signatures: Sequence[Signatures]
) -> Transaction | None:
    """The signed transaction; None while an input has too few signatures."""
    inputs = []
    for one, script, by_key in zip(
        transaction.inputs, (each.script for each in spent), signatures, strict=True
    ):
        chosen = [by_key[key] for key in script.keys if key in by_key][: script.needed]
        if len(chosen) < script.needed:
            return None
        # OP_CHECKMULTISIG takes one item more than it uses.
        witness = (b"", *chosen, script.witness)
        inputs.append(Input(one.txid, one.index, b"", one.sequence, witness))
    return Transaction(
        transaction.version, tuple(inputs), transaction.outputs, transaction.lock_time
    )
