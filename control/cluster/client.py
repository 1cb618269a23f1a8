"""Requests to the API server, in one namespace, as plain data.

Called by the Lease loop, by reconciles and by the chart's Jobs. Every call has a timeout and one of
the errors of `control.errors`. A write whose answer was lost is Unknown; all our writes may be
repeated, because they are applies, or carry a resourceVersion.
"""

import contextlib
import os
from typing import Any, Final

import aiohttp
from kubernetes_asyncio import config
from kubernetes_asyncio.client import ApiClient, Configuration
from kubernetes_asyncio.client.exceptions import ApiException

from control import limits
from control.cluster.kinds import CHAIN_LABEL, LABELLED, Kind, Object, name_of
from control.errors import Conflict, NotFound, Rejected, Unavailable, Unknown

FIELD_MANAGER: Final = "cambist-control"
APPLY: Final = "application/apply-patch+yaml"
MERGE: Final = "application/merge-patch+json"
JSON: Final = "application/json"
_CONFLICT: Final = 409
_NOT_FOUND: Final = 404
_RETRY: Final = frozenset({408, 429, 500, 502, 503, 504})
_IN_CLUSTER: Final = "KUBERNETES_SERVICE_HOST"


async def connect(namespace: str, field_manager: str = FIELD_MANAGER) -> "Cluster":
    """A client by KUBECONFIG, else by the pod's service account."""
    configuration = Configuration()
    if os.environ.get("KUBECONFIG") or _IN_CLUSTER not in os.environ:
        await config.load_kube_config(client_configuration=configuration)
    else:
        config.load_incluster_config(  # type: ignore[no-untyped-call]
            client_configuration=configuration
        )
    # We retry ourselves.
    configuration.retries = None
    return Cluster(ApiClient(configuration), namespace, field_manager)


class Cluster:
    """The API server as seen from one namespace."""

    def __init__(
        self, client: ApiClient, namespace: str, field_manager: str = FIELD_MANAGER
    ) -> None:
        self._client = client
        self.namespace = namespace
        # Whose the fields are that this client writes.
        self.field_manager = field_manager

    async def close(self) -> None:
        """Closes connections."""
        await self._client.close()

    async def get(
        self, kind: Kind, name: str, *, timeout_seconds: float = limits.REQUEST_SECONDS
    ) -> Object:
        """One object. Raises NotFound, Unavailable."""
        path = kind.path(self.namespace, name)
        return await self._call("GET", path, timeout_seconds=timeout_seconds)

    async def list(self, kind: Kind, selector: str = "") -> list[Object]:
        """All objects of a kind, of labelled kinds only ours. Raises Unavailable."""
        found: list[Object] = []
        query = {"limit": str(limits.PAGE_OBJECTS)}
        if selector or kind in LABELLED:
            query["labelSelector"] = selector or CHAIN_LABEL
        for _ in range(limits.PAGES_MAX):
            page = await self._call("GET", kind.path(self.namespace), query=query)
            found += page["items"]
            token = page["metadata"].get("continue")
            if not token:
                return found
            query["continue"] = token
        raise Unavailable(f"more than {len(found)} {kind.plural}")

    async def apply(self, kind: Kind, wanted: Object) -> Object:
        """Server-side apply: fields of ours win over whoever wrote them before."""
        query = {"fieldManager": self.field_manager, "force": "true"}
        document = {"apiVersion": kind.api_version, "kind": kind.title, **wanted}
        path = kind.path(self.namespace, name_of(wanted))
        return await self._call("PATCH", path, document, query=query, content=APPLY)

    async def create(self, kind: Kind, document: Object, *, timeout_seconds: float) -> Object:
        """Creates an object. Raises Conflict when it is there."""
        whole = {"apiVersion": kind.api_version, "kind": kind.title, **document}
        path = kind.path(self.namespace)
        return await self._call("POST", path, whole, timeout_seconds=timeout_seconds)

    async def replace(self, kind: Kind, document: Object, *, timeout_seconds: float) -> Object:
        """Replaces an object that was read before. Raises Conflict when it changed since."""
        path = kind.path(self.namespace, name_of(document))
        return await self._call("PUT", path, document, timeout_seconds=timeout_seconds)

    async def patch(self, kind: Kind, name: str, change: Object, subresource: str = "") -> Object:
        """Merge patch; with `metadata.resourceVersion` inside it is refused as a Conflict."""
        query = {"fieldManager": self.field_manager}
        path = kind.path(self.namespace, name, subresource)
        return await self._call("PATCH", path, change, query=query, content=MERGE)

    async def delete(self, kind: Kind, name: str) -> None:
        """Deletes an object; what it owns goes after it. One that is gone already is fine."""
        with contextlib.suppress(NotFound):
            await self._call("DELETE", kind.path(self.namespace, name))

    async def scale(self, deployment: Object, replicas: int) -> None:
        """Writes `/scale` of a Deployment, unless it changed since it was read (Conflict)."""
        metadata = deployment["metadata"]
        change = {
            "metadata": {"resourceVersion": metadata["resourceVersion"]},
            "spec": {"replicas": replicas},
        }
        await self.patch(Kind.DEPLOYMENT, metadata["name"], change, "scale")

    async def _call(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        *,
        query: dict[str, str] | None = None,
        content: str = JSON,
        timeout_seconds: float = limits.REQUEST_SECONDS,
    ) -> Object:
        try:
            found: Any = await self._client.call_api(
                path,
                method,
                query_params=list((query or {}).items()),
                header_params={"Accept": JSON, "Content-Type": content},
                body=body,
                auth_settings=["BearerToken"],
                response_types_map={200: "object", 201: "object"},
                _return_http_data_only=True,
                _request_timeout=timeout_seconds,
            )
        except ApiException as error:
            raise refusal(error, f"{method} {path}") from None
        except (aiohttp.ClientConnectorError, ConnectionRefusedError) as error:
            raise Unavailable(f"{method} {path}: {error}") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            text = f"{method} {path}: {type(error).__name__} {error}"
            raise (Unavailable(text) if method == "GET" else Unknown(text)) from None
        answer: Object = found
        return answer


def refusal(error: ApiException, what: str) -> Exception:
    """Our error for an answer of the API server."""
    text = f"{what}: {error.status} {str(error.body)[: limits.NOTE_CHARACTERS_MAX]}"
    if error.status == _NOT_FOUND:
        return NotFound(text)
    if error.status == _CONFLICT:
        return Conflict("CONFLICT", text)
    if error.status in _RETRY:
        return Unavailable(text)
    return Rejected(str(error.reason), text)
