"""The SQL of the journal. One statement writes a batch: both tables behind the fence."""

from typing import Final

# $1 shard, $2 first_seq, $3 last_seq, $4 epoch, $5 time_ns, $6 commands, $7 events, $8 state_hash,
# $9 and $10 row hashes, $11 first_seq of the row before, $12 and $13 its row hashes.
#
# The lock is what fences: FOR SHARE waits for an epoch update under way and then looks at the new
# epoch. A plain read, or FOR KEY SHARE, would let the row of an old epoch in. The primary key lets
# a row have one successor only, so requiring the row before is requiring the last row.
APPEND: Final = """
with fence as (
  select epoch from journal.shard_fence where shard = $1::int and epoch = $4::bigint for share
), tail as (
  select epoch from fence where $2::bigint = 1 or (
    exists (
      select from journal.commands
      where shard = $1 and first_seq = $11::bigint and last_seq = $2 - 1 and row_hash = $12::bytea)
    and exists (
      select from journal.events
      where shard = $1 and first_seq = $11 and last_seq = $2 - 1 and row_hash = $13::bytea))
), command as (
  insert into journal.commands
    (shard, first_seq, last_seq, epoch, time_ns, bytes, state_hash, row_hash)
  select $1, $2, $3::bigint, epoch, $5::bigint, $6::bytea, $8::bytea, $9::bytea from tail
  returning first_seq
), event as (
  insert into journal.events
    (shard, first_seq, last_seq, epoch, time_ns, bytes, state_hash, row_hash)
  select $1, $2, $3, epoch, $5, $7::bytea, $8, $10::bytea from tail
  returning first_seq
)
select (select count(*) from command) + (select count(*) from event)
"""

ROW_COLUMNS: Final = """
select coalesce(c.first_seq, e.first_seq), coalesce(c.last_seq, e.last_seq),
       coalesce(c.epoch, e.epoch), coalesce(c.time_ns, e.time_ns),
       c.bytes, e.bytes, c.state_hash, c.row_hash, e.row_hash,
       (c.last_seq, c.epoch, c.time_ns, c.state_hash)
         is not distinct from (e.last_seq, e.epoch, e.time_ns, e.state_hash)
"""

# Rows after $2, at most $3, of both tables; one that is missing in either still comes.
ROWS_AFTER: Final = f"""
{ROW_COLUMNS}
from (select * from journal.commands where shard = $1 and first_seq > $2
      order by first_seq limit $3) c
full join (select * from journal.events where shard = $1 and first_seq > $2
           order by first_seq limit $3) e using (first_seq)
order by first_seq
"""  # noqa: S608 - made of constants

EVENT_ROWS_FROM: Final = """
select first_seq, last_seq, time_ns, bytes from journal.events
where shard = $1 and first_seq >= $2 and first_seq <= $3 order by first_seq limit $4
"""

# The first sequence of the row that holds $2, or of the oldest row after it.
EVENT_ROW_START: Final = """
select coalesce(
  (select max(first_seq) from journal.events where shard = $1 and first_seq <= $2),
  (select min(first_seq) from journal.events where shard = $1))
"""

OLDEST_EVENT: Final = "select min(first_seq) from journal.events where shard = $1"

HEAD: Final = "select max(last_seq) from journal.commands where shard = $1 and first_seq >= $2"

ROW_AT: Final = f"""
{ROW_COLUMNS}
from (select * from journal.commands where shard = $1 and first_seq = $2) c
full join (select * from journal.events where shard = $1 and first_seq = $2) e using (first_seq)
"""  # noqa: S608 - made of constants

# A plain read: never a reason to write.
FENCE_EPOCH: Final = "select epoch from journal.shard_fence where shard = $1"
