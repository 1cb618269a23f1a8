"""The Bitcoin networks that we serve: what their addresses and extended keys begin with. Pure.

Called by addresses, derivation and the node client. Our own table, because bitcoinlib gives regtest
the prefixes of the main network.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class BitcoinNetwork:
    """One network; `chain` is what a node's `getblockchaininfo` calls it."""

    chain: str
    genesis_hash: str
    bech32_prefix: str
    pubkey_hash_version: int
    script_hash_version: int
    # Extended public keys for P2WPKH (SLIP-132) and without a script type.
    public_key_versions: tuple[bytes, bytes]


MAIN: Final = BitcoinNetwork(
    "main",
    "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
    "bc",
    0x00,
    0x05,
    (bytes.fromhex("04b24746"), bytes.fromhex("0488b21e")),
)
TEST_PUBLIC_KEY_VERSIONS: Final = (bytes.fromhex("045f1cf6"), bytes.fromhex("043587cf"))
SIGNET: Final = BitcoinNetwork(
    "signet",
    "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
    "tb",
    0x6F,
    0xC4,
    TEST_PUBLIC_KEY_VERSIONS,
)
REGTEST: Final = BitcoinNetwork(
    "regtest",
    "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
    "bcrt",
    0x6F,
    0xC4,
    TEST_PUBLIC_KEY_VERSIONS,
)
NETWORKS: Final = (MAIN, SIGNET, REGTEST)
