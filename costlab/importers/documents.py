"""Foreign files as JSON: bounded in size and depth, broken places named by line, torn ends tolerated.

A file that is still written, or whose writer was killed, ends in half a line: that one is left out and said. Anywhere
else broken JSON is an error with its line. Two objects on one line (a newline lost between two writers) are two.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from costlab.errors import BadInput
from costlab.files import MAX_BYTES, MAX_DEPTH, Source, read_bounded, too_deep
from costlab.importers.fields import Foreign, finite
from costlab.usage import UsageWarning

_SPACE = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Lines:
    """The objects of a JSONL file with their line numbers, and what was odd about the file."""

    records: tuple[tuple[int, Foreign], ...]
    warnings: tuple[UsageWarning, ...] = ()


def text_of(path: Source) -> str:
    """Return a file's text; raises TooLarge past MAX_BYTES, BadInput where it is not UTF-8 or cannot be read."""
    return decoded(read_bounded(path, MAX_BYTES), path.name)


def decoded(data: bytes, name: str) -> str:
    """Return bytes as text; raises BadInput naming the line where it is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise BadInput("not UTF-8 text", file=name, line=line) from None


def json_file(path: Source) -> object:
    """Return the one JSON value of a file; raises BadInput naming the line."""
    return json_of(text_of(path), path.name)


def json_of(written: str, name: str, line: int = 1) -> object:
    """Return one JSON value; `line` is where it begins in its file. NaN and Infinity become null."""
    try:
        value: object = json.loads(written, parse_constant=lambda _: None, parse_float=finite)
    except json.JSONDecodeError as problem:
        raise BadInput(f"broken JSON: {problem.msg}", file=name, line=line + problem.lineno - 1) from None
    except (RecursionError, ValueError) as problem:  # too deep; an integer of thousands of digits
        raise BadInput(f"broken JSON: {_short(problem)}", file=name, line=line) from None
    return shallow(value, name, line)


def _short(problem: Exception) -> str:
    return "nested too deep" if isinstance(problem, RecursionError) else str(problem)[:120]


def shallow(value: object, name: str, line: int | None = None) -> object:
    """Return the value if it is nested less than MAX_DEPTH deep; raises BadInput."""
    if too_deep(value, MAX_DEPTH):
        raise BadInput(f"nested more than {MAX_DEPTH} deep", file=name, line=line)
    return value


def json_lines(path: Source) -> Lines:
    """Return the objects of a JSONL file; raises BadInput naming a broken line, but for a torn last one."""
    return lines_of(text_of(path), path.name)


def lines_of(written: str, name: str) -> Lines:
    """Return the objects of JSONL text, each with its line number."""
    found: list[tuple[int, Foreign]] = []
    warnings: list[UsageWarning] = []
    rows = written.split("\n")
    last = max((n for n, row in enumerate(rows, 1) if row.strip(_SPACE)), default=0)
    for number, row in enumerate(rows, 1):
        if not row.strip(_SPACE):
            continue
        try:
            values = _values(row, name, number)
        except BadInput:
            if number != last or number == 1:
                raise
            warnings.append(UsageWarning("torn_last_line", f"line {number}", "half a line was left out"))
            break
        if len(values) > 1:
            warnings.append(UsageWarning("joined_lines", f"line {number}", f"{len(values)} records on one line"))
        for value in values:
            if not isinstance(value, dict):
                raise BadInput(f"a line must be a JSON object, not {type(value).__name__}", file=name, line=number)
            found.append((number, value))
    return Lines(tuple(found), tuple(warnings))


def _values(row: str, name: str, number: int) -> list[object]:
    """Return the JSON values of a line: one, or several whole objects one after the other."""
    try:
        return [json_of(row, name, number)]
    except BadInput:
        values = list(json_values(row, name, number))
        if len(values) < 2 or not all(isinstance(value, dict) for value in values):
            raise
        return values


def json_values(written: str, name: str, line: int = 1) -> Iterator[object]:
    """Yield JSON values written one after the other, each over as many lines as it likes; raises BadInput."""
    decoder = json.JSONDecoder(parse_constant=lambda _: None, parse_float=finite)
    at = 0
    while True:
        while at < len(written) and written[at] in _SPACE:
            at += 1
        if at >= len(written):
            return
        here = line + written.count("\n", 0, at)
        try:
            value, at = decoder.raw_decode(written, at)
        except json.JSONDecodeError as problem:
            raise BadInput(f"broken JSON: {problem.msg}", file=name, line=line + problem.lineno - 1) from None
        except (RecursionError, ValueError) as problem:
            raise BadInput(f"broken JSON: {_short(problem)}", file=name, line=here) from None
        yield shallow(value, name, here)
