"""The venue's own authority and the certificates it issues, as PEM.

Called by the Job of credentials. An authority lives ten years and is never replaced by itself,
since whoever trusts it must learn of another; leaves are issued anew at two thirds of their life.
Time is passed in.
"""

import datetime
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_NAME: Final = "Cambist venue authority"
AUTHORITY_LIFE: Final = datetime.timedelta(days=3650)
LEAF_LIFE: Final = datetime.timedelta(days=825)
# A machine whose clock is a little behind must accept a fresh certificate.
VALID_BEFORE: Final = datetime.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Authority:
    """Who issues."""

    certificate: x509.Certificate
    private_key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        """What clients trust."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def private_key_pem(self) -> bytes:
        """What nobody but the Job may read."""
        return key_pem(self.private_key)


def make_authority(now: datetime.datetime) -> Authority:
    """A new one."""
    private_key = ec.generate_private_key(ec.SECP256R1())
    issuer = name_of(AUTHORITY_NAME)
    certificate = (
        begin(AUTHORITY_NAME, issuer, private_key, now, now + AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private_key, hashes.SHA256())
    )
    return Authority(certificate, private_key)


def read_authority(certificate_pem: bytes, private_key_pem: bytes) -> Authority:
    """One that was made here. Raises ValueError."""
    private_key = serialization.load_pem_private_key(private_key_pem, password=None)
    if not isinstance(private_key, ec.EllipticCurvePrivateKey):
        raise ValueError("not a key of an elliptic curve")  # noqa: TRY004 - it is bad content
    return Authority(x509.load_pem_x509_certificate(certificate_pem), private_key)


def issue(
    authority: Authority, hosts: tuple[str, ...], now: datetime.datetime
) -> tuple[bytes, bytes]:
    """Certificate and private key for DNS names, of which the first is the subject."""
    private_key = ec.generate_private_key(ec.SECP256R1())
    end = min(now + LEAF_LIFE, authority.certificate.not_valid_after_utc)
    names = [x509.DNSName(host) for host in hosts]
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    certificate = (
        begin(hosts[0], authority.certificate.subject, private_key, now, end)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(authority.private_key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM), key_pem(private_key)


def fault(pem: bytes, authority: Authority, hosts: tuple[str, ...], now: datetime.datetime) -> str:
    """Why a certificate must be issued anew; empty = it is good."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError:
        return "is missing"
    try:
        certificate.verify_directly_issued_by(authority.certificate)
    except (InvalidSignature, TypeError, ValueError):
        return "is another authority's"
    if set(hosts_of(certificate)) != set(hosts):
        return "is for other names"
    return "has lived two thirds of its life" if is_due(certificate, now) else ""


def is_due(certificate: x509.Certificate, now: datetime.datetime) -> bool:
    """Whether two thirds of its life are over."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return now >= begins + (ends - begins) * 2 / 3


def hosts_of(certificate: x509.Certificate) -> list[str]:
    """DNS names in a certificate."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return extension.value.get_values_for_type(x509.DNSName)


def begin(
    name: str,
    issuer: x509.Name,
    private_key: ec.EllipticCurvePrivateKey,
    now: datetime.datetime,
    end: datetime.datetime,
) -> x509.CertificateBuilder:
    """What authority and leaves share."""
    return (
        x509.CertificateBuilder()
        .subject_name(name_of(name))
        .issuer_name(issuer)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - VALID_BEFORE)
        .not_valid_after(end)
    )


def name_of(common_name: str) -> x509.Name:
    """A name that is a common name alone."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def key_pem(private_key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key, not encrypted."""
    return private_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
