"""Questions about the history: one statement each, true up to the sequence that comes with it.

Called by the service. Ids of accounts, orders and events come as the contract has them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from cambist.internal.history.v1 import history_pb2 as pb
from matching.history import statements
from matching.history.description import described
from matching.projector.numbers import BIGINT_LIMIT, bigint
from runtime.postgres import Database

NEWEST: Final = BIGINT_LIMIT - 1
# The last part of a fill, its fee.
PART_MAX: Final = 2


@dataclass(frozen=True, slots=True)
class Page:
    """Serialised PrivateEvents, newest first, as of `projected_seq`."""

    projected_seq: int
    events: list[bytes]
    has_more: bool


@dataclass(frozen=True, slots=True)
class PageQuestion:
    """Which page: events below `before` (0 = from the newest), at most `size`."""

    account_id: int
    before: int
    size: int
    # 0 = all markets.
    market_id: int = 0


class HistoryQueries:
    """Reads the history of one shard."""

    def __init__(self, database: Database, shard: int) -> None:
        self._database = database
        self._shard = shard

    async def order_by_id(self, account_id: int, order_id: int) -> tuple[int, bytes | None]:
        """(projected_seq, the order's last report or None). Raises Unavailable."""
        record = await self._database.read_row(
            statements.ORDER_BY_ID, self._shard, bigint(account_id), bigint(order_id)
        )
        assert record is not None, "projected is one row"
        found = None if record["last_event"] is None else described(record)
        return int(record["seq"]), found

    async def order_by_client_id(
        self, account_id: int, cl_ord_id: bytes
    ) -> tuple[int, bytes | None]:
        """(projected_seq, last report of the newest order with this id, else its refusal or None).

        Raises Unavailable.
        """
        record = await self._database.read_row(
            statements.ORDER_BY_CLIENT_ID, self._shard, bigint(account_id), cl_ord_id
        )
        assert record is not None, "projected is one row"
        found = record["refusal"] if record["last_event"] is None else described(record)
        return int(record["seq"]), found

    async def orders(self, question: PageQuestion) -> Page:
        """Orders, `before` is an order id. Raises Unavailable."""
        return await self._page(
            question,
            statements.ORDERS_OF_MARKET if question.market_id else statements.ORDERS,
            "last_event",
            described,
        )

    async def fills(self, question: PageQuestion) -> Page:
        """Fills, `before` is an account_seq. Raises Unavailable."""
        statement = statements.FILLS_OF_MARKET if question.market_id else statements.FILLS
        return await self._page(question, statement, "event", event_of)

    async def prevented_matches(self, question: PageQuestion) -> Page:
        """Prevented matches, `before` is an account_seq. Raises Unavailable."""
        return await self._page(question, statements.PREVENTED_MATCHES, "event", event_of)

    async def ledger(
        self, account_id: int, after: tuple[int, int], size: int
    ) -> pb.ListLedgerEntriesResponse:
        """Entries after a place: an account_seq (0 = from the newest) and a part of that event.

        Raises Unavailable.
        """
        account_seq, part = after
        records = await self._database.read(
            statements.LEDGER,
            self._shard,
            bigint(account_id),
            min(account_seq or NEWEST, NEWEST),
            min(part, PART_MAX),
            size + 1,
        )
        found = [record for record in records if record["account_seq"] is not None]
        return pb.ListLedgerEntriesResponse(
            projected_seq=records[0]["projected_seq"],
            entries=map(entry_of, found[:size]),
            more=len(found) > size,
        )

    async def _page(
        self,
        question: PageQuestion,
        statement: str,
        required: str,
        make: Callable[[Any], bytes],
    ) -> Page:
        before = min(question.before or NEWEST, NEWEST)
        arguments = [self._shard, bigint(question.account_id), before, question.size + 1]
        if question.market_id:
            arguments.append(question.market_id)
        records = await self._database.read(statement, *arguments)
        # Without rows there is one record, with projected_seq alone.
        found = [record for record in records if record[required] is not None]
        return Page(
            int(records[0]["seq"]),
            [make(record) for record in found[: question.size]],
            has_more=len(found) > question.size,
        )


def event_of(record: Any) -> bytes:
    """The event of a record as it was told."""
    event: bytes = record["event"]
    return event


def entry_of(record: Any) -> pb.LedgerEntry:
    """An entry of the ledger."""
    return pb.LedgerEntry(
        place=pb.LedgerPlace(account_seq=record["account_seq"], part=record["part"]),
        seq=record["seq"],
        time_ns=record["time_ns"],
        asset_id=record["asset_id"],
        amount_atoms=str(int(record["atoms"])),
        money_kind=record["kind"],
    )
