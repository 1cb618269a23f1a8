"""Recorded answers of a real node; absent = skipped by name."""

import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from tests.wallets.tron.simulated_net import GENESIS_MS, HOLDER, OWNER, TOKEN, TRX, Net
from wallets.tron.simulator.chain import Chain
from wallets.tron.simulator.parameters import Parameters
from wallets.tron.simulator.server import Node
from wallets.tron.simulator.state import Account, State

FOLDER = Path(
    os.environ.get(
        "TRON_RECORDINGS",
        Path(__file__).parents[4] / "shared" / "nodes" / "tron-recordings",
    )
)


@pytest.fixture
def recording() -> Callable[[str], list[dict[str, Any]]]:
    """The calls of a scenario by the name of its file."""

    def read(name: str) -> list[dict[str, Any]]:
        path = FOLDER / f"{name}.json"
        if not path.exists():
            pytest.skip(f"recorded answers of a TRON node: set TRON_RECORDINGS, {name} is absent")
        calls: list[dict[str, Any]] = json.loads(path.read_text())["calls"]
        return calls

    return read


@pytest.fixture
def recorded_calls() -> list[dict[str, Any]]:
    """The calls of all scenarios."""
    if not FOLDER.is_dir():
        pytest.skip("recorded answers of a TRON node: set TRON_RECORDINGS to their folder")
    return [
        call
        for path in sorted(FOLDER.glob("*.json"))
        for call in json.loads(path.read_text())["calls"]
    ]


@pytest.fixture
def recorded_transactions(recorded_calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every transaction in the recordings, as the node wrote it, once per id."""
    found: dict[str, dict[str, Any]] = {}

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if "raw_data_hex" in value and "txID" in value:
                found[value["txID"]] = value
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    for call in recorded_calls:
        walk(call["response"])
    return list(found.values())


@pytest.fixture
async def net() -> AsyncIterator[Net]:
    parameters = Parameters(solid_lag_blocks=2)
    state = State(parameters)
    state.accounts |= {
        OWNER: Account(1_000 * TRX, GENESIS_MS),
        HOLDER: Account(TRX, GENESIS_MS),
    }
    state.tokens[TOKEN] = {OWNER: 10**12, HOLDER: 1}
    chain = Chain(parameters, GENESIS_MS, state)
    for _ in range(5):
        chain.make_block()
    client = TestClient(TestServer(Node(chain).application()))
    await client.start_server()
    yield Net(chain, client)
    await client.close()
