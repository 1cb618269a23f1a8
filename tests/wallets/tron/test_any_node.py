"""What any TRON node does, simulated or real: told over HTTP alone.

`TRON_NODE_URL` names a full node of a private net whose genesis knows the test accounts of the
recordings; without it the simulated node is asked. What needs a route for faults is skipped there.
"""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from aiohttp import ClientSession, web
from eth_keys.datatypes import PrivateKey

from tests.wallets.tron.conftest import FOLDER
from tests.wallets.tron.replay import genesis
from tests.wallets.tron.simulated_net import signed_by
from wallets.tron.simulator.server import Node

URL: Final = os.environ.get("TRON_NODE_URL", "")
TRX: Final = 10**6
BLOCK_SECONDS: Final = 3.0 if URL else 0.02
WAIT_SECONDS: Final = 60.0
BUILD: Final = "class org.tron.core.exception.ContractValidateException : "


@dataclass
class AnyNode:
    """A node, and the test accounts that sign."""

    url: str
    session: ClientSession
    accounts: dict[str, Any]

    def of(self, name: str) -> str:
        """The account of a name, hexadecimal."""
        return str(self.accounts[name]["hex"])

    async def call(self, path: str, **body: Any) -> Any:
        async with self.session.post(f"{self.url}/wallet/{path}", json=body) as answer:
            assert answer.status == 200, answer.status
            return await answer.json()

    async def signed(self, path: str, name: str, **body: Any) -> Any:
        """A transaction that the node built, signed; or its refusal."""
        built = await self.call(path, owner_address=self.of(name), **body)
        if "raw_data_hex" not in built:
            return built
        key = PrivateKey(bytes.fromhex(self.accounts[name]["private_key"]))
        return built | {"signature": [signed_by(key, bytes.fromhex(built["raw_data_hex"])).hex()]}

    async def mined(self, path: str, name: str, **body: Any) -> Any:
        """The info of a transaction in a block."""
        whole = await self.signed(path, name, **body)
        sent = await self.call("broadcasttransaction", **whole)
        assert sent.get("result") is True, sent
        ends = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < ends:
            if info := await self.call("gettransactioninfobyid", value=whole["txID"]):
                return info
            await asyncio.sleep(BLOCK_SECONDS / 2)
        raise AssertionError("no block took it")


@pytest.fixture
async def node() -> AsyncIterator[AnyNode]:
    path = FOLDER.parent / "tron-accounts.json"
    if not path.exists():
        pytest.skip("test accounts of a TRON net: set TRON_RECORDINGS to the recordings' folder")
    accounts = json.loads(path.read_text())
    async with ClientSession() as session:
        if URL:
            yield AnyNode(URL.rstrip("/"), session, accounts)
            return
        simulated = Node(genesis(accounts, time.time_ns() // 3_000_000_000 * 3_000))
        runner = web.AppRunner(simulated.application())
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        blocks = asyncio.create_task(simulated.produce(BLOCK_SECONDS))
        try:
            yield AnyNode(f"http://127.0.0.1:{runner.addresses[0][1]}", session, accounts)
        finally:
            blocks.cancel()
            await asyncio.gather(blocks, return_exceptions=True)
            await runner.cleanup()


def fresh() -> str:
    """An address that never was used; nobody has its key."""
    return "41" + os.urandom(20).hex()


async def balance(node: AnyNode, key: str) -> int:
    return int((await node.call("getaccount", address=key)).get("balance", 0))


async def test_a_new_account_costs_its_payer_one_trx_and_a_tenth(node: AnyNode) -> None:
    key = fresh()
    before = await balance(node, node.of("hot"))
    info = await node.mined("createtransaction", "hot", to_address=key, amount=7)
    assert info["fee"] == 1_100_000
    assert info["receipt"] == {"net_fee": 100_000}
    assert await balance(node, node.of("hot")) == before - 1_100_007
    assert await balance(node, key) == 7


async def test_the_same_bytes_again_are_a_duplicate_and_pay_once(node: AnyNode) -> None:
    before = await balance(node, node.of("bob"))
    body = {"to_address": node.of("bob"), "amount": 11}
    whole = await node.signed("createtransaction", "alice", **body)
    assert (await node.call("broadcasttransaction", **whole))["result"] is True
    again = await node.call("broadcasttransaction", **whole)
    assert again["code"] == "DUP_TRANSACTION_ERROR"
    await node.mined("createtransaction", "alice", to_address=fresh(), amount=1)
    assert await balance(node, node.of("bob")) == before + 11


async def test_staked_energy_is_lent_and_taken_back(node: AnyNode) -> None:
    stake = {"frozen_balance": 1_000 * TRX, "resource": "ENERGY"}
    await node.mined("freezebalancev2", "resource", **stake)
    receiver = node.of("bob")
    loan = {"receiver_address": receiver, "balance": 500 * TRX, "resource": "ENERGY"}
    before = (await node.call("getaccountresource", address=receiver)).get("EnergyLimit", 0)
    await node.mined("delegateresource", "resource", **loan)
    told = await node.call("getaccountresource", address=receiver)
    share = 500 * told["TotalEnergyLimit"] // told["TotalEnergyWeight"]
    assert abs(told["EnergyLimit"] - before - share) <= 1
    sides = {"fromAddress": node.of("resource"), "toAddress": receiver}
    [lent] = (await node.call("getdelegatedresourcev2", **sides))["delegatedResource"]
    assert lent["frozen_balance_for_energy"] == 500 * TRX
    await node.mined("undelegateresource", "resource", **loan)
    assert await node.call("getdelegatedresourcev2", **sides) == {}
    await node.mined("unfreezebalancev2", "resource", unfreeze_balance=TRX, resource="ENERGY")
    await node.mined("cancelallunfreezev2", "resource")


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("createtransaction", {"to_address": "bob", "amount": 0}, "Amount must be greater than 0."),
        (
            "freezebalancev2",
            {"frozen_balance": 999_999, "resource": "ENERGY"},
            "frozenBalance must be greater than or equal to 1 TRX",
        ),
        ("withdrawexpireunfreeze", {}, "no unFreeze balance to withdraw "),
        (
            "unfreezebalancev2",
            {"unfreeze_balance": 10**15, "resource": "BANDWIDTH"},
            "no frozenBalance(BANDWIDTH)",
        ),
    ],
)
async def test_what_cannot_be_done_is_refused_when_it_is_built(
    node: AnyNode, path: str, body: dict[str, Any], words: str
) -> None:
    asked = body | ({"to_address": node.of("bob")} if "to_address" in body else {})
    assert (await node.signed(path, "alice", **asked))["Error"] == BUILD + words


async def test_a_strangers_signature_is_refused(node: AnyNode) -> None:
    whole = await node.signed("createtransaction", "alice", to_address=node.of("bob"), amount=1)
    key = PrivateKey(bytes.fromhex(node.accounts["bob"]["private_key"]))
    signature = signed_by(key, bytes.fromhex(whole["raw_data_hex"])).hex()
    answer = await node.call("broadcasttransaction", **whole | {"signature": [signature]})
    assert answer["code"] == "SIGERROR"


@pytest.mark.skipif(bool(URL), reason="a real node has no routes for faults: TRON_NODE_URL is set")
async def test_a_transaction_that_was_taken_can_vanish(node: AnyNode) -> None:
    async with node.session.post(
        f"{node.url}/simulator/faults", json={"accept_then_drop": 1}
    ) as answer:
        assert answer.status == 200
    whole = await node.signed("createtransaction", "alice", to_address=node.of("bob"), amount=3)
    assert (await node.call("broadcasttransaction", **whole))["result"] is True
    await node.mined("createtransaction", "alice", to_address=node.of("bob"), amount=4)
    assert await node.call("gettransactioninfobyid", value=whole["txID"]) == {}
