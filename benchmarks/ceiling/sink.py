"""The last process: one insert per natural batch, answers after its commit."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import grpc
import grpc.aio

from benchmarks.ceiling.queue import Waiting
from benchmarks.ceiling.wire import OPTIONS, ORDERS, SUBMIT_METHOD, Piece, pack, unpack

INBOX_ORDERS_MAX: Final = 10_000
ROW_BYTES_MAX: Final = 1024 * 1024
HASH: Final = bytes(32)
TABLES: Final = """
create schema if not exists ceiling;
create table if not exists ceiling.fence (shard integer primary key, epoch bigint not null);
insert into ceiling.fence values (1, 1) on conflict do nothing;
create table if not exists ceiling.commands (
  shard integer not null, first_seq bigint not null, last_seq bigint not null,
  epoch bigint not null, time_ns bigint not null, bytes bytea not null,
  state_hash bytea not null, row_hash bytea not null, primary key (shard, first_seq));
create table if not exists ceiling.events (like ceiling.commands including all);
alter table ceiling.commands alter bytes set storage external;
alter table ceiling.events alter bytes set storage external;
truncate ceiling.commands, ceiling.events;
"""
INSERT: Final = """
with fence as (
  select epoch from ceiling.fence where shard = $1 and epoch = $4 for share
), tail as (
  select last_seq from ceiling.commands where shard = $1 order by first_seq desc limit 1
), commands as (
  insert into ceiling.commands
  select $1, $2, $3, $4, $5, $6, $8, $9 from fence
  where $2 = coalesce((select last_seq from tail), 0) + 1
  returning first_seq
)
insert into ceiling.events
select $1, $2, $3, $4, $5, $7, $8, $10 from commands
"""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes per order of the answers to clients and of an event row."""

    answer_bytes: int
    row_bytes: int


class Sink:
    """Commits and answers."""

    def __init__(self, sizes: Sizes) -> None:
        self._inbox = Waiting(INBOX_ORDERS_MAX)
        # Bytes that do not compress: they stand for ids, hashes and numbers.
        longest = max(sizes.answer_bytes, sizes.row_bytes) * 2 * INBOX_ORDERS_MAX
        self._filling = os.urandom(longest)
        self._sizes = sizes
        self._seq = 0

    async def submit(self, requests: AsyncIterator[bytes], context: Any) -> None:
        """The relay's stream; one task reads, one commits and writes."""
        committer = asyncio.create_task(self._commit(context))
        try:
            async for message in requests:
                for piece in unpack(message):
                    await self._inbox.put(piece)
        finally:
            committer.cancel()

    async def open(self, dsn: str) -> None:
        """Makes empty tables and prepares the statement."""
        self._connection = await asyncpg.connect(dsn)
        await self._connection.execute(TABLES)
        self._insert = await self._connection.prepare(INSERT)

    async def _commit(self, context: Any) -> None:
        sizes, filling = self._sizes, self._filling
        while True:
            pieces = await self._inbox.take(INBOX_ORDERS_MAX, ROW_BYTES_MAX)
            orders = sum(piece.orders for piece in pieces)
            first, self._seq = self._seq + 1, self._seq + orders
            commands = b"".join(piece.data for piece in pieces)
            events = filling[: orders * sizes.row_bytes]
            await self._insert.fetch(
                1, first, self._seq, 1, time.time_ns(), commands, events, HASH, HASH, HASH
            )
            answers = [
                Piece(
                    piece.session,
                    piece.orders,
                    ORDERS.pack(piece.orders) + filling[: piece.orders * sizes.answer_bytes],
                )
                for piece in pieces
            ]
            await self._answer(answers, context)

    async def _answer(self, answers: list[Piece], context: Any) -> None:
        """Writes answers in messages of at most 1 MiB."""
        part: list[Piece] = []
        size = 0
        for piece in answers:
            if part and size + len(piece.data) > ROW_BYTES_MAX:
                await context.write(pack(part))
                part, size = [], 0
            part.append(piece)
            size += len(piece.data)
        await context.write(pack(part))


async def serve(dsn: str, port: int, sizes: Sizes) -> None:
    """Serves on a loopback port until cancelled."""
    sink = Sink(sizes)
    await sink.open(dsn)
    server = grpc.aio.server(options=OPTIONS)
    handler: Any = grpc.stream_stream_rpc_method_handler(sink.submit)
    service, _, method = SUBMIT_METHOD[1:].partition("/")
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(service, {method: handler}),)
    )
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()
