"""Kernels with planted bugs: builds one per plant and hunts for it.

Used by the plants suite. A plant is a feature of `kernel/engine`; no build that is shipped has one.
Builds share one target directory without optimisation, so that each takes seconds; the modules go
to folders of their own, never into the environment that runs the tests.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
KERNEL: Final = Path(os.environ.get("CAMBIST_TEST_KERNEL_SOURCE", str(ROOT / "kernel")))
FOLDER: Final = ROOT / "build" / "plants"
PAGE: Final = ROOT / "docs" / "planted-bugs.md"
# The build without a plant, in which nothing may be found.
HONEST: Final = "honest"
BUILD_TIMEOUT_SECONDS: Final = 1_200
HUNT_TIMEOUT_SECONDS: Final = 600
ROW: Final = re.compile(
    r"\| (?P<bug>[^|]+) \| `(?P<plant>plant-[a-z-]+)` \| `(?P<test>[^`]+)` "
    r"\| (?P<commands>[\d,]+) \| (?P<rules>\d) \|"
)


@dataclass(frozen=True, slots=True)
class Planted:
    """A row of the page: a class of bug, its plant, its named test, and how soon it is found."""

    bug: str
    plant: str
    test: str
    commands: int
    rules_version: int


@dataclass(frozen=True, slots=True)
class Hunt:
    """What a hunt told: after how many commands the engines differed, and in what."""

    found_after: int | None
    aspect: str | None
    kernel_file: str


def page() -> list[Planted]:
    """The rows of the page."""
    return [
        Planted(
            row["bug"].strip(),
            row["plant"],
            row["test"],
            int(row["commands"].replace(",", "")),
            int(row["rules"]),
        )
        for row in ROW.finditer(PAGE.read_text(encoding="utf-8"))
    ]


def features() -> list[str]:
    """The plants that the engine's manifest knows."""
    manifest = tomllib.loads((KERNEL / "engine" / "Cargo.toml").read_text(encoding="utf-8"))
    return sorted(name for name in manifest["features"] if name.startswith("plant-"))


def cargo() -> str | None:
    """The Rust build tool, if there is one."""
    return shutil.which("cargo") or shutil.which("cargo", path=str(Path.home() / ".cargo" / "bin"))


def build(plant: str) -> Path:
    """Builds a kernel with a plant, or the honest one; the folder from which it is imported."""
    program = cargo()
    assert program is not None, "the plants suite needs a Rust compiler"
    target = FOLDER / "target"
    environment = os.environ | {
        "CARGO_TARGET_DIR": str(target),
        "CARGO_PROFILE_DEV_DEBUG": "0",
        # Planted bugs are found by what they do, not by assertions that a release lacks.
        "CARGO_PROFILE_DEV_DEBUG_ASSERTIONS": "false",
        "CARGO_PROFILE_DEV_OVERFLOW_CHECKS": "false",
        "PYO3_PYTHON": sys.executable,
        "PYO3_BUILD_EXTENSION_MODULE": "1",
    }
    command = [program, "build", "--quiet", "--package", "cambist-kernel"]
    if plant != HONEST:
        command += ["--features", f"cambist-engine/{plant}"]
    subprocess.run(command, cwd=KERNEL, env=environment, check=True, timeout=BUILD_TIMEOUT_SECONDS)
    folder = FOLDER / plant
    package = folder / "cambist_kernel"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(KERNEL / "python" / "python" / "cambist_kernel", package)
    (built,) = (target / "debug").glob("lib_cambist_kernel.*[!d]")
    shutil.copyfile(built, package / "_cambist_kernel.abi3.so")
    return folder


def hunt(folder: Path, seed: int, commands: int, rules_version: int) -> Hunt:
    """Lets the kernel of a folder meet the reference engine on the tape of a seed."""
    ran = subprocess.run(
        [
            sys.executable,
            *f"-m tests.differential --seed {seed} --commands {commands} --shrink 0".split(),
            *("--rules", str(rules_version)),
        ],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(folder)},
        check=True,
        capture_output=True,
        text=True,
        timeout=HUNT_TIMEOUT_SECONDS,
    )
    told = json.loads(ran.stdout)
    return Hunt(told["found_after"], told["aspect"], told["kernel_file"])
