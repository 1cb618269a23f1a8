"""Which rebuilder reads an intent. Pure; called by `service` only.

A chain that the policy does not name for the network, or an intent of another chain, is refused.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from cambist.internal.signer.v1 import intent_pb2
from wallets.errors import Rejected
from wallets.signer.approvals import Approval
from wallets.signer.bitcoin import transactions as bitcoin
from wallets.signer.ethereum import transactions as ethereum
from wallets.signer.keys.places import Keys
from wallets.signer.log import Signed
from wallets.signer.policy import NetworkPolicy
from wallets.signer.rules import Draft
from wallets.signer.tron import transactions as tron


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a transaction does, and how it is signed once everything was checked."""

    draft: Draft
    sign: Callable[[], Signed] = field(repr=False)


def prepare(
    intent: intent_pb2.Intent,
    network: NetworkPolicy,
    keys: Keys,
    approvals: Sequence[Approval],
    now_ns: int,
) -> Prepared:
    """Reads an intent by its chain; raises Rejected."""
    match network.chain, intent.WhichOneof("transaction"):
        case "bitcoin", "bitcoin":
            by_id = {bytes(one.withdrawal_id): one for one in approvals}
            draft, rebuilt = bitcoin.read(intent.bitcoin, network, keys, by_id)
            return Prepared(draft, partial(bitcoin.sign, rebuilt, network, keys))
        case "ethereum", "ethereum":
            draft, fields = ethereum.read(intent.ethereum, network, keys)
            return Prepared(draft, partial(ethereum.sign, fields, intent.ethereum, network, keys))
        case "tron", "tron":
            draft, found = tron.read(intent.tron, network, keys, now_ns)
            return Prepared(draft, partial(tron.sign, found, network, keys))
        case _:
            raise Rejected("CHAIN_NOT_SUPPORTED", f"not what {network.chain} signs")
