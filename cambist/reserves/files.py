"""Reports and proofs as JSON: atoms as decimal text, hashes and salts in hex. Pure.

A report is for everybody, a proof is for one account. Both name the same root.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from cambist.reserves.tree import DEPTH_MAX, PARTS_MAX, BadProof, Leaf, Node, Part, check

VERSION: Final = 1
TEXT_MAX: Final = 1_048_576


@dataclass(frozen=True, slots=True)
class Proof:
    """What an account is given."""

    asset_id: int
    account_id: int
    atoms: int
    root: Node
    parts: tuple[Part, ...]


def node_to_json(node: Node) -> dict[str, str]:
    """A hash and its sum."""
    return {"hash": node.digest.hex(), "atoms": str(node.atoms)}


def proof_to_json(proof: Proof) -> str:
    """One proof."""
    parts = [
        {
            "place": part.place,
            "salt": part.leaf.salt.hex(),
            "atoms": str(part.leaf.atoms),
            "siblings": [node_to_json(one) for one in part.siblings],
        }
        for part in proof.parts
    ]
    whole = {
        "version": VERSION,
        "asset_id": proof.asset_id,
        "account_id": proof.account_id,
        "atoms": str(proof.atoms),
        "root": node_to_json(proof.root),
        "parts": parts,
    }
    return json.dumps(whole, indent=1) + "\n"


def read_proof(text: str) -> Proof:
    """A proof, its shape checked and nothing else. Raises BadProof."""
    whole = _object(text)
    try:
        account_id = int(whole["account_id"])
        parts = tuple(
            Part(
                Leaf(account_id, bytes.fromhex(part["salt"]), _atoms(part["atoms"])),
                int(part["place"]),
                tuple(_node(one) for one in part["siblings"][: DEPTH_MAX + 1]),
            )
            for part in whole["parts"][: PARTS_MAX + 1]
        )
        return Proof(
            int(whole["asset_id"]), account_id, _atoms(whole["atoms"]), _node(whole["root"]), parts
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadProof(f"no proof: {type(error).__name__}") from None


def check_proof(proof: Proof, root: Node) -> None:
    """Whether a proof shows what it says, below a root that was published. Raises BadProof."""
    if proof.root != root:
        raise BadProof("a proof below another root")
    if len(proof.parts) > PARTS_MAX:
        raise BadProof("more parts than a balance has")
    check(proof.asset_id, proof.account_id, proof.atoms, proof.parts, root)


def report_to_json(asset_id: int, root: Node) -> str:
    """What a check needs of a report."""
    whole = {"version": VERSION, "asset_id": asset_id, "liabilities": node_to_json(root)}
    return json.dumps(whole, indent=1) + "\n"


def read_root(text: str) -> tuple[int, Node]:
    """Asset and root of a report. Raises BadProof."""
    whole = _object(text)
    try:
        return int(whole["asset_id"]), _node(whole["liabilities"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadProof(f"no report: {type(error).__name__}") from None


def _object(text: str) -> dict[str, Any]:
    try:
        whole = json.loads(text)
    except ValueError:
        raise BadProof("no JSON") from None
    if not isinstance(whole, dict) or whole.get("version") != VERSION:
        raise BadProof("of another version")
    return whole


def _atoms(text: object) -> int:
    if not (isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 64):
        raise ValueError("atoms are decimal text")
    return int(text)


def _node(content: dict[str, str]) -> Node:
    return Node(bytes.fromhex(content["hash"]), _atoms(content["atoms"]))
