"""One money format for app, notebook, report and command line. `Decimal` in, text out; never scientific notation.

The rules are the table of docs/numbers.md: significant digits by size, a word where there is no price. Rounding is
half to even and only for display.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

_SMALLEST = Decimal("0.000001")
_COMPACT = ((Decimal(10) ** 9, "G"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 3, "k"))
_PER = {1: "", 1_000: "1k ", 1_000_000: "1M ", 1_000_000_000: "1G "}


def _fixed(amount: Decimal, decimals: int) -> str:
    rounded = amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)
    return f"{abs(rounded) if rounded == 0 else rounded:,.{decimals}f}"


def _decimals(amount: Decimal) -> int:
    """Return the decimals that show three significant digits below 1, at least two."""
    if amount == 0 or abs(amount) >= 1:
        return 2
    return max(2, 2 - amount.adjusted())


def _plain(amount: Decimal) -> str:
    """Return three significant digits below 1, without trailing zeros past two decimals; else two decimals."""
    text = _fixed(amount, _decimals(amount))
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def _three_digits(value: Decimal) -> str:
    """Return a number from 1,000 on with three significant digits and a letter: 12.3k, 1.05M."""
    rounded = value.quantize(Decimal(1).scaleb(value.adjusted() - 2), ROUND_HALF_EVEN)
    scale, letter = next((scale, letter) for scale, letter in _COMPACT if rounded >= scale)
    part = rounded / scale
    return f"{part:,.{max(0, 2 - part.adjusted())}f}{letter}"


def usd(amount: Decimal | None, *, lower_bound: bool = False, free: bool = False, estimated: bool = False) -> str:
    """Return an amount in USD as text; None is `unpriced`. `lower_bound` adds the sign `≥`, `estimated` a tilde."""
    if amount is None:
        return "unpriced"
    sign = "≥ " if lower_bound else "~" if estimated else ""
    if amount == 0:
        return f"{sign}$0 (free)" if free and not lower_bound else f"{sign}$0"
    minus = "-" if amount < 0 else ""
    if abs(amount) < _SMALLEST and not lower_bound and not minus:
        return "< $0.000001"
    return f"{sign}{minus}${_plain(abs(amount))}"


def headline(amount: Decimal | None, *, lower_bound: bool = False, estimated: bool = False) -> str:
    """Return an amount for a headline: compact from $10,000 on (`$12.3k`, `$1.05M`)."""
    if amount is None or amount < Decimal("9999.995"):  # what two decimals would show as 10,000.00 is compact too
        return usd(amount, lower_bound=lower_bound, estimated=estimated)
    return f"{'≥ ' if lower_bound else '~' if estimated else ''}${_three_digits(amount)}"


def column_decimals(amounts: Iterable[Decimal | None]) -> int:
    """Return the one number of decimals for a column: three digits of its smallest amount, 2 to 6.

    Decimals that would be zero in every row are dropped.
    """
    used = [a for a in amounts if a]
    most = min(6, max(2, *(_decimals(a) for a in used))) if used else 2
    needed = [most if abs(a) < _SMALLEST else len(_fixed(a, most).rstrip("0").partition(".")[2]) for a in used]
    return max(2, *needed) if used else 2


def column(amounts: Iterable[Decimal | None]) -> list[str]:
    """Return a column's amounts with the same decimals in every row; None is `unpriced`."""
    rows = list(amounts)
    decimals = column_decimals(rows)
    return ["unpriced" if a is None else cell(a, decimals) for a in rows]


def cell(amount: Decimal, decimals: int) -> str:
    """Return an amount of a column that has so many decimals."""
    if 0 < amount < _SMALLEST:
        return "< $0.000001"
    return f"{'-' if amount < 0 else ''}${_fixed(abs(amount), decimals)}"


def interval(amount: Decimal, low: Decimal, high: Decimal, level: int) -> str:
    """Return an amount with its range and the range's level in percent: `$0.12 ($0.09-$0.17, 80%)`."""
    middle, start, end = column((amount, low, high))
    return f"{middle} ({start}-{end}, {level}%)"


def per_tasks(amount: Decimal | None, tasks: int = 1_000, *, lower_bound: bool = False) -> str:
    """Return what one task costs as what many cost: `$4.64 per 1,000 tasks`."""
    many = None if amount is None else amount * tasks
    return f"{usd(many, lower_bound=lower_bound)} per {tasks:,} tasks"


def converted(amount: Decimal, code: str, rate: Decimal, day: date) -> str:
    """Return an amount in another currency with its rate and the rate's date: `CNY 0.0335 (7.21, 2026-11-20)`."""
    return f"{code} {_plain(amount * rate)} ({rate}, {day.isoformat()})"


def unit_price(price: Decimal, per: int, noun: str) -> str:
    """Return a unit price as `$0.15 / 1M tokens`, `$0.04 / image`: two decimals, or as many as the price has."""
    places = max(2, -int(price.normalize().as_tuple().exponent))
    return f"${price:,.{places}f} / {_PER.get(per, f'{per:,} ')}{noun}"


def change(before: Decimal, after: Decimal) -> str:
    """Return a change, money first, then percent: `-$0.28 (-70%)`; from nothing: `new`."""
    delta = after - before
    if delta == 0:
        return "$0 (0%)"
    sign = "-" if delta < 0 else "+"
    share = abs(delta / before * 100) if before else None
    percent = "new" if share is None else f"{sign}{share:,.0f}%" if share >= 1 else f"{sign}<1%"
    return f"{sign}${_plain(abs(delta))} ({percent})"


def markdown(text: str) -> str:
    """Return text in which Markdown leaves money alone: two dollar signs would make a formula of what is between."""
    return text.replace("$", "\\$")


def tokens(count: int | Decimal) -> str:
    """Return a count in full with separators, as in tables."""
    return f"{count:,}"


def compact(count: int | Decimal) -> str:
    """Return a count for a headline: `17.9k`, `1.05M`."""
    return _three_digits(Decimal(count)) if count >= 1_000 else f"{count:,}"


def duration(seconds: float | None) -> str:
    """Return seconds as `0.84 s`, `12 s`, `2 min 05 s` or `1 h 02 min`; None as an em dash."""
    if seconds is None:
        return "—"
    if round(seconds, 2) < 10:
        return f"{seconds:.2f} s"
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def exact(amount: float | None) -> Decimal | None:
    """Return a frame's float64 amount as a Decimal of its shortest text; None and NaN are no amount."""
    return None if amount is None or amount != amount else Decimal(repr(float(amount)))
