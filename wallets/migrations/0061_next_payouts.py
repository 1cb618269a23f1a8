"""Indexes by which the next payout is found at once, however many wait, are sent or were settled.

The rows that may be taken come first: who waits for the engine, or for his next look, stands behind
them by `not_before`. A payout that waits for coins is looked for by each that might overtake it.
"""

from runtime.migrations import run_sql

revision = "0061_next_payouts"
down_revision = "0056_liabilities"

SQL = """
create index payout_next on custody.payout (network_id, priority desc, not_before, created_at)
    where state in ('requested', 'approved', 'started', 'built', 'signed', 'broadcasting',
        'confirming', 'cancelling');
create index payout_watched on custody.payout (network_id, not_before) where state = 'settled';
create index payout_unfunded on custody.payout (network_id, asset_id, created_at)
    where state = 'started' and condition = 'HotWalletUnfunded';
"""


def upgrade() -> None:
    """Makes the indexes."""
    run_sql(SQL)
