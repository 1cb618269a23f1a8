"""A customer's wish to cancel what the engine has started and nobody has signed."""

from runtime.migrations import run_sql

revision = "0044_cancels"
down_revision = "0043_screening"

SQL = """
-- Looked at by whoever works on the payout next, until a transaction that pays it is signed.
alter table custody.payout add column cancel_requested boolean not null default false;
"""


def upgrade() -> None:
    """Makes what the revision says."""
    run_sql(SQL)
