"""Reference data: assets, markets, the venue's clock, phases."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from cambist.client.channels import Channels
from cambist.client.enums import MarketPhase
from cambist.client.instruments import Asset, Market
from cambist.client.retry import read
from cambist.reference.v1 import reference_pb2 as pb

SERVICE: Final = "/cambist.reference.v1.ReferenceDataService/"


@dataclass(frozen=True, slots=True)
class TradingStatus:
    """Phase of a market from one market_seq on."""

    market_id: int
    phase: MarketPhase
    market_seq: int


class Reference:
    """What can be traded."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def assets(self) -> dict[int, Asset]:
        """Assets by id."""
        request = pb.ListAssetsRequest()
        answer = await read(self._channels, SERVICE + "ListAssets", request, pb.ListAssetsResponse)
        return {
            asset.asset_id: Asset(asset.asset_id, asset.symbol, asset.decimals)
            for asset in answer.assets
        }

    async def markets(self) -> list[Market]:
        """Markets, ascending by id."""
        request = pb.ListMarketsRequest()
        answer = await read(
            self._channels, SERVICE + "ListMarkets", request, pb.ListMarketsResponse
        )
        assets = await self.assets()
        return [Market.from_message(market, assets) for market in answer.markets]

    async def server_time_ns(self) -> int:
        """The gateway's clock."""
        request = pb.GetServerTimeRequest()
        answer = await read(
            self._channels, SERVICE + "GetServerTime", request, pb.GetServerTimeResponse
        )
        return answer.time_ns

    async def trading_status(
        self, market_ids: tuple[int, ...] = ()
    ) -> AsyncIterator[TradingStatus]:
        """Phases: all at first, then changes. Raises Unavailable when the stream breaks."""
        request = pb.StreamTradingStatusRequest(market_ids=market_ids)
        messages = self._channels.server_stream(
            SERVICE + "StreamTradingStatus", request, pb.StreamTradingStatusResponse
        )
        async for message in messages:
            yield TradingStatus(message.market_id, MarketPhase(message.phase), message.market_seq)
