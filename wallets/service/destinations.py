"""Checks destinations of withdrawals without a node.

Called by the service. Libraries of a chain are imported only when a network of it is asked for.
"""

from collections.abc import Collection

from wallets.contract import Destination
from wallets.errors import Rejected


def parse_destination(
    chain: str, network: str, text: str, contracts: Collection[bytes]
) -> Destination:
    """The address as its chain reads it; `contracts` are our tokens. Raises Rejected."""
    match chain:
        case "bitcoin":
            from wallets.bitcoin import addresses as bitcoin
            from wallets.bitcoin.networks import NETWORKS

            for known in NETWORKS:
                if known.chain == network:
                    return bitcoin.parse_address(text, known)
        case "ethereum":
            from wallets.ethereum import addresses as ethereum

            return ethereum.parse_address(text, contracts)
        case "tron":
            from wallets.tron import addresses as tron

            return tron.parse_address(text)
    raise Rejected("NETWORK_NOT_SERVED", f"no withdrawals on {chain}/{network}")
