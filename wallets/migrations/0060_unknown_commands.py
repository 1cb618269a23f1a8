"""Commands that the engine took and this database never gave, and what became of each."""

from runtime.migrations import run_sql

revision = "0060_unknown_commands"
down_revision = "0059_restores"

SQL = """
create table custody.unknown_command (
    source_id integer not null references custody.source,
    source_seq bigint not null check (source_seq > 0),
    -- The journal of the source's shard tells of it after this sequence.
    after_seq bigint not null,
    noticed_at timestamptz not null default clock_timestamp(),
    settlement text not null default ''
        check (settlement in ('', 'nothing', 'credited', 'parked', 'people')),
    -- What people say of it.
    note text not null default '',
    people text[] not null default '{}',
    settled_at timestamptz,
    primary key (source_id, source_seq),
    check ((settlement = '') = (settled_at is null)),
    check ((settlement = '') = (cardinality(people) = 0))
);
create index unknown_command_open on custody.unknown_command (source_id, source_seq)
    where settlement = '';

-- Who suspended deposits and lifts that again; empty = the registration, or nobody.
alter table custody.asset add column deposits_suspended_by text not null default '';
"""


def upgrade() -> None:
    """Makes what the revision says."""
    run_sql(SQL)
