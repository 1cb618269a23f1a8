"""TRON's transactions: decoded, held against approvals, signed by the owner's key, or refused."""

import hashlib

import pytest
from tronpy.proto import tron_pb2

from cambist.internal.signer.v1 import intent_pb2
from wallets.contract import WithdrawalId
from wallets.errors import Rejected
from wallets.signer import rules
from wallets.signer.approvals import Approval, Terms
from wallets.signer.chains import Prepared, prepare
from wallets.signer.keys.seeds import Seeds
from wallets.signer.policy import AssetPolicy, NetworkPolicy, Policy
from wallets.signer.tron.transactions import account_of
from wallets.tron.addresses import address_of
from wallets.tron.contracts import (
    Contract,
    Delegate,
    Freeze,
    Resource,
    Transfer,
    Trigger,
    Undelegate,
    Unfreeze,
    WithdrawUnfrozen,
    token_transfer,
)
from wallets.tron.simulator.chain import Chain
from wallets.tron.simulator.parameters import Parameters
from wallets.tron.simulator.signatures import signer_of
from wallets.tron.simulator.state import Account, State
from wallets.tron.transactions import Plan, Reference, build, transaction_id

NOW_MS = 1_795_354_200_000
SEEDS = Seeds({"hot": b"h" * 64, "deposit": b"d" * 64})
TOKEN = b"\x41" + b"\x03" * 20
CUSTOMER = b"\x41" + b"\x02" * 20
NETWORK = NetworkPolicy(
    network_id=3,
    chain="tron",
    network="simulated",
    chain_id=0,
    branches={"hot": "m/44'/195'/1'/0", "deposit": "m/44'/195'/0'/0"},
    assets={
        "": AssetPolicy(10**9, 10**9),
        address_of(TOKEN): AssetPolicy(10**9, 10**9),
    },
    fee_cap_atoms=100_000_000,
)
POLICY = Policy({3: NETWORK}, {}, {}, 0)
W = WithdrawalId(b"w" * 16)
HOT = intent_pb2.KeyPlace(branch="hot")
DEPOSIT = intent_pb2.KeyPlace(branch="deposit", index=4)
OWNER = account_of(SEEDS, NETWORK, HOT)
OURS = account_of(SEEDS, NETWORK, DEPOSIT)
FEE_SUN = 30_000_000


def raw_of(contract: Contract, lifetime_ms: int = 600_000) -> bytes:
    limit = FEE_SUN if isinstance(contract, Trigger) else 0
    expiration_ms = NOW_MS + lifetime_ms
    plan = Plan(contract, Reference(b"rr", b"r" * 8), NOW_MS, expiration_ms, limit)
    return build(plan, expiration_ms - 1)


def intent_of(
    raw: bytes, *, withdrawal: bool = True, key: intent_pb2.KeyPlace | None = None
) -> intent_pb2.Intent:
    intent = intent_pb2.Intent(intent_id=b"i" * 16, network_id=3)
    intent.tron.CopyFrom(
        intent_pb2.TronTransaction(
            owner=HOT, raw_data=raw, withdrawal_id=W if withdrawal else b"", key=key
        )
    )
    return intent


def approval(contract: str, amount: int, account: bytes = CUSTOMER) -> Approval:
    terms = Terms(3, address_of(account), contract, amount)
    return Approval(W, terms, FEE_SUN + 1_000_000, 2**62, (), frozenset())


def checked(intent: intent_pb2.Intent, approvals: list[Approval]) -> Prepared:
    found = prepare(intent, NETWORK, SEEDS, approvals, NOW_MS * 1_000_000)
    rules.check_approvals(found.draft, approvals, POLICY, 0)
    return found


def reason_of(intent: intent_pb2.Intent, approvals: list[Approval]) -> str:
    with pytest.raises(Rejected) as caught:
        checked(intent, approvals)
    return caught.value.reason


TOKEN_PAYOUT = token_transfer(OWNER, TOKEN, CUSTOMER, 500)


@pytest.mark.parametrize(
    ("contract", "approved"),
    [
        (Transfer(OWNER, CUSTOMER, 77), approval("", 77)),
        (TOKEN_PAYOUT, approval(address_of(TOKEN), 500)),
    ],
)
def test_an_approved_payout_is_signed_by_its_owner_under_our_own_id(
    contract: Contract, approved: Approval
) -> None:
    raw = raw_of(contract)
    signed = checked(intent_of(raw), [approved]).sign()
    whole = tron_pb2.Transaction.FromString(signed.raw)
    assert whole.raw_data.SerializeToString() == raw
    assert signer_of(raw, whole.signature[0]) == OWNER
    assert signed.txid == hashlib.sha256(raw).hexdigest() == transaction_id(raw)


def test_a_node_takes_what_was_signed() -> None:
    parameters = Parameters(solid_lag_blocks=1)
    state = State(parameters)
    state.accounts |= {OWNER: Account(10**9, NOW_MS), CUSTOMER: Account(10**6, NOW_MS)}
    chain = Chain(parameters, NOW_MS, state)
    chain.make_block()
    head = chain.head
    block_hash = bytes.fromhex(head.block_hash)
    reference = Reference(block_hash[6:8], block_hash[8:16])
    plan = Plan(Transfer(OWNER, CUSTOMER, 77), reference, head.time_ms, head.time_ms + 60_000)
    raw = build(plan, head.time_ms)
    signed = checked(intent_of(raw), [approval("", 77)]).sign()
    whole = tron_pb2.Transaction.FromString(signed.raw)
    assert chain.broadcast(whole) == signed.txid
    chain.make_block()
    assert chain.head.state.accounts[CUSTOMER].balance == 10**6 + 77


def test_a_payout_that_differs_from_its_approval_is_refused() -> None:
    token = address_of(TOKEN)
    transfer = intent_of(raw_of(TOKEN_PAYOUT))
    assert reason_of(transfer, [approval(token, 499)]) == "NOT_APPROVED"
    assert reason_of(transfer, [approval(token, 500, OURS)]) == "NOT_APPROVED"
    assert reason_of(transfer, [approval("", 500)]) == "NOT_APPROVED"
    assert reason_of(transfer, []) == "NOT_APPROVED"


STRANGE_CALLS = [
    bytes.fromhex("095ea7b3") + TOKEN_PAYOUT.data[4:],
    TOKEN_PAYOUT.data + b"\0",
    TOKEN_PAYOUT.data[:4] + b"\1" + TOKEN_PAYOUT.data[5:],
    b"",
]


@pytest.mark.parametrize("data", STRANGE_CALLS)
def test_no_other_call_is_signed(data: bytes) -> None:
    intent = intent_of(raw_of(Trigger(OWNER, TOKEN, data)))
    assert reason_of(intent, [approval(address_of(TOKEN), 500)]) == "CALL_NOT_ALLOWED"


def test_no_trx_goes_along_with_a_call() -> None:
    contract = Trigger(OWNER, TOKEN, TOKEN_PAYOUT.data, 1)
    intent = intent_of(raw_of(contract))
    assert reason_of(intent, [approval(address_of(TOKEN), 500)]) == "CALL_NOT_ALLOWED"


def test_a_change_of_permissions_is_never_signed() -> None:
    raw = tron_pb2.Transaction.raw.FromString(raw_of(Transfer(OWNER, CUSTOMER, 77)))
    contract = raw.contract[0]
    contract.type = tron_pb2.Transaction.Contract.AccountPermissionUpdateContract
    contract.parameter.type_url = "type.googleapis.com/protocol.AccountPermissionUpdateContract"
    assert reason_of(intent_of(raw.SerializeToString()), []) == "UNKNOWN_CONTRACT_TYPE"


def test_bytes_that_are_not_understood_are_never_signed() -> None:
    raw = raw_of(Transfer(OWNER, CUSTOMER, 77)) + b"\xf8\x7f\x01"
    assert reason_of(intent_of(raw), [approval("", 77)]) == "MALFORMED"


STAKES: list[tuple[Contract, intent_pb2.KeyPlace | None]] = [
    (Freeze(OWNER, 10, Resource.ENERGY), None),
    (Unfreeze(OWNER, 10, Resource.ENERGY), None),
    (WithdrawUnfrozen(OWNER), None),
    (Delegate(OWNER, OURS, 10, Resource.ENERGY, 5), DEPOSIT),
    (Undelegate(OWNER, OURS, 10, Resource.ENERGY), DEPOSIT),
    (Transfer(OWNER, OURS, 10), DEPOSIT),
    (token_transfer(OWNER, TOKEN, OURS, 10), DEPOSIT),
]


@pytest.mark.parametrize(("contract", "key"), STAKES)
def test_internal_transactions_stay_with_us(
    contract: Contract, key: intent_pb2.KeyPlace | None
) -> None:
    raw = raw_of(contract)
    found = checked(intent_of(raw, withdrawal=False, key=key), [])
    assert (found.draft.payments, found.draft.anchors) == ((), frozenset())
    whole = tron_pb2.Transaction.FromString(found.sign().raw)
    assert signer_of(raw, whole.signature[0]) == OWNER


@pytest.mark.parametrize(
    "contract",
    [
        Delegate(OWNER, CUSTOMER, 10, Resource.ENERGY),
        Transfer(OWNER, CUSTOMER, 10),
        token_transfer(OWNER, TOKEN, CUSTOMER, 10),
    ],
)
def test_nothing_internal_goes_to_a_stranger(contract: Contract) -> None:
    raw = raw_of(contract)
    assert reason_of(intent_of(raw, withdrawal=False, key=DEPOSIT), []) == "NOT_OURS"
    assert reason_of(intent_of(raw, withdrawal=False), []) == "NOT_OURS"


def test_stake_pays_no_withdrawal_and_the_owner_is_the_named_key() -> None:
    freeze = raw_of(Freeze(OWNER, 10, Resource.ENERGY))
    assert reason_of(intent_of(freeze), [approval("", 10)]) == "NOT_APPROVED"
    foreign = raw_of(Transfer(OURS, CUSTOMER, 77))
    assert reason_of(intent_of(foreign), [approval("", 77)]) == "NOT_OURS"


def test_a_transaction_lives_no_longer_than_the_policy_says_and_burns_no_more() -> None:
    longer = raw_of(Transfer(OWNER, CUSTOMER, 77), 3_600_001)
    assert reason_of(intent_of(longer), [approval("", 77)]) == "LIVES_TOO_LONG"
    terms = Terms(3, address_of(CUSTOMER), address_of(TOKEN), 500)
    cheap = Approval(W, terms, FEE_SUN, 2**62, (), frozenset())
    assert reason_of(intent_of(raw_of(TOKEN_PAYOUT)), [cheap]) == "FEE_NOT_APPROVED"


def raw_with_permission(permission_id: int) -> bytes:
    expiration_ms = NOW_MS + 600_000
    reference = Reference(b"rr", b"r" * 8)
    transfer = Transfer(OWNER, CUSTOMER, 77)
    plan = Plan(transfer, reference, NOW_MS, expiration_ms, permission_id=permission_id)
    return build(plan, expiration_ms - 1)


def test_all_keys_that_are_named_for_a_permission_sign_and_cost_more() -> None:
    raw = raw_with_permission(2)
    intent = intent_of(raw)
    intent.tron.signers.extend([HOT, DEPOSIT])
    several = checked(intent, [approval("", 77)])
    whole = tron_pb2.Transaction.FromString(several.sign().raw)
    assert [signer_of(raw, one) for one in whole.signature] == [OWNER, OURS]
    one_key = intent_of(raw)
    one_key.tron.signers.append(DEPOSIT)
    alone = checked(one_key, [approval("", 77)])
    # One TRX for several, and the bytes of one more signature.
    assert several.draft.fee_atoms_max - alone.draft.fee_atoms_max == 1_000_000 + 67 * 1_000


@pytest.mark.parametrize(
    ("permission_id", "signers"),
    [
        (0, [DEPOSIT]),
        (2, []),
        (2, [HOT, HOT]),
        (2, [intent_pb2.KeyPlace(branch="hot", index=at) for at in range(6)]),
    ],
)
def test_keys_that_no_permission_can_mean_are_refused(
    permission_id: int, signers: list[intent_pb2.KeyPlace]
) -> None:
    intent = intent_of(raw_with_permission(permission_id))
    intent.tron.signers.extend(signers)
    assert reason_of(intent, [approval("", 77)]) == "MALFORMED"


def test_without_one_of_the_keys_nothing_is_signed() -> None:
    intent = intent_of(raw_with_permission(2))
    intent.tron.signers.extend([HOT, intent_pb2.KeyPlace(branch="elsewhere")])
    prepared = checked(intent, [approval("", 77)])
    with pytest.raises(Rejected, match="KEY_UNKNOWN"):
        prepared.sign()
