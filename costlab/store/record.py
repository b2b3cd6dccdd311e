"""A dataclass as a JSON object and back, without loss: what differs from its default is written.

Counts and stated costs that are Decimals are written as strings. Elsewhere (raw usage, meta) a Decimal is
`{"$decimal": "1.5"}`, and an object that itself has one key beginning with `$` is wrapped as `{"$object": ...}`.
A time without an offset is read as UTC. Writing refuses what reading would refuse.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from hashlib import sha256
from operator import attrgetter
from typing import Any

from costlab.errors import BadInput
from costlab.files import may_be_deep, too_deep
from costlab.runs import BASES, STATES, STATUSES, Attempt, Content, Media, ModelCall, Part, Run
from costlab.usage import UsageWarning, count, unit

Event = dict[str, Any]
MAX_DEPTH = 300  # deeper than importers accept, since an event wraps what they read

_MOMENTS = ("started_at", "at")
_NUMBERS = ("counts", "billed", "billable_items")
_INNER = {"attempts": Attempt, "media": Media, "parts": Part, "warnings": UsageWarning}
_WORDS: dict[tuple[type, str], tuple[str, ...]] = {
    (Run, "state"): STATES,
    (ModelCall, "usage_basis"): BASES,
    (ModelCall, "status"): STATUSES,
}
_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,), "int": (int,), "float": (int, float), "bool": (bool,), "None": (type(None),), "datetime": (str,),
    "Decimal": (str,), "Counts": (dict,), "Mapping": (dict,), "tuple": (list,), "object": (object,),
}  # fmt: skip


_as_it_is = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_escaped = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def content_of(value: object, kind: str) -> Content:
    """Return a message, tool definition or output with the SHA-256 of its canonical JSON; raises BadInput."""
    try:
        plain = _plain(value)
        text = _canonical(plain)
    except (TypeError, ValueError, RecursionError) as problem:
        raise BadInput(f"cannot be stored: {problem}"[:200], field=kind) from None
    return Content(sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), kind, plain)


_SIMPLE = frozenset({str, int, float, bool, type(None)})


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind in _SIMPLE:
        return value
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if kind is dict or isinstance(value, Mapping):
        found = {str(k): v if type(v) in _SIMPLE else _plain(v) for k, v in value.items()}
        return {"$object": found} if len(found) == 1 and next(iter(found)).startswith("$") else found
    if isinstance(value, list | tuple):
        return [v if type(v) in _SIMPLE else record(v) if dataclasses.is_dataclass(v) else _plain(v) for v in value]
    return value


def _read_plain(value: Any) -> Any:
    if isinstance(value, dict):
        if len(value) == 1 and "$decimal" in value:
            return _decimal(value["$decimal"])
        inner = value["$object"] if len(value) == 1 and "$object" in value else value
        if not isinstance(inner, dict):
            raise BadInput("'$object' must hold an object")
        return {k: _read_plain(v) for k, v in inner.items()}
    return [_read_plain(v) for v in value] if isinstance(value, list) else value


def _numbers(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    if text := [k for k, v in value.items() if isinstance(v, str)]:
        raise BadInput("must be a number, not text", field=f"{name}.{text[0]}")
    checked = {k: _number(v, f"{name}.{k}", name) for k, v in value.items()}
    return {k: str(v) if isinstance(v, Decimal) else v for k, v in checked.items()}


def record(value: Any, *, without: tuple[str, ...] = ()) -> Event:
    """Return a dataclass's fields that differ from their defaults, as JSON values."""
    found: Event = {}
    fields, values = _usual(value.__class__)
    unusual = [
        (name, usual, here) for (name, usual), here in zip(fields, values(value), strict=True) if here is not usual
    ]
    for name, usual, here in unusual:  # a third of a call's thirty fields
        if name in without or (type(here) is type(usual) and here == usual):
            continue
        if isinstance(here, Decimal):
            found[name] = str(here)
        elif name in _NUMBERS and isinstance(here, Mapping):
            found[name] = _numbers(name, here)
        else:
            found[name] = _plain(here)
    return found


@cache
def _usual(kind: Any) -> tuple[tuple[tuple[str, object], ...], Callable[[Any], tuple[object, ...]]]:
    """Return each field of a dataclass with its default, compared and never handed out, and what gets all values."""
    usual = tuple(
        (f.name, f.default if f.default_factory is dataclasses.MISSING else f.default_factory())
        for f in dataclasses.fields(kind)
    )
    return usual, attrgetter(*(name for name, _ in usual))


@dataclasses.dataclass(frozen=True, slots=True)
class _Kind:
    """What one field of a dataclass may hold: its JSON types, those of what is in it, and its words if they are few."""

    types: tuple[type, ...]
    items: tuple[type, ...] = ()
    words: tuple[str, ...] = ()


@cache
def _allowed(kind: type) -> dict[str, _Kind]:
    """Return, for each field of a dataclass, what it is written as."""
    found = {}
    for f in dataclasses.fields(kind):
        names = re.sub(r"\[.*?\]", "", str(f.type)).split(" | ")
        items = re.search(r"tuple\[(str|int), \.\.\.\]|Mapping\[str, (str)\]", str(f.type))
        found[f.name] = _Kind(
            tuple(t for name in names for t in _TYPES[name]),
            _TYPES[items[1] or items[2]] if items else (),
            _WORDS.get((kind, f.name), ()),
        )
    return found


def build(kind: Any, event: Mapping[str, Any]) -> Any:
    """Return a dataclass from its record; unknown fields are left out. Raises BadInput naming the field."""
    allowed = _allowed(kind)
    found: dict[str, Any] = {}
    for name, value in event.items():
        if name in allowed:
            found[name] = _checked(name, value, allowed[name])
    missing = [
        f.name
        for f in dataclasses.fields(kind)
        if f.name not in found and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise BadInput("is missing", field=missing[0])
    return kind(**found)


def _checked(name: str, value: Any, right: _Kind) -> Any:
    if not _is(value, right.types) or (right.words and value not in right.words):
        raise BadInput(f"cannot be {json.dumps(value)[:80]}", field=name)
    inner = value.values() if isinstance(value, dict) else value
    if right.items and any(not _is(one, right.items) for one in inner):
        raise BadInput(f"cannot hold {json.dumps(value)[:80]}", field=name)
    try:
        return _field(name, value, right.types)
    except BadInput as problem:
        raise problem.at(field=name) from None
    except (ValueError, ArithmeticError) as problem:
        raise BadInput(f"cannot be {json.dumps(value)[:80]}: {problem}"[:200], field=name) from None


def _is(value: Any, types: tuple[type, ...]) -> bool:
    """Return whether a value is of one of the types; true and false are no numbers."""
    return isinstance(value, types) and (not isinstance(value, bool) or bool in types or object in types)


def _field(name: str, value: Any, right: tuple[type, ...]) -> Any:
    if value is None:
        return None
    if name in _MOMENTS:
        moment = datetime.fromisoformat(value)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
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


def _decimal(written: Any) -> Decimal:
    try:
        number = Decimal(written) if isinstance(written, str) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise BadInput(f"must be a number written as text, not {json.dumps(written)[:80]}")
    return number


def _number(value: Any, field: str, name: str) -> Any:
    """Return a count, or what an item beside usage counts, as written but never a binary fraction of a count."""
    try:
        number = _decimal(value) if isinstance(value, str) else value
        if name != "billable_items":
            unit(field.removeprefix(f"{name}."))
            count(number, field)  # refuses negatives and what is no number
            return Decimal(str(number)) if isinstance(number, float) else number
    except BadInput as problem:
        raise type(problem)(problem.problem, field=field) from None
    if isinstance(number, bool) or not isinstance(number, int | float | Decimal):
        raise BadInput("must be a number", field=field)
    return number


def dumps(event: Mapping[str, Any]) -> bytes:
    """Return an event as one line; raises BadInput for what JSON cannot hold or reading would refuse."""
    try:
        line = _as_it_is(event) + "\n"
        if may_be_deep(line, MAX_DEPTH) and too_deep(event, MAX_DEPTH):
            raise RecursionError
        return line.encode()
    except UnicodeEncodeError:  # half of a surrogate pair: only an escape can hold it
        return (_escaped(event) + "\n").encode()
    except RecursionError:
        raise BadInput(f"nested more than {MAX_DEPTH} deep", field=str(event.get("event"))) from None
    except (TypeError, ValueError) as problem:
        raise BadInput(f"cannot be stored: {problem}"[:200], field=str(event.get("event"))) from None
