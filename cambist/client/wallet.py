"""Balances and transfers."""

import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from cambist.client.channels import Channels
from cambist.client.commands import ID_BYTES
from cambist.client.events import MoneyMoved
from cambist.client.money import SERVICE, move
from cambist.client.retry import read
from cambist.wallet.v1 import wallet_pb2 as pb


@dataclass(frozen=True, slots=True)
class Balance:
    """Money of one account in one asset, in atoms."""

    account_id: int
    asset_id: int
    available_atoms: int
    held_atoms: int
    in_flight_atoms: int

    @property
    def total_atoms(self) -> int:
        """All of it."""
        return self.available_atoms + self.held_atoms + self.in_flight_atoms


@dataclass(frozen=True, slots=True)
class BalanceChange:
    """Balances as of a journal sequence. With `is_snapshot` forget what was before."""

    as_of_seq: int
    balances: tuple[Balance, ...]
    is_snapshot: bool
    # The snapshot has more pages.
    more_pages: bool
    # The snapshot comes because we were too slow.
    is_resnapshot: bool


class Wallet:
    """Money of the key's accounts."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def balances(
        self, account_id: int, *, as_of_seq: int = 0, shard: int = 1
    ) -> dict[int, Balance]:
        """Balances of an account by asset. Waits until `as_of_seq` is known."""
        request = pb.GetBalancesRequest(account_id=account_id, as_of_seq=as_of_seq, shard=shard)
        answer = await read(
            self._channels, SERVICE + "GetBalances", request, pb.GetBalancesResponse
        )
        return {balance.asset_id: balance_of(balance) for balance in answer.balances}

    async def stream_balances(
        self, account_ids: Sequence[int] = (), *, shard: int = 1
    ) -> AsyncIterator[BalanceChange]:
        """All balances first, then changes; begins anew with a snapshot after a failure."""
        request = pb.StreamBalancesRequest(account_ids=account_ids, shard=shard)
        messages = self._channels.server_stream(
            SERVICE + "StreamBalances", request, pb.StreamBalancesResponse
        )
        async for message in messages:
            yield BalanceChange(
                message.as_of_seq,
                tuple(balance_of(balance) for balance in message.balances),
                message.snapshot,
                message.more_pages,
                message.resnapshot,
            )

    async def transfer(
        self,
        account_id: int,
        to_account_id: int,
        asset_id: int,
        amount_atoms: int,
        *,
        request_id: bytes = b"",
        sent_time_ns: int = 0,
        shard: int = 1,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> MoneyMoved:
        """Moves money within the firm. Raises Rejected, Unavailable, Unknown.

        After Unknown call again with the error's id and sent_time_ns: it is carried out once.
        """
        request = pb.TransferRequest(
            request_id=request_id or os.urandom(ID_BYTES),
            account_id=account_id,
            to_account_id=to_account_id,
            asset_id=asset_id,
            amount_atoms=str(amount_atoms),
            sent_time_ns=sent_time_ns or now_ns(),
            shard=shard,
        )
        return await move(self._channels, "Transfer", request, pb.TransferResponse)


def balance_of(balance: pb.Balance) -> Balance:
    """The value of a message."""
    return Balance(
        balance.account_id,
        balance.asset_id,
        int(balance.available_atoms or 0),
        int(balance.held_atoms or 0),
        int(balance.in_flight_atoms or 0),
    )
