"""Looks of reconciliation, one row each, and a way to a posting by its cause."""

from runtime.migrations import run_sql

revision = "0040_reconciliation"
down_revision = "0031_deposits"

SQL = """
create table custody.reconciliation_run (
    run_id bigint generated always as identity primary key,
    network_id integer not null references custody.chain (network_id),
    -- The scan's watermark; -1 = the chain was not looked at.
    height bigint not null,
    block_hash text not null,
    -- Side, asset, account and atoms of each difference; below zero is a deficit.
    findings jsonb not null,
    -- Why payouts stop; empty = they go on.
    reason text not null,
    created_at timestamptz not null default clock_timestamp()
);
create index reconciliation_run_network on custody.reconciliation_run (network_id, run_id desc);
create trigger reconciliation_run_append_only before update or delete on custody.reconciliation_run
    for each statement execute function custody.refuse_change();

-- What the engine's accounts had beyond custody's book at the first look: money without coins.
create table custody.reconciliation_opening (
    asset_id integer primary key,
    engine_atoms numeric(78, 0) not null,
    created_at timestamptz not null default clock_timestamp()
);
create trigger reconciliation_opening_append_only before update or delete
    on custody.reconciliation_opening for each statement execute function custody.refuse_change();
create index posting_cause on custody.posting (network_id, cause, cause_id);
"""


def upgrade() -> None:
    """Makes what the revision says."""
    run_sql(SQL)
