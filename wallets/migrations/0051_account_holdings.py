"""What lay at our accounts on Ethereum and TRON at the last look, and what strangers paid in."""

from runtime.migrations import run_sql

revision = "0051_account_holdings"
down_revision = "0048_nonce_cancels"

SQL = """
-- By the nodes, at the block of custody.block at this height.
create table custody.account_holding (
    network_id integer not null references custody.chain (network_id),
    key bytea not null,
    -- Empty for the native asset.
    contract bytea not null,
    amount_atoms numeric(78, 0) not null check (amount_atoms >= 0),
    height bigint not null,
    read_at timestamptz not null,
    primary key (network_id, key, contract)
);
create index account_holding_oldest on custody.account_holding (network_id, read_at);

-- Movements to hot accounts, in blocks of the chain as it was scanned.
create table custody.hot_receipt (
    network_id integer not null references custody.chain (network_id),
    txid text not null,
    index bigint not null,
    contract bytea not null,
    amount_atoms numeric(78, 0) not null check (amount_atoms > 0),
    height bigint not null,
    block_hash text not null,
    primary key (network_id, txid, index)
);
create index hot_receipt_block on custody.hot_receipt (network_id, block_hash);
"""


def upgrade() -> None:
    """Makes what the revision says."""
    run_sql(SQL)
