"""WalletService as far as it is built: balances, their stream, transfers."""

from collections.abc import Mapping, Sequence

from cambist.internal.journal.v1 import frames_pb2
from cambist.orders.v1 import commands_pb2
from cambist.wallet.v1 import wallet_pb2
from gateway.door.accounts import own_account, own_accounts, shard_of
from gateway.door.calls import Call, Received
from gateway.errors import invalid, unauthenticated, unavailable
from gateway.identity.callers import Callers
from gateway.queries.live import LiveStream
from gateway.queries.waiting import wait_as_of
from gateway.shard import rows
from gateway.shard.frames import Piece
from gateway.shard.outbox import Budget, Outgoing
from gateway.shard.reference import atoms
from gateway.shard.shard import Shard
from gateway.unary.service import UnaryService

AMOUNT_ATOMS_MAX = 1 << 120
DIGITS_MAX = 40
PAGE_BALANCES = 1_000
TRANSFER = commands_pb2.Command.TRANSFER_FIELD_NUMBER


class BalanceStream(LiveStream):
    """One stream of balances; when it is full it starts anew with a snapshot."""

    def __init__(self, budget: Budget) -> None:
        super().__init__(budget)
        self.must_snapshot = True

    def frame(self, _kind: int, piece: Piece) -> None:
        """Balances of one account changed."""
        if self.must_snapshot or self.fault is not None:
            return
        updates = frames_pb2.BalanceUpdates.FromString(piece.payload).updates
        response = wallet_pb2.StreamBalancesResponse(
            as_of_seq=piece.seq, balances=map(balance_of, updates)
        )
        if not self.outbox.put(Outgoing(response.SerializeToString(), piece.seq)):
            self.outbox.close(None, drop_waiting=True)
            self.must_snapshot = True

    def feed_lost(self) -> None:
        """The feed does not go on."""
        self.end(unavailable("FEED_LOST", "start the stream again"))


class WalletService:
    """Money of firms, as far as the engine alone knows it."""

    def __init__(
        self,
        shards: Mapping[int, Shard],
        callers: Callers,
        budget: Budget,
        unary: UnaryService,
    ) -> None:
        self._shards = shards
        self._callers = callers
        self._budget = budget
        self._unary = unary
        self._streams: set[BalanceStream] = set()

    async def get_balances(
        self, received: Received[wallet_pb2.GetBalancesRequest], call: Call
    ) -> wallet_pb2.GetBalancesResponse:
        """Balances of one account."""
        request = received.message
        assert request is not None
        shard = shard_of(self._shards, request.shard)
        account_id = own_account(call.caller, shard, request.account_id)
        await wait_as_of(shard.feed, request.as_of_seq, call)
        async with shard.feed.still_image() as image:
            as_of_seq, page = image.last_seq, image.balances(account_id)
        updates = frames_pb2.BalanceUpdates.FromString(page).updates
        return wallet_pb2.GetBalancesResponse(
            as_of_seq=as_of_seq, balances=map(balance_of, updates)
        )

    async def stream_balances(
        self, received: Received[wallet_pb2.StreamBalancesRequest], call: Call
    ) -> None:
        """All balances first, then changes; a reader that falls behind starts anew."""
        request = received.message
        assert request is not None
        shard = shard_of(self._shards, request.shard)
        accounts = own_accounts(call.caller, shard, request.account_ids)
        topics = [(rows.BALANCE, account_id) for account_id in accounts]
        stream, is_first = BalanceStream(self._budget), True

        def key_gone(reason: str) -> None:
            stream.end(unauthenticated(reason, "the key was revoked or changed"))

        with self._callers.watching(call.caller, key_gone):
            while stream.fault is None:
                stream = BalanceStream(self._budget)
                self._streams.add(stream)
                shard.frames.subscribe(stream, topics)
                try:
                    await send_snapshot(stream, call, shard, accounts, is_first=is_first)
                    is_first = False
                    await stream.run(call)
                finally:
                    self._streams.discard(stream)
                    shard.frames.unsubscribe(stream, topics)
                    stream.outbox.clear()
            raise stream.fault

    async def transfer(
        self, received: Received[wallet_pb2.TransferRequest], call: Call
    ) -> wallet_pb2.TransferResponse:
        """Moves money between two accounts of the firm."""
        request = received.message
        assert request is not None
        shard = shard_of(self._shards, request.shard)
        own_account(call.caller, shard, request.to_account_id)
        command = commands_pb2.Transfer(
            request_id=request.request_id,
            account_id=request.account_id,
            to_account_id=request.to_account_id,
            asset_id=request.asset_id,
            amount_atoms=amount_from(request.amount_atoms).to_bytes(16, "little"),
            sent_time_ns=request.sent_time_ns,
        )
        events = await self._unary.carry_out(
            TRANSFER, command, memoryview(command.SerializeToString()), call
        )
        return wallet_pb2.TransferResponse(answer=events[0])

    def drain(self) -> None:
        """Ends every stream; clients start again elsewhere."""
        for stream in list(self._streams):
            stream.end(unavailable("DRAINING", "this gateway stops: start again elsewhere"))


async def send_snapshot(
    stream: BalanceStream,
    call: Call,
    shard: Shard,
    accounts: Sequence[int],
    *,
    is_first: bool,
) -> None:
    """All balances of the accounts at one sequence, in pages."""
    balances: list[wallet_pb2.Balance] = []
    async with shard.feed.still_image() as image:
        as_of_seq = image.last_seq
        for account_id in accounts:
            updates = frames_pb2.BalanceUpdates.FromString(image.balances(account_id)).updates
            balances += map(balance_of, updates)
        stream.must_snapshot = False
    starts = range(0, max(1, len(balances)), PAGE_BALANCES)
    for start in starts:
        response = wallet_pb2.StreamBalancesResponse(
            as_of_seq=as_of_seq,
            snapshot=True,
            resnapshot=not is_first,
            more_pages=start + PAGE_BALANCES < len(balances),
            balances=balances[start : start + PAGE_BALANCES],
        )
        await call.write(response)


def balance_of(update: frames_pb2.BalanceUpdate) -> wallet_pb2.Balance:
    """A balance with decimal amounts."""
    return wallet_pb2.Balance(
        account_id=update.account_id,
        asset_id=update.asset_id,
        available_atoms=str(atoms(update.available_atoms)),
        held_atoms=str(atoms(update.held_atoms)),
        in_flight_atoms=str(atoms(update.in_flight_atoms)),
    )


def amount_from(text: str) -> int:
    """A decimal amount in atoms, 1 to 2^120. Raises Rejected."""
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX):
        raise invalid("amount_atoms", "not a decimal number of atoms")
    amount = int(text)
    if not 1 <= amount <= AMOUNT_ATOMS_MAX:
        raise invalid("amount_atoms", "not 1 to 2^120")
    return amount
