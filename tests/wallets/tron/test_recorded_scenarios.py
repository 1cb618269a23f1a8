"""Every recorded call is asked of the simulated node, and every field of its answer is the same.

What differs is named below, each with its reason. A name that nothing needs any more fails.
"""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import pytest
from aiohttp.test_utils import TestClient, TestServer
from eth_keys.datatypes import PrivateKey

from tests.wallets.tron.conftest import FOLDER
from tests.wallets.tron.replay import Replay, genesis, told_blocks
from wallets.tron.simulator.server import Node

GENESIS_MS: Final = 1_795_354_227_000
OTHER_SCENARIOS: Final = {
    "26-solid-lag": "no calls; the lag of one witness, which is a setting here",
    "29-dynamic-energy": "another chain, played in test_other_recorded_chains.py",
    "30-solid-lag-27": "another chain, played in test_other_recorded_chains.py",
}
# Fields that no test of custody or of wallets can depend on.
FIELDS: Final = {
    "timestamp": "the clock of the machine that built",
    "txID": "of bytes with that timestamp",
    "raw_data_hex": "of bytes with that timestamp",
    "account_name": "names that genesis gave",
    "asset_optimized": "whether a record of the node's store was written anew",
    "old_tron_power": "votes",
    "txTrieRoot": "of transactions that were not all recorded",
    "witness_address": "one witness, who signs nothing here",
    "witness_signature": "one witness, who signs nothing here",
    "version": "of genesis",
    "hash": "of an internal transaction",
}
# The same of one scenario: transactions before the first recorded call were signed anew.
FIELDS_OF: Final = {
    ("01-chain", "signature"): "of bytes with another timestamp",
    ("01-chain", "id"): "of bytes with another timestamp",
    ("25-jsonrpc", "blockHash"): "of blocks of whose hash a part was recorded",
}
# (scenario, method, label or path) of calls whose answer differs as a whole.
CALLS: Final = {
    ("01-chain", "/wallet/getchainparameters"): "only the prices that a wallet reads",
    ("01-chain", "/wallet/getbandwidthprices"): "the history of a price",
    ("02-accounts", "with stake"): "votes that were not recorded used bandwidth",
    ("17-trc20-failed", "endless loop: info"): "the words name the step that a loop reached",
    ("14-trc20-deploy", "build"): "no code is run",
    ("14-trc20-deploy", "broadcast"): "no code is run",
    ("14-trc20-deploy", "info"): "no code is run",
    ("14-trc20-deploy", "/wallet/gettransactionbyid"): "no code is run",
    ("14-trc20-deploy", "/wallet/getcontract"): "no code is run",
    ("14-trc20-deploy", "/wallet/getcontractinfo"): "no code is run",
    ("14-trc20-deploy", "a contract's account"): "a contract is no account here",
    ("14-trc20-deploy", "fee limit too small: build"): "no code is run",
    ("14-trc20-deploy", "fee limit too small: broadcast"): "no code is run",
    ("14-trc20-deploy", "fee limit too small: info"): "no code is run",
    ("22-internal-transfer", "deploy: build"): "no code is run",
    ("22-internal-transfer", "deploy: broadcast"): "no code is run",
    ("22-internal-transfer", "deploy: info"): "no code is run",
    ("24-broadcasthex", "good"): "the transaction again, as text for people",
    ("24-broadcasthex", "again"): "the transaction again, as text for people",
    ("24-broadcasthex", "empty"): "the transaction again, as text for people",
    ("25-jsonrpc", "eth_getTransactionReceipt"): "only balances and logs are served",
    ("25-jsonrpc", "eth_getTransactionByHash"): "only balances and logs are served",
    ("25-jsonrpc", "eth_getBlockByNumber"): "only balances and logs are served",
    ("27-malformed", "/wallet/nosuchthing"): "another page and status for an unknown path",
    ("27-malformed", "not on the solidity port"): "another page and status for an unknown path",
    ("27-malformed", "no number"): "genesis of the recorded chain",
}


def recorded() -> Iterator[tuple[str, dict[str, Any]]]:
    """Scenario and call, in the order of the recorded chain."""
    for path in sorted(FOLDER.glob("*.json")):
        if path.stem not in OTHER_SCENARIOS:
            for call in json.loads(path.read_text())["calls"]:
                yield path.stem, call


@pytest.fixture
async def replay() -> AsyncIterator[Replay]:
    path = FOLDER.parent / "tron-accounts.json"
    if not path.exists():
        pytest.skip("recorded answers of a TRON node: set TRON_RECORDINGS to their folder")
    accounts = json.loads(path.read_text())
    chain = genesis(accounts, GENESIS_MS)
    client = TestClient(TestServer(Node(chain).application()))
    await client.start_server()
    yield Replay(
        chain,
        client,
        told_blocks([call for _, call in recorded()]),
        {
            name: PrivateKey(bytes.fromhex(one["private_key"]))
            for name, one in accounts.items()
            if one.get("private_key")
        },
        {name: one["hex"] for name, one in accounts.items()},
    )
    await client.close()


def differences(told: Any, answer: Any, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Field, and both values, of all that is not the same."""
    if isinstance(told, dict) and isinstance(answer, dict):
        for field in sorted(set(told) | set(answer)):
            yield from differences(told.get(field), answer.get(field), field)
    elif isinstance(told, list) and isinstance(answer, list) and len(told) == len(answer):
        for one, other in zip(told, answer, strict=True):
            yield from differences(one, other, name)
    elif told != answer:
        yield name, told, answer


async def test_every_field_of_every_recorded_answer_is_the_same(replay: Replay) -> None:
    used_fields: set[str | tuple[str, str]] = set()
    used_calls: set[tuple[str, str]] = set()
    found, compared = [], 0
    for scenario, call in recorded():
        await replay.before(scenario, call["label"])
        told = call["response"]
        if isinstance(told, dict) and is_deployment(told):
            replay.deploy(told)
        differing = list(differences(told, await replay.answer(call)))
        left_out = {field for field, *_ in differing if field in FIELDS}
        left_out_here = {field for field, *_ in differing if (scenario, field) in FIELDS_OF}
        wrong = [one for one in differing if one[0] not in left_out | left_out_here]
        key = (scenario, name_of(call))
        used_fields |= left_out | {(scenario, field) for field in left_out_here}
        if wrong and key in CALLS:
            used_calls.add(key)
        elif wrong:
            found.append((*key, wrong))
        else:
            compared += 1
    assert found == []
    assert used_calls == CALLS.keys()
    assert used_fields == FIELDS.keys() | FIELDS_OF.keys()
    # Most of them: not what is left out.
    assert compared > 300


def name_of(call: dict[str, Any]) -> str:
    """The method, the label or the path: whatever tells calls of a scenario apart."""
    asked = call["request"]
    method = asked.get("method") if isinstance(asked, dict) else None
    return str(method or call["label"] or call["path"])


def is_deployment(told: dict[str, Any]) -> bool:
    """Whether an info returned the code of a contract."""
    return len("".join(told.get("contractResult", []))) > 600


def test_scenarios_that_are_not_played_exist() -> None:
    if not FOLDER.is_dir():
        pytest.skip("recorded answers of a TRON node: set TRON_RECORDINGS to their folder")
    assert OTHER_SCENARIOS.keys() <= {path.stem for path in FOLDER.glob("*.json")}
