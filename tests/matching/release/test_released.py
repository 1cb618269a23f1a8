"""Releasing rows: streams wake, listeners hear, answers are found."""

import asyncio

import pytest

from cambist.orders.v1 import enums_pb2
from matching.journal.rows import JournalRow, Tail
from matching.release.answers import Answers, answers_in
from matching.release.released import Released
from tests.matching.projector.journal import Journal, system


@pytest.fixture
def journal() -> Journal:
    return Journal(1).play(5)


async def test_those_who_wait_hear_of_each_row(journal: Journal) -> None:
    released = Released(1 << 20, Tail())
    waiting = [asyncio.create_task(released.wait_beyond(0)) for _ in range(3)]
    gone = asyncio.create_task(released.wait_beyond(0))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait({gone})
    released.release(journal.rows[0], 1, 2)
    assert await asyncio.gather(*waiting) == [True, True, True]
    assert released.seq == journal.rows[0].last_seq
    assert released.tail == journal.rows[0].tail


async def test_the_end_wakes_everybody(journal: Journal) -> None:
    released = Released(1 << 20, Tail())
    waiting = asyncio.create_task(released.wait_beyond(0))
    await asyncio.sleep(0)
    released.close()
    assert await waiting is False


class Heard:
    def __init__(self) -> None:
        self.rows: list[JournalRow] = []

    def row_released(self, row: JournalRow) -> None:
        self.rows.append(row)


async def test_listeners_hear_rows_in_order(journal: Journal) -> None:
    released, heard = Released(1, Tail()), Heard()
    released.listen(heard)
    for row in journal.rows:
        released.release(row, 1, 2)
    assert heard.rows == journal.rows


async def test_an_answer_reaches_who_waits_for_its_correlation(journal: Journal) -> None:
    answers = Answers()
    mine, others, forgotten = answers.expect(77), answers.expect(78), answers.expect(79)
    answers.forget(79)
    envelope = journal.of_system(system(halt={"market_id": 1}))
    envelope.correlation = 77
    row = journal.commit(envelope)
    assert answers_in(row.events) == [(77, enums_pb2.REJECT_REASON_WRONG_SHARD)]
    answers.row_released(row)
    assert await mine == enums_pb2.REJECT_REASON_WRONG_SHARD
    assert not others.done()
    assert not forgotten.done()
    # The same answer again, on a replay, finds nobody.
    answers.row_released(row)
