"""The adapter with a simulated node that listens, a real database and the real signer."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from runtime.clock import ManualClock
from runtime.postgres import Database
from tests.chains.real_signer import APPROVERS, NETWORK_ID, RealSigner, approval_of
from wallets.contract import (
    Approval,
    Attempt,
    AttemptId,
    Death,
    Held,
    Payout,
    Plan,
    Token,
    WithdrawalId,
)
from wallets.core.transactions import changing
from wallets.deposits.scanner import Hooks, Moved, Scanner
from wallets.signer.policy import AssetPolicy, NetworkPolicy, Policy
from wallets.tron import scan
from wallets.tron.adapter import Tron
from wallets.tron.addresses import address_of
from wallets.tron.simulator.chain import Chain
from wallets.tron.simulator.server import Node as SimulatedNode

GENESIS_MS = 1_795_354_200_000
TRX = 10**6
FEE_SUN_MAX = 40 * TRX
TOKEN = b"\x41" + b"\x07" * 20
# The signer would pay it; custody has never heard of it.
TWIN = b"\x41" + b"\x08" * 20
BRANCHES = {"hot": "m/44'/195'/1'/0", "deposit": "m/44'/195'/0'/0"}
LEASE = Held("scan", 1)


def policy_of() -> Policy:
    assets = {
        text: AssetPolicy(10**15, 10**15) for text in ("", address_of(TOKEN), address_of(TWIN))
    }
    network = NetworkPolicy(NETWORK_ID, "tron", "simulated", 0, BRANCHES, assets, FEE_SUN_MAX)
    return Policy({NETWORK_ID: network}, APPROVERS, {}, 0)


def approve(
    withdrawal_id: bytes,
    destination: str,
    contract: bytes,
    amount_atoms: int,
    dead: Sequence[Death] = (),
    fee_atoms_max: int = FEE_SUN_MAX,
) -> Approval:
    """The approver's word."""
    text = address_of(contract) if contract else ""
    return approval_of(withdrawal_id, destination, text, amount_atoms, dead, fee_atoms_max)


@dataclass
class Custody:
    """One hot account with TRX and tokens; blocks are made when a test says so."""

    chain: Chain
    node: SimulatedNode
    url: str
    adapter: Tron
    database: Database
    signer: RealSigner
    hot: bytes
    clock: ManualClock
    intents: int = field(default=0)

    def payout(self, number: int, amount_atoms: int, *, token: bool = False) -> Payout:
        destination = self.adapter.parse_address(address_of(b"\x41" + bytes([number]) * 20))
        asset = Token(2, TOKEN, 6) if token else Token(1, b"", 6)
        return Payout(WithdrawalId(bytes([number]) * 16), destination, asset, amount_atoms)

    async def plan(self, payout: Payout) -> Plan:
        return await self.planned(payout, await self.adapter.highest_fee(payout))

    async def planned(self, payout: Payout, fee_sun_max: int) -> Plan:
        self.intents += 1
        return await self.adapter.build(
            self.intents.to_bytes(16),
            [payout],
            fee_atoms_max=fee_sun_max,
            must_use=(),
            owned=frozenset(),
        )

    async def attempt(self, payout: Payout) -> Attempt:
        """Planned, signed and stored; not sent."""
        return await self.store(payout, await self.plan(payout))

    async def store(self, payout: Payout, plan: Plan) -> Attempt:
        destination, contract = payout.destination.text, payout.token.contract
        word = approve(payout.withdrawal_id, destination, contract, payout.amount_atoms)
        raw = await self.signer.sign(plan, [word])
        txid = self.adapter.identify(raw)
        async with changing(self.database, "test", "") as connection:
            attempt_id = await connection.fetchval(
                "insert into custody.attempt (network_id, kind, state, fee_atoms_max) "
                "values ($1, 'payout', 'planned', $2) returning attempt_id",
                NETWORK_ID,
                plan.fee_atoms_max,
            )
            await connection.execute(
                "update custody.attempt set state = 'signed', txid = $2, raw = $3 "
                "where attempt_id = $1",
                attempt_id,
                txid,
                raw,
            )
        return Attempt(AttemptId(attempt_id), txid, raw, (payout,), plan.fee_atoms_max)

    def mine(self, count: int = 1) -> None:
        for _ in range(count):
            self.chain.make_block()
        self.clock.wall_time_ns = self.chain.head.time_ms * 10**6

    async def follow(self) -> None:
        """The real scanner reads all solid blocks that are there."""
        hooks = Hooks(scan.apply_block, scan.undo_block)
        scanner = Scanner(self.database, self.adapter, hooks, NETWORK_ID, 0, 3_600)
        now_ns = self.chain.head.time_ms * 10**6
        while await scanner.step(LEASE, now_ns=now_ns) is not Moved.NOT:
            pass

    def received(self, key: bytes) -> tuple[int, int]:
        """TRX and tokens of an account at the head."""
        state = self.chain.head.state
        account = state.accounts.get(key)
        return (account.balance if account else 0, state.tokens[TOKEN].get(key, 0))
