"""What is in the images: pinned packages, the GPL in two alone, no rights, a bounded size."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.cluster.conftest import ROOT
from tests.cluster.venue import TAG, Venue, run
from tools import sbom

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

# What is in each image: the file of its packages, and its folders of code.
IMAGES: Final = {
    "gateway": ("gateway", {"gateway", "runtime"}),
    "matching": ("matching", {"matching", "runtime"}),
    "control": ("control", {"control", "runtime"}),
    "wallets-bitcoin": ("wallets", {"wallets", "runtime"}),
    "wallets-ethereum": ("wallets-ethereum", {"wallets", "runtime"}),
    "wallets-tron": ("wallets-tron", {"wallets", "runtime"}),
    "signer": ("wallets", {"wallets", "runtime"}),
    "approver": ("approver", {"wallets", "runtime"}),
    "cli": ("cli", set()),
}
SIZE_MAX_BYTES: Final = 600_000_000
PIN: Final = re.compile(r"^([A-Za-z0-9_.-]+)==(\S+)")
# Needs no package: runs in every image that has Python.
LOOK: Final = """
import importlib.metadata, json, os, pathlib
found = {one.name: one.version for one in importlib.metadata.distributions(path=['/packages'])}
try:
    pathlib.Path('/app/written').touch()
    writable = True
except OSError:
    writable = False
print(json.dumps({'packages': found, 'user': os.getuid(), 'writable': writable,
                  'folders': sorted(os.listdir('/app'))}))
"""
INVENTORY: Final = (ROOT / "tools" / "sbom.py").read_text("utf-8")


def pod(service: str) -> dict[str, Any]:
    """Looks into an image; no user is named, so the image's own counts."""
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    programs = {"look": [LOOK], "inventory": [INVENTORY, "collect"]}
    containers = [
        {
            "name": name,
            "image": f"cambist-{service}:{TAG}",
            "imagePullPolicy": "Never",
            "command": ["python", "-c", *program],
            "securityContext": security,
        }
        for name, program in programs.items()
    ]
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        # The kubelet refuses an image whose user is root, or has only a name.
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": containers,
    }
    metadata = {"name": f"look-{service}"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


@pytest.fixture(scope="module")
def looks() -> Iterator[dict[str, Any]]:
    """What each image's pod said."""
    if "KUBECONFIG" not in os.environ or not shutil.which("kubectl"):
        pytest.skip("no cluster: set KUBECONFIG, with kubectl on the path")
    venue = Venue()
    try:
        venue.apply(*(pod(service) for service in IMAGES))
        found = {}
        for service in IMAGES:
            name = f"look-{service}"
            done = "--for=jsonpath={.status.phase}=Succeeded"
            venue.kubectl("wait", f"pod/{name}", done, "--timeout=60s")
            found[service] = json.loads(venue.kubectl("logs", name, "--container", "look"))
            inventory = venue.kubectl("logs", name, "--container", "inventory")
            found[service]["inventory"] = sbom.read(inventory)
        yield found
    finally:
        venue.remove()


def pinned(file: str) -> dict[str, str]:
    """Names as packages are compared, and versions, of a requirements file."""
    text = (ROOT / "requirements" / f"{file}.txt").read_text("utf-8")
    matches = [PIN.match(line) for line in text.splitlines()]
    return {normal(match[1]): match[2] for match in matches if match}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("service", IMAGES)
def test_an_image_holds_nothing_but_pinned_packages_and_its_own_code(
    looks: dict[str, Any], service: str
) -> None:
    found = {normal(name): version for name, version in looks[service]["packages"].items()}
    print(service, json.dumps(found))
    kernel = {"cambist-kernel"} if service in ("gateway", "matching") else set()
    assert kernel <= found.keys()
    file, folders = IMAGES[service]
    wanted = pinned(file)
    strange = {name for name in found.keys() - kernel if wanted.get(name) != found[name]}
    assert strange == set()
    assert looks[service]["folders"] == sorted({"cambist", *folders})


@pytest.mark.parametrize("service", IMAGES)
def test_the_bill_of_materials_names_what_is_in_the_image(
    looks: dict[str, Any], service: str
) -> None:
    made = sbom.document(f"cambist-{service}:{TAG}", looks[service]["inventory"])
    told = {one.get("purl") for one in made["components"]}
    for name, version in looks[service]["packages"].items():
        assert f"pkg:pypi/{name.lower().replace('_', '-')}@{version}" in told
    kinds = {purl.partition("/")[0] for purl in told if purl}
    print(service, len(made["components"]), "components of", sorted(kinds))
    assert {"pkg:pypi", "pkg:deb", "pkg:generic"} <= kinds
    has_kernel = any(purl and purl.startswith("pkg:cargo/cambist-engine@") for purl in told)
    assert has_kernel == (service in ("gateway", "matching"))


@pytest.mark.parametrize("service", IMAGES)
def test_an_image_runs_without_rights_and_cannot_change_itself(
    looks: dict[str, Any], service: str
) -> None:
    assert looks[service]["user"] == 10001
    assert looks[service]["writable"] is False


def test_two_images_alone_hold_code_under_the_gpl(looks: dict[str, Any]) -> None:
    """Those that sign for Bitcoin or read its addresses."""
    holders = {name for name, look in looks.items() if "bitcoinlib" in look["packages"]}
    assert holders == {"wallets-bitcoin", "signer"}


def test_no_image_is_large(looks: dict[str, Any]) -> None:
    images = json.loads(run("kubectl", "get", "nodes", "--output", "json"))["items"][0]["status"]
    sizes = {
        name.rpartition("/")[2]: image["sizeBytes"]
        for image in images["images"]
        for name in image["names"] or ()
        if name.endswith(f":{TAG}")
    }
    for service in (*looks, "edge", "postgres"):
        size_bytes = sizes[f"cambist-{service}:{TAG}"]
        print(f"cambist-{service}: {size_bytes / 1e6:.0f} MB")
        assert size_bytes < SIZE_MAX_BYTES, service
