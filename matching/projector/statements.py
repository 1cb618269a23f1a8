"""The SQL of the projector."""

from typing import Final

# Plans look up keys; one made for the first, small batch must not become another for a large one.
PLAN_ONCE: Final = "set local plan_cache_mode = force_generic_plan"

PROJECTED_SEQ: Final = "select projected_seq from history.progress where shard = $1"
START_PROGRESS: Final = """
insert into history.progress (shard, projected_seq) values ($1, 0) on conflict do nothing
"""
LOCK_PROGRESS: Final = f"{PROJECTED_SEQ} for update"
SET_PROGRESS: Final = "update history.progress set projected_seq = $2 where shard = $1"

MARKETS: Final = """
select market_id, base_asset_id, quote_asset_id, lot_size_atoms, tick_value_atoms
from history.markets where shard = $1
"""
VENUE_BALANCES: Final = """
select account_id, asset_id, atoms from history.venue_balances where shard = $1
"""

FOLLOWED: Final = (
    "price_ticks",
    "quantity_lots",
    "leaves_lots",
    "cum_lots",
    "cum_tick_lots",
    "public_order_id",
    "display_lots",
    "last_event",
)
# Columns of the tables that are appended to, in the order of the rows of `fold`.
COLUMNS: Final = {
    "account_index": (
        "shard",
        "account_id",
        "account_seq",
        "last_account_seq",
        "first_seq",
        "byte_offset",
        "byte_length",
    ),
    "orders": (
        "shard",
        "account_id",
        "order_id",
        "market_id",
        "cl_ord_id",
        "side",
        "order_type",
        "time_in_force",
        "tag",
        "expire_time_ns",
        "quote_budget_atoms",
        "trigger_price_ticks",
        "trailing_offset_ticks",
        "trailing_offset_ppm",
        *FOLLOWED,
    ),
    "fills": (
        "shard",
        "account_id",
        "account_seq",
        "seq",
        "time_ns",
        "market_id",
        "order_id",
        "trade_id",
        "base_asset_id",
        "base_atoms",
        "quote_asset_id",
        "quote_atoms",
        "fee_asset_id",
        "fee_atoms",
        "event",
    ),
    "prevented_matches": ("shard", "account_id", "account_seq", "event"),
    "money": (
        "shard",
        "account_id",
        "account_seq",
        "seq",
        "time_ns",
        "kind",
        "id",
        "asset_id",
        "atoms",
        "event",
    ),
    "venue_entries": ("shard", "account_id", "asset_id", "seq", "time_ns", "atoms"),
}

UPDATE_ORDERS: Final = """
update history.orders o set
  price_ticks = coalesce(u.price_ticks, o.price_ticks),
  quantity_lots = coalesce(u.quantity_lots, o.quantity_lots),
  leaves_lots = u.leaves_lots,
  cum_lots = u.cum_lots,
  cum_tick_lots = coalesce(u.cum_tick_lots, o.cum_tick_lots),
  public_order_id = coalesce(u.public_order_id, o.public_order_id),
  display_lots = coalesce(u.display_lots, o.display_lots),
  last_event = u.last_event
from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
            $8::bytea[], $9::bigint[], $10::bigint[], $11::bytea[])
  as u(account_id, order_id, price_ticks, quantity_lots, leaves_lots, cum_lots, cum_tick_lots,
       public_order_id, display_lots, last_event)
where o.shard = $1 and o.account_id = u.account_id and o.order_id = u.order_id
"""

UPSERT_REFUSED_ORDERS: Final = """
insert into history.refused_orders (shard, account_id, cl_ord_id, event)
select $1, u.* from unnest($2::bigint[], $3::bytea[], $4::bytea[]) u(account_id, cl_ord_id, event)
on conflict (shard, account_id, cl_ord_id) do update set event = excluded.event
"""

UPSERT_CANDLE: Final = """
insert into history.candles as c
  (shard, market_id, minute_ns, open_ticks, high_ticks, low_ticks, close_ticks, volume_lots, trades)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (shard, market_id, minute_ns) do update set
  high_ticks = greatest(c.high_ticks, excluded.high_ticks),
  low_ticks = least(c.low_ticks, excluded.low_ticks),
  close_ticks = excluded.close_ticks,
  volume_lots = c.volume_lots + excluded.volume_lots,
  trades = c.trades + excluded.trades
"""

UPSERT_VENUE_BALANCE: Final = """
insert into history.venue_balances (shard, account_id, asset_id, atoms) values ($1, $2, $3, $4)
on conflict (shard, account_id, asset_id) do update set atoms = excluded.atoms
"""

UPSERT_MARKET: Final = """
insert into history.markets
  (shard, market_id, base_asset_id, quote_asset_id, lot_size_atoms, tick_value_atoms)
values ($1, $2, $3, $4, $5, $6)
on conflict (shard, market_id) do update set
  base_asset_id = excluded.base_asset_id,
  quote_asset_id = excluded.quote_asset_id,
  lot_size_atoms = excluded.lot_size_atoms,
  tick_value_atoms = excluded.tick_value_atoms
"""
