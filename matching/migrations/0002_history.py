"""The history that the projector writes from event rows: orders, fills, ledger, account index."""

from runtime.migrations import run_sql

revision = "0002_history"
down_revision = "0001_journal"

UP = """
create schema if not exists history;
comment on schema history is
    'Derived from journal.events by the projector; true up to progress.projected_seq';

create table history.progress (
    shard integer primary key,
    projected_seq bigint not null
) with (fillfactor = 10);

create table history.account_index (
    shard integer not null,
    account_id bigint not null,
    account_seq bigint not null,
    last_account_seq bigint not null,
    first_seq bigint not null,
    byte_offset integer not null,
    byte_length integer not null,
    primary key (shard, account_id, account_seq)
);
comment on table history.account_index is
    'Where in journal.events.bytes (row first_seq) the private events of an account lie';

create table history.markets (
    shard integer not null,
    market_id bigint not null,
    base_asset_id bigint not null,
    quote_asset_id bigint not null,
    lot_size_atoms numeric(39) not null,
    tick_value_atoms bigint not null,
    primary key (shard, market_id)
);

create table history.orders (
    shard integer not null,
    account_id bigint not null,
    order_id bigint not null,
    market_id bigint not null,
    cl_ord_id bytea not null,
    side smallint not null,
    order_type smallint not null,
    time_in_force smallint not null,
    tag bigint not null,
    expire_time_ns bigint not null,
    quote_budget_atoms bytea not null,
    price_ticks bigint not null,
    quantity_lots bigint not null,
    leaves_lots bigint not null,
    cum_lots bigint not null,
    cum_tick_lots bytea not null,
    public_order_id bigint not null,
    last_event bytea not null,
    primary key (shard, account_id, order_id)
) with (fillfactor = 80);
create index orders_by_market on history.orders (shard, account_id, market_id, order_id);
create index orders_by_client_id on history.orders (shard, account_id, cl_ord_id, order_id);
comment on column history.orders.last_event is 'cambist.orders.v1.PrivateEvent as it was told';

create table history.refused_orders (
    shard integer not null,
    account_id bigint not null,
    cl_ord_id bytea not null,
    event bytea not null,
    primary key (shard, account_id, cl_ord_id)
);
comment on table history.refused_orders is 'The last refusal per client order id';

create table history.fills (
    shard integer not null,
    account_id bigint not null,
    account_seq bigint not null,
    seq bigint not null,
    time_ns bigint not null,
    market_id bigint not null,
    order_id bigint not null,
    trade_id bigint not null,
    base_asset_id bigint not null,
    base_atoms numeric(39) not null,
    quote_asset_id bigint not null,
    quote_atoms numeric(39) not null,
    fee_asset_id bigint not null,
    fee_atoms numeric(39) not null,
    event bytea not null,
    primary key (shard, account_id, account_seq)
);
create index fills_by_market on history.fills (shard, account_id, market_id, account_seq);
comment on table history.fills is
    'Atoms are changes of the account: what it pays is negative, a fee too';

create table history.prevented_matches (
    shard integer not null,
    account_id bigint not null,
    account_seq bigint not null,
    event bytea not null,
    primary key (shard, account_id, account_seq)
);

create table history.money (
    shard integer not null,
    account_id bigint not null,
    account_seq bigint not null,
    seq bigint not null,
    time_ns bigint not null,
    kind smallint not null,
    id bytea not null,
    asset_id bigint not null,
    atoms numeric(39) not null,
    event bytea not null,
    primary key (shard, account_id, account_seq)
);
comment on table history.money is
    'Money moved other than by trading; atoms = change of the account in all its balances together';

create table history.venue_entries (
    shard integer not null,
    account_id bigint not null,
    asset_id bigint not null,
    seq bigint not null,
    time_ns bigint not null,
    atoms numeric(39) not null,
    primary key (shard, account_id, asset_id, seq)
);
comment on table history.venue_entries is
    'Changes of the venue''s own accounts, one per journal row (seq = its last)';

create table history.venue_balances (
    shard integer not null,
    account_id bigint not null,
    asset_id bigint not null,
    atoms numeric(39) not null,
    primary key (shard, account_id, asset_id)
) with (fillfactor = 50);

create table history.candles (
    shard integer not null,
    market_id bigint not null,
    minute_ns bigint not null,
    open_ticks bigint not null,
    high_ticks bigint not null,
    low_ticks bigint not null,
    close_ticks bigint not null,
    volume_lots numeric(39) not null,
    trades bigint not null,
    primary key (shard, market_id, minute_ns)
) with (fillfactor = 50);
comment on table history.candles is 'One per market and minute of engine time with trades';

create view history.postings as
    select shard, account_id, seq, time_ns, 'trade' as cause, base_asset_id as asset_id,
           base_atoms as atoms from history.fills
    union all
    select shard, account_id, seq, time_ns, 'trade', quote_asset_id, quote_atoms from history.fills
    union all
    select shard, account_id, seq, time_ns, 'fee', fee_asset_id, fee_atoms from history.fills
    where fee_atoms <> 0
    union all
    select shard, account_id, seq, time_ns, 'money', asset_id, atoms from history.money
    where atoms <> 0
    union all
    select shard, account_id, seq, time_ns, 'venue', asset_id, atoms from history.venue_entries;
comment on view history.postings is
    'The ledger: per asset and journal row the postings of all accounts sum to zero';
"""


def upgrade() -> None:
    """Makes the schema."""
    run_sql(UP)
