"""The signer's log and custody's attempts: whatever one has and the other has not is named."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest

from cambist.internal.signer.v1 import signer_pb2
from runtime import postgres
from runtime.postgres import Connection, Database
from runtime.settings import PostgresSettings
from tests.wallets.conftest import NETWORK_ID
from wallets.restoring import signatures

WITHDRAWAL = b"w" * 16


@dataclass(frozen=True)
class SignersLog:
    """Entries of one network, in pages of two."""

    kept: Sequence[signer_pb2.LogEntry]

    async def entries(self, network_id: int, after: int) -> Sequence[signer_pb2.LogEntry]:
        assert network_id == NETWORK_ID
        return [one for one in self.kept if one.log_number > after][:2]


def entry(number: int, txid: str) -> signer_pb2.LogEntry:
    return signer_pb2.LogEntry(
        log_number=number,
        intent_id=number.to_bytes(16, "big"),
        txid=txid,
        withdrawal_ids=[WITHDRAWAL],
    )


@pytest.fixture
async def database(
    custody: Connection, postgres_settings: PostgresSettings
) -> AsyncIterator[Database]:
    opened = await postgres.connect(postgres_settings, application_name="restoring")
    yield opened
    await opened.close()


async def attempt(custody: Connection, number: int, txid: str) -> None:
    """One with bytes, or a planned one when `txid` is empty."""
    attempt_id = await custody.fetchval(
        "insert into custody.attempt (network_id, kind, state, txid, raw, fee_atoms_max) "
        "values ($1, 'payout', $2, nullif($3, ''), $4, 0) returning attempt_id",
        NETWORK_ID,
        "signed" if txid else "planned",
        txid,
        b"raw" if txid else None,
    )
    await custody.execute(
        "insert into custody.attempt_plan values ($1, $2, '')",
        attempt_id,
        number.to_bytes(16, "big"),
    )


async def found(database: Database, *kept: signer_pb2.LogEntry) -> list[str]:
    differences = await signatures.compare(database, NETWORK_ID, SignersLog(kept))
    return [str(one) for one in differences]


async def test_what_both_have_or_what_is_only_planned_differs_in_nothing(
    database: Database, custody: Connection
) -> None:
    assert await found(database) == []
    for number in (1, 2, 3):
        await attempt(custody, number, f"t{number}")
    # Signed, and custody died before it stored the bytes: it asks again for the same intent.
    await attempt(custody, 4, "")
    # Planned, and never signed.
    await attempt(custody, 5, "")
    assert await found(database, *(entry(number, f"t{number}") for number in (1, 2, 3, 4))) == []


async def test_each_signature_that_custody_lost_is_named_with_its_withdrawal(
    database: Database, custody: Connection
) -> None:
    await attempt(custody, 1, "t1")
    told = await found(database, *(entry(number, f"t{number}") for number in (1, 2, 3)))
    assert told == [
        f"SIGNED_AND_UNKNOWN: entry {number}, transaction t{number}, for {WITHDRAWAL.hex()}"
        for number in (2, 3)
    ]


async def test_other_bytes_and_bytes_that_the_signer_lost_are_named(
    database: Database, custody: Connection
) -> None:
    await attempt(custody, 1, "t1")
    await attempt(custody, 2, "t2")
    told = await found(database, entry(1, "other"))
    assert [one.partition(":")[0] for one in told] == ["SIGNED_OTHERWISE", "NOT_IN_SIGNERS_LOG"]
    assert told[0].endswith("custody has t1")
    assert "transaction t2" in told[1]
