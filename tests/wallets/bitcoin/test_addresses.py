"""Addresses: every recipient script, every refusal by its name, nothing by likeness."""

import base58
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallets.bitcoin.addresses import (
    AddressFault,
    address_of,
    check_amount,
    parse_address,
)
from wallets.bitcoin.networks import MAIN, NETWORKS, REGTEST, SIGNET, BitcoinNetwork
from wallets.bitcoin.scripts import ScriptKind, dust_atoms, kind_of, script_of
from wallets.contract import Destination
from wallets.errors import RefusedAddress, Rejected

# From BIP173, BIP350 and the main network.
KNOWN = [
    ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac"),
    ("3P14159f73E4gFr7JterCCQh9QjiTjiZrG", "a914e9c3dd0c07aac76179ebc76a6c78d4d67c6c160a87"),
    (
        "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
        "0014751e76e8199196d454941c45d1b3a323f1433bd6",
    ),
    (
        "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3",
        "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262",
    ),
    (
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
    ),
]
WRONG = [
    ("", AddressFault.LENGTH),
    ("b" * 91, AddressFault.LENGTH),
    ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", AddressFault.CHECKSUM),
    ("0x52908400098527886E0F7030069857D2E4169EE7", AddressFault.CHARACTER),
    ("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", AddressFault.WRONG_NETWORK),
    ("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", AddressFault.WRONG_NETWORK),
    ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", AddressFault.CHECKSUM),
    ("bc1Qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", AddressFault.CHARACTER),
    # BIP350: bech32 where bech32m is due, and the other way round.
    (
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
        AddressFault.CHECKSUM,
    ),
    ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4".replace("Q", "b", 1), AddressFault.CHARACTER),
    ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh", AddressFault.CHECKSUM),
    ("BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", AddressFault.LENGTH),
    ("bc1pw5dgrnzv", AddressFault.LENGTH),
    ("bc1gmk9yu", AddressFault.LENGTH),
    # Witness version 2, and version 1 of 40 bytes (nobody's script).
    ("bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", AddressFault.SCRIPT_TYPE),
    (
        "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
        AddressFault.LENGTH,
    ),
    (base58.b58encode_check(b"\x00" * 20).decode(), AddressFault.LENGTH),
]


@pytest.mark.parametrize(("text", "script"), KNOWN)
def test_known_addresses_stand_for_their_scripts(text: str, script: str) -> None:
    assert parse_address(text, MAIN) == Destination(text, bytes.fromhex(script))


@pytest.mark.parametrize(("text", "fault"), WRONG)
def test_a_wrong_address_is_refused_by_name(text: str, fault: AddressFault) -> None:
    with pytest.raises(RefusedAddress) as refused:
        parse_address(text, MAIN)
    assert refused.value.fault is fault
    assert refused.value.reason == "INVALID_ADDRESS"


@given(
    kind=st.sampled_from(ScriptKind),
    seed=st.binary(min_size=32, max_size=32),
    network=st.sampled_from(NETWORKS),
)
def test_every_script_has_one_address_and_comes_back(
    kind: ScriptKind, seed: bytes, network: BitcoinNetwork
) -> None:
    script = script_of(kind, seed[: kind.value[1]])
    assert kind_of(script) is kind
    assert parse_address(address_of(script, network), network).key == script


@given(kind=st.sampled_from(ScriptKind), seed=st.binary(min_size=32, max_size=32))
def test_no_address_of_the_main_network_is_taken_on_another(kind: ScriptKind, seed: bytes) -> None:
    text = address_of(script_of(kind, seed[: kind.value[1]]), MAIN)
    for network in (REGTEST, SIGNET):
        with pytest.raises(RefusedAddress) as refused:
            parse_address(text, network)
        assert refused.value.fault is AddressFault.WRONG_NETWORK


@given(st.text(max_size=95))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    with pytest.raises(RefusedAddress):
        parse_address(text, REGTEST)


@pytest.mark.parametrize(
    ("script", "name"),
    [
        (b"", "nothing"),
        (bytes.fromhex("51024e73"), "pay to anchor"),
        (b"\x51\x21" + b"\x02" * 33 + b"\x21" + b"\x03" * 33 + b"\x52\xae", "bare multisig"),
        (b"\x21" + b"\x02" * 33 + b"\xac", "bare public key"),
        (b"\x52\x20" + b"\x01" * 32, "witness version 2"),
    ],
)
def test_a_script_that_only_resembles_one_of_ours_has_no_address(script: bytes, name: str) -> None:
    assert kind_of(script) is None, name
    with pytest.raises(Rejected, match="NO_ADDRESS"):
        address_of(script, REGTEST)


def test_dust_is_what_a_node_calls_dust() -> None:
    least = [dust_atoms(script_of(kind, b"\x01" * kind.value[1])) for kind in ScriptKind]
    assert least == [546, 540, 294, 330, 330]
    destination = Destination("", script_of(ScriptKind.P2WPKH, b"\x01" * 20))
    check_amount(destination, 294)
    for amount, reason in ((293, "DUST"), (0, "DUST"), (-1, "DUST"), (2**62, "AMOUNT_TOO_LARGE")):
        with pytest.raises(Rejected, match=reason):
            check_amount(destination, amount)


@pytest.mark.parametrize("byte", b"\n 019af")
def test_a_program_that_reads_as_hexadecimal_text_is_an_address_like_any_other(byte: int) -> None:
    for kind in (ScriptKind.P2WPKH, ScriptKind.P2WSH, ScriptKind.P2TR):
        script = script_of(kind, bytes([byte]) * kind.value[1])
        assert parse_address(address_of(script, REGTEST), REGTEST).key == script
