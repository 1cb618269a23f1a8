"""`postgres.serviceRoles`: services log in with rights on rows alone, migrations as the owner."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.settings import GatewaySettings
from matching.settings import MatchingSettings
from runtime.settings import Settings
from wallets.approver.settings import ApproverSettings
from wallets.settings import WalletSettings
from wallets.signer.settings import SignerSettings

CHART = Path(__file__).resolve().parent.parent.parent / "helm" / "cambist"
COMMAND_SECONDS = 60
ROLES = {
    name: {"name": f"cambist_{name}", "secretName": f"database-{name}"}
    for name in ("matching", "gateway", "wallets", "signer", "approver")
}
WALLETS = {
    "enabled": True,
    "signer": {"secretName": "signing", "seedsSecretName": "seeds"},
    "approver": {"secretName": "approving", "keysSecretName": "approver-keys", "keyId": "one"},
}
EXTERNAL = {"mode": "external", "external": {"secretName": "owner"}}
SETTINGS: dict[str, type[Settings]] = {
    "matching": MatchingSettings,
    "gateway": GatewaySettings,
    "wallets": WalletSettings,
    "wallets-signer": SignerSettings,
    "wallets-approver": ApproverSettings,
}
Container = dict[str, Any]

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(not shutil.which("helm"), reason="no helm on the path"),
]


def template(postgres: object) -> subprocess.CompletedProcess[str]:
    values = {"postgres": postgres, "wallets": WALLETS}
    return subprocess.run(
        [
            *("helm", "template", "venue", str(CHART), "--kube-version", "1.35.0"),
            *("--values", "-"),
        ],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_SECONDS,
    )


def render(postgres: object) -> list[dict[str, Any]]:
    done = template(postgres)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def containers(documents: list[dict[str, Any]]) -> Iterator[tuple[str, Container]]:
    """All, with the object's name; workers as the operator will make them."""
    for document in documents:
        name = document["metadata"]["name"]
        if document["kind"] in ("Deployment", "StatefulSet", "Job", "Pod"):
            spec = document["spec"]
            spec = spec if document["kind"] == "Pod" else spec["template"]["spec"]
            for container in [*spec.get("initContainers", []), *spec["containers"]]:
                yield name, container
        elif name == "venue-workers":
            laid_over = yaml.safe_load(document["data"]["template.yaml"])
            for container in laid_over["spec"]["containers"]:
                yield name, container


def secrets_of(container: Container) -> set[str]:
    """Secrets with a DSN."""
    return {
        entry["valueFrom"]["secretKeyRef"]["name"]
        for entry in container.get("env", [])
        if "DSN" in entry["name"] and "valueFrom" in entry
    }


def job_containers(documents: list[dict[str, Any]]) -> list[Container]:
    return [one for name, one in containers(documents) if name == "venue-migrate-1"]


def test_only_migrations_are_the_owner_and_each_service_has_a_role_of_its_own() -> None:
    found: dict[str, set[str]] = {}
    for name, container in containers(render({**EXTERNAL, "serviceRoles": ROLES})):
        found.setdefault(name, set()).update(secrets_of(container))
    matching = {"venue-matching-1", "venue-projector-1", "venue-snapshotter-1"}
    assert {name: used for name, used in found.items() if used} == {
        "venue-migrate-1": {"owner"},
        **{name: {"database-matching"} for name in matching},
        **{name: {"database-gateway"} for name in ("venue-gateway", "venue-test-trade")},
        **{name: {"database-wallets"} for name in ("venue-custody", "venue-workers")},
        "venue-signer": {"database-signer"},
        "venue-approver": {"database-approver"},
    }


def test_each_migration_accepts_the_role_that_it_gives_rights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = job_containers(render({**EXTERNAL, "serviceRoles": ROLES}))
    told = {}
    for container in found:
        if container["name"] in SETTINGS:
            with monkeypatch.context() as patch:
                for entry in container["env"]:
                    patch.setenv(entry["name"], entry.get("value", "x" * 48))
                settings = SETTINGS[container["name"]].load()
            told[container["name"]] = settings.model_dump()["postgres"]["service_role"]
    assert told == {
        name: f"cambist_{name.removeprefix('wallets-')}" for name in sorted(told, key=str)
    }
    assert told.keys() == SETTINGS.keys()


def test_services_without_a_named_role_are_the_owner_as_before() -> None:
    documents = render({**EXTERNAL, "serviceRoles": {"signer": ROLES["signer"]}})
    used = {name: secrets_of(one) for name, one in containers(documents) if secrets_of(one)}
    assert used.pop("venue-signer") == {"database-signer"}
    assert set.union(*used.values()) == {"owner"}
    told = [entry["name"] for one in job_containers(documents) for entry in one["env"]]
    assert [name for name in told if "SERVICE_ROLE" in name] == [
        "CAMBIST_SIGNER_POSTGRES_SERVICE_ROLE"
    ]


def test_roles_are_made_before_the_migrations_where_the_database_is_the_charts_own() -> None:
    names = [one["name"] for one in job_containers(render({"serviceRoles": ROLES}))]
    assert names.index("database") < names.index("roles") < names.index("matching")
    for postgres in ({}, {**EXTERNAL, "serviceRoles": ROLES}):
        assert "roles" not in [one["name"] for one in job_containers(render(postgres))]
    documents = render({"mode": "cnpg", "serviceRoles": ROLES})
    (cluster,) = (one for one in documents if one["kind"] == "Cluster")
    made = {
        one["name"]: one["passwordSecret"]["name"] for one in cluster["spec"]["managed"]["roles"]
    }
    assert made == {one["name"]: one["secretName"] for one in ROLES.values()}


@pytest.mark.parametrize(
    ("roles", "words"),
    [
        ({"gateway": {"name": "cambist"}}, "serviceRoles.gateway.secretName names the Secret"),
        ({"gateway": {"name": "drop table"}}, "postgres/serviceRoles/gateway/name"),
        ({"projector": {"name": "a", "secretName": "b"}}, "projector"),
        (
            {
                "gateway": {"name": "one", "secretName": "a"},
                "matching": {"name": "one", "secretName": "b"},
            },
            "the role one has one Secret",
        ),
    ],
)
def test_a_role_that_is_not_told_well_is_refused_by_name(roles: object, words: str) -> None:
    done = template({**EXTERNAL, "serviceRoles": roles})
    assert done.returncode != 0
    assert words in done.stderr or words.replace("/", ".") in done.stderr
