"""Withdrawals over the gateway: a real custody service is asked, the engine holds the money."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from random import Random
from typing import Any

import asyncpg
import pytest

from cambist.client import ApiKey
from cambist.client import Client as SdkClient
from cambist.client.addresses import BookAddress
from cambist.client.enums import MoneyKind
from cambist.client.errors import Rejected
from cambist.client.withdrawals import Wanted
from cambist.orders.v1 import events_pb2
from cambist.reserves.tree import BadProof, Node, make
from cambist.wallet.v1 import wallet_pb2, wallet_pb2_grpc
from gateway.door.permissions import Scope
from runtime import postgres
from runtime.migrations import migrate
from tests.gateway.venue import ACCOUNT, ASSET, FOREIGN_ACCOUNT, Client, Venue, fresh_id, status_of
from wallets.reserves.liabilities import report
from wallets.reserves.published import publish
from wallets.schema import MIGRATIONS
from wallets.service import server
from wallets.settings import WalletSettings

ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
WANTED = {
    "account_id": ACCOUNT,
    "asset_id": ASSET,
    "network": "bitcoin",
    "amount": "0.00000500",
    "destination": ADDRESS,
}


class Wallet:
    """Calls with the right token."""

    def __init__(self, client: Client) -> None:
        self._stub: Any = wallet_pb2_grpc.WalletServiceStub(client.channel)
        self._metadata = client.metadata

    async def quote(self, **changes: Any) -> Any:
        request = wallet_pb2.QuoteWithdrawalRequest(**{**WANTED, **changes})
        return await self._stub.QuoteWithdrawal(request, metadata=self._metadata)

    async def request(self, **changes: Any) -> Any:
        sent = {"request_id": fresh_id(), "sent_time_ns": time.time_ns()}
        request = wallet_pb2.RequestWithdrawalRequest(**{**WANTED, **sent, **changes})
        return await self._stub.RequestWithdrawal(request, metadata=self._metadata)

    async def withdrawals(self) -> Any:
        request = wallet_pb2.ListWithdrawalsRequest(account_id=ACCOUNT)
        return await self._stub.ListWithdrawals(request, metadata=self._metadata)

    async def deposits(self) -> Any:
        request = wallet_pb2.ListDepositsRequest(account_id=ACCOUNT)
        return await self._stub.ListDeposits(request, metadata=self._metadata)

    async def addresses(self) -> Any:
        request = wallet_pb2.ListAddressesRequest(account_id=ACCOUNT)
        return await self._stub.ListAddresses(request, metadata=self._metadata)

    async def add_address(self) -> Any:
        request = wallet_pb2.AddAddressRequest(
            account_id=ACCOUNT, network="bitcoin", address=ADDRESS, label="cold"
        )
        return await self._stub.AddAddress(request, metadata=self._metadata)

    async def balance(self) -> Any:
        request = wallet_pb2.GetBalancesRequest(account_id=ACCOUNT)
        answer = await self._stub.GetBalances(request, metadata=self._metadata)
        return next(one for one in answer.balances if one.asset_id == ASSET)


@pytest.fixture
def custody_settings() -> dict[str, int]:
    return {}


@pytest.fixture
async def custody_port(venue: Venue, custody_settings: dict[str, int]) -> AsyncIterator[int]:
    await migrate(venue.postgres, MIGRATIONS)
    connection = await asyncpg.connect(venue.postgres.dsn.get_secret_value())
    await connection.execute(
        "insert into custody.chain values ('bitcoin', 'regtest', 3, 'genesis')"
    )
    await connection.execute(
        "insert into custody.asset values (3, $1, '', 'BTC', 8, 8, 0, 1, false, false, '', 7)",
        ASSET,
    )
    await connection.close()
    settings = WalletSettings(
        postgres=venue.postgres,
        service_address="127.0.0.1:0",
        health_address="127.0.0.1:0",
        **custody_settings,  # type: ignore[arg-type]
    )
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
    task = asyncio.create_task(server.serve(settings, stop, ready.set_result))
    yield await asyncio.wait_for(ready, 20.0)
    stop.set()
    await task


async def test_a_withdrawal_holds_amount_and_quoted_fee_and_tells_custody_where_to_pay(
    venue: Venue, custody_port: int
) -> None:
    gateway = await venue.gateway(custody_endpoint=f"127.0.0.1:{custody_port}")
    wallet = Wallet(await venue.client(gateway, await venue.key()))
    before = await wallet.balance()
    quote = await wallet.quote()
    assert quote.fee == "0.00000007"
    answer = await wallet.request(quote_id=quote.quote_id)
    report = answer.answer.money_report
    assert report.kind == events_pb2.MONEY_KIND_WITHDRAWAL_REQUESTED
    after = await wallet.balance()
    assert int(after.held_atoms or 0) - int(before.held_atoms or 0) == 507
    assert int(before.available_atoms) - int(after.available_atoms) == 507
    assert list((await wallet.withdrawals()).withdrawals) == []
    assert list((await wallet.deposits()).deposits) == []


async def test_custodys_refusals_keep_their_names_and_nothing_reaches_the_engine(
    venue: Venue, custody_port: int
) -> None:
    gateway = await venue.gateway(custody_endpoint=f"127.0.0.1:{custody_port}")
    wallet = Wallet(await venue.client(gateway, await venue.key()))
    before = venue.matching.engine.last_seq
    for changes, reason in (
        ({}, "UNKNOWN_QUOTE"),
        ({"quote_id": "00" * 16}, "UNKNOWN_QUOTE"),
        ({"quote_id": "00" * 16, "network": "tron"}, "NETWORK_NOT_SERVED"),
        ({"quote_id": "00" * 16, "destination": "x"}, "INVALID_ADDRESS"),
    ):
        assert await status_of(wallet.request(**changes)) == ("FAILED_PRECONDITION", reason)
    assert venue.matching.engine.last_seq == before


async def test_an_account_that_has_a_book_withdraws_to_it_alone_and_after_the_hold(
    venue: Venue, custody_port: int
) -> None:
    gateway = await venue.gateway(custody_endpoint=f"127.0.0.1:{custody_port}")
    key = await venue.key()
    endpoint = f"127.0.0.1:{gateway.ports.port}"
    wanted = Wanted(ACCOUNT, ASSET, "bitcoin", "0.000005", ADDRESS)
    async with SdkClient.connect(endpoint, ApiKey(key.key_id, key.private_key)) as client:
        quote = await client.withdrawals.quote(wanted)
        usable_from_ns = await client.addresses.add(ACCOUNT, "bitcoin", ADDRESS, "cold")
        assert usable_from_ns > time.time_ns()
        (listed,) = await client.addresses.list(ACCOUNT)
        assert listed == BookAddress("bitcoin", ADDRESS, "cold", usable_from_ns)
        before = venue.matching.engine.last_seq
        with pytest.raises(Rejected, match="ADDRESS_HELD"):
            await client.withdrawals.request(wanted, quote)
        assert venue.matching.engine.last_seq == before
        with pytest.raises(Rejected, match="INVALID_LABEL"):
            await client.addresses.add(ACCOUNT, "bitcoin", ADDRESS, "")
        for call in (
            client.addresses.list(FOREIGN_ACCOUNT),
            client.addresses.add(FOREIGN_ACCOUNT, "bitcoin", ADDRESS, "cold"),
        ):
            with pytest.raises(Rejected, match="UNKNOWN_ACCOUNT"):
                await call
        connection = await asyncpg.connect(venue.postgres.dsn.get_secret_value())
        await connection.execute("update custody.address_book set usable_from = now()")
        await connection.close()
        moved = await client.withdrawals.request(wanted, quote)
        assert moved.kind == MoneyKind.WITHDRAWAL_REQUESTED


async def test_who_may_only_read_sees_a_book_and_adds_nothing(
    venue: Venue, custody_port: int
) -> None:
    gateway = await venue.gateway(custody_endpoint=f"127.0.0.1:{custody_port}")
    wallet = Wallet(await venue.client(gateway, await venue.key(scopes=frozenset({Scope.READ}))))
    assert list((await wallet.addresses()).addresses) == []
    assert (await status_of(wallet.add_address()))[0] == "PERMISSION_DENIED"


@pytest.mark.parametrize("custody_settings", [{"key_hold_seconds": 3_600}])
async def test_a_key_that_got_a_new_public_key_withdraws_after_its_hold(
    venue: Venue, custody_port: int
) -> None:
    gateway = await venue.gateway(custody_endpoint=f"127.0.0.1:{custody_port}")
    key = await venue.key(created_ns=time.time_ns())
    wallet = Wallet(await venue.client(gateway, key))
    quote = await wallet.quote()
    assert await status_of(wallet.request(quote_id=quote.quote_id)) == (
        "FAILED_PRECONDITION",
        "KEY_HELD",
    )
    old = Wallet(await venue.client(gateway, await venue.key(created_ns=1)))
    answer = await old.request(quote_id=quote.quote_id)
    assert answer.answer.money_report.kind == events_pb2.MONEY_KIND_WITHDRAWAL_REQUESTED


async def test_without_custody_the_calls_say_so(venue: Venue) -> None:
    gateway = await venue.gateway()
    wallet = Wallet(await venue.client(gateway, await venue.key()))
    for call in (
        wallet.quote(),
        wallet.request(),
        wallet.deposits(),
        wallet.withdrawals(),
        wallet.addresses(),
        wallet.add_address(),
    ):
        assert await status_of(call) == ("UNAVAILABLE", "CUSTODY_UNAVAILABLE")


async def test_the_sdk_quotes_requests_and_lists_and_names_what_is_refused(
    venue: Venue, custody_port: int
) -> None:
    gateway = await venue.gateway(custody_endpoint=f"127.0.0.1:{custody_port}")
    key = await venue.key()
    endpoint = f"127.0.0.1:{gateway.ports.port}"
    wanted = Wanted(ACCOUNT, ASSET, "bitcoin", "0.000005", ADDRESS)
    async with SdkClient.connect(endpoint, ApiKey(key.key_id, key.private_key)) as client:
        quote = await client.withdrawals.quote(wanted)
        now_ns = time.time_ns()
        again = {"request_id": b"w" * 16, "sent_time_ns": now_ns}
        moved = await client.withdrawals.request(wanted, quote, **again)  # type: ignore[arg-type]
        assert (moved.kind, moved.id) == (MoneyKind.WITHDRAWAL_REQUESTED, b"w" * 16)
        assert (moved.amount_atoms, moved.fee_atoms) == (500, 7)
        repeated = await client.withdrawals.request(wanted, quote, **again)  # type: ignore[arg-type]
        assert (repeated.id, repeated.repeat) == (b"w" * 16, True)
        with pytest.raises(Rejected, match="ID_REUSED"):
            await client.withdrawals.request(
                wanted, quote, request_id=b"w" * 16, sent_time_ns=now_ns + 1
            )
        with pytest.raises(Rejected, match="INVALID_ADDRESS"):
            await client.withdrawals.quote(replace(wanted, destination="x"))
        assert [one async for one in client.withdrawals.list(ACCOUNT)] == []
        assert [one async for one in client.withdrawals.deposits(ACCOUNT)] == []
        with pytest.raises(Rejected, match="DEPOSITS_NOT_SERVED"):
            await client.withdrawals.deposit_address(ACCOUNT, ASSET, "bitcoin")
        with pytest.raises(Rejected, match="UNKNOWN_WITHDRAWAL"):
            await client.withdrawals.cancel(ACCOUNT, b"w" * 16)


async def test_the_sdk_checks_its_accounts_proof_below_the_published_root(
    venue: Venue, custody_port: int
) -> None:
    gateway = await venue.gateway(custody_endpoint=f"127.0.0.1:{custody_port}")
    key = await venue.key()
    database = await postgres.connect(venue.postgres, application_name="reserves")
    tree = make(ASSET, {ACCOUNT: 1_123, FOREIGN_ACCOUNT: 77}, Random(5))
    await publish(database, tree, report(tree, [], None))
    await database.close()
    endpoint = f"127.0.0.1:{gateway.ports.port}"
    async with SdkClient.connect(endpoint, ApiKey(key.key_id, key.private_key)) as client:
        root = await client.reserves.root(ASSET)
        assert root == tree.root
        proof = await client.reserves.proof(ACCOUNT, ASSET, root)
        assert proof.atoms == 1_123
        # What somebody else was told of the sum is no root of this proof.
        with pytest.raises(BadProof, match="another root"):
            await client.reserves.proof(ACCOUNT, ASSET, Node(root.digest, root.atoms - 1))
        with pytest.raises(Rejected, match="NO_REPORT"):
            await client.reserves.root(ASSET + 1)
        # What another firm's account owned is nobody else's to know.
        with pytest.raises(Rejected, match="UNKNOWN_ACCOUNT"):
            await client.reserves.proof(FOREIGN_ACCOUNT, ASSET, root)
