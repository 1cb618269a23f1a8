"""Watches and the admission webhook by kopf, in a thread and an event loop of their own.

Stopping kopf cancels tasks of its loop that are not its own, so it gets a loop where nothing of
ours runs; what it hears is handed over with `call_soon_threadsafe`. Only event handlers are used:
no finalizers, no annotations, no status. The thread is started anew when its watches stall.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, Final

import kopf

from control.cluster.kinds import CACHED, CHAIN_LABEL, LABELLED, Kind, Object
from runtime import logs

LOGGER = logs.get(__name__)
DELETED: Final = "DELETED"
# Hears kind, whether the object went, and the object, on the loop of the process.
Hear = Callable[[Kind, bool, Object], None]
# Why a new or changed object is refused; empty = it is not.
Judge = Callable[[Kind, Object], str]
JOIN_SECONDS: Final = 5.0


class Watching:
    """One run of kopf's operator."""

    def __init__(
        self,
        namespace: str,
        lease_name: str,
        hear: Hear,
        *,
        judge: Judge,
        webhook: kopf.WebhookServer | None,
    ) -> None:
        self._namespace: Final = namespace
        self._loop: Final = asyncio.get_running_loop()
        self._hear: Final = hear
        self._judge: Final = judge
        self._webhook: Final = webhook
        self._stop: Final = threading.Event()
        self._registry: Final = kopf.OperatorRegistry()
        self._settings: Final = watch_settings(lease_name, webhook)
        self._register(lease_name)
        self._thread: Final = threading.Thread(target=self._run, name="kopf", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether the thread lives."""
        return self._thread.is_alive()

    async def stop(self, timeout_seconds: float = JOIN_SECONDS) -> None:
        """Ends the thread; one that does not end in time is left behind (it is a daemon)."""
        self._stop.set()
        await asyncio.to_thread(self._thread.join, timeout_seconds)

    def _register(self, lease_name: str) -> None:
        registry = self._registry
        kopf.on.login(registry=registry, errors=kopf.ErrorsMode.PERMANENT)(login)
        for kind in CACHED:
            labels = {CHAIN_LABEL: kopf.PRESENT} if kind in LABELLED else None
            kopf.on.event(*selector_of(kind), registry=registry, labels=labels, id=kind.title)(
                self._handler(kind)
            )

        def is_ours(*, name: str | None, **_: Any) -> bool:
            return name == lease_name

        # The Lease changes every second while someone leads: its silence tells a stalled watch.
        kopf.on.event(*selector_of(Kind.LEASE), registry=registry, when=is_ours, id="lease")(
            self._handler(Kind.LEASE)
        )
        if self._webhook is not None:
            kind = Kind.WALLET_CHAIN
            kopf.on.validate(
                *selector_of(kind), registry=registry, id="walletchains", operation="CREATE"
            )(self._validator(kind))

    def _handler(self, kind: Kind) -> Callable[..., None]:
        def handle(*, event: Any, **_: Any) -> None:
            gone = event["type"] == DELETED
            self._loop.call_soon_threadsafe(self._hear, kind, gone, dict(event["object"]))

        return handle

    def _validator(self, kind: Kind) -> Callable[..., None]:
        def validate(*, body: Any, **_: Any) -> None:
            fault = self._judge(kind, dict(body))
            if fault:
                raise kopf.AdmissionError(fault, code=409)

        return validate

    def _run(self) -> None:
        try:
            asyncio.run(
                kopf.operator(
                    registry=self._registry,
                    settings=self._settings,
                    standalone=True,
                    namespaces=[self._namespace],
                    stop_flag=self._stop,
                )
            )
        except Exception:
            # Resync sees the dead thread and starts another.
            LOGGER.exception("watches ended")


def watch_settings(lease_name: str, webhook: kopf.WebhookServer | None) -> kopf.OperatorSettings:
    """kopf, told to write nothing and to look at nothing outside the namespace."""
    settings = kopf.OperatorSettings()
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.admission.managed = None
    settings.admission.server = webhook
    settings.watching.connect_timeout = 5
    settings.watching.server_timeout = 240
    settings.watching.client_timeout = 270
    settings.networking.request_timeout = 10
    for kind in LABELLED:
        settings.watching.label_selectors[selector_of(kind)] = CHAIN_LABEL
    settings.watching.field_selectors[selector_of(Kind.LEASE)] = f"metadata.name={lease_name}"
    return settings


def selector_of(kind: Kind) -> tuple[str, str, str]:
    """Group (empty for the core group), version, plural."""
    group, _, version = kind.api_version.rpartition("/")
    return (group, version, kind.plural)


async def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
    """Credentials of the pod, else of KUBECONFIG."""
    return kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)
