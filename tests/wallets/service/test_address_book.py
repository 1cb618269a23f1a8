"""Address books: who has one is paid to nothing else, and to nothing new before its hold."""

import time
from typing import Any

import grpc.aio
import pytest

from cambist.internal.custody.v1 import custody_pb2
from cambist.wallet.v1 import wallet_pb2
from runtime import postgres
from runtime.postgres import Connection
from runtime.rpc_errors import fault_of
from runtime.settings import PostgresSettings
from tests.wallets.conftest import NETWORK_ID
from tests.wallets.service.test_service import ACCOUNT, ADDRESS, check, quote
from wallets.bitcoin.addresses import parse_address
from wallets.bitcoin.networks import REGTEST
from wallets.errors import Rejected
from wallets.service import address_book, limits
from wallets.service.address_book import Holds

OTHER = "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry"
HOLD_SECONDS = 86_400
SECOND_NS = 1_000_000_000
NO_HOLDS = Holds(0, 0, is_book_demanded=False)


async def add(stub: Any, **changes: Any) -> int:
    asked = {"account_id": ACCOUNT, "network": "bitcoin", "address": ADDRESS, "label": "cold"}
    request = wallet_pb2.AddAddressRequest(**{**asked, **changes})
    answer = await stub.AddAddress(custody_pb2.AddAddressRequest(request=request))
    return int(answer.response.usable_from_ns)


async def book(stub: Any, account_id: int = ACCOUNT) -> list[tuple[str, str, str]]:
    request = wallet_pb2.ListAddressesRequest(account_id=account_id)
    answer = await stub.ListAddresses(custody_pb2.ListAddressesRequest(request=request))
    return [(one.network, one.address, one.label) for one in answer.response.addresses]


async def refusal_of(call: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return fault_of(refused.value).reason


async def end_holds(custody: Connection) -> None:
    await custody.execute("update custody.address_book set usable_from = now()")


async def test_an_address_can_be_paid_to_after_its_hold_and_nothing_beside_it(
    stub: Any, custody: Connection
) -> None:
    made = await quote(stub)
    before_ns = time.time_ns()
    usable_from_ns = await add(stub)
    assert abs(usable_from_ns - before_ns - HOLD_SECONDS * SECOND_NS) < 60 * SECOND_NS
    assert await refusal_of(quote(stub)) == "ADDRESS_HELD"
    # One that was quoted before is held all the same.
    assert await refusal_of(check(stub, quote_id=made.quote_id)) == "ADDRESS_HELD"
    assert await refusal_of(quote(stub, destination=OTHER)) == "ADDRESS_NOT_IN_BOOK"
    # Books are accounts' own.
    await quote(stub, account_id=5)
    await end_holds(custody)
    made = await quote(stub)
    await check(stub, quote_id=made.quote_id)


async def test_an_address_in_other_letters_is_the_same_one_and_keeps_its_hold(
    stub: Any, custody: Connection
) -> None:
    first_ns = await add(stub)
    assert await add(stub, address=ADDRESS.upper(), label="vault") == first_ns
    ((network, address, label),) = await book(stub)
    assert (network, address.lower(), label) == ("bitcoin", ADDRESS, "vault")
    await end_holds(custody)
    await add(stub, label="again")
    await quote(stub)


async def test_a_removed_address_waits_anew_and_a_book_without_addresses_is_none(
    stub: Any, custody: Connection, postgres_settings: PostgresSettings
) -> None:
    await add(stub)
    await end_holds(custody)
    database = await postgres.connect(postgres_settings, application_name="book")
    for people in ((), ("a",), ("a", " A ")):
        with pytest.raises(Rejected, match="TWO_PERSONS"):
            await address_book.remove(database, NETWORK_ID, ACCOUNT, ADDRESS, people)
    await address_book.remove(database, NETWORK_ID, ACCOUNT, ADDRESS, ("a", "b"))
    with pytest.raises(Rejected, match="ADDRESS_NOT_IN_BOOK"):
        await address_book.remove(database, NETWORK_ID, ACCOUNT, ADDRESS, ("a", "b"))
    await database.close()
    assert await book(stub) == []
    await quote(stub, destination=OTHER)
    await add(stub)
    assert await refusal_of(quote(stub)) == "ADDRESS_HELD"
    events = await custody.fetch(
        "select subject_id, state_after, actor, reason from custody.event "
        "where kind = 'address_book' order by event_id"
    )
    subject = f"{ACCOUNT}/{ADDRESS}"
    assert [tuple(event) for event in events] == [
        (subject, "added", "customer", ""),
        (subject, "removed", "people", "by a and b"),
        (subject, "added", "customer", ""),
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"network": "tron"}, "NETWORK_NOT_SERVED"),
        ({"network": ""}, "NETWORK_NOT_SERVED"),
        ({"address": ""}, "INVALID_ADDRESS"),
        ({"address": ADDRESS[:-1] + "q"}, "INVALID_ADDRESS"),
        ({"address": "x" * 1_000}, "INVALID_ADDRESS"),
        ({"label": ""}, "INVALID_LABEL"),
        ({"label": "x" * 65}, "INVALID_LABEL"),
        ({"label": "two\nlines"}, "INVALID_LABEL"),
    ],
)
async def test_what_no_book_holds_is_refused_by_name(
    stub: Any, changes: dict[str, Any], reason: str
) -> None:
    assert await refusal_of(add(stub, **changes)) == reason
    assert await book(stub) == []


async def test_an_address_of_ours_is_in_no_book(stub: Any, custody: Connection) -> None:
    await custody.execute(
        "insert into custody.key_branch values ($1, 'deposit', 1, 'p2wpkh', 'x', 0)", NETWORK_ID
    )
    await custody.execute(
        "insert into custody.address (network_id, key, text, branch, generation, path_index) "
        "values ($1, $2, $3, 'deposit', 1, 0)",
        NETWORK_ID,
        parse_address(ADDRESS, REGTEST).key,
        ADDRESS,
    )
    assert await refusal_of(add(stub)) == "OWN_ADDRESS"


async def test_a_full_book_takes_no_further_address(
    stub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ADDRESSES_MAX", 1)
    await add(stub)
    assert await refusal_of(add(stub, address=OTHER)) == "TOO_MANY_ADDRESSES"
    await add(stub, label="renamed")
    await add(stub, account_id=5, address=OTHER)


@pytest.mark.parametrize(
    ("holds", "key_age_seconds", "reason"),
    [
        (NO_HOLDS, 0, ""),
        (Holds(0, 0, is_book_demanded=True), 0, "ADDRESS_NOT_IN_BOOK"),
        (Holds(0, 100, is_book_demanded=False), 50, "KEY_HELD"),
        (Holds(0, 100, is_book_demanded=False), 150, ""),
    ],
)
async def test_a_venue_may_demand_books_and_hold_new_keys(
    custody: Connection, holds: Holds, key_age_seconds: int, reason: str
) -> None:
    async def ask() -> None:
        changed_ns = time.time_ns() - key_age_seconds * SECOND_NS
        await address_book.check_key(custody, changed_ns, holds)
        await address_book.check_in_book(custody, ACCOUNT, NETWORK_ID, b"key", holds)

    if not reason:
        await ask()
        return
    with pytest.raises(Rejected, match=reason):
        await ask()
