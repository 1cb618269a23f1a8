"""Signs intents in the test's own process: keys of a place are hashes of its name (BIP143)."""

import hashlib

from coincurve import PrivateKey

from cambist.internal.signer.v1 import intent_pb2
from wallets.bitcoin.addresses import parse_address
from wallets.bitcoin.derivation import script_of_key
from wallets.bitcoin.networks import REGTEST
from wallets.bitcoin.wire import Input, Output, Transaction, double_hash, sized
from wallets.contract import Payout, Plan, TransactionId


def key_of(branch: str, index: int) -> PrivateKey:
    return PrivateKey(hashlib.sha256(f"{branch}/{index}".encode()).digest())


def script_at(branch: str, index: int) -> bytes:
    return script_of_key(key_of(branch, index).public_key.format())


def sign(plan: Plan, payouts: list[Payout]) -> bytes:
    intent = intent_pb2.Intent()
    intent.ParseFromString(plan.intent)
    asked = intent.bitcoin
    scripts = {bytes(payout.withdrawal_id): payout.destination.key for payout in payouts}
    outputs = tuple(
        Output(
            one.amount_atoms,
            script_of_output(one, scripts),
        )
        for one in asked.outputs
    )
    places = [outpoint(one) for one in asked.inputs]
    before = asked.version.to_bytes(4, "little") + double_hash(b"".join(places))
    before += double_hash(b"".join(one.sequence.to_bytes(4, "little") for one in asked.inputs))
    after = double_hash(
        b"".join(one.amount_atoms.to_bytes(8, "little") + sized(one.script) for one in outputs)
    )
    inputs = []
    for one, place in zip(asked.inputs, places, strict=True):
        key = key_of(one.key.branch, one.key.index)
        digest = script_at(one.key.branch, one.key.index)[2:]
        code = sized(b"\x76\xa9\x14" + digest + b"\x88\xac")
        amount = one.amount_atoms.to_bytes(8, "little")
        sequence = one.sequence.to_bytes(4, "little")
        message = before + place + code + amount + sequence + after
        message += asked.lock_time.to_bytes(4, "little") + b"\x01\x00\x00\x00"
        signature = key.sign(double_hash(message), hasher=None) + b"\x01"
        witness = (signature, key.public_key.format())
        inputs.append(Input(TransactionId(one.txid), one.index, b"", one.sequence, witness))
    return Transaction(asked.version, tuple(inputs), outputs, asked.lock_time).serialise()


def script_of_output(one: intent_pb2.BitcoinOutput, scripts: dict[bytes, bytes]) -> bytes:
    if one.listed_destination:
        return parse_address(one.listed_destination, REGTEST).key
    if one.withdrawal_id:
        return scripts[one.withdrawal_id]
    return script_at(one.key.branch, one.key.index)


def outpoint(one: intent_pb2.BitcoinInput) -> bytes:
    return bytes.fromhex(one.txid)[::-1] + one.index.to_bytes(4, "little")
