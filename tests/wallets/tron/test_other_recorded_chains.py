"""Recordings of other chains are played as well: many witnesses, and a contract grown dear."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

import pytest
from aiohttp.test_utils import TestClient, TestServer

from tests.wallets.tron.conftest import FOLDER
from tests.wallets.tron.replay import PARAMETERS, Replay, genesis, told_blocks
from tests.wallets.tron.test_recorded_scenarios import FIELDS, differences
from wallets.tron.simulator.dynamic_factor import cycle_of
from wallets.tron.simulator.parameters import SLOT_MILLISECONDS, Parameters
from wallets.tron.simulator.server import Node
from wallets.tron.simulator.state import Contract

MANY_WITNESSES, GROWN_DEAR = "30-solid-lag-27", "29-dynamic-energy"
SOLID_LAG_BLOCKS: Final = Parameters().solid_lag_blocks
# Of that chain: a byte's price, rounds of maintenance, and how dear the contract was at first.
DEAR: Final = replace(
    PARAMETERS, byte_price=10, free_bandwidth_bytes=0, maintenance_slots=3, busy_energy=1
)
FIRST_FACTOR: Final = 4_400
LEFT_OUT: Final = {
    "update_cycle": "rounds are counted from the chain's beginning there, from 1970 here",
}
REFERENCE: Final = {
    "ref_block_bytes": "a real node names its solid block, the simulated one its head",
    "ref_block_hash": "a real node names its solid block, the simulated one its head",
}
# A real node rounds the penalty at each instruction; what follows from it is close, not equal.
ROUNDED: Final = {
    "energy_used",
    "energy_penalty",
    "energy_penalty_total",
    "energy_usage_total",
    "energy_fee",
    "fee",
}
ROUNDING: Final = 0.03


def read(name: str) -> dict[str, Any]:
    path = FOLDER / f"{name}.json"
    if not path.exists():
        pytest.skip(f"recorded answers of a TRON node: set TRON_RECORDINGS, {name} is absent")
    told: dict[str, Any] = json.loads(path.read_text())
    return told


@asynccontextmanager
async def played(
    calls: list[dict[str, Any]], parameters: Parameters, blocks: dict[int, tuple[int, str]]
) -> AsyncIterator[Replay]:
    """The chain of a recording, at the block before its first call."""
    accounts = json.loads((FOLDER.parent / "tron-accounts.json").read_text())
    for told in (call["response"] for call in calls):
        if "blockNumber" in told:
            blocks.setdefault(told["blockNumber"], (told["blockTimeStamp"], ""))
    first = min(blocks)
    genesis_ms = blocks[first][0] - first * SLOT_MILLISECONDS
    chain = genesis(accounts, genesis_ms, parameters)
    blocks[0] = (genesis_ms, chain.head.block_hash)
    async with TestClient(TestServer(Node(chain).application())) as client:
        hexes = {name: one["hex"] for name, one in accounts.items()}
        replay = Replay(chain, client, blocks, {}, hexes)
        replay.reach(first)
        yield replay


async def test_with_many_witnesses_a_block_is_solid_when_twenty_are_on_top() -> None:
    told = read(MANY_WITNESSES)
    assert {head - solid for _, head, solid in told["rows"]} == {SOLID_LAG_BLOCKS}
    assert told["blocks_on_top_when_solid"] == SOLID_LAG_BLOCKS
    parameters = replace(PARAMETERS, solid_lag_blocks=SOLID_LAG_BLOCKS)
    *calls, solid = told["calls"]
    ((reference, block),) = told_blocks(calls).items()
    height = solid["response"]["blockNumber"]
    async with played(told["calls"], parameters, {height - 1: (block[0], "")}) as replay:
        # Signed bytes name it.
        named = replay.chain.blocks[reference]
        block_hash = block[1] + named.block_hash[len(block[1]) :]
        replay.chain.blocks[reference] = replace(named, block_hash=block_hash)
        for call in calls:
            wrong = wrong_in(call, await replay.post(call["path"], call["request"]))
            assert {field for field, *_ in wrong} <= REFERENCE.keys(), wrong
            if call["label"] == "broadcast":
                replay.reach(height)
        replay.reach(height + SOLID_LAG_BLOCKS - 1)
        assert await replay.post(solid["path"], solid["request"]) == {}
        replay.reach(height + SOLID_LAG_BLOCKS)
        assert wrong_in(solid, await replay.post(solid["path"], solid["request"])) == []


async def test_a_busy_contract_grows_dear_as_on_a_real_node() -> None:
    calls = read(GROWN_DEAR)["calls"]
    used: set[str] = set()
    async with played(calls, DEAR, told_blocks(calls)) as replay:
        put_contract(replay, bytes.fromhex(calls[0]["request"]["value"]))
        for call in calls:
            answer = await replay.answer(call)
            for field, one, other in wrong_in(call, answer):
                assert field in ROUNDED | LEFT_OUT.keys(), (field, one, other)
                assert field in LEFT_OUT or other == pytest.approx(one, rel=ROUNDING)
                used.add(field)
    # Nothing is left out that is told alike.
    assert used == ROUNDED | LEFT_OUT.keys()


def put_contract(replay: Replay, token: bytes) -> None:
    """The token as it was when the recording began."""
    chain, deployer = replay.chain, bytes.fromhex(replay.accounts["deployer"])
    state = chain.head.state
    cycle = cycle_of(state, chain.head.time_ms)
    state.contracts[token] = Contract(creator=deployer, factor=FIRST_FACTOR, cycle=cycle)
    state.tokens[token] = {deployer: 10**15 - 5, bytes.fromhex(replay.accounts["hot"]): 5}
    chain.refill_pool()


def wrong_in(call: dict[str, Any], answer: Any) -> list[tuple[str, Any, Any]]:
    """Fields that differ, without those that no test can depend on."""
    return [one for one in differences(call["response"], answer) if one[0] not in FIELDS]
