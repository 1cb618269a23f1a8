"""One look at a Market: send what its generation needs, once, and tell how the engine stands.

Called by the queue, on the leader only. What was acknowledged is in the status before the next
command is sent. A resume writes its intent first (`Synced` Unknown, reason Sending): a leader that
finds one reads the phase and never sends it again, so a halt of the engine's own stays.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from opentelemetry.trace import Tracer

from cambist.admin.v1 import admin_pb2
from cambist.orders.v1 import enums_pb2
from control import limits
from control.cluster.client import Cluster
from control.cluster.kinds import Kind, Object, name_of
from control.cluster.lease import Lease
from control.cluster.store import Store
from control.conditions import Condition, Truth, find, merged
from control.errors import Rejected
from control.events import Events
from control.markets import plan
from control.markets.engine import Engine
from control.markets.plan import Command, Spec
from control.scaling.policy import moment
from runtime import logs
from runtime.clock import NANOSECONDS_PER_SECOND, Clock

LOGGER = logs.get(__name__)
SENDING: Final = "Sending"
# Reasons of ours beside those of the engine.
ASSET_UNKNOWN: Final = "AssetUnknown"
# A market that exists with another definition.
DUPLICATE: Final = "DUPLICATE_ID"


@dataclass(slots=True)
class Markets:
    """All Markets of the namespace."""

    cluster: Cluster
    store: Store
    lease: Lease
    engine: Engine
    events: Events
    tracer: Tracer
    clock: Clock
    ladder_step_seconds: float
    # Definitions of shards and when they were read.
    read: dict[int, tuple[float, admin_pb2.ListDefinitionsResponse]] = field(default_factory=dict)

    async def look(self, name: str) -> float | None:
        """One look; seconds until the next."""
        market = self.store.get(Kind.MARKET, name)
        if market is None or market["metadata"].get("deletionTimestamp"):
            # Deleting a Market changes nothing in the engine.
            return None
        with self.tracer.start_as_current_span("control.market") as span:
            span.set_attribute("cambist.market", name)
            try:
                await self._send(market)
                synced = Condition("Synced", Truth.TRUE, "Acknowledged", "")
            except Rejected as error:
                synced = await self._refused(market, error)
            await self._tell(self._fresh(market), synced)
        return limits.MARKET_INTERVAL_SECONDS

    def _fresh(self, market: Object) -> Object:
        return self.store.get(Kind.MARKET, name_of(market)) or market

    async def _send(self, market: Object) -> None:
        """Sends commands one by one, each acknowledged in the status before the next."""
        spec: Spec = market["spec"]
        for _ in Command:
            market = self._fresh(market)
            known = (market.get("status") or {}).get("acknowledged")
            wanted = plan.commands(spec, known)
            if not wanted:
                return
            if wanted[0] is Command.RESUME and was_sending(market):
                # An older leader sent it and was not heard of again: the phase tells, not a resend.
                await self._acknowledge(market, plan.acknowledge(spec, known, Command.RESUME))
                continue
            acknowledged = await self._command(market, spec, wanted[0], known)
            await self._acknowledge(self._fresh(market), acknowledged)

    async def _command(
        self, market: Object, spec: Spec, command: Command, known: Spec | None
    ) -> Spec:
        """One command; what is acknowledged afterwards."""
        metadata = market["metadata"]
        request_id = plan.request_id(metadata["uid"], metadata["generation"], command)
        shard, market_id = spec["shard"], spec["marketId"]
        self.lease.require()
        LOGGER.info("market command", market=name_of(market), request_id=request_id)
        after = plan.acknowledge(spec, known, command)
        self.read.pop(shard, None)
        match command:
            case Command.CREATE:
                create = admin_pb2.CreateMarketRequest(market=await self._definition(spec))
                answer = await self.engine.call(shard, "CreateMarket", create, request_id)
                # One that was there may be halted for a reason of the engine's: not ours to lift.
                after["halted"] = after["isNew"] = not answer.existed
            case Command.UPDATE:
                update = admin_pb2.UpdateMarketRequest(
                    market_id=market_id, limits=plan.limits_of(spec)
                )
                await self.engine.call(shard, "UpdateMarket", update, request_id)
            case Command.HALT:
                halt = admin_pb2.HaltRequest(shard=shard, market_id=market_id)
                await self.engine.call(shard, "Halt", halt, request_id)
            case Command.RESUME:
                # Nobody has an order in a new market: no ladder.
                is_new = bool(known and known.get("isNew"))
                await self._climb(
                    market, spec, plan.LADDER[-1:] if is_new else plan.LADDER, request_id
                )
        # What was read before the command is not what is there now.
        self.read.pop(shard, None)
        await self.events.tell(Kind.MARKET, market, command.value, f"{request_id} acknowledged")
        return after

    async def _climb(
        self,
        market: Object,
        spec: Spec,
        ladder: Sequence[enums_pb2.MarketPhase.ValueType],
        request_id: str,
    ) -> None:
        """Out of a halt by the ladder; ends where the engine went another way meanwhile."""
        shard, market_id = spec["shard"], spec["marketId"]
        if await self._phase(spec) != plan.HALTED:
            return
        intent = Condition("Synced", Truth.UNKNOWN, SENDING, request_id)
        await self._tell(market, intent)
        first, *steps = ladder
        resume = admin_pb2.ResumeRequest(shard=shard, market_id=market_id, phase=first)
        self.lease.require()
        await self.engine.call(shard, "Resume", resume, request_id)
        below = first
        for phase in steps:
            await asyncio.sleep(self.ladder_step_seconds)
            if await self._phase(spec) != below:
                return
            self.lease.require()
            request = admin_pb2.SetPhaseRequest(market_id=market_id, phase=phase)
            await self.engine.call(shard, "SetPhase", request, request_id)
            below = phase

    async def _definition(self, spec: Spec) -> admin_pb2.Market:
        found = await self._definitions(spec["shard"])
        asset_ids = {asset.symbol: asset.asset_id for asset in found.assets}
        missing = [symbol for symbol in (spec["base"], spec["quote"]) if symbol not in asset_ids]
        if missing:
            text = f"shard {spec['shard']} has no asset {' or '.join(missing)}; create it first"
            raise Rejected(ASSET_UNKNOWN, text)
        return plan.market_of(spec, asset_ids)

    async def _definitions(
        self, shard: int, *, fresh: bool = False
    ) -> admin_pb2.ListDefinitionsResponse:
        now = self.lease.now()
        known = self.read.get(shard)
        if not fresh and known is not None and now - known[0] < limits.DEFINITIONS_SECONDS:
            return known[1]
        found = await self.engine.definitions(shard)
        self.read[shard] = (now, found)
        return found

    async def _phase(self, spec: Spec) -> int:
        """The engine's phase now; 0 when the market is not there."""
        found = await self._definitions(spec["shard"], fresh=True)
        return next((it.phase for it in found.markets if it.market_id == spec["marketId"]), 0)

    async def _acknowledge(self, market: Object, acknowledged: Spec) -> None:
        await self._patch(market, {"acknowledged": acknowledged})

    async def _refused(self, market: Object, error: Rejected) -> Condition:
        reason = "DefinitionDiffers" if error.reason == DUPLICATE else camel(error.reason)
        known = find(self._fresh(market), "Synced")
        if known is None or known["reason"] != reason:
            kind = Kind.MARKET
            await self.events.tell(kind, market, "Refused", str(error), warning=True)
        return Condition("Synced", Truth.FALSE, reason, error.message)

    async def _tell(self, market: Object, synced: Condition) -> None:
        """Writes phase and conditions when they differ."""
        spec, known = market["spec"], market.get("status") or {}
        found = await self._definitions(spec["shard"])
        mine = next((it for it in found.markets if it.market_id == spec["marketId"]), None)
        conditions = [synced]
        status: Object = {"observedGeneration": market["metadata"]["generation"]}
        if mine is not None:
            phase = plan.phase_name(mine.phase)
            status["phase"] = phase
            diverged = synced.reason != SENDING and plan.diverges(spec, mine.phase)
            text = (
                f"the engine has {phase}; nothing is sent because of that. Halt or resume by "
                "`kubectl cambist halt` and `kubectl cambist resume`"
            )
            reason = phase.title().replace("_", "")
            conditions.append(
                Condition("PhaseDiverged", Truth.TRUE, reason, text)
                if diverged
                else Condition("PhaseDiverged", Truth.FALSE, "AsAsked", "")
            )
        now = moment(self.clock.wall_ns() / NANOSECONDS_PER_SECOND)
        generation = market["metadata"]["generation"]
        status["conditions"] = merged(known.get("conditions", []), conditions, generation, now)
        if any(known.get(key) != value for key, value in status.items()):
            status["journalSeq"] = found.seq
            await self._patch(market, status)

    async def _patch(self, market: Object, status: Object) -> None:
        self.lease.require()
        version = market["metadata"]["resourceVersion"]
        change = {"metadata": {"resourceVersion": version}, "status": status}
        written = await self.cluster.patch(Kind.MARKET, name_of(market), change, "status")
        self.store.put(Kind.MARKET, written)


def was_sending(market: Object) -> bool:
    """Whether a resume of this generation was begun and its outcome not written."""
    known = find(market, "Synced")
    if known is None or known["reason"] != SENDING:
        return False
    return bool(known.get("observedGeneration") == market["metadata"]["generation"])


def camel(reason: str) -> str:
    """A reason of the engine as conditions spell them."""
    return reason if not reason.isupper() else reason.title().replace("_", "")
