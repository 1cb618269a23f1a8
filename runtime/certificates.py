"""Certificates of an authority of our own: what the one for development and a venue's own share.

Called by `development_certificates` and by the chart's Job of credentials. Time is passed in; it
writes no file and chooses no life.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# A machine whose clock is a little behind must accept a fresh certificate.
VALID_BEFORE: Final = datetime.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate and its private key: an authority's, a server's or a client's."""

    certificate: x509.Certificate
    private_key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        """What peers may see."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def private_key_pem(self) -> bytes:
        """Not encrypted."""
        return self.private_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


def make_authority(name: str, now: datetime.datetime, end: datetime.datetime) -> Certified:
    """A new one, which signs leaves only."""
    private_key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _begin(name, _name_of(name), private_key, now, end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private_key, hashes.SHA256())
    )
    return Certified(certificate, private_key)


def issue(
    authority: Certified,
    subject: str,
    names: Sequence[x509.GeneralName],
    now: datetime.datetime,
    end: datetime.datetime,
) -> Certified:
    """A new key and a certificate of it for these names."""
    private_key = ec.generate_private_key(ec.SECP256R1())
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    certificate = (
        _begin(subject, authority.certificate.subject, private_key, now, end)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(authority.private_key, hashes.SHA256())
    )
    return Certified(certificate, private_key)


def _begin(
    name: str,
    issuer: x509.Name,
    private_key: ec.EllipticCurvePrivateKey,
    now: datetime.datetime,
    end: datetime.datetime,
) -> x509.CertificateBuilder:
    """What authority and leaves share."""
    return (
        x509.CertificateBuilder()
        .subject_name(_name_of(name))
        .issuer_name(issuer)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - VALID_BEFORE)
        .not_valid_after(end)
    )


def _name_of(common_name: str) -> x509.Name:
    """A name that is a common name alone."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
