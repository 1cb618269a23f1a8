"""The SQL of the history service. Each is one statement, so that projected_seq and rows agree."""

from typing import Final

_PROJECTED: Final = """
projected as (
  select coalesce((select projected_seq from history.progress where shard = $1), 0) as seq
)
"""
_ORDER: Final = """
o.last_event, o.market_id, o.cl_ord_id, o.side, o.order_type, o.time_in_force, o.tag,
o.expire_time_ns, o.quote_budget_atoms, o.price_ticks, o.quantity_lots, o.leaves_lots, o.cum_lots,
o.cum_tick_lots, o.public_order_id, o.display_lots, o.trigger_price_ticks, o.trailing_offset_ticks,
o.trailing_offset_ppm
"""

ORDER_BY_ID: Final = f"""
with {_PROJECTED}
select p.seq, {_ORDER} from projected p left join history.orders o
  on o.shard = $1 and o.account_id = $2 and o.order_id = $3
"""  # noqa: S608 - made of constants

# An id may have been used again after it was forgotten: the newest order has it.
ORDER_BY_CLIENT_ID: Final = f"""
with {_PROJECTED}, newest as (
  select * from history.orders where shard = $1 and account_id = $2 and cl_ord_id = $3
  order by order_id desc limit 1
)
select p.seq, {_ORDER}, r.event as refusal
from projected p left join newest o on true
left join history.refused_orders r on r.shard = $1 and r.account_id = $2 and r.cl_ord_id = $3
"""  # noqa: S608 - made of constants

ORDERS: Final = f"""
with {_PROJECTED}, page as (
  select * from history.orders
  where shard = $1 and account_id = $2 and order_id < $3 order by order_id desc limit $4
)
select p.seq, {_ORDER} from projected p left join page o on true order by o.order_id desc
"""  # noqa: S608 - made of constants

ORDERS_OF_MARKET: Final = f"""
with {_PROJECTED}, page as (
  select * from history.orders
  where shard = $1 and account_id = $2 and order_id < $3 and market_id = $5
  order by order_id desc limit $4
)
select p.seq, {_ORDER} from projected p left join page o on true order by o.order_id desc
"""  # noqa: S608 - made of constants


def _events(table: str, condition: str = "") -> str:
    return f"""
with {_PROJECTED}, page as (
  select account_seq, event from history.{table}
  where shard = $1 and account_id = $2 and account_seq < $3 {condition}
  order by account_seq desc limit $4
)
select p.seq, e.event from projected p left join page e on true order by e.account_seq desc
"""  # noqa: S608 - made of constants


FILLS: Final = _events("fills")
FILLS_OF_MARKET: Final = _events("fills", "and market_id = $5")
PREVENTED_MATCHES: Final = _events("prevented_matches")

# Of the events from the place on: the first may have been told already, each other has an entry.
LEDGER: Final = f"""
with {_PROJECTED}, entries as (
  select f.account_seq, e.part, f.seq, f.time_ns, e.asset_id, e.atoms, 0 as kind
  from (
    select * from history.fills where shard = $1 and account_id = $2 and account_seq <= $3
    order by account_seq desc limit $5::bigint + 1
  ) f cross join lateral (values
    (0, f.base_asset_id, f.base_atoms), (1, f.quote_asset_id, f.quote_atoms),
    (2, f.fee_asset_id, f.fee_atoms)
  ) e (part, asset_id, atoms)
  where e.atoms <> 0
  union all (
    select account_seq, 0, seq, time_ns, asset_id, atoms, kind from history.money
    where shard = $1 and account_id = $2 and account_seq <= $3 and atoms <> 0
    order by account_seq desc limit $5::bigint + 1
  )
), page as (
  select * from entries where account_seq < $3 or part > $4
  order by account_seq desc, part limit $5::bigint
)
select p.seq as projected_seq, e.* from projected p left join page e on true
order by e.account_seq desc, e.part
"""  # noqa: S608 - made of constants
