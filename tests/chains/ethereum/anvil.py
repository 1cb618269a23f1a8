"""Anvil: quick to start, has traces, and can be told to forget a transaction."""

from collections.abc import Sequence

from tests.chains.ethereum.development_node import DevelopmentNode


class Anvil(DevelopmentNode):
    """Replaces for one wei more, refuses what offers less than the base fee."""

    name = "anvil"
    how_to_get = "no anvil: npm i @foundry-rs/anvil-linux-amd64@1.7.1 and put it in PATH, or ANVIL"

    def command(self, program: str) -> tuple[list[str], dict[str, str]]:
        return [
            program,
            "--host=127.0.0.1",
            f"--port={self.port}",
            "--no-mining",
            "--silent",
            "--slots-in-an-epoch=1",
            "--order=fifo",
        ], {}

    def mine(self, count: int = 1) -> None:
        self.call("anvil_mine", hex(count))

    def mine_instead(self, raw: bytes, txid: str) -> None:
        self.call("anvil_dropTransaction", "0x" + txid)
        self.call("eth_sendRawTransaction", "0x" + raw.hex())
        self.mine()

    def reorganise(self, depth: int, raws: Sequence[bytes] = ()) -> None:
        self.call("anvil_reorg", depth, [["0x" + raw.hex(), 0] for raw in raws])

    def raise_base_fee(self, per_gas_atoms: int) -> None:
        self.call("anvil_setNextBlockBaseFeePerGas", hex(per_gas_atoms))
        self.mine()

    def give(self, account: str, amount_atoms: int) -> None:
        self.call("anvil_setBalance", account, hex(amount_atoms))

    def settle(self) -> None:
        """Its pool never lags."""
