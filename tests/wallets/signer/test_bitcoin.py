"""Bitcoin's intents: rebuilt from approvals and our own keys, signed, and refused by name."""

import hashlib
import random
from collections.abc import Callable

import pytest
from coincurve import PrivateKey, PublicKey
from eth_account.hdaccount import key_from_seed
from hypothesis import given, settings
from hypothesis import strategies as st

from cambist.internal.signer.v1 import intent_pb2
from wallets.bitcoin.addresses import address_of, parse_address
from wallets.bitcoin.coins import OwnCoin
from wallets.bitcoin.derivation import parse_branch, script_of_key
from wallets.bitcoin.networks import REGTEST
from wallets.bitcoin.planning import Place, Spending, plan
from wallets.bitcoin.scripts import ScriptKind, script_of
from wallets.bitcoin.wire import double_hash, parse_transaction, sized
from wallets.contract import Payout, Token, WithdrawalId
from wallets.errors import Rejected
from wallets.signer import rules
from wallets.signer.approvals import Approval, Terms
from wallets.signer.bitcoin import transactions
from wallets.signer.chains import Prepared, prepare
from wallets.signer.keys.seeds import Seeds
from wallets.signer.policy import AssetPolicy, NetworkPolicy, Policy

SEEDS = Seeds({"hot": b"h" * 64, "change": b"c" * 64})
COLD = address_of(script_of(ScriptKind.P2WSH, b"\x07" * 32), REGTEST)
NETWORK = NetworkPolicy(
    network_id=1,
    chain="bitcoin",
    network="regtest",
    chain_id=0,
    branches={"hot": "m/84'/1'/0'/0", "change": "m/84'/1'/1'/0"},
    assets={"": AssetPolicy(10**9, 10**9)},
    fee_cap_atoms=1_000_000,
    listed_destinations=frozenset({COLD}),
)
POLICY = Policy({1: NETWORK}, {}, {}, 0)


def payout_of(number: int, kind: ScriptKind, amount_atoms: int) -> Payout:
    text = address_of(script_of(kind, bytes([number % 250 + 1]) * kind.value[1]), REGTEST)
    destination = parse_address(text, REGTEST)
    return Payout(WithdrawalId(number.to_bytes(16)), destination, Token(1, b"", 8), amount_atoms)


def approval_of(payout: Payout) -> Approval:
    terms = Terms(1, payout.destination.text, "", payout.amount_atoms)
    return Approval(payout.withdrawal_id, terms, 100_000, 10, (), frozenset())


def intent_of(payouts: list[Payout], coin_atoms: int = 300_000) -> intent_pb2.Intent:
    coins = [OwnCoin(f"{place + 1:064x}:{place}", coin_atoms, "hot", place) for place in range(40)]
    spending = Spending(2_000, 2_000, 100_000, Place("change", 3))
    found = plan(b"i" * 16, 1, payouts, coins, [], spending, random.Random(1))
    return intent_pb2.Intent.FromString(found.intent)


PAYOUT = payout_of(1, ScriptKind.P2TR, 250_000)


def checked(intent: intent_pb2.Intent, approvals: list[Approval]) -> Prepared:
    found = prepare(intent, NETWORK, SEEDS, approvals, 0)
    rules.check_approvals(found.draft, approvals, POLICY, 0)
    return found


def reason_of(intent: intent_pb2.Intent, payouts: list[Payout]) -> str:
    approvals = [approval_of(payout) for payout in payouts]
    with pytest.raises(Rejected) as caught:
        checked(intent, approvals)
    return caught.value.reason


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1_000, 500_000), st.sampled_from(ScriptKind)), min_size=1, max_size=9
    )
)
def test_every_plan_is_signed_as_approved_and_each_signature_commits_to_its_amount(
    due: list[tuple[int, ScriptKind]],
) -> None:
    payouts = [payout_of(number, kind, amount) for number, (amount, kind) in enumerate(due)]
    approvals = [approval_of(payout) for payout in payouts]
    intent = intent_of(payouts)
    found = checked(intent, approvals)
    signed = found.sign()
    whole = parse_transaction(signed.raw)
    assert whole.txid() == signed.txid
    assert found.draft.anchors == {one.outpoint for one in whole.inputs}
    paid = [(payout.destination.key, payout.amount_atoms) for payout in payouts]
    assert [(one.script, one.amount_atoms) for one in whole.outputs][: len(paid)] == paid
    assert len(whole.outputs) <= len(paid) + 1
    hot = parse_branch(SEEDS.branch_key(NETWORK, "hot"), REGTEST)
    before, after = transactions.shared_parts(whole)
    for one, asked in zip(whole.inputs, intent.bitcoin.inputs, strict=True):
        signature, key = one.witness
        assert key == hot.child(asked.key.index).public_key
        code = sized(script_of(ScriptKind.P2PKH, script_of_key(key)[2:]))
        told = asked.amount_atoms.to_bytes(8, "little") + one.sequence.to_bytes(4, "little")
        message = before + transactions.outpoint_bytes(one) + code + told + after
        assert PublicKey(key).verify(signature[:-1], double_hash(message), hasher=None)
        more = (asked.amount_atoms + 1).to_bytes(8, "little") + told[8:]
        other = before + transactions.outpoint_bytes(one) + code + more + after
        assert not PublicKey(key).verify(signature[:-1], double_hash(other), hasher=None)


def test_change_goes_to_the_key_that_the_signer_derives() -> None:
    found = prepare(intent_of([PAYOUT]), NETWORK, SEEDS, [approval_of(PAYOUT)], 0)
    change = parse_transaction(found.sign().raw).outputs[1]
    branch = parse_branch(SEEDS.branch_key(NETWORK, "change"), REGTEST)
    assert change.script == script_of_key(branch.child(3).public_key)


Change = Callable[[intent_pb2.BitcoinTransaction], object]


def pay_twice(one: intent_pb2.BitcoinTransaction) -> None:
    one.outputs.append(one.outputs[0])
    one.inputs[0].amount_atoms += PAYOUT.amount_atoms


REFUSED: list[tuple[str, Change]] = [
    ("NOT_APPROVED", lambda one: setattr(one.outputs[0], "amount_atoms", 250_001)),
    ("NOT_APPROVED", lambda one: setattr(one.outputs[0], "withdrawal_id", b"w" * 16)),
    ("NOT_APPROVED", lambda one: one.outputs.pop(0)),
    ("PAYS_TWICE", pay_twice),
    ("MALFORMED", lambda one: one.outputs[1].ClearField("key")),
    ("MALFORMED", lambda one: setattr(one.outputs[0], "listed_destination", COLD)),
    ("MALFORMED", lambda one: one.inputs.append(one.inputs[0])),
    ("MALFORMED", lambda one: setattr(one.inputs[0], "txid", "A" * 64)),
    ("MALFORMED", lambda one: setattr(one.inputs[0], "sequence", 5)),
    ("MALFORMED", lambda one: setattr(one, "lock_time", 500_000_000)),
    ("MALFORMED", lambda one: setattr(one, "version", 3)),
    ("MALFORMED", lambda one: setattr(one.inputs[0], "amount_atoms", 1)),
    ("MALFORMED", lambda one: setattr(one.inputs[0], "amount_atoms", 2**63)),
    ("MALFORMED", lambda one: one.ClearField("inputs")),
    ("KEY_UNKNOWN", lambda one: setattr(one.inputs[0].key, "branch", "cold")),
    ("KEY_UNKNOWN", lambda one: setattr(one.outputs[1].key, "index", 2**31)),
    ("DUST", lambda one: setattr(one.outputs[1], "amount_atoms", 100)),
    ("FEE_NOT_APPROVED", lambda one: setattr(one.inputs[0], "amount_atoms", 500_000)),
]


@pytest.mark.parametrize(("reason", "change"), REFUSED)
def test_what_differs_from_the_approval_is_refused_by_name(reason: str, change: Change) -> None:
    intent = intent_of([PAYOUT])
    change(intent.bitcoin)
    assert reason_of(intent, [PAYOUT]) == reason


def test_the_rest_goes_to_listed_addresses_and_no_other_stranger() -> None:
    intent = intent_of([PAYOUT])
    change = intent.bitcoin.outputs[1]
    change.ClearField("key")
    change.listed_destination = COLD
    found = prepare(intent, NETWORK, SEEDS, [approval_of(PAYOUT)], 0)
    assert parse_transaction(found.sign().raw).outputs[1].script[2:] == b"\x07" * 32
    change.listed_destination = PAYOUT.destination.text
    assert reason_of(intent, [PAYOUT]) == "NOT_OURS"


def test_an_address_of_another_network_is_refused_though_it_was_approved() -> None:
    script = script_of(ScriptKind.P2WPKH, hashlib.sha256(b"x").digest()[:20])
    text = "bc" + address_of(script, REGTEST)[4:]
    terms = Terms(1, text, "", PAYOUT.amount_atoms)
    approval = Approval(PAYOUT.withdrawal_id, terms, 100_000, 10, (), frozenset())
    with pytest.raises(Rejected, match="INVALID_ADDRESS"):
        prepare(intent_of([PAYOUT]), NETWORK, SEEDS, [approval], 0)


def test_no_key_is_in_what_is_printed() -> None:
    found = prepare(intent_of([PAYOUT]), NETWORK, SEEDS, [approval_of(PAYOUT)], 0)
    place = intent_pb2.KeyPlace(branch="hot")
    key = bytes(key_from_seed(b"h" * 64, f"{NETWORK.branches[place.branch]}/{place.index}"))
    assert PrivateKey(key).public_key.format() == SEEDS.public_key(NETWORK, place)
    told = repr(found) + repr(SEEDS) + repr(found.sign())
    for secret in (b"h" * 64, key):
        assert str(secret)[2:-1] not in told
        assert secret.hex() not in told
