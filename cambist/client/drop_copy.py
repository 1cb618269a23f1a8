"""Drop copy: all private events of accounts, from a snapshot or a resume point on."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from cambist.client import limits
from cambist.client.channels import Channels
from cambist.client.decode import decode_event
from cambist.client.errors import Rejected, Unavailable, Unknown
from cambist.client.events import Event
from cambist.drop_copy.v1 import drop_copy_pb2 as pb
from cambist.orders.v1 import events_pb2

METHOD: Final = "/cambist.drop_copy.v1.DropCopyService/StreamPrivateEvents"
SLOW_CONSUMER: Final = "SLOW_CONSUMER"


@dataclass(frozen=True, slots=True)
class DropCopyRow:
    """Events of one journal row, or a page of the snapshot. Keep `last_seq`: the resume point."""

    last_seq: int
    events: tuple[Event, ...]
    is_snapshot: bool
    # The snapshot has more pages: `last_seq` is no resume point yet.
    more_pages: bool
    durable_ns: int


class DropCopy:
    """Iterate `rows()`; it resumes by itself and passes over what was told before."""

    def __init__(
        self, channels: Channels, account_ids: tuple[int, ...], resume_after_seq: int, shard: int
    ) -> None:
        self._channels = channels
        self._account_ids = account_ids
        self._shard = shard
        self.last_seq = resume_after_seq
        self._account_seqs: dict[int, int] = {}

    async def rows(self) -> AsyncGenerator[DropCopyRow, None]:
        """Rows for ever. Raises Rejected(OUT_OF_RANGE …) when the resume point is gone."""
        backoff_seconds = limits.BACKOFF_FIRST_SECONDS
        while True:
            request = pb.StreamPrivateEventsRequest(
                account_ids=self._account_ids, resume_after_seq=self.last_seq, shard=self._shard
            )
            messages = self._channels.server_stream(METHOD, request, pb.StreamPrivateEventsResponse)
            try:
                async for message in messages:
                    backoff_seconds = limits.BACKOFF_FIRST_SECONDS
                    row = self._row(message)
                    if row is not None:
                        yield row
            except (Unavailable, Unknown):
                pass
            except Rejected as error:
                is_renewable = self._channels.must_log_on(error)
                if error.reason != SLOW_CONSUMER and not is_renewable:
                    raise
            self._channels.rotate()
            await asyncio.sleep(backoff_seconds)
            backoff_seconds = min(2 * backoff_seconds, limits.BACKOFF_MAX_SECONDS)

    async def close(self) -> None:
        """Closes its connections."""
        await self._channels.close()

    def _row(self, message: pb.StreamPrivateEventsResponse) -> DropCopyRow | None:
        """The row without what was told before; None for a heartbeat or a repeat."""
        fresh: list[Event] = []
        for raw in events_pb2.PrivateEvents.FromString(message.private_events).events:
            if not message.snapshot:
                if raw.account_seq <= self._account_seqs.get(raw.account_id, 0):
                    continue
                self._account_seqs[raw.account_id] = raw.account_seq
            event = decode_event(raw)
            if event is not None:
                fresh.append(event)
        if not message.more_pages:
            self.last_seq = max(self.last_seq, message.last_seq)
        if not fresh and not message.snapshot:
            return None
        return DropCopyRow(
            message.last_seq,
            tuple(fresh),
            message.snapshot,
            message.more_pages,
            message.durable_ns,
        )
