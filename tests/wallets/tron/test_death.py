"""Proofs that a transaction can never be mined."""

from dataclasses import replace

import pytest

from wallets.contract import BlockRef
from wallets.errors import Rejected
from wallets.tron.contracts import Transfer
from wallets.tron.death import ScannedBlock, prove_dead
from wallets.tron.transactions import Plan, build, reference_of, transaction_id

NOW_MS = 1_795_354_311_000


def block(height: int) -> ScannedBlock:
    def hash_of(number: int) -> str:
        return number.to_bytes(8).hex() + f"{number:02x}" * 24

    time_ms = NOW_MS + (height - 10) * 3_000
    return ScannedBlock(
        BlockRef(height, hash_of(height)), hash_of(height - 1), time_ms, frozenset()
    )


# Block 10 is named; the expiration is between blocks 12 and 13.
SCAN = [block(height) for height in range(10, 15)]
TO = b"\x41" + bytes(19) + b"\1"
PLAN = Plan(Transfer(b"\x41" + bytes(20), TO, 1), reference_of(SCAN[0].ref, 10), 1, NOW_MS + 7_000)
RAW = build(PLAN, NOW_MS)


def test_a_contiguous_scan_past_the_expiration_is_a_proof() -> None:
    assert prove_dead(RAW, SCAN) == (SCAN[0].ref, SCAN[3].ref)


@pytest.mark.parametrize("height", [11, 12, 13])
def test_a_mined_transaction_is_not_dead_even_in_the_first_later_block(height: int) -> None:
    scan = list(SCAN)
    scan[height - 10] = replace(scan[height - 10], txids=frozenset({transaction_id(RAW)}))
    with pytest.raises(Rejected, match="MINED"):
        prove_dead(RAW, scan)


@pytest.mark.parametrize(
    "scan",
    [
        [],
        SCAN[1:],
        SCAN[:3],
        [SCAN[0], *SCAN[2:]],
        [*SCAN[:2], replace(SCAN[2], parent_hash="00" * 32), *SCAN[3:]],
    ],
)
def test_a_scan_with_a_gap_or_an_early_end_proves_nothing(scan: list[ScannedBlock]) -> None:
    with pytest.raises(Rejected, match="NO_PROOF"):
        prove_dead(RAW, scan)
