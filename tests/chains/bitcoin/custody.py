"""The adapter with a real node, a real database, and a scan, in one process."""

from dataclasses import dataclass

from runtime.postgres import Database
from tests.chains.bitcoin.regtest import Regtest
from tests.chains.bitcoin.signing import sign
from wallets.bitcoin.adapter import Bitcoin, BitcoinSettings
from wallets.bitcoin.addresses import address_of
from wallets.bitcoin.coins import apply_block, undo_block
from wallets.bitcoin.fees import FeePolicy
from wallets.bitcoin.networks import REGTEST
from wallets.bitcoin.planning import Place
from wallets.bitcoin.scripts import ScriptKind, script_of
from wallets.contract import (
    Attempt,
    AttemptId,
    Builds,
    ConfirmationState,
    Network,
    Payout,
    Token,
    WithdrawalId,
)

NETWORK = Network("bitcoin", "regtest", 1, REGTEST.genesis_hash)
SETTINGS = BitcoinSettings(FeePolicy(1_000, 2_000, 50_000, 5_000, 6), Place("change", 0), 3, 3)


@dataclass
class Custody:
    """The adapter, its node, and a scan that applies blocks as the worker's would."""

    regtest: Regtest
    adapter: Bitcoin
    database: Database
    scanned: list[str]

    async def scan(self) -> None:
        tip = await self.adapter.tip()
        while self.scanned:
            height = len(self.scanned) - 1
            is_gone = height > tip.height
            if not is_gone:
                block = await self.adapter.read_block(height)
                is_gone = block.ref.block_hash != self.scanned[-1]
            if not is_gone:
                break
            async with self.database.transaction() as connection:
                await undo_block(connection, NETWORK.network_id, self.scanned.pop())
        for height in range(len(self.scanned), tip.height + 1):
            block = await self.adapter.read_block(height)
            async with self.database.transaction() as connection:
                await apply_block(connection, NETWORK.network_id, block)
            self.scanned.append(block.ref.block_hash)

    async def mine(self, count: int) -> None:
        self.regtest.mine(count)
        await self.scan()

    async def attempt(
        self, payouts: list[Payout], *, must_use: tuple[str, ...] = (), owned: tuple[str, ...] = ()
    ) -> Attempt:
        chain: Builds = self.adapter
        plan = await chain.build(
            b"i" * 16, payouts, fee_atoms_max=100_000, must_use=must_use, owned=frozenset(owned)
        )
        raw = sign(plan, payouts)
        txid = self.adapter.identify(raw)
        return Attempt(AttemptId(1), txid, raw, tuple(payouts), plan.fee_atoms_max)

    async def state(self, attempt: Attempt) -> ConfirmationState:
        return (await self.adapter.confirm(attempt)).state

    def settings(self, settings: BitcoinSettings) -> None:
        self.adapter._settings = settings


def payout_of(custody: Custody, kind: ScriptKind, amount_atoms: int, seed: int = 1) -> Payout:
    text = address_of(script_of(kind, bytes([seed]) * kind.value[1]), REGTEST)
    destination = custody.adapter.parse_address(text)
    return Payout(WithdrawalId(bytes([seed]) * 16), destination, Token(1, b"", 8), amount_atoms)
