"""What accounts really called, by the API server's own audit log, beside what roles grant them.

Needs a cluster that writes one (CLUSTER_AUDIT=1 of the one-node cluster), named by
CAMBIST_AUDIT_LOG.
"""

import json
import os
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

# Group, resource (with a subresource), verb.
Right = tuple[str, str, str]


def need_log() -> None:
    """Skips a test where there is none."""
    if "CAMBIST_AUDIT_LOG" not in os.environ:
        pytest.skip("no audit log: set CAMBIST_AUDIT_LOG")


def granted(rules: Iterable[dict[str, Any]]) -> set[Right]:
    """What the rules of a role allow."""
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def requests(namespace: str, account: str) -> Iterator[dict[str, Any]]:
    """Finished requests of a service account about objects."""
    user = f"system:serviceaccount:{namespace}:{account}"
    for line in Path(os.environ["CAMBIST_AUDIT_LOG"]).read_text().splitlines():
        entry = json.loads(line)
        # Whoever could not be told has no name.
        if entry["user"].get("username") == user and "objectRef" in entry:
            yield entry


def used(entries: Iterable[dict[str, Any]]) -> set[Right]:
    """The rights that the requests needed. Fails when one was refused."""
    seen = list(entries)
    refused = [
        entry["requestURI"]
        for entry in seen
        if entry["responseStatus"]["code"] == HTTPStatus.FORBIDDEN
    ]
    assert refused == []
    return {right for entry in seen for right in rights_of(entry)}


def rights_of(entry: dict[str, Any]) -> set[Right]:
    """What one request needs."""
    about = entry["objectRef"]
    parts = [about["resource"], about.get("subresource", "")]
    resource = "/".join(part for part in parts if part)
    group, verb = about.get("apiGroup", ""), entry["verb"]
    found = {(group, resource, verb)}
    # An apply that makes the object needs the right to create as well.
    if verb == "patch" and entry.get("responseStatus", {}).get("code") == HTTPStatus.CREATED:
        found.add((group, resource, "create"))
    return found
