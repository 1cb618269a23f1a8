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
PARTITION_ORDERS: Final = 1_000_000_000
# The venue's two tables and its fence, with one partition each.
TABLES: Final = """
drop schema if exists ceiling cascade;
create schema ceiling;
create table ceiling.shard_fence (shard integer primary key, epoch bigint not null);
insert into ceiling.shard_fence values (1, 1);
create table ceiling.commands (
  shard integer not null, first_seq bigint not null, last_seq bigint not null,
  epoch bigint not null, time_ns bigint not null, bytes bytea not null,
  state_hash bytea not null, row_hash bytea not null, primary key (shard, first_seq)
) partition by range (shard, first_seq);
alter table ceiling.commands alter bytes set storage external;
create table ceiling.events (like ceiling.commands including all)
  partition by range (shard, first_seq);
"""
PARTITION: Final = """
create table ceiling.{table}_p0 partition of ceiling.{table} for values from (1, 0) to (1, {high})
"""
# The venue's statement, word by word but for the schema; a test compares them.
INSERT: Final = """
with fence as (
  select epoch from ceiling.shard_fence where shard = $1::int and epoch = $4::bigint for share
), tail as (
  select epoch from fence where $2::bigint = 1 or (
    exists (
      select from ceiling.commands
      where shard = $1 and first_seq = $11::bigint and last_seq = $2 - 1 and row_hash = $12::bytea)
    and exists (
      select from ceiling.events
      where shard = $1 and first_seq = $11 and last_seq = $2 - 1 and row_hash = $13::bytea))
), command as (
  insert into ceiling.commands
    (shard, first_seq, last_seq, epoch, time_ns, bytes, state_hash, row_hash)
  select $1, $2, $3::bigint, epoch, $5::bigint, $6::bytea, $8::bytea, $9::bytea from tail
  returning first_seq
), event as (
  insert into ceiling.events
    (shard, first_seq, last_seq, epoch, time_ns, bytes, state_hash, row_hash)
  select $1, $2, $3, epoch, $5, $7::bytea, $8, $10::bytea from tail
  returning first_seq
)
select (select count(*) from command) + (select count(*) from event)
"""
ROWS: Final = 2


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
        self._seq = self._first = 0

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
        for table in ("commands", "events"):
            partition = PARTITION.format(table=table, high=PARTITION_ORDERS)
            await self._connection.execute(partition)
        await self._connection.execute("set plan_cache_mode = force_generic_plan")
        self._insert = await self._connection.prepare(INSERT)

    async def _commit(self, context: Any) -> None:
        sizes, filling = self._sizes, self._filling
        while True:
            pieces = await self._inbox.take(INBOX_ORDERS_MAX, ROW_BYTES_MAX)
            orders = sum(piece.orders for piece in pieces)
            before, self._first, self._seq = self._first, self._seq + 1, self._seq + orders
            commands = b"".join(piece.data for piece in pieces)
            events = filling[: orders * sizes.row_bytes]
            row = self._first, self._seq, 1, time.time_ns(), commands, events, HASH, HASH, HASH
            written = await self._insert.fetchval(1, *row, before, HASH, HASH)
            assert written == ROWS, "the row was not taken"
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
