"""Blocks of a real node: proven by hash, deposits by script bytes, odd outputs, reorganisations."""

import pytest

from runtime.errors import Unavailable
from tests.chains.bitcoin.regtest import Regtest
from wallets.bitcoin.addresses import address_of
from wallets.bitcoin.derivation import Branch
from wallets.bitcoin.networks import MAIN, REGTEST
from wallets.bitcoin.node_set import NodeSet
from wallets.bitcoin.wire import Output, Transaction, parse_transaction
from wallets.contract import Block, Movement
from wallets.errors import Stuck

pytestmark = pytest.mark.chains

# The generator point as key: a branch of nobody's money.
BRANCH = Branch(
    bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
    b"\x01" * 32,
)


def paid_to(block: Block, script: bytes) -> list[Movement]:
    return [found for found in block.movements if found.key == script]


async def test_a_deposit_is_found_by_its_script_with_an_id_of_our_own(regtest: Regtest) -> None:
    script = next(BRANCH.scripts(4_999, 1))
    txid = regtest.call("sendtoaddress", address_of(script, REGTEST), 0.12345678)
    (block_hash,) = regtest.mine(1)
    async with regtest.node() as node:
        nodes = NodeSet(REGTEST, [node], 1, lambda: 0.0)
        await nodes.check()
        tip = await nodes.tip()
        block = await nodes.read_block(tip.height)
    assert (tip.height, tip.block_hash) == (102, block_hash)
    assert block.parent_hash == regtest.call("getblockhash", 101)
    (deposit,) = paid_to(block, script)
    assert (deposit.txid, deposit.amount_atoms) == (txid, 12_345_678)
    assert not deposit.is_coinbase
    assert block.movements[0].is_coinbase
    spent = regtest.call("getrawtransaction", txid, True)["vin"]
    assert {f"{one['txid']}:{one['vout']}" for one in spent} <= set(block.spent)
    assert parse_transaction(deposit.proof).txid() == txid


async def test_b6_and_b7_odd_scripts_are_nobodys_and_stop_no_block(regtest: Regtest) -> None:
    script = next(BRANCH.scripts(0, 1))
    key = BRANCH.child(0).public_key
    odd = [
        # Bare multisig with the deposit key first, bare public key, anchor, version 2, nothing.
        b"\x51\x21" + key + b"\x21" + BRANCH.public_key + b"\x52\xae",
        b"\x21" + key + b"\xac",
        bytes.fromhex("51024e73"),
        b"\x52\x20" + b"\x01" * 32,
        b"",
    ]
    coin = regtest.call("listunspent")[0]
    rest = 4_999_990_000 - 1_000 * len(odd)
    base = parse_transaction(
        bytes.fromhex(
            regtest.call(
                "createrawtransaction",
                [{"txid": coin["txid"], "vout": coin["vout"]}],
                [{address_of(script, REGTEST): rest / 100_000_000}],
            )
        )
    )
    outputs = (*(Output(1_000, one) for one in odd), *base.outputs)
    unsigned = Transaction(base.version, base.inputs, outputs, base.lock_time)
    signed = regtest.call("signrawtransactionwithwallet", unsigned.serialise().hex())["hex"]
    regtest.mine_with(signed)
    async with regtest.node() as node:
        block = await NodeSet(REGTEST, [node], 1, lambda: 0.0).read_block(102)
    assert [found.amount_atoms for found in paid_to(block, script)] == [rest]
    assert [found.key for found in block.movements if found.txid == unsigned.txid()][:5] == odd


async def test_b2_a_deposit_reorganised_out_and_back_is_read_again(regtest: Regtest) -> None:
    script = next(BRANCH.scripts(1, 1))
    raw = regtest.call(
        "gettransaction", regtest.call("sendtoaddress", address_of(script, REGTEST), 1)
    )["hex"]
    (first,) = regtest.mine(1)
    async with regtest.node() as node:
        nodes = NodeSet(REGTEST, [node], 1, lambda: 0.0)
        seen = await nodes.read_block(102)
        regtest.call("invalidateblock", first)
        regtest.mine_with()
        empty = await nodes.read_block(102)
        regtest.mine_with(raw)
        again = await nodes.read_block(103)
        with pytest.raises(Unavailable):
            await nodes.read_block(104)
    assert paid_to(seen, script)
    assert not paid_to(empty, script)
    assert empty.parent_hash == seen.parent_hash
    assert empty.ref.block_hash != seen.ref.block_hash
    assert paid_to(again, script) == paid_to(seen, script)
    assert again.parent_hash == empty.ref.block_hash


async def test_b15_a_mined_deposit_is_marked_as_coinbase(regtest: Regtest) -> None:
    script = next(BRANCH.scripts(2, 1))
    regtest.mine(1, address_of(script, REGTEST))
    async with regtest.node() as node:
        block = await NodeSet(REGTEST, [node], 1, lambda: 0.0).read_block(102)
    assert [found.is_coinbase for found in paid_to(block, script)] == [True]


async def test_a_node_of_another_chain_is_put_aside(regtest: Regtest) -> None:
    async with regtest.node() as node:
        nodes = NodeSet(MAIN, [node], 1, lambda: 0.0)
        with pytest.raises(Stuck, match="ChainMismatch"):
            await nodes.check()
        assert "genesis" in nodes.quarantined()["regtest"]


async def test_a_node_that_is_gone_is_unavailable(regtest: Regtest) -> None:
    async with regtest.node() as node:
        regtest.process.terminate()
        regtest.process.wait(30)
        with pytest.raises(Unavailable):
            await NodeSet(REGTEST, [node], 1, lambda: 0.0).tip()
