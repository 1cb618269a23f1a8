"""What the chart renders keeps its promises, and wrong values are refused with a reason."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from control.settings import ControlSettings
from gateway.settings import GatewaySettings
from matching.settings import MatchingSettings
from runtime.settings import Settings

ROOT = Path(__file__).resolve().parent.parent.parent
CHART = ROOT / "helm" / "cambist"
COMMAND_SECONDS = 60
WORKLOADS = ("Deployment", "StatefulSet", "Job", "Pod")

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(not shutil.which("helm"), reason="no helm on the path"),
]


def template(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["helm", "template", "venue", str(CHART), "--kube-version", "1.35.0", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS
    )


def render(*arguments: str) -> list[dict[str, Any]]:
    done = template(*arguments)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def pod_specs(documents: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found = {}
    for document in documents:
        if document["kind"] in WORKLOADS:
            spec = document["spec"]
            found[document["metadata"]["name"]] = (
                spec if document["kind"] == "Pod" else spec["template"]["spec"]
            )
    return found


def test_every_pod_is_restricted_and_has_no_token() -> None:
    specs = pod_specs(render())
    assert {"venue-matching-1", "venue-gateway", "venue-edge", "venue-control"} <= set(specs)
    for name, spec in specs.items():
        assert spec["automountServiceAccountToken"] is False, name
        # Links would put variables into pods that refuse unknown ones.
        assert spec["enableServiceLinks"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            security = container["securityContext"]
            assert security["readOnlyRootFilesystem"] is True, (name, container["name"])
            assert security["allowPrivilegeEscalation"] is False, (name, container["name"])
            assert security["capabilities"] == {"drop": ["ALL"]}, (name, container["name"])
            assert container["resources"]["requests"], (name, container["name"])
            assert container["resources"]["limits"]["memory"], (name, container["name"])


def test_only_the_operator_and_jobs_have_a_token_and_just_the_rights_of_their_role() -> None:
    documents = render()
    roles = {one["metadata"]["name"]: one for one in documents if one["kind"] == "Role"}
    written = yaml.safe_load((ROOT / "control" / "rbac.yaml").read_text(encoding="utf-8"))
    assert roles["venue-control"]["rules"] == written["rules"]
    with_token = {
        name
        for name, spec in pod_specs(documents).items()
        for volume in spec.get("volumes", [])
        if any(
            "serviceAccountToken" in one for one in volume.get("projected", {}).get("sources", [])
        )
    }
    assert with_token == set(roles) == {"venue-control", "venue-drain"}
    without = render("--set", "control.enabled=false")
    assert "venue-control" not in {one["metadata"]["name"] for one in without}
    assert not [one for one in without if one["kind"] in ("Role", "RoleBinding")]


def test_each_shard_has_two_pods_and_the_gateways_know_all_of_them() -> None:
    documents = render("--set", "matching.shards={1,7}")
    sets = [document for document in documents if document["kind"] == "StatefulSet"]
    replicas = {one["metadata"]["name"]: one["spec"]["replicas"] for one in sets}
    assert replicas == {"venue-matching-1": 2, "venue-matching-7": 2, "venue-postgres": 1}
    gateway = pod_specs(documents)["venue-gateway"]["containers"][0]
    environment = {one["name"]: one.get("value") for one in gateway["env"]}
    assert environment["CAMBIST_GATEWAY_MATCHING_ENDPOINTS"] == (
        "1=venue-matching-1-0.venue-matching-1:7001,venue-matching-1-1.venue-matching-1:7001;"
        "7=venue-matching-7-0.venue-matching-7:7001,venue-matching-7-1.venue-matching-7:7001"
    )


CUSTODY = (
    "wallets.enabled=true,wallets.signer.secretName=a,wallets.signer.seedsSecretName=b,"
    "wallets.approver.secretName=c,wallets.approver.keysSecretName=d,wallets.approver.keyId=e"
)


@pytest.mark.parametrize(
    ("values", "is_sandbox"),
    [
        ("logLevel=info", True),
        ("sandbox.faucet=never", False),
        ("postgres.mode=external,postgres.external.secretName=database", False),
        ("postgres.mode=cnpg", False),
        (CUSTODY, False),
        ("postgres.mode=cnpg,sandbox.faucet=always", True),
        (f"{CUSTODY},sandbox.faucet=always", True),
    ],
)
def test_the_faucet_gives_where_money_is_play_money_and_elsewhere_only_when_told(
    monkeypatch: pytest.MonkeyPatch, values: str, is_sandbox: bool
) -> None:
    documents = render("--set", values)
    (engine, *_) = pod_specs(documents)["venue-matching-1"]["containers"]
    for entry in engine["env"]:
        if "SANDBOX" in entry["name"]:
            monkeypatch.setenv(entry["name"], entry["value"])
    sandbox = MatchingSettings.load().sandbox
    assert sandbox.enabled is is_sandbox
    assert (sandbox.pay_in_units_max, sandbox.pay_ins_per_hour) == (1_000_000, 60)
    for document in documents:
        if document["metadata"]["name"] == "venue-workers":
            # What the engine owes beyond custody's book is play money then.
            assert ("ENGINE_DEFICIT_STOPS" in document["data"]["template.yaml"]) is is_sandbox


def test_replicas_belong_to_the_autoscaler_while_there_is_one() -> None:
    def deployment(*arguments: str) -> dict[str, Any]:
        return next(
            document
            for document in render(*arguments)
            if document["kind"] == "Deployment" and document["metadata"]["name"] == "venue-gateway"
        )

    assert "replicas" not in deployment()["spec"]
    without = deployment("--set", "gateway.autoscaling.enabled=false,gateway.replicas=3")
    assert without["spec"]["replicas"] == 3


def test_an_external_database_leaves_no_database_pod_and_needs_a_secret() -> None:
    external = ["--set", "postgres.mode=external"]
    refused = template(*external)
    assert refused.returncode != 0
    assert "postgres.external.secretName names the Secret" in refused.stderr
    named = render(*external, "--set", "postgres.external.secretName=database")
    assert "venue-postgres" not in {document["metadata"]["name"] for document in named}


def test_all_network_is_closed_but_what_is_named() -> None:
    policies = {
        document["metadata"]["name"]: document["spec"]
        for document in render()
        if document["kind"] == "NetworkPolicy"
    }
    closed = policies["venue-closed"]
    assert closed["podSelector"]["matchLabels"] == {"app.kubernetes.io/instance": "venue"}
    assert closed["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in closed
    assert [port["port"] for rule in closed["egress"] for port in rule["ports"]] == [53, 53]
    for name, spec in policies.items():
        for rule in spec.get("ingress", []):
            # Only the edge is open to everybody.
            assert "from" in rule or name == "venue-into-edge", name
    without = render("--set", "networkPolicy.enabled=false")
    assert not [document for document in without if document["kind"] == "NetworkPolicy"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ("gateway.replicas=many", "gateway/replicas"),
        ("gateway.replicas=0", "gateway/replicas"),
        ("matching.shards={0}", "matching/shards"),
        ("matching.shards={1,1}", "matching/shards"),
        ("postgres.mode=automatic", "postgres/mode"),
        ("edge.limits.connections=-1", "edge/limits/connections"),
        ("global.imageRegistry=registry.example.com", "global/imageRegistry"),
        ("observability.rules.runbookBase=pages", "observability/rules/runbookBase"),
        ("gateway.trustedProxies={everybody}", "gateway/trustedProxies"),
        ("observability.serviceMonitor.enabled=yes", "observability/serviceMonitor/enabled"),
        ("credentials.revision=1", "credentials/revision"),
        ("credentials.mode=vault", "credentials/mode"),
        ("edge.service.externalTrafficPolicy=Remote", "edge/service/externalTrafficPolicy"),
        ("edge.service.loadBalancerSourceRanges={office}", "edge/service/loadBalancerSourceRanges"),
        ("edge.service.loadBalancerClass=own", "need edge.serviceType=LoadBalancer"),
        ("edge.grpcRoute.enabled=true", "edge.grpcRoute.parentRefs names the Gateway"),
        ("markets[0].name=BTC", "markets/0"),
        ("access.aggregateClusterRoles=yes", "access/aggregateClusterRoles"),
        ("gitops.argocd=true,credentials.mode=job", "needs postgres.mode=external or cnpg"),
        ("gitops.argocd=true,postgres.mode=cnpg", "needs credentials.mode=job or cert-manager"),
        ("postgres.cnpg.instances=0", "postgres/cnpg/instances"),
        ("telemetry.otlpEndpoint=collector:4317", "telemetry/otlpEndpoint"),
        ("sandbox.faucet=yes", "sandbox/faucet"),
        ("sandbox.unitsPerCall=999", "sandbox/unitsPerCall"),
        ("misspelt=1", "misspelt"),
    ],
)
def test_a_wrong_value_is_refused_by_name(values: str, words: str) -> None:
    done = template("--set", values)
    assert done.returncode != 0
    assert words in done.stderr or words.replace("/", ".") in done.stderr


def test_nothing_of_the_prometheus_operator_is_made_unless_it_is_asked_for() -> None:
    kinds = {"PrometheusRule", "PodMonitor"}
    assert not kinds & {one["kind"] for one in render()}
    asked = render(
        "--set",
        "observability.rules.enabled=true,observability.podMonitor.enabled=true,"
        "observability.dashboards.enabled=true",
    )
    found = {(one["kind"], one["metadata"]["name"]): one for one in asked}
    rules = found["PrometheusRule", "venue-alerts"]["spec"]["groups"][0]["rules"]
    written = yaml.safe_load((CHART / "files" / "alerts.yaml").read_text(encoding="utf-8"))
    assert [one["expr"] for one in rules] == [one["expr"] for one in written]
    assert all(one["annotations"]["runbook_url"].endswith(".md") for one in rules)
    # Only the namespace of Prometheus may read.
    policy = found["NetworkPolicy", "venue-into-metrics"]["spec"]
    assert policy["ingress"][0]["from"][0]["namespaceSelector"]
    assert "operator.json" in found["ConfigMap", "venue-dashboards"]["data"]


def test_pods_that_prometheus_scrapes_serve_their_metrics_to_its_namespace_alone() -> None:
    asked = render("--set", "observability.serviceMonitor.enabled=true")
    found = {(one["kind"], one["metadata"]["name"]): one for one in asked}
    service = found["Service", "venue-metrics"]
    monitor = found["ServiceMonitor", "venue-services"]["spec"]
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["endpoints"] == [{"port": "metrics", "path": "/metrics"}]
    scraped = set()
    for (kind, name), one in found.items():
        if kind not in ("Deployment", "StatefulSet"):
            continue
        pod = one["spec"]["template"]
        (container, *_) = pod["spec"]["containers"]
        environment = {entry["name"]: entry.get("value") for entry in container.get("env", [])}
        address = [value for key, value in environment.items() if key.endswith("SCRAPE_ADDRESS")]
        ports = [port for port in container["ports"] if port["name"] == "metrics"]
        selected = service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
        assert bool(address) == bool(ports) == selected, name
        if selected:
            assert address == [f"0.0.0.0:{ports[0]['containerPort']}"]
            scraped.add(name)
    assert scraped == {"venue-gateway", "venue-matching-1", "venue-control"}
    policy = found["NetworkPolicy", "venue-into-services-metrics"]["spec"]
    assert policy["podSelector"]["matchLabels"] == service["spec"]["selector"]
    assert policy["ingress"][0]["from"][0]["namespaceSelector"]
    assert not [one for one in render() if one["metadata"]["name"] == "venue-metrics"]


@pytest.mark.parametrize("name", ["gateway", "matching-1", "control"])
def test_a_process_accepts_what_it_is_told_of_telemetry(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, type[Settings]] = {
        "gateway": GatewaySettings,
        "matching-1": MatchingSettings,
        "control": ControlSettings,
    }
    specs = pod_specs(
        render(
            *("--set", "observability.serviceMonitor.enabled=true"),
            *("--set", "telemetry.otlpEndpoint=http://collector:4317"),
        )
    )
    for entry in specs[f"venue-{name}"]["containers"][0]["env"]:
        # What comes from a Secret or the pod only has to be there.
        monkeypatch.setenv(entry["name"], entry.get("value", "x" * 48))
    telemetry = settings[name].load().telemetry
    assert telemetry.otlp_endpoint == "http://collector:4317"
    assert telemetry.scrape_address == "0.0.0.0:9464"


def test_another_revision_of_credentials_replaces_just_the_pods_that_read_them() -> None:
    def templates(*arguments: str) -> dict[str, dict[str, Any]]:
        return {
            one["metadata"]["name"]: one["spec"]["template"]
            for one in render("--set", "crds.install=false", *arguments)
            if one["kind"] in ("Deployment", "StatefulSet")
        }

    before, after = templates(), templates("--set", "credentials.revision=2026-12")
    changed = {name for name, pod in after.items() if pod["metadata"] != before[name]["metadata"]}
    readers = {
        name for name, pod in before.items() if "venue-credentials" in json.dumps(pod["spec"])
    }
    assert (
        changed == readers == {"venue-edge", "venue-gateway", "venue-matching-1", "venue-control"}
    )


def test_the_operator_reaches_the_collector_too() -> None:
    policies = {
        one["metadata"]["name"]: one["spec"]
        for one in render("--set", "telemetry.otlpEndpoint=http://collector:4317")
        if one["kind"] == "NetworkPolicy"
    }
    assert policies["venue-control-to-telemetry"]["egress"] == [{"ports": [{"port": 4317}]}]


def test_gateways_believe_nobody_about_the_clients_address_unless_told_whom() -> None:
    def told(*arguments: str) -> str | None:
        container = pod_specs(render(*arguments))["venue-gateway"]["containers"][0]
        environment = {one["name"]: one.get("value") for one in container["env"]}
        return environment.get("CAMBIST_GATEWAY_TRUSTED_PROXIES")

    assert told() is None
    proxies = "gateway.trustedProxies={10.244.0.0/16,fd00::/8}"
    assert told("--set", proxies) == "10.244.0.0/16,fd00::/8"


@pytest.mark.parametrize(
    ("service_type", "policy"),
    [("ClusterIP", None), ("LoadBalancer", "Local"), ("NodePort", "Local")],
)
def test_the_edge_sees_the_clients_address(service_type: str, policy: str | None) -> None:
    service = next(
        one
        for one in render("--set", f"edge.serviceType={service_type}")
        if one["kind"] == "Service" and one["metadata"]["name"] == "venue-edge"
    )
    assert service["spec"].get("externalTrafficPolicy") == policy


def test_with_cert_manager_each_pod_mounts_its_own_certificate_and_helm_makes_no_key() -> None:
    operators = ROOT / "tests" / "chart" / "values" / "operators.yaml"
    documents = render("--values", str(operators), "--set", "gitops.argocd=false")
    made = {
        one["spec"]["secretName"]: one["spec"] for one in documents if one["kind"] == "Certificate"
    }
    mounted = {
        name: volume["secret"]["secretName"]
        for name, spec in pod_specs(documents).items()
        for volume in spec["volumes"]
        if volume["name"] == "credentials"
    }
    assert mounted.pop("venue-test-trade") == "venue-tls-operator"
    names = {"matching-1": "matching"}
    for pod, secret in mounted.items():
        service = pod.removeprefix("venue-")
        assert secret == f"venue-tls-{names.get(service, service)}"
    # Workers are the operator's; their pods mount theirs by the template that it lays over.
    assert set(made) == {
        *mounted.values(),
        "venue-tls-operator",
        "venue-tls-wallets",
        "venue-authority",
    }
    assert "venue.example.com" in made["venue-tls-edge"]["dnsNames"]
    secrets = {one["metadata"]["name"]: one for one in documents if one["kind"] == "Secret"}
    assert set(secrets["venue-credentials"]["data"]) == {"token-secret"}
    workers = next(one for one in documents if one["metadata"]["name"] == "venue-workers")
    assert "venue-tls-wallets" in json.dumps(workers["data"])


def test_a_database_by_cloudnativepg_is_reached_by_the_secret_and_the_pods_of_its_cluster() -> None:
    documents = render("--set", "postgres.mode=cnpg")
    cluster = next(one for one in documents if one["kind"] == "Cluster")
    name = cluster["metadata"]["name"]
    gateway = pod_specs(documents)["venue-gateway"]["containers"][0]
    (dsn,) = [one for one in gateway["env"] if one["name"].endswith("POSTGRES_DSN")]
    assert dsn["valueFrom"]["secretKeyRef"] == {"name": f"{name}-app", "key": "uri"}
    policies = {one["metadata"]["name"]: one for one in documents if one["kind"] == "NetworkPolicy"}
    (rule, *_) = policies["venue-to-database"]["spec"]["egress"]
    assert rule["to"][0]["podSelector"]["matchLabels"] == {"cnpg.io/cluster": name}
    assert "venue-into-database" not in policies
