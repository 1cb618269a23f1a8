"""The batch that is being made: time, randomness, ids, and ways to send commands.

Used by the main flow and by plays. It is bounded by the limits of a batch unless a play breaks
them on purpose.
"""

from collections import deque
from collections.abc import Sequence
from random import Random
from typing import Any, Final

from google.protobuf.message import Message

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow import messages
from tests.differential.flow.messages import Envelope, body_of, class_of
from tests.differential.flow.model import Model, Sent, Session
from tests.differential.flow.world import AccountPlan, MarketPlan, World

ORDER: Final = enums.COMMAND_CLASS_ORDER
CANCEL: Final = enums.COMMAND_CLASS_CANCEL
UNARY: Final = enums.COMMAND_CLASS_UNARY
SECOND_NS: Final = 1_000_000_000
CUSTODY_SOURCES: Final = (1, 2, 9, 70_000)


class Flow:
    """Builds one batch after the other."""

    def __init__(self, random: Random, world: World, model: Model, rules_version: int = 1) -> None:
        self.random = random
        # The newest rules that the tape speaks of.
        self.rules_version = rules_version
        self.world = world
        self.model = model
        # Moments at which orders end: some batches fall on them.
        self.deadlines: deque[int] = deque(maxlen=20)
        self.now = world.start_ns
        self.envelopes: list[Envelope] = []
        self.count = 0
        # What the batch is sent as, when a play damages it.
        self.override: bytes | None = None
        # The asset whose balances are at their bound was paid out.
        self.is_giant_paid = False
        # Malformed envelopes that wait for their turn.
        self.faults: list[bytes] = []
        self._ids = 0
        self._plans = {plan.market_id: plan for plan in world.markets}
        self.middles = {plan.market_id: plan.middle_ticks for plan in world.markets}

    def start_batch(self) -> None:
        """Forgets the last batch and moves time on by a little, or not at all."""
        self.envelopes, self.count = [], 0
        self.override = None
        pick = self.random.random()
        if self.deadlines and pick < 0.05:
            self.now = max(self.now, self.deadlines.pop() + self.random.choice((-1, 0, 0, 1)))
        elif pick < 0.5:
            self.now += self.random.randrange(1, 1_000_000)
        elif pick < 0.75:
            self.now += self.random.randrange(1, 200_000_000)
        elif pick < 0.76:
            self.now += self.random.randrange(SECOND_NS, 30 * SECOND_NS)

    def batch(self) -> bytes:
        """The batch as it stands."""
        if self.override is not None:
            return self.override
        return messages.batch(self.world.shard, self.model.last_seq + 1, self.now, self.envelopes)

    # What commands are made of.

    def new_id(self) -> bytes:
        """An id that was not used before."""
        self._ids += 1
        if self.random.random() < 0.5:
            return self._ids.to_bytes(16, "little")
        return self.random.randbytes(8) + self._ids.to_bytes(8, "big")

    def sent_time(self) -> int:
        """When a command was sent: up to half a second ago, now and then a little ahead."""
        if self.random.random() < 0.1:
            return self.now + self.random.randrange(0, 5 * SECOND_NS)
        return self.now - self.random.randrange(0, SECOND_NS // 2)

    def received(self) -> int:
        """When an envelope was received."""
        return max(0, self.now - self.random.randrange(0, SECOND_NS))

    def market(self) -> MarketPlan:
        """A market, by weight."""
        return self.random.choices(self.world.markets, self.world.market_weights)[0]

    def plan(self, market_id: int) -> MarketPlan:
        """The plan of a market; one that was made during the tape is like the first."""
        return self._plans.get(market_id, self.world.markets[0])

    def account(self) -> AccountPlan:
        """Any account."""
        return self.random.choice(self.world.accounts)

    def account_of(self, *, is_rich: bool = True) -> AccountPlan:
        """An account with money, or without."""
        return self.random.choice([a for a in self.world.accounts if a.is_rich == is_rich])

    def live_session(self, *, may_trade: bool = True) -> Session | None:
        """A connected session."""
        found = [
            session
            for session in self.model.sessions.values()
            if session.is_connected and session.plan.may_trade == may_trade
        ]
        return self.random.choice(found) if found else None

    # Ways to send.

    def append(self, envelope: Envelope) -> None:
        """Puts an envelope into the batch."""
        self.envelopes.append(envelope)
        self.count += envelope.count

    def remember(self, body: Sequence[commands.Command]) -> None:
        """Keeps commands, so that they can be sent again."""
        for command in body:
            named = body_of(command)
            account_id = getattr(named, "account_id", 0)
            self.model.sent.append(Sent(command, account_id))

    def session(
        self,
        session: Session,
        body: Sequence[Message],
        *,
        first_seq_no: int | None = None,
        connection: int | None = None,
    ) -> None:
        """Sends messages of one class in a session; without numbers given, the right ones."""
        wrapped = [messages.command(message) for message in body]
        command_class = class_of(wrapped[0])
        first = session.last[command_class] + 1 if first_seq_no is None else first_seq_no
        self.append(
            messages.firm_envelope(
                command_class,
                wrapped,
                session_id=session.plan.session_id,
                connection=session.connection if connection is None else connection,
                first_seq_no=first,
                received_ns=self.received(),
                correlation=self.random.randrange(100),
            )
        )
        if first_seq_no is None and session.is_connected:
            session.last[command_class] += len(body)
        self.remember(wrapped)

    def unary(self, message: Message) -> None:
        """Sends one message without a session."""
        wrapped = messages.command(message)
        self.append(
            messages.firm_envelope(
                UNARY,
                [wrapped],
                received_ns=self.received(),
                correlation=self.random.getrandbits(64),
            )
        )
        self.remember([wrapped])

    def venue(self, *body: Message) -> None:
        """Sends messages of the venue in one envelope; custody's get a number when they lack it."""
        for message in body:
            if "source_seq" in message.DESCRIPTOR.fields_by_name:
                self._number(message)
        self.append(
            messages.system_envelope(
                body, received_ns=self.received(), correlation=self.random.getrandbits(64)
            )
        )

    def firm(self, message: Message) -> None:
        """Sends a message by any way that fits its account: a session or a unary call."""
        account_id = getattr(message, "account_id", 0)
        found = [
            session
            for session in self.model.sessions.values()
            if session.is_connected
            and session.plan.may_trade
            and account_id in session.plan.account_ids
        ]
        if found and self.random.random() < 0.6:
            self.session(self.random.choice(found), [message])
        else:
            self.unary(message)

    def _number(self, message: Any) -> None:
        if message.source_id or message.source_seq:
            return
        source_id = self.random.choice(CUSTODY_SOURCES)
        number = self.model.sources.get(source_id, 0) + 1
        self.model.sources[source_id] = number
        message.source_id, message.source_seq = source_id, number

    def credit(self, account_id: int, asset_id: int, atoms: int) -> system.Credit:
        """A deposit that is new."""
        deposit_id = self.new_id()
        self.model.deposits.put(deposit_id, deposit_id)
        return system.Credit(
            deposit_id=deposit_id,
            account_id=account_id,
            asset_id=asset_id,
            amount_atoms=messages.amount(atoms),
        )
