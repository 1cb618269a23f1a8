"""Quotes, requests, cancels and lists of withdrawals; addresses for deposits, and their list."""

import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from cambist.client.channels import Channels
from cambist.client.commands import ID_BYTES
from cambist.client.events import MoneyMoved
from cambist.client.money import SERVICE, move
from cambist.client.retry import read
from cambist.wallet.v1 import wallet_pb2 as pb

# States after which nothing more happens to a withdrawal.
ENDED: Final = frozenset({"settled", "cancelled", "rejected", "failed"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be withdrawn; `amount` in whole units, `network` for example "bitcoin"."""

    account_id: int
    asset_id: int
    network: str
    amount: str
    destination: str


@dataclass(frozen=True, slots=True)
class Quote:
    """A fee in whole units that holds until `expires_ns`."""

    quote_id: str
    fee: str
    expires_ns: int
    minimum_amount: str


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Where a withdrawal stands; `txid` is empty until there is one."""

    withdrawal_id: bytes
    asset_id: int
    network: str
    destination: str
    amount: str
    fee: str
    state: str
    txid: str


@dataclass(frozen=True, slots=True)
class Deposit:
    """Where a deposit stands."""

    deposit_id: bytes
    asset_id: int
    network: str
    txid: str
    amount: str
    state: str
    confirmations: int


class Withdrawals:
    """Money that leaves the venue, and that came, of the key's accounts."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def quote(self, wanted: Wanted) -> Quote:
        """What a withdrawal costs now. Raises Rejected, Unavailable, Unknown: ask again."""
        request = pb.QuoteWithdrawalRequest(
            account_id=wanted.account_id,
            asset_id=wanted.asset_id,
            network=wanted.network,
            amount=wanted.amount,
            destination=wanted.destination,
        )
        answer = await self._channels.unary(
            SERVICE + "QuoteWithdrawal", request, pb.QuoteWithdrawalResponse
        )
        return Quote(answer.quote_id, answer.fee, answer.expires_ns, answer.minimum_amount)

    async def request(
        self,
        wanted: Wanted,
        quote: Quote,
        *,
        request_id: bytes = b"",
        sent_time_ns: int = 0,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> MoneyMoved:
        """Holds amount and fee; the answer's id is the withdrawal's. Raises as `transfer`.

        After Unknown call again with the error's id and sent_time_ns while the quote holds: it is
        carried out once. Later look for the id in `list` before anything is requested anew.
        """
        request = pb.RequestWithdrawalRequest(
            request_id=request_id or os.urandom(ID_BYTES),
            account_id=wanted.account_id,
            asset_id=wanted.asset_id,
            network=wanted.network,
            amount=wanted.amount,
            destination=wanted.destination,
            quote_id=quote.quote_id,
            sent_time_ns=sent_time_ns or now_ns(),
        )
        return await move(
            self._channels, "RequestWithdrawal", request, pb.RequestWithdrawalResponse
        )

    async def list(self, account_id: int) -> AsyncIterator[Withdrawal]:
        """Withdrawals of an account, newest first; pages are read as they are needed."""
        request = pb.ListWithdrawalsRequest(account_id=account_id)
        while True:
            page = await read(
                self._channels, SERVICE + "ListWithdrawals", request, pb.ListWithdrawalsResponse
            )
            for one in page.withdrawals:
                yield Withdrawal(
                    one.withdrawal_id,
                    one.asset_id,
                    one.network,
                    one.destination,
                    one.amount,
                    one.fee,
                    one.state,
                    one.txid,
                )
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def cancel(self, account_id: int, withdrawal_id: bytes) -> str:
        """Cancels what nobody has signed; the state after it, `cancelling` for a wish that custody
        grants or not, as `list` says later; the same when asked again.

        Raises Rejected(TOO_LATE), Rejected(UNKNOWN_WITHDRAWAL), Unavailable, Unknown: ask again.
        """
        request = pb.CancelWithdrawalRequest(account_id=account_id, withdrawal_id=withdrawal_id)
        answer = await self._channels.unary(
            SERVICE + "CancelWithdrawal", request, pb.CancelWithdrawalResponse
        )
        return str(answer.state)

    async def deposit_address(
        self, account_id: int, asset_id: int, network: str, *, request_id: bytes = b""
    ) -> str:
        """An address to pay to: the account's first one, or that of the request.

        Raises Rejected, Unavailable, Unknown: ask again with the same request.
        """
        request = pb.CreateDepositAddressRequest(
            account_id=account_id, asset_id=asset_id, network=network, request_id=request_id
        )
        answer = await self._channels.unary(
            SERVICE + "CreateDepositAddress", request, pb.CreateDepositAddressResponse
        )
        return str(answer.address)

    async def deposits(self, account_id: int) -> AsyncIterator[Deposit]:
        """Deposits of an account, newest first."""
        request = pb.ListDepositsRequest(account_id=account_id)
        while True:
            page = await read(
                self._channels, SERVICE + "ListDeposits", request, pb.ListDepositsResponse
            )
            for one in page.deposits:
                yield Deposit(
                    one.deposit_id,
                    one.asset_id,
                    one.network,
                    one.txid,
                    one.amount,
                    one.state,
                    one.confirmations,
                )
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token
