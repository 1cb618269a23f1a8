"""The SQL of stored snapshots."""

from typing import Final

# The first seven columns are those of journal.rows.Tail.
STORED: Final = """
select first_seq, seq, epoch, time_ns, state_hash, command_row_hash, event_row_hash,
       chunk_count, byte_count, hash
from journal.snapshots where shard = $1 order by seq desc
"""

CHUNKS: Final = """
select index, bytes, hash from journal.snapshot_chunks
where shard = $1 and seq = $2 and index >= $3 and index < $4 order by index
"""

# A chunk is written or deleted by one statement that says itself that its commit does not wait for
# the disk. The snapshot's row is the commit that counts: it flushes what its chunks left unflushed.
UNFLUSHED: Final = "(select set_config('synchronous_commit', 'off', true))"

# Two snapshotters of one build write the same bytes.
INSERT_CHUNK: Final = f"""
insert into journal.snapshot_chunks (shard, seq, index, bytes, hash)
select $1::integer, $2::bigint, $3::integer, $4::bytea, $5::bytea from {UNFLUSHED} unflushed
on conflict do nothing
"""  # noqa: S608 - made of constants

# A second snapshotter may have cleared the chunks away as leftovers: then nothing is inserted.
INSERT_SNAPSHOT: Final = """
insert into journal.snapshots
  (shard, first_seq, seq, epoch, time_ns, state_hash, command_row_hash, event_row_hash,
   chunk_count, byte_count, hash)
select $1::integer, $2::bigint, $3::bigint, $4::bigint, $5::bigint, $6::bytea, $7::bytea,
       $8::bytea, $9::integer, $10::bigint, $11::bytea
where ($9, $10) = (
  select count(*), coalesce(sum(length(bytes)), 0) from journal.snapshot_chunks
  where shard = $1 and seq = $3)
on conflict do nothing
returning seq
"""

DELETE_SNAPSHOTS: Final = """
delete from journal.snapshots where shard = $1 and seq = any($2::bigint[])
"""

CHUNKS_WITHOUT_ROW: Final = """
select seq, index from journal.snapshot_chunks c
where shard = $1 and not exists (
  select from journal.snapshots s where s.shard = c.shard and s.seq = c.seq)
order by seq, index
"""

DELETE_CHUNK: Final = f"""
delete from journal.snapshot_chunks using {UNFLUSHED} unflushed
where shard = $1 and seq = $2 and index = $3
"""  # noqa: S608 - made of constants
