"""One batch under way: what it changes, whom it tells, and the closing of section 3.

Every rule gets the run; it is gone when the batch is done.
"""

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from cambist.internal.journal.v1 import frames_pb2
from cambist.market_data.v1 import events_pb2 as market_events
from cambist.orders.v1 import enums_pb2, events_pb2
from matching.reference import amounts, frames, limits
from matching.reference.frames import Frames
from matching.reference.state import BUY, Market, State, is_firm_account
from matching.reference.types import Balance, Session

TOLD_LOTS_MAX: Final = (1 << 63) - 1
LEVEL: Final = struct.Struct("<qq")


@dataclass(slots=True)
class Run:
    """The context of a batch."""

    state: State
    now_ns: int
    # Sequence and time of receipt of the command under way.
    seq: int
    received_ns: int
    # Of this batch; what the engine knows; of the next batch.
    rules_version: int = 1
    rules_newest: int = 1
    rules_next: int = 1
    work_left: int = 0
    frames: Frames = field(default_factory=Frames)
    # Markets with expired orders left over: they take no orders in this batch.
    late_markets: set[int] = field(default_factory=set)
    # Prices of the trades of the taker under way, and resting orders that takers have touched.
    trade_prices: list[tuple[int, int]] = field(default_factory=list)
    touches: int = 0
    # As they were when the batch first touched them.
    balances_before: dict[tuple[int, int], tuple[int, int, int]] = field(default_factory=dict)
    quotes_before: dict[int, tuple[int, int, int, int]] = field(default_factory=dict)
    levels_before: dict[tuple[int, int, int], tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Work is bounded per batch."""
        self.work_left = limits.WORK_ORDERS_MAX

    # --- changes that are looked back at

    def balance(self, account_id: int, asset_id: int) -> Balance:
        """A row about to be changed."""
        place = account_id, asset_id
        row = self.state.balances.setdefault(place, Balance())
        self.balances_before.setdefault(place, row.row())
        return row

    def touch(self, market: Market, side: int, price_ticks: int) -> None:
        """A level is about to change."""
        self.quotes_before.setdefault(market.market_id, market.quote())
        place = market.market_id, side, price_ticks
        self.levels_before.setdefault(place, market.level_row(side, price_ticks))

    # --- events

    def tell(self, account_id: int, **event: Any) -> None:
        """A private event; the venue's own accounts are told nothing."""
        if not is_firm_account(account_id):
            return
        account = self.state.accounts[account_id]
        account.account_seq += 1
        told = events_pb2.PrivateEvent(
            seq=self.seq,
            account_seq=account.account_seq,
            account_id=account_id,
            received_ns=self.received_ns,
            sequenced_ns=self.now_ns,
            **event,
        )
        self.frames.tell(frames.PRIVATE, account_id, told)

    def tell_session(self, session_id: int, connection: int, seq: int = 0, **event: Any) -> None:
        """An event of a session."""
        told = events_pb2.SessionEvent(
            seq=seq or self.seq, session_id=session_id, connection=connection, **event
        )
        self.frames.tell(frames.SESSION, session_id, told)

    def tell_system(self, **event: Any) -> None:
        """An event of the venue."""
        self.frames.tell(frames.SYSTEM, 0, frames_pb2.SystemEvent(seq=self.seq, **event))

    def tell_l3(self, market: Market, **event: Any) -> int:
        """An event of a book; its number in the market."""
        self.quotes_before.setdefault(market.market_id, market.quote())
        market.market_seq += 1
        told = market_events.L3Event(market_seq=market.market_seq, **event)
        self.frames.tell(frames.L3, market.market_id, told)
        return market.market_seq

    def set_phase(self, market: Market, phase: enums_pb2.MarketPhase.ValueType) -> None:
        """Another phase, told when it is another."""
        if market.phase == phase:
            return
        market.phase = phase
        seq = self.tell_l3(market, action=market_events.L3_ACTION_PHASE, phase=phase)
        status = market_events.MarketStatus(market_seq=seq, phase=phase)
        self.frames.tell(frames.STATUS, market.market_id, status)

    # --- closing

    def close(self, last_seq: int) -> bytes:
        """L2, best prices, balances; the event row."""
        for market_id in sorted(self.quotes_before):
            self._close_market(self.state.markets[market_id])
        for account_id, asset_id in sorted(self.balances_before):
            place = account_id, asset_id
            row = self.state.balances[place]
            if row.row() != self.balances_before[place]:
                update = frames_pb2.BalanceUpdate(
                    seq=last_seq,
                    account_id=account_id,
                    asset_id=asset_id,
                    available_atoms=amounts.to_bytes(row.available),
                    held_atoms=amounts.to_bytes(row.held),
                    in_flight_atoms=amounts.to_bytes(row.in_flight),
                )
                self.frames.tell(frames.BALANCE, account_id, update)
        return self.frames.row(numbers_of(self.state.sessions.items()))

    def _close_market(self, market: Market) -> None:
        if market.market_seq == market.last_l2_market_seq:
            return
        changed: dict[int, list[market_events.L2Level]] = {1: [], 2: []}
        for side in (1, 2):
            touched = [
                price
                for market_id, touched_side, price in self.levels_before
                if market_id == market.market_id and touched_side == side
            ]
            for price in sorted(touched, reverse=side == BUY):
                quantity, count = row = market.level_row(side, price)
                if row != self.levels_before[market.market_id, side, price]:
                    level = market_events.L2Level(
                        price_ticks=price, quantity_lots=told(quantity), order_count=count
                    )
                    changed[side].append(level)
        delta = market_events.L2Delta(
            first_market_seq=market.last_l2_market_seq + 1,
            last_market_seq=market.market_seq,
            prev_market_seq=market.last_l2_market_seq,
            bids=changed[1],
            asks=changed[2],
            crc32=crc_of(market),
        )
        self.frames.tell(frames.L2, market.market_id, delta)
        market.last_l2_market_seq = market.market_seq
        quote = market.quote()
        if quote != self.quotes_before[market.market_id]:
            bbo = market_events.BestBidOffer(
                market_seq=market.market_seq,
                bid_price_ticks=quote[0],
                bid_lots=told(quote[1]),
                ask_price_ticks=quote[2],
                ask_lots=told(quote[3]),
            )
            self.frames.tell(frames.BBO, market.market_id, bbo)


def told(lots: int) -> int:
    """A level's quantity as a 64-bit field can hold it."""
    return min(lots, TOLD_LOTS_MAX)


def crc_of(market: Market) -> int:
    """Checksum over the best levels: bids, then asks."""
    data = b"".join(
        LEVEL.pack(price, told(market.level_row(side, price)[0]))
        for side in (1, 2)
        for price in market.best_first(side)[: limits.CRC_LEVELS]
    )
    return zlib.crc32(data)


def numbers_of(sessions: Iterable[tuple[int, Session]]) -> dict[int, tuple[int, int]]:
    """Last numbers of sessions."""
    return {
        session_id: (session.last_order_seq_no, session.last_cancel_seq_no)
        for session_id, session in sessions
    }
