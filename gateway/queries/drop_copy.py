"""DropCopyService: private events of accounts in journal order, read-only, resumable."""

from collections.abc import Mapping, Sequence

import grpc

from cambist.drop_copy.v1 import drop_copy_pb2
from gateway import wire
from gateway.door.accounts import own_accounts, shard_of
from gateway.door.calls import Call, Received
from gateway.errors import Rejected, invalid, unauthenticated, unavailable
from gateway.identity.callers import Callers
from gateway.queries.live import LiveStream
from gateway.shard.journal import ResumePointGone, frames_for, open_order_pages, rows_between
from gateway.shard.outbox import Budget, Outgoing
from gateway.shard.rows import Row
from gateway.shard.shard import Shard
from runtime.rpc_errors import Fault


class DropCopyStream(LiveStream):
    """One drop copy; the router delivers frames to it."""

    def __init__(self, budget: Budget) -> None:
        super().__init__(budget)
        # Reading the past: live rows that do not fit are read from the ring later.
        self.is_catching_up = True
        self.has_missed = False

    def deliver(self, row: Row, private: Sequence[memoryview]) -> None:
        """Queues the row's frames; a client that is too far behind is ended."""
        if self.has_missed or self.fault is not None:
            return
        message = encode(row, private, is_replay=False)
        if self.outbox.put(Outgoing(message, row.last_seq)):
            return
        if self.is_catching_up:
            self.outbox.clear()
            self.has_missed = True
        else:
            self.end(slow_consumer(self.sent_seq))


class DropCopyService:
    """Drop copies of this process."""

    def __init__(self, shards: Mapping[int, Shard], callers: Callers, budget: Budget) -> None:
        self._shards = shards
        self._callers = callers
        self._budget = budget
        self._streams: set[DropCopyStream] = set()

    async def stream_private_events(
        self, received: Received[drop_copy_pb2.StreamPrivateEventsRequest], call: Call
    ) -> None:
        """Snapshot or the past first, then what is new."""
        request = received.message
        assert request is not None
        shard = shard_of(self._shards, request.shard)
        accounts = own_accounts(call.caller, shard, request.account_ids)
        if request.resume_after_seq > shard.feed.last_seq:
            raise invalid("resume_after_seq", f"ahead of {shard.feed.last_seq}")
        stream = DropCopyStream(self._budget)

        def key_gone(reason: str) -> None:
            stream.end(unauthenticated(reason, "the key was revoked or changed"))

        def heartbeat() -> bytes:
            seq = shard.feed.last_seq
            return drop_copy_pb2.StreamPrivateEventsResponse(last_seq=seq).SerializeToString()

        router = shard.feed.router
        present_seq = shard.feed.last_seq
        router.subscribe(stream, accounts)
        self._streams.add(stream)
        try:
            with self._callers.watching(call.caller, key_gone):
                cursor = request.resume_after_seq
                if not cursor:
                    cursor = await send_snapshot(stream, call, shard, accounts, present_seq)
                await catch_up(stream, call, shard, accounts, cursor, present_seq)
                await stream.run(call, heartbeat)
        finally:
            self._streams.discard(stream)
            router.unsubscribe(stream, accounts)
            stream.outbox.clear()

    def drain(self) -> None:
        """Ends every stream; clients resume elsewhere."""
        for stream in list(self._streams):
            stream.end(unavailable("DRAINING", "this gateway stops: resume elsewhere"))


async def send_snapshot(
    stream: DropCopyStream,
    call: Call,
    shard: Shard,
    accounts: Sequence[int],
    at_least_seq: int,
) -> int:
    """Sends the open orders; the sequence they are true for."""
    try:
        as_of_seq, pages = await open_order_pages(shard, accounts, at_least_seq)
    except ResumePointGone:
        raise invalid("account_ids", "too many open orders for one stream") from None
    # Rows up to there are in the pages; later ones are read from the ring.
    stream.outbox.clear()
    stream.has_missed = True
    for index, page in enumerate(pages or [b""]):
        response = drop_copy_pb2.StreamPrivateEventsResponse(
            last_seq=as_of_seq,
            private_events=page,
            snapshot=True,
            more_pages=index + 1 < len(pages),
        )
        await stream.write(call, Outgoing(response.SerializeToString(), as_of_seq))
    return as_of_seq


async def catch_up(
    stream: DropCopyStream,
    call: Call,
    shard: Shard,
    accounts: Sequence[int],
    cursor: int,
    target: int,
) -> None:
    """Sends rows after the cursor until nothing was missed."""
    wanted = frozenset(accounts)
    while True:
        try:
            async for row in rows_between(shard, cursor, target, accounts, ()):
                _, private = frames_for(row, wanted, 0)
                if private:
                    message = encode(row, private, is_replay=True)
                    await stream.write(call, Outgoing(message, row.last_seq))
        except ResumePointGone as error:
            raise gone(error.oldest_seq) from error
        cursor = max(cursor, target)
        if not stream.has_missed:
            stream.is_catching_up = False
            return
        stream.has_missed = False
        target = shard.feed.last_seq


def encode(row: Row, private: Sequence[memoryview], *, is_replay: bool) -> bytes:
    """One row as a response, frames unopened."""
    return b"".join(
        (
            wire.number(1, row.last_seq),
            wire.header(2, sum(map(len, private))),
            *private,
            wire.number(5, 0 if is_replay else row.durable_ns),
        )
    )


def slow_consumer(last_seq: int) -> Rejected:
    """The client did not read."""
    fault = Fault(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "SLOW_CONSUMER",
        f"not read in time: resume after {last_seq}",
        {"last_seq": str(last_seq)},
    )
    return Rejected(fault)


def gone(oldest_seq: int) -> Rejected:
    """The resume point is no longer kept."""
    fault = Fault(
        grpc.StatusCode.OUT_OF_RANGE,
        "RESUME_POINT_GONE",
        f"the oldest sequence kept is {oldest_seq}",
        {"oldest_seq": str(oldest_seq)},
    )
    return Rejected(fault)
