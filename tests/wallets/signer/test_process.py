"""The signer as a process: starts only with mutual TLS, and no secret is in what it prints."""

import base64
import datetime
import hmac
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from eth_account.hdaccount import key_from_seed
from grpc_health.v1 import health_pb2, health_pb2_grpc

from cambist.internal.signer.v1 import intent_pb2, signer_pb2, signer_pb2_grpc
from runtime import embedded_postgres, rpc_channel
from runtime.development_certificates import make_authority
from runtime.process import ExitStatus
from runtime.settings import PostgresSettings, TlsSettings
from wallets.sealed_files import write_seed

SEED = bytes.fromhex("5eedf00d") * 16
PASSPHRASE = "a planted passphrase"
POLICY = {
    "networks": {
        2: {
            "network_id": 2,
            "chain": "ethereum",
            "network": "dev",
            "chain_id": 31337,
            "branches": {"hot": "m/44'/60'/1'/0"},
            "assets": {"": {"hourly_cap_atoms": 10, "people_above_atoms": 5}},
            "fee_cap_atoms": 10,
        }
    },
    "approver_keys": {"k": "aa" * 32},
    "people": {},
    "people_needed": 2,
    "callers": {"signer": ["GetPublicKeys", "GetStatus", "Sign"]},
}


RUN = [sys.executable, "-m", "wallets.signer"]


def run(name: str, environment: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*RUN, name], env=environment, check=False, timeout=60, capture_output=True
    )


def start(environment: dict[str, str], output: Path) -> subprocess.Popen[bytes]:
    with output.open("wb") as sink:
        return subprocess.Popen([*RUN, "serve"], env=environment, stdout=sink, stderr=sink)


def secrets_of(seed: bytes) -> set[bytes]:
    """The seed, keys made of it and the passphrase, as a log, a dump or a repr would have them."""
    raw = {seed, seed[:32], hmac.digest(b"Bitcoin seed", seed, "sha512")[:32]}
    raw |= {bytes(key_from_seed(seed, f"m/44'/60'/1'/0/{index}")) for index in range(2)}
    texts = {PASSPHRASE.encode(), base64.b64encode(PASSPHRASE.encode())}
    for one in raw:
        texts |= {one, one.hex().encode(), base64.b64encode(one).rstrip(b"="), str(one).encode()}
        texts.add(str(int.from_bytes(one, "big")).encode())
    return texts


@pytest.fixture
def environment(postgres_settings: PostgresSettings, tmp_path: Path) -> dict[str, str]:
    now = datetime.datetime.now(datetime.UTC)
    authority = make_authority(tmp_path / "tls", now)
    tls = authority.issue("signer", now)
    (tmp_path / "policy.json").write_text(json.dumps(POLICY))
    write_seed(tmp_path / "hot.json", SEED, PASSPHRASE.encode())
    (tmp_path / "passphrase").write_text(PASSPHRASE + "\n")
    return {
        **os.environ,
        "PYTHONFAULTHANDLER": "1",
        "CAMBIST_SIGNER_LISTEN_ADDRESS": f"127.0.0.1:{embedded_postgres.free_port()}",
        "CAMBIST_SIGNER_LOG_LEVEL": "debug",
        "CAMBIST_SIGNER_POLICY_FILE": str(tmp_path / "policy.json"),
        "CAMBIST_SIGNER_SEED_DIRECTORY": str(tmp_path),
        "CAMBIST_SIGNER_PASSPHRASE_FILE": str(tmp_path / "passphrase"),
        "CAMBIST_SIGNER_POSTGRES_DSN": postgres_settings.dsn.get_secret_value(),
        "CAMBIST_SIGNER_TLS_CERTIFICATE_FILE": tls.certificate_file,
        "CAMBIST_SIGNER_TLS_PRIVATE_KEY_FILE": tls.private_key_file,
        "CAMBIST_SIGNER_TLS_AUTHORITY_FILE": authority.authority_file,
    }


@contextmanager
def serving(environment: dict[str, str], output: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = start(environment, output)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(30)


@asynccontextmanager
async def connected(environment: dict[str, str]) -> AsyncIterator[Any]:
    port = environment["CAMBIST_SIGNER_LISTEN_ADDRESS"].rpartition(":")[2]
    address, prefix = f"localhost:{port}", "CAMBIST_SIGNER_TLS_"
    tls = TlsSettings(
        certificate_file=environment[f"{prefix}CERTIFICATE_FILE"],
        private_key_file=environment[f"{prefix}PRIVATE_KEY_FILE"],
        authority_file=environment[f"{prefix}AUTHORITY_FILE"],
    )
    async with rpc_channel.open_channel(address, tls_settings=tls) as channel:
        await rpc_channel.wait_ready(channel, address, 60)
        yield signer_pb2_grpc.SignerServiceStub(channel)


async def provoke(stub: Any) -> bytes:
    """All that callers are told, refusals included."""
    place = intent_pb2.KeyPlace(branch="hot")
    transaction = intent_pb2.EthereumTransaction(lane=place, gas_limit=1, key=place)
    intent = intent_pb2.Intent(intent_id=b"i" * 16, network_id=2, ethereum=transaction)
    told = b""
    for content in (b"", b"\xff", intent.SerializeToString(), b"\x0a\x10" + b"i" * 16):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Sign(signer_pb2.SignRequest(intent=content))
        told += repr(caught.value).encode()
    keys = await stub.GetPublicKeys(signer_pb2.GetPublicKeysRequest(chain="ethereum"))
    status = await stub.GetStatus(signer_pb2.GetStatusRequest())
    assert keys.branches[0].extended_public_key.startswith("xpub")
    assert (status.stopped, status.epoch) == (False, 1)
    return bytes(told + keys.SerializeToString() + status.SerializeToString())


async def test_a_planted_seed_is_in_nothing_that_the_process_tells_even_when_it_aborts(
    environment: dict[str, str], tmp_path: Path
) -> None:
    assert run("migrate", environment).returncode == ExitStatus.OK
    with serving(environment, tmp_path / "output") as process:
        async with connected(environment) as stub:
            told = await provoke(stub)
        told += Path(f"/proc/{process.pid}/environ").read_bytes()
        told += Path(f"/proc/{process.pid}/cmdline").read_bytes()
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
        assert core.split()[4:6] == ["0", "0"]
        process.send_signal(signal.SIGABRT)
        assert process.wait(30) == -signal.SIGABRT
    told += (tmp_path / "output").read_bytes()
    assert b"Fatal Python error: Aborted" in told
    assert [secret for secret in secrets_of(SEED) if secret in told] == []


def test_without_mutual_tls_it_does_not_start(environment: dict[str, str]) -> None:
    assert run("migrate", environment).returncode == ExitStatus.OK
    del environment["CAMBIST_SIGNER_TLS_AUTHORITY_FILE"]
    assert run("serve", environment).returncode == ExitStatus.CONFIGURATION


async def test_it_ends_in_order_when_asked(environment: dict[str, str], tmp_path: Path) -> None:
    assert run("migrate", environment).returncode == ExitStatus.OK
    with serving(environment, tmp_path / "output") as process:
        async with connected(environment):
            process.terminate()
        assert process.wait(30) == ExitStatus.OK


async def test_on_a_plain_port_it_says_that_it_serves_and_when_it_hangs_nothing(
    environment: dict[str, str], tmp_path: Path
) -> None:
    assert run("migrate", environment).returncode == ExitStatus.OK
    address = f"127.0.0.1:{embedded_postgres.free_port()}"
    environment["CAMBIST_SIGNER_HEALTH_ADDRESS"] = address
    with serving(environment, tmp_path / "output") as process:
        async with connected(environment), grpc.aio.insecure_channel(address) as channel:
            stub: Any = health_pb2_grpc.HealthStub(channel)
            told = await stub.Check(
                health_pb2.HealthCheckRequest(), timeout=30, wait_for_ready=True
            )
            assert told.status == health_pb2.HealthCheckResponse.SERVING
            process.send_signal(signal.SIGSTOP)
            try:
                with pytest.raises(grpc.aio.AioRpcError) as silent:
                    await stub.Check(health_pb2.HealthCheckRequest(), timeout=1)
            finally:
                process.send_signal(signal.SIGCONT)
            assert silent.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
