"""Figures and traces of payouts: what they say of a payout's way, and that another worker's go."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from runtime import telemetry
from runtime.settings import TelemetrySettings
from runtime.telemetry import Telemetry
from tests.matching.shard import until
from tests.wallets.conftest import NETWORK_ID
from tests.wallets.core.conftest import Venue, request
from wallets.contract import Network
from wallets.payout_traces import context_of
from wallets.worker import limits
from wallets.worker.payout_figures import PayoutFigures

NETWORK = Network("memory", "test", NETWORK_ID, "genesis")
WAY = ["requested", "approved", "started", "built", "signed", "broadcasting", "confirming"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FIGURES_SECONDS", 0.02)
    monkeypatch.setattr(limits, "EVENTS_SETTLE_SECONDS", 0.0)


@pytest.fixture
def measured() -> Iterator[Telemetry]:
    started = telemetry.start(TelemetrySettings(exporter="memory"), service="wallets")
    yield started
    started.stop()


def figures(measured: Telemetry, name: str, label: str) -> dict[str, Any]:
    """Values that are not zero, by a label."""
    found = {}
    for point in measured.metric_points(f"cambist.wallets.{name}"):
        labels = dict(point.attributes or {})
        assert (labels.pop("chain"), labels.pop("network")) == ("memory", "test")
        found[str(labels.pop(label))] = getattr(point, "value", None)
        assert not labels
    return {name: value for name, value in found.items() if value}


@asynccontextmanager
async def looking(venue: Venue, measured: Telemetry) -> AsyncIterator[None]:
    """A worker that has looked once, so that what comes is told."""
    one = PayoutFigures(venue.database, NETWORK, measured)
    task = asyncio.create_task(one.run())

    async def has_looked() -> bool:
        return bool(measured.metric_points("cambist.wallets.payouts"))

    await until(has_looked)
    yield
    task.cancel()
    await asyncio.wait({task})


async def test_gauges_say_where_payouts_stand_and_for_what_they_wait(
    venue: Venue, measured: Telemetry
) -> None:
    for number in (1, 2, 3):
        await venue.engine.request(request(number))
    await venue.run(venue.worker(), 2)
    await venue.connection.execute(
        "update custody.payout set condition = 'HotWalletUnfunded',"
        " changed_at = now() - interval '90 seconds' where state = 'requested'"
    )
    rows = await venue.connection.fetch("select state from custody.payout")
    waiting = sum(row["state"] == "requested" for row in rows)
    assert 0 < waiting < 3
    async with looking(venue, measured):
        standing = figures(measured, "payouts", "state")
        assert (standing["requested"], sum(standing.values())) == (waiting, 3)
        assert figures(measured, "payouts_waiting", "condition") == {"HotWalletUnfunded": waiting}
        assert figures(measured, "payout_oldest_age", "state")["requested"] >= 90
    # Another worker looks now: what this one saw is not news.
    assert not measured.metric_points("cambist.wallets.payouts")


async def test_each_stage_is_a_span_of_the_payouts_own_trace_and_the_whole_is_its_root(
    venue: Venue, measured: Telemetry
) -> None:
    await venue.engine.request(request(9))
    async with looking(venue, measured):
        await venue.engine.request(request(1))
        await venue.run(venue.worker(), 24)

        async def are_told() -> bool:
            return [span.name for span in measured.finished_spans()].count("payout") == 2

        await until(are_told)
    planned = context_of(request(1).withdrawal_id)
    spans = [
        span
        for span in measured.finished_spans()
        if span.context is not None and span.context.trace_id == planned.trace_id
    ]
    stages = [span for span in spans if span.name != "payout"]
    assert [span.name for span in stages] == [f"payout.{state}" for state in WAY]
    (root,) = (span for span in spans if span.name == "payout")
    assert root.context is not None
    assert (root.parent, root.context.span_id) == (None, planned.span_id)
    for earlier, later in itertools.pairwise(stages):
        assert later.parent is not None
        assert later.parent.span_id == planned.span_id
        assert earlier.end_time == later.start_time
    assert root.start_time is not None
    assert root.start_time <= (stages[0].start_time or 0)
    assert root.end_time == stages[-1].end_time
    durations = measured.metric_points("cambist.wallets.payout_stage_duration")
    assert {(point.attributes or {})["state"] for point in durations} == set(WAY)
