"""How an object shows itself in a notebook: it says only that it can, and a room that may write HTML says how.

Jupyter asks an object for `_repr_html_`. The core knows no HTML, so its classes take this one from `Shown`, and the
door names the writer (`costlab.report.cards`), which is loaded when the first object is shown.
"""

from __future__ import annotations

from collections.abc import Callable

_writers: list[Callable[[object], str]] = []


class Shown:
    """Something that a notebook shows as a card; without a writer it shows its `repr`."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        return _writers[0](self) if _writers else None


def written_by(writer: Callable[[object], str]) -> None:
    """Let a function say, as HTML, how the objects show themselves."""
    _writers[:] = [writer]
