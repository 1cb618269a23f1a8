"""Where a process of custody may die, found in its source, and ports before which it does die.

A crash point is an awaited call that may leave something behind: before it, and after it with its
answer lost; and a transaction: before it, before its commit, and after its commit with the answer
lost. Awaits within a transaction are none of their own, since whoever dies there has done nothing.
Whatever else a module awaits must be one, or its test fails: it is expected, and never reached.
"""

import ast
import contextlib
import inspect
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType, ModuleType
from typing import Any, Final, TypeVar, cast

Port = TypeVar("Port")

# What opens a transaction or a connection of the database, by whatever name.
OPENS: Final = ("changing", "_change", "transaction", "connection")
# Nothing happens in these but time.
PAUSES: Final = ("asyncio.sleep", "asyncio.wait", "asyncio.timeout", "asyncio.TaskGroup")
LOCKS: Final = ("self.turn",)


class Died(BaseException):
    """The process is gone; it cleans nothing up."""


@dataclass(frozen=True)
class Site:
    """An awaited call, a loop over one, or a transaction."""

    module: str
    line: int
    call: str

    @property
    def place(self) -> str:
        """Where it stands; the name of a point unless a test has another."""
        return f"{self.module}:{self.line} {self.call}"


def place_of(site: Site) -> str:
    return site.place


class Sites:
    """All crash points of some modules; `name` may make several of them one."""

    def __init__(self, *modules: ModuleType, name: Callable[[Site], str] = place_of) -> None:
        known = {module.__name__.rpartition(".")[2] for module in modules}
        self._at: dict[tuple[str, int], str] = {}
        self._transactions: set[str] = set()
        for module in modules:
            file = inspect.getsourcefile(module)
            assert file is not None
            for lines, site in sites_of(inspect.getsource(module), module.__name__, known):
                assert not {(file, line) for line in lines} & self._at.keys(), site.place
                self._at |= dict.fromkeys(((file, line) for line in lines), name(site))
                if site.call in OPENS:
                    self._transactions.add(name(site))

    def here(self) -> str:
        """The point at which the code that calls stands now."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            found = self._at.get((frame.f_code.co_filename, frame.f_lineno))
            if found is not None:
                return found
            frame = frame.f_back
        return ""

    def expected(self) -> set[str]:
        """Every place to die at."""
        whens = {
            name: ("before", "within", "after")
            if name in self._transactions
            else ("before", "after")
            for name in self._at.values()
        }
        return {f"{when} {name}" for name, all_of in whens.items() for when in all_of}


def sites_of(source: str, module: str, known: set[str]) -> Iterator[tuple[set[int], Site]]:
    """Each with the lines on which a frame stands while it is awaited."""
    tree = ast.parse(source)
    own = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
    }
    for function in ast.walk(tree):
        if not isinstance(function, ast.AsyncFunctionDef):
            continue
        given = {argument.arg for argument in ast.walk(function) if isinstance(argument, ast.arg)}
        for node in ast.walk(function):
            for lines, call in awaited(node):
                if not is_elsewhere(call, own, known, given):
                    yield lines, Site(module, node.lineno, name_of(call))  # type: ignore[attr-defined]


def awaited(node: ast.AST) -> Iterator[tuple[set[int], ast.expr]]:
    if isinstance(node, ast.Await):
        yield {node.lineno}, node.value
    elif isinstance(node, ast.AsyncFor):
        yield {node.lineno}, node.iter
    elif isinstance(node, ast.AsyncWith):
        for item in node.items:
            yield {node.lineno, item.context_expr.lineno}, item.context_expr


def is_elsewhere(call: ast.expr, own: set[str], known: set[str], given: set[str]) -> bool:
    """Whether nothing can be left behind here: a pause, the caller's or the callee's concern."""
    if not isinstance(call, ast.Call):
        return ast.unparse(call) in LOCKS
    if ast.unparse(call.func) in PAUSES:
        return True
    uses = [call.func.value] if isinstance(call.func, ast.Attribute) else []
    uses += call.args
    if any(isinstance(one, ast.Name) and one.id == "connection" for one in uses):
        # In a transaction that is open here or at a caller's.
        return True
    if isinstance(call.func, ast.Name):
        return (call.func.id in own and call.func.id not in OPENS) or call.func.id in given
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
        owner = call.func.value.id
        # Its own awaits are looked at where they stand.
        return owner in known or (owner == "self" and call.func.attr in own - set(OPENS))
    return False


def name_of(call: ast.expr) -> str:
    found = call.func if isinstance(call, ast.Call) else call
    return found.attr if isinstance(found, ast.Attribute) else getattr(found, "id", "")


@dataclass
class Countdown:
    """Dies when a point is passed for the n-th time, and then at every other: the dead do nothing.

    Without a point any counts; without a number it only keeps the names of those that it passes.
    """

    sites: Sites
    point: str = ""
    times: int = 0
    is_dead: bool = False
    names: list[str] = field(default_factory=list)

    def pass_point(self, when: str, name: str) -> None:
        if self.is_dead:
            raise Died(self.point)
        passed = f"{when} {name}"
        self.names.append(passed)
        if self.point in ("", passed):
            self.times -= 1
            if self.times == 0:
                self.is_dead = True
                raise Died(passed)

    def before(self, port: Port) -> Port:
        """The port as the process has it, typed as what it stands before."""
        return cast("Port", Mortal(port, self))

    async def stream(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """A stream of answers, each of which may be the last that arrives."""
        name = self.sites.here()
        while True:
            self.pass_point("before", name)
            item = await anext(items, None)
            self.pass_point("after", name)
            if item is None:
                return
            yield item


class Mortal:
    """Stands before a port of a process."""

    def __init__(self, port: Any, countdown: Countdown) -> None:
        self._port = port
        self._countdown = countdown

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if name in OPENS:
            return self._opened(found)
        if not inspect.iscoroutinefunction(found):
            return found

        async def call(*arguments: Any, **named: Any) -> Any:
            point = self._countdown.sites.here()
            self._countdown.pass_point("before", point)
            answer = await found(*arguments, **named)
            self._countdown.pass_point("after", point)
            return answer

        return call

    def _opened(self, found: Any) -> Any:
        @contextlib.asynccontextmanager
        async def transaction() -> AsyncIterator[Any]:
            point = self._countdown.sites.here()
            self._countdown.pass_point("before", point)
            async with found() as connection:
                yield connection
                self._countdown.pass_point("within", point)
            self._countdown.pass_point("after", point)

        return transaction


def choose(names: list[str], shown: set[str]) -> list[tuple[str, int]]:
    """First and last time of each point that no earlier world has shown."""
    counts = Counter(name for name in names if name not in shown)
    return [(name, times) for name, count in counts.items() for times in sorted({1, count})]


async def until_death(work: Awaitable[object]) -> None:
    """Until it is done, or dead."""
    try:
        await work
    except Died:
        pass
    except BaseExceptionGroup as group:
        if group.subgroup(Died) is None:
            raise


async def die_everywhere(
    sites: Sites,
    live: Callable[[Countdown], Awaitable[object]],
    go_on: Callable[[], Awaitable[object]],
    reached: set[str],
    shown: set[str] | None = None,
) -> None:
    """A fresh life for each point of a world; `go_on` is the next process, and what is checked.

    Points that were `shown`, as a rule those that were `reached` before, are left out.
    """
    whole = Countdown(sites)
    await live(whole)
    await go_on()
    for point, times in choose(whole.names, reached if shown is None else shown):
        countdown = Countdown(sites, point, times)
        await until_death(live(countdown))
        if countdown.is_dead:
            reached.add(point)
        await go_on()
