"""Addresses of TRON."""

import base58
import pytest

from wallets.errors import RefusedAddress
from wallets.tron.addresses import (
    AddressFault,
    address_of,
    check_payable,
    parse_address,
)

TEXT = "TFTYEtQfzFoHAc1ow8yoMtD6opFa52Xgpx"
KEY = bytes.fromhex("413c3455d448a57b7ef9345bbacf4dde8c83279e65")


def test_an_address_and_its_bytes_stand_for_each_other() -> None:
    assert parse_address(TEXT).key == KEY
    assert address_of(KEY) == TEXT


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (TEXT[:-1] + "1", AddressFault.CHECKSUM),
        (TEXT[:-1] + "0", AddressFault.CHARACTER),
        (TEXT[:-1], AddressFault.LENGTH),
        ("", AddressFault.LENGTH),
        (" " + TEXT, AddressFault.LENGTH),
        (KEY.hex(), AddressFault.HEXADECIMAL),
        (KEY.hex()[2:], AddressFault.HEXADECIMAL),
        ("0x" + KEY.hex()[2:].upper(), AddressFault.HEXADECIMAL),
        # The old test network's prefix gives texts of another length; 0x42 does not.
        (base58.b58encode_check(b"\x42" + KEY[1:]).decode(), AddressFault.WRONG_NETWORK),
        (base58.b58encode_check(b"\x41" + bytes(20)).decode(), AddressFault.ZERO),
        ("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", AddressFault.LENGTH),
    ],
)
def test_a_text_that_is_no_address_is_refused_by_name(text: str, fault: AddressFault) -> None:
    with pytest.raises(RefusedAddress) as refusal:
        parse_address(text)
    assert refusal.value.fault is fault


def test_contracts_and_own_addresses_are_not_paid() -> None:
    destination = parse_address(TEXT)
    check_payable(destination, contracts=(), own=())
    with pytest.raises(RefusedAddress, match="CONTRACT"):
        check_payable(destination, contracts=(KEY,), own=())
    with pytest.raises(RefusedAddress, match="OWN"):
        check_payable(destination, contracts=(), own=(KEY,))
