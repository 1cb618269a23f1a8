"""Generates the Python of the contract from protos/, or checks that what is committed is current.

`make protos` writes *_pb2.py, *_pb2_grpc.py and their typed stubs below cambist/; `make
protos-check` does the same in a temporary folder and fails on any difference, then lints the
contract and looks for changes that would break a client. Nothing else may write those files.
"""

import argparse
import importlib.resources
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from google.rpc import status_pb2
from grpc_tools import protoc

ROOT: Final = Path(__file__).resolve().parent.parent
PROTOS: Final = ROOT / "protos"
PACKAGE: Final = "cambist"
PACKAGE_DOCSTRING: Final = '"""Generated from protos/ by `make protos`; not written by hand."""\n'
GENERATED_PATTERNS: Final = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*_pb2_grpc.pyi")
# Where the contract of the last landed state lives; a fresh repository without a commit has none.
BREAKING_AGAINST: Final = ".git#branch=main,subdir=protos"


def proto_files() -> list[str]:
    """All files of the contract, relative to protos/."""
    return sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))


def generate(target: Path) -> None:
    """Writes the generated packages below `target`; exits when protoc refuses a file."""
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    # google/rpc/*.proto come with googleapis-common-protos, beside their generated modules.
    google_rpc = Path(status_pb2.__file__).parent.parent.parent
    plugins = Path(sys.executable).parent
    arguments = [
        "protoc",
        f"-I{PROTOS}",
        f"-I{well_known}",
        f"-I{google_rpc}",
        f"--plugin=protoc-gen-mypy={plugins / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={plugins / 'protoc-gen-mypy_grpc'}",
        f"--python_out={target}",
        f"--mypy_out=quiet:{target}",
        f"--grpc_python_out={target}",
        f"--mypy_grpc_out=quiet:{target}",
        *proto_files(),
    ]
    if protoc.main(arguments) != 0:
        sys.exit("protoc refused the contract")
    remove_empty_services(target)
    for folder in generated_packages():
        (target / folder / "__init__.py").write_text(PACKAGE_DOCSTRING)


def remove_empty_services(target: Path) -> None:
    """Removes the service modules of files that declare no service: they would hold nothing."""
    for name in proto_files():
        if "\nservice " in (PROTOS / name).read_text():
            continue
        for suffix in ("_pb2_grpc.py", "_pb2_grpc.pyi"):
            (target / name.replace(".proto", suffix)).unlink()


def generated_packages() -> list[Path]:
    """The packages that hold generated modules, and those above them."""
    folders = {Path(name).parent for name in proto_files()}
    parents = {parent for folder in folders for parent in folder.parents if parent.parts}
    return sorted(folders | parents)


def generated_files(target: Path) -> dict[str, bytes]:
    """Generated modules and stubs below `target`, by path relative to it."""
    found = {path for pattern in GENERATED_PATTERNS for path in (target / PACKAGE).rglob(pattern)}
    return {str(path.relative_to(target)): path.read_bytes() for path in found}


def write() -> None:
    """Brings the committed files up to date; modules whose proto is gone are removed."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        wanted = generated_files(Path(folder)) | package_files(Path(folder))
    for name, content in wanted.items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # A package that also holds written code (cambist itself) keeps its own docstring.
        if path.name != "__init__.py" or not path.exists():
            path.write_bytes(content)
    for name in generated_files(ROOT).keys() - wanted.keys():
        (ROOT / name).unlink()


def package_files(target: Path) -> dict[str, bytes]:
    """The `__init__.py` of each generated package, by path relative to `target`."""
    paths = [folder / "__init__.py" for folder in generated_packages()]
    return {str(path): (target / path).read_bytes() for path in paths}


def differences() -> list[str]:
    """Names of generated files that are missing, left over or different from what protos/ says."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        wanted = generated_files(Path(folder))
    present = generated_files(ROOT)
    names = wanted.keys() | present.keys()
    return sorted(name for name in names if wanted.get(name) != present.get(name))


def buf(*arguments: str) -> int:
    """Runs buf in the repository and returns its exit status."""
    program = Path(sys.executable).parent / "buf"
    return subprocess.run([program, *arguments], cwd=ROOT, check=False).returncode


def committed_contract_exists() -> bool:
    """Whether main already holds a contract; a clone of one branch may have no main."""
    command = ["git", "cat-file", "-e", "main:protos"]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode == 0


def check() -> int:
    """Returns 0 when generated code, lint and compatibility are all in order."""
    stale = differences()
    for name in stale:
        print(f"differs from protos/: {name}")
    if stale:
        print("run `make protos` and commit the result")
    failed = bool(stale)
    failed |= buf("lint") != 0
    if committed_contract_exists():
        failed |= buf("breaking", "--against", BREAKING_AGAINST) != 0
    else:
        print("no contract on main to compare with: compatibility not checked")
    return int(failed)


def main() -> int:
    """Writes, or with --check compares."""
    parser = argparse.ArgumentParser(description="Generates or checks the Python of the contract.")
    parser.add_argument("--check", action="store_true", help="compare only, exit 1 on a difference")
    if parser.parse_args().check:
        return check()
    write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
