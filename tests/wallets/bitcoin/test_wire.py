"""Transactions as bytes: read and written the same, ids our own, nothing read past the end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallets.bitcoin.wire import Input, Malformed, Output, Transaction, compact, parse_transaction
from wallets.contract import TransactionId

HASHES = st.binary(min_size=32, max_size=32).map(lambda found: TransactionId(found.hex()))
NUMBERS = st.integers(0, 2**32 - 1)
SCRIPTS = st.binary(max_size=300)
INPUTS = st.builds(
    Input, HASHES, NUMBERS, SCRIPTS, NUMBERS, st.lists(SCRIPTS, max_size=3).map(tuple)
)
OUTPUTS = st.builds(Output, st.integers(0, 2**63), SCRIPTS)
TRANSACTIONS = st.builds(
    Transaction,
    NUMBERS,
    st.lists(INPUTS, min_size=1, max_size=4).map(tuple),
    st.lists(OUTPUTS, min_size=1, max_size=4).map(tuple),
    NUMBERS,
)
# The example of a signed P2WPKH spend in BIP143.
BIP143 = (
    "01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f00000000494830450221"
    "008b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b1c0a1"
    "9c0489bc22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b5"
    "5d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988"
    "ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac000247304402203609e17b84f6a7"
    "d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f3358f51928d43c"
    "212a8caed02de67eebee0121025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee635711000000"
)


def test_a_known_transaction_has_its_known_id() -> None:
    found = parse_transaction(bytes.fromhex(BIP143))
    assert found.txid() == "e8151a2af31c368a35053ddd4bdb285a8595c769a3ad83e0fa02314a602d4609"
    assert [output.amount_atoms for output in found.outputs] == [112_340_000, 223_450_000]
    assert [len(one.witness) for one in found.inputs] == [0, 2]


@given(TRANSACTIONS)
def test_what_is_written_is_read_again(transaction: Transaction) -> None:
    raw = transaction.serialise()
    assert parse_transaction(raw) == transaction
    bare = parse_transaction(transaction.serialise(with_witness=False))
    assert bare.txid() == transaction.txid()
    assert transaction.weight() == 3 * len(bare.serialise()) + len(raw)


@given(TRANSACTIONS, st.data())
def test_bytes_cut_short_or_followed_by_others_are_refused(
    transaction: Transaction, data: st.DataObject
) -> None:
    raw = transaction.serialise()
    cut = data.draw(st.integers(0, len(raw) - 1))
    for wrong in (raw[:cut], raw + b"\x00"):
        with pytest.raises(Malformed):
            parse_transaction(wrong)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_transaction_or_refused(raw: bytes) -> None:
    try:
        found = parse_transaction(raw)
    except Malformed:
        return
    assert found.serialise() == raw


def test_an_announced_flood_is_refused_before_it_is_read() -> None:
    with pytest.raises(Malformed, match="announces"):
        parse_transaction(b"\x01\x00\x00\x00" + compact(2**40) + b"\x00" * 100)


@pytest.mark.parametrize(
    ("number", "written"),
    [(0xFC, "fc"), (0xFD, "fdfd00"), (0x10000, "fe00000100"), (2**32, "ff0000000001000000")],
)
def test_numbers_take_as_few_bytes_as_they_may(number: int, written: str) -> None:
    assert compact(number).hex() == written
