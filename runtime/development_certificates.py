"""An authority and certificates for development and tests; never for production.

Makes PEM files on disk, valid for localhost and 127.0.0.1. Called by the demo, by `make run` and
by tests; needs the library `cryptography`.
"""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from runtime.settings import TlsSettings

VALID_FOR: Final = datetime.timedelta(days=30)
# A machine whose clock is a little behind must accept a fresh certificate.
VALID_BEFORE: Final = datetime.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class DevelopmentAuthority:
    """A certificate authority that lives in a folder."""

    folder: Path
    certificate: x509.Certificate
    private_key: ec.EllipticCurvePrivateKey

    @property
    def authority_file(self) -> str:
        """What clients trust."""
        return str(self.folder / "authority.pem")

    def issue(self, name: str, now: datetime.datetime) -> TlsSettings:
        """A certificate for `name` on this machine; settings of a server that wants no client's."""
        private_key = ec.generate_private_key(ec.SECP256R1())
        names = [
            x509.DNSName("localhost"),
            x509.DNSName(name),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        ]
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        certificate = (
            start_certificate(name, self.certificate.subject, private_key, now)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(self.private_key, hashes.SHA256())
        )
        return TlsSettings(
            certificate_file=write_certificate(self.folder / f"{name}.pem", certificate),
            private_key_file=write_private_key(self.folder / f"{name}.key.pem", private_key),
        )


def make_authority(folder: Path, now: datetime.datetime) -> DevelopmentAuthority:
    """Makes a new authority in `folder`; `now` is the start of its validity."""
    folder.mkdir(parents=True, exist_ok=True)
    private_key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cambist development authority")])
    certificate = (
        start_certificate("cambist development authority", name, private_key, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private_key, hashes.SHA256())
    )
    write_certificate(folder / "authority.pem", certificate)
    return DevelopmentAuthority(folder, certificate, private_key)


def start_certificate(
    name: str, issuer: x509.Name, private_key: ec.EllipticCurvePrivateKey, now: datetime.datetime
) -> x509.CertificateBuilder:
    """What all our certificates share."""
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - VALID_BEFORE)
        .not_valid_after(now + VALID_FOR)
    )


def write_certificate(path: Path, certificate: x509.Certificate) -> str:
    """Writes PEM and returns the file's name."""
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return str(path)


def write_private_key(path: Path, private_key: ec.EllipticCurvePrivateKey) -> str:
    """Writes PEM that only the owner can read and returns the file's name."""
    path.touch(mode=0o600)
    path.write_bytes(
        private_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(path)
