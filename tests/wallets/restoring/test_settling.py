"""Commands of a lost time: credits are adopted once, withdrawals parked, the rest is told."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from cambist.internal.journal.v1 import frames_pb2
from cambist.internal.matching.v1 import matching_pb2
from cambist.orders.v1 import enums_pb2, events_pb2
from runtime import postgres
from runtime.postgres import Connection, Database
from runtime.settings import PostgresSettings
from tests.feed.rows import event_row
from tests.wallets.conftest import NETWORK_ID
from wallets.contract import BlockRef, WithdrawalId
from wallets.core import inbox
from wallets.core.engine_ahead import PARKED
from wallets.core.inbox import Answered, JournalRow, Requested
from wallets.core.outbox import SEQ_BITS
from wallets.errors import Rejected
from wallets.reconciliation import cut
from wallets.reconciliation.checks import Owed
from wallets.reconciliation.cut import Cut
from wallets.restoring import effects, limits
from wallets.restoring.effects import Effect
from wallets.restoring.settling import Settling, Unknown
from wallets.screening import held
from wallets.service import cancelling

SHARD, SOURCE_ID, ASSET_ID, ACCOUNT = 3, 7, 1, 4_096
DEPOSIT, WITHDRAWAL = b"d" * 16, WithdrawalId(b"w" * 16)
BY = ("anna", "boris")
CREDIT = events_pb2.MONEY_KIND_CREDIT
STARTED = events_pb2.MONEY_KIND_WITHDRAWAL_STARTED


class Told(Settling):
    """The engine's journal is what the test says it is; `effects` has tests of its own."""

    __slots__ = ()
    told: list[Effect] = []  # noqa: RUF012 - set by each test

    async def read_effects(self, unknown: Sequence[Unknown]) -> list[Effect]:
        wanted = {one.number for one in unknown}
        return [one for one in self.told if one.number in wanted]


@pytest.fixture
async def settling(
    custody: Connection, postgres_settings: PostgresSettings
) -> AsyncIterator[Settling]:
    await custody.execute(
        "insert into custody.asset values ($1, $2, '', 'BTC', 8, 8, 0, 0)", NETWORK_ID, ASSET_ID
    )
    await custody.execute(
        "insert into custody.source values ($1, $2, $3)", SOURCE_ID, NETWORK_ID, SHARD
    )
    await custody.execute("update custody.chain set deposit_final_depth = 4")
    database = await postgres.connect(postgres_settings, application_name="restoring")
    yield Told(database, NETWORK_ID, {})
    await database.close()


async def engine_is_ahead(database: Database, *numbers: int) -> None:
    """The journal tells of a withdrawal and of answers to numbers that were never given."""
    asked = Requested(WITHDRAWAL, ACCOUNT, ASSET_ID, NETWORK_ID, 500, 20, "somewhere")
    await inbox.take(database, JournalRow(SHARD, 1, 1, (asked,)))
    for place, number in enumerate(numbers, 2):
        row = JournalRow(SHARD, place, place, (Answered(SOURCE_ID, number, 0),))
        await inbox.take(database, row)


async def add_deposit(custody: Connection, *, height: int = 6, state: str = "held") -> None:
    await custody.execute("insert into custody.block values ($1, 10, 'h', 'p', 0, '')", NETWORK_ID)
    await custody.execute(
        "insert into custody.deposit (deposit_id, network_id, txid, index, key, account_id, "
        "asset_id, contract, amount_atoms, engine_atoms, state, reason, block_height) "
        "values ($1, $2, 'aa', 0, 'k', $3, $4, '', 150, 150, $5, $6, $7)",
        DEPOSIT,
        NETWORK_ID,
        ACCOUNT,
        ASSET_ID,
        state,
        "ASSET_SUSPENDED" if state == "held" else "",
        height,
    )


def credit(number: int = 1, **changes: Any) -> Effect:
    told: dict[str, Any] = {
        "kind": CREDIT,
        "subject_id": DEPOSIT,
        "account_id": ACCOUNT,
        "asset_id": ASSET_ID,
        "amount_atoms": 150,
    }
    return Effect((SOURCE_ID, number), number + 1, **{"reason": 0, **told, **changes})


async def test_each_unknown_number_is_kept_with_where_the_journal_tells_of_it(
    settling: Settling,
) -> None:
    await engine_is_ahead(settling.database, 1, 2)
    assert await settling.read_all() == [
        Unknown((SOURCE_ID, 1), 1, SHARD, is_open=True),
        Unknown((SOURCE_ID, 2), 2, SHARD, is_open=True),
    ]


@pytest.mark.parametrize("state", ["held", "confirming"])
async def test_a_credit_is_adopted_once_is_on_the_book_and_tells_the_engine_nothing(
    settling: Settling, custody: Connection, state: str
) -> None:
    await engine_is_ahead(settling.database, 1, 2)
    await add_deposit(custody, state=state)
    nothing = Effect((SOURCE_ID, 2), 3, 0)
    Told.told = [credit(), nothing]
    assert await settling.adopt(BY) == ([credit(), nothing], [])
    assert await settling.adopt(BY) == ([], [])
    row = await custody.fetchrow("select * from custody.deposit")
    assert row is not None
    assert (row["state"], row["credit_count"], row["is_final"]) == ("withdrawable", 1, True)
    book = await custody.fetch("select account, amount_atoms from custody.posting order by 1")
    assert [(one["account"], int(one["amount_atoms"])) for one in book] == [
        ("customers", -150),
        ("hot", 150),
    ]
    assert await custody.fetchval("select count(*) from custody.outbox") == 0
    kept = await custody.fetch("select settlement, people from custody.unknown_command order by 1")
    assert [(one["settlement"], one["people"]) for one in kept] == [
        ("credited", list(BY)),
        ("nothing", list(BY)),
    ]


@pytest.mark.parametrize(
    ("height", "told", "reason"),
    [
        (7, [credit()], "NOT_FINAL"),
        (6, [credit(amount_atoms=151)], "OTHER_DEPOSIT"),
        (6, [credit(account_id=5)], "OTHER_DEPOSIT"),
        (6, [credit(subject_id=b"x" * 16)], "UNKNOWN_DEPOSIT"),
        (6, [credit(reason=4)], "REFUSED"),
        (6, [credit(kind=events_pb2.MONEY_KIND_CREDIT_REVERSED)], "NOT_SIMPLE"),
        (6, [credit(), credit(2, kind=events_pb2.MONEY_KIND_CREDIT_REVERSED)], "NOT_SIMPLE"),
    ],
)
async def test_what_is_not_simple_is_left_to_people_and_changes_nothing(
    settling: Settling, custody: Connection, height: int, told: list[Effect], reason: str
) -> None:
    await engine_is_ahead(settling.database, *(one.number[1] for one in told))
    await add_deposit(custody, height=height)
    Told.told = told
    done, left = await settling.adopt(BY)
    assert done == []
    assert [(one, why.partition(":")[0]) for one, why in left] == [(one, reason) for one in told]
    assert await custody.fetchval("select state from custody.deposit") == "held"
    assert await custody.fetchval("select count(*) from custody.posting") == 0
    with pytest.raises(Rejected, match="NOT_SETTLED"):
        await settling.end(BY)


async def test_a_credit_whose_reversal_people_settled_before_is_not_adopted(
    settling: Settling, custody: Connection
) -> None:
    await engine_is_ahead(settling.database, 1, 2)
    await add_deposit(custody)
    Told.told = [credit(), credit(2, kind=events_pb2.MONEY_KIND_CREDIT_REVERSED)]
    await settling.settle((SOURCE_ID, 2), "taken back", BY)
    done, left = await settling.adopt(BY)
    assert (done, [one for one, _ in left]) == ([], [credit()])


async def test_more_commands_than_can_be_judged_together_are_refused(
    settling: Settling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "UNKNOWN_MAX", 1)
    await engine_is_ahead(settling.database, 1, 2)
    with pytest.raises(Rejected, match="TOO_MANY"):
        await settling.adopt(BY)


async def test_a_withdrawal_is_parked_nobody_pays_it_and_nobody_cancels_it(
    settling: Settling, custody: Connection
) -> None:
    await engine_is_ahead(settling.database, 1)
    Told.told = [credit(kind=STARTED, subject_id=WITHDRAWAL)]
    await settling.adopt(BY)
    row = await custody.fetchrow("select state, reason from custody.payout")
    assert row is not None
    assert tuple(row) == ("held", PARKED)
    with pytest.raises(Rejected, match="TOO_LATE"):
        await cancelling.cancel(settling.database, ACCOUNT, WITHDRAWAL)
    # Also one that a screening had held.
    await custody.execute(
        "insert into custody.payout_screening (withdrawal_id, network_id, verdict, reason, "
        "reference) values ($1, $2, 'hold', '', '')",
        WITHDRAWAL,
        NETWORK_ID,
    )
    for decide in (held.release, held.refuse):
        with pytest.raises(Rejected, match="WITHDRAWAL_STATE"):
            await decide(settling.database, NETWORK_ID, WITHDRAWAL, BY)


async def test_two_persons_end_it_when_all_is_settled_and_only_this_stop(
    settling: Settling, custody: Connection
) -> None:
    await engine_is_ahead(settling.database, 1)
    number = (SOURCE_ID, 1)
    for people in ((), ("anna",), ("anna", "Anna ")):
        with pytest.raises(Rejected, match="TWO_PERSONS"):
            await settling.settle(number, "looked at", people)
        with pytest.raises(Rejected, match="TWO_PERSONS"):
            await settling.end(people)
    with pytest.raises(Rejected, match="INVALID_NOTE"):
        await settling.settle(number, "", BY)
    for wrong in ((SOURCE_ID, 2), (SOURCE_ID + 1, 1)):
        with pytest.raises(Rejected, match="UNKNOWN_COMMAND"):
            await settling.settle(wrong, "looked at", BY)
    with pytest.raises(Rejected, match="NOT_SETTLED"):
        await settling.end(BY)
    await settling.settle(number, "looked at", BY)
    await custody.execute("update custody.chain set stopped_reason = 'Restored: other'")
    with pytest.raises(Rejected, match="NOT_STOPPED"):
        await settling.end(BY)
    await custody.execute("update custody.chain set stopped_reason = 'EngineAhead: 7/1'")
    await settling.end(BY)
    row = await custody.fetchrow(
        "select withdrawals_stopped, stopped_reason, deposits_suspended "
        "from custody.chain join custody.asset using (network_id)"
    )
    assert row is not None
    assert tuple(row) == (False, "", False)
    event = await custody.fetchrow("select * from custody.event where kind = 'engine_ahead'")
    assert event is not None
    assert (event["subject_id"], event["state_after"]) == (str(NETWORK_ID), "paying")
    assert "anna and boris" in event["reason"]


async def test_deposits_that_the_venue_had_suspended_itself_stay_so(
    settling: Settling, custody: Connection
) -> None:
    await custody.execute("update custody.asset set deposits_suspended = true")
    await engine_is_ahead(settling.database, 1)
    await settling.settle((SOURCE_ID, 1), "looked at", BY)
    await settling.end(BY)
    assert await custody.fetchval("select deposits_suspended from custody.asset")


async def test_what_nobody_has_settled_is_no_opening_of_the_books(
    settling: Settling, custody: Connection
) -> None:
    openings = "select engine_atoms from custody.reconciliation_opening"
    look = Cut(BlockRef(-1, ""), (), (Owed(ASSET_ID, 0, 150),), ())
    await engine_is_ahead(settling.database, 1)
    await cut.record(settling.database, NETWORK_ID, look, (), ())
    assert await custody.fetch(openings) == []
    await settling.settle((SOURCE_ID, 1), "looked at", BY)
    await cut.record(settling.database, NETWORK_ID, look, (), ())
    assert await custody.fetchval(openings) == 150


def test_an_effect_is_the_money_report_of_the_same_sequence_as_the_answer() -> None:
    def answered(seq: int, number: int, reason: int = 0) -> frames_pb2.SystemEvent:
        told = frames_pb2.SystemAnswer(correlation=SOURCE_ID << SEQ_BITS | number, reason=reason)  # type: ignore[arg-type]
        return frames_pb2.SystemEvent(seq=seq, answer=told)

    report = events_pb2.MoneyReport(
        kind=CREDIT, id=DEPOSIT, asset_id=ASSET_ID, amount_atoms=(150).to_bytes(16, "little")
    )
    private = [
        events_pb2.PrivateEvent(seq=seq, account_id=ACCOUNT, money_report=report) for seq in (4, 9)
    ]
    gap = int(enums_pb2.REJECT_REASON_SOURCE_GAP)
    row = event_row(
        {
            (frames_pb2.FRAME_KIND_PRIVATE, ACCOUNT): events_pb2.PrivateEvents(events=private),
            (frames_pb2.FRAME_KIND_SYSTEM, 0): frames_pb2.SystemEvents(
                events=[answered(3, 5), answered(4, 6), answered(5, 7, gap), answered(6, 8)]
            ),
        }
    )
    wanted = {(SOURCE_ID, number) for number in (5, 6, 7)}
    first, second = effects.of_row(row, wanted)
    assert first == Effect((SOURCE_ID, 5), 3, 0)
    assert second == Effect((SOURCE_ID, 6), 4, 0, CREDIT, DEPOSIT, ACCOUNT, ASSET_ID, 150)
    assert str(second) == (
        f"7/6 at 4: credit {DEPOSIT.hex()}, 150 atoms of asset 1, account {ACCOUNT}"
    )


class ShortJournal:
    """A stub whose journal has ended before the sequence that is asked for."""

    async def GetStatus(self, *_: Any, **__: Any) -> matching_pb2.GetStatusResponse:  # noqa: N802
        return matching_pb2.GetStatusResponse(released_seq=4)


async def test_a_journal_that_ends_earlier_tells_nothing() -> None:
    stub: Any = ShortJournal()
    assert [one async for one in effects.read(stub, SHARD, 5, {(SOURCE_ID, 1)})] == []
