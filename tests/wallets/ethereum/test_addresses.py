"""Destinations of Ethereum, and the accounts of an extended public key."""

import pytest
from eth_keys.datatypes import PublicKey
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from cambist.internal.signer.v1 import intent_pb2
from wallets.errors import RefusedAddress, Rejected
from wallets.ethereum.addresses import (
    AddressFault,
    account_at,
    parse_address,
    parse_branch,
    text_of,
)
from wallets.signer.keys.seeds import Seeds
from wallets.signer.policy import NetworkPolicy

GOOD = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
TOKEN = bytes.fromhex("dbf03b407c01e7cd3cbea99509d93f8dddc8c6fb")
NETWORK = NetworkPolicy(1, "ethereum", "dev", 31337, {"deposit": "m/44'/60'/1'/0"}, {}, 1)


def test_an_address_with_its_checksum_is_the_bytes_it_says() -> None:
    assert parse_address(GOOD, {TOKEN}).key.hex() == GOOD[2:].lower()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (GOOD.lower(), AddressFault.CHECKSUM),
        (GOOD.replace("Ae", "ae", 1), AddressFault.CHECKSUM),
        (GOOD[:-1], AddressFault.NOT_AN_ADDRESS),
        (GOOD[2:], AddressFault.NOT_AN_ADDRESS),
        (GOOD[:-1] + "g", AddressFault.NOT_AN_ADDRESS),
        ("", AddressFault.NOT_AN_ADDRESS),
        ("0x" + "0" * 40, AddressFault.ZERO_ADDRESS),
        (text_of(TOKEN), AddressFault.CONTRACT),
    ],
)
def test_what_is_no_destination_is_refused_by_name(text: str, fault: AddressFault) -> None:
    with pytest.raises(RefusedAddress) as refused:
        parse_address(text, {TOKEN})
    assert refused.value.fault is fault


@given(st.binary(min_size=20, max_size=20))
def test_a_text_has_the_capitals_of_the_standard(key: bytes) -> None:
    assert text_of(key) == to_checksum_address(key)


@pytest.mark.parametrize("length", [0, 19, 21, 32])
def test_bytes_of_another_length_have_no_text(length: int) -> None:
    with pytest.raises(ValueError, match="20 bytes"):
        text_of(bytes(length))


def test_a_derived_address_is_that_of_the_signers_key() -> None:
    seeds = Seeds({"deposit": b"d" * 64})
    branch = parse_branch(seeds.branch_key(NETWORK, "deposit"))
    for index in (0, 1, 7, 2**31 - 1):
        place = intent_pb2.KeyPlace(branch="deposit", index=index)
        signers = PublicKey.from_compressed_bytes(seeds.public_key(NETWORK, place))
        assert text_of(account_at(branch, index)) == signers.to_checksum_address()


def test_an_extended_private_key_is_refused_and_not_repeated() -> None:
    private = (
        "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5"
        "kejMRNNU3TGtRBeJgk33yuGBxrMPHi"
    )
    with pytest.raises(Rejected, match="PRIVATE_KEY") as refused:
        parse_branch(private)
    assert private not in str(refused.value)
