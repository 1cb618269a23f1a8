"""What a venue does with one order session, in memory: numbers, ids, rows. No I/O, no matching.

It is written from the contract alone and shares no code with the SDK. `applied` counts how often
each command was carried out: the tests' measure of a duplicate.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from cambist.orders.v1 import commands_pb2, enums_pb2, events_pb2, service_pb2

ORDER, CANCEL = enums_pb2.COMMAND_CLASS_ORDER, enums_pb2.COMMAND_CLASS_CANCEL
ACCOUNT = 4096


@dataclass
class Row:
    last_seq: int
    session_events: list[events_pb2.SessionEvent] = field(default_factory=list)
    private_events: list[events_pb2.PrivateEvent] = field(default_factory=list)
    last: tuple[int, int] = (0, 0)

    def message(self, remaining: int = 0) -> service_pb2.OrderEntrySessionResponse:
        batch = service_pb2.EventBatch(
            first_seq=self.last_seq,
            last_seq=self.last_seq,
            last_order_seq_no=self.last[0],
            last_cancel_seq_no=self.last[1],
            remaining_in_flight=remaining,
        )
        if self.session_events:
            events = events_pb2.SessionEvents(events=self.session_events)
            batch.session_events = events.SerializeToString()
        if self.private_events:
            private = events_pb2.PrivateEvents(events=self.private_events)
            batch.private_events = private.SerializeToString()
        return service_pb2.OrderEntrySessionResponse(events=batch)


@dataclass
class Key:
    body: bytes
    seq: int
    answer: events_pb2.PrivateEvent | None
    sent_time_ns: int = 0


class VenueModel:
    """One session, one account."""

    def __init__(self, *, max_in_flight: int = 64) -> None:
        self.max_in_flight = max_in_flight
        self.seq = 100
        self.connection = 0
        self.last = {ORDER: 0, CANCEL: 0}
        self.rows: list[Row] = []
        self.account_seq = 0
        self.keys: dict[bytes, Key] = {}
        self.open_orders: dict[bytes, int] = {}
        self.applied: Counter[bytes] = Counter()
        self.received: Counter[bytes] = Counter()
        self.stale_floor_ns = -1
        self.oldest_seq = 0
        self.next_order_id = 1
        self.establishes: list[service_pb2.Establish] = []

    # --- the session

    def establish(self, establish: service_pb2.Establish) -> service_pb2.Established:
        self.establishes.append(establish)
        self.connection += 1
        row = self._row()
        opened = events_pb2.SessionOpened(
            last_order_seq_no=self.last[ORDER], last_cancel_seq_no=self.last[CANCEL]
        )
        row.session_events.append(self._session_event(row, opened=opened))
        oldest = self.oldest_seq if 0 < establish.resume_after_seq < self.oldest_seq else 0
        return service_pb2.Established(
            connection=self.connection,
            last_order_seq_no=self.last[ORDER],
            last_cancel_seq_no=self.last[CANCEL],
            max_in_flight=self.max_in_flight,
            batch_commands_max=1000,
            batch_bytes_max=1 << 20,
            seq=row.last_seq,
            oldest_seq=oldest,
        )

    def rows_after(self, seq: int) -> list[Row]:
        return [row for row in self.rows if row.last_seq > seq]

    def open_orders_page(self) -> service_pb2.OpenOrders:
        events = [
            events_pb2.PrivateEvent(
                seq=self.seq,
                account_seq=self.account_seq,
                account_id=ACCOUNT,
                execution_report=events_pb2.ExecutionReport(
                    cl_ord_id=id_, order_id=order_id, exec_type=enums_pb2.EXEC_TYPE_NEW
                ),
            )
            for id_, order_id in self.open_orders.items()
        ]
        private = events_pb2.PrivateEvents(events=events)
        return service_pb2.OpenOrders(
            as_of_seq=self.seq, private_events=private.SerializeToString(), last_page=True
        )

    def forget_session(self) -> None:
        """The engine dropped the idle session: numbers begin anew, ids stay."""
        self.last = {ORDER: 0, CANCEL: 0}

    def forget_rows(self) -> None:
        self.oldest_seq = self.seq + 1

    def forget_keys(self) -> None:
        """Ids leave the window; what was sent until then is stale."""
        closed = [id_ for id_ in self.keys if id_ not in self.open_orders]
        self.stale_floor_ns = max(
            [self.stale_floor_ns, *(self.keys[id_].sent_time_ns for id_ in closed)]
        )
        for id_ in closed:
            del self.keys[id_]

    def batch(self, connection: int, batch: service_pb2.CommandBatch) -> Row:
        """The engine takes a batch, or does not."""
        row = self._row()
        if connection != self.connection:
            return row
        last = self.last[batch.command_class]
        if batch.first_seq_no > last + 1:
            missing = events_pb2.NotApplied(
                command_class=batch.command_class,
                from_seq_no=last + 1,
                count=batch.first_seq_no - last - 1,
            )
            row.session_events.append(self._session_event(row, not_applied=missing))
            return row
        commands = commands_pb2.Commands.FromString(batch.commands).commands
        assert len(commands) == batch.count
        for command in commands:
            self._command(row, command)
        self.last[batch.command_class] = max(last, batch.first_seq_no + batch.count - 1)
        applied = events_pb2.BatchApplied(
            command_class=batch.command_class, first_seq_no=batch.first_seq_no, count=batch.count
        )
        row.session_events.append(self._session_event(row, applied=applied))
        row.last = self.last[ORDER], self.last[CANCEL]
        return row

    # --- commands

    def _command(self, row: Row, command: commands_pb2.Command) -> None:
        kind = command.WhichOneof("command")
        assert kind is not None
        if kind == "resolve":
            self._resolve(row, command.resolve)
            return
        body = getattr(command, kind)
        id_ = body.cl_ord_id if kind == "new_order" else body.request_id
        self.received[id_] += 1
        bare = type(body).FromString(body.SerializeToString())
        if kind in ("cancel", "mass_cancel"):
            bare.after_order_seq_no = 0
        known = self.keys.get(id_)
        if known is not None:
            self._repeat(row, known, bare.SerializeToString(), id_, is_order=kind == "new_order")
            return
        if body.sent_time_ns <= self.stale_floor_ns:
            self._refuse(row, id_, enums_pb2.REJECT_REASON_STALE, is_order=kind == "new_order")
            return
        self.applied[id_] += 1
        answer = getattr(self, f"_{kind}")(row, body)
        self.keys[id_] = Key(bare.SerializeToString(), row.last_seq, answer, body.sent_time_ns)

    def _new_order(self, row: Row, order: commands_pb2.NewOrder) -> events_pb2.PrivateEvent:
        if not order.quantity_lots:
            reason = enums_pb2.REJECT_REASON_INVALID_QUANTITY
            return self._refuse(row, order.cl_ord_id, reason, is_order=True)
        order_id, self.next_order_id = self.next_order_id, self.next_order_id + 1
        self.open_orders[order.cl_ord_id] = order_id
        report = events_pb2.ExecutionReport(
            cl_ord_id=order.cl_ord_id,
            order_id=order_id,
            exec_type=enums_pb2.EXEC_TYPE_NEW,
            side=order.side,
            quantity_lots=order.quantity_lots,
            price_ticks=order.price_ticks,
        )
        answer = self._private(row, execution_report=report)
        if order.time_in_force == enums_pb2.TIME_IN_FORCE_IOC:
            self._close(row, order.cl_ord_id, enums_pb2.CANCEL_REASON_IOC)
        return answer

    def _cancel(self, row: Row, cancel: commands_pb2.Cancel) -> events_pb2.PrivateEvent:
        id_ = cancel.orig_cl_ord_id
        for cl_ord_id, order_id in self.open_orders.items():
            if order_id == cancel.order_id:
                id_ = cl_ord_id
        if id_ in self.open_orders:
            asked = enums_pb2.CANCEL_REASON_REQUESTED
            return self._close(row, id_, asked, cancel.request_id)
        known = self.keys.get(id_)
        if id_ and known is None and cancel.after_order_seq_no > self.last[ORDER]:
            self.keys[id_] = Key(b"burnt", row.last_seq, None, cancel.sent_time_ns)
        reason = (
            enums_pb2.REJECT_REASON_ORDER_CLOSED
            if known is not None and known.answer is not None
            else enums_pb2.REJECT_REASON_UNKNOWN_ORDER
        )
        return self._refuse(row, cancel.request_id, reason, is_order=False)

    def _mass_cancel(self, row: Row, request: commands_pb2.MassCancel) -> events_pb2.PrivateEvent:
        report = events_pb2.MassCancelReport(
            request_id=request.request_id, affected_count=len(self.open_orders)
        )
        answer = self._private(row, mass_cancel_report=report)
        for id_ in list(self.open_orders):
            self._close(row, id_, enums_pb2.CANCEL_REASON_MASS_CANCEL)
        return answer

    def _resolve(self, row: Row, resolve: commands_pb2.Resolve) -> None:
        report = events_pb2.ResolveReport(id=resolve.id)
        known = self.keys.get(resolve.id)
        if known is not None and known.answer is None:
            # Burnt by a cancel that overtook it: as the engine, never applied.
            report.state = enums_pb2.RESOLVE_STATE_NEVER_APPLIED
        elif known is not None:
            is_open = resolve.id in self.open_orders
            report.state = (
                enums_pb2.RESOLVE_STATE_OPEN if is_open else enums_pb2.RESOLVE_STATE_APPLIED
            )
            report.first_answer_seq = known.seq
        elif resolve.sent_time_ns > self.stale_floor_ns:
            self.keys[resolve.id] = Key(b"burnt", row.last_seq, None)
            report.state = enums_pb2.RESOLVE_STATE_NEVER_APPLIED
        else:
            report.state = enums_pb2.RESOLVE_STATE_FORGOTTEN
        self._private(row, resolve_report=report)

    def _repeat(self, row: Row, known: Key, body: bytes, id_: bytes, *, is_order: bool) -> None:
        if known.answer is None:
            self._refuse(row, id_, enums_pb2.REJECT_REASON_BURNT, is_order=is_order)
            return
        assert known.body == body, "the same id came with another body"
        answer = events_pb2.PrivateEvent.FromString(known.answer.SerializeToString())
        kind = answer.WhichOneof("event")
        assert kind is not None
        getattr(answer, kind).repeat = True
        getattr(answer, kind).first_answer_seq = known.seq
        self._private(row, **{kind: getattr(answer, kind)})

    def _close(
        self, row: Row, id_: bytes, reason: int, request_id: bytes = b""
    ) -> events_pb2.PrivateEvent:
        report = events_pb2.ExecutionReport(
            cl_ord_id=id_,
            order_id=self.open_orders.pop(id_),
            request_id=request_id,
            exec_type=enums_pb2.EXEC_TYPE_CANCELED,
            cancel_reason=enums_pb2.CancelReason.ValueType(reason),
        )
        return self._private(row, execution_report=report)

    def _refuse(
        self, row: Row, id_: bytes, reason: enums_pb2.RejectReason.ValueType, *, is_order: bool
    ) -> events_pb2.PrivateEvent:
        if is_order:
            report = events_pb2.ExecutionReport(
                cl_ord_id=id_, exec_type=enums_pb2.EXEC_TYPE_REJECTED, reject_reason=reason
            )
            return self._private(row, execution_report=report)
        reject = events_pb2.CancelReject(request_id=id_, reject_reason=reason)
        return self._private(row, cancel_reject=reject)

    # --- rows

    def _row(self) -> Row:
        self.seq += 1
        row = Row(self.seq, last=(self.last[ORDER], self.last[CANCEL]))
        self.rows.append(row)
        return row

    def _session_event(self, row: Row, **event: object) -> events_pb2.SessionEvent:
        return events_pb2.SessionEvent(
            seq=row.last_seq,
            session_id=1,
            connection=self.connection,
            **event,  # type: ignore[arg-type]
        )

    def _private(self, row: Row, **event: object) -> events_pb2.PrivateEvent:
        self.account_seq += 1
        message = events_pb2.PrivateEvent(
            seq=row.last_seq,
            account_seq=self.account_seq,
            account_id=ACCOUNT,
            **event,  # type: ignore[arg-type]
        )
        row.private_events.append(message)
        return message

    def all_private(self) -> dict[int, events_pb2.PrivateEvent]:
        found: dict[int, events_pb2.PrivateEvent] = defaultdict(events_pb2.PrivateEvent)
        for row in self.rows:
            for event in row.private_events:
                found[event.account_seq] = event
        return found
