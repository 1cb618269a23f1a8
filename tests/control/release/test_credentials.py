"""The Secret of credentials: what is missing is made, what is good is not touched."""

import datetime

from cryptography import x509

from control.release import certificates
from control.release.credentials import Leaf, completed

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
AUTHORITY = certificates.make_authority(NOW)
LEAVES = (Leaf("matching", ("matching", "localhost")), Leaf("edge", ("venue-edge",)))
TOKEN = {"token-secret": b"kept"}


def test_an_empty_secret_gets_everything() -> None:
    made, reasons = completed(TOKEN, AUTHORITY, LEAVES, NOW)
    assert set(made) == {
        "authority.pem",
        "edge.pem",
        "matching.key.pem",
        "matching.pem",
        "token-secret",
    }
    assert made["token-secret"] == b"kept"
    assert reasons == ["matching is missing", "edge is missing"]
    # HAProxy reads both from one file.
    assert b"BEGIN CERTIFICATE" in made["edge.pem"]
    assert b"BEGIN PRIVATE KEY" in made["edge.pem"]


def test_a_second_run_changes_nothing() -> None:
    first, _ = completed(TOKEN, AUTHORITY, LEAVES, NOW)
    assert completed(first, AUTHORITY, LEAVES, NOW) == (first, [])


def test_only_what_is_due_is_issued_anew_by_the_same_authority() -> None:
    first, _ = completed(TOKEN, AUTHORITY, LEAVES, NOW)
    later = NOW + datetime.timedelta(days=560)
    chain, key = certificates.issue(AUTHORITY, ("venue-edge",), later)
    fresh = {**first, "edge.pem": chain + key}
    second, reasons = completed(fresh, AUTHORITY, LEAVES, later)
    assert reasons == ["matching has lived two thirds of its life"]
    assert {name for name in second if second[name] != fresh[name]} == {
        "matching.pem",
        "matching.key.pem",
    }
    leaf = x509.load_pem_x509_certificate(second["matching.pem"])
    leaf.verify_directly_issued_by(AUTHORITY.certificate)


def test_a_certificate_whose_key_was_lost_is_issued_anew() -> None:
    first, _ = completed(TOKEN, AUTHORITY, LEAVES, NOW)
    del first["matching.key.pem"]
    second, reasons = completed(first, AUTHORITY, LEAVES, NOW)
    assert reasons == ["matching has no key"]
    assert second["matching.key.pem"]


def test_another_authority_replaces_all_that_the_old_one_issued() -> None:
    first, _ = completed(TOKEN, AUTHORITY, LEAVES, NOW)
    second, reasons = completed(first, certificates.make_authority(NOW), LEAVES, NOW)
    assert reasons == ["matching is another authority's", "edge is another authority's"]
    assert second["authority.pem"] != first["authority.pem"]
    assert second["token-secret"] == b"kept"
