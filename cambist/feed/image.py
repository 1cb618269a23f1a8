"""The image: a snapshot, then one released row after the other.

The twin of `cambist_kernel.feed.Image`: the same interface, the same bytes. Used by the gateway
when the kernel is not built, and by tests as the other opinion.
"""

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from cambist.feed.accounts import Account
from cambist.feed.book import Book
from cambist.feed.errors import FeedBroken
from cambist.feed.row import Frame
from cambist.feed.row import frames as frames_of
from cambist.internal.journal.v1 import frames_pb2 as frames
from cambist.internal.journal.v1 import snapshot_pb2 as snapshots
from cambist.market_data.v1 import events_pb2 as market_data
from cambist.orders.v1 import enums_pb2 as enums
from cambist.orders.v1 import events_pb2 as events

M = TypeVar("M", bound=Message)
SHARD_BITS = 16


class Image:
    """Books, balances and open orders of one shard after the row with `last_seq`."""

    __slots__ = ("_accounts", "_books", "_last_seq", "_shard")

    def __init__(self, shard: int) -> None:
        self._shard = shard
        self._last_seq = 0
        self._books: dict[int, Book] = {}
        self._accounts: dict[int, Account] = {}

    @property
    def last_seq(self) -> int:
        """The last seq of the last row."""
        return self._last_seq

    @property
    def markets(self) -> list[int]:
        """The markets, ascending."""
        return sorted(self._books)

    def load_snapshot(self, snapshot: bytes) -> None:
        """Forgets everything and starts from a snapshot.

        When it raises FeedBroken the image is as before.
        """
        state = _parse(snapshots.Snapshot, snapshot)
        if state.layout_version != 1:
            raise FeedBroken("MALFORMED")
        if state.shard != self._shard:
            raise FeedBroken("WRONG_SHARD")
        fresh = Image(self._shard)
        fresh._load_money(_parse(snapshots.MoneySection, state.money))
        for account in _parse(snapshots.LimitsSection, state.limits).accounts:
            fresh._account(account.account.account_id).account_seq = account.account_seq
        for book in _parse(snapshots.BooksSection, state.books).books:
            fresh._load_book(book)
        for market in _parse(snapshots.TriggersSection, state.triggers).markets:
            for waiting in market.waiting:
                account_id = waiting.order.account_id
                fresh._account(account_id).add_waiting(market.market_id, waiting)
        for one in fresh._accounts.values():
            one.sort_orders()
        self._books, self._accounts = fresh._books, fresh._accounts
        self._last_seq = state.last_seq

    def _load_money(self, money: snapshots.MoneySection) -> None:
        for row in money.balances:
            balance = row.available_atoms, row.held_atoms, row.in_flight_atoms
            self._account(row.account_id).set_balance(row.asset_id, balance)

    def _load_book(self, state: snapshots.BookState) -> None:
        market_id = state.market.market_id
        book = self._books[market_id] = Book(state.market_seq, state.phase)
        for side, orders in ((enums.SIDE_BUY, state.bids), (enums.SIDE_SELL, state.asks)):
            for order in orders:
                lots = order.shown_lots if order.display_lots else order.leaves_lots
                book.add(order.public_order_id, side, order.price_ticks, lots)
                self._account(order.account_id).add_resting(market_id, side, order)

    def apply(self, first_seq: int, last_seq: int, event_row: bytes) -> None:
        """Applies the next row. Raises FeedBroken with every reason."""
        if first_seq != self._last_seq + 1 or last_seq < first_seq:
            raise FeedBroken("WRONG_SEQ")
        row = frames_of(event_row)
        # Markets are defined by SYSTEM frames, which come last in the directory.
        for frame in row:
            if frame.kind == frames.FRAME_KIND_SYSTEM:
                self._apply_system(frame)
        for frame in row:
            self._apply_frame(frame)
        self._last_seq = last_seq

    def _apply_frame(self, frame: Frame) -> None:
        match frame.kind:
            case frames.FRAME_KIND_PRIVATE:
                for event in _parse(events.PrivateEvents, frame.payload).events:
                    self._account(event.account_id).apply(event)
            case frames.FRAME_KIND_BALANCE:
                for update in _parse(frames.BalanceUpdates, frame.payload).updates:
                    balance = update.available_atoms, update.held_atoms, update.in_flight_atoms
                    self._account(update.account_id).set_balance(update.asset_id, balance)
            case frames.FRAME_KIND_L3:
                book = self._book(frame.key)
                for public in _parse(market_data.L3Events, frame.payload).events:
                    book.apply(public)
            case frames.FRAME_KIND_L2:
                book = self._book(frame.key)
                for delta in _parse(market_data.L2Deltas, frame.payload).deltas:
                    if delta.last_market_seq != book.market_seq:
                        raise FeedBroken("MARKET_GAP")
                    if delta.crc32 != book.crc():
                        raise FeedBroken("CRC_DIFFERS")

    def _apply_system(self, frame: Frame) -> None:
        for event in _parse(frames.SystemEvents, frame.payload).events:
            if event.WhichOneof("event") == "market_defined":
                market_id = event.market_defined.market.market_id
                if market_id >> SHARD_BITS != self._shard:
                    raise FeedBroken("WRONG_SHARD")
                self._books.setdefault(market_id, Book())

    def _account(self, account_id: int) -> Account:
        return self._accounts.setdefault(account_id, Account())

    def _book(self, market_id: int) -> Book:
        if market_id not in self._books:
            raise FeedBroken("UNKNOWN_ORDER")
        return self._books[market_id]

    def bbo(self, market_id: int) -> bytes:
        """BestBidOffers with one quote; empty when there is no such market."""
        book = self._books.get(market_id)
        quotes = [book.bbo()] if book else []
        return market_data.BestBidOffers(quotes=quotes).SerializeToString(deterministic=True)

    def status(self, market_id: int) -> bytes:
        """MarketStatuses with one status; empty when there is no such market."""
        book = self._books.get(market_id)
        status = (
            [market_data.MarketStatus(market_seq=book.market_seq, phase=book.phase)] if book else []
        )
        return market_data.MarketStatuses(statuses=status).SerializeToString(deterministic=True)

    def l2(self, market_id: int, depth: int) -> bytes:
        """L2Deltas with one delta of `depth` levels per side, 0 = all; empty without the market."""
        book = self._books.get(market_id)
        deltas = [book.l2(depth)] if book else []
        return market_data.L2Deltas(deltas=deltas).SerializeToString(deterministic=True)

    def l3(self, market_id: int) -> bytes:
        """L3Events with an ADD per order; empty when there is no such market."""
        book = self._books.get(market_id)
        return book.l3().SerializeToString(deterministic=True) if book else b""

    def market_seq(self, market_id: int) -> int:
        """Last market_seq of a market, 0 when there is no such market."""
        book = self._books.get(market_id)
        return book.market_seq if book else 0

    def crc(self, market_id: int) -> int:
        """CRC of the best levels, 0 when there is no such market."""
        book = self._books.get(market_id)
        return book.crc() if book else 0

    def balances(self, account_id: int) -> bytes:
        """BalanceUpdates of an account; `seq` in them is `last_seq`."""
        account = self._accounts.get(account_id, Account())
        updates = account.balance_updates(account_id, self._last_seq)
        return updates.SerializeToString(deterministic=True)

    def open_orders(self, account_id: int, after_order_id: int, limit: int) -> bytes:
        """PrivateEvents: a NEW report per open order above an id, ascending, at most `limit`.

        In each `seq` is `last_seq` and `account_seq` the last one of the account.
        """
        account = self._accounts.get(account_id, Account())
        return self._told(account_id, account, account.open_orders(after_order_id, limit))

    def order(self, account_id: int, order_id: int) -> bytes:
        """PrivateEvents with the report of one open order, else empty."""
        account = self._accounts.get(account_id, Account())
        order = account.orders.get(order_id)
        return self._told(account_id, account, [] if order is None else [order])

    def _told(
        self, account_id: int, account: Account, orders: list[events.ExecutionReport]
    ) -> bytes:
        return events.PrivateEvents(
            events=[
                events.PrivateEvent(
                    seq=self._last_seq,
                    account_seq=account.account_seq,
                    account_id=account_id,
                    execution_report=order,
                )
                for order in orders
            ]
        ).SerializeToString(deterministic=True)


def _parse(message_type: type[M], payload: bytes) -> M:
    """A message of a row or a snapshot, whose bytes are canonical."""
    try:
        message = message_type.FromString(payload)
    except DecodeError:
        raise FeedBroken("MALFORMED") from None
    if message.SerializeToString(deterministic=True) != payload:
        raise FeedBroken("MALFORMED")
    return message
