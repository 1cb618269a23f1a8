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

# Two snapshotters of one build write the same bytes.
INSERT_CHUNK: Final = """
insert into journal.snapshot_chunks (shard, seq, index, bytes, hash) values ($1, $2, $3, $4, $5)
on conflict do nothing
"""

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

DELETE_CHUNK: Final = """
delete from journal.snapshot_chunks where shard = $1 and seq = $2 and index = $3
"""
