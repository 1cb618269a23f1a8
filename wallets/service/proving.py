"""Proofs of what the venue owes, and the reports above them, as messages. Called by the servicer.

What is told of an account is its own part alone; whose account it is the gateway has checked.
"""

from cambist.reserves.tree import HASH_BYTES, Node, Part
from cambist.wallet.v1 import wallet_pb2
from runtime.postgres import Database
from wallets.errors import Rejected
from wallets.reserves import published


async def prove(
    database: Database, request: wallet_pb2.GetLiabilityProofRequest
) -> wallet_pb2.GetLiabilityProofResponse:
    """An account's part of a report. Raises Rejected, Unavailable."""
    check_root(request.root)
    # Leaves that hide how many there are belong to account 0, which is nobody.
    if not request.account_id:
        raise Rejected("NO_PROOF", "nobody's account")
    proof = await published.read_proof(database, request.asset_id, request.account_id, request.root)
    return wallet_pb2.GetLiabilityProofResponse(
        root=proof.root.digest,
        root_atoms=str(proof.root.atoms),
        atoms=str(proof.atoms),
        parts=map(_part, proof.parts),
    )


async def tell_report(
    database: Database, request: wallet_pb2.GetLiabilityReportRequest
) -> wallet_pb2.GetLiabilityReportResponse:
    """What everybody may know. Raises Rejected, Unavailable."""
    check_root(request.root)
    row = await published.read_report(database, request.asset_id, request.root)
    content = published.content_of(row)
    reserves = content["reserves"]
    return wallet_pb2.GetLiabilityReportResponse(
        root=row["root_hash"],
        root_atoms=row["root_atoms"],
        leaves=row["leaves"],
        journal=[
            wallet_pb2.JournalPlace(
                shard=one["shard"], seq=one["seq"], state_hash=bytes.fromhex(one["state_hash"])
            )
            for one in content["journal"]
        ],
        reserves=None
        if reserves is None
        else wallet_pb2.Reserves(
            network_id=reserves["network_id"],
            height=reserves["block"]["height"],
            block_hash=reserves["block"]["hash"],
            piles=[
                wallet_pb2.ReservePile(place=place, atoms=atoms)
                for place, atoms in reserves["atoms"].items()
            ],
        ),
        made_ns=row["made_ns"],
    )


def check_root(root: bytes) -> None:
    """Raises Rejected for what is no hash."""
    if len(root) not in (0, HASH_BYTES):
        raise Rejected("INVALID_REQUEST", f"a root has {HASH_BYTES} bytes")


def _part(part: Part) -> wallet_pb2.LiabilityPart:
    return wallet_pb2.LiabilityPart(
        salt=part.leaf.salt,
        atoms=str(part.leaf.atoms),
        place=part.place,
        siblings=map(_node, part.siblings),
    )


def _node(node: Node) -> wallet_pb2.LiabilityNode:
    return wallet_pb2.LiabilityNode(hash=node.digest, atoms=str(node.atoms))
