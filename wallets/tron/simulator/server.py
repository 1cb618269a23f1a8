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

from wallets.tron.simulator.building import ROUTES, build, build_call, refusal
from wallets.tron.simulator.chain import id_of
from wallets.tron.simulator.ethereum_reads import rpc
from wallets.tron.simulator.json_forms import transaction_from
from wallets.tron.simulator.messages import Json
from wallets.tron.simulator.reads import READS, Read
from wallets.tron.simulator.refusals import Refused
from wallets.tron.simulator.request_forms import (
    NO_BYTES,
    NOT_AN_OBJECT,
    hexadecimal,
    parse_error,
    readable,
)
from wallets.tron.simulator.steering import STEERING, Steer
from wallets.tron.simulator.view import View

BODY_BYTES_MAX: Final = 1_000_000
NOT_A_TRANSACTION: Final = {
    "Error": "class java.lang.NullPointerException : Cannot invoke"
    ' "com.alibaba.fastjson.JSONObject.getJSONArray(String)" because "rawData" is null'
}
NOT_PROTOBUF: Final = {
    "Error": "class com.google.protobuf.InvalidProtocolBufferException :"
    " Protocol message contained an invalid tag (zero)."
}
NOT_HEXADECIMAL: Final = {
    "Error": "class java.lang.NullPointerException : Cannot invoke"
    ' "org.tron.protos.Protocol$Transaction.getRawData()" because "this.transaction" is null'
}


class Node(View):
    """One endpoint of a chain, served."""

    def application(self) -> web.Application:
        """Routes of the node."""
        application = web.Application(client_max_size=BODY_BYTES_MAX)
        for prefix, is_solid in (("/wallet", False), ("/walletsolidity", True)):
            for name, method in READS.items():
                application.router.add_post(f"{prefix}/{name}", self.handler(method, is_solid))
        application.router.add_post("/wallet/broadcasttransaction", self.broadcast)
        application.router.add_post("/wallet/broadcasthex", self.broadcast_hex)
        application.router.add_post("/jsonrpc", self.ethereum)
        for route, name in (ROUTES | {"triggersmartcontract": ""}).items():
            application.router.add_post(f"/wallet/{route}", self.builder(name))
        for name, steer in STEERING.items():
            application.router.add_post(f"/simulator/{name}", self.steered(steer))
        return application

    def handler(
        self, method: Read, is_solid: bool
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """The HTTP handler of a read."""

        async def answer(request: web.Request) -> web.Response:
            """Counts and answers one call."""
            self.count_call()
            return await answered(request, lambda body: method(self, body, is_solid))

        return answer

    async def ethereum(self, request: web.Request) -> web.Response:
        """One call of the JSON-RPC interface."""
        self.count_call()
        return web.json_response(rpc(self, await body_of(request)))

    def builder(self, name: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        """The HTTP handler that builds a kind of transaction; an empty name is a call."""

        async def answer(request: web.Request) -> web.Response:
            """Counts and answers one call."""
            self.count_call()
            if not name:
                return await answered(request, lambda body: build_call(self.chain, body))
            return await answered(request, lambda body: build(self.chain, name, body))

        return answer

    def steered(self, steer: Steer) -> Callable[[web.Request], Awaitable[web.Response]]:
        """The HTTP handler of a route that steers; what it does not understand is a 400."""

        async def answer(request: web.Request) -> web.Response:
            """Does it and tells where the chain stands."""
            try:
                steer(self, await body_of(request))
            except (KeyError, TypeError, ValueError) as error:
                raise web.HTTPBadRequest(text=str(error)) from error
            head = self.chain.head
            return web.json_response({"height": head.height, "time_ms": head.time_ms})

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
        body = await body_of(request)
        try:
            whole = transaction_from(hexadecimal(body) if body.get("visible") is True else body)
        except (KeyError, TypeError, ValueError):
            is_raw = isinstance(body.get("raw_data"), dict)
            return web.json_response(NOT_HEXADECIMAL if is_raw else NOT_A_TRANSACTION)
        return await self.answer_broadcast(whole, {"result": True}, {})

    async def broadcast_hex(self, request: web.Request) -> web.Response:
        """Takes a transaction as hexadecimal bytes."""
        self.count_call()
        body = await body_of(request)
        try:
            whole = tron_pb2.Transaction.FromString(bytes.fromhex(body.get("transaction", "")))
        except (DecodeError, TypeError, ValueError):
            return web.json_response(NOT_PROTOBUF)
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

    async def produce(self, block_seconds: float) -> None:
        """Makes blocks until cancelled."""
        while True:
            await asyncio.sleep(block_seconds)
            self.chain.make_block()


async def answered(request: web.Request, answer: Callable[[Json], Any]) -> web.Response:
    """Reads a request in either notation and answers in the same; errors are HTTP 200."""
    found = await request.json() if request.can_read_body else {}
    if not isinstance(found, dict):
        return web.json_response({"Error": NOT_AN_OBJECT})
    is_visible = found.get("visible") is True
    try:
        body = hexadecimal(found) if is_visible else found
    except ValueError:
        return web.json_response({"Error": NO_BYTES})
    try:
        told = answer(body)
    except Refused as refused:
        return web.json_response(refusal(refused))
    except (KeyError, TypeError, ValueError):
        return web.json_response(parse_error(found))
    if is_visible:
        told = readable(told)
        if "visible" in told:
            told["visible"] = True
    return web.json_response(told)


async def body_of(request: web.Request) -> Json:
    """The JSON of a request; anything else is empty."""
    body = await request.json() if request.can_read_body else {}
    return body if isinstance(body, dict) else {}
