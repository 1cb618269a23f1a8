"""Plays of ids and times: repeats, reuse, staleness, expiry, Resolve, what is not built."""

from collections.abc import Iterator
from typing import Final

from google.protobuf.message import Message

from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.flow import CANCEL, ORDER, SECOND_NS, Flow
from tests.differential.flow.messages import body_of
from tests.differential.flow.orders import cancel, new_order, target
from tests.differential.flow.plays.refused_orders import limit_order

RETENTION_NS: Final = 600 * SECOND_NS
AHEAD_NS: Final = 5 * SECOND_NS


def sent_again(flow: Flow) -> None:
    """Commands as they were, by any way."""
    for _ in range(flow.random.randint(1, 4)):
        if flow.model.sent:
            sent = flow.random.choice(flow.model.sent)
            flow.firm(body_of(sent.command))


def envelope_sent_again(flow: Flow) -> Iterator[None]:
    """A whole envelope with the numbers it had before, alone and with a tail that is new."""
    session = flow.live_session()
    if session is None:
        return
    account_id = flow.random.choice(session.plan.account_ids)
    body: list[Message] = [new_order(flow, account_id) for _ in range(3)]
    first = session.last[ORDER] + 1
    flow.session(session, body)
    yield
    if session.is_connected and session.last[ORDER] >= first + 2:
        flow.session(session, body, first_seq_no=first)
        longer = [*body, new_order(flow, account_id), new_order(flow, account_id)]
        flow.session(session, longer, first_seq_no=first)
        session.last[ORDER] = max(session.last[ORDER], first + 4)


def id_with_another_body(flow: Flow) -> None:
    """A used id with a field changed, and with another kind of command."""
    if not flow.model.sent:
        return
    sent = flow.random.choice(flow.model.sent)
    again = commands.Command()
    again.CopyFrom(sent.command)
    body = body_of(again)
    if hasattr(body, "sent_time_ns"):
        step = flow.random.choice((1, -1))
        # The first and the last time there is have one neighbour.
        fits = -(1 << 63) <= body.sent_time_ns + step < 1 << 63
        body.sent_time_ns += step if fits else -step
    flow.firm(body)
    used = getattr(body, "cl_ord_id", b"") or getattr(body, "request_id", b"")
    order = target(flow)
    if used and order is not None:
        other = cancel(flow, order)
        other.account_id, other.request_id = sent.account_id, used
        flow.firm(other)


def times_out_of_the_window(flow: Flow) -> None:
    """Sent too long ago, too far ahead, and at the very edges."""
    for sent in (
        flow.now - RETENTION_NS,
        flow.now - RETENTION_NS - 1,
        flow.now + AHEAD_NS,
        flow.now + AHEAD_NS + 1,
        0,
        -1,
        (1 << 63) - 1,
        -(1 << 63),
    ):
        if flow.random.random() < 0.5:
            flow.firm(limit_order(flow, sent_time_ns=sent))


def expired_before_entry(flow: Flow) -> None:
    """Commands whose time had passed, and one at its last moment; then they are sent again."""
    for age_ms in (1_000, 1_001):
        order = limit_order(
            flow, sent_time_ns=flow.now - age_ms * 1_000_000, expires_after_ms=1_000
        )
        flow.firm(order)
        flow.firm(order)


def forgotten_ids(flow: Flow) -> None:
    """More commands than a small account keeps ids of; then one that lies below its floor."""
    for age in (400, 300, 200, 100):
        for _ in range(flow.random.randint(1, 6)):
            order = limit_order(flow, account_id=5_002)
            order.time_in_force = enums.TIME_IN_FORCE_IOC
            order.sent_time_ns = flow.now - age * 1_000_000
            flow.firm(order)
    flow.firm(limit_order(flow, account_id=5_002, sent_time_ns=flow.now - SECOND_NS))
    flow.firm(limit_order(flow, account_id=4_102, sent_time_ns=flow.now - 2 * SECOND_NS))


def resolve(flow: Flow, account_id: int, name: bytes, sent_ns: int) -> commands.Resolve:
    """A Resolve."""
    return commands.Resolve(account_id=account_id, id=name, sent_time_ns=sent_ns)


def resolve_what_was_sent(flow: Flow) -> None:
    """Resolves of commands of all kinds, whatever became of them."""
    refused = limit_order(flow, price_ticks=-1)
    flow.firm(refused)
    flow.firm(resolve(flow, refused.account_id, refused.cl_ord_id, refused.sent_time_ns))
    for _ in range(flow.random.randint(1, 5)):
        order = flow.model.orders.draw(flow.random)
        if order is not None and flow.random.random() < 0.3:
            flow.firm(resolve(flow, order.account_id, order.cl_ord_id, flow.now))
        elif flow.model.sent:
            sent = flow.random.choice(flow.model.sent)
            body = body_of(sent.command)
            used = getattr(body, "cl_ord_id", b"") or getattr(body, "request_id", b"")
            if used:
                flow.firm(resolve(flow, sent.account_id, used, getattr(body, "sent_time_ns", 0)))


def resolve_what_was_not_sent(flow: Flow) -> Iterator[None]:
    """An unknown id is burnt; the command then comes too late. And ids too old to tell."""
    account_id = flow.account_of().account_id
    order = limit_order(flow, account_id=account_id)
    flow.firm(resolve(flow, account_id, order.cl_ord_id, order.sent_time_ns))
    if flow.random.random() < 0.5:
        yield
    flow.firm(order)
    flow.firm(resolve(flow, account_id, order.cl_ord_id, order.sent_time_ns))
    for sent_ns in (
        0,
        flow.now - RETENTION_NS,
        flow.now - RETENTION_NS - 1,
        flow.now + 99 * AHEAD_NS,
    ):
        flow.firm(resolve(flow, account_id, flow.new_id(), sent_ns))
    flow.unary(resolve(flow, 88_888, order.cl_ord_id, order.sent_time_ns))


def commands_of_later_issues(flow: Flow) -> None:
    """Every command that is not carried out, with a good and with a foreign account."""
    account_id, sent = flow.account().account_id, flow.sent_time()
    first, second = limit_order(flow, account_id=account_id), limit_order(flow)
    bodies: list[Message] = [
        commands.Replace(orig_cl_ord_id=flow.new_id(), new_order=first, allow_missing=True),
        commands.NewList(
            request_id=flow.new_id(), list_type=commands.LIST_TYPE_OCO, orders=[first, second]
        ),
        commands.MassQuote(
            request_id=flow.new_id(),
            account_id=account_id,
            sent_time_ns=sent,
            quotes=[commands.Quote(market_id=first.market_id, bid_price_ticks=1, bid_lots=1)],
        ),
        commands.CancelQuotes(request_id=flow.new_id(), account_id=account_id, sent_time_ns=sent),
        commands.ResetProtection(
            request_id=flow.new_id(), account_id=account_id, quote_set=2, sent_time_ns=sent
        ),
        commands.CancelAllAfter(
            request_id=flow.new_id(), account_id=account_id, timeout_ms=5, sent_time_ns=sent
        ),
    ]
    for body in flow.random.sample(bodies, 4):
        flow.unary(body)
    session = flow.live_session()
    if session is not None:
        for command_class in (ORDER, CANCEL):
            flow.session(session, [b for b in bodies if class_of_message(b) == command_class])


def class_of_message(message: Message) -> enums.CommandClass.ValueType:
    """Class of a bare message."""
    return CANCEL if isinstance(message, commands.CancelQuotes | commands.CancelAllAfter) else ORDER


PLAYS: Final = (
    sent_again,
    envelope_sent_again,
    id_with_another_body,
    times_out_of_the_window,
    expired_before_entry,
    forgotten_ids,
    resolve_what_was_sent,
    resolve_what_was_not_sent,
    commands_of_later_issues,
)
