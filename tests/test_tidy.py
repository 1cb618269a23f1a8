"""Rules of this repository that no linter knows. Each test names what breaks a rule, and where.

The rules are those of CONTRIBUTING.md. Files come from git's index and from the work tree, so that
a new file is judged before it is committed.
"""

import ast
import re
import site
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SERVICES = ("gateway", "matching", "wallets", "control")
PACKAGES = (*SERVICES, "cambist", "runtime", "venue", "benchmarks", "tools", "tests")
GENERATED = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi")
LINES_MAX = 800
LINES_MAX_WITHOUT_REASON = 500
FUNCTION_LINES_MAX = 70
REASON = "long because"


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = (ROOT / name for name in listed.split("\0") if name)
    return sorted(path for path in paths if path.is_file())


FILES = tracked_files()
PYTHON = [path for path in FILES if path.suffix == ".py" and not path.name.endswith(GENERATED)]
RUST = [path for path in FILES if path.suffix == ".rs"]


def shown(path: Path, line: int = 0) -> str:
    place = str(path.relative_to(ROOT))
    return f"{place}:{line}" if line else place


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return
    yield from enumerate(text.splitlines(), 1)


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_module_is_a_drawer() -> None:
    drawers = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
    assert [shown(path) for path in [*PYTHON, *RUST] if path.stem in drawers] == []


def test_a_long_file_says_why() -> None:
    wrong = []
    for path in [*PYTHON, *RUST]:
        lines = path.read_text(encoding="utf-8").splitlines()
        reason = REASON in " ".join(lines[:30]).lower()
        if len(lines) > LINES_MAX or (len(lines) > LINES_MAX_WITHOUT_REASON and not reason):
            wrong.append(f"{shown(path)}: {len(lines)} lines")
    assert wrong == []


def test_functions_fit_a_screen() -> None:
    wrong = []
    for path in PYTHON:
        for function in functions(ast.parse(path.read_text(encoding="utf-8"))):
            length = (function.end_lineno or function.lineno) - function.lineno + 1
            if length > FUNCTION_LINES_MAX:
                wrong.append(f"{shown(path, function.lineno)} {function.name}: {length} lines")
    assert wrong == []


def test_nothing_is_left_for_later() -> None:
    words = re.compile(
        "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "todo" + "!", "unimplemented" + "!"])
    )
    marks = [
        shown(path, number)
        for path in [*PYTHON, *RUST]
        for number, line in text_lines(path)
        if words.search(line)
    ]
    assert marks == []


def test_no_placeholder_is_left_in_a_document() -> None:
    wrong = [
        shown(path, number)
        for path in FILES
        if path.suffix == ".md"
        for number, line in text_lines(path)
        if "PLACE" + "HOLDER" in line
    ]
    assert wrong == []


def test_money_never_meets_a_float() -> None:
    wrong = []
    for path in PYTHON:
        if path.relative_to(ROOT).parts[0] not in ("matching", "wallets"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if is_call and node.func.id == "float":  # type: ignore[attr-defined]
                wrong.append(shown(path, node.lineno))  # type: ignore[attr-defined]
    assert wrong == []


def test_no_text_names_a_machine_path_or_a_registry() -> None:
    # Put together here, so that this file does not hold them itself.
    roots = "|".join(["wo" + "rk", "ro" + "ot", "ho" + "me/[a-z]+"])
    hosts = "|".join(
        [
            "py" + r"pi\.org",
            "pythonho" + "sted",
            r"(static|index)\.cra" + "tes",
            r"registry\.np" + "mjs",
        ]
    )
    pattern = re.compile(rf"(^|[^A-Za-z0-9_./-])/({roots})/|{hosts}")
    wrong = [
        shown(path, number)
        for path in FILES
        if path.name != "Cargo.lock"
        for number, line in text_lines(path)
        if pattern.search(line)
    ]
    assert wrong == []


def test_no_module_is_dead() -> None:
    """Every module is imported somewhere, by name or by a table, is run, or is found by a tool."""
    imported: set[str] = set()
    for path in PYTHON:
        package = (
            module_name(path)
            if path.name == "__init__.py"
            else module_name(path).rpartition(".")[0]
        )
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                imported.add(node.value)
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                source = node.module or ""
                if node.level:
                    base = package.split(".")[: len(package.split(".")) - node.level + 1]
                    source = ".".join([*base, *([source] if source else [])])
                imported |= {source, *(f"{source}.{alias.name}" for alias in node.names)}
    named = "\n".join(
        path.read_text(encoding="utf-8")
        for path in FILES
        if path.name in ("Makefile", "pyproject.toml", "run", "README.md") or path.suffix == ".sh"
    )
    dead = []
    for path in PYTHON:
        parts = path.relative_to(ROOT).parts
        found_by_tools = path.name in ("__init__.py", "__main__.py", "conftest.py")
        found_by_tools |= parts[0] == "kernel" or parts[-2:] == ("alembic", "env.py")
        found_by_tools |= (
            path.name.startswith("test_") or parts[0] == "examples" or "migrations" in parts
        )
        if (
            not found_by_tools
            and module_name(path) not in imported
            and module_name(path) not in named
        ):
            dead.append(shown(path))
    assert dead == [], dead


def test_no_package_of_ours_is_named_like_the_standard_library() -> None:
    ours = {
        path.relative_to(ROOT).parts[0] for path in PYTHON if len(path.relative_to(ROOT).parts) > 1
    }
    assert ours & sys.stdlib_module_names == set()


def test_no_dependency_ships_a_package_named_like_ours() -> None:
    """Such a folder may be taken for ours; make setup removes the one of bitcoinlib."""
    folders = [Path(folder) / name for folder in site.getsitepackages() for name in PACKAGES]
    wrong = [folder.name for folder in folders if folder.is_dir()]
    assert wrong == []


def test_every_test_file_holds_a_test() -> None:
    wrong = [
        shown(path)
        for path in PYTHON
        if path.name.startswith("test_")
        and not re.search(
            r"^\s*(async )?def test_|TestCase", path.read_text(encoding="utf-8"), re.MULTILINE
        )
    ]
    assert wrong == []


def promised_tests() -> list[tuple[int, str]]:
    page = ROOT / "docs" / "promises.md"
    return [
        (number, name)
        for number, line in text_lines(page)
        for name in re.findall(r"`((?:tests|kernel|benchmarks|venue)/[^`]+)`", line)
    ]


def test_every_promise_names_a_test_that_exists() -> None:
    promised = promised_tests()
    assert promised, "docs/promises.md names tests"
    wrong = []
    for number, name in promised:
        file, _, test = name.partition("::")
        path = ROOT / file
        if not path.exists() or (test and f"{test}" not in path.read_text(encoding="utf-8")):
            wrong.append(f"docs/promises.md:{number} {name}")
    assert wrong == []


def relative_links() -> list[tuple[Path, int, str]]:
    return [
        (path, number, target)
        for path in FILES
        if path.suffix == ".md"
        for number, line in text_lines(path)
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", line)
        if "://" not in target
    ]


@pytest.mark.parametrize("link", relative_links(), ids=lambda link: f"{link[0].name}:{link[1]}")
def test_links_of_documents_lead_somewhere(link: tuple[Path, int, str]) -> None:
    path, _, target = link
    assert (path.parent / target).exists()
