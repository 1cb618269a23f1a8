"""Events on objects: what `kubectl describe` shows of decisions. Losing one is harmless."""

from datetime import UTC, datetime
from typing import Any, Final

from control import limits
from control.cluster.client import FIELD_MANAGER, Cluster
from control.cluster.kinds import Kind, Object
from control.errors import ControlError
from runtime import logs
from runtime.clock import NANOSECONDS_PER_SECOND, Clock

LOGGER = logs.get(__name__)


class Events:
    """Writes events under the name of this process."""

    def __init__(self, cluster: Cluster, instance: str, clock: Clock) -> None:
        self._cluster: Final = cluster
        self._instance: Final = instance
        self._clock: Final = clock

    async def tell(
        self, kind: Kind, about: Object, reason: str, note: str, *, warning: bool = False
    ) -> None:
        """One event."""
        metadata = about["metadata"]
        at = self._clock.wall_ns()
        moment = datetime.fromtimestamp(at / NANOSECONDS_PER_SECOND, UTC)
        document: dict[str, Any] = {
            "metadata": {"name": f"{metadata['name'][:200]}.{at:x}"},
            "eventTime": moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": FIELD_MANAGER,
            "reportingInstance": self._instance,
            "action": reason,
            "reason": reason,
            "note": note[: limits.NOTE_CHARACTERS_MAX],
            "type": "Warning" if warning else "Normal",
            "regarding": {
                "apiVersion": kind.api_version,
                "kind": kind.title,
                "name": metadata["name"],
                "namespace": self._cluster.namespace,
                "uid": metadata.get("uid", ""),
            },
        }
        try:
            timeout = limits.REQUEST_SECONDS
            await self._cluster.create(Kind.EVENT, document, timeout_seconds=timeout)
        except ControlError as error:
            LOGGER.warning("event not written", reason=reason, error=str(error))
