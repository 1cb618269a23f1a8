"""Finds private events of one account by account_seq: by the index, past it in the journal's tail.

Called by the primary for ReadAccountEvents. The index has one row per account and journal row and
ends at projected_seq; from there on the directories of the rows are looked through in Postgres, so
that only rows with events of the account are read. Nothing beyond `up_to_seq` is told: the caller
gives the last released sequence.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from cambist.orders.v1 import events_pb2
from matching import limits
from matching.projector.numbers import bigint
from matching.release.directory import HEAD, PRIVATE, RECORD, Directory
from runtime.errors import Unavailable
from runtime.postgres import Database

# $1 shard, $2 account, $3 first account_seq, $4 the one after the last, $5 bytes that are enough,
# $6 last sequence that may be told.
INDEXED: Final = """
with wanted as (
  select account_seq, last_account_seq, first_seq, byte_offset, byte_length,
         sum(byte_length) over (order by account_seq) - byte_length as bytes_before
  from history.account_index
  where shard = $1 and account_id = $2 and first_seq <= $6 and account_seq < $4
    and account_seq >= coalesce(
      (select max(account_seq) from history.account_index
       where shard = $1 and account_id = $2 and account_seq <= $3), 0)
  order by account_seq limit $4 - $3 + 1
)
select w.account_seq, w.last_account_seq,
       substring(e.bytes from w.byte_offset + 1 for w.byte_length)
from wanted w left join journal.events e on e.shard = $1 and e.first_seq = w.first_seq
where w.bytes_before < $5
order by w.account_seq
"""

# Rows after $2 up to $3, at most $5; the bytes of those whose directory has the key $4 somewhere.
TAIL: Final = f"""
select first_seq, last_seq,
       case when position($4::bytea in substring(bytes from {HEAD.size + 1} for {RECORD.size} * (
         get_byte(head, 0) + (get_byte(head, 1) << 8) + (get_byte(head, 2) << 16)))) > 0
       then bytes end
from journal.events cross join lateral (select substring(bytes from 5 for 4) as head) h
where shard = $1 and first_seq > $2 and first_seq <= $3
order by first_seq limit $5
"""  # noqa: S608 - made of constants

# The first account_seq of the account in a row whose events are kept, and the last of the index.
OLDEST: Final = """
select
  (select account_seq from history.account_index
   where shard = $1 and account_id = $2
     and first_seq >= (select min(first_seq) from journal.events where shard = $1)
   order by account_seq limit 1),
  (select last_account_seq from history.account_index
   where shard = $1 and account_id = $2 order by account_seq desc limit 1)
"""
PROJECTED_SEQ: Final = "select projected_seq from history.progress where shard = $1"


@dataclass(frozen=True, slots=True)
class Frame:
    """Private events of one account in one journal row: a PrivateEvents container."""

    account_seq: int
    last_account_seq: int
    # None when the row is not kept any more.
    payload: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class AccountEvents:
    """Events from the one asked for on; none when there are none (yet)."""

    # A PrivateEvents container.
    events: bytes
    # Set, without events, when the first one asked for is not kept any more; else 0.
    oldest_account_seq: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """Which events: `count` from `account_seq` on, as of `up_to_seq`."""

    account_id: int
    account_seq: int
    count: int
    up_to_seq: int

    @property
    def end(self) -> int:
        """The account_seq after the last one wanted."""
        return self.account_seq + self.count


class AccountIndex:
    """Reads private events of the accounts of one shard."""

    def __init__(
        self,
        database: Database,
        shard: int,
        *,
        tail_rows_max: int = limits.ACCOUNT_TAIL_ROWS_MAX,
        bytes_max: int = limits.ACCOUNT_EVENTS_BYTES_MAX,
    ) -> None:
        self._database = database
        self._shard = shard
        self._tail_rows_max = tail_rows_max
        self._bytes_max = bytes_max

    async def read(self, question: Question) -> AccountEvents:
        """The events, fewer than asked for when there are no more or they are many bytes.

        `account_seq` from 1, `count` 1 to ACCOUNT_EVENTS_MAX. Raises Unavailable, also when the
        history is so far behind that the tail is too long to look through.
        """
        assert 1 <= question.account_seq < 1 << 63, "numbers of accounts begin at 1"
        assert 1 <= question.count <= limits.ACCOUNT_EVENTS_MAX, "the caller checks"
        found: list[Frame] = []
        wanted, byte_count = question.account_seq, 0
        async for frame in self._frames(question):
            if frame.last_account_seq < wanted:
                continue
            if frame.payload is None or frame.account_seq > wanted:
                if found:
                    break
                return AccountEvents(b"", await self._oldest(question, frame))
            found.append(frame)
            wanted = frame.last_account_seq + 1
            byte_count += len(frame.payload)
            if wanted >= question.end or byte_count >= self._bytes_max:
                break
        return AccountEvents(cut(found, question))

    async def _frames(self, question: Question) -> AsyncIterator[Frame]:
        """Frames of the account, those of the index first."""
        projected_seq = await self._projected_seq()
        indexed = await self._database.read(
            INDEXED,
            self._shard,
            bigint(question.account_id),
            question.account_seq,
            question.end,
            self._bytes_max,
            question.up_to_seq,
        )
        for account_seq, last_account_seq, payload in indexed:
            yield Frame(account_seq, last_account_seq, payload)
        # Rows that were projected in between come twice; their numbers tell.
        async for frame in self._tail(question, projected_seq):
            yield frame

    async def _projected_seq(self) -> int:
        record = await self._database.read_row(PROJECTED_SEQ, self._shard)
        return int(record[0]) if record is not None else 0

    async def _tail(self, question: Question, after_seq: int) -> AsyncIterator[Frame]:
        key = question.account_id.to_bytes(8, "little")
        row_count = 0
        while after_seq < question.up_to_seq:
            row_limit = min(limits.ROWS_AT_ONCE_MAX, self._tail_rows_max - row_count)
            if not row_limit:
                raise Unavailable(f"the history ends {question.up_to_seq - after_seq} before")
            rows = await self._database.read(
                TAIL,
                self._shard,
                after_seq,
                question.up_to_seq,
                key,
                row_limit,
            )
            if not rows:
                return
            for _, _, events in rows:
                frame = None if events is None else frame_of(events, question.account_id)
                if frame is not None:
                    yield frame
            after_seq = rows[-1][1]
            row_count += len(rows)

    async def _oldest(self, question: Question, first: Frame) -> int:
        """The oldest account_seq that is kept, when `first` is the first frame that was found."""
        if first.payload is not None:
            return first.account_seq
        record = await self._database.read_row(OLDEST, self._shard, bigint(question.account_id))
        assert record is not None, "a select without from gives one row"
        if record[0] is not None:
            return int(record[0])
        async for frame in self._tail(question, await self._projected_seq()):
            return frame.account_seq
        return int(record[1]) + 1


def frame_of(events: bytes, account_id: int) -> Frame | None:
    """The private events of an account in an event row."""
    directory = Directory(events)
    record = directory.find(PRIVATE, account_id)
    if record is None:
        return None
    return Frame(record.first, record.last, directory.payload(record))


def cut(frames: list[Frame], question: Question) -> bytes:
    """The container with the events asked for; frames in the middle are not opened."""
    parts = []
    for frame in frames:
        assert frame.payload is not None, "only frames that are kept are cut"
        if frame.account_seq >= question.account_seq and frame.last_account_seq < question.end:
            parts.append(frame.payload)
            continue
        events = events_pb2.PrivateEvents.FromString(frame.payload).events
        kept = [one for one in events if question.account_seq <= one.account_seq < question.end]
        parts.append(events_pb2.PrivateEvents(events=kept).SerializeToString())
    return b"".join(parts)
