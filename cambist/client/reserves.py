"""What the venue owes, as it published it, and an account's own part of it, checked.

The check needs nothing of the venue's: `cambist.reserves`. Compare the root with one that somebody
else was given.
"""

from cambist.client.channels import Channels
from cambist.client.money import SERVICE
from cambist.client.retry import read
from cambist.reserves.files import Proof, check_proof
from cambist.reserves.tree import BadProof, Leaf, Node, Part
from cambist.wallet.v1 import wallet_pb2 as pb


class Reserves:
    """Reports of the venue, and proofs for the key's accounts."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def root(self, asset_id: int) -> Node:
        """Of the newest report. Raises BadProof, Rejected, Unavailable, Unknown: ask again."""
        request = pb.GetLiabilityReportRequest(asset_id=asset_id)
        answer = await read(
            self._channels, SERVICE + "GetLiabilityReport", request, pb.GetLiabilityReportResponse
        )
        try:
            return Node(answer.root, int(answer.root_atoms))
        except ValueError:
            raise BadProof("atoms are decimal text") from None

    async def proof(self, account_id: int, asset_id: int, root: Node) -> Proof:
        """The account's proof below this root; it holds.

        Raises BadProof when it does not, Rejected, Unavailable, Unknown: ask again.
        """
        request = pb.GetLiabilityProofRequest(
            account_id=account_id, asset_id=asset_id, root=root.digest
        )
        answer = await read(
            self._channels, SERVICE + "GetLiabilityProof", request, pb.GetLiabilityProofResponse
        )
        found = proof_of(account_id, asset_id, answer)
        check_proof(found, root)
        return found


def proof_of(account_id: int, asset_id: int, answer: pb.GetLiabilityProofResponse) -> Proof:
    """What the venue told; its shape is checked and nothing else. Raises BadProof."""
    try:
        parts = tuple(
            Part(
                Leaf(account_id, part.salt, int(part.atoms)),
                part.place,
                tuple(Node(one.hash, int(one.atoms)) for one in part.siblings),
            )
            for part in answer.parts
        )
        root = Node(answer.root, int(answer.root_atoms))
        return Proof(asset_id, account_id, int(answer.atoms), root, parts)
    except ValueError:
        raise BadProof("atoms are decimal text") from None
