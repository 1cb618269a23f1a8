"""The example of the documentation runs as it stands."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("cambist_kernel", reason="the kernel: make kernel")
ROOT = Path(__file__).resolve().parents[2]
PNG = b"\x89PNG"


@pytest.mark.slow
def test_the_example_trades_and_draws(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    script = ROOT / "examples" / "backtest_market_maker.py"
    done = subprocess.run(
        [sys.executable, str(script), str(picture)], capture_output=True, text=True, check=True
    )
    assert " trades, " in done.stdout
    assert picture.read_bytes().startswith(PNG)


def test_the_page_shows_code_that_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "backtest.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].split("```")[0]
    exec(compile(code, "docs/backtest.md", "exec"), {})
    assert "65000.00" in capsys.readouterr().out
