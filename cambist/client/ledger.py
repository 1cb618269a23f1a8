"""What changed an account's balances, newest first. Pages are read as they are needed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from cambist.client import limits
from cambist.client.channels import Channels
from cambist.client.money import SERVICE
from cambist.client.retry import read
from cambist.wallet.v1 import wallet_pb2 as pb


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One change of all balances in an asset together; `amount_atoms` has a sign.

    `kind` is "trade", "fee", or a kind of money: "credit", "withdrawal_settled", "transfer_in" ….
    """

    seq: int
    asset_id: int
    amount_atoms: int
    kind: str
    account_seq: int
    time_ns: int


class Ledger:
    """Ledgers of the key's accounts."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def list(self, account_id: int, *, shard: int = 1) -> AsyncIterator[LedgerEntry]:
        """Entries of an account. Raises Rejected, Unavailable."""
        request = pb.ListLedgerEntriesRequest(
            account_id=account_id, shard=shard, page_size=limits.PAGE_SIZE
        )
        while True:
            page = await read(
                self._channels, SERVICE + "ListLedgerEntries", request, pb.ListLedgerEntriesResponse
            )
            for one in page.entries:
                yield LedgerEntry(
                    one.seq,
                    one.asset_id,
                    int(one.amount_atoms),
                    one.kind,
                    one.account_seq,
                    one.time_ns,
                )
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token
