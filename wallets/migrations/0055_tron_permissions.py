"""Accounts on TRON for which several keys sign."""

from runtime.migrations import run_sql

revision = "0055_tron_permissions"
down_revision = "0054_withdrawal_requests"

SQL = """
-- The permission that payouts name, and where the keys are that sign with it; 0: the own key alone.
alter table custody.tron_account
    add column permission_id smallint not null default 0
        check (permission_id = 0 or permission_id between 2 and 9),
    add column signer_accounts bytea[] not null default '{}',
    add column signer_branches text[] not null default '{}',
    add column signer_path_indexes bigint[] not null default '{}',
    add check ((permission_id = 0) = (cardinality(signer_accounts) = 0)),
    add check (cardinality(signer_accounts) = cardinality(signer_branches)
        and cardinality(signer_accounts) = cardinality(signer_path_indexes));
"""


def upgrade() -> None:
    """Makes what the revision says."""
    run_sql(SQL)
