"""The middle process: joins the streams of all clients into one, and parts the answers again."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio

from benchmarks.ceiling.queue import Waiting
from benchmarks.ceiling.wire import (
    OPTIONS,
    ORDER_METHOD,
    ORDERS,
    SUBMIT_METHOD,
    Piece,
    pack,
    unpack,
)

WAITING_ORDERS_MAX = 10_000
MESSAGE_BYTES_MAX = 1024 * 1024


class Relay:
    """Any number of client streams, one stream to the sink."""

    def __init__(self) -> None:
        self._up = Waiting(WAITING_ORDERS_MAX)
        self._down: dict[int, Waiting] = {}
        self._sessions = 0

    async def order(self, requests: AsyncIterator[bytes], context: Any) -> None:
        """One client's stream; one task reads, one writes."""
        self._sessions += 1
        session = self._sessions
        down = self._down[session] = Waiting(10 * WAITING_ORDERS_MAX)
        writer = asyncio.create_task(self._answer(down, context))
        try:
            async for message in requests:
                (orders,) = ORDERS.unpack_from(message)
                await self._up.put(Piece(session, orders, message))
        finally:
            writer.cancel()
            del self._down[session]

    async def _answer(self, down: Waiting, context: Any) -> None:
        while True:
            for piece in await down.take(WAITING_ORDERS_MAX, MESSAGE_BYTES_MAX):
                await context.write(piece.data)

    async def run(self, sink: str) -> None:
        """Moves pieces both ways until cancelled."""
        async with grpc.aio.insecure_channel(sink, options=OPTIONS) as channel:
            call: Any = channel.stream_stream(SUBMIT_METHOD)()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._write_up(call))
                group.create_task(self._read_down(call))

    async def _write_up(self, call: Any) -> None:
        while True:
            await call.write(pack(await self._up.take(WAITING_ORDERS_MAX, MESSAGE_BYTES_MAX)))

    async def _read_down(self, call: Any) -> None:
        while (message := await call.read()) is not grpc.aio.EOF:
            for piece in unpack(message):
                down = self._down.get(piece.session)
                if down is not None:
                    await down.put(piece)


async def serve(sink: str, port: int) -> None:
    """Serves on a loopback port until cancelled."""
    relay = Relay()
    server = grpc.aio.server(options=OPTIONS)
    handler: Any = grpc.stream_stream_rpc_method_handler(relay.order)
    service, _, method = ORDER_METHOD[1:].partition("/")
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(service, {method: handler}),)
    )
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await relay.run(sink)
