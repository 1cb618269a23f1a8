"""What a firm's risk manager may do to all of the firm at once.

Registered by the server for keys with the scope RISK. Each account gets a command of its own: an
account that was answered stays cancelled, whatever becomes of the others. It never cancels beyond
the accounts of the key, and keeps nobody from entering new orders.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from cambist.orders.v1 import commands_pb2
from cambist.risk.v1 import risk_pb2
from gateway import limits
from gateway.door.accounts import SHARD_BITS, shard_of
from gateway.door.calls import Call, Received
from gateway.errors import GatewayError, Unknown, not_found, partly_cancelled
from gateway.shard.shard import Shard
from gateway.unary.service import MASS_CANCEL, UnaryService, message_of, seconds_for


class RiskService:
    """Mass cancel of a firm, on all shards."""

    def __init__(
        self, shards: Mapping[int, Shard], unary: UnaryService, make_id: Callable[[], bytes]
    ) -> None:
        self._shards = shards
        self._unary = unary
        self._make_id = make_id

    async def mass_cancel_firm(
        self, received: Received[risk_pb2.MassCancelFirmRequest], call: Call
    ) -> risk_pb2.MassCancelFirmResponse:
        """Cancels the orders of all accounts of the key.

        Raises Rejected (UNKNOWN_MARKET), Unavailable (no account was answered), Unknown with the
        number of those that were: calling again cancels what is left.
        """
        request = message_of(received)
        commands = [
            commands_pb2.MassCancel(
                request_id=self._make_id(),
                account_id=account_id,
                market_id=request.market_id,
                sent_time_ns=shard.clock.wall_ns(),
            )
            for shard in self._shards_of(request.market_id)
            for account_id in call.caller.accounts_on(shard.feed.reference)
        ]
        counts, failures = await self._carry_out(commands, seconds_for(call))
        if failures:
            worst = next((one for one in failures if isinstance(one, Unknown)), failures[0])
            if not counts and not isinstance(worst, Unknown):
                raise worst
            raise partly_cancelled(len(counts), len(commands), sum(counts), str(worst))
        return risk_pb2.MassCancelFirmResponse(cancelled_count=sum(counts))

    async def _carry_out(
        self, commands: Sequence[commands_pb2.MassCancel], seconds: float
    ) -> tuple[list[int], list[GatewayError]]:
        """Orders cancelled by each command that was answered, and why others were not."""
        turns = asyncio.Semaphore(limits.FIRM_CANCELS_AT_ONCE)
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds

        async def carry_out(command: commands_pb2.MassCancel) -> int | GatewayError:
            async with turns:
                left = max(0.0, ends - loop.time())
                try:
                    events = await self._unary.carry_out_made(MASS_CANCEL, command, left)
                except GatewayError as error:
                    return error
            return events[0].mass_cancel_report.affected_count

        outcomes = await asyncio.gather(*map(carry_out, commands))
        counts = [outcome for outcome in outcomes if isinstance(outcome, int)]
        return counts, [outcome for outcome in outcomes if not isinstance(outcome, int)]

    def _shards_of(self, market_id: int) -> list[Shard]:
        """The shard of the market, or all. Raises Rejected, Unavailable."""
        if not market_id:
            return [shard_of(self._shards, number) for number in sorted(self._shards)]
        number = market_id >> SHARD_BITS
        if number in self._shards:
            shard = shard_of(self._shards, number)
            if market_id in shard.feed.reference.markets:
                return [shard]
        raise not_found("UNKNOWN_MARKET", f"no market {market_id}")
