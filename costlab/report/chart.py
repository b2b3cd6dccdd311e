"""The comparison as a drawing: one bar a model, split by kind, as inline SVG without a line of script.

Places and lengths are percentages of the drawing's width and letters have the page's size, so that it fits a phone and
a sheet of paper alike. Colours are classes of `page.css`; cached kinds have a pattern too.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from costlab.money import column, usd
from costlab.projection import Alternative
from costlab.report.markup import Markup, el, joined, shortened
from costlab.usage import by_kind
from costlab.words import KINDS, Words, kind_name

MOST_BARS = 20
_WIDE = 96  # percent of the width that the longest bar takes
_ROW, _BAR = 42, 14  # pixels from one model to the next, and of a bar
_NAME = 40  # letters of a name; its amount stands behind it
_STEPS = (Decimal("1"), Decimal("2"), Decimal("2.5"), Decimal("5"), Decimal("10"))
Attributes = dict[str, str | int]
_HATCHED = {"cache_read": 45, "cache_write": 135}  # degrees


def bars(found: Sequence[Alternative], t: Words, *, key: str, told: str) -> Markup:
    """Return the legend and the drawing of models that have a figure, at most `MOST_BARS`, in their order.

    `key` is unique in the page; `told` says in a sentence what is to be seen.
    """
    rows = list(found[:MOST_BARS])
    longest = max((one.high for one in rows), default=Decimal(0))
    scale = Decimal(_WIDE) / longest if longest else Decimal(0)
    bottom = 8 + _ROW * len(rows)
    parts = [_patterns(key), _axis(longest, scale, bottom)]
    parts += [_row(one, scale, 8 + _ROW * place, key, t) for place, one in enumerate(rows)]
    drawing = el(
        "svg", *parts, class_="bars", width="100%", height=bottom + 24, role="img", aria_label=told,
        xmlns="http://www.w3.org/2000/svg",
    )  # fmt: skip
    return joined([_legend(rows, key, t), drawing])


def _percent(value: Decimal) -> str:
    return f"{value:.3f}%"


def _row(one: Alternative, scale: Decimal, top: int, key: str, t: Words) -> Markup:
    told = usd(one.cost.total, lower_bound=one.cost.lower_bound, free=one.cost.free)
    beside = el("tspan", told, dx=8, class_="amount")
    parts = [el("text", shortened(one.name, _NAME), beside, x=0, y=top + 12, class_="name")]
    at, middle = Decimal(0), top + 18
    for kind, amount in by_kind(one.cost.by_unit()).items():
        if not amount:
            continue
        place: Attributes = {"x": _percent(at), "y": middle, "width": _percent(amount * scale), "height": _BAR}
        said = el("title", f"{one.name} · {kind_name(kind, t)}: {usd(amount)}")
        parts.append(el("g", said, el("rect", class_=f"k-{kind}", **place), _hatch(kind, key, place)))
        at += amount * scale
    bare = one.uncached.total * scale
    parts.append(el("rect", class_="bare", x=_percent(bare), y=middle - 3, width=3, height=_BAR + 6))
    return el("g", *parts)


def _hatch(kind: str, key: str, place: Attributes) -> Markup | None:
    return el("rect", fill=f"url(#{key}-{kind})", **place) if kind in _HATCHED else None


def _patterns(key: str) -> Markup:
    return el(
        "defs",
        *(
            el("pattern", el("rect", class_="hatch", width=2, height=6), id=f"{key}-{kind}", width=6, height=6,
               patternUnits="userSpaceOnUse", patternTransform=f"rotate({angle})")
            for kind, angle in _HATCHED.items()
        ),
    )  # fmt: skip


def ticks(longest: Decimal) -> list[Decimal]:
    """Return zero and two to four round amounts up to the longest bar's."""
    if longest <= 0:
        return [Decimal(0)]
    size = Decimal(1).scaleb((longest / 4).adjusted())
    step = next(size * one for one in _STEPS if longest / (size * one) <= 4)
    return [step * n for n in range(int(longest / step) + 1)]


def _axis(longest: Decimal, scale: Decimal, bottom: int) -> Markup:
    parts = []
    marks = ticks(longest)
    for amount, told in zip(marks, column(marks), strict=True):
        at = _percent(amount * scale)
        parts.append(el("line", class_="grid", x1=at, x2=at, y1=8, y2=bottom))
        anchor = "middle" if amount else "start"
        parts.append(el("text", told, x=at, y=bottom + 17, text_anchor=anchor, class_="tick"))
    return el("g", *parts, aria_hidden="true")


def _legend(rows: Sequence[Alternative], key: str, t: Words) -> Markup:
    sums = [by_kind(one.cost.by_unit()) for one in rows]
    used = [kind for kind in KINDS if any(one[kind] for one in sums)]
    swatch: Attributes = {"width": 14, "height": 14, "aria_hidden": "true"}
    full: Attributes = {"width": 14, "height": 14}
    items = [
        el(
            "li",
            el("svg", el("rect", class_=f"k-{kind}", **full), _hatch(kind, key, full), **swatch),
            kind_name(kind, t),
        )
        for kind in used
    ]
    bare = el("svg", el("rect", class_="bare", x=5, width=3, height=14), **swatch)
    return el("ul", *items, el("li", bare, t("nothing cached")), class_="legend")
