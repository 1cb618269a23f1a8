"""The admission webhook refuses a second WalletChain of one chain and network when it is made."""

import copy
import datetime
import json
import ssl
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from runtime.development_certificates import make_authority
from tests.cluster.operator.conftest import CHAIN, Venue
from tests.cluster.operator.waiting import free_port, until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]


def review(document: dict[str, Any]) -> bytes:
    resource = {"group": "cambist.dev", "version": "v1alpha1", "resource": "walletchains"}
    request = {
        "uid": "1",
        "kind": {"group": "cambist.dev", "version": "v1alpha1", "kind": "WalletChain"},
        "resource": resource,
        "requestKind": None,
        "requestResource": resource,
        "operation": "CREATE",
        "name": document["metadata"]["name"],
        "namespace": "any",
        "userInfo": {"username": "someone", "uid": "2", "groups": []},
        "object": document,
        "oldObject": None,
        "dryRun": False,
    }
    whole = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    return json.dumps(whole).encode()


def test_a_second_resource_of_a_chain_is_refused_by_name(venue: Venue, tmp_path: Path) -> None:
    now = datetime.datetime.now(datetime.UTC)
    authority = make_authority(tmp_path / "certificates", now)
    issued = authority.issue("control", now)
    port = free_port()
    venue.start(
        WEBHOOK_PORT=str(port),
        WEBHOOK_CERTIFICATE_FILE=issued.certificate_file,
        WEBHOOK_PRIVATE_KEY_FILE=issued.private_key_file,
    )
    venue.kubectl.apply(CHAIN)
    until(lambda: venue.replicas() == 1)

    def ask(document: dict[str, Any]) -> dict[str, Any]:
        context = ssl.create_default_context(cafile=authority.authority_file)
        request = urllib.request.Request(
            f"https://127.0.0.1:{port}/walletchains",
            review(document),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, context=context, timeout=10) as answer:
            found: dict[str, Any] = json.loads(answer.read())["response"]
        return found

    twin = copy.deepcopy(CHAIN)
    twin["metadata"]["name"] = "twin"
    refused = ask(twin)
    assert refused["allowed"] is False
    assert "WalletChain btc" in refused["status"]["message"]
    twin["spec"]["network"] = "testnet4"
    assert ask(twin)["allowed"] is True
