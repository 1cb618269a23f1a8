"""What each transaction of ours on TRON cost, by what it was taken for."""

from runtime.migrations import run_sql

revision = "0046_tron_cost"
down_revision = "0045_gathering"

SQL = """
-- Of solid receipts; one that failed cost as well. All sums are sun that were burned or taken.
create table custody.tron_cost (
    attempt_id bigint primary key references custody.attempt,
    network_id integer not null references custody.chain (network_id),
    -- Energy that was used, whoever had it.
    energy bigint not null check (energy >= 0),
    energy_sun numeric(78, 0) not null check (energy_sun >= 0),
    bandwidth_sun numeric(78, 0) not null check (bandwidth_sun >= 0),
    -- For a new account, a memo, several signatures.
    other_sun numeric(78, 0) not null check (other_sun >= 0),
    created_at timestamptz not null default clock_timestamp()
);
create index tron_cost_time on custody.tron_cost (network_id, created_at);
"""


def upgrade() -> None:
    """Makes what the revision says."""
    run_sql(SQL)
