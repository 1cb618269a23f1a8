"""What the faucet of a sandbox gave. Empty on any other venue."""

from runtime.migrations import run_sql

revision = "0058_pay_ins"
down_revision = "0057_partitions"

UP = """
create table journal.pay_ins (
    shard integer not null,
    number bigint not null,
    account_id bigint not null,
    request_id bytea not null check (length(request_id) = 16),
    asset_id bigint not null,
    amount_atoms numeric(39, 0) not null,
    correlation bigint not null,
    after_seq bigint not null,
    reason integer,
    created_at timestamptz not null default now(),
    primary key (shard, number),
    unique (shard, account_id, request_id)
);
create index pay_ins_of_account on journal.pay_ins (shard, account_id, created_at);
create index pay_ins_by_age on journal.pay_ins (shard, created_at);
create index pay_ins_unsettled on journal.pay_ins (shard, number) where reason is null;
comment on table journal.pay_ins is
    'Play money that firms asked the faucet for, each with its number at the engine';
"""


def upgrade() -> None:
    """Makes the table."""
    run_sql(UP)
