"""The venue's own authority and the certificates it issues, as PEM.

Called by the Job of credentials. An authority lives ten years and is never replaced by itself,
since whoever trusts it must learn of another; leaves are issued anew at two thirds of their life.
Time is passed in.
"""

import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from runtime import certificates
from runtime.certificates import Certified

AUTHORITY_NAME: Final = "Cambist venue authority"
AUTHORITY_LIFE: Final = datetime.timedelta(days=3650)
LEAF_LIFE: Final = datetime.timedelta(days=825)


def make_authority(now: datetime.datetime) -> Certified:
    """A new one."""
    return certificates.make_authority(AUTHORITY_NAME, now, now + AUTHORITY_LIFE)


def read_authority(certificate_pem: bytes, private_key_pem: bytes) -> Certified:
    """One that was made here. Raises ValueError."""
    private_key = serialization.load_pem_private_key(private_key_pem, password=None)
    if not isinstance(private_key, ec.EllipticCurvePrivateKey):
        raise ValueError("not a key of an elliptic curve")  # noqa: TRY004 - it is bad content
    return Certified(x509.load_pem_x509_certificate(certificate_pem), private_key)


def issue(
    authority: Certified, hosts: tuple[str, ...], now: datetime.datetime
) -> tuple[bytes, bytes]:
    """Certificate and private key for DNS names, of which the first is the subject."""
    end = min(now + LEAF_LIFE, authority.certificate.not_valid_after_utc)
    names = [x509.DNSName(host) for host in hosts]
    leaf = certificates.issue(authority, hosts[0], names, now, end)
    return leaf.certificate_pem, leaf.private_key_pem


def fault(pem: bytes, authority: Certified, hosts: tuple[str, ...], now: datetime.datetime) -> str:
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
