"""Which deposits were gathered, up to which block a sweep takes them along, and what each cost."""

from runtime.migrations import run_sql

revision = "0047_ethereum_gathering"
down_revision = "0046_tron_cost"

SQL = """
-- What lay on the address at this height is what the step was made for; null = nobody said.
alter table custody.gathering_step add column up_to_height bigint;

-- Its coins have left its address; another block may bring them anew.
alter table custody.deposit add column is_gathered boolean not null default false;
create index deposit_gathering on custody.deposit (network_id, key, contract)
    where not is_gathered;
create function custody.forget_gathering() returns trigger language plpgsql as $$
begin
    new.is_gathered := false;
    return new;
end $$;
create trigger deposit_in_another_block before update of block_hash on custody.deposit
    for each row when (old.is_gathered and old.block_hash is distinct from new.block_hash)
    execute function custody.forget_gathering();

-- Shares of what a step of gathering cost, in atoms of the native asset; they sum to its fee.
create table custody.gathering_cost (
    attempt_id bigint not null references custody.attempt,
    deposit_id bytea not null references custody.deposit,
    cost_atoms numeric(78, 0) not null check (cost_atoms >= 0),
    primary key (attempt_id, deposit_id)
);
create index gathering_cost_deposit on custody.gathering_cost (deposit_id);
create trigger gathering_cost_append_only before update or delete on custody.gathering_cost
    for each statement execute function custody.refuse_change();
"""


def upgrade() -> None:
    """Makes what the revision says."""
    run_sql(SQL)
