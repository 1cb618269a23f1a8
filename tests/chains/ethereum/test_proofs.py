"""A node that tells the true hash of a block and lies about what is in it convinces nobody."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from runtime.errors import Unavailable
from tests.chains.ethereum.anvil import Anvil
from tests.chains.ethereum.conftest import TRANSFER, code_of
from tests.chains.ethereum.custody import ETHER, GWEI, Custody, network_of
from tests.chains.ethereum.development_node import CHAIN_ID
from tests.chains.ethereum.lying import lying
from wallets.contract import BlockRef, ConfirmationState
from wallets.ethereum.node_set import NodeSet
from wallets.ethereum.proofs import (
    FalseBlock,
    check_block,
    check_header,
    check_receipts,
    check_transactions,
)
from wallets.ethereum.senders import sender_of

pytestmark = pytest.mark.chains

CUSTOMER = "0x" + "22" * 20
WORDS = "0x" + TRANSFER + CUSTOMER[2:].rjust(64, "0") + "7".rjust(64, "0")


def mined_block(anvil: Anvil) -> tuple[dict[str, Any], list[Any], str]:
    """A block of 150 transactions of every type that anvil signs, some that fail; the token."""
    token = anvil.deploy(code_of("OddToken"))
    kinds: list[dict[str, Any]] = [
        {},
        {"gasPrice": hex(5 * GWEI)},
        {
            "gasPrice": hex(5 * GWEI),
            "accessList": [{"address": token, "storageKeys": ["0x" + "01" * 32]}],
        },
    ]
    for number in range(147):
        kind = kinds[number % 3]
        to = {"to": token, "data": WORDS} if number % 5 == 0 else {"to": CUSTOMER, "value": "0x5"}
        anvil.send(**to, gas=hex(100_000), **kind)
    too_much = WORDS[:-64] + "f" * 64
    anvil.send(to=token, data=too_much, gas=hex(100_000))
    anvil.send(data="0x" + code_of("OddToken"), gas=hex(1_000_000))
    anvil.send(to=token, data=WORDS, gas=hex(100_000))
    anvil.mine()
    name = hex(anvil.height())
    block = anvil.call("eth_getBlockByNumber", name, True)
    return block, anvil.call("eth_getBlockReceipts", name), token


def test_true_blocks_hold_and_every_field_that_counts_is_held(anvil: Anvil) -> None:
    block, receipts, _ = mined_block(anvil)
    assert len(receipts) == 150
    assert {receipt["type"] for receipt in receipts} == {"0x0", "0x1", "0x2"}
    assert {receipt["status"] for receipt in receipts} == {"0x0", "0x1"}
    ref = BlockRef(anvil.height(), block["hash"][2:])
    check_block(block, receipts, ref)
    assert {sender_of(one).hex() for one in block["transactions"]} == {anvil.rich[2:].lower()}
    genesis = anvil.call("eth_getBlockByNumber", "0x0", True)
    check_block(genesis, [], BlockRef(0, genesis["hash"][2:]))

    for name in ("parentHash", "stateRoot", "transactionsRoot", "receiptsRoot", "withdrawalsRoot"):
        with pytest.raises(FalseBlock):
            check_header({**block, name: "0x" + "11" * 32}, ref)
        with pytest.raises(FalseBlock):
            check_header({key: value for key, value in block.items() if key != name}, ref)
    for name in ("value", "nonce", "gas", "chainId"):
        told = [{**one, name: "0x7"} for one in block["transactions"][:1]]
        with pytest.raises(FalseBlock):
            check_transactions(block, told + block["transactions"][1:])
    first, second, *rest = block["transactions"]
    swapped = [{**first, "hash": second["hash"]}, {**second, "hash": first["hash"]}, *rest]
    with pytest.raises(FalseBlock, match="hash of another"):
        check_transactions(block, swapped)
    with pytest.raises(FalseBlock, match="gas"):
        check_receipts(block, [{**receipts[0], "gasUsed": "0x1"}, *receipts[1:]])


def flip_status(receipts: list[Any]) -> None:
    failed = next(one for one in receipts if one["status"] == "0x0")
    failed["status"] = "0x1"


def change_amount(receipts: list[Any]) -> None:
    log = next(one["logs"][0] for one in receipts if one["logs"])
    log["data"] = "0x" + (10**12).to_bytes(32).hex()


def add_log(receipts: list[Any]) -> None:
    logs = next(one["logs"] for one in receipts if one["logs"])
    logs.append(logs[0])


def leave_log_out(receipts: list[Any]) -> None:
    next(one["logs"] for one in receipts if one["logs"]).clear()


def leave_receipt_out(receipts: list[Any]) -> None:
    receipts.pop()


def no_blooms(receipts: list[Any]) -> None:
    for one in receipts:
        del one["logsBloom"]


RECEIPT_LIES = [flip_status, change_amount, add_log, leave_log_out, leave_receipt_out, no_blooms]


@asynccontextmanager
async def nodes_of(anvil: Anvil, *urls: str, agreeing: int = 1) -> AsyncIterator[NodeSet]:
    genesis_hash = network_of(anvil).genesis_hash
    async with AsyncExitStack() as stack:
        nodes = [
            await stack.enter_async_context(anvil.node(f"node-{place}", url))
            for place, url in enumerate(urls)
        ]
        yield NodeSet(CHAIN_ID, genesis_hash, nodes, agreeing, time.monotonic)


@pytest.mark.parametrize("lie", RECEIPT_LIES)
async def test_a_single_node_that_lies_about_receipts_gives_no_block_and_is_put_aside(
    anvil: Anvil, lie: Callable[[list[Any]], None]
) -> None:
    _, _, token = mined_block(anvil)
    contract = bytes.fromhex(token[2:])

    def told(method: str, result: Any) -> Any:
        if method == "eth_getBlockReceipts":
            lie(result)
        return result

    async with lying(anvil.url, told) as url:
        async with nodes_of(anvil, url) as nodes:
            with pytest.raises(Unavailable):
                await nodes.read_block(anvil.height(), (contract,))
            assert list(nodes.quarantined()) == ["node-0"]
        # Beside an honest node nothing is lost: one proven answer is enough where one must agree.
        async with nodes_of(anvil, url, anvil.url) as nodes:
            block = await nodes.read_block(anvil.height(), (contract,))
            assert sum(move.amount_atoms for move in block.movements if move.contract) == 31 * 7
            assert list(nodes.quarantined()) == ["node-0"]


async def test_a_node_that_lies_about_a_value_or_its_own_header_gives_no_block(
    anvil: Anvil,
) -> None:
    mined_block(anvil)

    def value(method: str, result: Any) -> Any:
        if method == "eth_getBlockByHash":
            result["transactions"][1]["value"] = hex(ETHER)
        return result

    def empty(method: str, result: Any) -> Any:
        """A whole false block under the true hash."""
        nothing = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
        if method == "eth_getBlockByHash":
            roots = {"transactionsRoot": nothing, "receiptsRoot": nothing}
            return {**result, **roots, "transactions": []}
        return [] if method == "eth_getBlockReceipts" else result

    for lie, why in ((value, "transactions do not give"), (empty, "does not give its hash")):
        async with lying(anvil.url, lie) as url, nodes_of(anvil, url) as nodes:
            with pytest.raises(Unavailable):
                await nodes.read_block(anvil.height(), ())
            assert why in nodes.quarantined()["node-0"]


async def test_a_payout_is_not_failed_on_the_word_of_a_node(custody: Custody) -> None:
    """A false "failed" would have it paid again."""
    attempt = await custody.attempt(custody.payout(1, ETHER))
    await custody.adapter.broadcast(attempt)
    custody.anvil.mine(5)
    assert (await custody.adapter.confirm(attempt)).state is ConfirmationState.FINAL

    def failed(method: str, result: Any) -> Any:
        if method == "eth_getTransactionReceipt":
            result["status"] = "0x0"
        return result

    def failed_everywhere(method: str, result: Any) -> Any:
        if method == "eth_getBlockReceipts":
            for one in result:
                one["status"] = "0x0"
        return failed(method, result)

    async with lying(custody.anvil.url, failed) as url, nodes_of(custody.anvil, url) as nodes:
        custody.adapter._standing._nodes = nodes
        assert (await custody.adapter.confirm(attempt)).state is ConfirmationState.FINAL
    liar = lying(custody.anvil.url, failed_everywhere)
    async with liar as url, nodes_of(custody.anvil, url) as nodes:
        custody.adapter._standing._nodes = nodes
        with pytest.raises(Unavailable):
            await custody.adapter.confirm(attempt)
