"""Plays of sessions: takeovers, gaps, old connections, lost links, ends, a new epoch."""

from collections.abc import Iterator
from typing import Final

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.flow import ORDER, Flow
from tests.differential.flow.model import Session
from tests.differential.flow.orders import mass_cancel, new_order
from tests.differential.flow.plays.refused_orders import limit_order
from tests.differential.flow.world import SessionPlan


def establish(flow: Flow, plan: SessionPlan) -> system.SessionEstablished:
    """The command with which a gateway opens a session."""
    return system.SessionEstablished(
        session_id=plan.session_id,
        firm_id=plan.firm_id,
        account_ids=plan.account_ids,
        market_ids=plan.market_ids,
        may_trade=plan.may_trade,
        cancel_on_disconnect=flow.random.choice(enums.CancelOnDisconnect.values()),
        window_ms=flow.random.choice((0, 5_000, 600_000)),
        link_id=plan.link_id,
        correlation=flow.random.getrandbits(64),
    )


def establish_all(flow: Flow) -> None:
    """Opens every session of the world that no connection holds."""
    lost = [s.plan for s in flow.model.sessions.values() if not s.is_connected]
    if lost:
        flow.venue(*(establish(flow, plan) for plan in lost))


def takeover(flow: Flow) -> Iterator[None]:
    """Another connection takes a session; the old one sends on and is not heard."""
    session = flow.live_session(may_trade=flow.random.random() < 0.8)
    if session is None:
        return
    old = session.connection
    flow.venue(establish(flow, session.plan))
    yield
    account_id = session.plan.account_ids[0]
    flow.session(session, [limit_order(flow, account_id=account_id)], connection=old)
    flow.session(session, [mass_cancel(flow, account_id)], connection=old)
    flow.venue(system.SessionLost(session_id=session.plan.session_id, connection=old))
    flow.venue(system.SessionEnded(session_id=session.plan.session_id, connection=old or 9))
    yield


def gap_in_numbers(flow: Flow) -> None:
    """An envelope beyond the next number, and its commands once more."""
    session = flow.live_session()
    if session is None:
        return
    body = [new_order(flow, flow.random.choice(session.plan.account_ids)) for _ in range(2)]
    first = session.last[ORDER] + 1
    flow.session(session, body, first_seq_no=first + flow.random.choice((1, 2, 1 << 50)))
    flow.session(session, body)


def unknown_session(flow: Flow) -> None:
    """Envelopes and commands of a session that does not exist."""
    stranger = Session(SessionPlan(404, 1, (4_096,)), connection=1)
    flow.session(stranger, [limit_order(flow, account_id=4_096)])
    flow.session(stranger, [mass_cancel(flow, 4_096)])
    flow.venue(
        system.SessionLost(session_id=404, connection=1),
        system.SessionEnded(session_id=404, connection=0),
    )


def cancels_only(flow: Flow) -> None:
    """A session that may not trade sends an order and a cancel."""
    session = flow.live_session(may_trade=False)
    if session is not None:
        account_id = session.plan.account_ids[0]
        flow.session(session, [limit_order(flow, account_id=account_id)])
        flow.session(session, [mass_cancel(flow, account_id)])


def lost_connection(flow: Flow) -> Iterator[None]:
    """A connection is lost; its envelopes come too late; it comes back."""
    session = flow.live_session()
    if session is None:
        return
    lost = system.SessionLost(session_id=session.plan.session_id, connection=session.connection)
    flow.venue(lost, lost)
    flow.session(session, [limit_order(flow, account_id=session.plan.account_ids[0])])
    yield
    establish_all(flow)
    yield


def ended_session(flow: Flow) -> Iterator[None]:
    """A session is over, by its client or by the venue, and starts anew."""
    session = flow.live_session()
    if session is None:
        return
    by_client = flow.random.random() < 0.5
    flow.venue(
        system.SessionEnded(
            session_id=session.plan.session_id,
            connection=session.connection if by_client else 0,
        )
    )
    yield
    establish_all(flow)
    yield


def lost_link(flow: Flow) -> Iterator[None]:
    """A gateway's link breaks with all its sessions."""
    flow.venue(system.GatewayLost(link_id=flow.random.choice((1, 2, 3, 1 << 63, 99))))
    yield
    establish_all(flow)
    yield


def new_epoch(flow: Flow) -> Iterator[None]:
    """Another process became primary: no session is connected any more."""
    flow.venue(system.EpochStarted(epoch=flow.random.getrandbits(40)))
    session = flow.model.sessions[21]
    if session.connection:
        flow.session(session, [limit_order(flow, account_id=4_100)])
    yield
    establish_all(flow)
    yield


def refused_establishments(flow: Flow) -> None:
    """Sessions that cannot be opened."""
    good = flow.world.sessions[0]
    kinds: list[dict[str, int]] = [
        {"session_id": 0},
        {"window_ms": 600_001},
        {"firm_id": 0},
        {"firm_id": 404},
        {"firm_id": 2},
        {"session_id": 21},
    ]
    found = []
    for fields in kinds:
        command = establish(flow, good)
        for name, value in fields.items():
            setattr(command, name, value)
        found.append(command)
    stranger = establish(flow, good)
    stranger.account_ids.append(1 << 50)
    foreign = establish(flow, good)
    foreign.account_ids.extend([5_000, 1 << 41])
    venue = establish(flow, good)
    venue.account_ids.insert(0, 3)
    flow.venue(*found, stranger, foreign, venue)


PLAYS: Final = (
    takeover,
    gap_in_numbers,
    unknown_session,
    cancels_only,
    lost_connection,
    ended_session,
    lost_link,
    new_epoch,
    refused_establishments,
)
