"""What a full venue costs the operator: 480 Markets, 20 WalletChains, 40 workers that report."""

import asyncio
import copy
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cambist.admin.v1 import admin_pb2
from cambist.client.admin import Admin
from tests.cluster.operator import workers
from tests.cluster.operator.conftest import CHAIN, Venue
from tests.cluster.operator.engine import Matching
from tests.cluster.operator.test_markets import MARKET
from tests.cluster.operator.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

MARKETS, CHAINS, WORKERS_PER_CHAIN = 480, 20, 2
FILL_SECONDS = 240.0
MEASURE_SECONDS = 20.0
MEMORY_MAX_BYTES = 200_000_000


def chains() -> Iterator[dict[str, Any]]:
    for index in range(CHAINS):
        made = copy.deepcopy(CHAIN)
        made["metadata"]["name"] = f"chain-{index}"
        made["spec"]["network"] = f"network-{index}"
        made["spec"]["scaling"] |= {"minReplicas": WORKERS_PER_CHAIN, "signalStaleSeconds": 30}
        yield made


def cpu_seconds(process: int) -> float:
    """User and system time so far."""
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_bytes(process: int) -> int:
    pages = int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def all_are(venue: Venue, kind: str, condition: str) -> bool:
    """Whether a condition of every resource is true."""
    found = json.loads(venue.kubectl.run("get", kind, "-o", "json"))["items"]
    return all(
        any(
            one["type"] == condition and one["status"] == "True"
            for one in item.get("status", {}).get("conditions", [])
        )
        for item in found
    )


def create_assets(matching: Matching) -> None:
    """A base asset per market."""

    async def create() -> None:
        async with Admin.connect(matching.endpoint) as admin:
            for index in range(MARKETS):
                asset = admin_pb2.Asset(asset_id=1_000 + index, symbol=f"A{index}", decimals=8)
                await admin.create_asset(asset)

    asyncio.run(create())


def markets() -> Iterator[dict[str, Any]]:
    for index in range(MARKETS):
        made = copy.deepcopy(MARKET)
        made["metadata"]["name"] = f"market-{index}"
        made["spec"] |= {"marketId": 65_600 + index, "base": f"A{index}"}
        yield made


def test_a_full_venue_costs_the_operator_little(
    venue: Venue, matching: Matching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Processor time is printed, not judged: machines differ. The goal is 5 % of a core."""
    monkeypatch.setattr(workers, "REPORT_SECONDS", 1.0)
    create_assets(matching)
    operator = venue.start(ENGINE_ENDPOINTS=matching.endpoint, ENGINE_LADDER_STEP_SECONDS="0.1")
    for documents in (list(chains()), list(markets())):
        venue.kubectl.apply({"apiVersion": "v1", "kind": "List", "items": documents})
    until(lambda: len(venue.pods()) == CHAINS * WORKERS_PER_CHAIN, FILL_SECONDS)
    for name in venue.pods():
        venue.run_pod(name)
    until(lambda: all_are(venue, "wc", "SignalFresh"), FILL_SECONDS)
    until(lambda: all_are(venue, "mkt", "Synced"), FILL_SECONDS)
    # What was begun by all that comes to rest.
    time.sleep(MEASURE_SECONDS)

    began, used = time.monotonic(), cpu_seconds(operator.pid)
    time.sleep(MEASURE_SECONDS)
    share = (cpu_seconds(operator.pid) - used) / (time.monotonic() - began)
    memory = memory_bytes(operator.pid)
    print(f"operator: {share:.1%} of a core, {memory / 1e6:.0f} MB")
    assert memory < MEMORY_MAX_BYTES
