"""Cancel on disconnect under rules version 2: docs/semantics/disconnect.md."""

from typing import Any, TypeAlias

import pytest

from cambist.internal.journal.v1 import snapshot_pb2
from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import enums_pb2 as enums
from matching.reference import limits
from tests.reference.test_snapshot import load_refused
from tests.reference.triggers.orders import STOP, conditional
from tests.reference.venue import (
    BUY,
    FIRM,
    FIRST,
    GROUPED,
    MARKET,
    OTHER_FIRM,
    OTHER_SESSION,
    SECOND,
    SECOND_NS,
    SELL,
    SESSION,
    STRANGER,
    Venue,
)

NEVER = enums.CANCEL_ON_DISCONNECT_NEVER
ON_DISCONNECT = enums.CANCEL_ON_DISCONNECT_ON_DISCONNECT
ON_LOGOUT = enums.CANCEL_ON_DISCONNECT_ON_LOGOUT
BOTH = enums.CANCEL_ON_DISCONNECT_BOTH
WINDOW_MS = 20_000
WINDOW_NS = 20 * SECOND_NS
GRACE_NS = limits.DISCONNECT_GRACE_NS
GONE = ["CANCELED DISCONNECT 1 cum 0"]
Mode: TypeAlias = enums.CancelOnDisconnect.ValueType


def establish(venue: Venue, mode: Mode, window_ms: int = WINDOW_MS, **fields: Any) -> None:
    """The session asks for it, over a new connection."""
    fields = {"cancel_on_disconnect": mode, "window_ms": window_ms} | fields
    venue.establish(SESSION, FIRM, (FIRST, SECOND, GROUPED), **fields)


def connection(venue: Venue) -> int:
    """Connection number of the session."""
    return next(
        row.connection for row in sessions(venue).sessions if row.established.session_id == SESSION
    )


def sessions(venue: Venue) -> snapshot_pb2.SessionsSection:
    """Sessions and windows as a snapshot has them."""
    return snapshot_pb2.SessionsSection.FromString(venue.state.head.sessions)


def lose(venue: Venue, **fields: Any) -> int:
    """The connection is lost; when the window ends that the session was told, 0 without one."""
    lost = system.SessionLost(session_id=SESSION, connection=connection(venue), **fields)
    told = venue.operate(lost)
    (event,) = told.of_kind(1)
    assert event.HasField("dropped")
    return int(event.dropped.window_ends_ns)


def clock(venue: Venue, account: int = FIRST) -> list[str]:
    """What an account is told by a batch that does nothing by itself."""
    return venue.operate(system.Clock()).lines(account)


def bids(venue: Venue) -> list[str]:
    """The bids of the market."""
    return venue.book()[0]


def resting(venue: Venue) -> None:
    """An order of the session rests."""
    venue.in_session(venue.order(FIRST, BUY, 90, 1))


def test_orders_of_a_lost_session_go_when_the_window_has_passed(second_venue: Venue) -> None:
    venue = second_venue
    establish(venue, ON_DISCONNECT)
    venue.in_session(
        venue.order(SECOND, BUY, 90, 1),
        venue.order(FIRST, BUY, 91, 2),
        venue.order(FIRST, SELL, 100, 3),
        conditional(venue, STOP, SELL, 80, 4),
    )
    venue.place(FIRST, BUY, 92, 5)
    venue.in_session(venue.order(STRANGER, BUY, 93, 6), session_id=OTHER_SESSION)
    ends_ns = lose(venue)
    assert ends_ns == venue.now + WINDOW_NS == venue.engine.next_timer_ns
    venue.set_phase(enums.MARKET_PHASE_HALTED)
    venue.wait(WINDOW_NS - 3_000)
    assert clock(venue) == []
    venue.restore()
    told = venue.operate(system.Clock(), system.Clock())
    assert told.lines(FIRST) == [f"CANCELED DISCONNECT {lots} cum 0" for lots in (2, 3, 4)]
    assert told.lines(SECOND) == GONE
    assert told.lines(STRANGER) == []
    assert told.l3(MARKET) == ["DELETE 2", "DELETE 3", "DELETE 1"]
    # They come after the last command of the batch, at its time.
    event = told.private(FIRST)[0]
    assert (event.seq, event.received_ns) == (venue.engine.last_seq, venue.now)
    assert venue.engine.next_timer_ns == 0
    assert bids(venue) == [f"6@93 of {STRANGER}", f"5@92 of {FIRST}"]
    assert clock(venue) == []


def test_a_session_that_is_back_in_time_keeps_its_orders(second_venue: Venue) -> None:
    venue = second_venue
    establish(venue, BOTH)
    resting(venue)
    lose(venue)
    venue.wait(WINDOW_NS * 2)
    # The batch comes after the end of the window: the session is in it, and in time.
    establish(venue, BOTH)
    assert venue.engine.next_timer_ns == 0
    venue.wait(WINDOW_NS)
    assert clock(venue) == []
    assert bids(venue) == [f"1@90 of {FIRST}"]


def test_a_takeover_begins_no_window_and_the_newest_terms_hold(second_venue: Venue) -> None:
    venue = second_venue
    establish(venue, ON_DISCONNECT)
    resting(venue)
    establish(venue, NEVER)
    assert venue.engine.next_timer_ns == 0
    assert lose(venue) == 0
    assert sessions(venue).windows == []


@pytest.mark.parametrize(
    ("mode", "by_client", "is_gone"),
    [
        (enums.CANCEL_ON_DISCONNECT_UNSPECIFIED, False, False),
        (NEVER, False, False),
        (NEVER, True, False),
        (ON_DISCONNECT, False, True),
        (ON_DISCONNECT, True, False),
        (ON_LOGOUT, False, False),
        (ON_LOGOUT, True, True),
        (BOTH, False, True),
        (BOTH, True, True),
    ],
)
def test_each_mode_counts_what_it_names(
    second_venue: Venue, mode: Mode, by_client: bool, is_gone: bool
) -> None:
    for ends_session in (False, True):
        establish(second_venue, mode, window_ms=0)
        resting(second_venue)
        number = connection(second_venue)
        lost: system.SessionLost | system.SessionEnded
        if ends_session:
            ended_by = number if by_client else 0
            lost = system.SessionEnded(session_id=SESSION, connection=ended_by)
        else:
            lost = system.SessionLost(session_id=SESSION, connection=number, by_client=by_client)
        told = second_venue.operate(lost)
        assert told.lines(FIRST) == (GONE if is_gone else [])
        second_venue.send(second_venue.mass_cancel(FIRST))


def test_a_logout_waits_for_nobody(second_venue: Venue) -> None:
    establish(second_venue, BOTH)
    resting(second_venue)
    assert lose(second_venue, by_client=True) == second_venue.now
    assert bids(second_venue) == []


def test_a_broken_link_and_a_new_epoch_give_time_to_come_back(second_venue: Venue) -> None:
    venue = second_venue
    for number, command in enumerate(
        (system.GatewayLost(link_id=FIRM), system.EpochStarted(epoch=5))
    ):
        for window_ms, waits_ns in ((0, GRACE_NS), (WINDOW_MS, WINDOW_NS)):
            establish(venue, ON_DISCONNECT, window_ms)
            told = venue.operate(command)
            assert venue.engine.next_timer_ns == venue.now + waits_ns
            names = ["dropped"] if number == 0 else []
            assert [line.split()[0] for line in told.session(SESSION)] == names


def test_a_window_that_ended_while_there_was_no_primary_is_given_grace(
    second_venue: Venue,
) -> None:
    venue = second_venue
    establish(venue, ON_DISCONNECT)
    resting(venue)
    lose(venue)
    venue.wait(WINDOW_NS * 3)
    venue.restore()
    assert venue.operate(system.EpochStarted(epoch=9)).lines(FIRST) == []
    assert venue.engine.next_timer_ns == venue.now + GRACE_NS
    venue.wait(GRACE_NS)
    assert clock(venue) == GONE


def test_a_session_that_is_gone_leaves_its_window_behind(second_venue: Venue) -> None:
    venue = second_venue
    establish(venue, ON_DISCONNECT)
    resting(venue)
    lose(venue)
    venue.operate(system.SessionEnded(session_id=SESSION, connection=connection(venue)))
    assert [row.established.session_id for row in sessions(venue).sessions] == [OTHER_SESSION]
    venue.restore()
    venue.wait(WINDOW_NS)
    assert clock(venue) == GONE


def test_windows_go_by_their_end_then_by_session(second_venue: Venue) -> None:
    venue = second_venue
    fields = {"cancel_on_disconnect": ON_DISCONNECT}
    establish(venue, ON_DISCONNECT, 2, link_id=9)
    venue.establish(OTHER_SESSION, OTHER_FIRM, (STRANGER,), link_id=9, window_ms=1, **fields)
    resting(venue)
    venue.in_session(venue.order(STRANGER, BUY, 90, 1), session_id=OTHER_SESSION)
    venue.operate(
        system.SessionLost(session_id=SESSION, connection=connection(venue)),
        system.SessionLost(session_id=OTHER_SESSION, connection=2),
    )
    venue.wait(SECOND_NS)
    assert venue.operate(system.Clock()).l3(MARKET) == ["DELETE 2", "DELETE 1"]


def test_what_is_left_over_goes_in_the_next_batch_unless_the_session_is_back(
    second_reference_venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = second_reference_venue
    establish(venue, ON_DISCONNECT, 0)
    for account in (FIRST, SECOND, GROUPED):
        venue.in_session(*(venue.order(account, BUY, 90, 1) for _ in range(2)))
    # The first account takes 3 whatever is left, the second one what remains, the third waits.
    monkeypatch.setattr(limits, "WORK_ORDERS_MAX", 6)
    lose(venue)
    (window,) = sessions(venue).windows
    assert window.account_ids == [GROUPED]
    monkeypatch.setattr(limits, "WORK_ORDERS_MAX", 1)
    venue.restore()
    assert venue.engine.next_timer_ns == venue.now
    assert clock(venue, GROUPED) == GONE * 2
    assert sessions(venue).windows == []
    establish(venue, ON_DISCONNECT, 0)
    for account in (FIRST, SECOND):
        venue.in_session(venue.order(account, BUY, 90, 1))
    lose(venue)
    establish(venue, ON_DISCONNECT, 0)
    assert clock(venue) == []
    assert bids(venue) == [f"1@90 of {SECOND}"]


def test_too_many_windows_keep_new_sessions_out(
    second_reference_venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = second_reference_venue
    establish(venue, ON_DISCONNECT)
    lose(venue)
    venue.operate(system.SessionEnded(session_id=SESSION, connection=connection(venue)))
    monkeypatch.setattr(limits, "SESSIONS_MAX", 1)
    establish(venue, ON_DISCONNECT)
    assert len(sessions(venue).sessions) == 1
    venue.wait(WINDOW_NS)
    clock(venue)
    monkeypatch.setattr(limits, "SESSIONS_MAX", 9)
    establish(venue, ON_DISCONNECT)
    assert len(sessions(venue).sessions) == 2


def test_under_version_1_nothing_is_cancelled(venue: Venue) -> None:
    establish(venue, BOTH, 0)
    resting(venue)
    assert lose(venue) == 0
    establish(venue, BOTH, 0)
    assert lose(venue, by_client=True) == 0
    assert clock(venue) == []
    assert bids(venue) == [f"1@90 of {FIRST}"]


@pytest.mark.parametrize(
    "change",
    [
        lambda window: window.ClearField("ends_ns"),
        lambda window: window.ClearField("account_ids"),
        lambda window: window.account_ids.append(1 << 40),
        lambda window: window.account_ids.append(FIRST),
        lambda window: setattr(window, "session_id", OTHER_SESSION),
        lambda window: setattr(window, "session_id", 0),
    ],
)
def test_a_snapshot_with_a_wrong_window_is_refused(second_venue: Venue, change: Any) -> None:
    venue = second_venue
    establish(venue, ON_DISCONNECT)
    lose(venue)
    whole = snapshot_pb2.Snapshot.FromString(venue.engine.snapshot())
    section = sessions(venue)
    change(section.windows[0])
    whole.sessions = section.SerializeToString()
    with pytest.raises(load_refused(venue.kind)):
        venue.kind.restore(whole.SerializeToString())
