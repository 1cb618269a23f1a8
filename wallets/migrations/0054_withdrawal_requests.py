"""What custody notes of a requested withdrawal before its approval: its quote, and its verdict.

A network that screens withdrawals approves none without the word `accept` or people's release.
"""

from runtime.migrations import run_sql

revision = "0054_withdrawal_requests"
down_revision = "0051_account_holdings"

SQL = """
-- Who asked for a withdrawal under it last; empty = nobody.
alter table custody.fee_quote add column request_id bytea not null default '';

-- A customer's withdrawal needs a verdict before its approval.
alter table custody.chain add column screens_withdrawals boolean not null default false;

-- One row per withdrawal that was answered for; only people replace a verdict, and only `hold`.
create table custody.payout_screening (
    withdrawal_id bytea primary key references custody.payout,
    network_id integer not null references custody.chain (network_id),
    verdict text not null check (verdict in ('accept', 'hold', 'reject', 'release', 'refuse')),
    reason text not null,
    -- What the screening calls its answer.
    reference text not null,
    answered_at timestamptz not null default clock_timestamp(),
    -- Who decided after the screening did: two names.
    people text[] not null default '{}'
        check ((cardinality(people) = 2) = (verdict in ('release', 'refuse')))
);

-- Two persons let a held withdrawal go on to its approval. A new database has it from the first
-- revision, which writes the table of today.
insert into custody.transition values ('payout', 'held', 'requested') on conflict do nothing;
"""


def upgrade() -> None:
    """Makes what the revision says."""
    run_sql(SQL)
