"""A delimited text file (CSV, TSV) as headers and rows of text: bounded, its encoding and delimiter found and told.

UTF-8, UTF-16 with its mark, and GB 18030 (what Excel writes on a Chinese Windows) are read. A row counts from the
line it begins on: a quoted cell may run over several.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass

from costlab.errors import BadInput, NoRecording, TooLarge
from costlab.files import Source, read_bounded

MAX_BYTES = 64 * 2**20
MAX_ROWS = 50_000
MAX_COLUMNS = 500
MAX_CELL = 131_072  # the csv module's own bound, in characters
DELIMITERS = (",", ";", "\t", "|")
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True, slots=True)
class Table:
    """A file's headers and its rows, each with the line it begins on; `digest` is of the file's bytes."""

    name: str
    headers: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    encoding: str
    delimiter: str
    digest: str

    def place(self, header: str) -> int:
        """Return which column a header names; raises BadInput where there is none, or more than one."""
        found = [at for at, one in enumerate(self.headers) if one == header]
        if len(found) != 1:
            why = "stands twice in the first line" if found else f"is no column; there are: {self._told()}"
            raise BadInput(why, file=self.name, line=1, field=header[:80])
        return found[0]

    def _told(self) -> str:
        told = ", ".join(self.headers[:20])
        return f"{told}, ..." if len(self.headers) > 20 else told


def open_table(source: Source) -> Table:
    """Return a file as a table; raises BadInput, NoRecording and TooLarge naming file and line."""
    data = read_bounded(source, MAX_BYTES)
    text, encoding = _decoded(data, source.name)
    if not text.strip():
        raise NoRecording("is empty", file=source.name)
    if "\0" in text:
        raise BadInput("holds characters that no text has", file=source.name)
    delimiter = delimiter_of(text)
    rows = _rows(text, delimiter, source.name)
    _, head = next(rows)
    headers = tuple(cell.strip() for cell in head)
    if len(headers) < 2:
        raise NoRecording("has one column only: a table of calls has one for each figure", file=source.name)
    if len(headers) > MAX_COLUMNS:
        raise TooLarge(f"has more than {MAX_COLUMNS} columns, the most that is read", file=source.name)
    found = tuple(_checked(rows, len(headers), source.name))
    if not found:
        raise NoRecording("has a first line and no rows", file=source.name)
    return Table(source.name, headers, found, encoding, delimiter, hashlib.sha256(data).hexdigest())


def first_headers(head: bytes) -> tuple[str, ...]:
    """Return the headers of what a file begins with, or none where that is no table."""
    encoding = _MARKS.get(head[:2], "utf-8-sig")
    line = head.decode(encoding, errors="ignore").partition("\n")[0].strip("\r\n\ufeff")
    if not line or line.lstrip()[:1] in ("{", "[") or "\0" in line:
        return ()
    try:
        return tuple(cell.strip() for cell in next(csv.reader([line], delimiter=delimiter_of(line))))
    except (csv.Error, StopIteration):
        return ()


def delimiter_of(text: str) -> str:
    """Return the delimiter that splits the first line into most cells; a comma where none does."""
    line = text.lstrip("\r\n ").partition("\n")[0]

    def cells(delimiter: str) -> int:
        try:
            return len(next(csv.reader([line], delimiter=delimiter)))
        except (csv.Error, StopIteration):
            return 0

    return max(DELIMITERS, key=cells)


def _decoded(data: bytes, name: str) -> tuple[str, str]:
    for encoding in (_MARKS.get(data[:2], "utf-8-sig"), "gb18030"):
        try:
            return data.decode(encoding), encoding.removesuffix("-sig")
        except UnicodeDecodeError as problem:
            line = data.count(b"\n", 0, problem.start) + 1
    raise BadInput("is neither UTF-8 nor GB 18030 text; save it as 'CSV UTF-8'", file=name, line=line)


def _rows(text: str, delimiter: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells) of all rows that are not empty; raises BadInput for what is no such text."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            why = f"{problem}; leave columns of long text (messages) out" if "limit" in str(problem) else str(problem)
            raise BadInput(f"cannot be read as a row: {why}", file=name, line=line) from None
        if any(cell.strip() for cell in cells):
            yield line, cells


def _checked(rows: Iterator[tuple[int, list[str]]], width: int, name: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    for place, (line, cells) in enumerate(rows):
        if place == MAX_ROWS:
            raise TooLarge(f"has more than {MAX_ROWS:,} rows, the most that is read; split it", file=name, line=line)
        if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
            cells = cells[:width]  # a delimiter at the end of each row
        if len(cells) != width:
            why = f"has {len(cells)} cells, the first line {width}"
            raise BadInput(f"{why}; a cell that holds the delimiter must be quoted", file=name, line=line)
        yield line, tuple(cells)
