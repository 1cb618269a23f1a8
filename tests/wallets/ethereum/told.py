"""An Ethereum node that tells what a test wants: what a real one cannot be made to say."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from pydantic import SecretStr

from wallets.ethereum.node import Node, NodeSettings

HASHES = [bytes([0xB0, height]).rjust(32, b"\0").hex() for height in range(10)]
CHAIN_ID = 7
LANE = "0x" + "11" * 20
CUSTOMER = "0x" + "22" * 20


def transaction(value: int) -> dict[str, Any]:
    return {
        "hash": "0x" + "aa" * 32,
        "nonce": "0x0",
        "from": LANE,
        "to": CUSTOMER,
        "value": hex(value),
        "input": "0x",
    }


def block_of(height: int, transactions: list[Any]) -> dict[str, Any]:
    return {
        "number": hex(height),
        "hash": "0x" + HASHES[height],
        "parentHash": "0x" + HASHES[height - 1],
        "timestamp": "0x5",
        "baseFeePerGas": "0x7",
        "transactions": transactions,
    }


def receipt_of(height: int, status: int = 1) -> dict[str, Any]:
    return {
        "transactionHash": "0x" + "aa" * 32,
        "transactionIndex": "0x0",
        "blockHash": "0x" + HASHES[height],
        "blockNumber": hex(height),
        "status": hex(status),
        "gasUsed": "0x5208",
        "effectiveGasPrice": "0x9",
        "logs": [],
    }


@dataclass
class Told:
    """Answers by method; `raw` goes out as it is, `error` as the node's error."""

    name: str
    height: int = 3
    value: int = 5
    status: int = 1
    chain_id: int = CHAIN_ID
    raw: bytes | None = None
    error: dict[str, Any] | None = None
    cuts: int = 0
    asked: list[str] = field(default_factory=list)

    def answer(self, method: str, params: list[Any]) -> Any:
        if method == "eth_getBlockByNumber":
            height = self.height if params[0] == "latest" else int(params[0], 16)
            return block_of(height, []) if height <= self.height else None
        return {
            "eth_chainId": hex(self.chain_id),
            "eth_syncing": False,
            "eth_getBlockByHash": block_of(3, [transaction(self.value)]),
            "eth_getBlockReceipts": [receipt_of(3, self.status)],
            "eth_getTransactionReceipt": receipt_of(3, self.status),
        }.get(method)

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body["method"])
        if self.cuts:
            self.cuts -= 1
            assert request.transport is not None
            request.transport.abort()
        if self.raw is not None:
            return web.Response(body=self.raw)
        found = {"result": self.answer(body["method"], body["params"])}
        if self.error is not None:
            found = {"error": self.error}
        return web.json_response({"jsonrpc": "2.0", "id": 1, **found})


@asynccontextmanager
async def serving(told: Told) -> AsyncIterator[Node]:
    application = web.Application()
    application.router.add_post("/", told.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        async with Node(NodeSettings(told.name, SecretStr(url)), call_seconds=5) as node:
            yield node
    finally:
        await runner.cleanup()
