"""Looks at the certificate that the edge shows to clients, for the gauge of certificates' lives.

Run by every replica. The edge itself tells nobody when its certificate ends. Nothing is sent and
nothing is trusted: who shows what is all that is asked, and an edge that does not answer is news
for other alerts.
"""

import asyncio
import contextlib
import ssl
from typing import Final

from cryptography import x509

from control import limits
from runtime import logs
from runtime.certificate_life import CertificateLife

LOGGER: Final = logs.get(__name__)
# As the files of certificates are called.
LABEL: Final = "edge"


async def shown_end_seconds(address: str) -> float:
    """When the certificate shown at "host:port" ends, since 1970.

    Raises OSError (also TimeoutError and ssl.SSLError), or ValueError for a certificate that
    cannot be read.
    """
    host, _, port = address.rpartition(":")
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    async with asyncio.timeout(limits.EDGE_SECONDS):
        _, writer = await asyncio.open_connection(host, int(port), ssl=context)
        try:
            shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
    return x509.load_der_x509_certificate(shown).not_valid_after_utc.timestamp()


async def watch(
    address: str, life: CertificateLife, interval_seconds: float = limits.EDGE_INTERVAL_SECONDS
) -> None:
    """Looks for ever; without an address not at all."""
    while address:
        try:
            life.ends_seconds[LABEL] = await shown_end_seconds(address)
        except (OSError, ValueError) as error:
            LOGGER.warning("no certificate of the edge was seen", address=address, error=str(error))
        await asyncio.sleep(interval_seconds)
