"""Checks destinations of withdrawals without a node.

Called by quotes and by the address book. Libraries of a chain are imported only when a network of
it is asked for.
"""

from collections.abc import Collection

from runtime.postgres import Connection
from wallets.contract import Destination
from wallets.errors import Rejected
from wallets.service import limits


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


async def check_destination(
    connection: Connection, network_id: int, chain: str, network: str, text: str
) -> Destination:
    """One that a network can pay and that is not ours. Raises Rejected."""
    if not 1 <= len(text) <= limits.TEXT_LENGTH_MAX:
        raise Rejected("INVALID_ADDRESS", f"not 1 to {limits.TEXT_LENGTH_MAX} characters")
    rows = await connection.fetch(
        "select contract from custody.asset where network_id = $1 and contract <> ''", network_id
    )
    contracts = frozenset(bytes(row["contract"]) for row in rows)
    destination = parse_destination(chain, network, text, contracts)
    is_ours = await connection.fetchval(
        "select exists (select from custody.address where network_id = $1 and key = $2)",
        network_id,
        destination.key,
    )
    if is_ours:
        raise Rejected("OWN_ADDRESS", "a deposit address of this venue: use a transfer")
    return destination
