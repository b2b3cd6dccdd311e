"""HTML and SVG written so that nothing foreign can become markup: every text is escaped unless it is `Markup` already.

Foreign text also loses what HTML or a reader cannot take: control characters, half letters (lone surrogates), and
marks that turn the direction of writing, with which a name could show itself as another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

_UNSHOWN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
_VOID = {"meta", "br"}  # elements without an inside


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def clean(text: str) -> str:
    """Return foreign text without what cannot be shown."""
    return _UNSHOWN.sub("", text).encode("utf-8", "replace").decode("utf-8")


def escaped(text: str) -> Markup:
    """Return text as HTML; what is HTML already stays as it is."""
    return text if isinstance(text, Markup) else Markup(escape(clean(text)))


def joined(parts: Iterable[str | None]) -> Markup:
    """Return several texts one after the other as HTML; None is nothing."""
    return Markup("".join(escaped(part) for part in parts if part is not None))


def el(tag: str, *inside: str | None, **attributes: str | int | None) -> Markup:
    """Return an element: `el("td", name, class_="num")`.

    An underscore in an attribute's name is a hyphen, one at its end is nothing; None is no attribute.
    """
    given = "".join(
        f' {name.strip("_").replace("_", "-")}="{escape(clean(str(value)))}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{tag}{given}>" if tag in _VOID else f"<{tag}{given}>{joined(inside)}</{tag}>")


def shortened(text: str, most: int) -> str:
    """Return text of at most `most` characters, its end marked where something is left out."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
