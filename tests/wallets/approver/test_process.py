"""The approver as a process: a real engine's journal, mutual TLS, the worker's client."""

import asyncio
import datetime
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from cambist.internal.approver.v1 import approver_pb2, approver_pb2_grpc
from cambist.orders.v1 import commands_pb2
from runtime import embedded_postgres, rpc_channel
from runtime.development_certificates import make_authority
from runtime.process import ExitStatus
from runtime.settings import PostgresSettings, TlsSettings
from tests.matching.shard import ACCOUNT, BASE, SHARD, now_ns, running, settings, unary_envelope
from wallets.approver.client import ApproverClient
from wallets.contract import Approval, Approves, WithdrawalId
from wallets.errors import Condition, Rejected, Stuck
from wallets.signer.approvals import read_approval
from wallets.signer.policy import Policy as SignerPolicy

PASSPHRASE = "a planted passphrase"
W = WithdrawalId(b"w" * 16)
DENIED = WithdrawalId(b"d" * 16)
RUN = [sys.executable, "-m", "wallets.approver"]
POLICY = {
    "assets": [
        {
            "network_id": 1,
            "asset_id": BASE,
            "contract": "",
            "decimals": 6,
            "engine_decimals": 6,
            "single_max_atoms": 1_000,
            "account_day_max_atoms": 1_000,
            "hour_max_atoms": 1_000,
            "people_above_atoms": 1_000,
            "fee_max_atoms": 100,
        }
    ],
    "people": {},
    "people_needed": 2,
    "denied_destinations": ["denied"],
    "callers": {"worker": ["Approve", "GetStatus"]},
}


@dataclass(frozen=True)
class Answers:
    """What the worker heard."""

    given: Approval
    again: Approval
    refused: str
    waits: Condition
    forbidden: grpc.StatusCode


def withdrawal(withdrawal_id: bytes, destination: str) -> bytes:
    return unary_envelope(
        commands_pb2.Command(
            request_withdrawal=commands_pb2.RequestWithdrawal(
                request_id=withdrawal_id,
                account_id=ACCOUNT,
                asset_id=BASE,
                network_id=1,
                amount_atoms=(700).to_bytes(16, "little"),
                destination=destination,
                sent_time_ns=now_ns(),
            )
        )
    )


async def run(name: str, environment: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    return await asyncio.to_thread(
        subprocess.run,
        [*RUN, name],
        env=environment,
        check=False,
        timeout=60,
        capture_output=True,
    )


def start(environment: dict[str, str], output: Path) -> subprocess.Popen[bytes]:
    with output.open("wb") as sink:
        return subprocess.Popen([*RUN, "serve"], env=environment, stdout=sink, stderr=sink)


async def until_read(stub: "approver_pb2_grpc.ApproverServiceAsyncStub", seq: int) -> None:
    async with asyncio.timeout(60):
        while True:
            status = await stub.GetStatus(approver_pb2.GetStatusRequest())
            if status.shards[0].seq >= seq:
                return
            await asyncio.sleep(0.1)


async def check_health(address: str) -> None:
    """On its plain port it says that it serves."""
    async with grpc.aio.insecure_channel(address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        told = await stub.Check(health_pb2.HealthCheckRequest(), timeout=30, wait_for_ready=True)
        assert told.status == health_pb2.HealthCheckResponse.SERVING


async def serving(environment: dict[str, str], output: Path, address: str) -> Answers:
    """Runs the process, asks it as the worker, and ends it."""
    process = start(environment, output)
    folder = output.parent / "tls"
    worker = TlsSettings(
        certificate_file=str(folder / "worker.pem"),
        private_key_file=str(folder / "worker.key.pem"),
        authority_file=str(folder / "authority.pem"),
    )
    try:
        async with rpc_channel.open_channel(address, tls_settings=worker) as channel:
            await rpc_channel.wait_ready(channel, address, 60)
            stub = approver_pb2_grpc.ApproverServiceStub(channel)
            await until_read(stub, 1)
            await check_health(environment["CAMBIST_APPROVER_HEALTH_ADDRESS"])
            return await ask(ApproverClient(channel), stub)
    finally:
        process.terminate()
        assert await asyncio.to_thread(process.wait, 30) == ExitStatus.OK


async def ask(client: Approves, stub: "approver_pb2_grpc.ApproverServiceAsyncStub") -> Answers:
    async with asyncio.timeout(60):
        while True:
            try:
                given = await client.approve(W, 50, ())
                with pytest.raises(Rejected) as refused:
                    await client.approve(DENIED, 50, ())
                break
            except Stuck:
                await asyncio.sleep(0.1)
    again = await client.approve(W, 50, ())
    with pytest.raises(Stuck) as waits:
        await client.approve(WithdrawalId(b"n" * 16), 50, ())
    with pytest.raises(grpc.aio.AioRpcError) as forbidden:
        await stub.Consent(approver_pb2.ConsentRequest())
    reason = refused.value.reason
    return Answers(given, again, reason, waits.value.condition, forbidden.value.code())


def environment_of(tmp_path: Path, dsn: str, port: int, engine_port: int) -> dict[str, str]:
    (tmp_path / "policy.json").write_text(json.dumps(POLICY))
    (tmp_path / "passphrase").write_text(PASSPHRASE + "\n")
    return {
        **os.environ,
        "CAMBIST_APPROVER_LISTEN_ADDRESS": f"127.0.0.1:{port}",
        "CAMBIST_APPROVER_HEALTH_ADDRESS": f"127.0.0.1:{embedded_postgres.free_port()}",
        "CAMBIST_APPROVER_POLICY_FILE": str(tmp_path / "policy.json"),
        "CAMBIST_APPROVER_KEY_DIRECTORY": str(tmp_path),
        "CAMBIST_APPROVER_KEY_ID": "k1",
        "CAMBIST_APPROVER_PASSPHRASE_FILE": str(tmp_path / "passphrase"),
        "CAMBIST_APPROVER_ENGINES": f"{SHARD}=127.0.0.1:{engine_port}",
        "CAMBIST_APPROVER_POSTGRES_DSN": dsn,
    }


async def test_the_process_approves_what_a_real_engine_journaled(
    postgres_settings: PostgresSettings, tmp_path: Path
) -> None:
    now = datetime.datetime.now(datetime.UTC)
    authority = make_authority(tmp_path / "tls", now)
    tls = authority.issue("approver", now)
    authority.issue("worker", now)
    port = embedded_postgres.free_port()
    async with running(settings(postgres_settings)) as shard:
        await shard.create_market()
        link = await shard.link()
        await link.send(withdrawal(W, "somewhere"))
        await link.send(withdrawal(DENIED, "denied"))
        environment = environment_of(
            tmp_path, postgres_settings.dsn.get_secret_value(), port, shard.ports.port
        )
        made = await run("new-key", environment)
        assert (await run("new-key", environment)).returncode != 0
        assert (await run("migrate", environment)).returncode == ExitStatus.OK
        assert (await run("serve", environment)).returncode == ExitStatus.CONFIGURATION
        environment |= {
            "CAMBIST_APPROVER_TLS_CERTIFICATE_FILE": tls.certificate_file,
            "CAMBIST_APPROVER_TLS_PRIVATE_KEY_FILE": tls.private_key_file,
            "CAMBIST_APPROVER_TLS_AUTHORITY_FILE": authority.authority_file,
        }
        answers = await serving(environment, tmp_path / "output", f"localhost:{port}")
    assert answers.again == answers.given
    assert answers.refused == "DESTINATION_DENIED"
    assert answers.waits is Condition.APPROVAL_MISSING
    assert answers.forbidden is grpc.StatusCode.PERMISSION_DENIED
    key_id, public_key = made.stdout.decode().split()
    signer = SignerPolicy({}, {key_id: bytes.fromhex(public_key)}, {}, 2)
    found = read_approval(answers.given.approval, answers.given.signature, signer)
    assert (found.terms.destination, found.terms.amount_atoms) == ("somewhere", 700)
    told = (tmp_path / "output").read_bytes()
    assert b"serving" in told
    assert PASSPHRASE.encode() not in told
