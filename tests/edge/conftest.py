"""A venue behind a real HAProxy with the chart's own configuration, on loopback."""

import asyncio
import datetime
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cambist.client import Client
from cambist.client.channels import Tls
from runtime.development_certificates import make_authority
from tests.edge.attacks import Edge
from venue import engines
from venue.flow.definitions import firms
from venue.ports import choose_ports
from venue.setup import create_keys, create_venue
from venue.stack import Stack, StackPlan

# A test sees to it that this is what the chart renders by default.
CONFIGURATION = Path(__file__).resolve().parent.parent.parent / "deploy/compose/haproxy.cfg"
SERVERS = re.compile(r"server-template .*")
# Version 2 has no limits of handshakes and of odd frames; the edge's image has version 3.
OLDER = {
    "tune.h2.fe.max-concurrent-streams": "tune.h2.max-concurrent-streams",
    "tune.h2.fe.glitches-threshold": "#",
    "timeout client-hs": "#",
}
# In ten seconds, instead of 5,000: one client of a busy machine asks less often than that.
REQUESTS = 500
START_SECONDS = 20.0


@dataclass(frozen=True)
class Venue:
    """The edge, and a firm's way through it."""

    edge: Edge
    key_file: Path
    account_id: int
    # The proxy's major version.
    version: int
    health_port: int

    def client(self) -> Client:
        return Client.connect(
            f"localhost:{self.edge.port}",
            key_file=self.key_file,
            tls=Tls(str(self.edge.authority_file)),
        )

    async def count(self, metric: str) -> float:
        """A figure of the edge's own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.health_port)
        writer.write(b"GET /metrics HTTP/1.0\r\n\r\n")
        page = (await reader.read()).decode()
        writer.close()
        match = re.search(rf"^{re.escape(metric)} (\S+)$", page, re.MULTILINE)
        assert match, metric
        return float(match[1])


def proxy() -> str:
    """The program; CAMBIST_TEST_HAPROXY names another than the one on the path."""
    found = os.environ.get("CAMBIST_TEST_HAPROXY") or shutil.which("haproxy")
    if found is None:
        pytest.skip("no haproxy on the path (.ci/packages)")
    return found


def version_of(program: str) -> int:
    shown = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stdout
    match = re.search(r"version (\d+)\.", shown)
    assert match
    return int(match[1])


def configure(folder: Path, version: int, gateway_port: int) -> tuple[int, int]:
    """Writes configuration and certificate; the edge's port, and its health's."""
    port, health_port = choose_ports(2)
    now = datetime.datetime.now(datetime.UTC)
    issued = make_authority(folder, now).issue("edge", now)
    files = (issued.certificate_file, issued.private_key_file)
    (folder / "tls.pem").write_text("".join(Path(one).read_text("ascii") for one in files), "ascii")
    text = CONFIGURATION.read_text("utf-8")
    text, count = SERVERS.subn(f"server gateway 127.0.0.1:{gateway_port} proto h2", text)
    assert count == 1
    for written, meant in {
        ":8443": f"127.0.0.1:{port}",
        ":8405": f"127.0.0.1:{health_port}",
        "sc0_http_req_rate gt 5000": f"sc0_http_req_rate gt {REQUESTS}",
        "/credentials/": f"{folder}/",
        **(OLDER if version < 3 else {}),
    }.items():
        assert written in text
        text = text.replace(written, meant)
    (folder / "haproxy.cfg").write_text(text, "utf-8")
    return port, health_port


async def wait_listening(port: int) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


@pytest.fixture
async def venue() -> AsyncIterator[Venue]:
    program = proxy()
    version = version_of(program)
    (firm,) = plans = firms(1)
    with tempfile.TemporaryDirectory(prefix="cambist-edge-") as name:
        folder = Path(name)
        plan = StackPlan(folder, gateway_count=1, engine=engines.sizes().engine, helpers=False)
        async with Stack(plan) as stack:
            await create_venue(stack, plans)
            keys = await create_keys(stack, plans, folder / "keys")
            port, health_port = configure(folder, version, stack.gateways[0].port)
            with (folder / "haproxy.log").open("wb") as log:
                process = await asyncio.create_subprocess_exec(
                    *(program, "-db", "-f", str(folder / "haproxy.cfg")), stdout=log, stderr=log
                )
            try:
                await wait_listening(port)
                edge = Edge(port, folder / "authority.pem")
                yield Venue(edge, keys[firm.firm_id], firm.account_ids[0], version, health_port)
            finally:
                process.terminate()
                await process.wait()
