"""For which address and asset each attempt of gathering deposits was made."""

from runtime.migrations import run_sql

revision = "0045_gathering"
down_revision = "0044_cancels"

SQL = """
-- A sweep, what came before it (gas, an account, lent energy), or after it.
create table custody.gathering_step (
    attempt_id bigint primary key references custody.attempt,
    network_id integer not null references custody.chain (network_id),
    -- The address that is emptied, or that was lent to.
    key bytea not null,
    -- Of the asset that is gathered; empty for the native one.
    contract bytea not null
);
create index gathering_step_key
    on custody.gathering_step (network_id, key, contract, attempt_id desc);
"""


def upgrade() -> None:
    """Makes what the revision says."""
    run_sql(SQL)
