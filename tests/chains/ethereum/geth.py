"""Geth, driven as by a consensus client: it builds a block, goes back, calls one final when told.

Its pool is the real one, with the rules and limits of the public network, and takes back what a
reorganisation leaves out. Blocks are built by `testing_commitBlockV1`; heads are chosen by the
engine API.
"""

import base64
import hashlib
import hmac
import json
import subprocess
import time
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from eth_account import Account

from tests.chains.ethereum.development_node import (
    CHAIN_ID,
    DevelopmentNode,
    RpcError,
    free_port,
    post,
)

RICH = Account.from_key(b"r" * 32)
# Small, so that few transactions fill a block; as large as the largest that a test sends.
BLOCK_GAS = 10_000_000
BLOCK_SECONDS = 12
# Blocks below the head that are called safe and final.
SAFE_DEPTH = 4
FINAL_DEPTH = 8
SETTLE_SECONDS = 20
GWEI = 10**9
# Code that runs until its gas is used up.
ENDLESS = "0x5b600056"
ZERO = "0x" + "00" * 32


class Geth(DevelopmentNode):
    """Replaces for ten per cent more, keeps what offers less than the base fee."""

    name = "geth"
    how_to_get = "no geth: go install github.com/ethereum/go-ethereum/cmd/geth@v1.17.8, or GETH"

    def command(self, program: str) -> tuple[list[str], dict[str, str]]:
        genesis = self.folder / "genesis.json"
        genesis.write_text(json.dumps(genesis_of(program)))
        data = f"--datadir={self.folder / 'data'}"
        subprocess.run([program, data, "init", str(genesis)], check=True, capture_output=True)
        self._secret = b"s" * 32
        (self.folder / "secret").write_text(self._secret.hex())
        self._engine_port = free_port()
        return [
            program,
            data,
            f"--networkid={CHAIN_ID}",
            "--syncmode=full",
            "--cache=64",
            f"--miner.gaslimit={BLOCK_GAS}",
            "--http",
            "--http.addr=127.0.0.1",
            f"--http.port={self.port}",
            "--http.api=eth,net,web3,txpool,debug,testing",
            "--authrpc.addr=127.0.0.1",
            f"--authrpc.port={self._engine_port}",
            f"--authrpc.jwtsecret={self.folder / 'secret'}",
            "--ipcdisable",
            "--nodiscover",
            "--maxpeers=0",
            "--port=0",
        ], {}

    def begin(self) -> str:
        self._nonce = 0
        self._choose_head(str(self._block("latest")["hash"]), 0)
        return str(RICH.address)

    def mine(self, count: int = 1) -> None:
        for _ in range(count):
            self.settle()
            self._commit(None)
        self.settle()

    def mine_instead(self, raw: bytes, txid: str) -> None:
        assert self._knows("0x" + txid)
        self._commit([raw])
        self.settle()

    def reorganise(self, depth: int, raws: Sequence[bytes] = ()) -> None:
        height = self.height()
        left = [
            name
            for below in range(depth)
            for name in self._block(hex(height - below))["transactions"]
        ]
        base = self._block(hex(height - depth))
        self._choose_head(str(base["hash"]), height - depth)
        self._wait_until(lambda: all(self._knows(name) for name in left), "to take them back")
        self.settle()
        self._commit(raws)
        for _ in range(depth - 1):
            self._commit([])
        self.settle()

    def raise_base_fee(self, per_gas_atoms: int) -> None:
        while self.base_fee() < per_gas_atoms:
            full = self._sign(data=ENDLESS, gas=hex(BLOCK_GAS), gasPrice=hex(2 * self.base_fee()))
            self._commit([full])
        self.settle()

    def give(self, account: str, amount_atoms: int) -> None:
        self.send(to=account, value=hex(amount_atoms))
        self.mine()

    def send(self, **fields: Any) -> str:
        return str(self.call("eth_sendRawTransaction", "0x" + self._sign(**fields).hex()))

    def settle(self) -> None:
        self._wait_until(self._is_settled, "to settle its pool")

    def _sign(self, **fields: Any) -> bytes:
        fee = 2 * self.base_fee() + GWEI
        fees = {"maxFeePerGas": fee, "maxPriorityFeePerGas": GWEI}
        if "gasPrice" in fields:
            fees = {}
        transaction = {
            "nonce": self._nonce,
            "chainId": CHAIN_ID,
            "gas": hex(21_000),
            "value": 0,
            **fees,
            **fields,
        }
        if "to" in fields:
            # Not every address that a node tells has its checksum.
            transaction["to"] = bytes.fromhex(fields["to"][2:])
        self._nonce += 1
        return bytes(RICH.sign_transaction(transaction).raw_transaction)

    def _block(self, name: str) -> dict[str, Any]:
        return dict(self.call("eth_getBlockByNumber", name, False))

    def _knows(self, name: str) -> bool:
        return self.call("eth_getTransactionByHash", name) is not None

    def _commit(self, raws: Sequence[bytes] | None) -> None:
        """A block on the head, with just these transactions; None = what the pool has."""
        head = self._block("latest")
        attributes = {
            "timestamp": hex(int(head["timestamp"], 16) + BLOCK_SECONDS),
            "prevRandao": ZERO,
            "suggestedFeeRecipient": "0x" + "00" * 20,
            "withdrawals": [],
            "parentBeaconBlockRoot": ZERO,
        }
        # Beside a block that left the chain it must be another one, though both be empty.
        extra = hex(time.monotonic_ns() | 1 << 63)
        named = None if raws is None else ["0x" + raw.hex() for raw in raws]
        made = self.call("testing_commitBlockV1", attributes, named, extra)
        self._choose_head(made, int(head["number"], 16) + 1)

    def _choose_head(self, name: str, height: int) -> None:
        """What a consensus client says after each slot."""
        state = {
            "headBlockHash": name,
            "safeBlockHash": self._below(height, SAFE_DEPTH),
            "finalizedBlockHash": self._below(height, FINAL_DEPTH),
        }
        told = post(self._engine(), "engine_forkchoiceUpdatedV3", [state, None], self._token())
        if told["payloadStatus"]["status"] != "VALID":
            raise RpcError(str(told))

    def _below(self, height: int, depth: int) -> str:
        return str(self._block(hex(height - depth))["hash"]) if height >= depth else ZERO

    def _engine(self) -> str:
        return f"http://127.0.0.1:{self._engine_port}"

    def _token(self) -> str:
        """What shows that it is the consensus client who asks (JWT)."""
        parts = [
            encoded(json.dumps(part).encode())
            for part in ({"alg": "HS256", "typ": "JWT"}, {"iat": int(time.time())})
        ]
        content = ".".join(parts)
        mark = hmac.new(self._secret, content.encode(), hashlib.sha256).digest()
        return f"{content}.{encoded(mark)}"

    def _is_settled(self) -> bool:
        """Whether the pool has sorted everything as the head wants it."""
        content = self.call("txpool_content")
        waiting, queued = content["pending"], content["queued"]
        for account in {*waiting, *queued}:
            used = int(self.call("eth_getTransactionCount", account, "latest"), 16)
            numbers = sorted(int(number) for number in waiting.get(account, {}))
            if numbers and (numbers[0] != used or not is_gapless(numbers)):
                return False
            if any(int(number) <= used + len(numbers) for number in queued.get(account, {})):
                return False
        return True

    def _wait_until(self, is_so: Any, what: str) -> None:
        until = time.monotonic() + SETTLE_SECONDS
        while not is_so():
            if time.monotonic() > until:
                raise AssertionError(f"geth took too long {what}")
            time.sleep(0.005)


def is_gapless(numbers: Sequence[int]) -> bool:
    return all(after == before + 1 for before, after in pairwise(numbers))


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@cache
def genesis_of(program: str) -> dict[str, Any]:
    """Geth's own for development, with the system's contracts, and one rich account."""
    printed = subprocess.run([program, "--dev", "dumpgenesis"], check=True, capture_output=True)
    genesis: dict[str, Any] = json.loads(printed.stdout)
    genesis["config"]["chainId"] = CHAIN_ID
    # An upgrade that the network does not have yet.
    del genesis["config"]["bogotaTime"]
    genesis["gasLimit"] = hex(BLOCK_GAS)
    genesis["alloc"][RICH.address[2:]] = {"balance": hex(10**24)}
    return {name: value for name, value in genesis.items() if value is not None}
