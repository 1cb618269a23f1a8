"""Ledgers over the gateway: entries of the history, told in the words of the contract."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from cambist.client import ApiKey
from cambist.client import Client as SdkClient
from cambist.internal.history.v1 import history_pb2
from cambist.orders.v1 import events_pb2
from cambist.wallet.v1 import wallet_pb2, wallet_pb2_grpc
from gateway.door.permissions import Scope
from tests.fakes.history import FakeHistory
from tests.gateway.venue import ACCOUNT, ASSET, FOREIGN_ACCOUNT, Client, Venue, status_of


@pytest.fixture
async def history() -> AsyncIterator[FakeHistory]:
    fake = FakeHistory(projected_seq=50)
    await fake.start()
    yield fake
    await fake.stop()


def entry(account_seq: int, part: int = 0, money_kind: int = 0) -> history_pb2.LedgerEntry:
    return history_pb2.LedgerEntry(
        place=history_pb2.LedgerPlace(account_seq=account_seq, part=part),
        seq=account_seq + 10,
        time_ns=9,
        asset_id=ASSET,
        amount_atoms="-5",
        money_kind=money_kind,
    )


def endpoint_of(history: FakeHistory) -> str:
    assert history.server is not None
    return f"1=127.0.0.1:{history.server.port}"


async def ask(client: Client, **fields: Any) -> wallet_pb2.ListLedgerEntriesResponse:
    stub: Any = wallet_pb2_grpc.WalletServiceStub(client.channel)
    request = wallet_pb2.ListLedgerEntriesRequest(**{"account_id": ACCOUNT, **fields})
    answer: wallet_pb2.ListLedgerEntriesResponse = await stub.ListLedgerEntries(
        request, metadata=client.metadata
    )
    return answer


async def test_entries_have_their_words_and_pages_go_on_inside_a_fill(
    venue: Venue, history: FakeHistory
) -> None:
    gateway = await venue.gateway(history_endpoints=endpoint_of(history))
    client = await venue.client(gateway, await venue.key())
    credit = int(events_pb2.MONEY_KIND_CREDIT)
    history.entries, history.more = (
        (entry(8, money_kind=credit), entry(7, 2), entry(7), entry(7, 1, 99)),
        True,
    )
    page = await ask(client, page_size=4)
    assert [one.kind for one in page.entries] == ["credit", "fee", "trade", "99"]
    first = page.entries[0]
    assert (first.seq, first.account_seq, first.time_ns) == (18, 8, 9)
    assert (first.asset_id, first.amount_atoms, page.as_of_seq) == (ASSET, "-5", 50)
    history.more = False
    last = await ask(client, page_size=4, page_token=page.next_page_token)
    assert last.next_page_token == ""
    asked = history.asked[-1]
    assert (asked.shard, asked.account_id, asked.page_size) == (1, ACCOUNT, 4)
    assert (asked.after.account_seq, asked.after.part) == (7, 1)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"page_size": 1_001}, ("INVALID_ARGUMENT", "INVALID_FIELD")),
        ({"page_token": "x"}, ("INVALID_ARGUMENT", "INVALID_FIELD")),
        ({"page_token": "7.x"}, ("INVALID_ARGUMENT", "INVALID_FIELD")),
        ({"page_token": "7.1.1"}, ("INVALID_ARGUMENT", "INVALID_FIELD")),
        ({"shard": 9}, ("INVALID_ARGUMENT", "INVALID_FIELD")),
        ({"account_id": FOREIGN_ACCOUNT}, ("NOT_FOUND", "UNKNOWN_ACCOUNT")),
    ],
)
async def test_a_bad_question_is_named_and_never_asked(
    venue: Venue, history: FakeHistory, fields: dict[str, Any], status: tuple[str, str]
) -> None:
    gateway = await venue.gateway(history_endpoints=endpoint_of(history))
    client = await venue.client(gateway, await venue.key())
    assert await status_of(ask(client, **fields)) == status
    assert history.asked == []


async def test_only_who_may_read_reads_and_without_a_history_the_call_says_so(
    venue: Venue,
) -> None:
    gateway = await venue.gateway()
    trader = await venue.client(gateway, await venue.key(scopes=frozenset({Scope.TRADE})))
    assert (await status_of(ask(trader)))[0] == "PERMISSION_DENIED"
    reader = await venue.client(gateway, await venue.key(scopes=frozenset({Scope.READ})))
    assert await status_of(ask(reader)) == ("UNAVAILABLE", "HISTORY_UNAVAILABLE")


async def test_the_sdk_reads_pages_until_the_last(venue: Venue, history: FakeHistory) -> None:
    gateway = await venue.gateway(history_endpoints=endpoint_of(history))
    key = await venue.key()
    history.entries, history.more = (entry(3), entry(2, 2)), True
    endpoint = f"127.0.0.1:{gateway.ports.port}"
    async with SdkClient.connect(endpoint, ApiKey(key.key_id, key.private_key)) as client:
        found = []
        async for one in client.ledger.list(ACCOUNT):
            found.append(one)
            history.more = False
        assert [(one.account_seq, one.kind) for one in found] == [(3, "trade"), (2, "fee")] * 2
        assert found[0].amount_atoms == -5
        assert history.asked[-1].after.account_seq == 2
