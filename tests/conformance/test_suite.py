"""Somebody else's cases for matching engines, run against the kernel through a small adapter."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("cambist_kernel", reason="the kernel: make kernel")

ROOT = Path(__file__).resolve().parents[2]
ADAPTER = [sys.executable, "-m", "tests.conformance.adapter"]
# Cases that do not apply, and why.
LEFT_OUT = {"pro-rata-allocation": "the venue has no pro-rata markets"}
PROFILES = "fifo-limit-v1", "fifo-full-v1", "fifo-partial-fill-v1"
TRACES = 10


def conformance(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "tracebook.conformance.cli", *arguments]
    return subprocess.run(
        [*program, "--timeout", "60", "--candidate", *ADAPTER],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_kernel_passes_all_cases_that_apply(version: str, tmp_path: Path) -> None:
    suite, told = tmp_path / "suite", tmp_path / "told.json"
    copied = [sys.executable, "-m", "tracebook.conformance.cli", "sample", str(suite)]
    subprocess.run([*copied, "--suite-version", version], check=True, capture_output=True)
    conformance("suite", str(suite), "--output", str(told))
    cases = {case["name"]: case for case in json.loads(told.read_text())["cases"]}
    failed = {
        name: case["report"]["divergence"]
        for name, case in cases.items()
        if not case["report"]["conformant"]
    }
    assert set(failed) == set(LEFT_OUT), failed
    assert len(cases) > len(LEFT_OUT)


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
def test_generated_traces_end_alike(profile: str, tmp_path: Path) -> None:
    done = conformance(
        "campaign",
        "--output-dir",
        str(tmp_path / "told"),
        "--profile",
        profile,
        "--traces",
        str(TRACES),
    )
    assert done.returncode == 0, done.stdout + done.stderr
