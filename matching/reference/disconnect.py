"""Cancel on disconnect: windows begin, and cancel at their end. docs/semantics/disconnect.md.

Called by `sessions`, `administration` and `engine`. Windows do not exist under rules version 1.
"""

from dataclasses import dataclass
from typing import Final

from cambist.orders.v1 import enums_pb2
from matching.reference import limits, order_events
from matching.reference.run import Run
from matching.reference.types import DisconnectWindow, Session

R = enums_pb2
BOTH: Final = R.CANCEL_ON_DISCONNECT_BOTH


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a session has no connection any more."""

    # The mode that it counts for; BOTH stands for each.
    mode: enums_pb2.CancelOnDisconnect.ValueType
    # Whether the session may come back, and how long it is waited for at least.
    is_waited_for: bool = True
    grace: bool = False


LOST: Final = Cause(R.CANCEL_ON_DISCONNECT_ON_DISCONNECT)
VENUE: Final = Cause(R.CANCEL_ON_DISCONNECT_ON_DISCONNECT, grace=True)
LOGOUT: Final = Cause(R.CANCEL_ON_DISCONNECT_ON_LOGOUT, is_waited_for=False)
REVOKED: Final = Cause(R.CANCEL_ON_DISCONNECT_ON_DISCONNECT, is_waited_for=False)


def begin(run: Run, session: Session, cause: Cause) -> int:
    """Begins the window of a session if it asked for that; when it ends, 0 without one."""
    established = session.established
    if run.rules_version < limits.FULL_RULES:
        return 0
    if established.cancel_on_disconnect not in (cause.mode, BOTH):
        return 0
    window_ns = 0
    if cause.is_waited_for:
        grace_ns = limits.DISCONNECT_GRACE_NS if cause.grace else 0
        window_ns = max(established.window_ms * limits.NANOSECONDS_PER_MILLISECOND, grace_ns)
    ends_ns = run.now_ns + window_ns
    accounts = sorted(session.account_ids)
    run.state.windows[established.session_id] = DisconnectWindow(ends_ns, accounts)
    return ends_ns


def start_epoch(run: Run) -> None:
    """There was no primary to come back to: windows that run, and those that begin, have grace."""
    for window in run.state.windows.values():
        window.ends_ns = max(window.ends_ns, run.now_ns + limits.DISCONNECT_GRACE_NS)
    for session in run.state.sessions.values():
        if session.connected:
            begin(run, session, VENUE)


def run_windows(run: Run, last_seq: int) -> None:
    """Cancels the orders of windows that are over, within the work of a batch."""
    run.seq, run.received_ns = last_seq, run.now_ns
    state, work_left, is_first = run.state, limits.WORK_ORDERS_MAX, True
    for ends_ns, session_id in state.windows_by_end():
        if ends_ns > run.now_ns:
            return
        window = state.windows[session_id]
        while window.account_ids:
            orders = state.accounts[window.account_ids[0]].orders
            cost = 1 + len(orders)
            if not is_first and cost > work_left:
                return
            is_first, work_left = False, work_left - cost
            del window.account_ids[0]
            for _, order in sorted(orders.items()):
                if order.session_id == session_id:
                    order_events.cancel_resting(run, order, R.CANCEL_REASON_DISCONNECT)
        del state.windows[session_id]
