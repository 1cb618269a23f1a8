"""What must hold after every command, on random short tapes: money, holds, books, ids, volume."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cambist.feed.row import frames as frames_of
from cambist.internal.journal.v1 import batch_pb2
from cambist.internal.journal.v1 import frames_pb2 as frames
from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from cambist.orders.v1 import events_pb2 as events
from tests.differential.conftest import best_engine
from tests.differential.engines import Engine, Kind, Row
from tests.differential.flow import messages
from tests.differential.ledger import Ledger
from tests.differential.operations import Placed
from tests.differential.small import ACCOUNTS, MARKETS, SHARD, SmallTape
from tests.differential.state import State, faults
from tests.differential.strategies import SECOND_SINGLE_COMMANDS, SINGLE_COMMANDS, TAPES
from tests.differential.tape import Apply, Restore
from tests.differential.walk import rows, walk

usual = settings(
    max_examples=100,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@usual
@given(SINGLE_COMMANDS)
def test_money_holds_books_and_ids_fit_after_every_command(
    engine_kind: Kind, placed: list[Placed]
) -> None:
    for walked in walk(engine_kind, SHARD, SmallTape().steps(placed)):
        assert faults(walked.engine.snapshot()) == []


@usual
@given(SECOND_SINGLE_COMMANDS)
def test_money_holds_books_and_ids_fit_under_the_second_rules(placed: list[Placed]) -> None:
    steps = SmallTape(rules_version=2).steps(placed)
    for walked in walk(best_engine(2), SHARD, steps):
        assert faults(walked.engine.snapshot()) == []


def refusal(row: bytes) -> bool:
    """Whether a row of one command says that it was refused, and nothing else."""
    found: list[int] = []
    for frame in frames_of(row):
        if frame.kind == frames.FRAME_KIND_PRIVATE:
            for event in events.PrivateEvents.FromString(frame.payload).events:
                told = getattr(event, event.WhichOneof("event") or "")
                found.append(getattr(told, "reject_reason", 0))
        elif frame.kind == frames.FRAME_KIND_SYSTEM:
            answers = frames.SystemEvents.FromString(frame.payload).events
            found += [event.answer.reason for event in answers]
        elif frame.kind == frames.FRAME_KIND_SESSION:
            said = events.SessionEvents.FromString(frame.payload).events
            found += [e.refused.reason or e.not_applied.reason for e in said if not e.applied.count]
        else:
            found.append(0)
    return bool(found) and all(found)


def unmoved(engine: Engine, *, with_sources: bool) -> tuple[bytes, bytes, bytes]:
    """Books, money and triggers; a refused command of custody has still used its number up."""
    state = State.of(engine.snapshot())
    if not with_sources:
        state.money.ClearField("sources")
    money = state.money.SerializeToString(deterministic=True)
    return state.head.books, money, state.head.triggers


@usual
@given(SINGLE_COMMANDS)
def test_a_refused_command_changes_no_book_no_money_no_trigger(
    engine_kind: Kind, placed: list[Placed]
) -> None:
    engine = engine_kind.make(SHARD)
    for step in SmallTape().steps(placed):
        if isinstance(step, Restore):
            engine = engine_kind.restore(engine.snapshot())
            continue
        batch = batch_pb2.Batch.FromString(step.batch)
        is_due = engine.open_cursors or 0 < engine.next_timer_ns <= batch.time_ns
        is_firms = batch.envelopes[0].command_class != enums.COMMAND_CLASS_SYSTEM
        before = unmoved(engine, with_sources=is_firms)
        outcome = engine_kind.apply(engine, step.batch)
        assert isinstance(outcome, Row)
        if refusal(outcome.row) and not is_due:
            assert unmoved(engine, with_sources=is_firms) == before


@usual
@given(TAPES)
def test_volume_adds_up(engine_kind: Kind, placed: list[Placed]) -> None:
    ledger, resting_lots = Ledger(), 0
    for walked in walk(engine_kind, SHARD, SmallTape().steps(placed)):
        if walked.row is not None:
            ledger.take(walked.row)
        books = State.of(walked.engine.snapshot()).books.books
        orders = [order for book in books for order in (*book.bids, *book.asks)]
        resting_lots = sum(order.leaves_lots for order in orders)
    assert ledger.filled_lots == 2 * ledger.traded_lots
    assert ledger.submitted_lots == 2 * ledger.traded_lots + resting_lots + ledger.cancelled_lots


def drain(engine_kind: Kind, engine: Engine) -> None:
    """Opens every market for cancels and cancels all orders of all accounts."""
    openers = [
        system.SetPhase(market_id=market, phase=enums.MARKET_PHASE_CANCEL_ONLY)
        for market in MARKETS
    ]
    envelopes = [messages.system_envelope(openers)]
    for account in ACCOUNTS:
        request = commands.MassCancel(
            request_id=b"drain" + account.to_bytes(11, "big"),
            account_id=account,
            sent_time_ns=engine.time_ns + 1,
        )
        envelopes.append(
            messages.firm_envelope(enums.COMMAND_CLASS_UNARY, [messages.command(request)])
        )
    batch = messages.batch(SHARD, engine.last_seq + 1, engine.time_ns, envelopes)
    assert isinstance(engine_kind.apply(engine, batch), Row)


@usual
@given(TAPES)
def test_drained_books_leave_no_hold(engine_kind: Kind, placed: list[Placed]) -> None:
    *_, last = walk(engine_kind, SHARD, SmallTape().steps(placed))
    drain(engine_kind, last.engine)
    state = State.of(last.engine.snapshot())
    assert [book for book in state.books.books if book.bids or book.asks] == []
    of_withdrawals = state.needed_holds()
    assert state.held() == of_withdrawals


@usual
@given(TAPES)
def test_the_same_tape_gives_the_same_bytes(engine_kind: Kind, placed: list[Placed]) -> None:
    steps = SmallTape().steps(placed)
    assert rows(engine_kind, SHARD, steps) == rows(engine_kind, SHARD, steps)


@usual
@given(TAPES, st.data())
def test_a_snapshot_at_any_point_changes_nothing_afterwards(
    engine_kind: Kind, placed: list[Placed], data: st.DataObject
) -> None:
    steps = [step for step in SmallTape().steps(placed) if isinstance(step, Apply)]
    place = data.draw(st.integers(0, len(steps)), label="snapshot after this many batches")
    through = list(walk(engine_kind, SHARD, steps))
    interrupted = list(walk(engine_kind, SHARD, [*steps[:place], Restore(), *steps[place:]]))
    assert [w.outcome for w in interrupted if w.outcome] == [w.outcome for w in through]
    assert interrupted[-1].engine.snapshot() == through[-1].engine.snapshot()
