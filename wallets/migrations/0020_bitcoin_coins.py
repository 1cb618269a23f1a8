"""Outputs on Bitcoin that pay keys of ours, as the contiguous scan of blocks saw them."""

from runtime.migrations import run_sql

revision = "0020_bitcoin_coins"
down_revision = "0002_attempt_inputs"

SQL = """
create table custody.bitcoin_coin (
    network_id integer not null references custody.chain (network_id),
    -- "txid:index"
    outpoint text not null,
    key bytea not null,
    amount_atoms bigint not null check (amount_atoms between 0 and 2100000000000000),
    is_coinbase boolean not null,
    height bigint not null,
    block_hash text not null,
    -- The block that spends it; null = nobody did.
    spent_height bigint,
    spent_block_hash text,
    primary key (network_id, outpoint),
    foreign key (network_id, key) references custody.address (network_id, key),
    check ((spent_height is null) = (spent_block_hash is null))
);
create index bitcoin_coin_free on custody.bitcoin_coin (network_id, amount_atoms desc)
    where spent_height is null;
create index bitcoin_coin_block on custody.bitcoin_coin (network_id, block_hash);
create index bitcoin_coin_spent on custody.bitcoin_coin (network_id, spent_block_hash)
    where spent_block_hash is not null;
"""


def upgrade() -> None:
    """Makes the table."""
    run_sql(SQL)
