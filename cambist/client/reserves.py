"""What the venue owes, as it published it, and an account's own part of it, checked.

The check needs nothing of the venue's: `cambist.reserves`. Compare the root with one that somebody
else was given.
"""

from dataclasses import dataclass

from cambist.client.channels import Channels
from cambist.client.money import SERVICE
from cambist.client.retry import read
from cambist.reserves.files import Proof, check_proof
from cambist.reserves.tree import BadProof, Leaf, Node, Part
from cambist.wallet.v1 import wallet_pb2 as pb


@dataclass(frozen=True, slots=True)
class JournalPlace:
    """Where the venue read balances: a sequence of a shard's journal."""

    shard: int
    seq: int
    state_hash: bytes


@dataclass(frozen=True, slots=True)
class Coins:
    """What the venue says to have on a network at a block; anybody with a node can look."""

    network_id: int
    height: int
    block_hash: str
    # Atoms of the chain by kind of place, for example "hot" or "cold".
    atoms: dict[str, int]


@dataclass(frozen=True, slots=True)
class Report:
    """What was published of an asset: the same for everybody. Its root's atoms are owed."""

    asset_id: int
    root: Node
    leaves: int
    journal: tuple[JournalPlace, ...]
    # None: they were not counted for this report.
    coins: Coins | None
    made_ns: int


class Reserves:
    """Reports of the venue, and proofs for the key's accounts."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def root(self, asset_id: int) -> Node:
        """Of the newest report. Raises as `report`."""
        return (await self.report(asset_id)).root

    async def report(self, asset_id: int, root: bytes = b"") -> Report:
        """The report with this root's hash, by default the newest.

        Raises BadProof, Rejected(NO_REPORT), Unavailable, Unknown: ask again.
        """
        request = pb.GetLiabilityReportRequest(asset_id=asset_id, root=root)
        answer = await read(
            self._channels, SERVICE + "GetLiabilityReport", request, pb.GetLiabilityReportResponse
        )
        found = report_of(asset_id, answer)
        if root and found.root.digest != root:
            raise BadProof("the venue told a report of another root")
        return found

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


def report_of(asset_id: int, answer: pb.GetLiabilityReportResponse) -> Report:
    """What the venue told. Raises BadProof."""
    told = answer.reserves
    try:
        coins = Coins(
            told.network_id,
            told.height,
            told.block_hash,
            {pile.place: int(pile.atoms) for pile in told.piles},
        )
        return Report(
            asset_id,
            Node(answer.root, int(answer.root_atoms)),
            answer.leaves,
            tuple(JournalPlace(one.shard, one.seq, one.state_hash) for one in answer.journal),
            coins if answer.HasField("reserves") else None,
            answer.made_ns,
        )
    except ValueError:
        raise BadProof("atoms are decimal text") from None


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
