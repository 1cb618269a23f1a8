"""Who may call what: every method against every kind of caller, and a map with no holes."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from cambist.account.v1 import account_pb2
from cambist.admin.v1 import admin_pb2
from cambist.drop_copy.v1 import drop_copy_pb2
from cambist.market_data.v1 import service_pb2 as market_data_pb2
from cambist.orders.v1 import commands_pb2, service_pb2
from cambist.query.v1 import query_pb2
from cambist.reference.v1 import reference_pb2
from cambist.sandbox.v1 import sandbox_pb2
from cambist.wallet.v1 import wallet_pb2
from gateway.door.methods import methods_of
from gateway.door.permissions import PERMISSIONS, READ_ONLY, Permission, Scope, check_complete
from gateway.services import SERVED
from runtime import rpc_errors
from runtime.errors import ConfigurationError
from tests.fakes.matching import SHARD
from tests.gateway.venue import (
    ACCOUNT,
    MARKET,
    OTHER_FIRM,
    SECOND_ACCOUNT,
    SECOND_MARKET,
    Client,
    RunningGateway,
    Venue,
    fresh_id,
    new_order,
)

METHODS = methods_of(SERVED)
# Seconds after which a stream that says nothing counts as let in: where that is what is expected,
# and where a refusal is, which a busy machine may give late.
SILENT_SECONDS = 0.3
REFUSAL_SECONDS = 10.0


async def answer_of(
    channel: grpc.aio.Channel,
    method: MethodDescriptor,
    token: str,
    request: bytes = b"",
    silent_seconds: float = REFUSAL_SECONDS,
) -> tuple[str, str]:
    """Code and reason of one call; a stream is let in when it speaks or stays open."""
    caller: Any = channel
    path = f"/{method.containing_service.full_name}/{method.name}"
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    try:
        if method.client_streaming:
            call = caller.stream_stream(path)(metadata=metadata)
            await call.write(request)
            await first_answer(call, silent_seconds)
        elif method.server_streaming:
            call = caller.unary_stream(path)(request, metadata=metadata)
            await first_answer(call, silent_seconds)
        else:
            await caller.unary_unary(path)(request, metadata=metadata, timeout=10.0)
    except grpc.aio.AioRpcError as error:
        return error.code().name, rpc_errors.fault_of(error).reason
    return "OK", ""


async def first_answer(call: Any, silent_seconds: float) -> None:
    try:
        async with asyncio.timeout(silent_seconds):
            if await call.read() is grpc.aio.EOF:
                assert await call.code() is grpc.StatusCode.OK
    except TimeoutError:
        pass
    finally:
        call.cancel()


async def ask_all(
    channel: grpc.aio.Channel,
    names: list[str],
    token: str,
    silent_seconds: float = REFUSAL_SECONDS,
) -> dict[str, tuple[str, str]]:
    answers: list[Awaitable[tuple[str, str]]] = [
        answer_of(channel, METHODS[name], token, silent_seconds=silent_seconds) for name in names
    ]
    return dict(zip(names, await asyncio.gather(*answers), strict=True))


def declared(is_wanted: Callable[[Permission], bool]) -> list[str]:
    names = [name for name, permission in PERMISSIONS.items() if is_wanted(permission)]
    assert names
    return names


async def test_without_credentials_only_the_anonymous_methods_are_open(
    venue: Venue, gateway: RunningGateway
) -> None:
    channel = venue.channel(gateway)
    closed = declared(lambda permission: not permission.anonymous)
    found = await ask_all(channel, closed, "")
    assert set(found.values()) == {("UNAUTHENTICATED", "NO_CREDENTIALS")}
    for _, reason in (
        await ask_all(channel, declared(lambda permission: permission.anonymous), "")
    ).values():
        assert reason in {"", "UNKNOWN_KEY"}


async def test_bad_and_dead_credentials_open_nothing(venue: Venue, gateway: RunningGateway) -> None:
    closed = declared(lambda permission: not permission.anonymous)
    revoked = await venue.client(gateway, await venue.key())
    await venue.store.revoke(revoked.key.key_id, time.time_ns())
    expiring = await venue.key(expires_ns=time.time_ns() + 1_500_000_000)
    over = await venue.client(gateway, expiring)
    await asyncio.sleep(2.5)
    for client, reasons in ((revoked, {"KEY_REVOKED"}), (over, {"TOKEN_EXPIRED", "KEY_EXPIRED"})):
        found = await ask_all(client.channel, closed, client.token)
        assert {code for code, _ in found.values()} == {"UNAUTHENTICATED"}
        assert {reason for _, reason in found.values()} <= reasons
    found = await ask_all(venue.channel(gateway), closed, "made-up")
    assert set(found.values()) == {("UNAUTHENTICATED", "BAD_TOKEN")}


async def test_a_key_with_every_scope_but_the_right_ones_is_denied(
    venue: Venue, gateway: RunningGateway
) -> None:
    for allowed in {permission.allowed for permission in PERMISSIONS.values()} - {frozenset()}:
        key = await venue.key(scopes=frozenset(Scope) - allowed)
        client = await venue.client(gateway, key)
        names = declared(lambda permission, allowed=allowed: permission.allowed == allowed)  # type: ignore[misc]
        found = await ask_all(client.channel, names, client.token)
        assert set(found.values()) == {("PERMISSION_DENIED", "SCOPE_MISSING")}


async def test_each_right_scope_alone_is_let_in(venue: Venue, gateway: RunningGateway) -> None:
    for scope in Scope:
        names = declared(lambda permission, scope=scope: scope in permission.allowed)  # type: ignore[misc]
        client = await venue.client(gateway, await venue.key(scopes=frozenset({scope})))
        await expect_let_in(client, names)
    anybody = declared(lambda permission: not permission.anonymous and not permission.allowed)
    await expect_let_in(await venue.client(gateway, await venue.key(scopes=frozenset())), anybody)


async def expect_let_in(client: Client, names: list[str]) -> None:
    found = await ask_all(client.channel, names, client.token, SILENT_SECONDS)
    for name, (code, reason) in found.items():
        assert code not in {"UNAUTHENTICATED", "PERMISSION_DENIED", "INTERNAL", "UNKNOWN"}, name
        assert (reason == "NOT_BUILT") is not PERMISSIONS[name].built, name


async def test_a_read_only_key_reads_and_does_nothing(
    venue: Venue, gateway: RunningGateway
) -> None:
    client = await venue.client(gateway, await venue.key(is_read_only=True))
    names = declared(lambda permission: bool(permission.allowed))
    found = await ask_all(client.channel, names, client.token, SILENT_SECONDS)
    for name, (code, _) in found.items():
        is_denied = code == "PERMISSION_DENIED"
        assert is_denied is not bool(PERMISSIONS[name].allowed & READ_ONLY), name


async def test_what_is_not_built_says_so_with_a_link(client: Client) -> None:
    names = declared(lambda permission: not permission.built)
    for name in names:
        caller: Any = client.channel
        method = METHODS[name]
        make = caller.unary_stream if method.server_streaming else caller.unary_unary
        call = make(name)(b"", metadata=client.metadata)
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await (call.read() if method.server_streaming else call)
        fault = rpc_errors.fault_of(error.value)
        assert (fault.code, fault.reason) == (grpc.StatusCode.UNIMPLEMENTED, "NOT_BUILT"), name
        assert [link.url for link in fault.help_links] == ["README.md#not-built-yet"]


async def test_methods_of_operators_are_not_on_this_port(client: Client) -> None:
    admin = methods_of([admin_pb2])
    assert not admin.keys() & METHODS.keys()
    for method in admin.values():
        answer = await answer_of(client.channel, method, client.token)
        assert answer == ("UNIMPLEMENTED", "")


ORDERS = "/cambist.orders.v1.OrderEntryService/"
QUERY = "/cambist.query.v1.OrderQueryService/"
WALLET = "/cambist.wallet.v1.WalletService/"
SANDBOX = "/cambist.sandbox.v1.SandboxService/"
DROP_COPY = "/cambist.drop_copy.v1.DropCopyService/"
IDS = {"request_id": fresh_id(), "account_id": ACCOUNT}


def foreign_requests() -> dict[str, Message]:
    """Requests about an account of the first firm, one per method that names an account."""
    cancel = commands_pb2.Cancel(order_id=1, **IDS)  # type: ignore[arg-type]
    amend = commands_pb2.Amend(order_id=1, price_ticks=1, **IDS)  # type: ignore[arg-type]
    mass = commands_pb2.MassCancel(**IDS)  # type: ignore[arg-type]
    resolve = commands_pb2.Resolve(id=fresh_id(), account_id=ACCOUNT)
    replace = commands_pb2.Replace(orig_cl_ord_id=fresh_id(), new_order=new_order())
    timer = commands_pb2.CancelAllAfter(**IDS)  # type: ignore[arg-type]
    return {
        ORDERS + "Negotiate": service_pb2.NegotiateRequest(
            shard=SHARD, session_name="a", account_ids=[ACCOUNT]
        ),
        ORDERS + "NewOrder": service_pb2.NewOrderRequest(order=new_order()),
        ORDERS + "BatchNewOrders": service_pb2.BatchNewOrdersRequest(orders=[new_order()]),
        ORDERS + "CancelOrder": service_pb2.CancelOrderRequest(cancel=cancel),
        ORDERS + "BatchCancelOrders": service_pb2.BatchCancelOrdersRequest(cancels=[cancel]),
        ORDERS + "AmendOrder": service_pb2.AmendOrderRequest(amend=amend),
        ORDERS + "ReplaceOrder": service_pb2.ReplaceOrderRequest(replace=replace),
        ORDERS + "MassCancel": service_pb2.MassCancelRequest(mass_cancel=mass),
        ORDERS + "CancelAllAfter": service_pb2.CancelAllAfterRequest(cancel_all_after=timer),
        ORDERS + "ResolveOrder": service_pb2.ResolveOrderRequest(resolve=resolve),
        QUERY + "GetOrder": query_pb2.GetOrderRequest(account_id=ACCOUNT, order_id=1),
        QUERY + "ListOpenOrders": query_pb2.ListOpenOrdersRequest(account_id=ACCOUNT),
        QUERY + "ListOrders": query_pb2.ListOrdersRequest(account_id=ACCOUNT),
        QUERY + "ListFills": query_pb2.ListFillsRequest(account_id=ACCOUNT),
        QUERY + "ListPreventedMatches": query_pb2.ListPreventedMatchesRequest(account_id=ACCOUNT),
        WALLET + "GetBalances": wallet_pb2.GetBalancesRequest(account_id=ACCOUNT),
        WALLET + "StreamBalances": wallet_pb2.StreamBalancesRequest(account_ids=[ACCOUNT]),
        WALLET + "Transfer": wallet_pb2.TransferRequest(
            request_id=fresh_id(),
            account_id=ACCOUNT,
            to_account_id=SECOND_ACCOUNT,
            asset_id=1,
            amount_atoms="1",
        ),
        WALLET + "AddAddress": wallet_pb2.AddAddressRequest(account_id=ACCOUNT),
        WALLET + "CancelWithdrawal": wallet_pb2.CancelWithdrawalRequest(account_id=ACCOUNT),
        SANDBOX + "PayIn": sandbox_pb2.PayInRequest(
            account_id=ACCOUNT, asset_id=1, amount_atoms="1", request_id=fresh_id()
        ),
        WALLET + "CreateDepositAddress": wallet_pb2.CreateDepositAddressRequest(account_id=ACCOUNT),
        WALLET + "GetLiabilityProof": wallet_pb2.GetLiabilityProofRequest(account_id=ACCOUNT),
        WALLET + "ListAddresses": wallet_pb2.ListAddressesRequest(account_id=ACCOUNT),
        WALLET + "ListDeposits": wallet_pb2.ListDepositsRequest(account_id=ACCOUNT),
        WALLET + "ListLedgerEntries": wallet_pb2.ListLedgerEntriesRequest(account_id=ACCOUNT),
        WALLET + "ListWithdrawals": wallet_pb2.ListWithdrawalsRequest(account_id=ACCOUNT),
        WALLET + "QuoteWithdrawal": wallet_pb2.QuoteWithdrawalRequest(account_id=ACCOUNT),
        WALLET + "RequestWithdrawal": wallet_pb2.RequestWithdrawalRequest(account_id=ACCOUNT),
        DROP_COPY + "StreamPrivateEvents": drop_copy_pb2.StreamPrivateEventsRequest(
            account_ids=[ACCOUNT]
        ),
    }


async def test_an_account_of_another_firm_does_not_exist(
    venue: Venue, gateway: RunningGateway
) -> None:
    foreign = await venue.client(gateway, await venue.key(firm_id=OTHER_FIRM))
    narrow = await venue.client(gateway, await venue.key(account_ids=(SECOND_ACCOUNT,)))
    before = venue.matching.engine.last_seq
    for name, request in foreign_requests().items():
        for client in (foreign, narrow):
            found = await answer_of(
                client.channel, METHODS[name], client.token, request.SerializeToString()
            )
            assert found == ("NOT_FOUND", "UNKNOWN_ACCOUNT"), name
    assert venue.matching.engine.last_seq == before


async def test_every_method_that_names_an_account_is_in_the_table_above() -> None:
    """A new method with an account in its request has to be tested for foreign ones."""
    named = {
        name
        for name, method in METHODS.items()
        if PERMISSIONS[name].built and names_an_account(method.input_type)
    }
    # Sessions are opened for accounts that Negotiate has checked.
    assert named - foreign_requests().keys() == {ORDERS + "OrderEntrySession"}


def names_an_account(descriptor: Any) -> bool:
    return any(
        field.name in {"account_id", "account_ids"}
        or (field.message_type is not None and names_an_account(field.message_type))
        for field in descriptor.fields
    )


async def test_markets_off_the_list_are_denied_or_left_out(
    venue: Venue, gateway: RunningGateway
) -> None:
    client = await venue.client(gateway, await venue.key(market_ids=(SECOND_MARKET,)))
    denied: dict[str, Message] = {
        ORDERS + "NewOrder": service_pb2.NewOrderRequest(order=new_order()),
        ORDERS + "BatchNewOrders": service_pb2.BatchNewOrdersRequest(orders=[new_order()]),
        MARKET_DATA + "GetLevel2": market_data_pb2.GetLevel2Request(market_id=MARKET, depth=1),
        MARKET_DATA + "StreamLevel2": market_data_pb2.StreamLevel2Request(market_ids=[MARKET]),
        MARKET_DATA + "StreamTrades": market_data_pb2.StreamTradesRequest(market_ids=[MARKET]),
        MARKET_DATA + "StreamBestBidOffer": market_data_pb2.StreamBestBidOfferRequest(
            market_ids=[MARKET]
        ),
        REFERENCE + "StreamTradingStatus": reference_pb2.StreamTradingStatusRequest(
            market_ids=[MARKET]
        ),
    }
    for name, request in denied.items():
        found = await answer_of(
            client.channel, METHODS[name], client.token, request.SerializeToString()
        )
        assert found == ("PERMISSION_DENIED", "MARKET_NOT_PERMITTED"), name
    stub: Any = client.channel
    listed = await stub.unary_unary(
        REFERENCE + "ListMarkets",
        response_deserializer=reference_pb2.ListMarketsResponse.FromString,
    )(b"", metadata=client.metadata)
    assert [market.market_id for market in listed.markets] == [SECOND_MARKET]


MARKET_DATA = "/cambist.market_data.v1.MarketDataService/"
REFERENCE = "/cambist.reference.v1.ReferenceDataService/"


async def test_a_key_of_some_accounts_lists_only_those(
    venue: Venue, gateway: RunningGateway
) -> None:
    client = await venue.client(gateway, await venue.key(account_ids=(SECOND_ACCOUNT,)))
    stub: Any = client.channel
    listed = await stub.unary_unary(
        "/cambist.account.v1.AccountService/ListAccounts",
        response_deserializer=account_pb2.ListAccountsResponse.FromString,
    )(b"", metadata=client.metadata)
    assert [account.account_id for account in listed.accounts] == [SECOND_ACCOUNT]


def test_the_map_names_every_method_and_nothing_else() -> None:
    check_complete(METHODS, PERMISSIONS)
    first = next(iter(PERMISSIONS))
    with pytest.raises(ConfigurationError, match=first):
        check_complete(METHODS, {k: v for k, v in PERMISSIONS.items() if k != first})
    with pytest.raises(ConfigurationError, match="/none"):
        check_complete(METHODS, {**PERMISSIONS, "/none": Permission()})


@pytest.mark.parametrize("change", ["missing", "claims to be built", "claims not to be built"])
async def test_a_gateway_whose_map_does_not_fit_does_not_start(
    venue: Venue, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    built = ORDERS + "NewOrder"
    unbuilt = ORDERS + "TestNewOrder"
    match change:
        case "missing":
            monkeypatch.delitem(PERMISSIONS, built)
        case "claims to be built":
            monkeypatch.setitem(PERMISSIONS, unbuilt, Permission(frozenset({Scope.TRADE})))
        case _:
            monkeypatch.setitem(PERMISSIONS, built, Permission(built=False))
    with pytest.raises(ConfigurationError):
        await venue.gateway()
