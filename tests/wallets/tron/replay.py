"""Plays what was asked of a real node again, call by call, on the simulated one.

The simulated chain gets the recorded blocks' heights, times and, as far as transactions name them,
hashes: so the recorded signed bytes are taken as they are, and their ids are the same.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp.test_utils import TestClient
from aiohttp.web import Application, Request
from eth_keys.datatypes import PrivateKey

from tests.wallets.tron.simulated_net import signed_by
from wallets.tron.simulator.building import LASTS_MILLISECONDS
from wallets.tron.simulator.chain import Chain
from wallets.tron.simulator.parameters import SLOT_MILLISECONDS, Parameters
from wallets.tron.simulator.state import Account, Contract, Holding, State

TRX = 10**6
RICH = ("hot", "cold", "alice", "bob", "deployer", "resource")
TRANSFER = "transfer(address,uint256)"
PARAMETERS = Parameters(
    solid_lag_blocks=1, bandwidth_staked_trx=0, energy_staked_trx=0, maintenance_slots=10**9
)


def told_blocks(calls: list[dict[str, Any]]) -> dict[int, tuple[int, str]]:
    """Height to time and hash, or the part of the hash that transactions name."""
    found: dict[int, tuple[int, str]] = {}
    for call in calls:
        height = head_of_build(call["response"])
        if height is not None:
            raw = built_in(call["response"])["raw_data"]
            time_ms, part = raw["expiration"] - LASTS_MILLISECONDS, raw["ref_block_hash"]
            found.setdefault(height, (time_ms, f"{height:016x}{part}"))
    for header in headers_in([call["response"] for call in calls]):
        raw = header["block_header"]["raw_data"]
        height = raw.get("number", 0)
        found[height] = (raw.get("timestamp", 0), header["blockID"])
        if height:
            # One slot before, unless it is told.
            usual = (raw["timestamp"] - SLOT_MILLISECONDS, "")
            found[height - 1] = (found.get(height - 1, usual)[0], raw["parentHash"])
    return found


def headers_in(value: Any) -> list[dict[str, Any]]:
    """Every block in an answer."""
    if isinstance(value, list):
        return [header for one in value for header in headers_in(one)]
    if not isinstance(value, dict):
        return []
    return [value] if "blockID" in value else headers_in(list(value.values()))


def built_in(told: Any) -> dict[str, Any]:
    """The transaction that a node built, of either form of answer; empty when it built none."""
    built = told.get("transaction", told) if isinstance(told, dict) else {}
    return built if isinstance(built, dict) and "raw_data" in built else {}


def head_of_build(told: Any) -> int | None:
    """The height of the head on which a node built; None when it built nothing."""
    built = built_in(told)
    reference = built.get("raw_data", {}).get("ref_block_bytes")
    return int(reference, 16) if reference and "signature" not in built else None


@dataclass
class Replay:
    """A simulated node that is led through the recordings."""

    chain: Chain
    client: TestClient[Request, Application]
    blocks: dict[int, tuple[int, str]]
    keys: dict[str, PrivateKey]
    accounts: dict[str, str]
    # Of the deployment, whose code the simulator does not run.
    token: str = field(default="")

    def __post_init__(self) -> None:
        [first] = self.chain.blocks
        self.chain.blocks = [replace(first, block_hash=self.blocks[0][1])]

    async def post(self, path: str, body: Any) -> Any:
        """One call."""
        answer = await self.client.post(path, json=body)
        return await answer.json() if answer.status == 200 else answer.status

    def reach(self, height: int) -> None:
        """Makes blocks at their recorded times until the head is there."""
        while self.chain.head.height < height:
            following = self.chain.head.height + 1
            time_ms, part = self.blocks.get(following, (0, ""))
            usual_ms = self.chain.head.time_ms + SLOT_MILLISECONDS
            self.chain.missed_slots = max(0, (time_ms - usual_ms) // SLOT_MILLISECONDS)
            block = self.chain.make_block()
            if part:
                block_hash = part + block.block_hash[len(part) :]
                self.chain.blocks[-1] = replace(block, block_hash=block_hash)

    async def quiet(self, path: str, body: dict[str, Any], name: str) -> None:
        """A transaction that was not recorded, in the next block."""
        built = await self.post(path, body)
        built = built.get("transaction", built)
        raw = bytes.fromhex(built["raw_data_hex"])
        signature = signed_by(self.keys[name], raw).hex()
        sent = await self.post("/wallet/broadcasttransaction", built | {"signature": [signature]})
        assert sent.get("result") is True, sent
        self.reach(self.chain.head.height + 1)

    async def pay(self, payer: str, to: str, sun: int) -> None:
        """TRX, unrecorded."""
        body = {"owner_address": self.accounts[payer], "to_address": self.accounts[to]}
        await self.quiet("/wallet/createtransaction", body | {"amount": sun}, payer)

    async def tell(self, function: str, *words: str | int) -> None:
        """A call of the token by its issuer, unrecorded."""
        parameter = "".join(
            word[2:].rjust(64, "0") if isinstance(word, str) else f"{word:064x}" for word in words
        )
        body = {
            "owner_address": self.accounts["deployer"],
            "contract_address": self.token,
            "function_selector": function,
            "parameter": parameter,
            "fee_limit": 100 * TRX,
        }
        await self.quiet("/wallet/triggersmartcontract", body, "deployer")

    async def answer(self, call: dict[str, Any]) -> Any:
        """What the simulated node says to a recorded call, at its place in the chain."""
        told, path = call["response"], call["path"]
        height = head_of_build(told)
        if height is None and isinstance(told, dict):
            # The solid state is one block behind.
            height = told.get("blockNumber", 0) + ("solidity" in path and "blockNumber" in told)
        self.reach(height or 0)
        return await self.post(path, call["request"])

    async def before(self, scenario: str, label: str | None) -> None:
        """What happened between the recorded calls."""
        hot, poor = self.accounts["hot"], self.accounts["poor"]
        match scenario, label:
            case "01-chain", None if self.chain.head.height < 22:
                self.reach(19)
                for name in ("customer1", "customer2", "poor"):
                    await self.pay("hot", name, 5 * TRX)
            case "18-trc20-poor-sender", None if not self.holding(poor):
                await self.tell(TRANSFER, poor, 1000)
            case "18-trc20-poor-sender", "1.15 TRX: bytes yes, energy no: build":
                await self.pay("hot", "poor", TRX)
            case "19-token-owner-powers", "fee taken from the amount: two Transfer events: build":
                await self.tell("setParams(uint256,uint256)", 10, 1)
            case "19-token-owner-powers", "sender blacklisted: build":
                await self.tell("setParams(uint256,uint256)", 0, 0)
                await self.tell("setBlackList(address,bool)", hot, 1)
            case "19-token-owner-powers", "paused: build":
                await self.tell("setBlackList(address,bool)", hot, 0)
                await self.tell("setPaused(bool)", 1)
            case "20-approve-transferfrom", "approve: build":
                await self.tell("setPaused(bool)", 0)
            case "28-taken-but-dropped", "blocks went on, slots were missed":
                # The node was stopped until what waited had expired.
                self.chain.pending.clear()
                self.chain.refill_pool()
                self.reach(101)

    def holding(self, account: str) -> int:
        """Atoms of the token."""
        holders = self.chain.pool_state.tokens.get(bytes.fromhex(self.token), {})
        return holders.get(bytes.fromhex(account), 0)

    def deploy(self, info: dict[str, Any]) -> None:
        """Puts a recorded contract in place, at its recorded cost."""
        self.reach(info["blockNumber"])
        state, deployer = self.chain.head.state, bytes.fromhex(self.accounts["deployer"])
        state.charge(deployer, info["fee"])
        key = bytes.fromhex(info["contract_address"])
        if info["receipt"]["result"] == "SUCCESS" and not self.token:
            self.token = info["contract_address"]
            state.tokens[key] = {deployer: 10**15}
            state.contracts[key] = Contract(creator=deployer)
        elif info["receipt"]["result"] == "SUCCESS":
            state.contracts[key] = Contract(creator=deployer, pays_out=True)
        self.chain.refill_pool()


def genesis(
    accounts: dict[str, Any], genesis_ms: int, parameters: Parameters = PARAMETERS
) -> Chain:
    """The chain as it began: six rich accounts, and one with all the stake."""
    state = State(parameters)
    for name in RICH:
        state.accounts[bytes.fromhex(accounts[name]["hex"])] = Account(10**12, 0)
    zion = bytes.fromhex(accounts["zion"]["hex"])
    state.accounts[zion] = Account(0, 0)
    for resource, trx in zip(state.weights, (27 * 10**9, 18 * 10**9), strict=True):
        state.change(zion, resource, Holding(staked=trx * TRX))
    return Chain(parameters, genesis_ms, state)
