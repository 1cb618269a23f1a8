"""`python -m tests.abuse.fuzz`: fuzzes the codec, then every RPC of a venue of its own.

`CAMBIST_FUZZ_SECONDS` (60) goes to the codec, as much to the RPCs; `CAMBIST_FUZZ_SEED` repeats a
run; `--rpc` leaves the codec out. Ends with status 1 when anything crashed, answered INTERNAL, or
moved the journal though it was refused.
"""

import argparse
import asyncio
import os
import random
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import grpc
import grpc.aio
from google.protobuf.descriptor import Descriptor

from cambist.client.keys import ApiKey
from cambist.client.logon import Logon
from cambist.internal.journal.v1 import batch_pb2, system_pb2
from cambist.internal.matching.v1 import matching_pb2, matching_pb2_grpc
from cambist.orders.v1 import commands_pb2, service_pb2, service_pb2_grpc
from gateway.services import SERVED
from tests.abuse.messages import MessageMaker
from tests.abuse.rpc_fuzz import Findings, RpcFuzzer, services
from venue import engines
from venue.flow.definitions import ASSETS, MARKETS, SHARD, FirmPlan, firms
from venue.setup import create_keys, create_venue
from venue.stack import PROJECTOR, Stack, StackPlan

ROOT: Final = Path(__file__).resolve().parent.parent.parent
CALLERS: Final = 16
CHANNEL_OPTIONS: Final = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]
INTERNAL: Final = "cambist.internal."
ADMIN: Final = "cambist.admin"
ORDER_SESSION: Final = "cambist.orders.v1.OrderEntryService.OrderEntrySession"
SUBMIT: Final = "cambist.internal.matching.v1.MatchingService.SubmitCommands"
# What a process of ours prints when something escaped it.
ESCAPED: Final = ("Traceback (most recent call last)", "ended by a fault", "panicked at")
INNER: Final[dict[str, Descriptor]] = {
    "cambist.orders.v1.CommandBatch.commands": commands_pb2.Commands.DESCRIPTOR,
    "cambist.internal.matching.v1.Submit.envelope": batch_pb2.Envelope.DESCRIPTOR,
    "cambist.internal.matching.v1.Submit.more_envelopes": batch_pb2.Envelope.DESCRIPTOR,
    "cambist.internal.journal.v1.Envelope.commands": commands_pb2.Commands.DESCRIPTOR,
    "cambist.internal.journal.v1.Envelope.system_commands": system_pb2.SystemCommands.DESCRIPTOR,
}


def fuzz_codec(seconds: int, seed: int) -> bool:
    """Runs the kernel's own fuzzer; True when it found nothing, or when there is no compiler."""
    cargo = shutil.which("cargo") or shutil.which("cargo", path=str(Path.home() / ".cargo/bin"))
    if cargo is None:
        print("codec: NOT FUZZED, there is no Rust compiler", file=sys.stderr)
        return True
    manifest = str(ROOT / "kernel" / "Cargo.toml")
    command = [cargo, "run", "--release", "--quiet", "--manifest-path", manifest]
    command += ["-p", "cambist-fuzz", "--", "--seconds", str(seconds), "--seed", str(seed)]
    return subprocess.run(command, check=False).returncode == 0


async def fuzz_rpcs(seconds: float, seed: int) -> Findings:
    """Starts a venue and calls everything it offers."""
    (firm,) = firms(1)
    with tempfile.TemporaryDirectory(prefix="cambist-fuzz-") as folder:
        directory = Path(folder)
        plan = StackPlan(directory, gateway_count=1, engine=engines.sizes().engine)
        async with Stack(plan) as stack:
            await create_venue(stack, [firm])
            keys = await create_keys(stack, [firm], directory / "keys")
            venue = FuzzedVenue(stack, firm, ApiKey.load(keys[firm.firm_id]), random.Random(seed))
            findings = await venue.fuzz(seconds)
            findings.faults += await venue.damage()
            return findings


class FuzzedVenue:
    """A venue and everything that is known of it."""

    def __init__(self, stack: Stack, firm: FirmPlan, key: ApiKey, source: random.Random) -> None:
        self._stack = stack
        self._source = source
        self._logon = Logon(key)
        known = (SHARD, firm.firm_id, *firm.account_ids[:3])
        known += tuple(market.market_id for market in MARKETS)
        known += tuple(asset.asset_id for asset in ASSETS)
        self._maker = MessageMaker(source, known, INNER)
        self._names = 0

    async def fuzz(self, seconds: float) -> Findings:
        """Public, internal and operators' services; half of the time one call after another."""
        findings = Findings()
        stack = self._stack
        public = [
            service for module in SERVED for service in module.DESCRIPTOR.services_by_name.values()
        ]
        internal = [service for service in services(INTERNAL) if service.name == "MatchingService"]
        history = [service for service in services(INTERNAL) if service.name == "HistoryService"]
        targets = [
            (stack.endpoints[0], public, 0.6),
            (stack.matching_endpoint, internal, 0.2),
            (f"127.0.0.1:{stack.history_port}", history, 0.05),
            (stack.admin_endpoint, services(ADMIN), 0.15),
        ]
        for endpoint, offered, share in targets:
            is_public = endpoint == stack.endpoints[0]
            async with grpc.aio.insecure_channel(endpoint, options=CHANNEL_OPTIONS) as channel:
                fuzzer = RpcFuzzer(
                    channel,
                    [method for service in offered for method in service.methods],
                    self._maker,
                    self._source,
                    self.credentials if is_public else no_credentials,
                    {ORDER_SESSION: self.establish, SUBMIT: self.hello},
                    refusals_are_silent=endpoint != stack.admin_endpoint,
                )
                await fuzzer.one_by_one(seconds * share / 2, self.applied_sequence)
                await fuzzer.all_at_once(seconds * share / 2, CALLERS)
                findings.add(fuzzer.findings)
        return findings

    async def credentials(self) -> tuple[tuple[str, str], ...]:
        """Most calls have a good token, some none."""
        if self._source.random() < 0.05:
            return ()
        async with grpc.aio.insecure_channel(
            self._stack.endpoints[0], options=CHANNEL_OPTIONS
        ) as channel:
            return tuple(await self._logon.metadata(channel))

    async def applied_sequence(self) -> int:
        """Last sequence that matching has applied."""
        async with grpc.aio.insecure_channel(
            self._stack.matching_endpoint, options=CHANNEL_OPTIONS
        ) as channel:
            stub: Any = matching_pb2_grpc.MatchingServiceStub(channel)
            status = await stub.GetStatus(matching_pb2.GetStatusRequest(), timeout=10.0)
        return int(status.applied_seq)

    async def hello(self) -> list[bytes]:
        """A good hello and a first envelope that is numbered as it should be."""
        link_id = self._source.randrange(1, 2**63)
        hello = matching_pb2.Hello(link_id=link_id, shard=SHARD, name="fuzz")
        envelope = self._maker.body(batch_pb2.Envelope.DESCRIPTOR)
        submit = matching_pb2.Submit(number=1, envelope=envelope)
        return [
            matching_pb2.SubmitCommandsRequest(hello=hello).SerializeToString(),
            matching_pb2.SubmitCommandsRequest(submit=submit).SerializeToString(),
        ]

    async def establish(self) -> list[bytes]:
        """Establish of a session that was negotiated."""
        self._names = (self._names + 1) % 32
        async with grpc.aio.insecure_channel(
            self._stack.endpoints[0], options=CHANNEL_OPTIONS
        ) as channel:
            stub: Any = service_pb2_grpc.OrderEntryServiceStub(channel)
            request = service_pb2.NegotiateRequest(shard=SHARD, session_name=f"fuzz-{self._names}")
            metadata = await self._logon.metadata(channel)
            negotiated = await stub.Negotiate(request, metadata=metadata, timeout=10.0)
        establish = service_pb2.Establish(
            session_id=negotiated.session_id,
            session_version=negotiated.session_version,
            keep_alive_ms=10_000,
            next_order_seq_no=1,
            next_cancel_seq_no=1,
        )
        return [service_pb2.OrderEntrySessionRequest(establish=establish).SerializeToString()]

    async def damage(self) -> list[str]:
        """Processes that ended, do not serve, or printed what should never be printed."""
        found: list[str] = []
        stack = self._stack
        for name, process in stack.processes.running.items():
            if not process.is_running:
                found.append(f"{name} ended with status {process.popen.returncode}")
            text = process.log_path.read_text(errors="replace")
            found += [f"{name} printed {mark!r}" for mark in ESCAPED if mark in text]
        (gateway,) = stack.gateways
        waits = {
            "matching": stack.matching_health_port,
            gateway.name: gateway.health_port,
            PROJECTOR: stack.helper_health_ports[PROJECTOR],
        }
        for name, port in waits.items():
            if name in stack.processes.running and stack.processes.running[name].is_running:
                await stack.wait_serving(name, port)
        return found


async def no_credentials() -> tuple[tuple[str, str], ...]:
    """Inner ports know processes by TLS, not by tokens."""
    return ()


def report(findings: Findings) -> None:
    """Calls by method, then faults."""
    statuses: dict[str, dict[str, int]] = {}
    for (method, status), count in sorted(findings.calls.items()):
        statuses.setdefault(method, {})[status] = count
    for method, counts in statuses.items():
        print(f"{method}: {', '.join(f'{name} {count}' for name, count in counts.items())}")
    for fault in findings.faults[:50]:
        print(f"FAULT {fault}", file=sys.stderr)
    calls, faults = sum(findings.calls.values()), len(findings.faults)
    print(f"rpc: {calls} calls to {len(statuses)} methods, {faults} faults")


def main() -> int:
    """Fuzzes both; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.abuse.fuzz")
    parser.add_argument("--rpc", action="store_true", help="leave the codec out")
    given = parser.parse_args()
    seconds = int(os.environ.get("CAMBIST_FUZZ_SECONDS", "60"))
    seed = int(os.environ.get("CAMBIST_FUZZ_SEED", "0")) or secrets.randbelow(2**32) + 1
    print(f"CAMBIST_FUZZ_SEED={seed}")
    is_clean = given.rpc or fuzz_codec(seconds, seed)
    findings = asyncio.run(fuzz_rpcs(seconds, seed))
    report(findings)
    return 0 if is_clean and not findings.faults else 1


if __name__ == "__main__":
    sys.exit(main())
