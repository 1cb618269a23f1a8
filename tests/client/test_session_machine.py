"""A state machine over the session's core and a model of the venue, joined by two lossy wires.

Whatever is cut, lost, repeated, refused or forgotten: no command is carried out twice, every
command gets an outcome, every event is told once and in order.
"""

import asyncio
import itertools
from collections import Counter, deque

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cambist.client import commands
from cambist.client.answers import Answers
from cambist.client.commands import NewOrder, Request, Target
from cambist.client.core import ConnectionFault
from cambist.client.enums import Side, TimeInForce
from cambist.client.errors import Unknown
from cambist.client.events import Answer, Event, EventsMissed
from cambist.orders.v1 import service_pb2
from tests.fakes.venue_model import ACCOUNT, VenueModel

Response = service_pb2.OrderEntrySessionResponse


class SessionMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.events: list[Event] = []
        self.core = Answers(self.events.append, batch_commands=4)
        self.venue = VenueModel(max_in_flight=16)
        self.to_venue: deque[service_pb2.CommandBatch] = deque()
        self.to_client: deque[Response] = deque()
        self.sent: list[tuple[Request, asyncio.Future[Answer]]] = []
        self.ids = (number.to_bytes(16, "big") for number in itertools.count(1))
        self.now_ns = 1_000
        self.is_connected = False
        self.has_forgotten_keys = False
        self.has_forgotten_rows = False

    @initialize()
    def first_connection(self) -> None:
        self.connect()

    # --- the client

    def _submit(self, request: Request) -> None:
        future = self.core.submit(request, self.loop.create_future())
        self.sent.append((request, future))

    @rule(
        count=st.integers(1, 6),
        lots=st.sampled_from([0, 1, 5]),
        is_ioc=st.booleans(),
    )
    def submit_orders(self, count: int, lots: int, is_ioc: bool) -> None:
        for _ in range(count):
            self.now_ns += 1
            order = NewOrder(
                ACCOUNT,
                65537,
                Side.BUY,
                lots,
                100,
                time_in_force=TimeInForce.IOC if is_ioc else TimeInForce.GTC,
            )
            self._submit(commands.new_order(order, next(self.ids), self.now_ns))

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def submit_cancel(self, data: st.DataObject) -> None:
        orders = [request for request, _ in self.sent if request.kind == "new_order"]
        if orders:
            self.now_ns += 1
            target = Target(ACCOUNT, cl_ord_id=data.draw(st.sampled_from(orders)).id)
            self._submit(commands.cancel(target, next(self.ids), self.now_ns))

    @rule()
    def submit_mass_cancel(self) -> None:
        self.now_ns += 1
        self._submit(commands.mass_cancel(ACCOUNT, next(self.ids), self.now_ns))

    @rule()
    def submit_again(self) -> None:
        for request, future in self.sent:
            if not future.done():
                assert self.core.submit(request, self.loop.create_future()) is future
                return

    # --- the wires

    @precondition(lambda self: self.is_connected)
    @rule(batches=st.integers(1, 4))
    def send(self, batches: int) -> None:
        for _ in range(batches):
            message = self.core.next_message(self.now_ns)
            if message is None:
                return
            request = service_pb2.OrderEntrySessionRequest.FromString(message)
            self.to_venue.append(request.batch)

    @precondition(lambda self: self.to_venue and self.is_connected)
    @rule(outcome=st.sampled_from(["taken"] * 6 + ["rate", "credit", "too large"]))
    def venue_takes(self, outcome: str) -> None:
        batch = self.to_venue.popleft()
        if outcome == "taken":
            row = self.venue.batch(self.venue.connection, batch)
            self.to_client.append(row.message())
            return
        if outcome == "too large" and batch.count == 1:
            outcome = "rate"
        reasons = {
            "rate": "RATE_LIMITED",
            "credit": "CREDIT_EXCEEDED",
            "too large": "BATCH_TOO_LARGE",
        }
        refused = service_pb2.BatchRefused(
            command_class=batch.command_class,
            first_seq_no=batch.first_seq_no,
            count=batch.count,
            reason=reasons[outcome],
            retry_after_ms=0 if outcome == "too large" else 1,
        )
        self.to_client.append(Response(batch_refused=refused))

    @precondition(lambda self: self.to_client)
    @rule(messages=st.integers(1, 4))
    def hear(self, messages: int) -> None:
        for _ in range(min(messages, len(self.to_client))):
            self._hear(self.to_client.popleft())

    @precondition(lambda self: self.is_connected)
    @rule()
    def hear_heartbeat(self) -> None:
        sequence = service_pb2.Sequence(last_seq=self.venue.seq)
        self.to_client.append(Response(sequence=sequence))

    def _hear(self, response: Response) -> None:
        self.now_ns += 2_000_000
        try:
            match response.WhichOneof("response"):
                case "events":
                    self.core.events(response.events)
                case "batch_refused":
                    self.core.batch_refused(response.batch_refused, self.now_ns)
                case "open_orders":
                    self.core.open_orders(response.open_orders)
                case "sequence":
                    self.core.sequence(response.sequence)
        except ConnectionFault:
            self.cut(taken_by_venue=0)
            self.connect()

    @precondition(lambda self: self.is_connected)
    @rule(taken_by_venue=st.integers(0, 3))
    def cut(self, taken_by_venue: int) -> None:
        """The connection is lost; some batches still arrived, no answer will."""
        for _ in range(min(taken_by_venue, len(self.to_venue))):
            self.venue.batch(self.venue.connection, self.to_venue.popleft())
        self.to_venue.clear()
        self.to_client.clear()
        self.core.lost()
        self.is_connected = False

    @precondition(lambda self: not self.is_connected)
    @rule(repeats=st.integers(0, 3))
    def connect(self, repeats: int = 0) -> None:
        """Another connection; rows around the resume point may come twice."""
        resume = self.core.last_seq
        establish = service_pb2.Establish(session_id=1, resume_after_seq=resume)
        established = self.venue.establish(establish)
        self.core.opened(established)
        if established.oldest_seq:
            page = self.venue.open_orders_page()
            self.to_client.append(Response(open_orders=page))
            resume = page.as_of_seq
        else:
            resume = (resume or established.seq) - repeats
        for row in self.venue.rows_after(resume):
            if row.last_seq >= self.venue.oldest_seq:
                self.to_client.append(row.message())
        self.is_connected = True

    # --- what the venue forgets

    @precondition(lambda self: not self.is_connected)
    @rule()
    def forget_session(self) -> None:
        self.venue.forget_session()

    @precondition(lambda self: not self.is_connected)
    @rule()
    def forget_rows(self) -> None:
        self.venue.forget_rows()
        self.has_forgotten_rows = True

    @precondition(lambda self: not self.is_connected)
    @rule()
    def forget_keys(self) -> None:
        self.venue.forget_keys()
        self.has_forgotten_keys = True

    # --- what must hold

    @invariant()
    def nothing_is_carried_out_twice(self) -> None:
        assert not [id_ for id_, count in self.venue.applied.items() if count > 1]

    @invariant()
    def credit_is_kept(self) -> None:
        assert self.core.lanes.in_flight <= self.venue.max_in_flight

    def teardown(self) -> None:
        try:
            self._settle_everything()
        finally:
            self.loop.close()

    def _settle_everything(self) -> None:
        """With honest wires everything gets its outcome."""
        for _ in range(200):
            if not self.is_connected:
                self.connect()
            self.now_ns += 10_000_000
            self.send(4)
            while self.to_venue:
                row = self.venue.batch(self.venue.connection, self.to_venue.popleft())
                self.to_client.append(row.message())
            while self.to_client:
                self._hear(self.to_client.popleft())
            if not self.core.pending and self.core.lanes.is_idle:
                break
        open_futures = [request for request, future in self.sent if not future.done()]
        assert not open_futures
        self._check_outcomes()
        self._check_events()

    def _check_outcomes(self) -> None:
        for request, future in self.sent:
            error = future.exception()
            if error is not None:
                assert isinstance(error, Unknown)
                assert self.has_forgotten_keys
            elif request.id not in self.venue.applied:
                assert type(future.result()).__name__ == "Refused"

    def _check_events(self) -> None:
        told = [event for event in self.events if not isinstance(event, EventsMissed)]
        if not self.has_forgotten_rows:
            numbers = [event.account_seq for event in told]
            assert numbers == list(range(1, self.venue.account_seq + 1))
            assert len(told) == len(self.events)
            return
        kinds = Counter((event.account_seq, type(event).__name__) for event in told)
        once = {key: count for key, count in kinds.items() if key[1] != "Accepted"}
        assert all(count == 1 for count in once.values())


SessionMachine.TestCase.settings = settings(
    max_examples=150,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestSession = SessionMachine.TestCase
