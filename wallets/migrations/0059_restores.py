"""Which database this is: another one than before pays nothing until it was verified.

A restore to an earlier moment and a failover have a new timeline, a dump that is read into another
server another system identifier. What was committed and is missing by now was perhaps paid.
"""

from runtime.migrations import run_sql

revision = "0059_restores"
down_revision = "0061_next_payouts"

SQL = """
create table custody.database_identity (
    only_row boolean primary key default true check (only_row),
    -- System identifier and timeline.
    identity text not null,
    noticed_at timestamptz not null default clock_timestamp()
);

-- The stop that stood when the database turned out to be another one; empty = none. It is back
-- when that one ends.
alter table custody.chain add column stopped_before text not null default '';

-- `only_network` null: all of them.
create function custody.stop_until_verified(only_network integer, why text) returns void
language sql as $$
    update custody.chain set withdrawals_stopped = true, stopped_reason = 'Restored: ' || why,
        stopped_before = case when withdrawals_stopped and stopped_reason not like 'Restored:%'
            then stopped_reason else stopped_before end
    where only_network is null or network_id = only_network
$$;

-- Called on each new connection of a worker, before anything else is done on it.
create function custody.notice_database() returns void language plpgsql as $$
declare
    found_identity text := (select system_identifier::text from pg_control_system())
        || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8);
    known_identity text;
begin
    select identity into known_identity from custody.database_identity;
    if known_identity = found_identity then
        return;
    end if;
    insert into custody.database_identity (identity) values (found_identity) on conflict do nothing;
    -- One of all that come at once.
    select identity into known_identity from custody.database_identity for update;
    if known_identity = found_identity then
        return;
    end if;
    update custody.database_identity
        set identity = found_identity, noticed_at = clock_timestamp();
    perform custody.stop_until_verified(null, format(
        'the database is %s and was %s: run verify-restore', found_identity, known_identity));
    insert into custody.event (kind, subject_id, state_before, state_after, actor, reason)
    values ('database', 'identity', known_identity, found_identity, 'worker',
        'payouts stop until verify-restore agrees');
end $$;
"""


def upgrade() -> None:
    """Makes what the revision says."""
    run_sql(SQL)
