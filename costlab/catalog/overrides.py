"""The user's own price file, `overrides.csv` in their home: read with its version, saved whole or not at all.

Two sessions may edit it at once. Whoever saves names the version that their edit began from; if the file has changed
since, nothing is written and `Conflict` says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from costlab.catalog.rows import export_csv, read_rates
from costlab.catalog.table import OVERRIDES
from costlab.errors import BadInput, Conflict, TooLarge
from costlab.files import locked, read_bounded, write_atomic
from costlab.prices import Rate

MAX_BYTES = 32 * 2**20
ABSENT = "absent"  # the version of a file that is not there


@dataclass(frozen=True, slots=True)
class Overrides:
    """The user's rows, and the version of the file that they were read from."""

    rows: tuple[Rate, ...] = ()
    version: str = ABSENT


def read(home: Path) -> Overrides:
    """Return the user's rows and their file's version; raises BadInput naming file, line and field."""
    path = home / OVERRIDES
    if not path.exists():
        return Overrides()
    data = read_bounded(path, MAX_BYTES)
    return Overrides(tuple(parse(data, str(path))), _version(data))


def parse(data: bytes, file: str) -> tuple[Rate, ...]:
    """Return the rows of a price file's bytes, every one checked; raises BadInput naming file, line and field.

    Past `MAX_BYTES` it raises TooLarge without reading them.
    """
    if len(data) > MAX_BYTES:
        raise TooLarge(f"has more than {MAX_BYTES} bytes, the most that is read", file=file)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise BadInput("is not UTF-8 text", file=file, line=line) from None
    return tuple(read_rates(text, file, "overrides"))


def save(home: Path, rows: Iterable[Rate], expected_version: str | None = None) -> str:
    """Write the user's rows and return the file's new version.

    Raises Conflict, and writes nothing, if `expected_version` is given and the file is of another version by now.
    """
    path = home / OVERRIDES
    data = export_csv(rows).encode()
    parse(data, str(path))  # what is written can be read again
    with locked(home / ".overrides.lock"):
        here = _version(read_bounded(path, MAX_BYTES)) if path.exists() else ABSENT
        if expected_version is not None and here != expected_version:
            raise Conflict(f"{path} was changed by another session since it was read; nothing was saved")
        write_atomic(path, data)
    return _version(data)


def _version(data: bytes) -> str:
    return sha256(data).hexdigest()[:12]
