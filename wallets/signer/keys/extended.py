"""Extended public keys of branches (BIP32), all that leaves the signer of its keys. Pure."""

import hashlib
import hmac
from typing import Final

import base58
from Crypto.Hash import RIPEMD160
from eth_account.hdaccount.deterministic import Node, derive_child_key
from eth_keys.datatypes import PrivateKey

VERSION: Final = bytes.fromhex("0488b21e")


def compressed(private_key: bytes) -> bytes:
    """The public key, 33 bytes."""
    return PrivateKey(private_key).public_key.to_compressed_bytes()


def extended_public_key(seed: bytes, path: str) -> str:
    """The xpub at a path such as "m/84'/0'/0'/0"."""
    master = hmac.digest(b"Bitcoin seed", seed, "sha512")
    key, chain_code, fingerprint = master[:32], master[32:], bytes(4)
    depth, number = 0, bytes(4)
    for step in path.split("/")[1:]:
        node = Node.decode(step)
        identifier = RIPEMD160.new(hashlib.sha256(compressed(key)).digest()).digest()
        fingerprint, depth, number = identifier[:4], depth + 1, node.serialize()
        key, chain_code = derive_child_key(key, chain_code, node)
    content = VERSION + bytes([depth]) + fingerprint + number + chain_code + compressed(key)
    return base58.b58encode_check(content).decode()
