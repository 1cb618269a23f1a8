"""What runs before and after a release: the chart's Jobs, their rights and what they are told."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from cambist.kubectl.report import KINDS as REPORTED
from control.cluster.kinds import Kind
from control.release import __main__ as release
from control.release import resources
from control.settings import ControlSettings
from tests.chart.test_renders import pod_specs, render, template

VALUES = Path(__file__).resolve().parent / "values"
EVERYTHING = ("--values", str(VALUES / "everything.yaml"))
OPERATORS = ("--values", str(VALUES / "operators.yaml"))
JOBS = ("venue-apply", "venue-credentials", "venue-drain")
HOOKS = {
    "venue-apply": "post-install,post-upgrade",
    "venue-credentials": "pre-install,pre-upgrade",
    "venue-drain": "pre-delete",
}

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(not shutil.which("helm"), reason="no helm on the path"),
]

Found = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def everything() -> Found:
    return {(one["kind"], one["metadata"]["name"]): one for one in render(*EVERYTHING)}


@pytest.mark.parametrize("name", JOBS)
def test_a_job_is_a_hook_with_an_account_and_a_role_of_its_own(
    name: str, everything: Found
) -> None:
    job = everything["Job", name]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == HOOKS[name]
    pod = job["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == name
    (subject,) = everything["RoleBinding", name]["subjects"]
    assert (subject["kind"], subject["name"]) == ("ServiceAccount", name)
    for rule in everything["Role", name]["rules"]:
        assert "*" not in (*rule["verbs"], *rule["resources"], *rule["apiGroups"])
    # It may reach the API server, and nothing of the venue.
    labels = job["spec"]["template"]["metadata"]["labels"]
    opened = [
        one["spec"]["egress"]
        for (kind, _), one in everything.items()
        if kind == "NetworkPolicy"
        and one["spec"]["podSelector"].get("matchLabels", {}).items() <= labels.items()
        and "matchExpressions" not in one["spec"]["podSelector"]
        and "app.kubernetes.io/component" in one["spec"]["podSelector"]["matchLabels"]
    ]
    assert opened == [[{"ports": [{"port": 443}, {"port": 6443}]}]]


@pytest.mark.parametrize("name", JOBS)
def test_a_job_accepts_what_it_is_told(
    name: str, everything: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    (container,) = everything["Job", name]["spec"]["template"]["spec"]["containers"]
    for entry in container["env"]:
        monkeypatch.setenv(entry["name"], entry.get("value", "venue"))
    operator = everything["Deployment", "venue-control"]["spec"]["template"]["spec"]
    told = {one["name"]: one.get("value") for one in operator["containers"][0]["env"]}
    settings = ControlSettings.load()
    # The operator makes workers of the image that the Job waits for.
    assert settings.worker.image == told["CAMBIST_CONTROL_WORKER_IMAGE"]
    assert settings.worker.tag == told["CAMBIST_CONTROL_WORKER_TAG"]
    arguments = [one.replace("/resources/resources", str(VALUES)) for one in container["args"]]
    command = release.main.commands[arguments[0]]
    if arguments[0] == "apply":
        # The file is mounted in the cluster alone.
        result = CliRunner().invoke(release.main, arguments)
        assert "is a directory" in result.output
    else:
        context = command.make_context(arguments[0], arguments[1:], obj=settings)
        assert context.params["release"] == "venue"


def test_the_job_reads_the_markets_and_chains_of_the_values(everything: Found) -> None:
    text = everything["ConfigMap", "venue-apply"]["data"]["resources"]
    found = resources.read(text, "venue")
    assert [(kind, one["metadata"]["name"]) for kind, one in found] == [
        (Kind.MARKET, "eth-usdt"),
        (Kind.WALLET_CHAIN, "eth"),
    ]
    assert not [kind for kind, _ in everything if kind in ("Market", "WalletChain")]


def test_nothing_is_applied_where_nothing_is_asked_for() -> None:
    assert "Job/venue-apply" not in {f"{one['kind']}/{one['metadata']['name']}" for one in render()}
    refused = template(*EVERYTHING, "--set", "control.enabled=false,wallets.enabled=false")
    assert refused.returncode != 0


def test_an_uninstall_says_which_secrets_must_not_be_lost(everything: Found) -> None:
    (container,) = everything["Job", "venue-drain"]["spec"]["template"]["spec"]["containers"]
    lines = "\n".join(container["args"])
    for name in ("seeds", "signing", "approver-keys", "approving", "database", "venue-authority"):
        assert re.search(rf"\b{name}\b", lines), name
    assert "loses the coins" in lines


def test_the_job_of_credentials_makes_all_that_is_mounted(everything: Found) -> None:
    assert ("Secret", "venue-credentials") not in everything
    (container,) = everything["Job", "venue-credentials"]["spec"]["template"]["spec"]["containers"]
    leaves = {one.partition("=")[0] for one in container["args"] if "=" in one}
    made = {"token-secret", "authority.pem", *(f"{leaf}.pem" for leaf in leaves)}
    made |= {f"{leaf}.key.pem" for leaf in leaves - {"edge"}}
    mounted = {
        item["key"]
        for (kind, _), one in everything.items()
        if kind in ("Deployment", "StatefulSet", "Pod")
        for volume in one["spec"].get("template", one)["spec"]["volumes"]
        if volume.get("secret", {}).get("secretName") == "venue-credentials"
        for item in volume["secret"]["items"]
    }
    assert mounted <= made
    # The authority's key is nobody's but the Job's.
    for (kind, name), one in everything.items():
        if kind in ("Deployment", "StatefulSet", "Job", "Pod"):
            assert "secretName: venue-authority" not in yaml.safe_dump(one), name


def test_with_argo_cd_nothing_is_made_by_helm_and_migrations_run_at_each_sync() -> None:
    documents = render(*OPERATORS)
    assert not [one for one in documents if one["kind"] == "Secret"]
    found = {(one["kind"], one["metadata"]["name"]): one for one in documents}
    annotations = found["Job", "venue-migrate-1"]["metadata"]["annotations"]
    assert annotations["argocd.argoproj.io/hook"] == "Sync"
    database = found["Cluster", "venue-database"]["metadata"]["annotations"]
    wave = "argocd.argoproj.io/sync-wave"
    assert int(database[wave]) < int(annotations[wave]) < 0
    # Certificates are cert-manager's; the Job makes the token secret alone.
    assert (
        "--leaf"
        not in found["Job", "venue-credentials"]["spec"]["template"]["spec"]["containers"][0][
            "args"
        ]
    )


def test_the_plugins_role_covers_what_a_report_lists(everything: Found) -> None:
    rules = everything["Role", "venue-kubectl-cambist"]["rules"]
    listed = {name for rule in rules if "list" in rule["verbs"] for name in rule["resources"]}
    assert set(REPORTED) == listed
    assert "secrets" not in json.dumps(rules)


def test_roles_of_the_cluster_carry_the_namespace_in_their_names(everything: Found) -> None:
    roles = {name: one for (kind, name), one in everything.items() if kind == "ClusterRole"}
    assert set(roles) == {f"default-venue-{role}" for role in ("view", "edit", "admin")}
    for name, role in roles.items():
        label = f"rbac.authorization.k8s.io/aggregate-to-{name.rpartition('-')[2]}"
        assert role["metadata"]["labels"][label] == "true"
    assert not [one for one in render() if one["kind"] == "ClusterRole"]


def test_a_balancer_gets_the_settings_that_its_cloud_wants(everything: Found) -> None:
    service = everything["Service", "venue-edge"]
    assert service["metadata"]["annotations"] == {"example.com/scheme": "internal"}
    assert service["spec"]["loadBalancerClass"] == "example.com/network"
    assert service["spec"]["loadBalancerSourceRanges"] == ["198.51.100.0/24"]
    assert service["spec"]["externalTrafficPolicy"] == "Local"


def test_a_gateway_of_the_cluster_speaks_tls_to_the_edge(everything: Found) -> None:
    route = everything["GRPCRoute", "venue-edge"]["spec"]
    ((backend,),) = (rule["backendRefs"] for rule in route["rules"])
    service = everything["Service", backend["name"]]["spec"]
    assert backend["port"] in {port["port"] for port in service["ports"]}
    policy = everything["BackendTLSPolicy", "venue-edge"]["spec"]
    assert policy["targetRefs"][0]["name"] == backend["name"]
    # The name is one of those in the edge's certificate.
    (container,) = everything["Job", "venue-credentials"]["spec"]["template"]["spec"]["containers"]
    (edge,) = (one for one in container["args"] if one.startswith("edge="))
    assert policy["validation"]["hostname"] in edge.partition("=")[2].split(",")


def test_the_pods_of_jobs_are_restricted_too() -> None:
    specs = pod_specs(render(*EVERYTHING))
    for name in JOBS:
        assert specs[name]["automountServiceAccountToken"] is False
        assert specs[name]["securityContext"]["runAsNonRoot"] is True
        (container,) = specs[name]["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
