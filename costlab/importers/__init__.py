"""Recordings of other tools become runs: one module a format, found by what a file begins with.

To add a format: a module with `FORMAT`, `sniff(head, name)` and `read(path)`, its name in `_FORMATS`, and a test.
What each format counts once, and what it cannot know, is in `docs/importers.md`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from costlab.errors import BadInput, NoRecording, TooLarge
from costlab.files import Source
from costlab.importers.documents import json_file
from costlab.runs import Run
from costlab.store import inherited
from costlab.usage import UsageWarning

if TYPE_CHECKING:
    from costlab.importers.table import TableMapping

_HEAD = 65_536  # bytes of a file that detection looks at

# In order of detection: what names itself first, what is recognised by the shape of its records later.
_FORMATS = (
    "own",
    "claude_code",
    "claude_stream",
    "codex",
    "gemini_cli",
    "smolagents",
    "langfuse",
    "openinference",
    "table",
)

# What is packed is not unpacked here: a small file could hold more than any bound allows.
_PACKED = {b"PK\x03\x04": "a zip archive (or a spreadsheet; save that as CSV)", b"\x1f\x8b": "packed with gzip"}


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


def detect(path: Source) -> ModuleType:
    """Return the module of a file's format by what it begins with; raises BadInput."""
    try:
        with path.open("rb") as source:
            head = source.read(_HEAD)
    except OSError as problem:
        raise BadInput(f"cannot be read: {problem.strerror or problem}", file=path.name) from None
    if not head.strip():
        raise NoRecording("is empty", file=path.name)
    packed = next((what for mark, what in _PACKED.items() if head.startswith(mark)), "")
    if packed:
        raise NoRecording(f"is {packed}; unpack it and give the files in it", file=path.name)
    for module in _modules():
        if module.sniff(head, path.name):
            return module
    if (line := _broken_json(path)) is not None:
        raise NoRecording(f"is of no known format, and its JSON is broken in line {line}", file=path.name)
    raise NoRecording(f"is of no known format; known: {', '.join(formats())}", file=path.name)


def _broken_json(path: Source) -> int | None:
    """Return the line in which a file that is named as JSON is none; a file that was cut off is the usual one."""
    if not path.name.lower().endswith(".json"):
        return None
    try:
        json_file(path)
    except TooLarge:
        return None
    except BadInput as problem:
        return problem.line
    return None


def read_file(path: Source, format: str | None = None, mapping: TableMapping | None = None) -> Imported:
    """Return the runs of a file, its format detected unless it is named; raises BadInput.

    `mapping` says which column of a table means what; then the file is a table.

    A call that stands in several of the file's runs is marked as inherited in all but one.
    """
    if mapping is not None:
        from costlab.importers import table

        if format not in (None, table.FORMAT):
            raise BadInput(f"a mapping is for tables, not for {format!r}", field="format")
        return _found(path, table.FORMAT, table.read(path, mapping))
    if format is None:
        module = detect(path)
    else:
        named = [one for one in _modules() if format == one.FORMAT]
        if not named:
            raise BadInput(f"no format is named {format!r}; known: {', '.join(formats())}", field="format")
        module = named[0]
    return _found(path, module.FORMAT, module.read(path))


def _found(path: Source, format: str, runs: list[Run]) -> Imported:
    return Imported(str(path), format, tuple(inherited(runs) if len(runs) > 1 else runs))


def files_in(path: Path) -> tuple[Path, ...]:
    """Return the files under a folder in order, hidden ones left out; anything else is returned as it is."""
    if not path.is_dir():
        return (path,)
    found: list[Path] = []
    for folder, inner, names in os.walk(path):  # follows no links: no file is met twice
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        found += [Path(folder, name) for name in sorted(names) if not name.startswith(".")]
    return tuple(found)


def to_store(found: Imported, own: Callable[[str], Run | None]) -> tuple[Imported, tuple[Run, ...]]:
    """Return what was found, and which of its runs belong into a store: an earlier snapshot does not.

    A session that was exported as it grew has one run id in every export; the one that ends later holds the others.
    `own` returns the store's recording of a run id, if it has one.
    """
    told: list[Run] = []
    kept: list[Run] = []
    for run in found.runs:
        if _is_earlier(run, own(run.run_id)):
            note = UsageWarning("earlier_snapshot", "run_id", "a later state of this run is in the store, and stays")
            told.append(replace(run, warnings=(*run.warnings, note)))
        else:
            told.append(run)
            kept.append(run)
    return replace(found, runs=tuple(told)), tuple(kept)


def _is_earlier(run: Run, there: Run | None) -> bool:
    """Whether the recording that is there holds all calls of a run and more, and ends later."""
    if there is None:
        return False
    ours, theirs = _end(run), _end(there)
    later = ours is not None and theirs is not None and theirs > ours
    return later and _origins(run) < _origins(there)


def _origins(run: Run) -> set[str]:
    return {call.origin or call.call_id for call in run.calls}


def _end(run: Run) -> datetime | None:
    return run.started_at + timedelta(seconds=run.duration_s or 0) if run.started_at else None
