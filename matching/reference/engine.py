"""The engine: batches in, event rows out, one chained hash. Section 9 is its interface."""

from typing import Self

from blake3 import blake3

from cambist.internal.journal.v1 import frames_pb2
from cambist.orders.v1 import enums_pb2
from matching.reference import (
    disconnect,
    envelopes,
    firm,
    limits,
    order_events,
    snapshot,
    system,
    triggers,
)
from matching.reference.batches import OpenBatch, open_batch
from matching.reference.errors import EnginePanicked
from matching.reference.run import Run
from matching.reference.state import Market, State


class Engine:
    """The state machine of one shard."""

    check_envelope = staticmethod(envelopes.check_envelope)

    def __init__(self, shard: int, rules_newest: int = 1) -> None:
        """An empty shard; `rules_newest` is the newest rules version that it may switch to."""
        assert 1 <= rules_newest <= limits.RULES_NEWEST, "a rules version of this build"
        self._state = State(shard)
        self._rules_newest = rules_newest

    @classmethod
    def restore(cls, data: bytes, rules_newest: int = 1) -> Self:
        """An engine in the state of a snapshot. Raises SnapshotRefused."""
        engine = cls(0, rules_newest)
        engine._state = snapshot.decode(data, rules_newest)
        return engine

    def apply(self, batch: bytes) -> bytes:
        """Applies a batch and gives its event row.

        Raises BatchRefused or MalformedEnvelope, with nothing changed, or EnginePanicked, after
        which the object must be dropped.
        """
        state = self._state
        opened = open_batch(batch, state.shard, state.last_seq, state.time_ns)
        try:
            row = self._apply(opened)
        except Exception as error:
            raise EnginePanicked(f"{type(error).__name__}: {error}") from error
        hashed = blake3(state.state_hash)
        hashed.update(blake3(batch).digest())
        hashed.update(blake3(row).digest())
        state.state_hash = hashed.digest()
        return row

    def apply_expecting(self, batch: bytes, row: bytes) -> bool:
        """Applies a batch and says whether its event row is `row`. Raises what `apply` does."""
        return self.apply(batch) == row

    def _apply(self, batch: OpenBatch) -> bytes:
        state = self._state
        state.time_ns = batch.time_ns
        run = Run(
            state,
            batch.time_ns,
            batch.first_seq,
            batch.time_ns,
            rules_version=state.rules_version,
            rules_newest=self._rules_newest,
            rules_next=state.rules_version,
        )
        run_cursors(run)
        run_timers(run)
        triggers.cascade(run)
        seq = batch.first_seq
        for envelope in batch.envelopes:
            if envelope.command_class == enums_pb2.COMMAND_CLASS_SYSTEM:
                system.apply_envelope(run, envelope, seq)
            else:
                firm.apply_envelope(run, envelope, seq)
            seq += envelope.count
        disconnect.run_windows(run, batch.last_seq)
        state.last_seq = batch.last_seq
        state.rules_version = run.rules_next
        return run.close(batch.last_seq)

    def snapshot(self) -> bytes:
        """The state in canonical bytes."""
        return snapshot.encode(self._state)

    def state_parts(self) -> dict[str, bytes]:
        """BLAKE3 of each section of the snapshot."""
        sections = snapshot.sections(self._state)
        return {name: blake3(section).digest() for name, section in sections.items()}

    @property
    def state_hash(self) -> bytes:
        """Chained hash after the last batch."""
        return self._state.state_hash

    @property
    def last_seq(self) -> int:
        """Journal sequence of the last command."""
        return self._state.last_seq

    @property
    def time_ns(self) -> int:
        """Engine time of the last batch."""
        return self._state.time_ns

    @property
    def next_timer_ns(self) -> int:
        """When the next timer is due; 0 = none."""
        state = self._state
        firsts = state.timers[:1], state.account_timers()[:1], state.windows_by_end()[:1]
        return min((timer[0] for first in firsts for timer in first), default=0)

    @property
    def open_cursors(self) -> int:
        """How many markets are being cleared, or have triggered orders that may be entered."""
        return sum(
            market.clearing or (bool(market.ready) and market.takes_triggered)
            for market in self._state.markets.values()
        )


def run_cursors(run: Run) -> None:
    """Section 3, step 1."""
    for _, market in sorted(run.state.markets.items()):
        if not market.clearing:
            continue
        for side in (1, 2):
            while run.work_left and (order := market.first_order(side)) is not None:
                order_events.cancel_resting(run, order, enums_pb2.CANCEL_REASON_MARKET_CLEARED)
                market.cleared_count += 1
                run.work_left -= 1
        for _, order in sorted(market.waiting.items())[: run.work_left]:
            order_events.cancel_resting(run, order, enums_pb2.CANCEL_REASON_MARKET_CLEARED)
            market.cleared_count += 1
            run.work_left -= 1
        if not market.open_count:
            close_cursor(run, market)


def close_cursor(run: Run, market: Market) -> None:
    """A market is empty."""
    closed = frames_pb2.CursorClosed(
        market_id=market.market_id, cancelled_count=market.cleared_count
    )
    market.clearing, market.cleared_count = False, 0
    run.tell_system(cursor_closed=closed)


def run_account_timers(run: Run) -> None:
    """Dead man's timers: docs/semantics/requests.md, section 4."""
    for time_ns, account_id in run.state.account_timers():
        if time_ns > run.now_ns:
            return
        account = run.state.accounts[account_id]
        is_firm_killed = account.firm_id in run.state.killed_firms
        reason = enums_pb2.CANCEL_REASON_KILLED if is_firm_killed else enums_pb2.CANCEL_REASON_TIMER
        for _, order in sorted(account.orders.items())[: run.work_left]:
            order_events.cancel_resting(run, order, reason)
            run.work_left -= 1
        if not account.orders:
            run.state.arm(account, 0)


def run_timers(run: Run) -> None:
    """Section 3, step 2."""
    run_account_timers(run)
    timers = run.state.timers
    while timers and timers[0][0] <= run.now_ns:
        if not run.work_left:
            accounts = run.state.accounts
            run.late_markets = {
                accounts[account_id].orders[order_id].market_id
                for time_ns, order_id, account_id in timers
                if time_ns <= run.now_ns
            }
            return
        _, order_id, account_id = timers[0]
        order_events.expire(run, run.state.accounts[account_id].orders[order_id])
        run.work_left -= 1
