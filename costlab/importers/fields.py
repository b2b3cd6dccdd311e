"""Typed access to foreign JSON: what is there is read as its type, what is absent is None, what cannot be says where.

Counts are strict (text, negatives and fractions of infinity raise BadInput: they become money); everything else is
lenient (an unreadable time is unknown), because an exporter's oddity in a label must not lose a whole recording.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TypeGuard

from costlab.errors import BadInput
from costlab.files import too_deep
from costlab.runs import Content
from costlab.usage import Number, count

_EMBEDDED_BOUND = 4_000_000  # characters of a JSON string inside a JSON field that are parsed, no more
_EMBEDDED_DEPTH = 64  # and no deeper: what stands around it must fit into a recording too
_SHORTEST_ID = 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = 4_102_444_800  # 2100-01-01 in seconds: an epoch number past it counts in a finer unit

Foreign = Mapping[str, object]


def mapping(value: object) -> Foreign:
    """Return a JSON object, or an empty one where there is none."""
    return value if isinstance(value, Mapping) else {}


def items(value: object) -> list[object]:
    """Return a JSON array, or an empty one where there is none."""
    return value if isinstance(value, list) else []


def mappings(value: object) -> list[Foreign]:
    """Return the objects of a JSON array; what is no object is left out."""
    return [one for one in items(value) if isinstance(one, Mapping)]


def text(value: object) -> str:
    """Return a string, or an empty one where there is none."""
    return value if isinstance(value, str) else ""


def first(source: Foreign, *keys: str) -> object:
    """Return the value of the first of several spellings of a key that is there and not null."""
    return next((source[key] for key in keys if source.get(key) is not None), None)


def response_id(source: Foreign, *keys: str) -> str:
    """Return the provider's id of an answer, or '' where it is too short to be one answer's alone.

    Ollama draws `chatcmpl-` and one of 999 numbers (its `openai` middleware): runs would share calls that they do not.
    """
    found = text(first(source, *keys))
    return found if len(found) >= _SHORTEST_ID else ""


def number(value: object, field: str) -> Number | None:
    """Return a count, also one written as digits (OTel attributes often are); raises BadInput naming the field."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            return count(Decimal(value.strip()), field)
        except InvalidOperation:
            raise BadInput(f"a count must be a number, not {value[:80]!r}", field=field) from None
    return count(value, field)


def money(value: object) -> Decimal | None:
    """Return a stated amount in USD, or None where there is none that can be read."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < Decimal(10**9) else None


def seconds(value: object, per_second: int = 1) -> float | None:
    """Return a duration in seconds from a number of `per_second`-ths, or None where there is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        span = float(value) / per_second
    except (ValueError, OverflowError):
        return None
    return span if 0 <= span < 10**9 else None


def moment(value: object) -> datetime | None:
    """Return a point in time, in UTC, from ISO 8601, an epoch number in s, ms, us or ns, or a [s, ns] pair."""
    if isinstance(value, list) and len(value) == 2:
        whole, nanos = value
        if _is_number(whole) and _is_number(nanos):
            return _from_epoch(float(whole) + float(nanos) / 1e9)
        return None
    if isinstance(value, str):
        stripped = value.strip()
        if stripped.isdigit() and len(stripped) < 25:
            return moment(int(stripped))
        return _from_iso(stripped)
    if not _is_number(value):
        return None
    for unit in (1.0, 1e3, 1e6, 1e9):
        if abs(value) / unit < _LATEST:
            return _from_epoch(value / unit)
    return None


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 10**30


def _from_epoch(at: float) -> datetime | None:
    try:
        return _EPOCH + timedelta(seconds=at)
    except (OverflowError, ValueError):
        return None


def _from_iso(written: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(written[:40].replace(" UTC", "+00:00"))
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def span_s(start: datetime | None, end: datetime | None) -> float | None:
    """Return the seconds between two points in time, or None if one is unknown or they are the wrong way round."""
    if start is None or end is None or end < start:
        return None
    return (end - start).total_seconds()


def embedded(value: object) -> object:
    """Return what a string that is written as JSON holds; anything else, and broken JSON, as it is."""
    if not isinstance(value, str) or len(value) > _EMBEDDED_BOUND or value[:1] not in ("{", "["):
        return value
    try:
        inner = json.loads(value, parse_constant=lambda _: None, parse_float=finite)
    except (ValueError, RecursionError):
        return value
    return value if too_deep(inner, _EMBEDDED_DEPTH) else inner


def finite(written: str) -> float | str:
    """Return a JSON number, one past the largest as it is written: a recording can hold that, and no count is it."""
    number_ = float(written)
    return number_ if math.isfinite(number_) else written


def flat(source: Foreign) -> dict[str, object]:
    """Return nested attributes as one level with dotted keys; lists are numbered (`a.0.b`), as OpenInference does."""
    found: dict[str, object] = {}
    stack: list[tuple[str, object]] = [("", source)]
    while stack:
        path, value = stack.pop()
        for key, one in _children(value):
            name = f"{path}.{key}" if path else key
            if isinstance(one, Mapping | list) and one:
                stack.append((name, one))
            else:
                found.setdefault(name, one)
    return found


def _children(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        yield from ((str(key), one) for key, one in value.items())
    elif isinstance(value, list):
        yield from ((str(index), one) for index, one in enumerate(value))


def content(kind: str, value: object) -> Content:
    """Return a message, tool definition or output under the SHA-256 of its canonical JSON."""
    written = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return Content(hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest(), kind, value)


class Contents:
    """Contents of one run while it is read: each stored once, referred to by hash."""

    def __init__(self) -> None:
        self.by_hash: dict[str, Content] = {}

    def add(self, kind: str, value: object) -> str:
        """Keep a value and return its SHA-256."""
        one = content(kind, value)
        return self.by_hash.setdefault(one.sha256, one).sha256

    def add_all(self, kind: str, values: list[object]) -> tuple[str, ...]:
        """Keep several values in order and return their SHA-256s."""
        return tuple(self.add(kind, value) for value in values)


def own_id(form: str, *ids: str) -> str:
    """Return a run id from a format and the source's own ids; what could not stand in a file name becomes a hash."""
    name = "-".join(one for one in ids if one)
    if not name or len(name) > 100 or not all(c.isascii() and (c.isalnum() or c in "._-") for c in name):
        name = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{form}-{name}"


def file_id(form: str, data: bytes) -> str:
    """Return a run id for a recording that has no id of its own: from its bytes, so that a second import replaces."""
    return f"{form}-{hashlib.sha256(data).hexdigest()[:16]}"
