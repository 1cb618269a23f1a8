"""The OpenTelemetry collector beside a whole venue: what it hears of orders and of payouts."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from cambist.client import ApiKey, Client
from tests.foreign.conftest import program
from tests.foreign.heard import Heard, attributes
from venue.custody import tron_node
from venue.custody.chains import HOT_LOTS, lots
from venue.custody.round_trip import SCOPES, RoundTrip
from venue.custody.stack import CustodyStack, choose
from venue.flow.definitions import firms
from venue.ports import choose_ports
from venue.setup import create_venue
from venue.stack import Stack, StackPlan

pytestmark = [pytest.mark.foreign, pytest.mark.timeout(300)]

SECONDS = 60.0
CONFIGURATION = """
receivers:
  otlp: {protocols: {grpc: {endpoint: "%(endpoint)s"}}}
exporters:
  file/traces: {path: %(folder)s/traces.json}
  file/metrics: {path: %(folder)s/metrics.json}
service:
  # Not of itself: its own port would be one more.
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], exporters: [file/traces]}
    metrics: {receivers: [otlp], exporters: [file/metrics]}
"""


@dataclass(frozen=True)
class Collector:
    """Where it listens, and where it writes."""

    folder: Path
    endpoint: str

    def start(self, stack: Stack, collector: Path) -> None:
        """One of the venue's processes."""
        told = {"endpoint": self.endpoint, "folder": self.folder}
        (self.folder / "collector.yaml").write_text(CONFIGURATION % told, encoding="utf-8")
        arguments = [f"--config={self.folder / 'collector.yaml'}"]
        stack.processes.start("collector", arguments, program=str(collector))

    def heard(self) -> Heard:
        """As of now."""
        paths = (self.folder / f"{kind}.json" for kind in ("traces", "metrics"))
        return Heard(*(path.read_text("utf-8") if path.exists() else "" for path in paths))


class ToldCustody(CustodyStack):
    """Custody whose processes send their telemetry."""

    endpoint = ""

    def environment(self, name: str) -> dict[str, str]:
        """Settings of one process."""
        given = CustodyStack.environment(self, name)
        (prefix,) = {key.removesuffix("POSTGRES_DSN") for key in given if key.endswith("_DSN")}
        return given | {prefix + key: value for key, value in telemetry(self.endpoint).items()}


def telemetry(endpoint: str) -> dict[str, str]:
    """Settings of any service."""
    return {
        "TELEMETRY_OTLP_ENDPOINT": f"http://{endpoint}",
        "TELEMETRY_TRACE_SAMPLE_RATIO": "1.0",
        "TELEMETRY_METRIC_INTERVAL_SECONDS": "1",
    }


@pytest.fixture
async def collector(tmp_path: Path) -> AsyncIterator[Collector]:
    """A venue with custody of a simulated chain, after a deposit, a trade and a withdrawal."""
    built = program("collector")
    (port,) = choose_ports(1)
    found = Collector(tmp_path, f"127.0.0.1:{port}")
    (plan, *_), ports = firms(1, 2), choose()
    told = telemetry(found.endpoint)
    stack_plan = StackPlan(
        tmp_path / "venue",
        gateway_count=1,
        helpers=False,
        matching_environment=told,
        gateway_environment=ports.gateway_environment | told,
    )
    async with AsyncExitStack() as opened:
        stack = await opened.enter_async_context(Stack(stack_plan))
        found.start(stack, built)
        await create_venue(stack, [plan])
        key = ApiKey.generate("holder")
        await stack.create_key(plan.firm_id, key.key_id, key.public_hex, SCOPES)
        chain = await opened.enter_async_context(tron_node.started(stack))
        custody = ToldCustody(stack, ports, (chain.plan,))
        custody.endpoint = found.endpoint
        await custody.start()
        for address in custody.hot_addresses(chain.plan):
            for held in chain.plan.assets:
                await chain.purse.pay(held, address, lots(held, HOT_LOTS))
        client = await opened.enter_async_context(Client.connect(stack.endpoints, key))
        seller, buyer = plan.account_ids[:2]
        await RoundTrip(client, chain, seller, buyer).make()
        yield found
        stack.processes.check()


async def until(look: Callable[[], bool]) -> None:
    """Looks again and again; fails when the time is over."""
    async with asyncio.timeout(SECONDS):
        while not look():  # noqa: ASYNC110 - another process decides
            await asyncio.sleep(0.5)


METRICS = {
    ("gateway", "cambist.stage.commands"),
    ("matching", "cambist.stage.commands"),
    ("wallets", "cambist.wallets.payouts"),
    ("wallets", "cambist.wallets.payout_stage_duration"),
    ("wallets", "cambist.wallets.scan_lag_blocks"),
    ("signer", "cambist.signer.signatures"),
    ("signer", "cambist.custody.call_duration"),
    ("approver", "cambist.custody.call_duration"),
}
PAYOUT = {
    ("wallets", "payout"),
    ("wallets", "payout.requested"),
    ("wallets", "payout.confirming"),
    ("approver", "approver.Approve"),
    ("signer", "signer.Sign"),
}


async def test_a_collector_hears_of_each_order_and_each_payout_from_all_that_worked_on_it(
    collector: Collector, tmp_path: Path
) -> None:
    await until(lambda: collector.heard().metrics() >= METRICS)

    def has_payout() -> bool:
        return any(spans >= PAYOUT for spans in collector.heard().traces().values())

    await until(has_payout)
    heard = collector.heard()
    # An order's trace, made without a word on the wire.
    by_service = [{service for service, _ in spans} for spans in heard.traces().values()]
    assert {"gateway", "matching"} in by_service
    signed = heard.points("cambist.signer.signatures")
    assert int(signed[-1]["asInt"]) >= 1
    # Names of ours alone: nobody could keep a label per payout or per customer.
    labels = {frozenset(attributes(point)) for point in heard.points("cambist.wallets.payouts")}
    assert labels == {frozenset({"chain", "network", "state"})}
    passphrase = (tmp_path / "venue" / "custody" / "passphrase").read_text("utf-8").strip()
    assert passphrase
    told = heard.traces_text + heard.metrics_text
    assert passphrase not in told
    assert "postgresql://" not in told
