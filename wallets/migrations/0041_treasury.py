"""The venue's own transfers between hot and cold, and the bounds of the hot wallet."""

from runtime.migrations import run_sql

revision = "0041_treasury"
down_revision = "0040_reconciliation"

SQL = """
-- Atoms of the chain. Above the ceiling the hot wallet is brought down to the target; below the
-- floor somebody should refill it.
create table custody.treasury_bounds (
    network_id integer not null,
    asset_id integer not null,
    floor_atoms numeric(78, 0) not null check (floor_atoms >= 0),
    target_atoms numeric(78, 0) not null check (target_atoms >= floor_atoms),
    ceiling_atoms numeric(78, 0) not null check (ceiling_atoms >= target_atoms),
    primary key (network_id, asset_id),
    foreign key (network_id, asset_id) references custody.asset (network_id, asset_id)
);

-- Each is one attempt, with the states and rules of those of payouts.
create table custody.treasury_transfer (
    attempt_id bigint primary key references custody.attempt,
    network_id integer not null references custody.chain (network_id),
    asset_id integer not null,
    -- Accounts of the book; equal for a merge of coins.
    source text not null,
    target text not null,
    amount_atoms numeric(78, 0) not null check (amount_atoms > 0),
    fee_atoms numeric(78, 0) not null check (fee_atoms >= 0),
    -- Of people's keys: the transaction as it will be, and what they gave back; else empty.
    unsigned bytea not null default '',
    texts text[] not null default '{}',
    -- Why it waits; empty = it does not.
    condition text not null default '',
    created_at timestamptz not null default clock_timestamp()
);
create index treasury_transfer_network on custody.treasury_transfer (network_id, attempt_id desc);
"""


def upgrade() -> None:
    """Makes what the revision says."""
    run_sql(SQL)
