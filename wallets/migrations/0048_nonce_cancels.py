"""Nonces that two persons want to be cancelled, and transfers of nothing, which do that."""

from runtime.migrations import run_sql

revision = "0048_nonce_cancels"
down_revision = "0047_ethereum_gathering"

SQL = """
create table custody.nonce_cancel (
    cancel_id bigint generated always as identity primary key,
    network_id integer not null references custody.chain (network_id),
    -- "address:nonce"
    anchor text not null,
    -- Who asked: two names.
    people text[] not null check (cardinality(people) = 2),
    created_at timestamptz not null default clock_timestamp(),
    -- What it came to; empty = it is under way.
    ending text not null default '' check (ending in ('', 'cancelled', 'mined', 'used'))
);
create unique index nonce_cancel_open on custody.nonce_cancel (network_id, anchor)
    where ending = '';

alter table custody.treasury_transfer
    drop constraint treasury_transfer_amount_atoms_check,
    add constraint treasury_transfer_amount_atoms_check check (amount_atoms >= 0);
"""


def upgrade() -> None:
    """Makes what the revision says."""
    run_sql(SQL)
