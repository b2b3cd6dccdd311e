"""What every run of the tests keeps: nothing is skipped unseen, browsers come last, the core can be tested alone.

- Where `CI` is set, a skipped test fails unless its reason is one of `MAY_SKIP`; a test of recorded data may be
  skipped only where there is no such data.
- `--core-only` leaves out every file that needs an extra (`app`, `agents`, `local`), found by its imports, and every
  test marked `needs(...)` or `source`: what remains is run on the lowest versions that the core allows.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAY_SKIP = ("needs Windows", "needs POSIX", "needs macOS")
NO_DATA = "no recorded data"
# What an install without extras has, and the tools that run the tests.
CORE = {"filelock", "genai_prices", "platformdirs", "pydantic", "yaml", "pytest", "_pytest", "hypothesis"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--core-only", action="store_true", help="only tests that need none of the extras")


def may_skip(reason: str) -> bool:
    """Tell whether a test may be skipped for this reason where CI is set."""
    if NO_DATA in reason:
        from conftest import shared_folder

        return shared_folder() is None
    return any(allowed in reason for allowed in MAY_SKIP)


def refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure where CI is set and its reason is not an allowed one."""
    if not os.environ.get("CI") or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    if not may_skip(reason):
        report.outcome = "failed"
        report.longrepr = f"skipped where CI is set, and nothing may be: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    refuse_skip(report)
    return report


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if config.getoption("--core-only") and collection_path.suffix == ".py" and foreign(collection_path, True):
        return True
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--core-only"):
        left_out = ("needs", "source")
        extra = [i for i in items if any(i.get_closest_marker(name) for name in left_out) or in_browser(i)]
        config.hook.pytest_deselected(items=extra)
        items[:] = [item for item in items if item not in extra]
    # Playwright keeps an event loop in this thread while a browser is open, so nothing that starts one may follow.
    items.sort(key=in_browser)


def in_browser(item: pytest.Item) -> bool:
    """Tell whether a test opens a browser."""
    return "browser" in getattr(item, "fixturenames", ())


def imported(tree: ast.AST, everywhere: bool) -> Iterator[str]:
    """Yield the dotted names that a module imports: on loading it, or also inside its functions."""
    for node in ast.walk(tree) if everywhere else loaded(tree):
        match node:
            case ast.Import():
                yield from (name.name for name in node.names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module
                yield from (f"{module}.{name.name}" for name in node.names)
            case ast.Call(func=ast.Attribute(attr="importorskip"), args=[ast.Constant(value=str(name)), *_]):
                yield name


def loaded(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run when a module is loaded: all but the bodies of functions and of `if TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from loaded(node)


def home_of(name: str) -> Path | None:
    """Return the project's file of a dotted name, or None where it is not the project's module."""
    for base in (ROOT, ROOT / "tests"):
        path = base.joinpath(*name.split("."))
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return file
    return None


@cache
def foreign(file: Path, everywhere: bool = False) -> frozenset[str]:
    """Return the packages beyond the core that a file, or what it imports of the project, needs to be loaded."""
    found: set[str] = set()
    waiting, seen = [(file, everywhere)], {file}
    while waiting:
        current, deep = waiting.pop()
        for name in imported(ast.parse(current.read_text(encoding="utf-8")), deep):
            here = home_of(name)
            if here is not None and here not in seen:
                seen.add(here)
                waiting.append((here, False))
            top = name.split(".")[0]
            own = top == "costlab" or home_of(top) is not None
            if not own and top not in sys.stdlib_module_names and top not in CORE:
                found.add(top)
    return frozenset(found)
