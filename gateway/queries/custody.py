"""WalletService's withdrawals and deposits: custody is asked, the engine is told.

Called by the door. Custody checks what a chain could never pay and knows the quoted fee; the money
is held by the engine alone, by the command that is made here. Nothing is tried again by itself.
"""

from collections.abc import Mapping
from typing import Final, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message

from cambist.internal.custody.v1 import custody_pb2, custody_pb2_grpc
from cambist.orders.v1 import commands_pb2
from cambist.wallet.v1 import wallet_pb2
from gateway import limits
from gateway.door.accounts import own_account, shard_for
from gateway.door.calls import Call, Received
from gateway.errors import Rejected, unavailable
from gateway.shard.shard import Shard
from gateway.unary.service import UnaryService
from runtime import rpc_channel
from runtime.rpc_errors import fault_of
from runtime.settings import TlsSettings

Answer = TypeVar("Answer", bound=Message)
REQUEST: Final = commands_pb2.Command.REQUEST_WITHDRAWAL_FIELD_NUMBER
AMOUNT_BYTES: Final = 16
# Custody's own words about a request; everything else is no answer.
REFUSALS: Final = frozenset({grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.UNIMPLEMENTED})


class CustodyClient:
    """The channel to custody, opened when first used; `address` may be empty."""

    def __init__(self, address: str, tls: TlsSettings) -> None:
        self._address = address
        self._tls = tls
        self._channel: grpc.aio.Channel | None = None

    async def ask(self, method: str, request: Message, answer: type[Answer]) -> Answer:
        """Custody's answer. Raises Rejected, Unavailable."""
        if not self._address:
            raise unavailable("CUSTODY_UNAVAILABLE", "this venue has no custody")
        if self._channel is None:
            self._channel = rpc_channel.open_channel(self._address, tls_settings=self._tls)
        stub = custody_pb2_grpc.CustodyServiceStub(self._channel)
        try:
            found = await getattr(stub, method)(request, timeout=limits.CUSTODY_SECONDS)
        except grpc.aio.AioRpcError as error:
            if error.code() in REFUSALS:
                raise Rejected(fault_of(error)) from error
            raise unavailable("CUSTODY_UNAVAILABLE", "custody does not answer now") from error
        assert isinstance(found, answer)
        return found

    async def close(self) -> None:
        """Closes the channel."""
        if self._channel is not None:
            await self._channel.close()


class CustodyMethods:
    """The calls of customers, for accounts of their key."""

    def __init__(
        self, shards: Mapping[int, Shard], custody: CustodyClient, unary: UnaryService
    ) -> None:
        self._shards = shards
        self._custody = custody
        self._unary = unary

    def _check_account(self, account_id: int, call: Call) -> None:
        own_account(call.caller, shard_for(self._shards, account_id), account_id)

    async def create_deposit_address(
        self, received: Received[wallet_pb2.CreateDepositAddressRequest], call: Call
    ) -> wallet_pb2.CreateDepositAddressResponse:
        """An address; deposits on it are credited on the account's shard."""
        assert received.message is not None
        account_id = received.message.account_id
        self._check_account(account_id, call)
        request = custody_pb2.CreateDepositAddressRequest(
            request=received.message, shard=shard_for(self._shards, account_id).number
        )
        answer = await self._custody.ask(
            "CreateDepositAddress", request, custody_pb2.CreateDepositAddressResponse
        )
        return answer.response

    async def cancel_withdrawal(
        self, received: Received[wallet_pb2.CancelWithdrawalRequest], call: Call
    ) -> wallet_pb2.CancelWithdrawalResponse:
        """Until it starts; the engine gives the money back when custody tells it."""
        assert received.message is not None
        self._check_account(received.message.account_id, call)
        request = custody_pb2.CancelWithdrawalRequest(request=received.message)
        answer = await self._custody.ask(
            "CancelWithdrawal", request, custody_pb2.CancelWithdrawalResponse
        )
        return answer.response

    async def add_address(
        self, received: Received[wallet_pb2.AddAddressRequest], call: Call
    ) -> wallet_pb2.AddAddressResponse:
        """Into the account's book; it can be paid to later."""
        assert received.message is not None
        self._check_account(received.message.account_id, call)
        request = custody_pb2.AddAddressRequest(request=received.message)
        answer = await self._custody.ask("AddAddress", request, custody_pb2.AddAddressResponse)
        return answer.response

    async def list_addresses(
        self, received: Received[wallet_pb2.ListAddressesRequest], call: Call
    ) -> wallet_pb2.ListAddressesResponse:
        """The account's book."""
        assert received.message is not None
        self._check_account(received.message.account_id, call)
        request = custody_pb2.ListAddressesRequest(request=received.message)
        answer = await self._custody.ask(
            "ListAddresses", request, custody_pb2.ListAddressesResponse
        )
        return answer.response

    async def list_deposits(
        self, received: Received[wallet_pb2.ListDepositsRequest], call: Call
    ) -> wallet_pb2.ListDepositsResponse:
        """One page of deposits."""
        assert received.message is not None
        self._check_account(received.message.account_id, call)
        request = custody_pb2.ListDepositsRequest(request=received.message)
        answer = await self._custody.ask("ListDeposits", request, custody_pb2.ListDepositsResponse)
        return answer.response

    async def list_withdrawals(
        self, received: Received[wallet_pb2.ListWithdrawalsRequest], call: Call
    ) -> wallet_pb2.ListWithdrawalsResponse:
        """One page of withdrawals."""
        assert received.message is not None
        self._check_account(received.message.account_id, call)
        request = custody_pb2.ListWithdrawalsRequest(request=received.message)
        answer = await self._custody.ask(
            "ListWithdrawals", request, custody_pb2.ListWithdrawalsResponse
        )
        return answer.response

    async def get_liability_proof(
        self, received: Received[wallet_pb2.GetLiabilityProofRequest], call: Call
    ) -> wallet_pb2.GetLiabilityProofResponse:
        """The account's own part of what was published."""
        assert received.message is not None
        self._check_account(received.message.account_id, call)
        request = custody_pb2.GetLiabilityProofRequest(request=received.message)
        answer = await self._custody.ask(
            "GetLiabilityProof", request, custody_pb2.GetLiabilityProofResponse
        )
        return answer.response

    async def get_liability_report(
        self, received: Received[wallet_pb2.GetLiabilityReportRequest], _: Call
    ) -> wallet_pb2.GetLiabilityReportResponse:
        """What was published: the same for everybody."""
        assert received.message is not None
        request = custody_pb2.GetLiabilityReportRequest(request=received.message)
        answer = await self._custody.ask(
            "GetLiabilityReport", request, custody_pb2.GetLiabilityReportResponse
        )
        return answer.response

    async def quote_withdrawal(
        self, received: Received[wallet_pb2.QuoteWithdrawalRequest], call: Call
    ) -> wallet_pb2.QuoteWithdrawalResponse:
        """A fee that holds for a while."""
        assert received.message is not None
        self._check_account(received.message.account_id, call)
        request = custody_pb2.QuoteWithdrawalRequest(request=received.message)
        answer = await self._custody.ask(
            "QuoteWithdrawal", request, custody_pb2.QuoteWithdrawalResponse
        )
        return answer.response

    async def request_withdrawal(
        self, received: Received[wallet_pb2.RequestWithdrawalRequest], call: Call
    ) -> wallet_pb2.RequestWithdrawalResponse:
        """Holds amount and fee; custody pays what the journal then says."""
        asked = received.message
        assert asked is not None
        self._check_account(asked.account_id, call)
        checked = await self._custody.ask(
            "CheckWithdrawal",
            custody_pb2.CheckWithdrawalRequest(
                request=asked, key_changed_ns=call.caller.record.changed_ns
            ),
            custody_pb2.CheckWithdrawalResponse,
        )
        command = commands_pb2.RequestWithdrawal(
            request_id=asked.request_id,
            account_id=asked.account_id,
            asset_id=asked.asset_id,
            network_id=checked.network_id,
            amount_atoms=int(checked.amount_atoms).to_bytes(AMOUNT_BYTES, "little"),
            fee_atoms=int(checked.fee_atoms).to_bytes(AMOUNT_BYTES, "little"),
            destination=asked.destination,
            quote_expires_ns=checked.quote_expires_ns,
            sent_time_ns=asked.sent_time_ns,
        )
        events = await self._unary.carry_out(
            REQUEST, command, memoryview(command.SerializeToString()), call
        )
        return wallet_pb2.RequestWithdrawalResponse(answer=events[0])
