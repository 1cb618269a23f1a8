"""Plays of poison: envelopes of commands that stopped an engine, set aside in the journal."""

from collections.abc import Iterator
from typing import Final

from google.protobuf.message import Message

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow import messages
from tests.differential.flow.flow import UNARY, Flow
from tests.differential.flow.messages import Envelope, class_of
from tests.differential.flow.orders import cancel, mass_cancel
from tests.differential.flow.plays.money import transfer, withdrawal
from tests.differential.flow.plays.refused_orders import limit_order
from tests.differential.flow.world import USDT, market_id


def _bodies(flow: Flow) -> list[Message]:
    """One command of each kind."""
    account_id = flow.account_of().account_id
    order = flow.model.orders.draw(flow.random)
    name = flow.new_id()
    bodies: list[Message] = [
        limit_order(flow, account_id=account_id),
        mass_cancel(flow, account_id),
        transfer(flow, 4_096, 4_098, USDT, 5),
        withdrawal(flow, account_id, USDT, 5, 1),
        commands.Resolve(account_id=account_id, id=name, sent_time_ns=flow.now),
        commands.Replace(orig_cl_ord_id=name, new_order=limit_order(flow)),
        commands.CancelAllAfter(request_id=name, account_id=account_id, sent_time_ns=flow.now),
        commands.MassQuote(request_id=name, account_id=account_id, sent_time_ns=flow.now),
        limit_order(flow, account_id=31_337),
        limit_order(flow, sent_time_ns=1),
    ]
    if order is not None:
        bodies.append(cancel(flow, order))
    if flow.model.sent:
        bodies.append(messages.body_of(flow.random.choice(flow.model.sent).command))
    return bodies


def _envelope(flow: Flow, body: Message) -> Envelope:
    """An envelope with this command, unary or in a session."""
    command = messages.command(body)
    session = flow.live_session()
    received_ns, correlation = flow.received(), flow.random.getrandbits(64)
    if session is None or flow.random.random() < 0.4:
        return messages.firm_envelope(
            UNARY, [command], received_ns=received_ns, correlation=correlation
        )
    command_class = class_of(command)
    connection = session.connection
    first = session.last[command_class] + flow.random.choice((0, 1, 1, 1, 4)) or 1
    if flow.random.random() < 0.2:
        connection += 1
    return messages.firm_envelope(
        command_class,
        [command],
        session_id=session.plan.session_id,
        connection=connection,
        first_seq_no=first,
        received_ns=received_ns,
    )


def _set_aside(flow: Flow, envelope: bytes, market: int) -> None:
    flow.venue(
        system.CommandPoisoned(envelope=envelope, index=flow.random.randrange(3), market_id=market)
    )
    if market:
        flow.venue(system.SetPhase(market_id=market, phase=enums.MARKET_PHASE_CONTINUOUS))


def poisoned_command(flow: Flow) -> Iterator[None]:
    """A command of each kind is set aside; its market halts; it is then sent again."""
    for body in flow.random.sample(_bodies(flow), 4):
        market = flow.random.choice((0, market_id(1), market_id(3), market_id(404)))
        _set_aside(flow, _envelope(flow, body).SerializeToString(deterministic=True), market)
        if flow.random.random() < 0.5:
            yield
        flow.firm(body)


def poisoned_command_of_the_venue(flow: Flow) -> None:
    """A SYSTEM command is set aside: its sender gets a second answer."""
    for body in ([system.Clock()], [system.Halt()], [system.Clock(), system.Clock()]):
        envelope = messages.system_envelope(body, correlation=flow.random.getrandbits(64))
        _set_aside(flow, envelope.SerializeToString(deterministic=True), market_id(8))


def poison_of_no_sense(flow: Flow) -> None:
    """The envelope that was set aside is malformed, holds several commands, or nothing."""
    several = messages.firm_envelope(
        enums.COMMAND_CLASS_ORDER,
        [messages.command(limit_order(flow)) for _ in range(2)],
        session_id=11,
        connection=flow.model.sessions[11].connection or 1,
        first_seq_no=flow.model.sessions[11].last[enums.COMMAND_CLASS_ORDER] + 1,
    )
    good = _envelope(flow, limit_order(flow)).SerializeToString(deterministic=True)
    for data in (b"", b"\xff", good + b"\x00", good[:-1], several.SerializeToString()):
        _set_aside(flow, data, flow.random.choice((0, market_id(4))))


PLAYS: Final = (poisoned_command, poisoned_command_of_the_venue, poison_of_no_sense)
