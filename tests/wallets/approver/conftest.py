"""An approver on real Postgres, and a journal in the test's hand."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cambist.internal.approver.v1 import approver_pb2
from cambist.internal.signer.v1 import intent_pb2
from runtime import postgres
from runtime.clock import ManualClock
from runtime.migrations import migrate
from runtime.settings import PostgresSettings
from wallets.approver import log
from wallets.approver.policy import AssetPolicy, Policy, Request
from wallets.approver.service import Approver, SigningKey
from wallets.contract import WithdrawalId

KEY = Ed25519PrivateKey.from_private_bytes(b"a" * 32)
PEOPLE = {name: Ed25519PrivateKey.from_private_bytes(name.encode() * 32) for name in "xy"}
ASSET = AssetPolicy(
    network_id=1,
    asset_id=7,
    contract="",
    decimals=8,
    engine_decimals=6,
    single_max_atoms=100_000,
    account_day_max_atoms=50_000,
    hour_max_atoms=80_000,
    people_above_atoms=20_000,
    fee_max_atoms=1_000,
)
POLICY = Policy(
    assets=(ASSET,),
    people={name: key.public_key().public_bytes_raw() for name, key in PEOPLE.items()},
    people_needed=2,
    denied_destinations=frozenset({"denied"}),
    address_hold_seconds=60,
    approval_seconds=600,
    callers={"worker": frozenset({"Approve", "GetStatus"}), "operator": frozenset({"Consent"})},
)
HELD_NS = 60 * 1_000_000_000


def id_of(number: int) -> WithdrawalId:
    return WithdrawalId(number.to_bytes(16, "big"))


def question(number: int, *, fee: int = 500, dead: str = "") -> approver_pb2.ApproveRequest:
    attempts = [intent_pb2.DeadAttempt(txid=dead, proof_sha256=b"p" * 32)] if dead else []
    return approver_pb2.ApproveRequest(
        intent_id=id_of(number),
        kind="retry" if dead else "payout",
        highest_fee_atoms=str(fee),
        dead_attempts=attempts,
    )


@dataclass
class World:
    """One approver; requests are as its follower would store them."""

    approver: Approver
    clock: ManualClock
    seq: int = 0

    async def request(
        self, number: int, amount: int = 10, *, account: int = 1, destination: str = "somewhere"
    ) -> None:
        """The engine's atoms; a hundred of the chain's each."""
        now_ns, before, self.seq = self.clock.wall_ns(), self.seq, self.seq + 1
        one = Request(id_of(number), 1, self.seq, now_ns, account, 7, 1, amount, destination)
        await log.take(self.approver.database, 1, before, self.seq, [one])

    async def approve(self, asked: approver_pb2.ApproveRequest) -> intent_pb2.Approval:
        issued = await self.approver.approve(asked)
        return intent_pb2.Approval.FromString(issued.approval.approval)


@pytest.fixture
async def world(postgres_settings: PostgresSettings) -> AsyncIterator[World]:
    await migrate(postgres_settings, log.MIGRATIONS)
    database = await postgres.connect(postgres_settings, application_name="test")
    clock = ManualClock()
    yield World(Approver(database, POLICY, SigningKey("k1", KEY), clock), clock)
    await database.close()
