"""Derives deposit addresses without a node, from a branch's extended public key.

Called by the servicer. Libraries of a chain are imported only when a network of it is asked for.
"""

from dataclasses import dataclass

from wallets.contract import Destination
from wallets.deposits.addresses import Derives
from wallets.errors import Rejected


@dataclass(frozen=True, slots=True)
class BitcoinBranch:
    """Places of a branch on a Bitcoin network."""

    network: str

    def create_wallet(self, extended_public_key: str, index: int) -> Destination:
        """As the adapter does. Raises Rejected."""
        from wallets.bitcoin.derivation import wallet_at
        from wallets.bitcoin.networks import NETWORKS

        for known in NETWORKS:
            if known.chain == self.network:
                return wallet_at(extended_public_key, index, known)
        raise Rejected("NETWORK_NOT_SERVED", f"no addresses on bitcoin/{self.network}")


class EthereumBranch:
    """Places of a branch on any Ethereum network."""

    def create_wallet(self, extended_public_key: str, index: int) -> Destination:
        """As the adapter does. Raises Rejected."""
        from wallets.ethereum import addresses

        key = addresses.account_at(addresses.parse_branch(extended_public_key), index)
        return Destination(addresses.text_of(key), key)


class TronBranch:
    """Places of a branch on any TRON network."""

    def create_wallet(self, extended_public_key: str, index: int) -> Destination:
        """As the adapter does. Raises Rejected."""
        from wallets.tron import addresses

        key = addresses.account_at(extended_public_key, index)
        return Destination(addresses.address_of(key), key)


def derives(chain: str, network: str) -> Derives:
    """What derives a network's addresses. Raises Rejected."""
    match chain:
        case "bitcoin":
            return BitcoinBranch(network)
        case "ethereum":
            return EthereumBranch()
        case "tron":
            return TronBranch()
    raise Rejected("NETWORK_NOT_SERVED", f"no deposit addresses on {chain}/{network}")
