"""Section 3: what an id means, how long it is kept, and what a repeat is told."""

from typing import Final

import pytest
from google.protobuf.message import Message

from cambist.internal.journal.v1 import snapshot_pb2
from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import enums_pb2 as enums
from cambist.orders.v1 import events_pb2 as events
from tests.reference.later_commands import later_commands
from tests.reference.venue import (
    BASE,
    BUY,
    FIRST,
    MARKET,
    QUOTE,
    SECOND,
    SECOND_NS,
    SELL,
    STRANGER,
    WEALTH,
    Venue,
)

RETENTION_NS: Final = 600 * SECOND_NS
AHEAD_NS: Final = 5 * SECOND_NS
CAPACITY: Final = 16


def keys(venue: Venue, account: int = FIRST) -> list[snapshot_pb2.KeyState]:
    """The ids of an account."""
    for row in venue.state.keys.accounts:
        if row.account_id == account:
            return list(row.keys)
    return []


def stale_floor(venue: Venue, account: int = FIRST) -> int:
    """Commands sent up to here are stale."""
    return sum(row.stale_floor_ns for row in venue.state.keys.accounts if row.account_id == account)


# --- repeats


def requests(venue: Venue) -> dict[str, tuple[Message, list[str]]]:
    """A command of every kind that has ids, and what its repeat is told."""
    bid = venue.place(FIRST, BUY, 90, 10)
    gone = venue.place(FIRST, BUY, 90, 10)
    return {
        "order": (venue.order(FIRST, BUY, 91, 10, tag=3), ["NEW 10@91"]),
        "market order": (venue.market_order(FIRST, SELL, 1), ["NEW 1@0"]),
        "cancel": (venue.cancel(FIRST, gone.id), ["CANCELED REQUESTED 0 cum 0"]),
        "amend": (venue.amend(FIRST, bid.id, 92, 11), ["REPLACED 11@92 leaves 0 cum 0"]),
        "mass cancel": (venue.mass_cancel(FIRST, side=SELL), ["MASS CANCEL 0"]),
        "transfer": (venue.transfer(FIRST, SECOND, BASE, 7), ["TRANSFER_OUT 7"]),
        "withdrawal": (venue.withdrawal(FIRST, BASE, 7, 2), ["WITHDRAWAL_REQUESTED 7 fee 2"]),
        "refused order": (venue.order(FIRST, BUY, 0, 10), ["REJECTED INVALID_PRICE"]),
        "refused cancel": (venue.cancel(FIRST, 99), ["CANCEL REJECTED UNKNOWN_ORDER"]),
        "refused amend": (venue.amend(FIRST, bid.id), ["CANCEL REJECTED NOTHING_TO_AMEND"]),
        "refused mass cancel": (
            venue.mass_cancel(FIRST, market_id=1),
            ["CANCEL REJECTED WRONG_SHARD"],
        ),
        "refused transfer": (
            venue.transfer(FIRST, STRANGER, BASE, 7),
            ["TRANSFER_OUT 7 FOREIGN_ACCOUNT"],
        ),
        "refused withdrawal": (
            venue.withdrawal(FIRST, BASE, 0, 3),
            ["WITHDRAWAL_REQUESTED 0 fee 3 INVALID_AMOUNT"],
        ),
    }


@pytest.mark.parametrize(
    "name",
    [
        "order",
        "market order",
        "cancel",
        "amend",
        "mass cancel",
        "transfer",
        "withdrawal",
        "refused order",
        "refused cancel",
        "refused amend",
        "refused mass cancel",
        "refused transfer",
        "refused withdrawal",
    ],
)
@pytest.mark.parametrize("is_restored", [False, True])
def test_a_repeat_is_told_the_first_answer_and_changes_nothing(
    venue: Venue, name: str, is_restored: bool
) -> None:
    sent, expected = requests(venue)[name]
    venue.send(sent)
    answer_seq = venue.engine.last_seq
    before = venue.state
    if is_restored:
        venue.restore()
    for again in (venue.send(sent), venue.in_session(sent)):
        assert again.lines(FIRST) == [f"{line} repeat of {answer_seq}" for line in expected]
        assert {frame.kind for frame in again.frames} <= {1, 2}
    now = venue.state
    assert (now.books, now.money, now.keys) == (before.books, before.money, before.keys)


def test_a_repeated_order_is_told_whole(venue: Venue) -> None:
    end = venue.now + SECOND_NS
    life = {"time_in_force": enums.TIME_IN_FORCE_GTD, "expire_time_ns": end, "tag": 5}
    placed = venue.place(FIRST, BUY, 100, 10, **life)
    venue.place(STRANGER, SELL, 100, 10)
    again = venue.send(placed.sent)
    assert again.reports() == [
        events.ExecutionReport(
            cl_ord_id=placed.id,
            order_id=placed.order_id,
            market_id=MARKET,
            exec_type=enums.EXEC_TYPE_NEW,
            side=BUY,
            price_ticks=100,
            quantity_lots=10,
            order_type=enums.ORDER_TYPE_LIMIT,
            time_in_force=enums.TIME_IN_FORCE_GTD,
            tag=5,
            expire_time_ns=end,
            repeat=True,
            first_answer_seq=placed.told.private(FIRST)[0].seq,
        )
    ]


def test_a_repeated_cancel_is_told_whole(venue: Venue) -> None:
    for by_order_id in (False, True):
        placed = venue.place(FIRST, BUY, 100, 10)
        request = venue.cancel(FIRST, placed.order_id if by_order_id else placed.id)
        venue.send(request)
        answer_seq = venue.engine.last_seq
        assert venue.send(request).reports() == [
            events.ExecutionReport(
                cl_ord_id=b"" if by_order_id else placed.id,
                request_id=request.request_id,
                order_id=placed.order_id,
                exec_type=enums.EXEC_TYPE_CANCELED,
                cancel_reason=enums.CANCEL_REASON_REQUESTED,
                repeat=True,
                first_answer_seq=answer_seq,
            )
        ]


def test_a_repeat_names_the_phase_of_the_first_answer(venue: Venue) -> None:
    venue.set_phase(enums.MARKET_PHASE_CANCEL_ONLY)
    sent = venue.order(FIRST, BUY, 100, 10)
    venue.send(sent)
    answer_seq = venue.engine.last_seq
    venue.set_phase(enums.MARKET_PHASE_CONTINUOUS)
    told = venue.send(sent).lines(FIRST)
    assert told == [f"REJECTED PHASE CANCEL_ONLY repeat of {answer_seq}"]


def test_a_repeated_mass_cancel_names_its_first_count(venue: Venue) -> None:
    for _ in range(3):
        venue.place(FIRST, BUY, 100, 10)
    request = venue.mass_cancel(FIRST)
    venue.send(request)
    venue.place(FIRST, BUY, 100, 10)
    answer_seq = venue.engine.last_seq - 1
    assert venue.send(request).lines(FIRST) == [f"MASS CANCEL 3 repeat of {answer_seq}"]
    assert venue.book() == (["10@100 of 4096"], [])


def test_an_id_is_used_by_one_kind_of_command(venue: Venue) -> None:
    placed = venue.place(FIRST, BUY, 100, 10)
    for request in (
        venue.cancel(FIRST, placed.id, request_id=placed.id),
        venue.mass_cancel(FIRST, request_id=placed.id),
        venue.amend(FIRST, placed.id, lots=3, request_id=placed.id),
    ):
        assert venue.send(request).lines(FIRST) == ["CANCEL REJECTED ID_REUSED"]
    moved = venue.transfer(FIRST, SECOND, BASE, 1, request_id=placed.id)
    assert venue.send(moved).lines(FIRST) == ["TRANSFER_OUT 1 ID_REUSED"]


# --- times


@pytest.mark.parametrize(
    ("ahead_ns", "expected"),
    [
        (AHEAD_NS, "NEW 10@100"),
        (AHEAD_NS + 1, "REJECTED SENT_TIME_AHEAD"),
        (-RETENTION_NS, "NEW 10@100"),
        (-RETENTION_NS - 1, "REJECTED STALE"),
    ],
)
def test_the_window_of_sent_times(venue: Venue, ahead_ns: int, expected: str) -> None:
    before = keys(venue)
    sent = venue.order(FIRST, BUY, 100, 10, sent_time_ns=venue.now + 1_000 + ahead_ns)
    assert venue.send(sent).lines(FIRST) == [expected]
    assert (keys(venue) == before) == (expected != "NEW 10@100")


@pytest.mark.parametrize(("late_ns", "expected"), [(0, "NEW 10@100"), (1, "REJECTED EXPIRED")])
def test_a_command_lives_as_long_as_it_says(venue: Venue, late_ns: int, expected: str) -> None:
    sent = venue.order(FIRST, BUY, 100, 10, expires_after_ms=5)
    venue.wait(5_000_000 - 1_000 + late_ns)
    assert venue.send(sent).lines(FIRST) == [expected]


def test_an_expired_command_stays_refused_and_a_known_one_is_answered(venue: Venue) -> None:
    late = venue.order(FIRST, BUY, 100, 10, expires_after_ms=1)
    early = venue.order(FIRST, BUY, 100, 10, expires_after_ms=1)
    venue.send(early)
    answer_seq = venue.engine.last_seq
    venue.wait(SECOND_NS)
    venue.send(late)
    assert venue.send(early).lines(FIRST) == [f"NEW 10@100 repeat of {answer_seq}"]
    again = venue.send(late).lines(FIRST)
    assert again == [f"REJECTED EXPIRED repeat of {answer_seq + 1}"]


def test_the_time_is_judged_before_the_command_and_after_its_id(venue: Venue) -> None:
    placed = venue.place(FIRST, BUY, 100, 10)
    old = venue.order(FIRST, BUY, 0, 10, sent_time_ns=1, expires_after_ms=1)
    assert venue.send(old).reasons() == ["STALE"]
    reused = venue.order(FIRST, BUY, 0, 10, cl_ord_id=placed.id, sent_time_ns=1)
    assert venue.send(reused).reasons() == ["ID_REUSED"]


# --- capacity


def few_ids(venue: Venue) -> None:
    """The account keeps few ids, none so far."""
    limits = system.AccountLimits(id_capacity=CAPACITY)
    venue.operate(system.SetAccountLimits(account_id=FIRST, limits=limits))


def refused_order(venue: Venue, sent_time_ns: int) -> bytes:
    """A refused order, whose id is kept; its id."""
    sent = venue.order(FIRST, BUY, 0, 1, sent_time_ns=sent_time_ns)
    venue.send(sent)
    return sent.cl_ord_id


def test_the_oldest_ids_go_and_what_is_older_is_stale(venue: Venue) -> None:
    few_ids(venue)
    start = venue.now
    # Sent in another order than taken: the time of sending counts.
    times = [start - (number * 7 % 20) * 1_000 for number in range(20)]
    ids = {refused_order(venue, time): time for time in times}
    kept = {key.id for key in keys(venue)}
    by_time = sorted(ids, key=lambda id_: (ids[id_], id_))
    assert kept == set(by_time[4:])
    assert stale_floor(venue) == ids[by_time[3]]
    for ahead, expected in ((0, "STALE"), (1, "INVALID_PRICE")):
        sent = venue.order(FIRST, BUY, 0, 1, sent_time_ns=stale_floor(venue) + ahead)
        assert venue.send(sent).reasons() == [expected]


def test_of_ids_sent_at_one_time_the_smallest_goes(venue: Venue) -> None:
    few_ids(venue)
    now = venue.now
    ids = [refused_order(venue, now) for _ in range(CAPACITY)]
    assert sorted(ids) == [key.id for key in keys(venue)]
    # Sent later, so that it is not stale afterwards.
    ids.append(refused_order(venue, now + 1))
    assert [key.id for key in keys(venue)] == sorted(ids)[1:]
    assert stale_floor(venue) == now


def test_ids_of_open_orders_do_not_count_and_stay(venue: Venue) -> None:
    few_ids(venue)
    placed = [venue.place(FIRST, BUY, 100, 1) for _ in range(CAPACITY + 4)]
    for _ in range(CAPACITY + 3):
        refused_order(venue, venue.now)
    assert {p.id for p in placed} <= {key.id for key in keys(venue)}
    assert len(keys(venue)) == len(placed) + CAPACITY
    assert venue.send(placed[0].sent).lines(FIRST)[0].startswith("NEW 1@100 repeat of ")
    venue.send(venue.mass_cancel(FIRST))
    assert len(keys(venue)) == CAPACITY
    # What was sent first went; to send it again is stale, not new.
    assert venue.send(placed[0].sent).reasons() == ["STALE"]


def test_a_smaller_capacity_drops_ids_at_once(venue: Venue) -> None:
    for _ in range(CAPACITY + 9):
        refused_order(venue, venue.now)
    assert len(keys(venue)) == CAPACITY + 9
    few_ids(venue)
    assert len(keys(venue)) == CAPACITY
    assert stale_floor(venue) > 0


def test_stale_and_ahead_leave_no_id_and_may_be_sent_again(venue: Venue) -> None:
    sent = venue.order(FIRST, BUY, 100, 10, sent_time_ns=venue.now + AHEAD_NS + SECOND_NS)
    assert venue.send(sent).reasons() == ["SENT_TIME_AHEAD"]
    venue.wait(2 * SECOND_NS)
    assert venue.send(sent).lines(FIRST) == ["NEW 10@100"]


def test_what_is_kept_of_an_id(venue: Venue) -> None:
    placed = venue.place(FIRST, BUY, 100, 10)
    refused = venue.order(FIRST, BUY, 0, 10)
    venue.send(refused)
    mass = venue.mass_cancel(FIRST)
    venue.send(mass)
    first, second, third = keys(venue)
    assert (first.id, first.kind, first.order_id) == (placed.id, 1, placed.order_id)
    assert (first.open, first.reason, first.sent_time_ns) == (False, 0, placed.sent.sent_time_ns)
    assert second.reason == enums.REJECT_REASON_INVALID_PRICE
    assert (second.order_id, second.answer_seq) == (0, first.answer_seq + 1)
    assert (third.kind, third.detail, third.answer_seq) == (4, 1, first.answer_seq + 2)


# --- accounts that cannot be told


@pytest.mark.parametrize("account", [1, 4, 16, 9_999, 0])
def test_an_account_that_is_no_firms_is_unknown_and_leaves_no_id(
    venue: Venue, account: int
) -> None:
    before = venue.state
    told = venue.send(venue.order(account, BUY, 100, 10), correlation=55)
    (event,) = told.system_events()
    assert (event.answer.correlation, event.answer.index) == (55, 0)
    assert told.system() == ["answer UNKNOWN_ACCOUNT"]
    told = venue.in_session(venue.order(account, BUY, 100, 10))
    assert told.session(1)[0] == "refused ORDER 1 UNKNOWN_ACCOUNT"
    assert venue.state.keys == before.keys
    assert (venue.state.books, venue.state.money) == (before.books, before.money)


def test_later_commands_are_refused_without_an_id(venue: Venue) -> None:
    before = venue.state.keys
    for name, sent in later_commands(venue, FIRST).items():
        told = venue.send(sent)
        line = "REJECTED UNSUPPORTED" if name == "replace" else "CANCEL REJECTED UNSUPPORTED"
        assert told.lines(FIRST) == [line]
    assert venue.state.keys == before
    assert venue.balance(FIRST, QUOTE) == (WEALTH, 0, 0)
