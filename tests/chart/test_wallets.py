"""What `wallets.enabled` adds to the chart: custody's pods, who reaches them, their settings."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from control.chains import manifests
from control.cluster.kinds import Kind
from control.settings import WorkerSettings
from gateway.settings import GatewaySettings
from runtime.settings import Settings
from wallets.approver.settings import ApproverSettings
from wallets.engines import read_engines
from wallets.settings import WalletSettings
from wallets.signer.settings import SignerSettings

CHART = Path(__file__).resolve().parent.parent.parent / "helm" / "cambist"
COMMAND_SECONDS = 60
WALLETS: dict[str, Any] = {
    "enabled": True,
    "signer": {"secretName": "signing", "seedsSecretName": "seeds"},
    "approver": {"secretName": "approving", "keysSecretName": "approver-keys", "keyId": "one"},
    "chains": [
        {
            "name": "btc",
            "spec": {
                "chain": "bitcoin",
                "network": "regtest",
                "chainFileSecretRef": {"name": "btc-chain", "key": "chain.json"},
                "nodes": [{"name": "a", "ports": [8332]}],
            },
        }
    ],
}
SETTINGS: dict[str, type[Settings]] = {
    "venue-custody": WalletSettings,
    "venue-signer": SignerSettings,
    "venue-approver": ApproverSettings,
    "venue-gateway": GatewaySettings,
}

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(not shutil.which("helm"), reason="no helm on the path"),
]

Rendered = dict[tuple[str, str], dict[str, Any]]


def template(wallets: object, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["helm", "template", "venue", str(CHART), "--kube-version", "1.35.0"]
    return subprocess.run(
        [*command, "--set-json", f"wallets={json.dumps(wallets)}", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_SECONDS,
    )


def render(*arguments: str) -> Rendered:
    done = template(WALLETS, *arguments)
    assert done.returncode == 0, done.stderr
    documents = [document for document in yaml.safe_load_all(done.stdout) if document]
    return {(one["kind"], one["metadata"]["name"]): one for one in documents}


def first_chain(found: Rendered) -> dict[str, Any]:
    """The WalletChain that the chart's Job applies, as the API server would give it back."""
    (told,) = json.loads(found["ConfigMap", "venue-apply"]["data"]["resources"])
    assert told["kind"] == "WalletChain"
    return {"metadata": {"name": told["name"], "uid": "u-1"}, "spec": told["spec"]}


def set_environment(container: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for entry in container["env"]:
        # What comes from a Secret or the pod only has to be there.
        monkeypatch.setenv(entry["name"], entry.get("value", "x" * 48))


def test_nothing_of_custody_is_there_unless_it_is_asked_for() -> None:
    done = template({})
    assert done.returncode == 0, done.stderr
    for word in ("venue-custody", "venue-signer", "venue-approver", "CUSTODY", "wallets.pem"):
        assert word not in done.stdout, word


@pytest.mark.parametrize("name", SETTINGS)
def test_each_process_accepts_the_settings_that_it_gets(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (container,) = render()["Deployment", name]["spec"]["template"]["spec"]["containers"]
    set_environment(container, monkeypatch)
    settings = SETTINGS[name].load()
    if isinstance(settings, GatewaySettings):
        assert settings.custody_endpoint == "venue-custody:7305"
    if isinstance(settings, ApproverSettings):
        # Both pods of the shard: which one is primary is theirs to find out.
        assert read_engines("", settings.engines) == {
            1: (
                "venue-matching-1-0.venue-matching-1:7001",
                "venue-matching-1-1.venue-matching-1:7001",
            )
        }


def test_a_worker_accepts_what_operator_and_chart_tell_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = render()
    laid_over = yaml.safe_load(found["ConfigMap", "venue-workers"]["data"]["template.yaml"])
    chain = first_chain(found)
    made = dict(manifests.children(chain, WorkerSettings(), laid_over))
    pod = made[Kind.DEPLOYMENT]["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    set_environment(container, monkeypatch)
    settings = WalletSettings.load()
    assert (settings.chain, settings.listen_address) == ("bitcoin", "0.0.0.0:7201")
    assert settings.signer_address == "venue-signer:7301"
    assert settings.engine_tls.certificate_file == ""
    # The venue's policies find the pod, and so does the operator's own selector.
    assert pod["metadata"]["labels"]["app.kubernetes.io/component"] == "worker"
    selector = made[Kind.DEPLOYMENT]["spec"]["selector"]["matchLabels"]
    assert selector.items() <= pod["metadata"]["labels"].items()
    mounted = {one["name"] for one in container["volumeMounts"]}
    assert mounted == {one["name"] for one in pod["spec"]["volumes"]}


def test_workers_send_and_serve_their_metrics_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    found = render(
        *("--set", "observability.serviceMonitor.enabled=true"),
        *("--set", "telemetry.otlpEndpoint=http://collector:4317"),
    )
    laid_over = yaml.safe_load(found["ConfigMap", "venue-workers"]["data"]["template.yaml"])
    chain = first_chain(found)
    made = dict(manifests.children(chain, WorkerSettings(), laid_over))
    pod = made[Kind.DEPLOYMENT]["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    set_environment(container, monkeypatch)
    telemetry = WalletSettings.load().telemetry
    assert telemetry.otlp_endpoint == "http://collector:4317"
    assert telemetry.scrape_address == "0.0.0.0:9464"
    assert {port["name"] for port in container["ports"]} == {"worker", "health", "metrics"}
    assert found["Service", "venue-metrics"]["spec"]["selector"].items() <= (
        pod["metadata"]["labels"].items()
    )


@pytest.mark.parametrize("name", ["venue-signer", "venue-approver"])
def test_signer_and_approver_send_and_serve_their_metrics_when_asked(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = render(
        *("--set", "observability.serviceMonitor.enabled=true"),
        *("--set", "telemetry.otlpEndpoint=http://collector:4317"),
    )
    pod = found["Deployment", name]["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    set_environment(container, monkeypatch)
    telemetry = SETTINGS[name].load().telemetry
    assert telemetry.otlp_endpoint == "http://collector:4317"
    assert telemetry.scrape_address == "0.0.0.0:9464"
    assert "metrics" in {port["name"] for port in container["ports"]}
    assert found["Service", "venue-metrics"]["spec"]["selector"].items() <= (
        pod["metadata"]["labels"].items()
    )


@pytest.mark.parametrize("name", ["signer", "approver"])
def test_only_workers_reach_signer_and_approver(name: str) -> None:
    into = [
        one["spec"]["ingress"]
        for (kind, _), one in render().items()
        if kind == "NetworkPolicy"
        and one["spec"]["podSelector"].get("matchLabels", {}).get("app.kubernetes.io/component")
        == name
        and "Ingress" in one["spec"]["policyTypes"]
    ]
    ((rule,),) = into
    (source,) = rule["from"]
    assert source["podSelector"]["matchLabels"] == {
        "app.kubernetes.io/instance": "venue",
        "app.kubernetes.io/component": "worker",
    }


def test_seeds_are_mounted_by_the_signer_alone() -> None:
    found = render()
    holders = {
        name
        for (kind, name), one in found.items()
        if kind in ("Deployment", "StatefulSet", "Job")
        for volume in one["spec"]["template"]["spec"].get("volumes", [])
        if volume.get("secret", {}).get("secretName") in ("seeds", "signing")
    }
    assert holders == {"venue-signer"}
    accounts = {
        found["Deployment", f"venue-{name}"]["spec"]["template"]["spec"]["serviceAccountName"]
        for name in ("custody", "signer", "approver")
    }
    assert len(accounts) == 3


def test_custodys_pods_are_restricted_and_its_schemas_are_migrated() -> None:
    found = render()
    for name in ("venue-custody", "venue-signer", "venue-approver"):
        spec = found["Deployment", name]["spec"]["template"]["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["automountServiceAccountToken"] is False
        for container in [*spec["containers"], *spec["initContainers"]]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["resources"]["limits"]["memory"]
    job = found["Job", "venue-migrate-1"]["spec"]["template"]["spec"]
    commands = [one["command"][2:] for one in job["initContainers"] if "command" in one]
    for module in ("wallets", "wallets.signer", "wallets.approver"):
        assert [module, "migrate"] in commands


@pytest.mark.parametrize("name", ["custody", "signer", "approver"])
def test_one_of_custodys_processes_that_hangs_is_started_anew(name: str) -> None:
    """Its loop must answer: a port that hangs takes connections too."""
    (container,) = render()["Deployment", f"venue-{name}"]["spec"]["template"]["spec"]["containers"]
    told = {one["name"]: one.get("value") for one in container["env"]}
    (address,) = (value for key, value in told.items() if key.endswith("_HEALTH_ADDRESS"))
    for probe in ("readinessProbe", "livenessProbe"):
        assert address == f"0.0.0.0:{container[probe]['grpc']['port']}"


def test_with_a_vault_the_signer_alone_reaches_it_and_reads_no_passphrase(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vault = {"address": "https://vault.vault:8200", "secretName": "vault", "cidrs": ["10.2.0.0/16"]}
    done = template({**WALLETS, "signer": {**WALLETS["signer"], "vault": vault}})
    assert done.returncode == 0, done.stderr
    documents = [document for document in yaml.safe_load_all(done.stdout) if document]
    found = {(one["kind"], one["metadata"]["name"]): one for one in documents}
    spec = found["Deployment", "venue-signer"]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    set_environment(container, monkeypatch)
    settings = SignerSettings.load()
    assert settings.vault_address == "https://vault.vault:8200"
    assert (settings.vault_key, settings.passphrase_file) == ("transit/cambist-seeds", "")
    mounted = {one["mountPath"]: one["name"] for one in container["volumeMounts"]}
    (volume,) = (one for one in spec["volumes"] if one["name"] == mounted["/vault"])
    assert volume["secret"]["secretName"] == "vault"
    for file in (settings.vault_authority_file, settings.vault_token_file):
        assert file.startswith("/vault/")
    holders = [
        one["metadata"]["name"] for one in documents if "secretName: vault" in yaml.dump(one)
    ]
    assert holders == ["venue-signer"]
    policy = found["NetworkPolicy", "venue-signer-to-vault"]["spec"]
    assert policy["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "signer"
    assert policy["egress"] == [
        {"ports": [{"port": 8200}], "to": [{"ipBlock": {"cidr": "10.2.0.0/16"}}]}
    ]
    assert "venue-signer-to-vault" not in {name for _, name in render()}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"enabled": "yes"}, "wallets/enabled"),
        ({"misspelt": 1}, "misspelt"),
        ({"signer": {}}, "wallets.signer.secretName names the Secret"),
        ({"signer": {"secretName": "s"}}, "wallets.signer.seedsSecretName names the Secret"),
        ({"approver": {"secretName": "a", "keysSecretName": "k"}}, "wallets.approver.keyId"),
        ({"signer": {"vault": {"address": "http://v:1"}}}, "wallets/signer/vault/address"),
        ({"signer": {"vault": {"key": "transit"}}}, "wallets/signer/vault/key"),
        (
            {"signer": {"vault": {"address": "https://v:1"}}},
            "wallets.signer.vault.secretName names the Secret",
        ),
        ({"chains": [{"name": "BTC", "spec": {}}]}, "wallets/chains/0"),
        ({"waitSeconds": -1}, "wallets/waitSeconds"),
        ({"chains": [{"name": "btc", "spec": {"chain": "bitcoin"}}]}, "wallets/chains/0/spec"),
    ],
)
def test_a_wrong_value_is_refused_by_name(change: dict[str, Any], words: str) -> None:
    done = template({**WALLETS, **change})
    assert done.returncode != 0
    assert words in done.stderr or words.replace("/", ".") in done.stderr


def test_chains_need_custody_and_custody_needs_the_operator() -> None:
    without = template({**WALLETS, "chains": []}, "--set", "control.enabled=false")
    assert "needs control.enabled" in without.stderr
    assert "wallets.chains needs wallets.enabled" in template({**WALLETS, "enabled": False}).stderr


def test_each_process_waits_for_a_table_that_its_migrations_make() -> None:
    found = render()
    migrations = CHART.parent.parent / "wallets"
    folders = {"custody": migrations, "signer": migrations / "signer"}
    folders["approver"] = migrations / "approver"
    for name, folder in folders.items():
        pod = found["Deployment", f"venue-{name}"]["spec"]["template"]["spec"]
        table = pod["initContainers"][0]["command"][-1]
        files = (folder / "migrations").glob("*.py")
        assert any(f"create table {table} " in file.read_text("utf-8") for file in files), table
