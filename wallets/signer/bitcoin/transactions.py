"""Rebuilds, checks and signs one segwit transaction whose inputs are P2WPKH outputs of ours.

Scripts of recipients come from the approvals' addresses, those of change from our own keys; the
caller gives no script. Amounts of inputs are the caller's word, but each signature commits to its
own (BIP143): with a wrong one the network takes none of it, so no fee can hide there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cambist.internal.signer.v1 import intent_pb2
from wallets.bitcoin.addresses import check_amount, parse_address
from wallets.bitcoin.derivation import script_of_key
from wallets.bitcoin.networks import NETWORKS, BitcoinNetwork
from wallets.bitcoin.scripts import ScriptKind, program_of, script_of
from wallets.bitcoin.wire import Input, Output, Transaction, double_hash, sized
from wallets.contract import Destination, TransactionId, WithdrawalId
from wallets.errors import Rejected
from wallets.signer.approvals import Approval, Terms
from wallets.signer.keys.places import Keys, path_of
from wallets.signer.log import Signed
from wallets.signer.policy import NetworkPolicy
from wallets.signer.rules import Draft

PARTS_MAX: Final = 1_000
# All coins that will ever be, in satoshi.
SUPPLY_ATOMS: Final = 21_000_000 * 100_000_000
# From here on a lock time is a date.
LOCK_HEIGHT_MAX: Final = 500_000_000
# Any lower one has a relative lock time: money that waits for nothing we know.
SEQUENCE_MIN: Final = 0xFFFFFFFD
INDEX_MAX: Final = 0xFFFF
# SIGHASH_ALL: every input and output is committed to.
EVERYTHING: Final = 1
Approvals = Mapping[bytes, Approval]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A transaction that is not signed yet, and what each input is signed with."""

    transaction: Transaction
    amounts: tuple[int, ...]
    places: tuple[intent_pb2.KeyPlace, ...]


def chain_of(network: NetworkPolicy) -> BitcoinNetwork:
    """The table of the policy's network; raises Rejected."""
    for found in NETWORKS:
        if found.chain == network.network:
            return found
    raise Rejected("NETWORK_NOT_ALLOWED", f"Bitcoin has no network {network.network!r}")


def read(
    message: intent_pb2.BitcoinTransaction,
    network: NetworkPolicy,
    keys: Keys,
    approvals: Approvals,
) -> tuple[Draft, Rebuilt]:
    """The transaction as it will be signed, and what it does; raises Rejected."""
    if message.version not in (1, 2) or message.lock_time >= LOCK_HEIGHT_MAX:
        raise Rejected("MALFORMED", "version or lock time")
    for parts in (message.inputs, message.outputs):
        if not 0 < len(parts) <= PARTS_MAX:
            raise Rejected("MALFORMED", f"{len(parts)} inputs or outputs")
    inputs = tuple(read_input(one) for one in message.inputs)
    anchors = frozenset(one.outpoint for one in inputs)
    if len(anchors) != len(inputs):
        raise Rejected("MALFORMED", "one coin twice")
    outputs: list[Output] = []
    payments: list[tuple[WithdrawalId, Terms]] = []
    for one in message.outputs:
        destination, terms = read_output(one, network, keys, approvals)
        check_amount(destination, one.amount_atoms)
        outputs.append(Output(one.amount_atoms, destination.key))
        if terms is not None:
            payments.append((WithdrawalId(one.withdrawal_id), terms))
    amounts = tuple(one.amount_atoms for one in message.inputs)
    fee_atoms = sum(amounts) - sum(one.amount_atoms for one in outputs)
    if not all(0 < amount <= SUPPLY_ATOMS for amount in amounts) or fee_atoms <= 0:
        raise Rejected("MALFORMED", "amounts of inputs, or no fee")
    places = tuple(one.key for one in message.inputs)
    for place in places:
        # A key that is missing is found before anything is logged.
        path_of(network, place)
    transaction = Transaction(message.version, inputs, tuple(outputs), message.lock_time)
    draft = Draft(network.network_id, anchors, tuple(payments), fee_atoms)
    return draft, Rebuilt(transaction, amounts, places)


def read_input(message: intent_pb2.BitcoinInput) -> Input:
    """What is spent; raises Rejected."""
    digits = frozenset("0123456789abcdef")
    if len(message.txid) != 64 or not digits.issuperset(message.txid):
        raise Rejected("MALFORMED", "a transaction id is 64 lower-case digits")
    if message.sequence < SEQUENCE_MIN or message.index > INDEX_MAX:
        raise Rejected("MALFORMED", "sequence or output index")
    return Input(TransactionId(message.txid), message.index, b"", message.sequence)


def read_output(
    message: intent_pb2.BitcoinOutput,
    network: NetworkPolicy,
    keys: Keys,
    approvals: Approvals,
) -> tuple[Destination, Terms | None]:
    """Who is paid, and the terms when it is a withdrawal; raises Rejected."""
    named = (message.withdrawal_id, message.HasField("key"), message.listed_destination)
    if sum(map(bool, named)) != 1:
        raise Rejected("MALFORMED", "an output is a withdrawal's, ours or listed")
    chain = chain_of(network)
    if message.withdrawal_id:
        approval = approvals.get(message.withdrawal_id)
        if approval is None:
            raise Rejected("NOT_APPROVED", "an output without its approval")
        text = approval.terms.destination
        terms = Terms(network.network_id, text, "", message.amount_atoms)
        return parse_address(text, chain), terms
    if message.listed_destination:
        if message.listed_destination not in network.listed_destinations:
            raise Rejected("NOT_OURS", "an output to an address that is not listed")
        return parse_address(message.listed_destination, chain), None
    return Destination("", script_of_key(keys.public_key(network, message.key))), None


def sign(rebuilt: Rebuilt, network: NetworkPolicy, keys: Keys) -> Signed:
    """The signed bytes and their id, by our own computation."""
    transaction = rebuilt.transaction
    before, after = shared_parts(transaction)
    inputs = []
    for one, amount, place in zip(transaction.inputs, rebuilt.amounts, rebuilt.places, strict=True):
        public_key = keys.public_key(network, place)
        program = program_of(script_of_key(public_key), ScriptKind.P2WPKH)
        code = sized(script_of(ScriptKind.P2PKH, program))
        message = b"".join(
            (
                before,
                outpoint_bytes(one),
                code,
                amount.to_bytes(8, "little"),
                one.sequence.to_bytes(4, "little"),
                after,
            )
        )
        signature = keys.sign(network, place, double_hash(message)).der()
        signature += bytes((EVERYTHING,))
        witness = (signature, public_key)
        inputs.append(Input(one.txid, one.index, b"", one.sequence, witness))
    whole = Transaction(
        transaction.version, tuple(inputs), transaction.outputs, transaction.lock_time
    )
    return Signed(whole.serialise(), whole.txid())


def shared_parts(transaction: Transaction) -> tuple[bytes, bytes]:
    """What all inputs sign: before and after their own part (BIP143)."""
    outpoints = b"".join(outpoint_bytes(one) for one in transaction.inputs)
    sequences = b"".join(one.sequence.to_bytes(4, "little") for one in transaction.inputs)
    paid = b"".join(
        one.amount_atoms.to_bytes(8, "little") + sized(one.script) for one in transaction.outputs
    )
    before = transaction.version.to_bytes(4, "little")
    before += double_hash(outpoints) + double_hash(sequences)
    after = double_hash(paid) + transaction.lock_time.to_bytes(4, "little")
    return before, after + EVERYTHING.to_bytes(4, "little")


def outpoint_bytes(one: Input) -> bytes:
    """As it stands in a transaction."""
    return bytes.fromhex(one.txid)[::-1] + one.index.to_bytes(4, "little")
