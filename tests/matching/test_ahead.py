"""A large batch is applied while the one before it is being committed, and only one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cambist.orders.v1 import commands_pb2, enums_pb2
from matching import limits
from matching.engines import EngineKind
from runtime.settings import PostgresSettings
from tests.matching.poisonous import POISON_TAG, poisonous_kind
from tests.matching.shard import (
    Link,
    Shard,
    blocked,
    established,
    new_order,
    private_events,
    running,
    session_envelope,
    settings,
    system_envelope,
    unary_envelope,
    until,
)

SESSION = 5
MANY = limits.AHEAD_COMMANDS_MIN


def orders(count: int = MANY) -> list[commands_pb2.Command]:
    """Orders that rest."""
    return [new_order() for _ in range(count)]


@asynccontextmanager
async def with_session(
    chosen: PostgresSettings, commit_seconds: float = 60.0, kind: EngineKind | None = None
) -> AsyncIterator[tuple[Shard, Link, int]]:
    """A process with a market, a session of it, and the last sequence so far."""
    async with running(settings(chosen, commit_seconds=commit_seconds), kind) as shard:
        await shard.create_market()
        link = await shard.link()
        before = (await shard.status()).released_seq
        await link.send(system_envelope(established(SESSION, link.link_id, 1)))
        await shard.until_released(before + 1)
        yield shard, link, before + 1


async def until_status(shard: Shard, *, applied: int, waiting: int) -> None:
    """Waits until so much is applied and so much waits."""

    async def is_so() -> bool:
        status = await shard.status()
        return (status.applied_seq, status.inbox_commands) == (applied, waiting)

    await until(is_so)


async def begin_commit(shard: Shard, link: Link, before: int) -> None:
    """One order whose commit does not come back."""
    await link.send(unary_envelope(new_order()))
    await until_status(shard, applied=before + 1, waiting=0)


async def test_one_large_batch_is_applied_ahead_and_the_next_one_waits(
    postgres_settings: PostgresSettings,
) -> None:
    async with with_session(postgres_settings) as (shard, link, before):
        async with blocked(postgres_settings):
            await begin_commit(shard, link, before)
            await link.send(session_envelope(SESSION, 1, orders()))
            await until_status(shard, applied=before + 1 + MANY, waiting=0)
            await link.send(session_envelope(SESSION, 1 + MANY, orders()))
            await until_status(shard, applied=before + 1 + MANY, waiting=MANY)
            assert (await shard.status()).released_seq == before
        last_seq = before + 1 + 2 * MANY
        await shard.until_released(last_seq)
        rows = await shard.rows(before + 1, last_seq)
        assert [row.last_seq - row.first_seq + 1 for row in rows] == [1, MANY, MANY]


async def test_what_is_less_than_a_large_batch_gathers_until_the_commit_is_known(
    postgres_settings: PostgresSettings,
) -> None:
    async with with_session(postgres_settings) as (shard, link, before):
        async with blocked(postgres_settings):
            await begin_commit(shard, link, before)
            for part in range(3):
                await link.send(session_envelope(SESSION, 1 + 100 * part, orders(100)))
            await until_status(shard, applied=before + 1, waiting=300)
        await shard.until_released(before + 301)
        rows = await shard.rows(before + 1, before + 301)
        assert [row.last_seq - row.first_seq + 1 for row in rows] == [1, 300]


async def test_a_batch_takes_a_share_for_each_session_that_waits(
    postgres_settings: PostgresSettings,
) -> None:
    share, part = limits.BATCH_COMMANDS_SESSION, 512
    async with with_session(postgres_settings) as (shard, link, before):
        async with blocked(postgres_settings):
            await begin_commit(shard, link, before)
            await link.send(session_envelope(SESSION, 1, orders()))
            await until_status(shard, applied=before + 1 + MANY, waiting=0)
            for sent in range(0, 2 * share, part):
                await link.send(session_envelope(SESSION, 1 + MANY + sent, orders(part)))
            await until_status(shard, applied=before + 1 + MANY, waiting=2 * share)
        last_seq = before + 1 + MANY + 2 * share
        await shard.until_released(last_seq)
        rows = await shard.rows(before + 1, last_seq)
        counts = [row.last_seq - row.first_seq + 1 for row in rows]
        assert counts == [1, MANY, share, share]


async def test_a_new_epoch_chains_the_batch_that_was_applied_ahead_anew(
    postgres_settings: PostgresSettings,
) -> None:
    last_seq = 0
    async with with_session(postgres_settings, commit_seconds=0.5) as (shard, link, before):
        epoch = (await shard.status()).epoch
        async with blocked(postgres_settings):
            await begin_commit(shard, link, before)
            await link.send(session_envelope(SESSION, 1, orders()))
            last_seq = before + 1 + MANY
            # The holder of the row is ended by the takeover, the insert is settled as not there.
            await shard.until_released(last_seq)
        after = await shard.status()
        assert after.epoch == epoch + 1
    # Recovery checks the chain of hashes and the state after each row.
    async with running(settings(postgres_settings)) as again:
        assert (await again.status()).released_seq > last_seq


async def test_poison_in_a_batch_applied_ahead_is_put_aside_after_the_commit_before_it(
    postgres_settings: PostgresSettings,
) -> None:
    session = with_session(postgres_settings, kind=poisonous_kind())
    async with session as (shard, link, before):
        many = orders()
        many[MANY // 2].new_order.tag = POISON_TAG
        async with blocked(postgres_settings):
            await begin_commit(shard, link, before)
            await link.send(session_envelope(SESSION, 1, many))
            await until_status(shard, applied=before + 1, waiting=0)
        last_seq = before + 1 + MANY
        await shard.until_released(last_seq)
        rows = await shard.rows(before + 1, last_seq)
        reports = [event.execution_report for row in rows for event in private_events(row)]
        reasons = [report.reject_reason for report in reports[1:]]
        half = MANY // 2
        assert set(reasons[:half]) == {enums_pb2.REJECT_REASON_UNSPECIFIED}
        assert reasons[half] == enums_pb2.REJECT_REASON_POISONED
        assert set(reasons[half + 1 :]) == {enums_pb2.REJECT_REASON_PHASE}
