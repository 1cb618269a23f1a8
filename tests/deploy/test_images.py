"""Each image has the packages that its programs import, and the GPL is where the pages say.

Images are built and looked into on a cluster (tests/cluster/test_images.py). Here each program is
imported by an interpreter that finds only what is in the requirements of its image.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tools.pins import IMAGES

ROOT: Final = Path(__file__).resolve().parent.parent.parent
PIN: Final = re.compile(r"^([A-Za-z0-9_.-]+)==", re.MULTILINE)
CUSTODY: Final = ("wallets.__main__", "wallets.worker.server", "wallets.service.server")
BITCOIN: Final = ("wallets.bitcoin.adapter", "wallets.bitcoin.node_set", "wallets.bitcoin.holdings")
ETHEREUM: Final = (
    "wallets.ethereum.adapter",
    "wallets.ethereum.gathering",
    "wallets.ethereum.lane_leases",
    "wallets.ethereum.node_set",
)
TRON: Final = (
    "wallets.tron.adapter",
    "wallets.tron.gathering",
    "wallets.tron.ledger",
    "wallets.tron.node_set",
)
# Target of the Dockerfile: the file of its packages, and what runs in it.
PROGRAMS: Final = {
    "wallets-bitcoin": ("wallets", (*CUSTODY, *BITCOIN, *ETHEREUM, *TRON)),
    "wallets-ethereum": ("wallets-ethereum", (*CUSTODY, *ETHEREUM)),
    "wallets-tron": ("wallets-tron", (*CUSTODY, *TRON)),
    "signer": ("wallets", ("wallets.signer.__main__", "wallets.signer.server")),
    "approver": ("approver", ("wallets.approver.__main__", "wallets.approver.server")),
    "control": ("control", ("control.__main__",)),
    "cli": ("cli", ("cambist.cli.__main__",)),
}
# Top names of modules belong to distributions; one that the image has not is not found.
IMPORT: Final = """
import importlib, importlib.metadata, json, re, sys
wanted, modules = json.loads(sys.argv[1])
normal = lambda name: re.sub(r"[-_.]+", "-", name).lower()
owners = importlib.metadata.packages_distributions()
class OfTheImage:
    def find_spec(self, name, path=None, target=None):
        of = {normal(owner) for owner in owners.get(name, ())}
        if of and not of & {*wanted, "cambist"}:
            raise ModuleNotFoundError(f"No module named {name!r} in the image", name=name)
sys.meta_path.insert(0, OfTheImage())
for module in modules:
    importlib.import_module(module)
"""


def stage(target: str) -> str:
    """The lines of one target of the Dockerfile."""
    text = (ROOT / "Dockerfile").read_text("utf-8")
    return text.partition(f" AS {target}\n")[2].partition("\nFROM ")[0]


def packages(file: str) -> set[str]:
    """Names of the pinned packages, as packages are compared."""
    text = (ROOT / "requirements" / f"{file}.txt").read_text("utf-8")
    return {re.sub(r"[-_.]+", "-", name).lower() for name in PIN.findall(text)}


@pytest.mark.slow
@pytest.mark.parametrize("target", PROGRAMS)
def test_programs_import_nothing_that_their_image_has_not(target: str) -> None:
    file, modules = PROGRAMS[target]
    given = json.dumps([sorted(packages(file)), modules])
    told = subprocess.run(
        [sys.executable, "-c", IMPORT, given],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert told.returncode == 0, told.stderr


@pytest.mark.slow
def test_what_an_image_has_not_is_not_found_by_this_test() -> None:
    given = json.dumps([sorted(packages("approver")), ["wallets.bitcoin.adapter"]])
    told = subprocess.run(
        [sys.executable, "-c", IMPORT, given],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert told.returncode != 0
    assert "in the image" in told.stderr


@pytest.mark.parametrize("target", PROGRAMS)
def test_a_target_has_the_packages_of_its_file(target: str) -> None:
    file, _ = PROGRAMS[target]
    assert f"COPY --from={file}-packages /packages /packages" in stage(target)
    assert f"COPY requirements/{file}.txt /tmp/requirements.txt" in stage(f"{file}-packages")
    assert file in IMAGES


def test_code_under_the_gpl_is_in_two_images_which_say_so() -> None:
    holders = {target for target, (file, _) in PROGRAMS.items() if "bitcoinlib" in packages(file)}
    assert holders == {"wallets-bitcoin", "signer"}
    said = set(re.findall(r" AS (\S+)\n(?:(?!FROM ).*\n)*?LABEL .*GPL-3\.0-only", dockerfile()))
    assert said == holders
    for file in ("gateway", "matching"):
        assert "bitcoinlib" not in packages(file)


def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text("utf-8")


def test_every_pinned_file_of_an_image_is_built_into_one() -> None:
    used = set(re.findall(r"COPY requirements/(\S+)\.txt /tmp/requirements.txt", dockerfile()))
    assert used == IMAGES.keys() - {"dev"}
