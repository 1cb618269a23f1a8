"""What is stored at one call is stored at once: there is no place within a call to die at.

With this, the points before and after each awaited call (`test_crashes`) are all that there are.
"""

import ast
import inspect
from types import ModuleType

import pytest

from wallets.core import store
from wallets.treasury import store as treasury_store

OPENS = ("changing", "_change", "transaction")
# Calls that commit by themselves.
COMMITS = ("claim", "gather", "write")
# A claim of its mates, and then a look at them: who dies between has taken leases, which run out.
LOOKS_AFTERWARDS = {"gather"}


def name_of(call: ast.expr) -> str:
    if not isinstance(call, ast.Call):
        return ""
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def commits_of(method: ast.AsyncFunctionDef) -> int:
    opened = [
        item
        for node in ast.walk(method)
        if isinstance(node, ast.AsyncWith)
        for item in node.items
        if name_of(item.context_expr) in OPENS
    ]
    by_themselves = [
        node
        for node in ast.walk(method)
        if isinstance(node, ast.Await) and name_of(node.value) in COMMITS
    ]
    return len(opened) + len(by_themselves)


def awaits_outside(method: ast.AsyncFunctionDef) -> list[str]:
    """Awaited calls before or after the transaction of a method that opens one."""
    inside: set[int] = set()
    for node in ast.walk(method):
        if isinstance(node, ast.AsyncWith) and name_of(node.items[0].context_expr) in OPENS:
            inside |= {id(one) for one in ast.walk(node)}
    if not inside:
        return []
    awaited = [node for node in ast.walk(method) if isinstance(node, ast.Await)]
    return [ast.unparse(node) for node in awaited if id(node) not in inside]


def methods_of(module: ModuleType) -> list[ast.AsyncFunctionDef]:
    nodes = ast.walk(ast.parse(inspect.getsource(module)))
    return [
        node
        for node in nodes
        if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_")
    ]


@pytest.mark.parametrize("module", [store, treasury_store])
def test_every_call_of_a_store_commits_once_and_awaits_nothing_beside(module: ModuleType) -> None:
    methods = methods_of(module)
    assert len(methods) > 8
    several = {method.name for method in methods if commits_of(method) > 1}
    assert several - LOOKS_AFTERWARDS == set()
    beside = {method.name: awaits_outside(method) for method in methods}
    assert {name for name, found in beside.items() if found} - LOOKS_AFTERWARDS == set()


@pytest.mark.parametrize(
    ("body", "commits", "beside"),
    [
        ("async with changing(d, A) as c:\n  await c.execute('')", 1, 0),
        (
            "async with changing(d, A) as c:\n  await c.execute('')\n await self._signer.sign(p)",
            1,
            1,
        ),
        (
            "async with self._change(m) as c:\n  pass\n async with self._change(m) as c:\n  pass",
            2,
            0,
        ),
        ("await self._database.write(Q)\n await self._database.write(Q)", 2, 0),
    ],
)
def test_what_is_stored_in_two_parts_is_found(body: str, commits: int, beside: int) -> None:
    (method,) = ast.parse(f"async def store(self):\n {body}\n").body
    assert isinstance(method, ast.AsyncFunctionDef)
    assert (commits_of(method), len(awaits_outside(method))) == (commits, beside)
