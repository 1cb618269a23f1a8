"""Verdicts on deposits before their credit, and what two persons decided of those that are held.

A network that screens credits nothing without the word `accept` or people's release.
"""

from runtime.migrations import run_sql

revision = "0043_screening"
down_revision = "0042_tron"

SQL = """
alter table custody.chain
    -- A deposit needs a verdict before its credit.
    add column screens_deposits boolean not null default false,
    -- Why nobody answers; empty = somebody does, or nobody is asked.
    add column screening_condition text not null default '';

-- One row per deposit that was ever asked about; a verdict is never replaced by another one of
-- the same screening, only by people's decision.
create table custody.deposit_screening (
    deposit_id bytea primary key references custody.deposit,
    network_id integer not null references custody.chain (network_id),
    -- Empty = asked, without an answer so far.
    verdict text not null default '' check (verdict in ('', 'accept', 'hold', 'release', 'return')),
    reason text not null default '',
    -- What the screening calls its answer.
    reference text not null default '',
    asked_count integer not null default 0 check (asked_count >= 0),
    asked_at timestamptz not null default '-infinity',
    answered_at timestamptz,
    -- Of a return: the venue's account that pays it back, and its shard; 0 = none.
    return_account_id bigint not null default 0
        check ((return_account_id <> 0) = (verdict = 'return')),
    -- Who decided after the screening did: two names.
    people text[] not null default '{}'
        check ((cardinality(people) = 2) = (verdict in ('release', 'return')))
);
create index deposit_screening_held on custody.deposit_screening (network_id)
    where verdict = 'hold';
"""


def upgrade() -> None:
    """Makes what the revision says."""
    run_sql(SQL)
