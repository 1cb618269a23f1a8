"""ReferenceDataService and AccountService: what can be traded, by whom, and in which phase."""

from collections.abc import Mapping

from cambist.account.v1 import account_pb2
from cambist.market_data.v1 import events_pb2 as market_events_pb2
from cambist.reference.v1 import reference_pb2
from gateway import limits
from gateway.door.accounts import SHARD_BITS
from gateway.door.calls import Call, Received
from gateway.errors import denied, invalid, not_found, unauthenticated, unavailable
from gateway.identity.callers import Callers
from gateway.queries.live import LiveStream
from gateway.shard import rows
from gateway.shard.frames import Piece
from gateway.shard.outbox import Budget, Outgoing
from gateway.shard.reference import MarketEntry, atoms
from gateway.shard.shard import Shard
from runtime.clock import Clock


class StatusStream(LiveStream):
    """Phases of markets for one client."""

    def frame(self, _kind: int, piece: Piece) -> None:
        """The status of one market changed."""
        for one in market_events_pb2.MarketStatuses.FromString(piece.payload).statuses:
            response = reference_pb2.StreamTradingStatusResponse(
                market_id=piece.key, phase=one.phase, market_seq=one.market_seq
            )
            if not self.outbox.put(Outgoing(response.SerializeToString(), piece.seq)):
                self.end(unavailable("SLOW_CONSUMER", "not read in time: start again"))

    def feed_lost(self) -> None:
        """The feed does not go on."""
        self.end(unavailable("FEED_LOST", "start the stream again"))


class ReferenceDataService:
    """What the journal has defined."""

    def __init__(
        self, shards: Mapping[int, Shard], callers: Callers, budget: Budget, clock: Clock
    ) -> None:
        self._shards = shards
        self._callers = callers
        self._budget = budget
        self._clock = clock
        self._streams: set[StatusStream] = set()

    async def list_assets(
        self, _received: Received[reference_pb2.ListAssetsRequest], _call: Call
    ) -> reference_pb2.ListAssetsResponse:
        """All assets."""
        found = {
            asset.asset_id: asset
            for shard in self._shards.values()
            for asset in shard.feed.reference.assets.values()
        }
        assets = [
            reference_pb2.Asset(
                asset_id=asset.asset_id, symbol=asset.symbol, decimals=asset.decimals
            )
            for _, asset in sorted(found.items())
        ]
        return reference_pb2.ListAssetsResponse(assets=assets, as_of_seq=self._as_of_seq())

    async def list_markets(
        self, _received: Received[reference_pb2.ListMarketsRequest], call: Call
    ) -> reference_pb2.ListMarketsResponse:
        """All markets that the key may see."""
        markets = [
            market_of(entry)
            for number in sorted(self._shards)
            for market_id, entry in sorted(self._shards[number].feed.reference.markets.items())
            if call.caller.may_see_market(market_id)
        ]
        return reference_pb2.ListMarketsResponse(markets=markets, as_of_seq=self._as_of_seq())

    async def get_market(
        self, received: Received[reference_pb2.GetMarketRequest], call: Call
    ) -> reference_pb2.GetMarketResponse:
        """One market by id or symbol."""
        request = received.message
        assert request is not None
        if bool(request.market_id) == bool(request.symbol):
            raise invalid("market_id", "exactly one of market_id and symbol")
        for shard in self._shards.values():
            for market_id, entry in shard.feed.reference.markets.items():
                named = request.market_id == market_id or (
                    request.symbol and request.symbol == entry.definition.symbol
                )
                if named and call.caller.may_see_market(market_id):
                    return reference_pb2.GetMarketResponse(market=market_of(entry))
        raise not_found("UNKNOWN_MARKET", "no such market")

    async def get_server_time(
        self, _received: Received[reference_pb2.GetServerTimeRequest], _call: Call
    ) -> reference_pb2.GetServerTimeResponse:
        """The venue's clock."""
        engine_time_ns = max(shard.feed.time_ns for shard in self._shards.values())
        return reference_pb2.GetServerTimeResponse(
            time_ns=self._clock.wall_ns(), engine_time_ns=engine_time_ns
        )

    async def stream_trading_status(
        self, received: Received[reference_pb2.StreamTradingStatusRequest], call: Call
    ) -> None:
        """Phases: all at first, then changes."""
        request = received.message
        assert request is not None
        if len(request.market_ids) > limits.MARKETS_MAX:
            raise invalid("market_ids", f"more than {limits.MARKETS_MAX}")
        wanted = self._wanted(list(dict.fromkeys(request.market_ids)), call)
        stream = StatusStream(self._budget)

        def key_gone(reason: str) -> None:
            stream.end(unauthenticated(reason, "the key was revoked or changed"))

        self._streams.add(stream)
        try:
            with self._callers.watching(call.caller, key_gone):
                for market_id in wanted:
                    shard = self._shards[market_id >> SHARD_BITS]
                    async with shard.feed.still_image() as image:
                        response = reference_pb2.StreamTradingStatusResponse(
                            market_id=market_id,
                            phase=shard.feed.reference.markets[market_id].phase,
                            market_seq=image.market_seq(market_id),
                        )
                        shard.frames.subscribe(stream, [(rows.STATUS, market_id)])
                    await call.write(response)
                await stream.run(call)
        finally:
            self._streams.discard(stream)
            for market_id in wanted:
                shard = self._shards[market_id >> SHARD_BITS]
                shard.frames.unsubscribe(stream, [(rows.STATUS, market_id)])
            stream.outbox.clear()

    def _wanted(self, market_ids: list[int], call: Call) -> list[int]:
        known = {
            market_id
            for shard in self._shards.values()
            for market_id in shard.feed.reference.markets
        }
        for market_id in market_ids:
            if market_id not in known:
                raise not_found("UNKNOWN_MARKET", f"no market {market_id}")
            if not call.caller.may_see_market(market_id):
                raise denied("MARKET_NOT_PERMITTED", f"market {market_id} is not on the key's list")
        return market_ids or sorted(filter(call.caller.may_see_market, known))

    async def list_accounts(
        self, _received: Received[account_pb2.ListAccountsRequest], call: Call
    ) -> account_pb2.ListAccountsResponse:
        """Accounts that the key may use."""
        found = {
            account_id
            for shard in self._shards.values()
            for account_id in call.caller.accounts_on(shard.feed.reference)
        }
        accounts = [
            account_pb2.Account(account_id=account_id, firm_id=call.caller.firm_id)
            for account_id in sorted(found)[: limits.ACCOUNTS_MAX]
        ]
        return account_pb2.ListAccountsResponse(accounts=accounts)

    def drain(self) -> None:
        """Ends every stream; clients start again elsewhere."""
        for stream in list(self._streams):
            stream.end(unavailable("DRAINING", "this gateway stops: start again elsewhere"))

    def _as_of_seq(self) -> int:
        """Of the first shard: with several, sequences of different shards do not compare."""
        return self._shards[min(self._shards)].feed.reference.as_of_seq


def market_of(entry: MarketEntry) -> reference_pb2.Market:
    """A market as clients see it."""
    market, parameters = entry.definition, entry.definition.parameters
    return reference_pb2.Market(
        market_id=market.market_id,
        symbol=market.symbol,
        shard=market.market_id >> SHARD_BITS,
        base_asset_id=market.base_asset_id,
        quote_asset_id=market.quote_asset_id,
        lot_size_atoms=str(atoms(market.lot_size_atoms)),
        tick_size_atoms=str(atoms(market.tick_size_atoms)),
        tick_value_atoms=entry.tick_value_atoms,
        price_step_ticks=parameters.price_step_ticks,
        quantity_step_lots=parameters.quantity_step_lots,
        minimum_quantity_lots=parameters.minimum_quantity_lots,
        maximum_quantity_lots=parameters.maximum_quantity_lots,
        minimum_notional_atoms=str(atoms(parameters.minimum_notional_atoms)),
        maximum_notional_atoms=str(atoms(parameters.maximum_notional_atoms)),
        maker_fee_ppm=parameters.maker_fee_ppm,
        taker_fee_ppm=parameters.taker_fee_ppm,
        phase=entry.phase,
    )
