"""What a firm's risk manager does to all of the firm at once."""

from typing import Final

from cambist.client.channels import Channels
from cambist.risk.v1 import risk_pb2 as pb

METHOD: Final = "/cambist.risk.v1.RiskService/MassCancelFirm"


class Risk:
    """For keys with the scope RISK."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def mass_cancel_firm(self, *, market_id: int = 0) -> int:
        """How many open orders of the key's accounts it cancelled; market 0 = of all markets.

        Raises Rejected (UNKNOWN_MARKET), Unavailable, and Unknown when some accounts have not
        answered: calling again cancels what is left.
        """
        request = pb.MassCancelFirmRequest(market_id=market_id)
        answer = await self._channels.unary(METHOD, request, pb.MassCancelFirmResponse)
        return answer.cancelled_count
