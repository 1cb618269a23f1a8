"""The adapter with a real node, a real database and the real signer, in one process."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from eth_utils.crypto import keccak

from runtime.postgres import Database
from tests.chains.ethereum.anvil import Anvil
from tests.chains.ethereum.development_node import CHAIN_ID, DevelopmentNode
from tests.chains.real_signer import APPROVERS, NETWORK_ID, RealSigner, approval_of
from wallets.contract import (
    Approval,
    Attempt,
    AttemptId,
    Death,
    Movement,
    Network,
    Payout,
    Plan,
    Token,
    WithdrawalId,
)
from wallets.core.transactions import changing
from wallets.ethereum.adapter import Ethereum, EthereumSettings
from wallets.ethereum.addresses import text_of
from wallets.ethereum.fees import FeePolicy
from wallets.signer.policy import AssetPolicy, NetworkPolicy, Policy

ETHER = 10**18
GWEI = 10**9
FEES = FeePolicy(100 * GWEI, GWEI, 3 * GWEI)
FEE_ATOMS_MAX = 200_000 * 100 * GWEI
BRANCHES = {"hot": "m/44'/60'/0'/0", "deposit": "m/44'/60'/1'/0"}


def policy_of(token: bytes) -> Policy:
    assets = {"": AssetPolicy(10**24, 10**24), text_of(token): AssetPolicy(10**24, 10**24)}
    network = NetworkPolicy(
        NETWORK_ID, "ethereum", "dev", CHAIN_ID, BRANCHES, assets, FEE_ATOMS_MAX
    )
    return Policy({NETWORK_ID: network}, APPROVERS, {}, 0)


def settings_of(token: bytes, *, final_depth: int = 3) -> EthereumSettings:
    return EthereumSettings(CHAIN_ID, FEES, frozenset({token}), "", final_depth)


def network_of(node: DevelopmentNode) -> Network:
    genesis = str(node.call("eth_getBlockByNumber", "0x0", False)["hash"])
    return Network("ethereum", "dev", NETWORK_ID, genesis[2:])


def approve(
    withdrawal_id: bytes,
    destination: str,
    token: bytes,
    amount_atoms: int,
    dead: Sequence[Death] = (),
    fee_atoms_max: int = FEE_ATOMS_MAX,
) -> Approval:
    """The approver's word."""
    text = text_of(token) if token else ""
    return approval_of(withdrawal_id, destination, text, amount_atoms, dead, fee_atoms_max)


@dataclass
class Custody:
    """One lane with ether and tokens, and a token at `token`."""

    node: DevelopmentNode
    adapter: Ethereum
    database: Database
    signer: RealSigner
    token: bytes
    lane: bytes
    owned: set[str] = field(default_factory=set)
    intents: int = 0

    @property
    def anvil(self) -> Anvil:
        """The node, where a test needs what only anvil has."""
        assert isinstance(self.node, Anvil)
        return self.node

    def payout(self, number: int, amount_atoms: int, *, token: bool = False) -> Payout:
        key = bytes([0xA0]) + bytes(18) + bytes([number])
        destination = self.adapter.parse_address(text_of(key))
        asset = Token(2, self.token, 6) if token else Token(1, b"", 18)
        return Payout(WithdrawalId(bytes([number]) * 16), destination, asset, amount_atoms)

    def intent_id(self) -> bytes:
        self.intents += 1
        return self.intents.to_bytes(16, "big")

    async def plan(self, payout: Payout, must_use: tuple[str, ...] = ()) -> Plan:
        return await self.adapter.build(
            self.intent_id(),
            [payout],
            fee_atoms_max=FEE_ATOMS_MAX,
            must_use=must_use,
            owned=frozenset(self.owned),
        )

    async def attempt(
        self, payout: Payout, must_use: tuple[str, ...] = (), dead: Sequence[Death] = ()
    ) -> Attempt:
        """Planned, signed and stored; not sent."""
        return await self.store(await self.plan(payout, must_use), payout, dead)

    async def store(self, plan: Plan, payout: Payout | None, dead: Sequence[Death] = ()) -> Attempt:
        approvals = []
        if payout is not None:
            destination, token = payout.destination.text, payout.token.contract
            word = approve(payout.withdrawal_id, destination, token, payout.amount_atoms, dead)
            approvals = [word]
        raw = await self.signer.sign(plan, approvals)
        txid = self.adapter.identify(raw)
        self.owned.update(plan.inputs)
        async with changing(self.database, "test", "") as connection:
            group = await connection.fetchval(
                "insert into custody.conflict_group (network_id, anchor) values ($1, $2) "
                "on conflict (network_id, anchor) do update set anchor = excluded.anchor "
                "returning conflict_group_id",
                NETWORK_ID,
                plan.inputs[0],
            )
            attempt_id = await connection.fetchval(
                "insert into custody.attempt (network_id, kind, conflict_group_id, state, "
                "fee_atoms_max) values ($1, 'payout', $2, 'planned', $3) returning attempt_id",
                NETWORK_ID,
                group,
                plan.fee_atoms_max,
            )
            await connection.execute(
                "update custody.attempt set state = 'signed', txid = $2, raw = $3 "
                "where attempt_id = $1",
                attempt_id,
                txid,
                raw,
            )
        payouts = () if payout is None else (payout,)
        return Attempt(AttemptId(attempt_id), txid, raw, payouts, plan.fee_atoms_max)

    def call_token(self, method: str, *words: int) -> str:
        """A transaction to the token by the account that made it; not mined."""
        data = method + b"".join(word.to_bytes(32) for word in words).hex()
        return self.node.send(to=text_of(self.token), data="0x" + data, gas=hex(300_000))

    def destroy(self, key: bytes) -> None:
        """All tokens of an account are gone, as issuers do it: in no log of a transfer."""
        slot = keccak(key.rjust(32, b"\0") + bytes(32)).hex()
        self.anvil.call("anvil_setStorageAt", text_of(self.token), "0x" + slot, "0x" + "00" * 32)
        self.anvil.mine()

    def tokens_of(self, key: bytes) -> int:
        asked = {"to": text_of(self.token), "data": "0x70a08231" + key.rjust(32, b"\0").hex()}
        return int(self.node.call("eth_call", asked, "latest"), 16)

    async def moved(self, height: int, key: bytes) -> list[Movement]:
        block = await self.adapter.read_block(height)
        return [move for move in block.movements if move.key == key]
