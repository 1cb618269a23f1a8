"""Private events are found by their number, wherever the history ends and whatever is gone."""

import pytest

from cambist.orders.v1 import events_pb2
from matching.projector.account_index import AccountEvents, AccountIndex, Question
from runtime.errors import Unavailable
from runtime.postgres import Database
from tests.matching.projector.conftest import MakeProjector
from tests.matching.projector.journal import ACCOUNTS, SHARD, Journal, store
from tests.matching.projector.test_projector import private_events


def of_account(journal: Journal, account: int) -> list[events_pb2.PrivateEvent]:
    """All events of an account."""
    events = [one for one in private_events(journal.rows) if one.account_id == account]
    return sorted(events, key=lambda event: event.account_seq)


def container(events: list[events_pb2.PrivateEvent]) -> AccountEvents:
    return AccountEvents(events_pb2.PrivateEvents(events=events).SerializeToString())


async def project(make_projector: MakeProjector, database: Database, share: float) -> Journal:
    """A journal of which this share of rows is projected."""
    journal = Journal(seed=31).play(150)
    count = int(len(journal.rows) * share)
    await store(database, journal.rows[:count])
    await make_projector(rows_max=40).catch_up()
    await store(database, journal.rows[count:])
    return journal


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
async def test_every_stretch_is_what_was_told(
    database: Database, make_projector: MakeProjector, share: float
) -> None:
    journal = await project(make_projector, database, share)
    index = AccountIndex(database, SHARD)
    head = journal.tail.last_seq
    for account in ACCOUNTS:
        events = of_account(journal, account)
        assert len(events) > 100
        for start in (1, 2, 50, len(events) - 3, len(events), len(events) + 1, len(events) + 50):
            for count in (1, 7, 1_000):
                found = await index.read(Question(account, start, count, head))
                assert found == container(events[start - 1 : start - 1 + count])


async def test_nothing_beyond_the_released_sequence_is_told(
    database: Database, make_projector: MakeProjector
) -> None:
    journal = await project(make_projector, database, 0.5)
    index = AccountIndex(database, SHARD)
    for row in journal.rows[2::29]:
        events = [one for one in of_account(journal, ACCOUNTS[0]) if one.seq <= row.last_seq]
        found = await index.read(Question(ACCOUNTS[0], 1, 1_000, row.last_seq))
        assert found == container(events)


async def test_an_unknown_account_has_no_events(
    database: Database, make_projector: MakeProjector
) -> None:
    journal = await project(make_projector, database, 0.5)
    question = Question(77_777, 1, 10, journal.tail.last_seq)
    assert await AccountIndex(database, SHARD).read(question) == AccountEvents(b"")


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 1.0])
async def test_the_oldest_event_that_is_kept_is_named(
    database: Database, make_projector: MakeProjector, share: float
) -> None:
    journal = await project(make_projector, database, share)
    gone = journal.rows[60]
    await database.write("delete from journal.events where first_seq <= $1", gone.first_seq)
    events = of_account(journal, ACCOUNTS[1])
    kept = [one for one in events if one.seq > gone.last_seq]
    index, head = AccountIndex(database, SHARD), journal.tail.last_seq
    for start in (1, 20, kept[0].account_seq - 1):
        found = await index.read(Question(ACCOUNTS[1], start, 10, head))
        assert found == AccountEvents(b"", kept[0].account_seq)
    found = await index.read(Question(ACCOUNTS[1], kept[0].account_seq, 10, head))
    assert found == container(kept[:10])


async def test_when_nothing_is_kept_the_next_event_is_the_oldest(
    database: Database, make_projector: MakeProjector
) -> None:
    journal = await project(make_projector, database, 1.0)
    await database.write("delete from journal.events")
    count = len(of_account(journal, ACCOUNTS[1]))
    index, head = AccountIndex(database, SHARD), journal.tail.last_seq
    assert await index.read(Question(ACCOUNTS[1], 5, 10, head)) == AccountEvents(b"", count + 1)
    assert await index.read(Question(ACCOUNTS[1], count + 1, 10, head)) == AccountEvents(b"")


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
async def test_many_bytes_are_cut_at_a_frame(
    database: Database, make_projector: MakeProjector, share: float
) -> None:
    journal = await project(make_projector, database, share)
    events = of_account(journal, ACCOUNTS[2])
    index = AccountIndex(database, SHARD, bytes_max=400)
    start, parts = 1, b""
    while start <= len(events):
        question = Question(ACCOUNTS[2], start, 1_000, journal.tail.last_seq)
        part = (await index.read(question)).events
        read = events_pb2.PrivateEvents.FromString(part).events
        assert read
        assert len(read) < 40
        parts += part
        start = read[-1].account_seq + 1
    assert AccountEvents(parts) == container(events)


async def test_a_tail_that_is_too_long_is_not_an_end_of_events(
    database: Database, make_projector: MakeProjector
) -> None:
    journal = await project(make_projector, database, 0.1)
    index = AccountIndex(database, SHARD, tail_rows_max=20)
    events = of_account(journal, ACCOUNTS[0])
    with pytest.raises(Unavailable):
        await index.read(Question(ACCOUNTS[0], len(events) + 1, 10, journal.tail.last_seq))
