"""A standby follows, says who is primary, and takes over when the lease is free."""

import asyncio

import grpc
import grpc.aio
import pytest

from cambist.admin.v1 import admin_pb2
from cambist.internal.matching.v1 import matching_pb2
from runtime import rpc_errors
from runtime.settings import PostgresSettings
from tests.matching.shard import (
    SHARD,
    Shard,
    end,
    new_order,
    private_events,
    running,
    settings,
    start,
    start_standby,
    unary_envelope,
    until,
)
from venue.stack import is_serving


async def until_role(shard: Shard, role: int) -> matching_pb2.GetStatusResponse:
    async def has_role() -> bool:
        return bool((await shard.status()).role == role)

    await until(has_role)
    status: matching_pb2.GetStatusResponse = await shard.status()
    return status


async def test_a_standby_follows_and_takes_over_when_the_primary_ends(
    postgres_settings: PostgresSettings,
) -> None:
    chosen = settings(postgres_settings)
    first = await start(chosen)
    await first.create_market()
    second = await start_standby(chosen)
    status = await until_role(second, matching_pb2.ROLE_STANDBY)
    assert status.primary_endpoint == f"127.0.0.1:{first.ports.port}"
    before = await first.status()

    async def has_followed() -> bool:
        return bool((await second.status()).released_seq >= before.released_seq)

    await until(has_followed)
    assert (await second.status()).state_hash == before.state_hash
    await end(first)
    status = await until_role(second, matching_pb2.ROLE_PRIMARY)
    assert status.epoch == before.epoch + 1
    assert status.primary_endpoint == ""
    # It goes on where the other one stopped.
    link = await second.link()
    await link.send(unary_envelope(new_order()))
    after = await second.until_released(status.released_seq + 1)
    rows = await second.rows(1, after.released_seq)
    assert rows[0].first_seq == 1
    assert len(private_events(rows[-1])) == 1
    await end(second)


async def test_a_standby_answers_not_primary_with_the_one_who_is(
    postgres_settings: PostgresSettings,
) -> None:
    chosen = settings(postgres_settings)
    async with running(chosen) as first:
        second = await start_standby(chosen)
        await until_role(second, matching_pb2.ROLE_STANDBY)
        endpoint = f"127.0.0.1:{first.ports.port}"
        calls = [
            second.stub.GetSnapshot(matching_pb2.GetSnapshotRequest(shard=SHARD)),
            second.stub.StreamEvents(matching_pb2.StreamEventsRequest(shard=SHARD)),
            second.stub.ReadAccountEvents(
                matching_pb2.ReadAccountEventsRequest(shard=SHARD, account_id=1, count=1)
            ),
            second.stub.SubmitCommands(),
            second.admin.Halt(admin_pb2.HaltRequest(shard=SHARD)),
            second.admin.ListDefinitions(admin_pb2.ListDefinitionsRequest(shard=SHARD)),
        ]
        for call in calls:
            assert await call.code() is grpc.StatusCode.FAILED_PRECONDITION
            assert dict(await call.trailing_metadata())["primary"] == endpoint
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await second.admin.Halt(admin_pb2.HaltRequest(shard=SHARD))
        fault = rpc_errors.fault_of(caught.value)
        assert fault.reason == "NOT_PRIMARY"
        assert fault.metadata["primary"] == endpoint
        await end(second)


async def test_only_the_primary_serves_and_a_standby_says_that_it_stands_by(
    postgres_settings: PostgresSettings,
) -> None:
    chosen = settings(postgres_settings)
    async with running(chosen) as first:
        second = await start_standby(chosen)
        await until_role(second, matching_pb2.ROLE_STANDBY)
        await until(lambda: is_serving(first.ports.health_port))
        assert not await is_serving(second.ports.health_port)
        await end(second)


async def test_a_process_that_dies_without_a_word_is_followed_after_its_lease(
    postgres_settings: PostgresSettings,
) -> None:
    chosen = settings(postgres_settings)
    first = await start(chosen)
    await first.create_market()
    released = (await first.status()).released_seq
    first.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first.task
    async with running(chosen) as second:
        assert (await second.status()).released_seq == released + 1
        assert (await second.status()).epoch == 2
    with pytest.raises(asyncio.CancelledError):
        await end(first)
