"""What the command line prints: JSON, aligned tables, problems in one line; foreign text never steers the terminal."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from typing import BinaryIO

import costlab as cl

GAP = "  "


class WrongUse(Exception):
    """The command itself is wrong, not what it read: one line on stderr, exit 2."""


def plain(text: str) -> str:
    """Return foreign text on one line, without signs that steer a terminal or turn the direction of writing."""
    return "".join(_shown(sign) for sign in text).strip()


def _shown(sign: str) -> str:
    if sign.isspace():
        return " "
    return "\ufffd" if unicodedata.category(sign) in ("Cc", "Cf", "Cs") else sign


def show_json(value: object) -> None:
    """Print one JSON document on a line."""
    told = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    json.dump(value, sys.stdout, ensure_ascii=not told)
    sys.stdout.write("\n")


def problem(text: str) -> None:
    """Print a problem on stderr, in one line."""
    print(f"costlab: {plain(text)}", file=sys.stderr)


def os_problem(error: OSError, otherwise: str = "a file") -> str:
    """Return what the system refused, without its number."""
    return f"{error.filename or otherwise}: {error.strerror or error}"


def ready(stream: object) -> None:
    """Let a stream hold any text: UTF-8 where it is read by a program, an escape where a terminal has no sign."""
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")


def let_go(stream: object) -> None:
    """Send the rest of a stream that nobody takes any more nowhere, so that closing it does not complain."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())  # type: ignore[attr-defined]
        os.close(nowhere)
    except (OSError, ValueError, AttributeError):
        pass


@contextmanager
def opened(path: str) -> Iterator[tuple[BinaryIO, str]]:
    """Give the bytes of a file, or of stdin for `-`, with a name for problems; raises WrongUse."""
    if path == "-":
        yield sys.stdin.buffer, "stdin"
        return
    try:
        source = open(path, "rb")  # noqa: SIM115 - closed below, after the body that may fail by itself
    except OSError as error:
        raise WrongUse(f"{path}: cannot be read: {error.strerror or error}") from None
    with source:
        yield source, path


def records(path: str) -> Iterator[tuple[str, int, object, str]]:
    """Yield (name, line, object, problem) of a JSONL file or of stdin; empty lines are left out. Raises WrongUse."""
    with opened(path) as (source, name):
        for line, value, broken in cl.json_records(source, name):
            yield name, line, value, broken


def agreed(question: str) -> bool:
    """Ask on a terminal; anything but yes, and no terminal at all, is no."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print(f"{plain(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def width(text: str) -> int:
    """Return how many places a text takes in a terminal: Chinese signs take two, marks on a letter none."""
    wide = sum(unicodedata.east_asian_width(sign) in ("W", "F") for sign in text)
    return len(text) + wide - sum(unicodedata.combining(sign) > 0 for sign in text)


def cut(text: str, places: int) -> str:
    """Return a text in at most so many places, with an ellipsis where something was cut off."""
    text = plain(text)
    if width(text) <= places:
        return text
    while text and width(text) > places - 1:
        text = text[:-1]
    return f"{text.rstrip()}…"


def table(rows: Sequence[Sequence[str]], align: str, heads: Sequence[str] = ()) -> list[str]:
    """Return rows as aligned lines: `align` has one of `<` and `>` a column; columns without any text are left out."""
    cells = [[plain(cell) for cell in row] for row in ([list(heads)] if heads else []) + [list(row) for row in rows]]
    body = cells[1:] if heads else cells
    used = [place for place in range(len(align)) if any(row[place] for row in body)]
    widths = {place: max(width(row[place]) for row in cells) for place in used}
    lines = []
    for row in cells:
        parts = []
        for place in used:
            gap = " " * (widths[place] - width(row[place]))
            parts.append(gap + row[place] if align[place] == ">" else row[place] + gap)
        lines.append(GAP.join(parts).rstrip())
    return lines


def say(lines: Sequence[str], indent: str = "") -> None:
    """Print lines."""
    for line in lines:
        print(f"{indent}{line}" if line else "")


def number_of(n: int, thing: str) -> str:
    """Return a number of things: `1 run`, `1,200 runs`."""
    return f"{n:,} {thing}" if n == 1 else f"{n:,} {thing}s"
