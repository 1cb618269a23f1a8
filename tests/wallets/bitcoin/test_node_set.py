"""Nodes that lie, lag, disagree or answer nonsense: HTTP servers that tell of a small chain."""

import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import web
from pydantic import SecretStr

from runtime.errors import Unavailable
from wallets.bitcoin import limits
from wallets.bitcoin.networks import REGTEST
from wallets.bitcoin.node import Node, NodeSettings, classify
from wallets.bitcoin.node_set import NodeSet
from wallets.bitcoin.wire import NO_INDEX, NO_TXID, Input, Output, Transaction, double_hash
from wallets.contract import BroadcastOutcome, TransactionId
from wallets.errors import Condition, Stuck
from wallets.json_rpc import NodeRefused

COINBASE = Transaction(
    1,
    (Input(TransactionId(NO_TXID), NO_INDEX, b"\x51\x51", 0),),
    (Output(50, b"\x00\x14" + b"\x07" * 20),),
    0,
)
PAYMENT = Transaction(
    2,
    (Input(TransactionId("11" * 32), 1, b"", 0, (b"s", b"k")),),
    (Output(7, b""), Output(8, b"\x6a")),
    0,
)


def block_of(parent: str, *transactions: Transaction, nonce: int = 0) -> tuple[str, bytes]:
    hashes = [double_hash(one.serialise(with_witness=False)) for one in transactions]
    while len(hashes) > 1:
        hashes += hashes[-1:] * (len(hashes) % 2)
        pairs = zip(hashes[::2], hashes[1::2], strict=True)
        hashes = [double_hash(left + right) for left, right in pairs]
    header = b"\x01\x00\x00\x00" + bytes.fromhex(parent)[::-1] + hashes[0]
    header += (1_700_000_000).to_bytes(4, "little") + bytes(4) + nonce.to_bytes(4, "little")
    body = bytes((len(transactions),)) + b"".join(one.serialise() for one in transactions)
    return double_hash(header)[::-1].hex(), header + body


class Chain:
    """What one server says; tests change it."""

    def __init__(self, *nonces: int) -> None:
        self.hashes = [REGTEST.genesis_hash]
        self.blocks: dict[str, bytes] = {}
        self.lag = 0
        for nonce in nonces:
            found, raw = block_of(self.hashes[-1], COINBASE, PAYMENT, nonce=nonce)
            self.hashes.append(found)
            self.blocks[found] = raw

    def answer(self, method: str, params: list[object]) -> tuple[object, object]:
        height = len(self.hashes) - 1
        if method == "getblockcount":
            return height, None
        if method == "getblockchaininfo":
            headers = height + self.lag
            return {"chain": "regtest", "blocks": height, "headers": headers}, None
        if method == "getblockhash":
            place = int(str(params[0]))
            if place > height:
                return None, {"code": -8, "message": "Block height out of range"}
            return self.hashes[place], None
        if method == "getblock":
            return self.blocks[str(params[0])].hex(), None
        return None, {"code": -26, "message": "min relay fee not met"}


@asynccontextmanager
async def serving(handler: Callable[[web.Request], object], name: str) -> AsyncIterator[Node]:
    application = web.Application()
    application.router.add_post("/", handler)  # type: ignore[arg-type]
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    settings = NodeSettings(name, f"http://127.0.0.1:{port}/", "u", SecretStr("secret-word"))
    try:
        async with Node(settings, call_seconds=5.0) as node:
            yield node
    finally:
        await runner.cleanup()


def serving_chain(chain: Chain, name: str) -> AbstractAsyncContextManager[Node]:
    async def handle(request: web.Request) -> web.Response:
        body = json.loads(await request.text())
        result, error = chain.answer(body["method"], body["params"])
        return web.json_response({"result": result, "error": error, "id": body["id"]})

    return serving(handle, name)


@asynccontextmanager
async def node_set(agreeing: int, *chains: Chain) -> AsyncIterator[NodeSet]:
    async with AsyncExitStack() as stack:
        nodes = [
            await stack.enter_async_context(serving_chain(chain, f"node-{place}"))
            for place, chain in enumerate(chains)
        ]
        yield NodeSet(REGTEST, nodes, agreeing, lambda: 0.0)


async def test_a_true_hash_with_false_bytes_is_found_out_and_the_next_node_is_read() -> None:
    liar, honest = Chain(0, 0), Chain(0, 0)
    block_hash = liar.hashes[2]
    liar.blocks[block_hash] = liar.blocks[block_hash].replace(b"\x07" * 20, b"\x08" * 20)
    async with node_set(2, liar, honest, Chain(0, 0)) as nodes:
        block = await nodes.read_block(2)
        assert [found.amount_atoms for found in block.movements] == [50, 7, 8]
        assert block.spent == (f"{'11' * 32}:1",)
        assert "not those of" in nodes.quarantined()["node-0"]


@pytest.mark.parametrize("change", ["coinbase", "doubled", "cut", "longer", "header"])
async def test_no_false_block_is_taken(change: str) -> None:
    chain = Chain(0)
    parent = chain.hashes[0]
    if change == "coinbase":
        false_hash, raw = block_of(parent, PAYMENT)
    elif change == "doubled":
        false_hash, raw = block_of(parent, COINBASE, PAYMENT, PAYMENT)
        body = (COINBASE, PAYMENT, PAYMENT, PAYMENT)
        raw = raw[:80] + b"\x04" + b"".join(one.serialise() for one in body)
    else:
        false_hash, raw = chain.hashes[1], chain.blocks[chain.hashes[1]]
        raw = {"cut": raw[:-1], "longer": raw + b"\x00", "header": b"\x02" + raw[1:]}[change]
    chain.hashes[1] = false_hash
    chain.blocks[false_hash] = raw
    async with node_set(1, chain) as nodes:
        with pytest.raises(Unavailable):
            await nodes.read_block(1)
        assert nodes.quarantined()


async def test_the_tip_is_what_enough_nodes_have() -> None:
    lagging = Chain(0)
    async with node_set(2, Chain(0, 0, 0), Chain(0, 0), lagging) as nodes:
        tip = await nodes.tip()
        assert (tip.height, tip.block_hash) == (2, Chain(0, 0).hashes[2])


async def test_of_a_fork_the_common_block_is_the_tip_and_the_rest_no_block() -> None:
    async with node_set(2, Chain(0, 1), Chain(0, 2)) as nodes:
        assert (await nodes.tip()).height == 1
        with pytest.raises(Stuck) as stuck:
            await nodes.read_block(2)
        assert stuck.value.condition is Condition.NODES_DISAGREE


async def test_two_halves_that_both_suffice_do_not_agree() -> None:
    async with node_set(1, Chain(0, 1), Chain(0, 2)) as nodes:
        with pytest.raises(Stuck):
            await nodes.read_block(2)


async def test_a_block_that_too_few_nodes_have_is_unavailable_not_empty() -> None:
    async with node_set(2, Chain(0, 0), Chain(0)) as nodes:
        with pytest.raises(Unavailable):
            await nodes.read_block(2)


async def test_a_node_far_behind_its_headers_is_put_aside() -> None:
    behind = Chain(0)
    behind.lag = limits.LAG_BLOCKS_MAX + 1
    async with node_set(1, behind, Chain(0)) as nodes:
        await nodes.check()
        assert list(nodes.quarantined()) == ["node-0"]
    async with node_set(2, behind, Chain(0)) as nodes:
        with pytest.raises(Unavailable):
            await nodes.check()


ANSWERS = [
    (200, b"", "not JSON"),
    (200, b"[" * 100_000, "not JSON of any answer"),
    # Closing brackets in strings do not hide how deep it is.
    (200, b'["]]",{"}":' * 50_000, "not JSON of any answer"),
    (200, b'{"' + b"[" * 100_000, "not JSON"),
    (401, b"<html>", "HTTP 401"),
    (200, b"[1]", "not an answer"),
    (200, b'{"result": 5, "error": null, "id": "other"}', "not an answer"),
    (200, b'{"result": null, "error": {"code": -28, "message": "Loading"}, "id": "m"}', "Loading"),
    (200, b'{"result": null, "error": "odd", "id": "m"}', "odd"),
]


@pytest.fixture
def no_recursion_limit() -> Iterator[None]:
    """As py_ecc leaves it, which web3 imports: a deep answer then overflows the stack."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.usefixtures("no_recursion_limit")
@pytest.mark.parametrize(("status", "body", "words"), ANSWERS)
async def test_nonsense_is_unavailable_and_tells_no_secret(
    status: int, body: bytes, words: str
) -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(status=status, body=body)

    async with serving(handle, "odd") as node:
        with pytest.raises(Unavailable, match=words) as found:
            await node.call("m")
        assert "secret-word" not in str(found.value)
        sent = await node.broadcast(PAYMENT.serialise())
        assert sent.outcome is BroadcastOutcome.UNKNOWN


async def test_a_broadcast_with_a_lost_answer_is_unknown_and_was_sent_once() -> None:
    calls: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        calls.append(json.loads(await request.text())["method"])
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with serving(handle, "lossy") as node:
        sent = await node.broadcast(PAYMENT.serialise())
    assert (sent.outcome, calls) == (BroadcastOutcome.UNKNOWN, ["sendrawtransaction"])


@pytest.mark.parametrize(
    ("code", "message", "outcome", "reason"),
    [
        (-27, "Transaction outputs already in utxo set", BroadcastOutcome.KNOWN, "ALREADY_KNOWN"),
        (-26, "txn-already-known", BroadcastOutcome.KNOWN, "ALREADY_KNOWN"),
        (-26, "min relay fee not met, 1 < 2", BroadcastOutcome.REFUSED, "FEE_TOO_LOW"),
        (-26, "too-long-mempool-chain, x", BroadcastOutcome.REFUSED, "CHAIN_LIMIT"),
        (-26, "txn-mempool-conflict", BroadcastOutcome.REFUSED, "CONFLICT"),
        (-25, "bad-txns-inputs-missingorspent", BroadcastOutcome.REFUSED, "INPUTS_GONE"),
        (-26, "a word of tomorrow", BroadcastOutcome.REFUSED, "UNCLASSIFIED"),
        (-1, "internal error", BroadcastOutcome.UNKNOWN, "NODE_ERROR"),
    ],
)
def test_refusals_are_told_apart(
    code: int, message: str, outcome: BroadcastOutcome, reason: str
) -> None:
    assert classify(NodeRefused(code, message)) == (outcome, reason)
