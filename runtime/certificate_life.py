"""How long the certificates that a process uses still live: a gauge that is read with the metrics.

Called by services when they start. A server looks at its files again (`runtime.tls`), so they are
read each time; a channel keeps what it read when it was opened, so its files count as they were
then. What cannot be read keeps its last figure: this tells, and never ends a process.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography import x509
from opentelemetry.metrics import CallbackOptions, Meter, Observation

from runtime.clock import NANOSECONDS_PER_SECOND, Clock
from runtime.settings import TlsSettings

NAME: Final = "cambist.tls.certificate.life"


def first_end_seconds(content: bytes) -> float:
    """When the first certificate of a PEM file ends, since 1970. Raises ValueError."""
    certificates = x509.load_pem_x509_certificates(content)
    return min(one.not_valid_after_utc.timestamp() for one in certificates)


def last_end_seconds(content: bytes) -> float:
    """When the last one ends: while an authority is replaced, its file holds two."""
    certificates = x509.load_pem_x509_certificates(content)
    return max(one.not_valid_after_utc.timestamp() for one in certificates)


@dataclass(slots=True)
class CertificateLife:
    """Files of one process and when each ends."""

    clock: Clock
    servers: Sequence[TlsSettings] = ()
    ends_seconds: dict[str, float] = field(default_factory=dict)

    def read(self, settings: TlsSettings) -> None:
        """Notes when the named files end; those that are not there or no PEM are left as before."""
        for name, end_of in (
            (settings.certificate_file, first_end_seconds),
            (settings.authority_file, last_end_seconds),
        ):
            if name:
                try:
                    self.ends_seconds[Path(name).name] = end_of(Path(name).read_bytes())
                except (OSError, ValueError):
                    continue

    def observe(self, _: CallbackOptions) -> Iterable[Observation]:
        """Seconds left, by file; below zero = it has ended."""
        for settings in self.servers:
            self.read(settings)
        now_seconds = self.clock.wall_ns() / NANOSECONDS_PER_SECOND
        return [
            Observation(end_seconds - now_seconds, {"file": name})
            for name, end_seconds in sorted(self.ends_seconds.items())
        ]


def measure(
    meter: Meter,
    clock: Clock,
    *,
    servers: Sequence[TlsSettings] = (),
    channels: Sequence[TlsSettings] = (),
) -> CertificateLife:
    """Makes the gauge; further ends may be noted in what it gives back."""
    life = CertificateLife(clock, servers)
    for settings in (*channels, *servers):
        life.read(settings)
    meter.create_observable_gauge(NAME, [life.observe], unit="s")
    return life
