"""The signer as a process: starts only with mutual TLS, and no secret is in what it prints."""

import datetime
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from cambist.internal.signer.v1 import signer_pb2, signer_pb2_grpc
from runtime import rpc_channel
from runtime.development_certificates import make_authority
from runtime.process import ExitStatus
from runtime.settings import PostgresSettings
from wallets.signer.keys.encrypted_file import write_seed

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
    "callers": {"signer": ["GetPublicKeys", "GetStatus"]},
}


RUN = [sys.executable, "-m", "wallets.signer"]


def run(name: str, environment: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*RUN, name], env=environment, check=False, timeout=60, capture_output=True
    )


def start(environment: dict[str, str], output: Path) -> subprocess.Popen[bytes]:
    with output.open("wb") as sink:
        return subprocess.Popen([*RUN, "serve"], env=environment, stdout=sink, stderr=sink)


async def test_the_process_serves_callers_with_certificates_and_prints_no_secret(
    postgres_settings: PostgresSettings, tmp_path: Path
) -> None:
    now = datetime.datetime.now(datetime.UTC)
    authority = make_authority(tmp_path / "tls", now)
    tls = authority.issue("signer", now)
    (tmp_path / "policy.json").write_text(json.dumps(POLICY))
    write_seed(tmp_path / "hot.json", SEED, PASSPHRASE.encode())
    (tmp_path / "passphrase").write_text(PASSPHRASE + "\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "CAMBIST_SIGNER_LISTEN_ADDRESS": f"127.0.0.1:{port}",
        "CAMBIST_SIGNER_POLICY_FILE": str(tmp_path / "policy.json"),
        "CAMBIST_SIGNER_SEED_DIRECTORY": str(tmp_path),
        "CAMBIST_SIGNER_PASSPHRASE_FILE": str(tmp_path / "passphrase"),
        "CAMBIST_SIGNER_POSTGRES_DSN": postgres_settings.dsn.get_secret_value(),
    }
    assert run("migrate", environment).returncode == ExitStatus.OK
    plain = run("serve", environment)
    assert plain.returncode == ExitStatus.CONFIGURATION
    environment |= {
        "CAMBIST_SIGNER_TLS_CERTIFICATE_FILE": tls.certificate_file,
        "CAMBIST_SIGNER_TLS_PRIVATE_KEY_FILE": tls.private_key_file,
        "CAMBIST_SIGNER_TLS_AUTHORITY_FILE": authority.authority_file,
    }
    output = tmp_path / "output"
    process = start(environment, output)
    try:
        callers = tls.model_copy(update={"authority_file": authority.authority_file})
        address = f"localhost:{port}"
        async with rpc_channel.open_channel(address, tls_settings=callers) as channel:
            await rpc_channel.wait_ready(channel, address, 60)
            stub = signer_pb2_grpc.SignerServiceStub(channel)
            keys = await stub.GetPublicKeys(signer_pb2.GetPublicKeysRequest(chain="ethereum"))
            status = await stub.GetStatus(signer_pb2.GetStatusRequest())
    finally:
        process.terminate()
        assert process.wait(30) == ExitStatus.OK
    assert keys.branches[0].extended_public_key.startswith("xpub")
    assert (status.stopped, status.epoch) == (False, 1)
    told = output.read_bytes() + plain.stdout + plain.stderr + keys.SerializeToString()
    assert b"serving" in told
    for secret in (SEED, SEED.hex().encode(), PASSPHRASE.encode(), str(SEED).encode()):
        assert secret not in told
