"""The signer's own service behind the pipeline's protocol, and an approver that it knows."""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cambist.internal.signer.v1 import intent_pb2, signer_pb2
from wallets.contract import Approval, Death, Plan, WithdrawalId
from wallets.signer.approvals import APPROVAL_PREFIX
from wallets.signer.keys.seeds import Seeds
from wallets.signer.service import Signer

NETWORK_ID = 1
APPROVER = Ed25519PrivateKey.from_private_bytes(b"a" * 32)
APPROVERS = {"k": APPROVER.public_key().public_bytes_raw()}
SEEDS = Seeds({"hot": b"h" * 64, "deposit": b"d" * 64})


def approval_of(
    withdrawal_id: bytes,
    destination: str,
    contract: str,
    amount_atoms: int,
    dead: Sequence[Death],
    fee_atoms_max: int,
) -> Approval:
    """The approver's word, by a key that the signer knows; `contract` is empty for coins."""
    retry, first = intent_pb2.APPROVAL_KIND_RETRY, intent_pb2.APPROVAL_KIND_PAYOUT
    content = intent_pb2.Approval(
        kind=retry if dead else first,
        withdrawal_id=withdrawal_id,
        network_id=NETWORK_ID,
        destination=destination,
        contract=contract,
        amount_atoms=str(amount_atoms),
        highest_fee_atoms=str(fee_atoms_max),
        expires_ns=2**62,
        key_id="k",
        dead_attempts=[
            intent_pb2.DeadAttempt(txid=one.txid, proof_sha256=b"p" * 32) for one in dead
        ],
    ).SerializeToString()
    return Approval(content, APPROVER.sign(APPROVAL_PREFIX + content))


@dataclass
class RealSigner:
    """Signs in this process."""

    signer: Signer

    async def sign(self, plan: Plan, approvals: Sequence[Approval]) -> bytes:
        asked = signer_pb2.SignRequest(
            intent=plan.intent,
            more_approvals=[
                intent_pb2.SignedApproval(approval=one.approval, signature=one.signature)
                for one in approvals
            ],
        )
        return (await self.signer.sign(asked)).raw_transaction

    async def close(self, withdrawal_id: WithdrawalId) -> Sequence[bytes]:
        return await self.signer.close(withdrawal_id)
