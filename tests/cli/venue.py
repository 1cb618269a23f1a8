"""A venue in the test's own loop (matching and gateway, real), and the command line beside it."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cambist.client.admin import Admin
from cambist.client.keys import ApiKey
from gateway import server as gateway_server
from gateway.door.permissions import Scope
from gateway.identity.keys import KeyRecord
from gateway.identity.store import KeyStore
from gateway.settings import DevelopmentSettings as GatewayDevelopment
from gateway.settings import GatewaySettings
from matching import server as matching_server
from matching.projector import process as projector
from matching.settings import DevelopmentSettings, MatchingSettings, SandboxSettings
from runtime import postgres
from runtime.settings import PostgresSettings

ROOT = Path(__file__).resolve().parents[2]
FIRM = 1
ACCOUNT, OTHER = 4_096, 4_097
EXTERNAL = 4
SECONDS = 60.0
VENUE_FILE = """
assets:
  - {id: 1, symbol: BTC, decimals: 8}
  - {id: 2, symbol: USDT, decimals: 6}
markets:
  - number: 1
    symbol: BTC-USDT
    base: BTC
    quote: USDT
    lot_size: 0.0001
    tick_size: 0.1
    phase: continuous
firms:
  - id: 1
    name: First
    accounts:
      - {id: 4096, open_orders_max: 1000}
      - {id: 4097}
"""


@dataclass(frozen=True)
class Ran:
    """What a run of the program left."""

    status: int
    stdout: str
    stderr: str

    @property
    def lines(self) -> list[Any]:
        """Lines of JSON."""
        return [json.loads(line) for line in self.stdout.splitlines()]


@dataclass
class CliVenue:
    """Where everything is."""

    endpoint: str
    admin_endpoint: str
    postgres: PostgresSettings
    folder: Path

    async def run(self, *arguments: str, timeout_seconds: float = SECONDS) -> Ran:
        """Runs `cambist` as a process of its own."""
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "CAMBIST_ENDPOINT": self.endpoint,
            "CAMBIST_ADMIN": self.admin_endpoint,
            "NO_COLOR": "1",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "cambist.cli",
            *arguments,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=ROOT,
        )
        try:
            async with asyncio.timeout(timeout_seconds):
                out, error = await process.communicate()
        except BaseException:
            process.kill()
            raise
        assert process.returncode is not None
        return Ran(process.returncode, out.decode(), error.decode())

    async def apply(self, text: str = VENUE_FILE, *options: str) -> Ran:
        """Runs `cambist apply` with a file of this content."""
        path = self.folder / "venue.yaml"
        path.write_text(text)
        return await self.run("apply", "-f", str(path), *options)

    async def key(self, name: str, account_ids: tuple[int, ...] = ()) -> Path:
        """Makes a key with the command line and registers its public half."""
        path = self.folder / f"{name}.json"
        made = await self.run("keys", "new", str(path), "--key-id", name, "--json")
        assert made.status == 0, made.stderr
        (public,) = made.lines
        database = await postgres.connect(self.postgres, application_name="cambist-test")
        try:
            await KeyStore(database).create(
                KeyRecord(
                    key_id=name,
                    firm_id=FIRM,
                    label="",
                    public_keys=(bytes.fromhex(public["public_key"]),),
                    scopes=frozenset(Scope),
                    account_ids=account_ids,
                    market_ids=(),
                    networks=(),
                    is_read_only=False,
                    orders_per_second=0,
                    cancels_per_second=0,
                    created_ns=time.time_ns(),
                    expires_ns=0,
                    revoked_ns=0,
                    version=0,
                )
            )
        finally:
            await database.close()
        assert ApiKey.load(path).key_id == name
        return path

    async def fund(self, *account_ids: int) -> None:
        """A million of each asset."""
        async with Admin.connect(self.admin_endpoint) as admin:
            for account_id in account_ids:
                for asset_id, decimals in ((1, 8), (2, 6)):
                    await admin.adjust(
                        (account_id << 8 | asset_id).to_bytes(16, "big"),
                        from_account_id=EXTERNAL,
                        to_account_id=account_id,
                        asset_id=asset_id,
                        amount_atoms=10**6 * 10**decimals,
                        approvers=("one", "two"),
                    )


@asynccontextmanager
async def running_venue(
    settings: PostgresSettings,
    folder: Path,
    *,
    has_history: bool = False,
    custody: str = "",
    is_sandbox: bool = False,
) -> AsyncIterator[CliVenue]:
    """A primary and a gateway, with a projector if that is asked for; stopped at the end.

    `custody` is the endpoint of a custody service, empty for a venue without one.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    matching_ready: asyncio.Future[Any] = loop.create_future()
    gateway_ready: asyncio.Future[Any] = loop.create_future()
    loopback = "127.0.0.1:0"
    matching = MatchingSettings(
        postgres=settings,
        listen_address=loopback,
        admin_address=loopback,
        health_address=loopback,
        history_address=loopback,
        development=DevelopmentSettings(enabled=True),
        sandbox=SandboxSettings(enabled=is_sandbox),
    )
    tasks = [asyncio.create_task(matching_server.serve(matching, stop, matching_ready.set_result))]
    try:
        ports = await first(matching_ready, tasks)
        history = ""
        if has_history:
            projector_ready: asyncio.Future[Any] = loop.create_future()
            projecting = projector.run(matching, stop, projector_ready.set_result, niceness=0)
            tasks.append(asyncio.create_task(projecting))
            history = f"1=127.0.0.1:{(await first(projector_ready, tasks)).port}"
        gateway = GatewaySettings(
            postgres=settings,
            listen_address=loopback,
            health_address=loopback,
            matching_endpoints=f"1=127.0.0.1:{ports.port}",
            history_endpoints=history,
            custody_endpoint=custody,
            development=GatewayDevelopment(enabled=True),
            drain_ms=0,
        )
        tasks.append(
            asyncio.create_task(gateway_server.serve(gateway, stop, gateway_ready.set_result))
        )
        gateway_ports = await first(gateway_ready, tasks)
        yield CliVenue(
            f"127.0.0.1:{gateway_ports.port}", f"127.0.0.1:{ports.admin_port}", settings, folder
        )
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), SECONDS)


async def first(ready: "asyncio.Future[Any]", tasks: list["asyncio.Task[None]"]) -> Any:
    """Ports of a process that serves; raises what ended it instead."""
    await asyncio.wait({ready, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        if task.done():
            task.result()
    return await ready
