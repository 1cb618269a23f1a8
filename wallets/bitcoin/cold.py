"""The cold wallet: m-of-n P2WSH addresses of extended public keys that people keep. Pure.

Custody watches it and can spend nothing of it. Keys of a place are sorted (BIP67), so that the
order in which people name theirs does not matter: what Bitcoin Core calls wsh(sortedmulti(…)).
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wallets.bitcoin.derivation import Branch, parse_branch
from wallets.bitcoin.networks import BitcoinNetwork
from wallets.bitcoin.scripts import ScriptKind, script_of
from wallets.errors import Rejected

SCHEME: Final = re.compile(r"wsh-sortedmulti-([1-9][0-9]?)")
BRANCH: Final = "cold"
KEYS_MAX: Final = 15
OP_1_BEFORE: Final = 0x50
OP_CHECKMULTISIG: Final = 0xAE
KEY_BYTES: Final = 33


@dataclass(frozen=True, slots=True)
class ColdScript:
    """One place; `origins` tell a signing device which of its keys to use."""

    needed: int
    keys: tuple[bytes, ...]
    origins: tuple[tuple[bytes, bytes], ...] = ()

    @property
    def witness(self) -> bytes:
        """The script that the keys satisfy."""
        pushed = b"".join(bytes((KEY_BYTES,)) + key for key in self.keys)
        counts = OP_1_BEFORE + self.needed, OP_1_BEFORE + len(self.keys)
        return bytes((counts[0],)) + pushed + bytes((counts[1], OP_CHECKMULTISIG))

    @property
    def output(self) -> bytes:
        """The script that coins are paid to."""
        return script_of(ScriptKind.P2WSH, hashlib.sha256(self.witness).digest())

    @property
    def input_weight(self) -> int:
        """Of an input that spends it: outpoint, empty script, sequence; then the witness."""
        witness = 1 + 1 + self.needed * (1 + 72) + 1 + len(self.witness)
        return 4 * 41 + witness + 2


@dataclass(frozen=True, slots=True)
class ColdWallet:
    """How many of these keys are needed."""

    needed: int
    branches: tuple[Branch, ...]

    def at(self, index: int) -> ColdScript:
        """The script of a place. Raises Rejected."""
        children = sorted((one.child(index).public_key, one) for one in self.branches)
        origins = [
            (key, fingerprint(branch.public_key) + index.to_bytes(4, "little"))
            for key, branch in children
        ]
        return ColdScript(self.needed, tuple(key for key, _ in children), tuple(origins))


def fingerprint(public_key: bytes) -> bytes:
    """The name of a key as wallets know it (BIP32)."""
    return hashlib.new("ripemd160", hashlib.sha256(public_key).digest()).digest()[:4]


def parse_cold(scheme: str, keys: str, network: BitcoinNetwork) -> ColdWallet:
    """A cold wallet as `custody.key_branch` has it, keys apart by blanks. Raises Rejected."""
    found = SCHEME.fullmatch(scheme)
    branches = tuple(parse_branch(one, network) for one in keys.split())
    if found is None or not int(found[1]) <= len(branches) <= KEYS_MAX:
        raise Rejected("COLD_SCHEME", f"{scheme} of {len(branches)} keys")
    if len({one.public_key for one in branches}) != len(branches):
        raise Rejected("COLD_SCHEME", "one key twice")
    return ColdWallet(int(found[1]), branches)


def scripts(wallet: ColdWallet, indexes: Sequence[int]) -> dict[bytes, ColdScript]:
    """By output script."""
    return {one.output: one for one in map(wallet.at, indexes)}
