"""TLS credentials for servers and channels from the PEM files that settings name.

A server looks at its files again when a client connects, so a rotated certificate is used without
a restart. A channel reads its files once: grpcio cannot reload them; reopen the channel.
"""

from dataclasses import dataclass
from pathlib import Path

import grpc

from runtime.errors import ConfigurationError
from runtime.settings import TlsSettings


@dataclass(frozen=True, slots=True)
class PemFiles:
    """Contents of one end's files; None where none is named."""

    certificate: bytes | None
    private_key: bytes | None
    authority: bytes | None

    @classmethod
    def read(cls, settings: TlsSettings) -> "PemFiles":
        """Reads the named files; raises ConfigurationError that names a missing one."""
        if bool(settings.certificate_file) != bool(settings.private_key_file):
            raise ConfigurationError("TLS needs both a certificate file and a private key file")
        return cls(
            read_pem(settings.certificate_file),
            read_pem(settings.private_key_file),
            read_pem(settings.authority_file),
        )


def read_pem(name: str) -> bytes | None:
    """A file's content, None for an empty name."""
    if not name:
        return None
    try:
        content = Path(name).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"TLS file {name}: {error.strerror}") from error
    if b"-----BEGIN " not in content:
        raise ConfigurationError(f"TLS file {name} is not PEM")
    return content


def changed_at(settings: TlsSettings) -> tuple[int, ...]:
    """Modification times of the files, in nanoseconds."""
    names = (settings.certificate_file, settings.private_key_file, settings.authority_file)
    return tuple(Path(name).stat().st_mtime_ns for name in names if name)


def server_credentials(settings: TlsSettings) -> grpc.ServerCredentials | None:
    """Credentials of a server, or None for plain text.

    With an authority file a client certificate that chains to it is demanded.
    """
    if not settings.certificate_file and not settings.private_key_file:
        return None
    initial = server_configuration(settings)
    seen = changed_at(settings)

    def fetch() -> grpc.ServerCertificateConfiguration | None:
        """New certificates, or None to keep the present ones; called for each connection."""
        nonlocal seen
        try:
            now = changed_at(settings)
            if now == seen:
                return None
            fresh = server_configuration(settings)
        except (OSError, ConfigurationError):
            # Files are being replaced: keep what works, look again at the next connection.
            return None
        seen = now
        return fresh

    return grpc.dynamic_ssl_server_credentials(
        initial,
        fetch,  # type: ignore[arg-type]  # None is documented and means: keep the present ones
        require_client_authentication=bool(settings.authority_file),
    )


def server_configuration(settings: TlsSettings) -> grpc.ServerCertificateConfiguration:
    """One reading of a server's files."""
    files = PemFiles.read(settings)
    assert files.private_key is not None
    assert files.certificate is not None
    return grpc.ssl_server_certificate_configuration(
        [(files.private_key, files.certificate)], root_certificates=files.authority
    )


def channel_credentials(settings: TlsSettings) -> grpc.ChannelCredentials | None:
    """Credentials of a channel, or None for plain text (no file named)."""
    files = PemFiles.read(settings)
    if files == PemFiles(None, None, None):
        return None
    return grpc.ssl_channel_credentials(
        root_certificates=files.authority,
        private_key=files.private_key,
        certificate_chain=files.certificate,
    )
