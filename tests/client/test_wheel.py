"""The wheel that firms install: typed, with its program, without what is ours alone."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_is_typed_and_whole(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert "cambist/py.typed" in names
    for module in ("client/session", "cli/main", "replay/player"):
        assert f"cambist/{module}.py" in names
    assert "cambist/orders/v1/commands_pb2.pyi" in names


def test_the_wheel_holds_the_public_contract_only(wheel: zipfile.ZipFile) -> None:
    assert [name for name in wheel.namelist() if name.startswith("cambist/internal")] == []
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"cambist"}


def test_nothing_in_the_wheel_needs_what_is_left_out(wheel: zipfile.ZipFile) -> None:
    wrong = [
        name
        for name in wheel.namelist()
        if name.endswith((".py", ".pyi")) and b"cambist.internal" in wheel.read(name)
    ]
    assert wrong == []


def test_the_wheel_brings_the_program(wheel: zipfile.ZipFile) -> None:
    (path,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "cambist = cambist.cli:main" in wheel.read(path).decode()
