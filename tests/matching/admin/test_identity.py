"""Operators are known by certificate; without one the admin port does not answer."""

import asyncio
import datetime
from pathlib import Path

import grpc
import grpc.aio
import pytest

from cambist.admin.v1 import admin_pb2, admin_pb2_grpc
from matching import server
from runtime import postgres, rpc_channel
from runtime.development_certificates import make_authority
from runtime.settings import PostgresSettings
from tests.matching.shard import SECONDS, SHARD, settings


async def test_only_a_certified_operator_is_heard_and_is_named_in_the_audit(
    postgres_settings: PostgresSettings, tmp_path: Path
) -> None:
    now = datetime.datetime.now(datetime.UTC)
    authority = make_authority(tmp_path / "ours", now)
    trusted = {"authority_file": authority.authority_file}
    chosen = settings(
        postgres_settings, admin_tls=authority.issue("matching", now).model_copy(update=trusted)
    )
    operator = authority.issue("an-operator", now).model_copy(update=trusted)
    stranger = make_authority(tmp_path / "theirs", now).issue("stranger", now)
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(server.serve(chosen, stop, ready.set_result))
    address = f"127.0.0.1:{(await ready).admin_port}"
    for other in (
        stranger.model_copy(update=trusted),
        operator.model_copy(update={"certificate_file": "", "private_key_file": ""}),
    ):
        async with rpc_channel.open_channel(address, tls_settings=other) as channel:
            stub = admin_pb2_grpc.AdminServiceStub(channel)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.Halt(admin_pb2.HaltRequest(shard=SHARD), timeout=SECONDS)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    async with rpc_channel.open_channel(address, tls_settings=operator) as channel:
        stub = admin_pb2_grpc.AdminServiceStub(channel)
        skip = admin_pb2.SkipPoisonCommandRequest(shard=SHARD, seq=1)
        await stub.SkipPoisonCommand(skip, timeout=SECONDS)
    stop.set()
    await serving
    database = await postgres.connect(postgres_settings, application_name="test")
    rows = await database.read("select seq, asked_by from journal.skipped_commands")
    await database.close()
    assert [tuple(row) for row in rows] == [(1, "an-operator")]
