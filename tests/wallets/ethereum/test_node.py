"""One node: reads are repeated, sends never, and no answer is more than its bounds."""

import pytest

from runtime.errors import Unavailable
from tests.wallets.ethereum.told import Told, serving
from wallets.contract import BroadcastOutcome
from wallets.ethereum.node import READS
from wallets.json_rpc import NodeRefused


async def test_a_read_is_repeated_when_its_connection_breaks() -> None:
    told = Told("a", cuts=1)
    async with serving(told) as node:
        assert await node.read("eth_chainId") == "0x7"
    assert told.asked == ["eth_chainId"] * 2


async def test_a_send_goes_out_once_and_a_lost_answer_is_unknown() -> None:
    told = Told("a", cuts=1)
    async with serving(told) as node:
        sent = await node.broadcast(b"bytes")
    assert (sent.outcome, sent.reason) == (BroadcastOutcome.UNKNOWN, "NO_ANSWER")
    assert told.asked == ["eth_sendRawTransaction"]


async def test_an_id_that_is_not_ours_is_no_acceptance() -> None:
    async with serving(Told("a", raw=b'{"id":1,"result":"0x12"}')) as node:
        sent = await node.broadcast(b"bytes")
    assert (sent.outcome, sent.reason) == (BroadcastOutcome.UNKNOWN, "OTHER_TXID")


def test_nothing_that_changes_a_chain_may_be_repeated() -> None:
    assert not [name for name in READS if "send" in name.lower() or "sign" in name.lower()]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"<html>",
        b'{"id":2,"result":1}',
        b'{"id":1,"error":{"code":"x"}}',
        b'{"id":1,"error":{"code":-32005,"message":"limit exceeded"}}',
        b'{"id":1,"result":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"id":1,"result":"' + b"0" * 65_000_000 + b'"}',
    ],
    ids=["empty", "null", "list", "html", "other id", "odd", "busy", "deep", "long"],
)
async def test_an_answer_that_is_none_is_unavailable(raw: bytes) -> None:
    async with serving(Told("a", raw=raw)) as node:
        with pytest.raises(Unavailable):
            await node.read("eth_chainId")


async def test_a_nodes_error_keeps_its_code_and_few_of_its_words() -> None:
    error = {"code": 3, "message": "execution reverted" + "!" * 10_000}
    async with serving(Told("a", error=error)) as node:
        with pytest.raises(NodeRefused) as refused:
            await node.read("eth_call")
    assert refused.value.code == 3
    assert len(str(refused.value)) < 300
