"""The admin port of a shard: asks each endpoint until one is the primary.

Every call has a timeout. Commands of administration are idempotent in the engine but for Resume
and SetPhase, whose outcome is read before they are sent again.
"""

from typing import Any, Final

import grpc
import grpc.aio

from cambist.admin.v1 import admin_pb2, admin_pb2_grpc
from control import limits
from control.errors import Rejected, Unavailable
from control.settings import ControlSettings
from runtime import logs
from runtime.rpc_channel import open_channel
from runtime.rpc_errors import fault_of

LOGGER = logs.get(__name__)
REQUEST_ID_METADATA: Final = "cambist-request-id"
NOT_PRIMARY: Final = "NOT_PRIMARY"
_AWAY: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
)


class Engine:
    """Shards by their admin endpoints; channels are kept."""

    def __init__(self, settings: ControlSettings) -> None:
        self._template: Final = settings.engine.endpoints
        self._tls: Final = settings.client_tls
        self._server_name: Final = settings.engine.server_name
        self._channels: dict[str, grpc.aio.Channel] = {}
        # The endpoint of a shard that answered last.
        self._last: dict[int, str] = {}

    @property
    def is_configured(self) -> bool:
        """Whether any endpoint is named."""
        return bool(self._template)

    async def close(self) -> None:
        """Closes channels."""
        for channel in self._channels.values():
            await channel.close()

    def endpoints(self, shard: int) -> list[str]:
        """Of a shard, the one that answered last first."""
        named = self._template.replace("{shard}", str(shard)).split(",")
        found = [endpoint.strip() for endpoint in named if endpoint.strip()]
        last = self._last.get(shard, "")
        return sorted(found, key=lambda endpoint: endpoint != last)

    async def definitions(self, shard: int) -> admin_pb2.ListDefinitionsResponse:
        """What exists on a shard. Raises Unavailable."""
        request = admin_pb2.ListDefinitionsRequest(shard=shard)
        found: admin_pb2.ListDefinitionsResponse = await self.call(
            shard, "ListDefinitions", request
        )
        return found

    async def call(self, shard: int, method: str, request: Any, request_id: str = "") -> Any:
        """One call to the primary. Raises Rejected with the engine's reason, or Unavailable.

        After Unavailable a command may have been done.
        """
        faults = []
        for endpoint in self.endpoints(shard):
            stub: Any = admin_pb2_grpc.AdminServiceStub(self._channel(endpoint))
            metadata = ((REQUEST_ID_METADATA, request_id),) if request_id else None
            try:
                answer = await getattr(stub, method)(
                    request, timeout=limits.ENGINE_SECONDS, metadata=metadata
                )
            except grpc.aio.AioRpcError as error:
                reason = fault_of(error).reason
                if reason != NOT_PRIMARY and error.code() not in _AWAY:
                    text = f"{method}: {error.details()}"
                    raise Rejected(reason or error.code().name, text) from None
                faults.append(f"{endpoint}: {reason or error.code().name}")
                continue
            self._last[shard] = endpoint
            return answer
        raise Unavailable(f"{method} on shard {shard}: {'; '.join(faults) or 'no endpoints'}")

    def _channel(self, endpoint: str) -> grpc.aio.Channel:
        if endpoint not in self._channels:
            self._channels[endpoint] = open_channel(
                endpoint, tls_settings=self._tls, server_name=self._server_name
            )
        return self._channels[endpoint]
