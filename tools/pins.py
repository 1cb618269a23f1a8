"""Compiles pyproject.toml into the pinned requirement files.

`make pins` runs it after a dependency changed; `--check` proves that the pinned files still
satisfy pyproject.toml. All images share one resolution (constraints.txt), so that two services
never run two versions of one library. The files hold versions and hashes and must never hold the
address of an index: every machine has its own.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
REQUIREMENTS: Final = ROOT / "requirements"
CONSTRAINTS: Final = REQUIREMENTS / "constraints.txt"
# The file of each image, and the extras of pyproject.toml that it installs.
IMAGES: Final[dict[str, tuple[str, ...]]] = {
    "gateway": ("gateway",),
    "matching": ("matching",),
    "wallets": ("wallets",),
    "wallets-ethereum": ("ethereum",),
    "wallets-tron": ("tron",),
    "approver": ("custody",),
    "control": ("control",),
    "cli": (),
    "dev": ("dev",),
}
COMMON_OPTIONS: Final = (
    "--universal",
    "--python-version=3.11",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--custom-compile-command=make pins",
    "--quiet",
)


def compile_file(uv: str, output: Path, options: list[str]) -> None:
    """Resolves pyproject.toml into `output`; versions already there stay while they fit."""
    command = [uv, "pip", "compile", "pyproject.toml", *COMMON_OPTIONS, *options]
    subprocess.run([*command, f"--output-file={output}"], cwd=ROOT, check=True)


def compile_all(uv: str, *, upgrade: bool) -> None:
    """Writes constraints.txt first, then one hashed file per image under those constraints."""
    compile_file(uv, CONSTRAINTS, ["--all-extras", *(["--upgrade"] if upgrade else [])])
    for image, extras in IMAGES.items():
        options = ["--generate-hashes", f"--constraints={CONSTRAINTS.relative_to(ROOT)}"]
        options += [f"--extra={extra}" for extra in extras]
        compile_file(uv, REQUIREMENTS / f"{image}.txt", options)


def main() -> int:
    """Compiles, or with --check compiles and reports whether a file changed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail when a pinned file is stale")
    parser.add_argument("--upgrade", action="store_true", help="take newer versions that fit")
    arguments = parser.parse_args()
    uv = shutil.which("uv")
    if uv is None:
        sys.exit("make pins needs uv: python3 -m pip install --user uv")
    before = {path: path.read_bytes() for path in REQUIREMENTS.glob("*.txt")}
    compile_all(uv, upgrade=arguments.upgrade)
    after = {path: path.read_bytes() for path in REQUIREMENTS.glob("*.txt")}
    changed = sorted(path.name for path in after if before.get(path) != after[path])
    print("changed:", ", ".join(changed) if changed else "nothing")
    return 1 if arguments.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
