"""The venue's own authority: whom it vouches for, for how long, and when it does so anew."""

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from control.release import certificates
from control.release.certificates import AUTHORITY_LIFE, LEAF_LIFE

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
HOSTS = ("signer", "venue-signer")
AUTHORITY = certificates.make_authority(NOW)


def test_a_leaf_is_the_authoritys_and_holds_its_key_and_names() -> None:
    chain, key = certificates.issue(AUTHORITY, HOSTS, NOW)
    leaf = x509.load_pem_x509_certificate(chain)
    leaf.verify_directly_issued_by(AUTHORITY.certificate)
    private_key = serialization.load_pem_private_key(key, password=None)
    assert private_key.public_key() == leaf.public_key()
    assert certificates.hosts_of(leaf) == list(HOSTS)
    assert leaf.not_valid_after_utc == NOW + LEAF_LIFE
    assert leaf.not_valid_before_utc < NOW


def test_an_authority_is_read_back_as_it_was_written() -> None:
    read = certificates.read_authority(AUTHORITY.certificate_pem, AUTHORITY.private_key_pem)
    assert read.certificate == AUTHORITY.certificate
    with pytest.raises(ValueError, match="PEM"):
        certificates.read_authority(b"", AUTHORITY.private_key_pem)


def test_no_leaf_outlives_its_authority() -> None:
    late = NOW + AUTHORITY_LIFE - datetime.timedelta(days=10)
    chain, _ = certificates.issue(AUTHORITY, HOSTS, late)
    leaf = x509.load_pem_x509_certificate(chain)
    assert leaf.not_valid_after_utc == AUTHORITY.certificate.not_valid_after_utc


@pytest.mark.parametrize(
    ("days", "hosts", "is_of_this_authority", "reason"),
    [
        (0, HOSTS, True, ""),
        (549, HOSTS, True, ""),
        (551, HOSTS, True, "has lived two thirds of its life"),
        (900, HOSTS, True, "has lived two thirds of its life"),
        (0, ("signer",), True, "is for other names"),
        (0, HOSTS, False, "is another authority's"),
    ],
)
def test_a_leaf_is_renewed_for_a_reason(
    days: int, hosts: tuple[str, ...], is_of_this_authority: bool, reason: str
) -> None:
    chain, _ = certificates.issue(AUTHORITY, HOSTS, NOW)
    authority = AUTHORITY if is_of_this_authority else certificates.make_authority(NOW)
    later = NOW + datetime.timedelta(days=days)
    assert certificates.fault(chain, authority, hosts, later) == reason


def test_what_is_no_certificate_is_missing() -> None:
    for pem in (b"", b"rubbish"):
        assert certificates.fault(pem, AUTHORITY, HOSTS, NOW) == "is missing"
