"""Ethereum's transactions are the same bytes that another library signs."""

import pytest
from eth_account import Account
from eth_account.hdaccount import key_from_seed
from hypothesis import given, settings
from hypothesis import strategies as st

from cambist.internal.signer.v1 import intent_pb2
from wallets.signer.ethereum.transactions import TRANSFER, read, sign
from wallets.signer.keys.seeds import Seeds
from wallets.signer.policy import AssetPolicy, NetworkPolicy

SEED = bytes(range(64))
SEEDS = Seeds({"hot": SEED})
TOKEN = "0xdAC17F958D2ee523a2206206994597C13D831ec7"
CUSTOMER = "0x52908400098527886E0F7030069857D2E4169EE7"
CALL = TRANSFER + bytes(12) + bytes.fromhex(CUSTOMER[2:]) + (10).to_bytes(32, "big")
NUMBERS = st.integers(0, 2**63 - 1)


@pytest.mark.parametrize("is_legacy", [True, False])
@settings(max_examples=40, deadline=None)
@given(nonce=NUMBERS, price=NUMBERS.filter(bool), value=NUMBERS, chain_id=st.integers(1, 2**40))
def test_both_kinds_of_fee_and_a_call_are_signed_as_elsewhere(
    nonce: int, price: int, value: int, chain_id: int, *, is_legacy: bool
) -> None:
    network = NetworkPolicy(
        2, "ethereum", "dev", chain_id, {"hot": "m/44'/60'/1'/0"}, {"": AssetPolicy(1, 1)}, 1
    )
    is_call = value % 2 == 1
    message = intent_pb2.EthereumTransaction(
        lane=intent_pb2.KeyPlace(branch="hot", index=3),
        nonce=nonce,
        gas_limit=90_000,
        max_fee_per_gas_atoms="" if is_legacy else str(price),
        max_priority_fee_per_gas_atoms="" if is_legacy else str(price // 2),
        gas_price_atoms=str(price) if is_legacy else "",
        to=TOKEN if is_call else CUSTOMER,
        value_atoms="0" if is_call else str(value),
        data=CALL if is_call else b"",
        withdrawal_id=b"w" * 16,
    )
    draft, fields = read(message, network, SEEDS)
    ours = sign(fields, message, network, SEEDS)
    theirs = Account.sign_transaction(fields, key_from_seed(SEED, "m/44'/60'/1'/0/3"))
    assert ours.raw == bytes(theirs.raw_transaction)
    assert ours.txid == theirs.hash.hex().removeprefix("0x")
    assert draft.fee_atoms_max == 90_000 * price
