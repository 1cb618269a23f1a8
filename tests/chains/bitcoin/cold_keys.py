"""Three people's keys of a cold wallet; each signs with a wallet of a real node."""

import hashlib
from dataclasses import dataclass
from typing import Any

import base58
from coincurve import PrivateKey

from tests.chains.bitcoin.regtest import Regtest
from wallets.bitcoin.cold import ColdWallet, parse_cold
from wallets.bitcoin.networks import REGTEST

PUBLIC, PRIVATE = bytes.fromhex("043587cf"), bytes.fromhex("04358394")
SCHEME = "wsh-sortedmulti-2"


@dataclass(frozen=True)
class Person:
    """Her key, as text with and without its secret."""

    name: str

    @property
    def extended(self) -> tuple[str, str]:
        key = PrivateKey(hashlib.sha256(self.name.encode()).digest())
        chain_code = hashlib.sha256(b"chain code of " + self.name.encode()).digest()
        head = bytes(9) + chain_code
        public = PUBLIC + head + key.public_key.format()
        private = PRIVATE + head + b"\x00" + key.secret
        return base58.b58encode_check(public).decode(), base58.b58encode_check(private).decode()


PEOPLE = tuple(Person(name) for name in ("anna", "boris", "carla"))
KEYS = " ".join(person.extended[0] for person in PEOPLE)


def wallet() -> ColdWallet:
    return parse_cold(SCHEME, KEYS, REGTEST)


def sign_by_node(regtest: Regtest, person: Person, text: str) -> str:
    """What her device gives back."""
    keys = ",".join(f"{one.extended[one is person]}/*" for one in PEOPLE)
    descriptor = f"wsh(sortedmulti(2,{keys}))"
    checksum = regtest.call("getdescriptorinfo", descriptor)["checksum"]
    regtest.call("createwallet", person.name, False, True, "", False, True)
    name = f"{regtest.url}/wallet/{person.name}"
    imported = call(
        regtest,
        name,
        "importdescriptors",
        [{"desc": f"{descriptor}#{checksum}", "timestamp": "now", "range": [0, 9]}],
    )
    assert [one["success"] for one in imported] == [True]
    return str(call(regtest, name, "walletprocesspsbt", text)["psbt"])


def call(regtest: Regtest, url: str, method: str, *params: Any) -> Any:
    before, regtest.url = regtest.url, url
    try:
        return regtest.call(method, *params)
    finally:
        regtest.url = before
