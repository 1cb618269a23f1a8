"""The journal of commands and events, lease, fence, snapshots, and what operators asked for."""

from runtime.migrations import run_sql

revision = "0001_journal"
down_revision = None

UP = """
create table journal.commands (
    shard integer not null,
    first_seq bigint not null,
    last_seq bigint not null,
    epoch bigint not null,
    time_ns bigint not null,
    bytes bytea not null,
    state_hash bytea not null,
    row_hash bytea not null,
    primary key (shard, first_seq)
) partition by range (shard, first_seq);
-- The bytes are dense already and Postgres' own compression costs more than the disk.
alter table journal.commands alter column bytes set storage external;
comment on table journal.commands is
    'The truth: batches of commands, in the order in which the engine applied them';

create table journal.events (
    shard integer not null,
    first_seq bigint not null,
    last_seq bigint not null,
    epoch bigint not null,
    time_ns bigint not null,
    bytes bytea not null,
    state_hash bytea not null,
    row_hash bytea not null,
    primary key (shard, first_seq)
) partition by range (shard, first_seq);
alter table journal.events alter column bytes set storage external;
comment on table journal.events is 'What each batch caused; a client sees nothing else';

create table journal.shard_fence (
    shard integer primary key,
    epoch bigint not null check (epoch >= 0)
);
comment on table journal.shard_fence is
    'The epoch that may write; an insert locks its row FOR SHARE';

create table journal.shard_lease (
    shard integer primary key,
    owner text not null default '',
    endpoint text not null default '',
    expires_at timestamptz not null
) with (fillfactor = 10);
comment on table journal.shard_lease is 'Who may try to become primary, in database time';

create table journal.snapshots (
    shard integer not null,
    seq bigint not null,
    first_seq bigint not null,
    time_ns bigint not null,
    state_hash bytea not null,
    command_row_hash bytea not null,
    event_row_hash bytea not null,
    epoch bigint not null,
    chunk_count integer not null,
    byte_count bigint not null,
    hash bytea not null,
    created_at timestamptz not null default now(),
    primary key (shard, seq)
);
comment on table journal.snapshots is 'Stored snapshots; the row is written after its chunks';

create table journal.snapshot_chunks (
    shard integer not null,
    seq bigint not null,
    index integer not null,
    bytes bytea not null check (length(bytes) <= 1048576),
    hash bytea not null,
    primary key (shard, seq, index)
);
alter table journal.snapshot_chunks alter column bytes set storage external;
comment on table journal.snapshot_chunks is 'Pieces of snapshots, at most 1 MiB each';

create table journal.skipped_commands (
    shard integer not null,
    seq bigint not null,
    -- Head when it was first put aside: rows up to it were made with the command. 0 = not yet.
    compared_after_seq bigint not null default 0,
    asked_by text not null,
    created_at timestamptz not null default now(),
    primary key (shard, seq)
);
comment on table journal.skipped_commands is
    'Commands that replay may put aside when the engine stops at them';

create table journal.adjustments (
    shard integer not null,
    source_seq bigint not null,
    adjustment_id bytea not null check (length(adjustment_id) = 16),
    command bytea not null,
    correlation bigint not null,
    after_seq bigint not null,
    reason integer,
    primary key (shard, source_seq),
    unique (shard, adjustment_id)
);
comment on table journal.adjustments is
    'Adjustments that operators asked for, each with its number at the engine';
"""


def upgrade() -> None:
    """Makes the tables."""
    run_sql(UP)
