"""Lanes: the hot accounts on Ethereum that payouts leave from.

A nonce is owned as "address:nonce" in `custody.owned_input`, whose key refuses a second owner; the
attempts that ever used it share the conflict group of that name.
"""

from runtime.migrations import run_sql

revision = "0030_ethereum"
down_revision = "0021_worker"

SQL = """
create table custody.ethereum_lane (
    network_id integer not null references custody.chain (network_id),
    account bytea not null check (length(account) = 20),
    branch text not null,
    path_index bigint not null check (path_index between 0 and 2147483647),
    -- Takes no new payouts; what it has is still followed, replaced and cancelled.
    is_draining boolean not null default false,
    primary key (network_id, account),
    unique (network_id, branch, path_index)
);
create index attempt_group on custody.attempt (conflict_group_id)
    where conflict_group_id is not null;
"""


def upgrade() -> None:
    """Makes what the revision says."""
    run_sql(SQL)
