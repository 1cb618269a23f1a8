"""Deposit scripts of an extended public key: those of BIP84, and no private key."""

import base58
import pytest

from wallets.bitcoin.addresses import address_of
from wallets.bitcoin.derivation import Branch, parse_branch, script_of_key
from wallets.bitcoin.networks import MAIN, REGTEST, BitcoinNetwork
from wallets.errors import Rejected

# Account of the test vectors of BIP84.
ZPUB = (
    "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKs"
    "AYz2oz2AGutZYs"
)


def test_the_addresses_are_those_of_the_standard() -> None:
    account = parse_branch(ZPUB, MAIN)
    receive = [address_of(script, MAIN) for script in account.child(0).scripts(0, 2)]
    assert receive == [
        "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu",
        "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g",
    ]
    change = next(account.child(1).scripts(0, 1))
    assert address_of(change, MAIN) == "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el"


def test_many_scripts_are_those_of_single_children() -> None:
    branch = parse_branch(ZPUB, MAIN).child(0)
    scripts = list(branch.scripts(4_990, 20))
    assert scripts == [
        script_of_key(branch.child(index).public_key) for index in range(4_990, 5_010)
    ]
    assert len(set(scripts)) == 20


def with_version(version: str, key: bytes | None = None) -> str:
    payload = bytearray(base58.b58decode_check(ZPUB))
    payload[:4] = bytes.fromhex(version)
    if key is not None:
        payload[45:] = key
    return base58.b58encode_check(bytes(payload)).decode()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "BAD_EXTENDED_KEY"),
        (ZPUB[:-1] + "t", "BAD_EXTENDED_KEY"),
        (base58.b58encode_check(b"\x00" * 20).decode(), "BAD_EXTENDED_KEY"),
        (with_version("045f1cf6"), "WRONG_NETWORK"),
        (with_version("04b24746", b"\x02" + b"\xff" * 32), "BAD_EXTENDED_KEY"),
    ],
)
def test_a_wrong_key_is_refused_by_name(text: str, reason: str) -> None:
    with pytest.raises(Rejected) as refused:
        parse_branch(text, MAIN)
    assert refused.value.reason == reason


@pytest.mark.parametrize("network", [MAIN, REGTEST])
def test_a_private_key_is_refused_and_not_repeated(network: BitcoinNetwork) -> None:
    private = with_version("04b2430c", b"\x00" + b"\x07" * 32)
    with pytest.raises(Rejected) as refused:
        parse_branch(private, network)
    assert refused.value.reason == "PRIVATE_KEY"
    assert private not in str(refused.value)
    assert "07" * 32 not in str(refused.value)


@pytest.mark.parametrize(("start", "count"), [(-1, 1), (2**31, 1), (2**31 - 1, 2), (0, -1)])
def test_hardened_and_negative_places_are_refused(start: int, count: int) -> None:
    branch = Branch(parse_branch(ZPUB, MAIN).public_key, b"\x01" * 32)
    with pytest.raises(Rejected, match="BAD_INDEX"):
        list(branch.scripts(start, count))
