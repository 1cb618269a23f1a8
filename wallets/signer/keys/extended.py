"""Extended public keys of branches (BIP32), all that leaves the signer of its keys. Pure."""

import hashlib
import hmac
from typing import Final

import base58
from Crypto.Hash import RIPEMD160
from eth_account.hdaccount.deterministic import Node, derive_child_key
from eth_keys.datatypes import PrivateKey

VERSION: Final = bytes.fromhex("0488b21e")
# Of the test networks of Bitcoin.
VERSION_TEST: Final = bytes.fromhex("043587cf")
MASTER_SALT: Final = b"Bitcoin seed"


def identifier(public_key: bytes) -> bytes:
    """RIPEMD-160 of SHA-256 of a public key, 20 bytes."""
    return RIPEMD160.new(hashlib.sha256(public_key).digest()).digest()


def compressed(private_key: bytes) -> bytes:
    """The public key, 33 bytes."""
    return PrivateKey(private_key).public_key.to_compressed_bytes()


def extended_public_key(seed: bytes, path: str, version: bytes = VERSION) -> str:
    """The xpub (or tpub, by version) at a path such as "m/84'/0'/0'/0"."""
    master = hmac.digest(MASTER_SALT, seed, "sha512")
    key, chain_code, fingerprint = master[:32], master[32:], bytes(4)
    depth, number = 0, bytes(4)
    for step in path.split("/")[1:]:
        node = Node.decode(step)
        fingerprint = identifier(compressed(key))[:4]
        depth, number = depth + 1, node.serialize()
        key, chain_code = derive_child_key(key, chain_code, node)
    content = version + bytes([depth]) + fingerprint + number + chain_code + compressed(key)
    return base58.b58encode_check(content).decode()
