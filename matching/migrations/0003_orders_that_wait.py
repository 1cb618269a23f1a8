"""What orders were sent with besides: triggers of those that wait, and what icebergs show."""

from runtime.migrations import run_sql

revision = "0003_orders_that_wait"
down_revision = "0002_history"

UP = """
alter table history.orders
    add column trigger_price_ticks bigint not null default 0,
    add column trailing_offset_ticks bigint not null default 0,
    add column trailing_offset_ppm bigint not null default 0,
    add column display_lots bigint not null default 0;
comment on column history.orders.display_lots is 'What an iceberg shows at a time; 0 = all';
"""


def upgrade() -> None:
    """Adds the columns."""
    run_sql(UP)
