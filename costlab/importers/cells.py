"""Cells of a table as figures, by stated rules; what they do not cover is refused, since a figure becomes money.

A count is whole: digits, with commas between groups of three if it has any, and perhaps `.0` (as spreadsheets of
numbers with gaps write it). An amount has a decimal point, never a decimal comma. A time is ISO 8601,
`2026/11/20 9:30`, or seconds, milliseconds, micro- or nanoseconds since 1970; without a zone it is UTC, and a day
alone means its noon.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal

from costlab.errors import BadInput
from costlab.importers.fields import moment
from costlab.usage import Number, count

_EMPTY = frozenset(("", "-", "—", "null", "none", "nan", "n/a", "na", "nil", "undefined", r"\n"))
_COUNT = re.compile(r"(\d+|\d{1,3}(,\d{3})+)(\.0)?", re.ASCII)
_AMOUNT = re.compile(r"\$?\s?(\d+(\.\d*)?|\.\d+|\d{1,3}(,\d{3})+\.\d+)([eE][+-]?\d{1,2})?", re.ASCII)
_SLASHED = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?", re.ASCII)


def empty(cell: str) -> bool:
    """Return whether a cell says nothing: empty, or a word for nothing."""
    return cell.strip().lower() in _EMPTY


def whole(cell: str, field: str) -> Number | None:
    """Return a count, None for an empty cell; raises BadInput naming the field."""
    if empty(cell):
        return None
    if not _COUNT.fullmatch(cell) or len(cell) > 24:
        raise BadInput(f"must be a whole number such as 1234 or 1,234, not {cell[:40]!r}", field=field)
    return count(Decimal(cell.replace(",", "")), field)


def amount(cell: str, field: str) -> Decimal | None:
    """Return an amount in USD, None for an empty cell; raises BadInput naming the field."""
    if empty(cell):
        return None
    if not _AMOUNT.fullmatch(cell) or len(cell) > 40:
        raise BadInput(f"must be an amount such as 0.0123 (a decimal point), not {cell[:40]!r}", field=field)
    found = Decimal(cell.lstrip("$ ").replace(",", ""))
    if found >= 10**9:
        raise BadInput(f"must be less than 10^9, not {cell[:40]!r}", field=field)
    return found


def seconds(cell: str, field: str, per_second: int = 1) -> float | None:
    """Return a duration in seconds from `per_second`-ths, None for an empty cell; raises BadInput naming the field."""
    found = amount(cell, field)
    return None if found is None else float(found / per_second)


def at(cell: str, field: str) -> datetime | None:
    """Return a point in time in UTC, None for an empty cell; raises BadInput naming the field."""
    if empty(cell):
        return None
    slashed = _SLASHED.fullmatch(cell)
    if slashed:
        year, month, day, *clock = (int(part) for part in slashed.groups() if part is not None)
        cell = f"{year:04}-{month:02}-{day:02}" + ("T" + ":".join(f"{part:02}" for part in clock) if clock else "")
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", cell, re.ASCII):
        cell += "T12:00:00"  # a day alone means its noon, as everywhere in CostLab
    found = moment(cell) if not re.fullmatch(r"\d{1,8}", cell) else None  # 20261120 and 45981 say no time surely
    if found is None and re.fullmatch(r"\d{9,12}\.\d+", cell, re.ASCII):
        found = moment(float(cell))
    if found is None:
        raise BadInput(f"must be a time such as 2026-11-20T09:30:00Z, not {cell[:40]!r}", field=field)
    return found
