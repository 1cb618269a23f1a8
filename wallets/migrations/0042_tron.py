"""Hot accounts on TRON, and the ids of all transactions in the blocks that we scanned.

Against those ids an attempt is proven dead: it is in no block until its expiration.
"""

from runtime.migrations import run_sql

revision = "0042_tron"
down_revision = "0041_treasury"

SQL = """
create table custody.tron_account (
    network_id integer not null references custody.chain (network_id),
    account bytea not null check (length(account) = 21),
    branch text not null,
    path_index bigint not null check (path_index between 0 and 2147483647),
    -- Takes no new payouts.
    is_draining boolean not null default false,
    -- No two transactions of an account have the same timestamp, so no two have the same id.
    last_timestamp_ms bigint not null default 0,
    primary key (network_id, account),
    unique (network_id, branch, path_index)
);

-- Of the block of custody.block at this height; 32 bytes for each id.
create table custody.tron_scan (
    network_id integer not null,
    height bigint not null,
    txids bytea not null check (length(txids) % 32 = 0),
    primary key (network_id, height)
);
"""


def upgrade() -> None:
    """Makes what the revision says."""
    run_sql(SQL)
