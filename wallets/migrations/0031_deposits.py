"""What crediting needs: when a deposit is final, since when it is absent, whose shard it is."""

from runtime.migrations import run_sql

revision = "0031_deposits"
down_revision = "0030_ethereum"

SQL = """
-- Blocks after which a deposit cannot change any more, where the chain itself calls none final, and
-- for how many blocks a deposit must be absent before its credit is taken back.
alter table custody.chain
    add column deposit_final_depth integer not null default 100 check (deposit_final_depth > 0),
    add column deposit_absence_blocks integer not null default 100
        check (deposit_absence_blocks > 0),
    -- Why blocks are not followed; empty = they are.
    add column scan_condition text not null default '';

-- The shard on which the account was when it asked; 0 = the network's first.
alter table custody.address add column shard integer not null default 0 check (shard >= 0);

alter table custody.deposit
    -- The engine was told to forget the credit.
    add column is_final boolean not null default false,
    -- Where it is credited; 0 = never was.
    add column shard integer not null default 0 check (shard >= 0),
    -- Of the block that left the chain with it; null = it is in a block.
    add column orphaned_height bigint;
create index deposit_unfinal on custody.deposit (network_id, block_height, account_id)
    where not is_final and state in ('immature', 'confirming', 'credited', 'withdrawable');
create index deposit_absent on custody.deposit (network_id, orphaned_height)
    where state = 'orphaned';
create index deposit_block on custody.deposit (network_id, block_height)
    where block_height is not null;
"""


def upgrade() -> None:
    """Makes what the revision says."""
    run_sql(SQL)
