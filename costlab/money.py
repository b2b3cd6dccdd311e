"""One money format for app, notebook, report and command line. `Decimal` in, text out; never scientific notation.

The rules are the table of docs/numbers.md: significant digits by size, a word where there is no price.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal

_SMALLEST = Decimal("0.000001")


def _fixed(amount: Decimal, decimals: int) -> str:
    rounded = amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)
    return f"{abs(rounded) if rounded == 0 else rounded:,.{decimals}f}"


def _decimals(amount: Decimal) -> int:
    """Return the decimals that show three significant digits below 1, at least two."""
    if amount == 0 or amount >= 1:
        return 2
    return max(2, 2 - amount.adjusted())


def usd(amount: Decimal | None, *, lower_bound: bool = False, free: bool = False, estimated: bool = False) -> str:
    """Return an amount in USD as text; None is `unpriced`. `lower_bound` adds the sign `≥`, `estimated` a tilde."""
    if amount is None:
        return "unpriced"
    sign = "≥ " if lower_bound else "~" if estimated else ""
    if amount == 0:
        return f"{sign}$0 (free)" if free and not lower_bound else f"{sign}$0"
    if amount < 0:
        return f"{sign}-{usd(-amount)}"
    if amount < _SMALLEST:
        return f"{sign}$0.000001" if lower_bound else "< $0.000001"
    text = _fixed(amount, _decimals(amount))
    if amount < 1 and "." in text:
        whole, fraction = text.split(".")
        text = f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"
    return f"{sign}${text}"


def headline(amount: Decimal | None, *, lower_bound: bool = False) -> str:
    """Return an amount for a headline: compact from $10,000 on (`$12.3k`, `$1.05M`)."""
    if amount is None or amount < 10_000:
        return usd(amount, lower_bound=lower_bound)
    sign = "≥ " if lower_bound else ""
    scale, letter = (Decimal(1_000_000), "M") if amount >= 999_500 else (Decimal(1_000), "k")
    value = amount / scale
    return f"{sign}${_fixed(value, max(0, 2 - value.adjusted()))}{letter}"


def column_decimals(amounts: Iterable[Decimal | None]) -> int:
    """Return the one number of decimals for a column: enough for its smallest amount, 2 to 6."""
    used = [abs(a) for a in amounts if a]
    return min(6, max(2, *(_decimals(a) for a in used))) if used else 2


def column(amounts: Iterable[Decimal | None]) -> list[str]:
    """Return a column's amounts with the same decimals in every row; None is `unpriced`."""
    rows = list(amounts)
    decimals = column_decimals(rows)
    return ["unpriced" if a is None else f"${_fixed(a, decimals)}" for a in rows]


def unit_price(price: Decimal, per: int, noun: str) -> str:
    """Return a unit price as `$0.15 / 1M tokens`, `$0.04 / image`: two decimals, or as many as the price has."""
    exact = price.normalize()
    places = max(2, -int(exact.as_tuple().exponent))
    names = {1_000: "1k ", 1_000_000: "1M ", 1_000_000_000: "1G ", 1: ""}
    return f"${price:,.{places}f} / {names.get(per, f'{per:,} ')}{noun}"


def change(before: Decimal, after: Decimal) -> str:
    """Return a change, money first, then percent: `-$0.28 (-70%)`; from nothing: `new`."""
    delta = after - before
    if delta == 0:
        return "$0 (0%)"
    sign = "-" if delta < 0 else "+"
    share = "new" if before == 0 else f"{sign}{abs(delta / before * 100):.0f}%"
    return f"{sign}{usd(abs(delta))} ({share})"


def tokens(count: int | Decimal) -> str:
    """Return a count in full with separators, as in tables."""
    return f"{count:,}"


def compact(count: int | Decimal) -> str:
    """Return a count for a headline: `17.9k`, `1.05M`."""
    value = Decimal(count)
    for scale, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if value >= scale:
            part = value / scale
            return f"{_fixed(part, max(0, 2 - part.adjusted()))}{letter}"
    return f"{count:,}"


def duration(seconds: float | None) -> str:
    """Return seconds as `0.84 s`, `12 s` or `2 min 05 s`; None as an em dash."""
    if seconds is None:
        return "—"
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def exact(amount: float | None) -> Decimal | None:
    """Return a frame's float64 amount as a Decimal of its shortest text; None and NaN are no amount."""
    return None if amount is None or amount != amount else Decimal(repr(float(amount)))
