"""The processes of custody beside a running venue: signer, approver, service, worker.

Used by the demo and by tests. All that differs from production is in the files and the environment
made here: certificates of a throw-away authority, and seeds that only this folder has.
"""

import asyncio
import datetime
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from runtime import rpc_channel
from runtime.development_certificates import make_authority
from runtime.errors import Unavailable
from runtime.settings import TlsSettings
from venue.custody import files
from venue.custody.chain_plan import ChainPlan
from venue.custody.listing import list_assets
from venue.flow.definitions import SHARD
from venue.ports import choose_ports
from venue.processes import Process, ProcessFailed
from venue.stack import Stack

READY_SECONDS: Final = 60.0
SIGNER, APPROVER, SERVICE, WORKER = "signer", "approver", "custody", "worker"
SERVERS: Final = (SIGNER, APPROVER)


@dataclass(frozen=True, slots=True)
class CustodyPorts:
    """Chosen before the venue starts: gateways are told of the service's."""

    signer: int
    approver: int
    service: int
    service_health: int
    worker: int
    worker_health: int

    @property
    def gateway_environment(self) -> dict[str, str]:
        """What a gateway must know."""
        return {"CUSTODY_ENDPOINT": f"127.0.0.1:{self.service}"}


def choose() -> CustodyPorts:
    """Free ones. Raises NoPort."""
    return CustodyPorts(*choose_ports(6))


@dataclass(slots=True)
class CustodyStack:
    """Custody of one network; its processes are the venue's, which stops them."""

    stack: Stack
    ports: CustodyPorts
    plan: ChainPlan
    tls: dict[str, TlsSettings] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Keys, policies and certificates."""
        return self.stack.plan.directory / "custody"

    async def start(self) -> None:
        """Starts all of it, and waits until it serves. Raises ProcessFailed."""
        await list_assets(self.stack, self.plan.assets)
        await asyncio.to_thread(files.write, self.folder, self.plan)
        self._make_certificates()
        for package in ("wallets", "wallets.signer", "wallets.approver"):
            await self._run(package, "migrate")
        await self._run("wallets", "apply", str(self.folder / "registration.json"))
        for name in SERVERS:
            self.start_process(name)
        for name, port in ((SIGNER, self.ports.signer), (APPROVER, self.ports.approver)):
            await self._wait_listening(name, port)
        self.start_process(SERVICE)
        self.start_process(WORKER)
        await self.stack.wait_serving(SERVICE, self.ports.service_health)
        await self.wait_worker()

    def start_process(self, name: str) -> Process:
        """Starts one of them; also after it was killed."""
        package = f"wallets.{name}" if name in SERVERS else "wallets"
        command = {SERVICE: "service", WORKER: "worker"}.get(name, "serve")
        return self.stack.processes.start(
            name, ["-m", package, command], environment=self.environment(name)
        )

    async def wait_worker(self) -> None:
        """Waits until the worker says it serves. Raises ProcessFailed."""
        await self.stack.wait_serving(WORKER, self.ports.worker_health)

    def environment(self, name: str) -> dict[str, str]:
        """Settings of one process."""
        if name == SIGNER:
            return self._prefixed("CAMBIST_SIGNER_", self._signer())
        if name == APPROVER:
            return self._prefixed("CAMBIST_APPROVER_", self._approver())
        health = self.ports.service_health if name == SERVICE else self.ports.worker_health
        return self._prefixed("CAMBIST_WALLETS_", self._wallets(health))

    def _signer(self) -> dict[str, str]:
        return {
            "LISTEN_ADDRESS": f"127.0.0.1:{self.ports.signer}",
            "POLICY_FILE": str(self.folder / "signing.json"),
            "SEED_DIRECTORY": str(self.folder / "seeds"),
            "PASSPHRASE_FILE": str(self.folder / "passphrase"),
            **self._certificates("TLS_", SIGNER),
        }

    def _approver(self) -> dict[str, str]:
        return {
            "LISTEN_ADDRESS": f"127.0.0.1:{self.ports.approver}",
            "POLICY_FILE": str(self.folder / "approving.json"),
            "KEY_DIRECTORY": str(self.folder / "approver"),
            "KEY_ID": files.KEY_ID,
            "PASSPHRASE_FILE": str(self.folder / "passphrase"),
            "ENGINES": self._engines,
            **self._certificates("TLS_", APPROVER),
        }

    def _wallets(self, health_port: int) -> dict[str, str]:
        return {
            "CHAIN": self.plan.chain,
            "NETWORK": self.plan.network,
            "CHAIN_FILE": str(self.folder / "chain.json"),
            "INSTANCE": WORKER,
            "ENGINES": self._engines,
            "LISTEN_ADDRESS": f"127.0.0.1:{self.ports.worker}",
            "HEALTH_ADDRESS": f"127.0.0.1:{health_port}",
            "SERVICE_ADDRESS": f"127.0.0.1:{self.ports.service}",
            "APPROVER_ADDRESS": f"localhost:{self.ports.approver}",
            "SIGNER_ADDRESS": f"localhost:{self.ports.signer}",
            **self._certificates("PEER_TLS_", files.CALLER),
        }

    @property
    def _engines(self) -> str:
        return f"{SHARD}={self.stack.matching_endpoint}"

    def _prefixed(self, prefix: str, settings: dict[str, str]) -> dict[str, str]:
        named = {"POSTGRES_DSN": self.stack.dsn, **settings}
        return {prefix + name: value for name, value in named.items()}

    def _make_certificates(self) -> None:
        now = datetime.datetime.now(datetime.UTC)
        authority = make_authority(self.folder / "tls", now)
        for name in (*SERVERS, files.CALLER):
            issued = authority.issue(name, now)
            self.tls[name] = issued.model_copy(update={"authority_file": authority.authority_file})

    def _certificates(self, prefix: str, name: str) -> dict[str, str]:
        tls = self.tls[name]
        return {
            f"{prefix}CERTIFICATE_FILE": tls.certificate_file,
            f"{prefix}PRIVATE_KEY_FILE": tls.private_key_file,
            f"{prefix}AUTHORITY_FILE": tls.authority_file,
        }

    async def _run(self, package: str, *arguments: str) -> None:
        """One command to its end. Raises ProcessFailed."""
        name = {"wallets.signer": SIGNER, "wallets.approver": APPROVER}.get(package, WORKER)
        process = self.stack.processes.start(
            f"{package}-{arguments[0]}",
            ["-m", package, *arguments],
            environment=self.environment(name),
        )
        status = await asyncio.to_thread(process.wait)
        del self.stack.processes.running[process.name]
        if status:
            raise ProcessFailed(f"{process.name}: status {status}\n{process.log_tail()}")

    async def _wait_listening(self, name: str, port: int) -> None:
        address, tls = f"localhost:{port}", self.tls[files.CALLER]
        async with rpc_channel.open_channel(address, tls_settings=tls) as channel:
            try:
                await rpc_channel.wait_ready(channel, address, READY_SECONDS)
            except Unavailable:
                raise self.stack.processes.running[name].fail("does not listen") from None
