"""The compose file starts what exists, tells each process what it understands, and drifts nowhere.

`CAMBIST_UPDATE_GOLDEN=1` writes the edge's configuration and the alerts anew from the chart.
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.compose.health import is_serving
from gateway.settings import GatewaySettings
from matching.settings import MatchingSettings
from runtime.rpc_health import start_health_server
from runtime.settings import Settings
from tests.deploy.linting import RUN_LOADER, loader

ROOT = Path(__file__).resolve().parent.parent.parent
FILES = ROOT / "deploy" / "compose"
GIVEN = {
    "CAMBIST_POSTGRES_PASSWORD": "p" * 20,
    "CAMBIST_MATCHING_PASSWORD": "m" * 20,
    "CAMBIST_GATEWAY_PASSWORD": "g" * 20,
    "CAMBIST_TOKEN_SECRET": "t" * 40,
}
ASKED = re.compile(r"\$\{([A-Z_]+)(?:(:-|:\?)([^}]*))?\}")
UPDATES = os.environ.get("CAMBIST_UPDATE_GOLDEN") == "1"
NEWER = re.compile(r"tune\.h2\.fe\.|timeout client-hs")
OWN_IMAGES = {"cambist-postgres", "cambist-matching", "cambist-gateway", "cambist-edge"}


def filled(value: str) -> str:
    """As compose does it, from what a user must give and the defaults."""

    def of(match: re.Match[str]) -> str:
        name, how, text = match.groups()
        return GIVEN.get(name, text if how == ":-" else "")

    return ASKED.sub(of, value)


def project() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    return content


def services() -> dict[str, Any]:
    found: dict[str, Any] = project()["services"]
    return found


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((name, MatchingSettings) for name in ("matching-a", "matching-b")),
        *((name, MatchingSettings) for name in ("projector", "snapshotter", "migrate-matching")),
        *((name, GatewaySettings) for name in ("gateway", "migrate-gateway")),
    ],
)
def test_each_process_accepts_the_settings_that_it_gets(
    name: str, kind: type[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in services()[name]["environment"].items():
        monkeypatch.setenv(key, filled(value))
    settings = kind.load()
    if isinstance(settings, GatewaySettings):
        told = {address for found in settings.matching().values() for address in found}
        assert told == {"matching-a:7001", "matching-b:7001"}


def test_secrets_have_no_defaults() -> None:
    text = (ROOT / "compose.yaml").read_text("utf-8")
    for name, how, _ in ASKED.findall(text):
        if name in GIVEN:
            assert how == ":?", name


def test_migrations_alone_are_the_owner_and_each_service_has_a_role_that_is_made_before() -> None:
    owner: set[str] = set()
    roles: dict[str, str] = {}
    given: dict[str, set[str]] = {}
    for name, service in services().items():
        for key, value in service.get("environment", {}).items():
            user = re.match(r"postgresql://([a-z_]+):", value)
            if key.startswith("ROLE_DSN_"):
                assert user
                roles[key.removeprefix("ROLE_DSN_")] = value
                assert user[1] == key.removeprefix("ROLE_DSN_")
            elif user and user[1] == "cambist":
                owner.add(name)
            elif user:
                assert roles[user[1]] == value, name
                given.setdefault(user[1], set()).add(name)
    assert owner == {"make-roles", "migrate-matching", "migrate-gateway"}
    assert given == {
        "cambist_matching": {"matching-a", "matching-b", "projector", "snapshotter"},
        "cambist_gateway": {"gateway"},
    }
    for name in ("matching", "gateway"):
        told = services()[f"migrate-{name}"]["environment"]
        assert told[f"CAMBIST_{name.upper()}_POSTGRES_SERVICE_ROLE"] == f"cambist_{name}"
    assert "make-roles" in services()["migrate-matching"]["depends_on"]


def test_every_container_of_ours_has_an_image_no_rights_and_a_fixed_root() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    ours, built = set(), set()
    for name, service in services().items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        image, _, tag = service["image"].partition(":")
        if image.startswith("cambist-"):
            ours.add(image)
            if "build" in service:
                built.add(image)
                assert f" AS {service['build']['target']}\n" in dockerfile, name
            assert "cap_add" not in service, name
        else:
            # Of others only a version that was named.
            assert re.search(r"\d+\.\d+", tag), name
            assert service["profiles"], name
    assert ours == built == OWN_IMAGES


def test_every_mounted_file_exists_and_every_volume_is_declared() -> None:
    declared = project()["volumes"].keys()
    used = set()
    for name, service in services().items():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists(), (name, source)
            else:
                used.add(source)
    assert used == declared


def test_only_the_edge_is_open_to_other_machines() -> None:
    for name, service in services().items():
        for port in service.get("ports", []):
            assert name == "edge" or port.startswith("127.0.0.1:"), (name, port)


def test_gateways_believe_the_edges_network_alone() -> None:
    (subnet,) = project()["networks"]["front"]["ipam"]["config"]
    environment = services()["gateway"]["environment"]
    assert environment["CAMBIST_GATEWAY_TRUSTED_PROXIES"] == subnet["subnet"]
    on_it = {name for name, one in services().items() if "front" in one.get("networks", [])}
    assert on_it == {"gateway", "edge"}


def test_the_alerts_are_those_of_the_chart() -> None:
    chart = yaml.safe_load((ROOT / "helm/cambist/files/alerts.yaml").read_text("utf-8"))
    path = FILES / "alerts.yml"
    if UPDATES:
        content = yaml.safe_dump(
            {"groups": [{"name": "cambist", "rules": chart}]}, sort_keys=False, width=200
        )
        path.write_text(f"# Made from the chart's alerts by tests/deploy.\n{content}", "utf-8")
    (group,) = yaml.safe_load(path.read_text("utf-8"))["groups"]
    assert group["rules"] == chart


@pytest.mark.cluster
@pytest.mark.skipif(not shutil.which("helm"), reason="no helm on the path")
def test_the_edge_is_configured_as_in_the_chart() -> None:
    command = ["helm", "template", "venue", str(ROOT / "helm/cambist")]
    shown = ["--kube-version", "1.35.0", "--show-only", "templates/edge.yaml"]
    done = subprocess.run([*command, *shown], capture_output=True, check=True, timeout=60)
    (map_of,) = (one for one in yaml.safe_load_all(done.stdout) if one["kind"] == "ConfigMap")
    rendered = map_of["data"]["haproxy.cfg"]
    wanted = rendered.replace("venue-gateway.default.svc.cluster.local:7400", "gateway:7400")
    assert wanted != rendered
    path = FILES / "haproxy.cfg"
    if UPDATES:
        path.write_text(wanted, "utf-8")
    assert path.read_text("utf-8") == wanted


@pytest.mark.skipif(not shutil.which("haproxy"), reason="no haproxy on the path")
def test_a_real_proxy_takes_the_edges_configuration(tmp_path: Path) -> None:
    make(tmp_path)
    text = (FILES / "haproxy.cfg").read_text("utf-8")
    version = subprocess.run(["haproxy", "-v"], capture_output=True, text=True, check=True).stdout
    if "version 2." in version:
        # The edge's image has version 3; an older one here judges all but what it has not.
        text = "".join(line for line in text.splitlines(True) if not NEWER.search(line))
    configuration = tmp_path / "haproxy.cfg"
    configuration.write_text(text.replace("/credentials/", f"{tmp_path}/"), "utf-8")
    command = ["haproxy", "-c", "-f", str(configuration)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def make(folder: Path) -> None:
    """What the service make-credentials does."""
    command = [sys.executable, "-m", "deploy.compose.make_credentials", str(folder)]
    environment = {**os.environ, "CAMBIST_HOST_NAME": "venue.test"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=60)


async def test_the_health_check_follows_what_a_real_process_says() -> None:
    server = await start_health_server("127.0.0.1:0", "able")
    address = f"127.0.0.1:{server.port}"
    try:
        for serving in (True, False):
            await server.set_serving("able", serving=serving)
            assert await asyncio.to_thread(is_serving, address, "able") is serving
        assert not await asyncio.to_thread(is_serving, address, "unknown")
    finally:
        await server.stop()
    assert not await asyncio.to_thread(is_serving, address, "able")


def test_credentials_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    make(tmp_path)
    names = {"authority.pem", "tls.pem", "matching.pem", "matching.key.pem"}
    assert names <= {path.name for path in tmp_path.iterdir()}
    for name in ("tls.pem", "matching.key.pem"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0, name
    before = (tmp_path / "tls.pem").read_bytes()
    make(tmp_path)
    assert (tmp_path / "tls.pem").read_bytes() == before


# The library is built at the first time.
@pytest.mark.slow
@pytest.mark.timeout(700)
@pytest.mark.skipif(loader(Path()) is None, reason="no docker compose, and no Go for its loader")
def test_compose_itself_takes_the_file(tmp_path: Path) -> None:
    # The library knows no environment: what a user gives is put in before.
    path = tmp_path / "compose.yaml"
    path.write_text(filled((ROOT / "compose.yaml").read_text("utf-8")), "utf-8")
    command = loader(path)
    assert command is not None
    environment = {**os.environ, **RUN_LOADER}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    # A field that compose does not know is refused.
    path.write_text(path.read_text("utf-8").replace("read_only:", "read_olny:"), "utf-8")
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert "read_olny" in done.stderr
