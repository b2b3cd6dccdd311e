"""Walk foreign JSON by paths such as `promptTokensDetails[modality=TEXT].tokenCount`, strictly.

What is absent, null, or an empty object or list gives nothing. What is there and is not of the form that the path
names raises BadInput with the field: a wrong type is never read as zero.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

from costlab.errors import BadInput
from costlab.usage import Number, count

# Protobuf enums that some clients write as numbers.
# Source: googleapis google/cloud/aiplatform/v1 content.proto (Modality), read 2026-11-23.
_MODALITY_NUMBERS = {1: "TEXT", 2: "IMAGE", 3: "VIDEO", 4: "AUDIO", 5: "DOCUMENT"}


Step = tuple[str, str, str]


@cache
def _steps(path: str) -> tuple[Step, ...]:
    """Split a path into (key, field, value); field is '' for plain keys and '*' for every item of a list."""
    found = []
    for part in re.split(r"\.(?![^\[]*\])", path):
        match = re.fullmatch(r"([^\[\]]+)(?:\[(?:(\w+)=([^\]]*))?\])?", part)
        assert match, path
        key, name, value = match.groups()
        found.append((key, name or ("*" if part.endswith("]") else ""), value or ""))
    return tuple(found)


def as_object(value: object, field: str) -> Mapping[str, object] | None:
    """Return a JSON object, None for what is absent or empty; raises BadInput for any other type."""
    if type(value) is dict:
        return value or None
    if value is None or value == [] or value == {}:
        return None
    if not isinstance(value, Mapping):
        raise BadInput(f"must be an object, not {value!r}"[:200], field=field)
    return value


def as_list(value: object, field: str) -> Sequence[object]:
    """Return a JSON list, empty for what is absent; raises BadInput for any other type."""
    if value is None or value == {}:
        return ()
    if not isinstance(value, list | tuple):
        raise BadInput(f"must be a list, not {value!r}"[:200], field=field)
    return value


def as_word(value: object) -> str | None:
    """Return a JSON text, None for anything else: words decide conditions, never counts."""
    return value if isinstance(value, str) else None


@cache
def _sum(spelling: str) -> tuple[tuple[Step, ...], ...]:
    """Split a spelling into the paths that are joined in it by ' + '."""
    return tuple(_steps(path) for path in spelling.split(" + "))


def firsts(spelling: str) -> frozenset[str]:
    """Return the keys that the paths of a spelling begin with."""
    return frozenset(steps[0][0] for steps in _sum(spelling))


def total(data: Mapping[str, object], spelling: str, root: str = "usage") -> Number | None:
    """Return the sum of the paths joined by ' + ' in a spelling, or None where none of them is there.

    A path that crosses a list gives several counts. Raises BadInput naming the field.
    """
    found: list[Number] = []
    for steps in _sum(spelling):
        if data.get(steps[0][0]) is not None:  # most are absent
            found += _walk(data, steps, root)
    return sum(found) if found else None


def _walk(data: Mapping[str, object], steps: tuple[Step, ...], place: str) -> list[Number]:
    (key, name, wanted), rest = steps[0], steps[1:]
    value = data.get(key)
    if value is None:
        return []
    place = f"{place}.{key}"
    if not name:
        if not rest:
            return [count(value, place)]
        inner = as_object(value, place)
        return _walk(inner, rest, place) if inner is not None else []
    found: list[Number] = []
    for i, item in enumerate(as_list(value, place)):
        if (inner := as_object(item, f"{place}[{i}]")) is None:
            continue
        if name == "*" or _label(inner.get(name)) == wanted.upper():
            found += _walk(inner, rest, f"{place}[{i}]")
    return found


def _label(value: object) -> str:
    if isinstance(value, int):
        return _MODALITY_NUMBERS.get(value, str(value))
    return value.upper() if isinstance(value, str) else ""
