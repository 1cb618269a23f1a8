"""Section 1: full tables. On the reference engine only, whose limits a test may lower."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from google.protobuf.message import Message

from cambist.internal.journal.v1 import snapshot_pb2
from cambist.internal.journal.v1 import system_pb2 as system
from matching.reference import limits
from tests.differential.flow.messages import amount
from tests.reference.venue import (
    ACCOUNTS,
    BASE,
    FIRM,
    FIRST,
    OTHER_SESSION,
    QUOTE,
    SECOND,
    SECOND_NS,
    SESSION,
    SHARD,
    Venue,
    market,
)

HOUR_NS: Final = 3_600 * SECOND_NS


def credit(source_id: int = 50, source_seq: int = 1, deposit: int = 1) -> system.Credit:
    """A deposit of one atom."""
    return system.Credit(
        source_id=source_id,
        source_seq=source_seq,
        deposit_id=deposit.to_bytes(16, "little"),
        account_id=FIRST,
        asset_id=BASE,
        amount_atoms=amount(1),
    )


FULL: Final[list[tuple[str, int, Message]]] = [
    ("ASSETS_MAX", 2, system.CreateAsset(asset_id=3, symbol="THREE")),
    ("MARKETS_MAX", 2, market(SHARD << 16 | 3, "THREE", base_asset_id=99)),
    ("FIRMS_MAX", 2, system.CreateFirm(firm_id=3, name="three")),
    ("ACCOUNTS_MAX", len(ACCOUNTS), system.CreateAccount(account_id=9_999, firm_id=FIRM)),
    ("SOURCES_MAX", 1, credit()),
    # Every account was given two assets.
    ("DEPOSITS_MAX", 2 * len(ACCOUNTS), credit()),
]


@pytest.mark.parametrize(("name", "bound", "command"), FULL)
def test_a_full_table_takes_no_more(
    reference_venue: Venue, monkeypatch: pytest.MonkeyPatch, name: str, bound: int, command: Message
) -> None:
    monkeypatch.setattr(limits, name, bound)
    told = reference_venue.operate(command)
    assert told.system() == ["answer CAPACITY"]
    monkeypatch.setattr(limits, name, bound + 1)
    again: Any = command
    if name == "DEPOSITS_MAX":
        # The number was used up by the first.
        again = credit(source_seq=2)
    told = reference_venue.operate(again)
    assert told.reasons() == (["UNKNOWN_ASSET"] if name == "MARKETS_MAX" else [])


def test_a_known_source_goes_on_when_the_table_is_full(
    reference_venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SOURCES_MAX", 1)
    assert reference_venue.credit(FIRST, BASE, 1).reasons() == []
    # A gap is named before the table is looked at.
    assert reference_venue.operate(credit(source_seq=2)).reasons() == ["SOURCE_GAP"]


def test_what_becomes_final_makes_room(
    reference_venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = reference_venue
    monkeypatch.setattr(limits, "WITHDRAWALS_MAX", 1)
    first, second = (venue.withdrawal(SECOND, QUOTE, 5) for _ in range(2))
    assert venue.send(first).reasons() == []
    assert venue.send(second).reasons() == ["CAPACITY"]
    venue.custody(system.ReleaseWithdrawal(withdrawal_id=first.request_id))
    assert venue.send(venue.withdrawal(SECOND, QUOTE, 5)).reasons() == ["CAPACITY"]
    venue.custody(system.FinalizeWithdrawal(withdrawal_id=first.request_id))
    assert venue.send(venue.withdrawal(SECOND, QUOTE, 5)).reasons() == []


# --- sessions


def sessions(venue: Venue) -> list[int]:
    """Ids of the sessions."""
    section = snapshot_pb2.SessionsSection.FromString(venue.state.head.sessions)
    return [row.established.session_id for row in section.sessions]


def lose(venue: Venue, session_id: int) -> None:
    """The connection of a session is lost."""
    told = venue.operate(system.SessionLost(session_id=session_id, connection=1))
    assert told.reasons() == []


@pytest.fixture
def two_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no room for a third one."""
    monkeypatch.setattr(limits, "SESSIONS_MAX", 2)


def establish(venue: Venue) -> list[str]:
    """A third session is opened; why it is refused."""
    return venue.establish(3, FIRM, (FIRST,)).reasons()


@pytest.mark.usefixtures("two_sessions")
@pytest.mark.parametrize(
    ("prepare", "waits_ns", "left"),
    [
        (lambda _: None, 2 * HOUR_NS, None),
        (lambda v: lose(v, SESSION), HOUR_NS - SECOND_NS, None),
        (lambda v: lose(v, SESSION), HOUR_NS + SECOND_NS, [OTHER_SESSION, 3]),
        (lambda v: lose(v, OTHER_SESSION), HOUR_NS + SECOND_NS, [SESSION, 3]),
    ],
)
def test_a_session_that_is_idle_for_an_hour_makes_room(
    reference_venue: Venue, prepare: Callable[[Venue], None], waits_ns: int, left: list[int] | None
) -> None:
    prepare(reference_venue)
    reference_venue.wait(waits_ns)
    assert establish(reference_venue) == ([] if left else ["CAPACITY"])
    assert sessions(reference_venue) == (left or [SESSION, OTHER_SESSION])


@pytest.mark.usefixtures("two_sessions")
def test_the_one_that_was_used_last_stays(reference_venue: Venue) -> None:
    venue = reference_venue
    venue.wait(SECOND_NS)
    venue.in_session(venue.mass_cancel(FIRST))
    for session_id in (SESSION, OTHER_SESSION):
        lose(venue, session_id)
    venue.wait(2 * HOUR_NS)
    assert establish(venue) == []
    assert sessions(venue) == [SESSION, 3]


@pytest.mark.usefixtures("two_sessions")
def test_a_session_that_exists_needs_no_room(reference_venue: Venue) -> None:
    assert reference_venue.establish(SESSION, FIRM, (FIRST,)).reasons() == []
