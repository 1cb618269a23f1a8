"""What a process says about the room that the database takes, of a real one."""

import asyncio
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.metrics.export import NumberDataPoint

from matching import database_size
from runtime import postgres, telemetry
from runtime.settings import PostgresSettings, TelemetrySettings
from runtime.telemetry import Telemetry
from tests.matching.shard import until


@pytest.fixture
def measured() -> Iterator[Telemetry]:
    started = telemetry.start(TelemetrySettings(exporter="memory"), service="matching")
    yield started
    started.stop()


def told(measured: Telemetry, name: str) -> float | None:
    found = [one for one in measured.metric_points(name) if isinstance(one, NumberDataPoint)]
    return found[0].value if found else None


async def watched(measured: Telemetry, settings: PostgresSettings, limit_bytes: int) -> float:
    """The size that a process tells; looks until it does."""
    database = await postgres.connect(settings, application_name="test")
    task = asyncio.create_task(database_size.watch(database, measured.meter, limit_bytes))

    async def is_told() -> bool:
        return told(measured, database_size.SIZE) is not None

    await until(is_told)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await database.close()
    found = told(measured, database_size.SIZE)
    assert found is not None
    return found


async def test_the_size_grows_with_what_is_written(
    measured: Telemetry, postgres_settings: PostgresSettings
) -> None:
    before = await watched(measured, postgres_settings, 0)
    database = await postgres.connect(postgres_settings, application_name="test")
    await database.write(
        "create table filler as select repeat(md5(n::text), 100) as t"
        " from generate_series(1, 1000) n"
    )
    await database.close()
    again = telemetry.start(TelemetrySettings(exporter="memory"), service="matching")
    assert await watched(again, postgres_settings, 0) > before > 0
    again.stop()


async def test_a_limit_is_told_when_it_is_known(
    measured: Telemetry, postgres_settings: PostgresSettings
) -> None:
    await watched(measured, postgres_settings, 0)
    assert told(measured, database_size.LIMIT) is None
    again = telemetry.start(TelemetrySettings(exporter="memory"), service="matching")
    await watched(again, postgres_settings, 10**12)
    assert told(again, database_size.LIMIT) == 10**12
    again.stop()
