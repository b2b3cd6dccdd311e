"""Attributes replaced for a while: one wrapper an object however many tracks use it, restored exactly at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

_ABSENT = object()


@dataclass
class _Patch:
    target: Any
    name: str
    before: object  # what stood in the object's own dictionary, or _ABSENT
    put: object
    users: int = 1


@dataclass
class Patches:
    """Replaced attributes by object and name. A target is an instance, a class or a module."""

    _held: dict[tuple[int, str], _Patch] = field(default_factory=dict)
    _lock: RLock = field(default_factory=RLock)

    def put(self, target: Any, name: str, wrap: Callable[[Any], Any]) -> bool:
        """Replace an attribute by what `wrap` makes of it, or count one more user; False where it cannot be set."""
        with self._lock:
            held = self._held.get((id(target), name))
            if held is not None and self._own(target, name) is held.put:
                held.users += 1
                return True
            before = self._own(target, name)
            new = wrap(getattr(target, name))
            try:
                setattr(target, name, new)
            except AttributeError:  # an object without a dictionary of its own
                return False
            users = held.users + 1 if held is not None else 1  # somebody else replaced ours meanwhile
            self._held[id(target), name] = _Patch(target, name, before, new, users)
            return True

    def drop(self, target: Any, name: str) -> None:
        """Take one user away; the last one puts back what was there, unless somebody else has replaced it since."""
        with self._lock:
            held = self._held.get((id(target), name))
            if held is None:
                return
            held.users -= 1
            if held.users:
                return
            del self._held[id(target), name]
            if self._own(target, name) is not held.put:
                return
            if held.before is _ABSENT:
                delattr(target, name)
            else:
                setattr(target, name, held.before)

    @staticmethod
    def _own(target: Any, name: str) -> object:
        return getattr(target, "__dict__", {}).get(name, _ABSENT)


PATCHES = Patches()
