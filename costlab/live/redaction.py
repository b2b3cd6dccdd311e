"""Keys never reach a disk, a log or a page: known secrets are found by value in every string that is written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

_NAMES = re.compile(r"(api[_-]?key|token|secret|password|credential|authorization)s?$", re.IGNORECASE)
_ENVIRONMENT = re.compile(r"(_|^)(API_?KEY|TOKEN|SECRET|SECRET_ACCESS_KEY|PASSWORD)$")
_SHORTEST = 8  # a shorter value is a placeholder ("none", "sk-xxx"), and would be found in ordinary words
PUT = "[key removed]"


def secrets_of(models: Iterable[object]) -> tuple[str, ...]:
    """Return the secrets that models, their clients and the environment hold, longest first."""
    found: set[str] = set()
    for name, value in os.environ.items():
        if _ENVIRONMENT.search(name.upper()):
            found.add(value)
    for model in models:
        _gather(getattr(model, "__dict__", {}), found, 3)
        _gather(getattr(getattr(model, "client", None), "__dict__", {}), found, 1)
    return tuple(sorted((s for s in found if len(s) >= _SHORTEST), key=len, reverse=True))


def _gather(holder: object, found: set[str], depth: int) -> None:
    if not depth:
        return
    if isinstance(holder, list | tuple):
        for one in holder:
            _gather(one, found, depth)
        return
    for name, value in holder.items() if isinstance(holder, Mapping) else ():
        if isinstance(value, str) and _NAMES.search(str(name)):
            found.add(value.removeprefix("Bearer "))
        elif isinstance(value, Mapping | list | tuple):
            _gather(value, found, depth - 1)


_NO_TEXT = frozenset({int, float, bool, type(None)})


def redacted(value: Any, secrets: tuple[str, ...]) -> Any:
    """Return a value as plain JSON values without any of the secrets."""
    kind = type(value)
    if kind in _NO_TEXT:
        return value
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        for secret in secrets:
            if secret in value:
                value = value.replace(secret, PUT)
        return value
    if value is None or isinstance(value, bool | int | float):
        return value
    if kind is dict or isinstance(value, Mapping):
        return {
            redacted(str(key), secrets): inner if type(inner) in _NO_TEXT else redacted(inner, secrets)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [redacted(inner, secrets) for inner in value]
    return redacted(str(value)[:2_000], secrets)
