"""Event rows for tests of the feed, put together with the protobuf library alone."""

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

from cambist.internal.journal.v1 import frames_pb2 as frames
from cambist.internal.journal.v1 import snapshot_pb2 as snapshots
from cambist.internal.journal.v1 import system_pb2 as system
from cambist.market_data.v1 import events_pb2 as market_data
from cambist.orders.v1 import enums_pb2 as enums
from cambist.orders.v1 import events_pb2 as events

SHARD = 1
MARKET = (SHARD << 16) + 1
ACCOUNTS = (4_096, 4_097)


def event_row(payloads: dict[tuple[int, int], Message]) -> bytes:
    """A row with these containers by (kind, key).

    Numbers of the directory that the image skips are 0.
    """
    directory, body = b"", b""
    for (kind, key), container in sorted(payloads.items()):
        payload = container.SerializeToString(deterministic=True)
        directory += struct.pack("<B3xIQQQII", kind, 1, key, 0, 0, len(body), len(payload))
        body += payload
    return struct.pack("<II", 1, len(payloads)) + directory + body


@dataclass
class Resting:
    """An order of the little venue."""

    account_id: int
    public_order_id: int
    side: enums.Side.ValueType
    price_ticks: int
    quantity_lots: int
    leaves_lots: int


@dataclass
class LittleVenue:
    """One market without matching: enough to make rows whose truth is known."""

    seq: int = 0
    order_id: int = 0
    market_seq: int = 0
    orders: dict[int, Resting] = field(default_factory=dict)
    account_seqs: dict[int, int] = field(default_factory=dict)
    l3: list[market_data.L3Event] = field(default_factory=list)
    private: dict[int, list[events.PrivateEvent]] = field(default_factory=dict)

    def add(self, account: int, side: enums.Side.ValueType, price: int, lots: int) -> None:
        self.order_id += 1
        order = Resting(ACCOUNTS[account], self.order_id, side, price, lots, lots)
        self.orders[self.order_id] = order
        self._tell(self.order_id, enums.EXEC_TYPE_NEW)
        self._publish(order, market_data.L3_ACTION_ADD)

    def cancel(self, which: int) -> None:
        order_id = self._pick(which)
        order = self.orders[order_id]
        self._tell(order_id, enums.EXEC_TYPE_CANCELED)
        self._publish(order, market_data.L3_ACTION_DELETE)
        del self.orders[order_id]

    def execute(self, which: int, lots: int) -> None:
        order_id = self._pick(which)
        order = self.orders[order_id]
        lots = min(lots, order.leaves_lots)
        order.leaves_lots -= lots
        self._tell(order_id, enums.EXEC_TYPE_TRADE)
        self._publish(order, market_data.L3_ACTION_EXECUTE, lots)
        if not order.leaves_lots:
            del self.orders[order_id]

    def shrink(self, which: int, lots: int) -> None:
        order_id = self._pick(which)
        order = self.orders[order_id]
        if lots < order.leaves_lots:
            order.quantity_lots -= order.leaves_lots - lots
            order.leaves_lots = lots
            self._tell(order_id, enums.EXEC_TYPE_REPLACED)
            self._publish(order, market_data.L3_ACTION_MODIFY)

    def _pick(self, which: int) -> int:
        ids = sorted(self.orders)
        return ids[which % len(ids)]

    def _tell(self, order_id: int, exec_type: enums.ExecType.ValueType) -> None:
        order = self.orders[order_id]
        number = self.account_seqs.get(order.account_id, 0) + 1
        self.account_seqs[order.account_id] = number
        is_new = exec_type == enums.EXEC_TYPE_NEW
        report = events.ExecutionReport(
            cl_ord_id=order_id.to_bytes(16, "little"),
            order_id=order_id,
            market_id=MARKET,
            exec_type=exec_type,
            side=order.side,
            price_ticks=order.price_ticks,
            quantity_lots=order.quantity_lots,
            leaves_lots=order.leaves_lots,
            cum_lots=order.quantity_lots - order.leaves_lots,
            public_order_id=order.public_order_id,
            order_type=enums.ORDER_TYPE_LIMIT if is_new else enums.ORDER_TYPE_UNSPECIFIED,
            time_in_force=enums.TIME_IN_FORCE_GTC if is_new else enums.TIME_IN_FORCE_UNSPECIFIED,
        )
        self.private.setdefault(order.account_id, []).append(
            events.PrivateEvent(
                seq=self.seq + 1,
                account_seq=number,
                account_id=order.account_id,
                execution_report=report,
            )
        )

    def _publish(
        self, order: Resting, action: market_data.L3Action.ValueType, lots: int | None = None
    ) -> None:
        self.market_seq += 1
        is_add = action == market_data.L3_ACTION_ADD
        self.l3.append(
            market_data.L3Event(
                market_seq=self.market_seq,
                action=action,
                public_order_id=order.public_order_id,
                side=order.side if is_add else enums.SIDE_UNSPECIFIED,
                price_ticks=order.price_ticks if is_add else 0,
                quantity_lots=order.leaves_lots if lots is None else lots,
            )
        )
        if action == market_data.L3_ACTION_DELETE:
            self.l3[-1].quantity_lots = 0

    def levels(self, side: enums.Side.ValueType) -> list[tuple[int, int, int]]:
        """(price, quantity, orders), best first, recomputed from the orders."""
        found: dict[int, list[int]] = {}
        for order in self.orders.values():
            if order.side == side:
                found.setdefault(order.price_ticks, []).append(order.leaves_lots)
        prices = sorted(found, reverse=side == enums.SIDE_BUY)
        return [(price, sum(found[price]), len(found[price])) for price in prices]

    def crc(self) -> int:
        """CRC32 as section 5 says."""
        best = self.levels(enums.SIDE_BUY)[:10] + self.levels(enums.SIDE_SELL)[:10]
        return zlib.crc32(b"".join(struct.pack("<qq", price, lots) for price, lots, _ in best))

    def take_row(self) -> tuple[int, int, bytes]:
        """(first_seq, last_seq, row) of what happened since the last row."""
        payloads: dict[tuple[int, int], Message] = {
            (frames.FRAME_KIND_PRIVATE, account): events.PrivateEvents(events=told)
            for account, told in self.private.items()
        }
        if self.l3:
            payloads[frames.FRAME_KIND_L3, MARKET] = market_data.L3Events(events=self.l3)
            delta = market_data.L2Delta(last_market_seq=self.market_seq, crc32=self.crc())
            payloads[frames.FRAME_KIND_L2, MARKET] = market_data.L2Deltas(deltas=[delta])
        self.l3, self.private = [], {}
        self.seq += 1
        return self.seq, self.seq, event_row(payloads)

    def snapshot(self) -> bytes:
        """A snapshot of the present state, as far as the image reads it."""
        book = snapshots.BookState(
            market=system.CreateMarket(market_id=MARKET),
            phase=enums.MARKET_PHASE_CONTINUOUS,
            market_seq=self.market_seq,
        )
        for side, rows in ((enums.SIDE_BUY, book.bids), (enums.SIDE_SELL, book.asks)):
            direction = -1 if side == enums.SIDE_BUY else 1
            resting = sorted(
                (direction * order.price_ticks, order_id)
                for order_id, order in self.orders.items()
                if order.side == side
            )
            rows.extend(self._state(order_id) for _, order_id in resting)
        accounts = [
            snapshots.AccountState(
                account=system.CreateAccount(account_id=account), account_seq=number
            )
            for account, number in sorted(self.account_seqs.items())
        ]
        return snapshots.Snapshot(
            layout_version=1,
            shard=SHARD,
            last_seq=self.seq,
            books=snapshots.BooksSection(books=[book]).SerializeToString(),
            limits=snapshots.LimitsSection(accounts=accounts).SerializeToString(),
        ).SerializeToString(deterministic=True)

    def _state(self, order_id: int) -> snapshots.OrderState:
        order = self.orders[order_id]
        return snapshots.OrderState(
            order_id=order_id,
            account_id=order.account_id,
            cl_ord_id=order_id.to_bytes(16, "little"),
            price_ticks=order.price_ticks,
            quantity_lots=order.quantity_lots,
            leaves_lots=order.leaves_lots,
            cum_lots=order.quantity_lots - order.leaves_lots,
            public_order_id=order.public_order_id,
        )


def defining_row() -> tuple[int, int, bytes]:
    """The first row of a shard: it defines the market and puts money into an account."""
    defined = frames.SystemEvent(
        seq=1,
        market_defined=frames.MarketDefined(market=system.CreateMarket(market_id=MARKET)),
    )
    balance = frames.BalanceUpdate(
        seq=1,
        account_id=ACCOUNTS[0],
        asset_id=2,
        available_atoms=(10**12).to_bytes(16, "little"),
        held_atoms=(5).to_bytes(16, "little"),
    )
    return (
        1,
        1,
        event_row(
            {
                (frames.FRAME_KIND_SYSTEM, 0): frames.SystemEvents(events=[defined]),
                (frames.FRAME_KIND_BALANCE, ACCOUNTS[0]): frames.BalanceUpdates(updates=[balance]),
            }
        ),
    )


def opened_venue() -> LittleVenue:
    """A little venue whose first row was `defining_row`."""
    return LittleVenue(seq=1)


def apply_all(image: Any, rows: Iterable[tuple[int, int, bytes]]) -> None:
    """Applies rows to an image of either kind."""
    for first_seq, last_seq, row in rows:
        image.apply(first_seq, last_seq, row)
