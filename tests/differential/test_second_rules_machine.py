"""A state machine under rules version 2 on both engines at once.

Unlike the tapes it looks at the state before it acts: it replaces, amends and cancels orders that
are open, and waits for timers that run. After every batch both engines agree, nothing that must
hold is broken, what was refused has changed nothing, and a timer that is due has cancelled all.
"""

from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from cambist.internal.journal.v1 import batch_pb2
from tests.differential.bulk_size import COMMANDS
from tests.differential.contest import Engines
from tests.differential.duel import Duel
from tests.differential.engines import Row
from tests.differential.operations import (
    Amend,
    Cancel,
    CancelAllAfter,
    Custody,
    New,
    Operation,
    Placed,
    Replace,
    RestoreNow,
    Target,
    Venue,
    Wait,
)
from tests.differential.small import ACCOUNTS, SHARD, SmallTape
from tests.differential.state import State, faults
from tests.differential.strategies import ACCOUNT, PRICE, SECOND_NEW, SECOND_OPERATIONS
from tests.differential.tape import Apply, Step
from tests.differential.test_properties import refusal, unmoved

pytest.importorskip("cambist_kernel")
ENGINES: Final = Engines(snapshot_every=1, rules_version=2)
STEPS_PER_EXAMPLE: Final = 40
# Few of the commands of all comparisons: every one of these takes several snapshots.
EXAMPLES: Final = max(20, COMMANDS // STEPS_PER_EXAMPLE // 80)
ELSE: Final = (
    "mass cancel",
    "again",
    "resolve",
    "transfer",
    "withdraw",
    "custody",
    "venue",
    "restore",
)
Name = tuple[int, bytes]


class SecondRules(RuleBasedStateMachine):
    """One small venue on both engines; every batch has one command."""

    def __init__(self) -> None:
        super().__init__()
        self.tape = SmallTape(rules_version=2)
        self.duel: Duel = ENGINES.duel(SHARD)
        self.sent = 0
        # Client ids of all orders sent, as targets number them.
        self.names: list[bytes] = []

    @initialize()
    def found(self) -> None:
        """The venue, under rules version 2."""
        for step in self.tape.steps([]):
            self.duel.step(step)
        assert self.state().head.rules_version == 2

    @rule(new=SECOND_NEW, in_session=st.booleans())
    def enter(self, new: New, in_session: bool) -> None:
        self.act(new, in_session=in_session)

    @precondition(lambda self: self.targets())
    @rule(data=st.data(), new=SECOND_NEW, allow_missing=st.booleans())
    def replace_an_open_order(self, data: st.DataObject, new: New, allow_missing: bool) -> None:
        target = self.draw_target(data)
        self.act(Replace(target, new, allow_missing))
        # Never both; of another account's order the id says nothing.
        account = ACCOUNTS[new.account]
        both = {(account, self.names[target.number]), (account, self.names[-1])}
        assert not both <= open_orders(self.state())

    @precondition(lambda self: self.targets())
    @rule(
        data=st.data(),
        price=st.one_of(st.just(0), PRICE),
        lots=st.integers(0, 8),
        display=st.integers(0, 4),
    )
    def amend_an_open_order(self, data: st.DataObject, price: int, lots: int, display: int) -> None:
        self.act(Amend(self.draw_target(data), price, lots, display))

    @precondition(lambda self: self.targets())
    @rule(data=st.data(), in_session=st.booleans())
    def cancel_an_open_order(self, data: st.DataObject, in_session: bool) -> None:
        self.act(Cancel(self.draw_target(data)), in_session=in_session)

    @rule(account=ACCOUNT, timeout_ms=st.sampled_from((0, 1, 5, 86_400_000, 86_400_001)))
    def set_the_timer(self, account: int, timeout_ms: int) -> None:
        self.act(CancelAllAfter(account, timeout_ms))

    @rule(milliseconds=st.sampled_from((1, 4, 6)))
    def wait_and_look(self, milliseconds: int) -> None:
        self.act(Wait(milliseconds))
        self.act(Venue("clock", 0, 0, 0))

    @rule(data=st.data(), name=st.sampled_from(ELSE))
    def do_something_else(self, data: st.DataObject, name: str) -> None:
        self.act(data.draw(SECOND_OPERATIONS[name]))

    # --- what every rule does

    def act(self, operation: Operation, *, in_session: bool = False) -> None:
        """Carries one operation out on both and judges what became of it."""
        if not isinstance(operation, Custody | Venue | Wait | RestoreNow):
            self.sent += 1
        if isinstance(operation, New | Replace):
            self.names.append(self.sent.to_bytes(16, "little"))
        for step in self.tape.more(Placed(operation, in_session=in_session)):
            before = self.duel.reference.snapshot()
            is_busy, kept = self.is_busy(step), unmoved(self.duel.reference, with_sources=False)
            outcome = self.duel.step(step)
            after = self.duel.reference.snapshot()
            assert faults(after) == []
            if isinstance(outcome, Row):
                judge_timers(State.of(before), State.of(after))
                if refusal(outcome.row) and not is_busy:
                    assert unmoved(self.duel.reference, with_sources=False) == kept

    def is_busy(self, step: Step) -> bool:
        """Whether a batch has more to do than its command."""
        if not isinstance(step, Apply):
            return False
        engine, batch = self.duel.reference, batch_pb2.Batch.FromString(step.batch)
        return bool(engine.open_cursors) or 0 < engine.next_timer_ns <= batch.time_ns

    def state(self) -> State:
        """The state of both."""
        return State.of(self.duel.reference.snapshot())

    def targets(self) -> list[int]:
        """Numbers of the orders that are open."""
        names = {name for _, name in open_orders(self.state())}
        return [number for number, name in enumerate(self.names) if name in names]

    def draw_target(self, data: st.DataObject) -> Target:
        """One of the open orders."""
        number = data.draw(st.sampled_from(self.targets()), label="order")
        return Target(number, by_order_id=False)


def open_orders(state: State) -> set[Name]:
    """Account and client id of what rests and of what waits."""
    resting = [order for book in state.books.books for order in (*book.bids, *book.asks)]
    waiting = [row.order for rows in state.triggers.markets for row in rows.waiting]
    return {(order.account_id, order.cl_ord_id) for order in (*resting, *waiting)}


def judge_timers(before: State, after: State) -> None:
    """No timer is due after a batch, and of one that was nothing is open any more."""
    now_ns = after.head.time_ns
    of_before = open_orders(before)
    for account in before.limits.accounts:
        if 0 < account.cancel_all_at_ns <= now_ns:
            mine = {name for name in of_before if name[0] == account.account.account_id}
            assert not mine & open_orders(after)
    for account in after.limits.accounts:
        assert account.cancel_all_at_ns == 0 or account.cancel_all_at_ns > now_ns


TestSecondRules = SecondRules.TestCase
TestSecondRules.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS_PER_EXAMPLE,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
