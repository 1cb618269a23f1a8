"""What worker and service store and look up: withdrawal fees, and an account's money by time."""

from runtime.migrations import run_sql

revision = "0021_worker"
down_revision = "0020_bitcoin_coins"

SQL = """
-- Taken from the customer for each withdrawal, in the engine's unit.
alter table custody.asset add column withdrawal_fee_engine_atoms numeric(78, 0) not null default 0
    check (withdrawal_fee_engine_atoms >= 0);
create index payout_account on custody.payout (account_id, created_at desc, withdrawal_id desc);
create index deposit_account_seen on custody.deposit (account_id, seen_at desc, deposit_id desc);
create index fee_quote_account on custody.fee_quote (account_id, expires_at);
"""


def upgrade() -> None:
    """Makes what the revision says."""
    run_sql(SQL)
