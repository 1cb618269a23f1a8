"""Sessions: opened, lost, over; links of gateways. Section 8."""

from cambist.internal.journal.v1 import system_pb2
from cambist.orders.v1 import enums_pb2, events_pb2
from matching.reference import disconnect, limits
from matching.reference.administration import Then
from matching.reference.errors import Refusal
from matching.reference.order_checks import refuse_if
from matching.reference.run import Run
from matching.reference.types import Session

R = enums_pb2


def session_established(run: Run, sent: system_pb2.SessionEstablished) -> Then:
    """A connection asks for a session."""
    state = run.state
    is_wrong = sent.session_id == 0 or sent.window_ms > limits.SESSION_WINDOW_MS_MAX
    refuse_if(is_wrong, R.REJECT_REASON_INVALID_PARAMETER)
    refuse_if(sent.firm_id not in state.firms, R.REJECT_REASON_UNKNOWN_FIRM)
    for account_id in sent.account_ids:
        account = state.accounts.get(account_id)
        if account is None:
            raise Refusal(R.REJECT_REASON_UNKNOWN_ACCOUNT)
        refuse_if(account.firm_id != sent.firm_id, R.REJECT_REASON_FOREIGN_ACCOUNT)
    known = state.sessions.get(sent.session_id)
    if known is None:
        make_room(run)
    else:
        is_foreign = known.established.firm_id != sent.firm_id
        refuse_if(is_foreign, R.REJECT_REASON_DUPLICATE_ID)
    stored = system_pb2.SessionEstablished()
    stored.CopyFrom(sent)
    stored.correlation = 0
    session = known or Session(stored, frozenset(), frozenset())
    session.established = stored
    session.account_ids = frozenset(sent.account_ids)
    session.market_ids = frozenset(sent.market_ids)
    session.connection += 1
    session.connected = True
    session.last_used_ns = run.now_ns
    state.sessions[sent.session_id] = session
    state.windows.pop(sent.session_id, None)
    opened = events_pb2.SessionOpened(
        correlation=sent.correlation,
        last_order_seq_no=session.last_order_seq_no,
        last_cancel_seq_no=session.last_cancel_seq_no,
    )
    return lambda: run.tell_session(sent.session_id, session.connection, opened=opened)


def make_room(run: Run) -> None:
    """At the bound the longest unused session goes, if it is idle. Raises CAPACITY."""
    sessions = run.state.sessions
    is_full = len(run.state.windows) >= limits.SESSIONS_MAX
    refuse_if(is_full, R.REJECT_REASON_CAPACITY)
    if len(sessions) < limits.SESSIONS_MAX:
        return
    idle = [
        (session.last_used_ns, session_id)
        for session_id, session in sessions.items()
        if not session.connected
    ]
    if not idle or min(idle)[0] >= run.now_ns - limits.SESSION_IDLE_NS:
        raise Refusal(R.REJECT_REASON_CAPACITY)
    del sessions[min(idle)[1]]


def known_session(run: Run, session_id: int) -> Session:
    """Raises UNKNOWN_SESSION."""
    session = run.state.sessions.get(session_id)
    if session is None:
        raise Refusal(R.REJECT_REASON_UNKNOWN_SESSION)
    return session


def drop(run: Run, session: Session, cause: disconnect.Cause) -> None:
    """Its connection is lost."""
    session.connected = False
    session_id = session.established.session_id
    dropped = events_pb2.SessionDropped(window_ends_ns=disconnect.begin(run, session, cause))
    run.tell_session(session_id, session.connection, dropped=dropped)


def session_lost(run: Run, sent: system_pb2.SessionLost) -> Then:
    """A connection was lost."""
    session = known_session(run, sent.session_id)
    is_old = sent.connection != session.connection or not session.connected
    refuse_if(is_old, R.REJECT_REASON_OLD_CONNECTION)
    cause = disconnect.LOGOUT if sent.by_client else disconnect.LOST
    return lambda: drop(run, session, cause)


def session_ended(run: Run, sent: system_pb2.SessionEnded) -> Then:
    """A session is over and is forgotten."""
    session = known_session(run, sent.session_id)
    is_old = sent.connection not in (0, session.connection)
    refuse_if(is_old, R.REJECT_REASON_OLD_CONNECTION)
    del run.state.sessions[sent.session_id]
    disconnect.begin(run, session, disconnect.LOGOUT if sent.connection else disconnect.REVOKED)
    over = events_pb2.SessionOver(by_client=sent.connection != 0)
    return lambda: run.tell_session(sent.session_id, session.connection, over=over)


def gateway_lost(run: Run, sent: system_pb2.GatewayLost) -> Then:
    """All connected sessions of a link, ascending."""
    lost = [
        session
        for _, session in sorted(run.state.sessions.items())
        if session.connected and session.established.link_id == sent.link_id
    ]

    def tell() -> None:
        for session in lost:
            drop(run, session, disconnect.VENUE)

    return tell
