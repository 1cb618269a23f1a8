"""WalletService's ledger: what changed an account's balances, from the history service.

Called by the door. What only moves between balances of one account is no entry.
"""

from collections.abc import Mapping

from cambist.internal.history.v1 import history_pb2
from cambist.orders.v1 import events_pb2
from cambist.wallet.v1 import wallet_pb2
from gateway.door.accounts import own_account, shard_of
from gateway.door.calls import Call, Received
from gateway.queries.history import HistoryClient
from gateway.queries.orders import page_size, page_token
from gateway.shard.shard import Shard

FEE_PART = 2
KIND_PREFIX = "MONEY_KIND_"


class LedgerMethods:
    """Questions about the ledgers of the caller's accounts."""

    def __init__(self, shards: Mapping[int, Shard], history: HistoryClient) -> None:
        self._shards = shards
        self._history = history

    async def list_ledger_entries(
        self, received: Received[wallet_pb2.ListLedgerEntriesRequest], call: Call
    ) -> wallet_pb2.ListLedgerEntriesResponse:
        """Entries of an account, newest first."""
        request = received.message
        assert request is not None
        shard = shard_of(self._shards, request.shard)
        question = history_pb2.ListLedgerEntriesRequest(
            shard=shard.number,
            account_id=own_account(call.caller, shard, request.account_id),
            after=place_of(request.page_token),
            page_size=page_size(request.page_size),
        )
        found = await self._history.ask(
            shard.number, "ListLedgerEntries", question, history_pb2.ListLedgerEntriesResponse
        )
        more = found.more and bool(found.entries)
        return wallet_pb2.ListLedgerEntriesResponse(
            entries=map(told, found.entries),
            next_page_token=token_of(found.entries[-1].place) if more else "",
            as_of_seq=found.projected_seq,
        )


def place_of(token: str) -> history_pb2.LedgerPlace:
    """The place in a page token; empty is the newest. Raises Rejected."""
    account_seq, _, part = token.partition(".")
    return history_pb2.LedgerPlace(
        account_seq=page_token(account_seq), part=min(page_token(part), FEE_PART)
    )


def token_of(place: history_pb2.LedgerPlace) -> str:
    """The token of the page after this place."""
    return f"{place.account_seq}.{place.part}"


def told(entry: history_pb2.LedgerEntry) -> wallet_pb2.LedgerEntry:
    """The entry as customers see it."""
    return wallet_pb2.LedgerEntry(
        seq=entry.seq,
        asset_id=entry.asset_id,
        amount_atoms=entry.amount_atoms,
        kind=kind_of(entry),
        account_seq=entry.place.account_seq,
        time_ns=entry.time_ns,
    )


def kind_of(entry: history_pb2.LedgerEntry) -> str:
    """Its word; that of a kind that this gateway does not know is its number."""
    if not entry.money_kind:
        return "fee" if entry.place.part == FEE_PART else "trade"
    try:
        name = events_pb2.MoneyKind.Name(events_pb2.MoneyKind.ValueType(entry.money_kind))
    except ValueError:
        return str(entry.money_kind)
    return name.removeprefix(KIND_PREFIX).lower()
