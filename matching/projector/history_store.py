"""Reads where the history stands and writes changes, each transaction with its projected_seq.

The row of progress is locked and compared first, so that changes are written once, whatever became
of an earlier attempt and whoever else projects. Called by the projector only.
"""

from collections.abc import Sequence
from typing import Any

from matching.projector import statements
from matching.projector.fold import Changes, Fold
from matching.projector.ledger import Market
from runtime.postgres import Connection, Database


class HistoryStore:
    """The schema `history` of one shard."""

    def __init__(self, database: Database, shard: int) -> None:
        self._database = database
        self._shard = shard

    async def projected_seq(self) -> int:
        """Last sequence in the history. Raises Unavailable."""
        record = await self._database.read_row(statements.PROJECTED_SEQ, self._shard)
        return int(record[0]) if record is not None else 0

    async def load(self) -> tuple[int, Fold]:
        """The last sequence in the history, and a fold that goes on after it.

        Raises Unavailable, Unknown.
        """
        await self._database.write(statements.START_PROGRESS, self._shard)
        async with self._database.transaction() as connection:
            seq = int(await connection.fetchval(statements.LOCK_PROGRESS, self._shard))
            markets = await connection.fetch(statements.MARKETS, self._shard)
            balances = await connection.fetch(statements.VENUE_BALANCES, self._shard)
        found = [Market(*(int(value) for value in record.values())) for record in markets]
        return seq, Fold(
            self._shard,
            {market.market_id: market for market in found},
            {(account, asset): int(amount) for account, asset, amount in balances},
        )

    async def write(self, after_seq: int, changes: Changes) -> bool:
        """Commits changes that follow `after_seq`; False when the history stands elsewhere.

        Raises Unavailable, Unknown.
        """
        async with self._database.transaction() as connection:
            await connection.execute(statements.PLAN_ONCE)
            if await connection.fetchval(statements.LOCK_PROGRESS, self._shard) != after_seq:
                return False
            await self._append(connection, changes)
            await self._update(connection, changes)
            await connection.execute(statements.SET_PROGRESS, self._shard, changes.projected_seq)
        return True

    async def _append(self, connection: Connection, changes: Changes) -> None:
        """Rows that nothing changes any more, and new orders."""
        shard = (self._shard,)
        appended = {
            "account_index": [shard + row for row in changes.account_index],
            "orders": changes.orders.entered(self._shard),
            "fills": [shard + row for row in changes.fills],
            "prevented_matches": [shard + row for row in changes.prevented_matches],
            "money": [shard + row for row in changes.money],
            "venue_entries": [shard + row for row in changes.venue_entries],
        }
        for table, rows in appended.items():
            if rows:
                await connection.copy_records_to_table(
                    table, schema_name="history", columns=statements.COLUMNS[table], records=rows
                )

    async def _update(self, connection: Connection, changes: Changes) -> None:
        """Rows that may be there already."""
        refusals = [
            (account_id, cl_ord_id, event.SerializeToString())
            for (account_id, cl_ord_id), event in changes.orders.refusals.items()
        ]
        updates: tuple[tuple[str, Sequence[tuple[Any, ...]]], ...] = (
            (statements.UPDATE_ORDERS, changes.orders.updated()),
            (statements.UPSERT_REFUSED_ORDERS, refusals),
        )
        for statement, rows in updates:
            if rows:
                await connection.execute(statement, self._shard, *zip(*rows, strict=True))
        few: tuple[tuple[str, Sequence[tuple[Any, ...]]], ...] = (
            (statements.UPSERT_CANDLE, changes.candles.rows(self._shard)),
            (statements.UPSERT_VENUE_BALANCE, changes.venue_balances),
            (statements.UPSERT_MARKET, [market_row(self._shard, one) for one in changes.markets]),
        )
        for statement, rows in few:
            if rows:
                await connection.executemany(statement, rows)


def market_row(shard: int, market: Market) -> tuple[Any, ...]:
    """A row of history.markets."""
    return (
        shard,
        market.market_id,
        market.base_asset_id,
        market.quote_asset_id,
        market.lot_size_atoms,
        market.tick_value_atoms,
    )
