"""Texts of witness programs are those of bitcoinlib, for every network and version."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallets.bitcoin.bech32 import encode
from wallets.bitcoin.library import BECH32M_CONST
from wallets.bitcoin.networks import NETWORKS, BitcoinNetwork

# isort: split
# Only after `library`, which keeps it from the disk.
from bitcoinlib.encoding import pubkeyhash_to_addr_bech32


@given(
    network=st.sampled_from(NETWORKS),
    version=st.integers(0, 16),
    program=st.binary(min_size=20, max_size=20) | st.binary(min_size=32, max_size=32),
)
def test_a_text_is_what_bitcoinlib_makes_of_the_program(
    network: BitcoinNetwork, version: int, program: bytes
) -> None:
    theirs = pubkeyhash_to_addr_bech32(
        program.hex(),
        network.bech32_prefix,
        version,
        checksum_xor=BECH32M_CONST if version else 1,
    )
    assert encode(network.bech32_prefix, version, program) == theirs


@pytest.mark.parametrize(("version", "length"), [(0, 0), (0, 21), (0, 40), (-1, 20), (17, 32)])
def test_a_program_of_another_length_or_version_has_no_text(version: int, length: int) -> None:
    with pytest.raises(ValueError, match="no address"):
        encode("bc", version, bytes(length))
