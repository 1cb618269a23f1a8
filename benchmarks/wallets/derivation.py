"""Addresses of an extended public key per second of processor time, beside bare curve additions.

Called by `benchmarks.wallets`. A key is what blocks are matched with; the text is made as well for
an address that is given to somebody. One core: the figure divides by the time of this process.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import base58
from coincurve import PrivateKey, PublicKey

from benchmarks.results import Case, case_of
from benchmarks.wallets.sizes import Sizes
from wallets.bitcoin import derivation
from wallets.bitcoin.networks import MAIN
from wallets.ethereum import addresses as ethereum
from wallets.service.deriving import derives
from wallets.tron import addresses as tron

XPUB_VERSION: Final = bytes.fromhex("0488b21e")
DEPTH_AND_PLACE: Final = bytes(9)
CHAIN_CODE: Final = b"c" * 32
PARENT: Final = PrivateKey(b"p" * 32).public_key.format()
XPUB: Final = base58.b58encode_check(XPUB_VERSION + DEPTH_AND_PLACE + CHAIN_CODE + PARENT).decode()
NETWORKS: Final = (("bitcoin", "main"), ("ethereum", "mainnet"), ("tron", "mainnet"))


async def measure(directory: Path, sizes: Sizes) -> list[Case]:
    """Keys of each chain, and whole addresses."""
    del directory
    point, tweak = PublicKey(PARENT), b"t" * 32
    keys: dict[str, Callable[[int], object]] = {
        "bitcoin": lambda at: derivation.script_of_key(
            derivation.parse_branch(XPUB, MAIN).point(at).format()
        ),
        "ethereum": lambda at: ethereum.account_at(ethereum.parse_branch(XPUB), at),
        "tron": lambda at: tron.account_at(XPUB, at),
    }
    cases = []
    for chain, network in NETWORKS:
        wallets = derives(chain, network)
        for what, derive in (
            ("keys", keys[chain]),
            ("addresses", lambda at, wallets=wallets: wallets.create_wallet(XPUB, at)),
        ):
            rounds = [
                (
                    per_second(derive, sizes.derived),
                    per_second(lambda _: point.add(tweak), sizes.derived),
                )
                for _ in range(sizes.rounds)
            ]
            values, bare = zip(*rounds, strict=True)
            cases.append(case_of(f"derivation/{chain}/{what}", "/s/core", values, bare))
    return cases


def per_second(derive: Callable[[int], object], count: int) -> float:
    """How many of these in a second of this process."""
    derive(0)
    started = time.process_time()
    for at in range(count):
        derive(at)
    return count / (time.process_time() - started)
