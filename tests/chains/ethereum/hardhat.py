"""Hardhat: holds to ten per cent more for a replacement, goes back to any block that it made.

Version 2 does not know `eth_getBlockReceipts`, without which custody reads no block: what stands
before it here puts that answer together from single receipts.
"""

import json
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.chains.ethereum.development_node import CHAIN_ID, DevelopmentNode, exchange, post

# More than a test has blocks.
BACK_SECONDS = 600
RECEIPTS = "eth_getBlockReceipts"
CONFIG = f"""module.exports = {{networks: {{hardhat: {{
  chainId: {CHAIN_ID}, mining: {{auto: false, interval: 0, mempool: {{order: "fifo"}}}},
}}}}}};
"""


class Hardhat(DevelopmentNode):
    """Replaces for ten per cent more, keeps what offers less than the base fee."""

    name = "hardhat"
    how_to_get = "no hardhat: npm i hardhat@2.29.1 and put it in PATH, or HARDHAT"

    def command(self, program: str) -> tuple[list[str], dict[str, str]]:
        (self.folder / "hardhat.config.js").write_text(CONFIG)
        (self.folder / "package.json").write_text("{}")
        self._own_url = self.url
        # The state before each block, by the block's height.
        self._before: dict[int, str] = {}
        self._turns = 0
        self._front: ThreadingHTTPServer | None = None
        return [program, "node", "--hostname", "127.0.0.1", "--port", str(self.port)], {
            "HARDHAT_EXPERIMENTAL_ALLOW_NON_LOCAL_INSTALLATION": "true",
            "HARDHAT_DISABLE_TELEMETRY_PROMPT": "true",
        }

    def begin(self) -> str:
        self._front = ThreadingHTTPServer(("127.0.0.1", 0), front_of(self))
        threading.Thread(target=self._front.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._front.server_port}"
        return super().begin()

    def call(self, method: str, *params: Any) -> Any:
        if method == RECEIPTS:
            return self._block_receipts(str(params[0]))
        return post(self._own_url, method, params)

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The whole answer to a whole call."""
        if asked["method"] != RECEIPTS:
            return exchange(self._own_url, asked)
        receipts = self._block_receipts(asked["params"][0])
        return {"jsonrpc": "2.0", "id": asked["id"], "result": receipts}

    def mine(self, count: int = 1) -> None:
        for _ in range(count):
            self._before[self.height() + 1] = str(self.call("evm_snapshot"))
            self.call("hardhat_mine", "0x1")

    def mine_instead(self, raw: bytes, txid: str) -> None:
        self.call("hardhat_dropTransaction", "0x" + txid)
        self.call("eth_sendRawTransaction", "0x" + raw.hex())
        self.mine()

    def reorganise(self, depth: int, raws: Sequence[bytes] = ()) -> None:
        self.call("evm_revert", self._before[self.height() - depth + 1])
        for waiting in self.call("eth_getBlockByNumber", "pending", False)["transactions"]:
            self.call("hardhat_dropTransaction", waiting)
        for raw in raws:
            self.call("eth_sendRawTransaction", "0x" + raw.hex())
        # Else the same blocks would be made again: they run ahead of the clock, a second each.
        self._turns += 1
        self.call("evm_increaseTime", BACK_SECONDS * self._turns)
        self.mine(depth)

    def raise_base_fee(self, per_gas_atoms: int) -> None:
        self.call("hardhat_setNextBlockBaseFeePerGas", hex(per_gas_atoms))
        self.mine()

    def give(self, account: str, amount_atoms: int) -> None:
        self.call("hardhat_setBalance", account, hex(amount_atoms))

    def settle(self) -> None:
        """Its pool never lags."""

    def close(self) -> None:
        if self._front is not None:
            self._front.shutdown()
            self._front.server_close()
        super().close()

    def _block_receipts(self, name: str) -> list[Any] | None:
        by = "eth_getBlockByHash" if len(name) == len("0x") + 64 else "eth_getBlockByNumber"
        block = self.call(by, name, False)
        if block is None:
            return None
        return [self.call("eth_getTransactionReceipt", txid) for txid in block["transactions"]]


def front_of(node: Hardhat) -> type[BaseHTTPRequestHandler]:
    """Hands every call on, word for word, but that for the receipts of a block."""

    class Front(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            content = json.dumps(node.answer(asked)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Nothing: a test's own output is enough."""

    return Front
