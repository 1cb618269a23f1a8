"""CustodyService: calls of gateways, which have checked that the account is the caller's.

Registered by `server`. What moves money is a command to the engine; here are only addresses, reads,
quotes, and cancels of what has not started.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc.aio

from cambist.internal.custody.v1 import custody_pb2, custody_pb2_grpc
from cambist.wallet.v1 import wallet_pb2
from runtime.postgres import Database
from runtime.rpc_errors import abort
from wallets.errors import Rejected
from wallets.faults import TOLD, fault_for
from wallets.service import address_book, cancelling, pages, proving, quotes, receiving
from wallets.service.address_book import Holds
from wallets.service.amounts import text_of
from wallets.service.quotes import Ask, Quoted
from wallets.service.receiving import AddressAsk

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


@asynccontextmanager
async def named_faults(context: Context) -> AsyncIterator[None]:
    """Errors of custody become faults of the call."""
    try:
        yield
    except TOLD as error:
        await abort(context, fault_for(error))


def ask_of(
    request: wallet_pb2.QuoteWithdrawalRequest | wallet_pb2.RequestWithdrawalRequest,
) -> Ask:
    """The withdrawal in a request."""
    return Ask(
        request.account_id, request.asset_id, request.network, request.amount, request.destination
    )


def quote_id_of(text: str) -> bytes:
    """The id in a quote's text. Raises Rejected."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != quotes.ID_BYTES:
        raise Rejected("UNKNOWN_QUOTE", "ask for a quote first")
    return found


@dataclass(frozen=True, slots=True)
class Servicer(custody_pb2_grpc.CustodyServiceServicer):
    """Custody's answers."""

    database: Database
    new_id: Callable[[], bytes]
    holds: Holds

    async def CreateDepositAddress(  # noqa: N802
        self, request: custody_pb2.CreateDepositAddressRequest, context: Context
    ) -> custody_pb2.CreateDepositAddressResponse:
        """An address of the account."""
        asked = request.request
        ask = AddressAsk(
            asked.account_id, asked.asset_id, asked.network, asked.request_id, request.shard
        )
        async with named_faults(context):
            address = await receiving.give_address(self.database, ask)
        return custody_pb2.CreateDepositAddressResponse(
            response=wallet_pb2.CreateDepositAddressResponse(address=address)
        )

    async def CancelWithdrawal(  # noqa: N802
        self, request: custody_pb2.CancelWithdrawalRequest, context: Context
    ) -> custody_pb2.CancelWithdrawalResponse:
        """While no transaction pays it, as `cancelling` says."""
        asked = request.request
        async with named_faults(context):
            state = await cancelling.cancel(self.database, asked.account_id, asked.withdrawal_id)
        return custody_pb2.CancelWithdrawalResponse(
            response=wallet_pb2.CancelWithdrawalResponse(state=state)
        )

    async def QuoteWithdrawal(  # noqa: N802
        self, request: custody_pb2.QuoteWithdrawalRequest, context: Context
    ) -> custody_pb2.QuoteWithdrawalResponse:
        """A fee that holds for a while."""
        async with named_faults(context):
            made = await quotes.quote(
                self.database, ask_of(request.request), self.new_id(), self.holds
            )
        asset = made.checked.asset
        return custody_pb2.QuoteWithdrawalResponse(
            response=wallet_pb2.QuoteWithdrawalResponse(
                quote_id=made.quote_id.hex(),
                fee=text_of(made.checked.fee_engine_atoms, asset.engine_decimals),
                expires_ns=made.expires_ns,
                minimum_amount=text_of(asset.minimum_engine_atoms, asset.engine_decimals),
            )
        )

    async def CheckWithdrawal(  # noqa: N802
        self, request: custody_pb2.CheckWithdrawalRequest, context: Context
    ) -> custody_pb2.CheckWithdrawalResponse:
        """What the engine's command holds."""
        async with named_faults(context):
            asked = request.request
            quoted = Quoted(quote_id_of(asked.quote_id), asked.request_id, request.key_changed_ns)
            found = await quotes.check_quoted(self.database, ask_of(asked), quoted, self.holds)
        return custody_pb2.CheckWithdrawalResponse(
            network_id=found.checked.asset.network_id,
            amount_atoms=str(found.checked.amount_engine_atoms),
            fee_atoms=str(found.checked.fee_engine_atoms),
            quote_expires_ns=found.expires_ns,
        )

    async def ListDeposits(  # noqa: N802
        self, request: custody_pb2.ListDepositsRequest, context: Context
    ) -> custody_pb2.ListDepositsResponse:
        """One page."""
        asked = request.request
        async with named_faults(context):
            page = pages.page_of(asked.account_id, asked.page_size, asked.page_token)
            response = await pages.deposits(self.database, page)
        return custody_pb2.ListDepositsResponse(response=response)

    async def ListWithdrawals(  # noqa: N802
        self, request: custody_pb2.ListWithdrawalsRequest, context: Context
    ) -> custody_pb2.ListWithdrawalsResponse:
        """One page."""
        asked = request.request
        async with named_faults(context):
            page = pages.page_of(asked.account_id, asked.page_size, asked.page_token)
            response = await pages.withdrawals(self.database, page)
        return custody_pb2.ListWithdrawalsResponse(response=response)

    async def AddAddress(  # noqa: N802
        self, request: custody_pb2.AddAddressRequest, context: Context
    ) -> custody_pb2.AddAddressResponse:
        """Into an account's book."""
        async with named_faults(context):
            response = await address_book.add(self.database, request.request, self.holds)
        return custody_pb2.AddAddressResponse(response=response)

    async def ListAddresses(  # noqa: N802
        self, request: custody_pb2.ListAddressesRequest, context: Context
    ) -> custody_pb2.ListAddressesResponse:
        """An account's book."""
        async with named_faults(context):
            response = await address_book.listed(self.database, request.request.account_id)
        return custody_pb2.ListAddressesResponse(response=response)

    async def GetLiabilityProof(  # noqa: N802
        self, request: custody_pb2.GetLiabilityProofRequest, context: Context
    ) -> custody_pb2.GetLiabilityProofResponse:
        """An account's part of what was published."""
        async with named_faults(context):
            response = await proving.prove(self.database, request.request)
        return custody_pb2.GetLiabilityProofResponse(response=response)

    async def GetLiabilityReport(  # noqa: N802
        self, request: custody_pb2.GetLiabilityReportRequest, context: Context
    ) -> custody_pb2.GetLiabilityReportResponse:
        """What was published."""
        async with named_faults(context):
            response = await proving.tell_report(self.database, request.request)
        return custody_pb2.GetLiabilityReportResponse(response=response)
