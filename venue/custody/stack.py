"""The processes of custody beside a running venue: signer, approver, service, a worker per chain.

Used by the demo, by `venue.run` and by tests. All that differs from production is in the files and
the environment made here: certificates of a throw-away authority, and seeds that only this folder
has.
"""

import asyncio
import datetime
import json
from collections.abc import Sequence
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
from venue.side_by_side import side_by_side
from venue.stack import Stack
from wallets.service.deriving import derives

READY_SECONDS: Final = 60.0
SIGNER, APPROVER, SERVICE = "signer", "approver", "custody"
SERVERS: Final = (SIGNER, APPROVER)
CHAINS_MAX: Final = 3
# Below the venue's.
FOLDER: Final = "custody"


def worker_of(plan: ChainPlan) -> str:
    """The name of a chain's worker."""
    return f"worker-{plan.chain}"


@dataclass(frozen=True, slots=True)
class CustodyPorts:
    """Chosen before the venue starts: gateways are told of the service's."""

    signer: int
    approver: int
    service: int
    service_health: int
    # Of workers, calls and health in turn.
    workers: Sequence[int]

    @property
    def gateway_environment(self) -> dict[str, str]:
        """What a gateway must know."""
        return {"CUSTODY_ENDPOINT": f"127.0.0.1:{self.service}"}


def choose() -> CustodyPorts:
    """Free ones. Raises NoPort."""
    signer, approver, service, service_health, *workers = choose_ports(4 + 2 * CHAINS_MAX)
    return CustodyPorts(signer, approver, service, service_health, workers)


@dataclass(slots=True)
class CustodyStack:
    """Custody of some chains, `CHAINS_MAX` at most; the venue stops its processes."""

    stack: Stack
    ports: CustodyPorts
    plans: Sequence[ChainPlan]
    tls: dict[str, TlsSettings] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Keys, policies and certificates."""
        return self.stack.plan.directory / FOLDER

    async def start(self) -> None:
        """Starts all of it, and waits until it serves. Raises ProcessFailed."""
        await list_assets(self.stack, [held for plan in self.plans for held in plan.assets])
        await asyncio.to_thread(files.write, self.folder, self.plans)
        self._make_certificates()
        packages = ("wallets", "wallets.signer", "wallets.approver")
        await side_by_side(*(self._run(package, "migrate") for package in packages))
        registrations = [str(files.registration_file(self.folder, plan)) for plan in self.plans]
        await self._run("wallets", "apply", *registrations)
        for name in SERVERS:
            self.start_process(name)
        for name, port in ((SIGNER, self.ports.signer), (APPROVER, self.ports.approver)):
            await self._wait_listening(name, port)
        for name in (SERVICE, *map(worker_of, self.plans)):
            self.start_process(name)
        await self.stack.wait_serving(SERVICE, self.ports.service_health)
        await self.wait_worker()

    def start_process(self, name: str) -> Process:
        """Starts one of them; also after it was killed."""
        package = f"wallets.{name}" if name in SERVERS else "wallets"
        command = "serve" if name in SERVERS else "service" if name == SERVICE else "worker"
        return self.stack.processes.start(
            name, ["-m", package, command], environment=self.environment(name)
        )

    def kill_worker(self, plan: ChainPlan) -> None:
        """As the kernel does when memory is short; a new one begins at once."""
        name = worker_of(plan)
        self.stack.processes.kill(name)
        self.start_process(name)

    async def command(self, *arguments: str) -> None:
        """An operator's command over the first chain, to its end. Raises ProcessFailed."""
        await self._run("wallets", *arguments)

    async def wait_worker(self) -> None:
        """Waits until all workers say that they serve. Raises ProcessFailed."""
        for number, plan in enumerate(self.plans):
            await self.stack.wait_serving(worker_of(plan), self._worker_ports(number)[1])

    def hot_addresses(self, plan: ChainPlan) -> list[str]:
        """Of the accounts that pay, to be filled before they can."""
        registered = json.loads(files.registration_file(self.folder, plan).read_text("utf-8"))
        keys = {one["branch"]: one["extended_public_key"] for one in registered["branches"]}
        branches = derives(plan.chain, plan.network)
        return [branches.create_wallet(keys[name], at).text for name, at in plan.hot_accounts]

    def environment(self, name: str) -> dict[str, str]:
        """Settings of one process."""
        if name == SIGNER:
            return self._prefixed("CAMBIST_SIGNER_", self._signer())
        if name == APPROVER:
            return self._prefixed("CAMBIST_APPROVER_", self._approver())
        return self._prefixed("CAMBIST_WALLETS_", self._wallets(name))

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

    def _worker_ports(self, number: int) -> Sequence[int]:
        return self.ports.workers[2 * number : 2 * number + 2]

    def _wallets(self, name: str) -> dict[str, str]:
        """Of a worker, of the service, and of commands, which are told of the first chain."""
        number = next((at for at, one in enumerate(self.plans) if worker_of(one) == name), 0)
        plan, (port, health_port) = self.plans[number], self._worker_ports(number)
        if name == SERVICE:
            health_port = self.ports.service_health
        return {
            "CHAIN": plan.chain,
            "NETWORK": plan.network,
            "CHAIN_FILE": str(files.chain_file(self.folder, plan)),
            "INSTANCE": name,
            "ENGINES": self._engines,
            "LISTEN_ADDRESS": f"127.0.0.1:{port}",
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
        name = {"wallets.signer": SIGNER, "wallets.approver": APPROVER}.get(package, SERVICE)
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
