"""What the chart renders, line by line: a change of a template shows what it does to the objects.

`CAMBIST_UPDATE_GOLDEN=1` writes the files anew; read the difference before committing it. What is
made at random, and all definitions, are left out.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
CHART = HERE.parent.parent / "helm" / "cambist"
NAMES = sorted(path.stem for path in (HERE / "values").glob("*.yaml"))
RANDOM = re.compile(
    r"^(  (?:[a-z.-]+\.pem|token-secret|password|dsn): |.*checksum/[a-z]+: )\S+", re.MULTILINE
)
SCRIPT = re.compile(r"^(  [a-z_.]+\.(?:py|json): ).*$", re.MULTILINE)

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(not shutil.which("helm"), reason="no helm on the path"),
]


def render(name: str) -> str:
    values = HERE / "values" / f"{name}.yaml"
    done = subprocess.run(
        [
            *("helm", "template", "venue", str(CHART), "--kube-version", "1.35.0"),
            *("--values", str(values), "--set", "crds.install=false"),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return SCRIPT.sub(r"\1…", RANDOM.sub(r"\1…", done.stdout))


@pytest.mark.parametrize("name", NAMES)
def test_the_chart_renders_what_was_agreed(name: str) -> None:
    golden = HERE / "golden" / f"{name}.yaml"
    rendered = render(name)
    if os.environ.get("CAMBIST_UPDATE_GOLDEN") == "1":
        golden.write_text(rendered, "utf-8")
    assert rendered == golden.read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_two_renders_differ_only_in_what_is_random(name: str) -> None:
    assert render(name) == render(name)
