"""What the TRON adapter stores: resources, scan."""

from runtime.migrations import run_sql

revision = "0040_tron"
down_revision = "0030_ethereum"

SQL = "select 1"


def upgrade() -> None:
    """Makes what the revision says."""
    run_sql(SQL)
