"""Recordings of other tools become runs: one module a format, found by what a file begins with.

To add a format: a module with `FORMAT`, `sniff(head, name)` and `read(path)`, its name in `_FORMATS`, and a test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

from costlab.errors import BadInput
from costlab.runs import Run

_HEAD = 65_536  # bytes of a file that detection looks at

# In order of detection: what names itself first, what is recognised by the shape of its records later.
_FORMATS = ("own", "claude_code", "codex", "gemini_cli", "smolagents", "langfuse", "openinference")


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file held: its format, its runs, and how many records were merged into others."""

    path: str
    format: str
    runs: tuple[Run, ...]

    @property
    def merged_records(self) -> int:
        """Return how many records repeated others and were not counted again."""
        return sum(run.merged_records for run in self.runs)


def _modules() -> Iterator[ModuleType]:
    for name in _FORMATS:
        yield import_module(f"costlab.importers.{name}")


def formats() -> tuple[str, ...]:
    """Return the names of all formats that can be read."""
    return tuple(module.FORMAT for module in _modules())


def detect(path: Path) -> ModuleType:
    """Return the module of a file's format by what it begins with; raises BadInput."""
    try:
        with path.open("rb") as source:
            head = source.read(_HEAD)
    except OSError as problem:
        raise BadInput(f"cannot be read: {problem.strerror or problem}", file=path.name) from None
    if not head.strip():
        raise BadInput("is empty", file=path.name)
    for module in _modules():
        if module.sniff(head, path.name):
            return module
    raise BadInput(f"is of no known format; known: {', '.join(formats())}", file=path.name)


def read_file(path: Path, format: str | None = None) -> Imported:
    """Return the runs of a file, its format detected unless it is named; raises BadInput."""
    if format is None:
        module = detect(path)
    else:
        named = [one for one in _modules() if format == one.FORMAT]
        if not named:
            raise BadInput(f"no format is named {format!r}; known: {', '.join(formats())}", field="format")
        module = named[0]
    return Imported(str(path), module.FORMAT, tuple(module.read(path)))
