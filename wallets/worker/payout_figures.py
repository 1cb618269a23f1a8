"""What a network's payouts are doing, read now and then for whoever watches. It moves no money.

Run by `server` in one worker of a network at a time. Gauges say how many payouts stand where and
for how long; each change of state that custody's events tell becomes a span of the payout's trace.
Labels are names of ours: never an address, an amount, or an id.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import asyncpg
from opentelemetry.metrics import CallbackOptions, Histogram, Observation

from runtime import logs
from runtime.errors import Unavailable
from runtime.order_traces import start_root
from runtime.postgres import Database
from runtime.telemetry import Telemetry
from wallets.contract import Network
from wallets.core import claims
from wallets.errors import Condition
from wallets.payout_traces import WITHDRAWAL, below, context_of
from wallets.states import PayoutState
from wallets.worker import limits

# Where payouts still move; the others are counted as they end, by the stages.
STANDING: Final = (*claims.OPEN, PayoutState.HELD)
ENDED: Final = (
    PayoutState.SETTLED,
    PayoutState.CANCELLED,
    PayoutState.REJECTED,
    PayoutState.FAILED,
)
BUCKETS_SECONDS: Final = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0)
COUNTS: Final = """
select state, condition, count(*) as payouts,
    greatest(extract(epoch from clock_timestamp() - min(changed_at)), 0)::float8 as oldest_seconds
from custody.payout where network_id = $1 and state = any($2) group by state, condition
"""
NEWEST: Final = "select coalesce(max(event_id), 0) as event_id from custody.event"
# Events are numbered before they are committed: those of the last moment may still get company.
PAGE: Final = """
select coalesce(max(event_id), $1) as event_id from (
    select event_id from custody.event
    where event_id > $1 and created_at < clock_timestamp() - make_interval(secs => $2)
    order by event_id limit $3) page
"""
STAGES: Final = """
select p.withdrawal_id, e.state_before, e.state_after,
    (extract(epoch from e.created_at) * 1000000)::bigint as ended_us,
    (extract(epoch from coalesce(b.created_at, p.created_at)) * 1000000)::bigint as began_us,
    (extract(epoch from p.created_at) * 1000000)::bigint as created_us
from custody.event e
join custody.payout p on p.withdrawal_id = decode(substr(e.subject_id, 3), 'hex')
left join lateral (
    select created_at from custody.event before
    where before.kind = 'payout' and before.subject_id = e.subject_id
      and before.event_id < e.event_id
    order by before.event_id desc limit 1) b on true
where e.event_id > $1 and e.event_id <= $2 and e.kind = 'payout' and e.state_before <> ''
  and p.network_id = $3
order by e.event_id
"""


@dataclass(slots=True)
class PayoutFigures:
    """Of one network; instruments are made once, and say nothing while `run` does not run."""

    database: Database
    network: Network
    measured: Telemetry
    # As of the last look; None while another worker looks.
    _counts: list[asyncpg.Record] | None = None
    _labels: Mapping[str, str] = field(init=False)
    _duration: Histogram = field(init=False)

    def __post_init__(self) -> None:
        """Makes the instruments."""
        self._labels = {"chain": self.network.chain, "network": self.network.network}
        meter = self.measured.meter
        meter.create_observable_gauge(
            "cambist.wallets.payouts",
            [self._payouts],
            description="Payouts that still move, by state. One worker of a network tells it.",
        )
        meter.create_observable_gauge(
            "cambist.wallets.payouts_waiting",
            [self._waiting],
            description="Payouts that wait by name.",
        )
        meter.create_observable_gauge(
            "cambist.wallets.payout_oldest_age",
            [self._oldest],
            unit="s",
            description="Time that the oldest payout of a state has stood in it.",
        )
        self._duration = meter.create_histogram(
            "cambist.wallets.payout_stage_duration",
            unit="s",
            description="Time a payout stood in a state that it left, by that state and the next.",
            explicit_bucket_boundaries_advisory=BUCKETS_SECONDS,
        )

    async def run(self) -> None:
        """Looks until cancelled."""
        try:
            cursor: int | None = None
            while True:
                try:
                    await self._count()
                    cursor = await self._follow(cursor)
                except Unavailable as error:
                    # Nothing is told in place of what was true once.
                    self._counts = None
                    logs.get(__name__).warning("payouts not measured", reason=str(error))
                await asyncio.sleep(limits.FIGURES_SECONDS)
        finally:
            # What a worker without the lease once saw is not news.
            self._counts = None

    async def _count(self) -> None:
        states = [state.value for state in STANDING]
        self._counts = await self.database.read(COUNTS, self.network.network_id, states)

    async def _follow(self, cursor: int | None) -> int:
        """Tells the stages that ended after `cursor`; the new one. None = from now on."""
        if cursor is None:
            row = await self.database.read_row(NEWEST)
            return int(row["event_id"]) if row is not None else 0
        for _ in range(limits.FIGURES_PAGES_MAX):
            row = await self.database.read_row(
                PAGE, cursor, limits.EVENTS_SETTLE_SECONDS, limits.FIGURES_EVENTS_MAX
            )
            upto = int(row["event_id"]) if row is not None else cursor
            if upto == cursor:
                break
            for stage in await self.database.read(STAGES, cursor, upto, self.network.network_id):
                self._tell(stage)
            cursor = upto
        return cursor

    def _tell(self, stage: asyncpg.Record) -> None:
        """One stage of one payout as a span and a duration; at its end, the payout's whole span."""
        before, after = stage["state_before"], stage["state_after"]
        began_us, ended_us = min(stage["began_us"], stage["ended_us"]), stage["ended_us"]
        seconds = (ended_us - began_us) / 1_000_000
        self._duration.record(seconds, {**self._labels, "state": before, "next": after})
        withdrawal_id = bytes(stage["withdrawal_id"])
        attributes = {
            **{f"cambist.{name}": value for name, value in self._labels.items()},
            WITHDRAWAL: withdrawal_id.hex(),
            "cambist.next_state": after,
        }
        tracer = self.measured.tracer
        tracer.start_span(
            f"payout.{before}",
            below(withdrawal_id),
            attributes=attributes,
            start_time=began_us * 1_000,
        ).end(ended_us * 1_000)
        if after in ENDED:
            planned, created_us = context_of(withdrawal_id), min(stage["created_us"], began_us)
            root = start_root(tracer, "payout", planned, attributes, created_us * 1_000)
            root.end(ended_us * 1_000)

    def _payouts(self, _: CallbackOptions) -> list[Observation]:
        return self._by("state", STANDING, lambda rows: sum(row["payouts"] for row in rows))

    def _waiting(self, _: CallbackOptions) -> list[Observation]:
        return self._by("condition", Condition, lambda rows: sum(row["payouts"] for row in rows))

    def _oldest(self, _: CallbackOptions) -> list[Observation]:
        return self._by(
            "state", STANDING, lambda rows: max((row["oldest_seconds"] for row in rows), default=0)
        )

    def _by(
        self, label: str, names: Iterable[str], join: Callable[[list[asyncpg.Record]], float]
    ) -> list[Observation]:
        """One figure for each name, also where it is zero."""
        counts = self._counts
        if counts is None:
            return []
        return [
            Observation(
                join([row for row in counts if row[label] == name]),
                {**self._labels, label: str(name)},
            )
            for name in names
        ]
