"""What the signer signs, a real node mines: planned, approved, signed, bumped, with change."""

from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cambist.internal.signer.v1 import intent_pb2, signer_pb2
from runtime import postgres
from runtime.clock import ManualClock
from runtime.migrations import migrate
from runtime.settings import PostgresSettings
from tests.chains.bitcoin.regtest import Regtest
from tests.wallets.signer.softhsm import open_softhsm
from wallets.bitcoin.addresses import address_of, parse_address
from wallets.bitcoin.coins import OwnCoin
from wallets.bitcoin.derivation import parse_branch, script_of_key
from wallets.bitcoin.networks import REGTEST
from wallets.bitcoin.planning import Place, Spending, plan
from wallets.bitcoin.scripts import ScriptKind, script_of
from wallets.bitcoin.wire import parse_transaction
from wallets.contract import Payout, Token, WithdrawalId
from wallets.errors import Rejected
from wallets.signer import log
from wallets.signer.approvals import APPROVAL_PREFIX
from wallets.signer.keys.branches import BranchKeys
from wallets.signer.keys.seeds import Seeds
from wallets.signer.policy import AssetPolicy, NetworkPolicy, Policy
from wallets.signer.service import Signer

pytestmark = pytest.mark.chains

COIN_ATOMS = 100_000_000
APPROVER = Ed25519PrivateKey.from_private_bytes(b"a" * 32)
SEEDS = Seeds({"hot": b"h" * 64, "change": b"c" * 64})
NETWORK = NetworkPolicy(
    network_id=1,
    chain="bitcoin",
    network="regtest",
    chain_id=0,
    branches={"hot": "m/84'/1'/0'/0", "change": "m/84'/1'/1'/0"},
    assets={"": AssetPolicy(10**12, 10**12)},
    fee_cap_atoms=1_000_000,
)
POLICY = Policy({1: NETWORK}, {"k": APPROVER.public_key().public_bytes_raw()}, {}, 0)


def payout_of(kind: ScriptKind, number: int) -> Payout:
    text = address_of(script_of(kind, bytes([number]) * kind.value[1]), REGTEST)
    destination = parse_address(text, REGTEST)
    return Payout(WithdrawalId(bytes([number]) * 16), destination, Token(1, b"", 8), 30_000_000)


def approval_of(payout: Payout) -> intent_pb2.SignedApproval:
    content = intent_pb2.Approval(
        kind=intent_pb2.APPROVAL_KIND_PAYOUT,
        withdrawal_id=payout.withdrawal_id,
        network_id=1,
        destination=payout.destination.text,
        amount_atoms=str(payout.amount_atoms),
        highest_fee_atoms="100000",
        expires_ns=2**62,
        key_id="k",
    ).SerializeToString()
    return intent_pb2.SignedApproval(
        approval=content, signature=APPROVER.sign(APPROVAL_PREFIX + content)
    )


def request_of(number: int, payouts: list[Payout], coins: list[OwnCoin], rate: int) -> bytes:
    intent_id = number.to_bytes(16, "big")
    spending = Spending(rate, rate, 100_000 * len(payouts), Place("change", 0))
    return plan(intent_id, 1, payouts, coins, coins[:1], spending, Random(1)).intent


def fund_script(regtest: Regtest, script: bytes, index: int) -> OwnCoin:
    """A coin of one script; not mined yet."""
    txid = regtest.call("sendtoaddress", address_of(script, REGTEST), 1)
    raw = bytes.fromhex(str(regtest.call("gettransaction", txid)["hex"]))
    outputs = parse_transaction(raw).outputs
    place = next(at for at, one in enumerate(outputs) if one.script == script)
    return OwnCoin(f"{txid}:{place}", COIN_ATOMS, "hot", index)


def fund(regtest: Regtest, count: int) -> list[OwnCoin]:
    """Coins at the hot branch, one per index, mined."""
    branch = parse_branch(SEEDS.branch_key(NETWORK, "hot"), REGTEST)
    coins = [
        fund_script(regtest, script_of_key(branch.child(index).public_key), index)
        for index in range(count)
    ]
    regtest.mine(1)
    return coins


async def test_a_payout_signed_inside_a_token_is_mined(
    regtest: Regtest, postgres_settings: PostgresSettings
) -> None:
    token = open_softhsm()
    await migrate(postgres_settings, log.MIGRATIONS)
    database = await postgres.connect(postgres_settings, application_name="test")
    try:
        epoch = await log.take_epoch(database)
        keys = BranchKeys({"hot": token}, SEEDS)
        signer = Signer(database, POLICY, keys, epoch, ManualClock())
        hot = script_of_key(token.public_key(NETWORK, intent_pb2.KeyPlace(branch="hot")))
        coin = fund_script(regtest, hot, 0)
        regtest.mine(1)
        payout = payout_of(ScriptKind.P2WPKH, 9)
        answer = await signer.sign(
            signer_pb2.SignRequest(
                intent=request_of(9, [payout], [coin], 2_000),
                more_approvals=[approval_of(payout)],
            )
        )
    finally:
        await database.close()
    assert regtest.call("sendrawtransaction", answer.raw_transaction.hex()) == answer.txid
    regtest.mine(1)
    assert regtest.call("getrawtransaction", answer.txid, True)["confirmations"] == 1


async def test_a_batch_to_every_kind_of_script_is_signed_replaced_and_mined_once(
    regtest: Regtest, postgres_settings: PostgresSettings
) -> None:
    await migrate(postgres_settings, log.MIGRATIONS)
    database = await postgres.connect(postgres_settings, application_name="test")
    try:
        epoch = await log.take_epoch(database)
        signer = Signer(database, POLICY, SEEDS, epoch, ManualClock())
        payouts = [payout_of(kind, number) for number, kind in enumerate(ScriptKind, start=1)]
        approvals = [approval_of(payout) for payout in payouts]
        coins = fund(regtest, 3)
        signed = []
        for number, rate in ((1, 2_000), (2, 20_000)):
            intent = request_of(number, payouts, coins, rate)
            asked = signer_pb2.SignRequest(intent=intent, more_approvals=approvals)
            answer = await signer.sign(asked)
            sent = regtest.call("sendrawtransaction", answer.raw_transaction.hex())
            assert sent == answer.txid
            signed.append(answer)
        stranger = request_of(3, payouts, fund(regtest, 3), 2_000)
        with pytest.raises(Rejected, match="WOULD_PAY_TWICE"):
            await signer.sign(signer_pb2.SignRequest(intent=stranger, more_approvals=approvals))
    finally:
        await database.close()
    for payout in payouts:
        found = regtest.call("scantxoutset", "start", [f"addr({payout.destination.text})"])
        assert len(found["unspents"]) == 1
        assert found["unspents"][0]["txid"] == signed[1].txid
        assert round(found["total_amount"] * COIN_ATOMS) == payout.amount_atoms
