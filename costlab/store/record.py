"""A dataclass as a JSON object and back, without loss: what differs from its default is written.

Counts and stated costs that are Decimals are written as strings. Elsewhere (raw usage, meta) a Decimal is
`{"$decimal": "1.5"}`, and an object that itself has one key beginning with `$` is wrapped as `{"$object": ...}`.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from hashlib import sha256
from typing import Any

from costlab.errors import BadInput
from costlab.files import too_deep
from costlab.runs import Attempt, Content, Media, Part
from costlab.usage import UsageWarning, count

Event = dict[str, Any]
MAX_DEPTH = 300  # deeper than importers accept, since an event wraps what they read

_MOMENTS = ("started_at", "at")
_NUMBERS = ("counts", "billed", "billable_items")
_INNER = {"attempts": Attempt, "media": Media, "parts": Part, "warnings": UsageWarning}
_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,), "int": (int,), "float": (int, float), "bool": (bool,), "None": (type(None),), "datetime": (str,),
    "Decimal": (str,), "Counts": (dict,), "Mapping": (dict,), "tuple": (list,), "object": (object,),
}  # fmt: skip


def content_of(value: object, kind: str) -> Content:
    """Return a message, tool definition or output with the SHA-256 of its canonical JSON."""
    plain = _plain(value)
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Content(sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), kind, plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        found = {str(k): _plain(v) for k, v in value.items()}
        return {"$object": found} if len(found) == 1 and next(iter(found)).startswith("$") else found
    if isinstance(value, list | tuple):
        return [record(v) if dataclasses.is_dataclass(v) else _plain(v) for v in value]
    return value


def _read_plain(value: Any) -> Any:
    if isinstance(value, dict):
        if len(value) == 1 and "$decimal" in value:
            return Decimal(value["$decimal"])
        inner = value["$object"] if len(value) == 1 and "$object" in value else value
        return {k: _read_plain(v) for k, v in inner.items()}
    return [_read_plain(v) for v in value] if isinstance(value, list) else value


def _numbers(value: Mapping[str, Any]) -> dict[str, Any]:
    return {k: str(v) if isinstance(v, Decimal) else v for k, v in value.items()}


def record(value: Any, *, without: tuple[str, ...] = ()) -> Event:
    """Return a dataclass's fields that differ from their defaults, as JSON values."""
    found: Event = {}
    for f in dataclasses.fields(value):
        here = getattr(value, f.name)
        usual = f.default_factory() if f.default_factory is not dataclasses.MISSING else f.default
        if f.name in without or (here == usual and type(here) is type(usual)):
            continue
        if isinstance(here, Decimal):
            found[f.name] = str(here)
        elif f.name in _NUMBERS and isinstance(here, Mapping):
            found[f.name] = _numbers(here)
        else:
            found[f.name] = _plain(here)
    return found


@cache
def _allowed(kind: type) -> dict[str, tuple[type, ...]]:
    """Return, for each field of a dataclass, the JSON types that it is written as."""
    words = {f.name: re.sub(r"\[.*?\]", "", str(f.type)).split(" | ") for f in dataclasses.fields(kind)}
    return {name: tuple(t for word in which for t in _TYPES[word]) for name, which in words.items()}


def build(kind: Any, event: Mapping[str, Any]) -> Any:
    """Return a dataclass from its record; unknown fields are left out. Raises BadInput naming the field."""
    allowed = _allowed(kind)
    found: dict[str, Any] = {}
    for name, value in event.items():
        if name not in allowed:
            continue
        right = allowed[name]
        if not isinstance(value, right) or (isinstance(value, bool) and not {bool, object} & set(right)):
            raise BadInput(f"cannot be {json.dumps(value)[:80]}", field=name)
        try:
            found[name] = _field(name, value, right)
        except (ValueError, InvalidOperation) as problem:
            raise BadInput(f"cannot be {json.dumps(value)[:80]}: {problem}"[:200], field=name) from None
    missing = [
        f.name
        for f in dataclasses.fields(kind)
        if f.name not in found and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise BadInput("is missing", field=missing[0])
    return kind(**found)


def _field(name: str, value: Any, right: tuple[type, ...]) -> Any:
    if value is None:
        return None
    if name in _MOMENTS:
        return datetime.fromisoformat(value)
    if name in _INNER:
        return tuple(build(_INNER[name], _object(one, name)) for one in value)
    if name == "stated_cost":
        return _decimal(value)
    if name in _NUMBERS and dict in right:
        return {k: _number(v, f"{name}.{k}", name) for k, v in value.items()}
    return tuple(value) if isinstance(value, list) else _read_plain(value)


def _object(value: Any, field: str) -> Event:
    if not isinstance(value, dict):
        raise BadInput("must be an object", field=field)
    return value


def _decimal(written: str) -> Decimal:
    if not (number := Decimal(written)).is_finite():
        raise BadInput(f"must be a number, not {written!r}")
    return number


def _number(value: Any, field: str, name: str) -> Any:
    number = _decimal(value) if isinstance(value, str) else value
    if name != "billable_items":
        count(number, field)  # refuses text, negatives and what is no number; the figure itself stays as written
    elif isinstance(number, bool) or not isinstance(number, int | float | Decimal):
        raise BadInput("must be a number", field=field)
    return number


def dumps(event: Mapping[str, Any]) -> bytes:
    """Return an event as one line; raises BadInput for what JSON cannot hold or reading would refuse."""
    try:
        if too_deep(event, MAX_DEPTH):
            raise BadInput(f"nested more than {MAX_DEPTH} deep", field=str(event.get("event")))
        line = json.dumps(event, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n"
        return line.encode()
    except UnicodeEncodeError:  # half of a surrogate pair: only an escape can hold it
        return (json.dumps(event, separators=(",", ":"), allow_nan=False) + "\n").encode()
    except (TypeError, ValueError, RecursionError) as problem:
        raise BadInput(f"cannot be stored: {problem}"[:200], field=str(event.get("event"))) from None
