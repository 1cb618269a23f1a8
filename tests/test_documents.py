"""Pages that are generated say what the code says."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_page_of_methods_is_what_the_gateway_says() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "gateway", "methods"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
    page = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    assert page.endswith(told), "write docs/methods.md anew with `python -m gateway methods`"
