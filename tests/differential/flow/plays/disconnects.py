"""Plays of cancel on disconnect, under rules version 2: sessions are lost, some come back."""

from collections.abc import Iterator
from typing import Final

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.flow import Flow
from tests.differential.flow.later_orders import any_order
from tests.differential.flow.model import Session
from tests.differential.flow.plays.kill_switches import trades
from tests.differential.flow.plays.sessions import establish, establish_all

MODES: Final = (
    enums.CANCEL_ON_DISCONNECT_ON_DISCONNECT,
    enums.CANCEL_ON_DISCONNECT_ON_LOGOUT,
    enums.CANCEL_ON_DISCONNECT_BOTH,
    enums.CANCEL_ON_DISCONNECT_BOTH,
)
MILLISECOND_NS: Final = 1_000_000


def _take(flow: Flow, session: Session, window_ms: int) -> None:
    """Takes a session over with a mode and a window."""
    asked = establish(flow, session.plan)
    asked.cancel_on_disconnect = flow.random.choice(MODES)
    asked.window_ms = window_ms
    flow.venue(asked)


def _lose(flow: Flow, session: Session) -> int:
    """Loses its connection in one of many ways; the shortest window of it in ms."""
    plan = session.plan
    by_client = flow.random.random() < 0.3
    lost = system.SessionLost(
        session_id=plan.session_id, connection=session.connection, by_client=by_client
    )
    ended_by = session.connection if by_client else 0
    ended = system.SessionEnded(session_id=plan.session_id, connection=ended_by)
    pick = flow.random.random()
    if pick < 0.5:
        flow.venue(lost)
        return 0
    if pick < 0.65:
        flow.venue(ended)
        return 0
    if pick < 0.75:
        flow.venue(lost, ended)
        return 0
    if pick < 0.9:
        flow.venue(system.GatewayLost(link_id=plan.link_id))
    else:
        flow.venue(lost, system.EpochStarted(epoch=flow.random.getrandbits(40)))
    return 10_000


def a_session_with_orders_is_lost(flow: Flow) -> Iterator[None]:
    """Orders rest and wait; the window ends, or the session is back before."""
    session = flow.live_session(may_trade=True)
    if session is None:
        return
    window_ms = flow.random.choice((0, 1, 20, 20, 5_000))
    _take(flow, session, window_ms)
    yield
    for _ in range(3):
        body = [any_order(flow, flow.random.choice(session.plan.account_ids)) for _ in range(4)]
        flow.session(session, body)
    yield
    waits_ns = max(_lose(flow, session), window_ms) * MILLISECOND_NS
    flow.deadlines.append(flow.now + waits_ns)
    # Others meet what is left of it, before its end and in the batch of its end.
    trades(flow)
    yield
    # At the end, just before it, or long before it.
    flow.now += flow.random.choice((waits_ns, waits_ns, max(waits_ns - MILLISECOND_NS, 0), 0))
    if flow.random.random() < 0.4:
        establish_all(flow)
    else:
        flow.venue(system.Clock())
    trades(flow)
    yield
    establish_all(flow)
    yield


PLAYS: Final = (a_session_with_orders_is_lost,)
