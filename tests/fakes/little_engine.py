"""A tiny engine with the face of the real ones, for tests of the gateway alone.

It numbers, keeps sessions and rests orders; it never matches. It knows sessions, NewOrder,
Cancel, Resolve, Transfer, and definitions. Tests that need trades use the reference engine.
"""

import struct
import zlib
from collections import defaultdict
from dataclasses import dataclass, field

from google.protobuf.message import Message

from cambist.internal.journal.v1 import batch_pb2, frames_pb2, system_pb2
from cambist.market_data.v1 import events_pb2 as market_pb2
from cambist.orders.v1 import commands_pb2, enums_pb2, events_pb2

RECORD = struct.Struct("<B3xIQQQII")
ORDER, CANCEL = enums_pb2.COMMAND_CLASS_ORDER, enums_pb2.COMMAND_CLASS_CANCEL
UNARY, SYSTEM = enums_pb2.COMMAND_CLASS_UNARY, enums_pb2.COMMAND_CLASS_SYSTEM
KIND = {
    "session": (frames_pb2.FRAME_KIND_SESSION, events_pb2.SessionEvents),
    "private": (frames_pb2.FRAME_KIND_PRIVATE, events_pb2.PrivateEvents),
    "balance": (frames_pb2.FRAME_KIND_BALANCE, frames_pb2.BalanceUpdates),
    "l3": (frames_pb2.FRAME_KIND_L3, market_pb2.L3Events),
    "trades": (frames_pb2.FRAME_KIND_TRADES, market_pb2.Trades),
    "l2": (frames_pb2.FRAME_KIND_L2, market_pb2.L2Deltas),
    "bbo": (frames_pb2.FRAME_KIND_BBO, market_pb2.BestBidOffers),
    "status": (frames_pb2.FRAME_KIND_STATUS, market_pb2.MarketStatuses),
    "system": (frames_pb2.FRAME_KIND_SYSTEM, frames_pb2.SystemEvents),
}


@dataclass
class Session:
    """One session."""

    established: system_pb2.SessionEstablished
    connection: int = 0
    is_connected: bool = False
    last: dict[int, int] = field(default_factory=lambda: {ORDER: 0, CANCEL: 0})


@dataclass
class Book:
    """One market; orders never trade."""

    market: system_pb2.CreateMarket
    market_seq: int = 0
    l2_seq: int = 0
    next_public_id: int = 1
    orders: dict[int, commands_pb2.NewOrder] = field(default_factory=dict)
    public_ids: dict[int, int] = field(default_factory=dict)

    def levels(self, side: int) -> list[tuple[int, int, int]]:
        totals: dict[int, list[int]] = defaultdict(lambda: [0, 0])
        for order in self.orders.values():
            if order.side == side:
                totals[order.price_ticks][0] += order.quantity_lots
                totals[order.price_ticks][1] += 1
        best_first = sorted(totals, reverse=side == enums_pb2.SIDE_BUY)
        return [(price, *totals[price]) for price in best_first]


class LittleEngine:
    """`apply(batch) -> event row`, and `last_seq`."""

    engine_name = "little"

    def __init__(self, shard: int) -> None:
        self.shard = shard
        self.last_seq = 0
        self.time_ns = 0
        self.sessions: dict[int, Session] = {}
        self.accounts: dict[int, int] = {}
        self.account_seqs: dict[int, int] = defaultdict(int)
        self.books: dict[int, Book] = {}
        self.orders: dict[int, tuple[int, commands_pb2.NewOrder]] = {}
        self.keys: dict[tuple[int, bytes], tuple[bytes, int, events_pb2.PrivateEvent]] = {}
        self.balances: dict[tuple[int, int], int] = defaultdict(int)
        self.next_order_id = 1

    def apply(self, data: bytes) -> bytes:
        batch = batch_pb2.Batch.FromString(data)
        assert batch.first_seq == self.last_seq + 1
        self.now, self.seq = batch.time_ns, batch.first_seq
        self.frames: dict[tuple[str, int], list[Message]] = defaultdict(list)
        self.touched_balances: set[tuple[int, int]] = set()
        before = {market_id: self.levels_of(market_id) for market_id in self.books}
        for envelope in batch.envelopes:
            self.take(envelope)
        self.last_seq = self.seq - 1
        self.time_ns = batch.time_ns
        for market_id, book in self.books.items():
            if book.market_seq != book.l2_seq:
                self.close_market(market_id, book, before.get(market_id, ({}, {})))
        for account_id, asset_id in sorted(self.touched_balances):
            update = frames_pb2.BalanceUpdate(
                seq=self.last_seq,
                account_id=account_id,
                asset_id=asset_id,
                available_atoms=atoms(self.balances[account_id, asset_id]),
            )
            self.frames["balance", account_id].append(update)
        return self.row()

    def levels_of(self, market_id: int) -> tuple[dict, dict]:
        book = self.books[market_id]
        return tuple(
            {price: (lots, count) for price, lots, count in book.levels(side)} for side in (1, 2)
        )

    def close_market(self, market_id: int, book: Book, before: tuple[dict, dict]) -> None:
        after = self.levels_of(market_id)
        changed = [
            [
                market_pb2.L2Level(
                    price_ticks=price,
                    quantity_lots=after[side].get(price, (0, 0))[0],
                    order_count=after[side].get(price, (0, 0))[1],
                )
                for price in sorted({*before[side], *after[side]}, reverse=side == 0)
                if before[side].get(price) != after[side].get(price)
            ]
            for side in (0, 1)
        ]
        top = [*book.levels(1)[:10], *book.levels(2)[:10]]
        crc = zlib.crc32(b"".join(struct.pack("<qq", price, lots) for price, lots, _ in top))
        delta = market_pb2.L2Delta(
            first_market_seq=book.l2_seq + 1,
            last_market_seq=book.market_seq,
            prev_market_seq=book.l2_seq,
            bids=changed[0],
            asks=changed[1],
            crc32=crc,
        )
        book.l2_seq = book.market_seq
        self.frames["l2", market_id].append(delta)
        quote = market_pb2.BestBidOffer(market_seq=book.market_seq)
        for price, lots, _ in book.levels(1)[:1]:
            quote.bid_price_ticks, quote.bid_lots = price, lots
        for price, lots, _ in book.levels(2)[:1]:
            quote.ask_price_ticks, quote.ask_lots = price, lots
        self.frames["bbo", market_id].append(quote)

    def row(self) -> bytes:
        directory, body = b"", b""
        for (name, key), events in sorted(
            self.frames.items(), key=lambda item: (KIND[item[0][0]][0], item[0][1])
        ):
            kind, container = KIND[name]
            payload = b"".join(
                container(**{container.DESCRIPTOR.fields[0].name: [event]}).SerializeToString()
                for event in events
            )
            first, last = self.bounds(name, key, events)
            directory += RECORD.pack(kind, len(events), key, first, last, len(body), len(payload))
            body += payload
        return struct.pack("<II", 1, len(self.frames)) + directory + body

    def bounds(self, name: str, key: int, events: list) -> tuple[int, int]:
        if name == "session":
            session = self.sessions.get(key)
            return (session.last[ORDER], session.last[CANCEL]) if session else (0, 0)
        if name == "private":
            return events[0].account_seq, events[-1].account_seq
        if name == "balance":
            return self.last_seq, self.last_seq
        if name == "system":
            return events[0].seq, events[-1].seq
        if name == "l2":
            return events[0].first_market_seq, events[-1].last_market_seq
        return events[0].market_seq, events[-1].market_seq

    def take(self, envelope: batch_pb2.Envelope) -> None:
        self.envelope = envelope
        if envelope.command_class == SYSTEM:
            body = system_pb2.SystemCommands.FromString(envelope.system_commands)
            for index, command in enumerate(body.commands):
                self.system(index, command)
                self.seq += 1
            return
        commands = commands_pb2.Commands.FromString(envelope.commands).commands
        if envelope.command_class == UNARY:
            self.command(commands[0], None, 0)
            self.seq += 1
            return
        session = self.sessions.get(envelope.session_id)
        reason = 0
        if session is None:
            reason = enums_pb2.REJECT_REASON_UNKNOWN_SESSION
        elif not session.is_connected or session.connection != envelope.connection:
            reason = enums_pb2.REJECT_REASON_OLD_CONNECTION
        gap = (
            session is not None and envelope.first_seq_no > session.last[envelope.command_class] + 1
        )
        if reason or gap:
            not_applied = events_pb2.NotApplied(command_class=envelope.command_class, reason=reason)
            if not reason:
                last = session.last[envelope.command_class]
                not_applied.from_seq_no = last + 1
                not_applied.count = envelope.first_seq_no - last - 1
            self.session_event(envelope.session_id, session, not_applied=not_applied)
            self.seq += len(commands)
            return
        for index, command in enumerate(commands):
            self.command(command, session, envelope.first_seq_no + index)
            self.seq += 1
        end = envelope.first_seq_no + len(commands) - 1
        session.last[envelope.command_class] = max(session.last[envelope.command_class], end)
        applied = events_pb2.BatchApplied(
            command_class=envelope.command_class,
            first_seq_no=envelope.first_seq_no,
            count=len(commands),
        )
        self.session_event(envelope.session_id, session, applied=applied)

    def session_event(self, session_id: int, session: Session | None, **event) -> None:
        self.frames["session", session_id].append(
            events_pb2.SessionEvent(
                seq=self.seq,
                session_id=session_id,
                connection=session.connection if session else 0,
                **event,
            )
        )

    def system_event(self, **event) -> None:
        self.frames["system", 0].append(frames_pb2.SystemEvent(seq=self.seq, **event))

    def system(self, index: int, command: system_pb2.SystemCommand) -> None:
        kind = command.WhichOneof("command")
        reason = 0
        if kind == "session_established":
            for account_id in command.session_established.account_ids:
                if account_id not in self.accounts:
                    reason = enums_pb2.REJECT_REASON_UNKNOWN_ACCOUNT
        answer = frames_pb2.SystemAnswer(
            correlation=self.envelope.correlation, index=index, reason=reason
        )
        self.system_event(answer=answer)
        if reason:
            return
        body = getattr(command, kind)
        handler = getattr(self, f"on_{kind}", None)
        if handler is not None:
            handler(body)

    def on_create_asset(self, asset: system_pb2.CreateAsset) -> None:
        self.system_event(asset_created=asset)

    def on_create_market(self, market: system_pb2.CreateMarket) -> None:
        self.books[market.market_id] = Book(market)
        defined = frames_pb2.MarketDefined(market=market, tick_value_atoms=1)
        self.system_event(market_defined=defined)

    def on_create_account(self, account: system_pb2.CreateAccount) -> None:
        self.accounts[account.account_id] = account.firm_id
        self.system_event(account_created=account)

    def on_set_phase(self, change: system_pb2.SetPhase) -> None:
        book = self.books[change.market_id]
        book.market_seq += 1
        event = market_pb2.L3Event(
            market_seq=book.market_seq, action=market_pb2.L3_ACTION_PHASE, phase=change.phase
        )
        self.frames["l3", change.market_id].append(event)
        status = market_pb2.MarketStatus(market_seq=book.market_seq, phase=change.phase)
        self.frames["status", change.market_id].append(status)

    def on_credit(self, credit: system_pb2.Credit) -> None:
        self.balances[credit.account_id, credit.asset_id] += amount(credit.amount_atoms)
        self.touched_balances.add((credit.account_id, credit.asset_id))
        report = events_pb2.MoneyReport(
            kind=events_pb2.MONEY_KIND_CREDIT,
            id=credit.deposit_id,
            asset_id=credit.asset_id,
            amount_atoms=credit.amount_atoms,
        )
        self.private(credit.account_id, money_report=report)

    def on_session_established(self, command: system_pb2.SessionEstablished) -> None:
        session = self.sessions.setdefault(command.session_id, Session(command))
        session.established = command
        session.connection += 1
        session.is_connected = True
        opened = events_pb2.SessionOpened(
            correlation=command.correlation,
            last_order_seq_no=session.last[ORDER],
            last_cancel_seq_no=session.last[CANCEL],
        )
        self.session_event(command.session_id, session, opened=opened)

    def on_session_lost(self, command: system_pb2.SessionLost) -> None:
        session = self.sessions.get(command.session_id)
        if session and session.is_connected and session.connection == command.connection:
            session.is_connected = False
            self.session_event(command.session_id, session, dropped=events_pb2.SessionDropped())

    def on_session_ended(self, command: system_pb2.SessionEnded) -> None:
        session = self.sessions.get(command.session_id)
        if session and command.connection in (0, session.connection):
            over = events_pb2.SessionOver(by_client=command.connection != 0)
            self.session_event(command.session_id, session, over=over)
            del self.sessions[command.session_id]

    def on_gateway_lost(self, command: system_pb2.GatewayLost) -> None:
        for session_id, session in sorted(self.sessions.items()):
            if session.is_connected and session.established.link_id == command.link_id:
                session.is_connected = False
                self.session_event(session_id, session, dropped=events_pb2.SessionDropped())

    def private(self, account_id: int, **event) -> events_pb2.PrivateEvent:
        self.account_seqs[account_id] += 1
        private = events_pb2.PrivateEvent(
            seq=self.seq,
            account_seq=self.account_seqs[account_id],
            account_id=account_id,
            received_ns=self.envelope.received_ns,
            sequenced_ns=self.now,
            **event,
        )
        self.frames["private", account_id].append(private)
        return private

    def command(self, command: commands_pb2.Command, session: Session | None, seq_no: int) -> None:
        kind = command.WhichOneof("command")
        body = getattr(command, kind)
        if body.account_id not in self.accounts:
            reason = enums_pb2.REJECT_REASON_UNKNOWN_ACCOUNT
        elif session is not None and body.account_id not in session.established.account_ids:
            reason = enums_pb2.REJECT_REASON_ACCOUNT_NOT_PERMITTED
        else:
            getattr(self, f"do_{kind}")(body)
            return
        identifier = getattr(body, "cl_ord_id", b"") or getattr(body, "request_id", b"")
        if session is None:
            answer = frames_pb2.SystemAnswer(correlation=self.envelope.correlation, reason=reason)
            self.system_event(answer=answer)
            return
        refused = events_pb2.CommandRefused(
            command_class=self.envelope.command_class,
            seq_no=seq_no,
            id=identifier,
            reason=reason,
        )
        self.session_event(self.envelope.session_id, session, refused=refused)

    def do_new_order(self, order: commands_pb2.NewOrder) -> None:
        report = events_pb2.ExecutionReport(
            cl_ord_id=order.cl_ord_id,
            market_id=order.market_id,
            exec_type=enums_pb2.EXEC_TYPE_NEW,
            side=order.side,
            price_ticks=order.price_ticks,
            quantity_lots=order.quantity_lots,
            order_type=order.order_type,
            time_in_force=order.time_in_force,
            tag=order.tag,
        )
        key = order.account_id, order.cl_ord_id
        body = order.SerializeToString(deterministic=True)
        if key in self.keys:
            known_body, order_id, first = self.keys[key]
            if known_body == body:
                report.order_id = order_id
                report.repeat = True
                report.first_answer_seq = first.seq
            else:
                report = self.reject(order, enums_pb2.REJECT_REASON_ID_REUSED)
            self.private(order.account_id, execution_report=report)
            return
        reason = self.judge(order)
        if reason:
            report = self.reject(order, reason)
        else:
            book = self.books[order.market_id]
            report.order_id = self.next_order_id
            report.leaves_lots = order.quantity_lots
            report.public_order_id = book.next_public_id
            self.next_order_id += 1
            book.next_public_id += 1
        answer = self.private(order.account_id, execution_report=report)
        if reason != enums_pb2.REJECT_REASON_STALE:
            self.keys[key] = body, report.order_id, answer
        if not reason:
            self.rest(order, report)

    def judge(self, order: commands_pb2.NewOrder) -> int:
        if order.market_id >> 16 != self.shard:
            return enums_pb2.REJECT_REASON_WRONG_SHARD
        if order.market_id not in self.books:
            return enums_pb2.REJECT_REASON_UNKNOWN_MARKET
        if order.sent_time_ns < self.now - 600 * 10**9:
            return enums_pb2.REJECT_REASON_STALE
        if order.sent_time_ns > self.now + 5 * 10**9:
            return enums_pb2.REJECT_REASON_SENT_TIME_AHEAD
        if not 1 <= order.price_ticks <= 2**53:
            return enums_pb2.REJECT_REASON_INVALID_PRICE
        if not 1 <= order.quantity_lots <= 2**53:
            return enums_pb2.REJECT_REASON_INVALID_QUANTITY
        return 0

    def reject(self, order: commands_pb2.NewOrder, reason: int) -> events_pb2.ExecutionReport:
        return events_pb2.ExecutionReport(
            cl_ord_id=order.cl_ord_id,
            market_id=order.market_id,
            exec_type=enums_pb2.EXEC_TYPE_REJECTED,
            side=order.side,
            reject_reason=reason,
        )

    def rest(self, order: commands_pb2.NewOrder, report: events_pb2.ExecutionReport) -> None:
        book = self.books[order.market_id]
        self.orders[report.order_id] = order.account_id, order
        book.orders[report.order_id] = order
        book.public_ids[report.order_id] = report.public_order_id
        book.market_seq += 1
        event = market_pb2.L3Event(
            market_seq=book.market_seq,
            action=market_pb2.L3_ACTION_ADD,
            public_order_id=report.public_order_id,
            side=order.side,
            price_ticks=order.price_ticks,
            quantity_lots=order.quantity_lots,
        )
        self.frames["l3", order.market_id].append(event)

    def do_cancel(self, cancel: commands_pb2.Cancel) -> None:
        order_id = cancel.order_id
        if cancel.orig_cl_ord_id:
            order_id = self.keys.get((cancel.account_id, cancel.orig_cl_ord_id), (0, 0, 0))[1]
        owner, order = self.orders.get(order_id, (0, None))
        if order is None or owner != cancel.account_id:
            rejected = events_pb2.CancelReject(
                request_id=cancel.request_id,
                orig_cl_ord_id=cancel.orig_cl_ord_id,
                order_id=cancel.order_id,
                reject_reason=enums_pb2.REJECT_REASON_UNKNOWN_ORDER,
            )
            self.private(cancel.account_id, cancel_reject=rejected)
            return
        report = events_pb2.ExecutionReport(
            cl_ord_id=order.cl_ord_id,
            request_id=cancel.request_id,
            order_id=order_id,
            market_id=order.market_id,
            exec_type=enums_pb2.EXEC_TYPE_CANCELED,
            side=order.side,
            quantity_lots=order.quantity_lots,
            cancel_reason=enums_pb2.CANCEL_REASON_REQUESTED,
        )
        self.private(cancel.account_id, execution_report=report)
        book = self.books[order.market_id]
        del self.orders[order_id], book.orders[order_id]
        book.market_seq += 1
        event = market_pb2.L3Event(
            market_seq=book.market_seq,
            action=market_pb2.L3_ACTION_DELETE,
            public_order_id=book.public_ids.pop(order_id),
        )
        self.frames["l3", order.market_id].append(event)

    def do_resolve(self, resolve: commands_pb2.Resolve) -> None:
        known = self.keys.get((resolve.account_id, resolve.id))
        state = enums_pb2.RESOLVE_STATE_APPLIED if known else enums_pb2.RESOLVE_STATE_NEVER_APPLIED
        report = events_pb2.ResolveReport(
            id=resolve.id, state=state, order_id=known[1] if known else 0
        )
        self.private(resolve.account_id, resolve_report=report)

    def do_transfer(self, transfer: commands_pb2.Transfer) -> None:
        payer = transfer.account_id, transfer.asset_id
        report = events_pb2.MoneyReport(
            kind=events_pb2.MONEY_KIND_TRANSFER_OUT,
            id=transfer.request_id,
            asset_id=transfer.asset_id,
            amount_atoms=transfer.amount_atoms,
        )
        if self.balances[payer] < amount(transfer.amount_atoms):
            report.reject_reason = enums_pb2.REJECT_REASON_INSUFFICIENT_FUNDS
            self.private(transfer.account_id, money_report=report)
            return
        receiver = transfer.to_account_id, transfer.asset_id
        self.balances[payer] -= amount(transfer.amount_atoms)
        self.balances[receiver] += amount(transfer.amount_atoms)
        self.touched_balances |= {payer, receiver}
        self.private(transfer.account_id, money_report=report)
        report.kind = events_pb2.MONEY_KIND_TRANSFER_IN
        self.private(transfer.to_account_id, money_report=report)


def amount(value: bytes) -> int:
    """An amount from its bytes."""
    return int.from_bytes(value, "little", signed=True)


def atoms(value: int) -> bytes:
    """Sixteen bytes of an amount; zero is absent."""
    return value.to_bytes(16, "little", signed=True) if value else b""
