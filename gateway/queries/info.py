"""ApiInfoService and LimitsService: what this venue speaks, and what the key may still do."""

import importlib.metadata
from collections.abc import Callable

from cambist.info.v1 import info_pb2
from cambist.limits.v1 import limits_pb2
from gateway import limits
from gateway.door.calls import Call, Received
from gateway.door.permissions import PERMISSIONS
from gateway.services import SERVED
from runtime.clock import Clock

SECOND_MS = 1_000


class InfoService:
    """Facts about the venue and the key."""

    def __init__(self, clock: Clock, streams_of: Callable[[str], int]) -> None:
        self._clock = clock
        self._streams_of = streams_of

    async def get_api_info(
        self, _received: Received[info_pb2.GetApiInfoRequest], _call: Call
    ) -> info_pb2.GetApiInfoResponse:
        """Version, packages, what is not built."""
        packages = sorted({module.DESCRIPTOR.package for module in SERVED})
        unbuilt = sorted(name for name, permission in PERMISSIONS.items() if not permission.built)
        return info_pb2.GetApiInfoResponse(
            version=importlib.metadata.version("cambist"),
            packages=[info_pb2.PackageInfo(name=name, stage="stable") for name in packages],
            unimplemented_methods=unbuilt,
        )

    async def get_limits(
        self, _received: Received[limits_pb2.GetLimitsRequest], call: Call
    ) -> limits_pb2.GetLimitsResponse:
        """Limits of the key and how much of them is used."""
        caller, now_ns = call.caller, self._clock.monotonic_ns()
        rates = {
            "orders_per_second": caller.orders,
            "cancels_per_second": caller.cancels,
            "calls_per_second": caller.calls,
        }
        found = [
            limits_pb2.Limit(
                name=name,
                scope="key",
                used=bucket.maximum - bucket.remaining(now_ns),
                maximum=bucket.maximum,
                interval_ms=SECOND_MS,
            )
            for name, bucket in rates.items()
        ]
        found.append(
            limits_pb2.Limit(
                name="streams",
                scope="key",
                used=self._streams_of(caller.key_id),
                maximum=limits.STREAMS_PER_KEY_MAX,
            )
        )
        return limits_pb2.GetLimitsResponse(limits=found)
