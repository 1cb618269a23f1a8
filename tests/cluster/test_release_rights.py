"""Roles of the chart's Jobs grant exactly what these call, by the API server's own audit log.

Images cambist-SERVICE:TAG must be in the cluster. Pods of custody find no Secrets here and never
start: what is looked at are the Jobs before and after a release.
"""

import json
from typing import Any

import pytest
import yaml

from tests.cluster import audit
from tests.cluster.conftest import CHART
from tests.cluster.venue import HELM_SECONDS, SETTINGS, Venue, finish

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

VALUES: dict[str, Any] = {
    "credentials": {"mode": "job"},
    "wallets": {
        "enabled": True,
        "signer": {"secretName": "none", "seedsSecretName": "none"},
        "approver": {"secretName": "none", "keysSecretName": "none", "keyId": "one"},
        # Workers are looked at, and do not come up.
        "waitSeconds": 5,
    },
}


def market(number: int) -> dict[str, Any]:
    spec = {"base": "A", "quote": "B", "lotSizeAtoms": "1", "tickSizeAtoms": "1"}
    return {"name": f"market-{number}", "spec": {"marketId": 65_537 + number, **spec}}


def chain(number: int) -> dict[str, Any]:
    spec = {
        "chain": "ethereum",
        "network": f"net-{number}",
        "chainFileSecretRef": {"name": "none"},
        "nodes": [{"name": "a", "ports": [8545]}],
    }
    return {"name": f"chain-{number}", "spec": spec}


def release(venue: Venue, verb: str, count: int, host: str) -> str:
    """A release whose Job ends badly, because of the workers; what helm said."""
    wallets = {**VALUES["wallets"], "chains": [chain(number) for number in range(count)]}
    values = {
        **VALUES,
        "wallets": wallets,
        "markets": [market(number) for number in range(count)],
        "edge": {"hostNames": [host]},
    }
    command = ["helm", verb, "venue", str(CHART), *SETTINGS, "--namespace", venue.namespace]
    done = finish(*command, "--values", "-", text=json.dumps(values), seconds=HELM_SECONDS)
    return f"{done.stdout}{done.stderr}"


def roles(venue: Venue) -> dict[str, set[audit.Right]]:
    """Those of the release, hooks included, but the operator's: it has a test of its own."""
    text = "\n---\n".join(
        venue.helm("get", kind, "venue").partition("\n")[2] for kind in ("manifest", "hooks")
    )
    return {
        one["metadata"]["name"]: audit.granted(one["rules"])
        for one in yaml.safe_load_all(text)
        if one and one["kind"] == "Role" and one["metadata"]["name"] != "venue-control"
    }


def test_jobs_of_a_release_call_what_their_roles_grant_and_nothing_else(venue: Venue) -> None:
    audit.need_log()
    said = release(venue, "install", 2, "one.example.com")
    assert "workers of chain-1 are not up" in said, said
    # A leaf is made anew, and what is no longer among the values is deleted.
    said = release(venue, "upgrade", 1, "two.example.com")
    assert "Market market-1 is deleted" in said, said
    assert "WalletChain chain-1 is deleted" in said, said
    wanted = roles(venue)
    assert wanted.keys() == {"venue-apply", "venue-drain", "venue-credentials"}
    assert "kept: the seeds" in venue.helm("uninstall", "venue")
    called = {name: audit.used(audit.requests(venue.namespace, name)) for name in wanted}
    assert called == wanted
