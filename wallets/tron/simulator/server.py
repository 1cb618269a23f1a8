"""The simulated node's HTTP interface: `/wallet`, `/walletsolidity`, and `/simulator` to steer it.

Started by `python -m wallets.tron.simulator` and by tests, on loopback. A real node's habits are
kept: errors are HTTP 200, "not found" and "bad input" are both `{}`, text in errors is hexadecimal.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web
from google.protobuf.message import DecodeError
from tronpy.proto import tron_pb2

from wallets.tron.simulator.account_json import account_json
from wallets.tron.simulator.calls import constant_call
from wallets.tron.simulator.chain import Chain, Executed, SimulatedBlock, id_of
from wallets.tron.simulator.json_forms import (
    block_json,
    executed_json,
    info_json,
    transaction_from,
)
from wallets.tron.simulator.messages import Json
from wallets.tron.simulator.refusals import Refused
from wallets.tron.simulator.stake_reads import (
    counterparties,
    lendable_most,
    loans_between,
    resources,
    unstaking_count,
    withdrawable_amount,
)
from wallets.tron.simulator.state import State

BODY_BYTES_MAX: Final = 1_000_000
NOT_A_TRANSACTION: Final = {
    "Error": "class java.lang.NullPointerException : Cannot invoke"
    ' "com.alibaba.fastjson.JSONObject.getJSONArray(String)" because "rawData" is null'
}


class Node:
    """One endpoint of a chain: a head that may lag, and a limit on calls."""

    def __init__(self, chain: Chain, lag_blocks: int = 0) -> None:
        self.chain = chain
        self.lag_blocks = lag_blocks
        # Calls that are still answered; None is no limit.
        self.calls_left: int | None = None
        # Receipts of blocks are empty, as on a replica that has the block and not yet its results.
        self.empty_receipts = False

    def view(self, is_solid: bool) -> list[SimulatedBlock]:
        """The blocks that this endpoint shows."""
        height = self.chain.solid_height if is_solid else self.chain.head.height
        return self.chain.blocks[: max(0, height - self.lag_blocks) + 1]

    def application(self) -> web.Application:
        """Routes of the node."""
        application = web.Application(client_max_size=BODY_BYTES_MAX)
        for prefix, is_solid in (("/wallet", False), ("/walletsolidity", True)):
            for name, method in READS.items():
                application.router.add_post(f"{prefix}/{name}", self.handler(method, is_solid))
        application.router.add_post("/wallet/broadcasttransaction", self.broadcast)
        application.router.add_post("/wallet/broadcasthex", self.broadcast_hex)
        application.router.add_post("/simulator/block", self.make_blocks)
        application.router.add_post("/simulator/fork", self.fork)
        application.router.add_post("/simulator/faults", self.set_faults)
        return application

    def handler(
        self, method: "Read", is_solid: bool
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """The HTTP handler of a read."""

        async def answer(request: web.Request) -> web.Response:
            """Counts and answers one call."""
            self.count_call()
            return web.json_response(method(self, await body_of(request), is_solid))

        return answer

    def count_call(self) -> None:
        """Raises 429 when the limit is used up."""
        if self.calls_left is not None:
            if self.calls_left <= 0:
                raise web.HTTPTooManyRequests
            self.calls_left -= 1

    async def broadcast(self, request: web.Request) -> web.Response:
        """Takes a transaction as JSON."""
        self.count_call()
        try:
            whole = transaction_from(await body_of(request))
        except (KeyError, TypeError, ValueError):
            return web.json_response(NOT_A_TRANSACTION)
        return await self.answer_broadcast(whole, {"result": True}, {})

    async def broadcast_hex(self, request: web.Request) -> web.Response:
        """Takes a transaction as hexadecimal bytes."""
        self.count_call()
        body = await body_of(request)
        try:
            whole = tron_pb2.Transaction.FromString(bytes.fromhex(body.get("transaction", "")))
        except (DecodeError, ValueError) as error:
            text = f"class com.google.protobuf.InvalidProtocolBufferException : {error}"
            return web.json_response({"Error": text})
        taken = {"result": True, "code": "SUCCESS", "message": ""}
        return await self.answer_broadcast(whole, taken, {"result": False})

    async def answer_broadcast(
        self, whole: tron_pb2.Transaction, taken: Json, refused: Json
    ) -> web.Response:
        """Hands a transaction to the chain and words its answer."""
        txid = id_of(whole)
        try:
            self.chain.broadcast(whole)
        except Refused as refusal:
            # Only `broadcasthex` answers in plain text, and says "result": false.
            message = refusal.text if refused else refusal.text.encode().hex()
            answer = refused | {"code": refusal.code, "txid": txid, "message": message}
            return web.json_response(answer)
        if self.chain.faults.accept_then_time_out:
            self.chain.faults.accept_then_time_out -= 1
            raise web.HTTPGatewayTimeout
        if self.chain.faults.lie_about_id:
            self.chain.faults.lie_about_id -= 1
            txid = txid[::-1]
        return web.json_response(taken | {"txid": txid})

    async def make_blocks(self, request: web.Request) -> web.Response:
        """Makes `count` blocks at once."""
        body = await body_of(request)
        for _ in range(int(body.get("count", 1))):
            self.chain.make_block()
        return web.json_response({"height": self.chain.head.height})

    async def fork(self, request: web.Request) -> web.Response:
        """Lets another branch win: `depth` blocks, `keep` their transactions."""
        body = await body_of(request)
        try:
            self.chain.switch_fork(int(body["depth"]), bool(body["keep"]))
        except ValueError as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        return web.json_response({"height": self.chain.head.height})

    async def set_faults(self, request: web.Request) -> web.Response:
        """Sets faults by name; unknown names are refused."""
        for name, value in (await body_of(request)).items():
            if name in ("lag_blocks", "calls_left", "empty_receipts"):
                setattr(self, name, value)
            elif name in self.chain.faults.__dataclass_fields__:
                setattr(self.chain.faults, name, value)
            else:
                raise web.HTTPBadRequest(text=f"no fault {name}")
        return web.json_response({})

    async def produce(self, block_seconds: float) -> None:
        """Makes blocks until cancelled."""
        while True:
            await asyncio.sleep(block_seconds)
            self.chain.make_block()


Read = Callable[[Node, Json, bool], Any]


def found(node: Node, txid: str, is_solid: bool) -> tuple[Executed, SimulatedBlock] | None:
    """Where a transaction is, as this endpoint sees it."""
    height = node.chain.heights.get(txid)
    blocks = node.view(is_solid)
    if height is None or height >= len(blocks):
        return None
    block = blocks[height]
    return next((done, block) for done in block.transactions if done.txid == txid)


def now_block(node: Node, _body: Json, is_solid: bool) -> Json:
    """The head."""
    return block_json(node.view(is_solid)[-1])


def block_by_number(node: Node, body: Json, is_solid: bool) -> Json:
    """A block of the chain; without a number it is genesis, as on a real node."""
    blocks, number = node.view(is_solid), body.get("num", 0)
    return block_json(blocks[number]) if 0 <= number < len(blocks) else {}


def block_by_id(node: Node, body: Json, is_solid: bool) -> Json:
    """A block by its hash."""
    for block in reversed(node.view(is_solid)):
        if block.block_hash == body.get("value"):
            return block_json(block)
    return {}


def transaction_by_id(node: Node, body: Json, is_solid: bool) -> Json:
    """A transaction, waiting or mined."""
    txid = str(body.get("value"))
    waiting = node.chain.pending.get(txid)
    if waiting and not is_solid:
        # A real node shows it as a success before any block has it.
        return executed_json(waiting)
    place = found(node, txid, is_solid)
    return executed_json(place[0]) if place else {}


def transaction_info(node: Node, body: Json, is_solid: bool) -> Json:
    """What a mined transaction did."""
    place = found(node, str(body.get("value")), is_solid)
    return info_json(*place) if place else {}


def block_infos(node: Node, body: Json, is_solid: bool) -> list[Json]:
    """What all transactions of a block did."""
    blocks, number = node.view(is_solid), body.get("num", 0)
    if node.empty_receipts or not 0 <= number < len(blocks):
        return []
    return [info_json(done, blocks[number]) for done in blocks[number].transactions]


def account(node: Node, body: Json, is_solid: bool) -> Json:
    """An account; on a full node waiting transactions are counted already."""
    key = bytes.fromhex(body.get("address", ""))
    holder = state_of(node, is_solid).accounts.get(key)
    return account_json(key, holder, time_of(node, is_solid)) if holder else {}


def state_of(node: Node, is_solid: bool) -> State:
    """The state that calls see."""
    return node.view(True)[-1].state if is_solid else node.chain.pool_state


def time_of(node: Node, is_solid: bool) -> int:
    """The time of the newest block that calls see."""
    return node.view(is_solid)[-1].time_ms


def timed(answer: Callable[[State, Json, int], Json]) -> "Read":
    """A read of a state and its time."""
    return lambda node, body, is_solid: answer(
        state_of(node, is_solid), body, time_of(node, is_solid)
    )


def untimed(answer: Callable[[State, Json], Json]) -> "Read":
    """A read of a state alone."""
    return lambda node, body, is_solid: answer(state_of(node, is_solid), body)


def chain_parameters(node: Node, _body: Json, _is_solid: bool) -> Json:
    """The chain's prices."""
    parameters = node.chain.parameters
    values = {
        "getTransactionFee": parameters.byte_price,
        "getEnergyFee": parameters.energy_price,
        "getCreateAccountFee": parameters.create_account_fee,
        "getCreateNewAccountFeeInSystemContract": parameters.create_account_system_fee,
        "getMemoFee": parameters.memo_fee,
        "getFreeNetLimit": parameters.free_bandwidth_bytes,
    }
    return {"chainParameter": [{"key": key, "value": value} for key, value in values.items()]}


READS: Final[dict[str, Read]] = {
    "getnowblock": now_block,
    "getblockbynum": block_by_number,
    "getblockbyid": block_by_id,
    "gettransactionbyid": transaction_by_id,
    "gettransactioninfobyid": transaction_info,
    "gettransactioninfobyblocknum": block_infos,
    "getaccount": account,
    "getaccountresource": timed(resources),
    "getcandelegatedmaxsize": timed(lendable_most),
    "getcanwithdrawunfreezeamount": timed(withdrawable_amount),
    "getavailableunfreezecount": timed(unstaking_count),
    "getdelegatedresourcev2": untimed(loans_between),
    "getdelegatedresourceaccountindexv2": untimed(counterparties),
    "triggerconstantcontract": untimed(constant_call),
    "getchainparameters": chain_parameters,
}


async def body_of(request: web.Request) -> Json:
    """The JSON of a request; anything else is empty."""
    body = await request.json() if request.can_read_body else {}
    return body if isinstance(body, dict) else {}
