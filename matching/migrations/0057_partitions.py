"""Partitions of the journal are made by a function of the schema's owner."""

from runtime.migrations import run_sql

revision = "0057_partitions"
down_revision = "0003_orders_that_wait"

UP = """
-- A partition is attached, not created in place: attaching does not lock inserts out.
create function journal.make_partitions(shard integer, number bigint, commands_each bigint)
returns text[] language plpgsql security definer set search_path = pg_catalog as $$
declare
    made text[] := '{}';
    parent text;
    child text;
begin
    if number < 0 or commands_each < 1 then
        raise exception 'no partition % of % commands', number, commands_each
            using errcode = 'invalid_parameter_value';
    end if;
    foreach parent in array array['commands', 'events'] loop
        child := format('%s_s%s_p%s', parent, shard, number);
        if to_regclass('journal.' || child) is null then
            execute format('create table journal.%I (like journal.%I including all)',
                child, parent);
            execute format('alter table journal.%I attach partition journal.%I '
                'for values from (%s, %s) to (%s, %s)', parent, child,
                shard, number * commands_each, shard, (number + 1) * commands_each);
            made := made || child;
        end if;
    end loop;
    return made;
end $$;
comment on function journal.make_partitions is
    'Makes one partition of both journal tables where it is missing; the names of those made';
"""


def upgrade() -> None:
    """Makes the function."""
    run_sql(UP)
