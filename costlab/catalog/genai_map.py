"""genai-prices' data as rates: dated lists, hours, tiers and variants written out as rows.

genai-prices keeps one `prices` per model, or a list whose last holding entry wins; an entry may begin on a date or
hold in daily hours, never both. Its `price_variants` override some units for calls with conditions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, time
from decimal import Decimal
from typing import TYPE_CHECKING

from costlab.errors import BadInput, CostLabError
from costlab.prices import WHEN_KEYS, When
from costlab.units import units

if TYPE_CHECKING:
    from genai_prices.types import MatchLogic, ModelInfo, ModelPrice, Provider

# `fast` is OpenAI's word for `priority` since 2026-07-30: one row for both (see the tier words of prices.py).
_SAME_TIER = {"fast": "priority"}
_STANDARD = (("service_tier", "default"),)


@dataclass(frozen=True, slots=True)
class Dated:
    """One price of genai-prices: for `per` units, with conditions, first and last day, and hours."""

    unit: str
    price: Decimal
    when: When = ()
    input_over: int | None = None
    start: date | None = None
    end: date | None = None
    windows: str = ""


def providers() -> list[Provider]:
    """Return the installed genai-prices' providers."""
    from genai_prices.data import providers as found

    return found


def read(published: object, file: str) -> list[Provider]:
    """Return the providers of genai-prices' published file, read by genai-prices itself; raises BadInput."""
    from genai_prices import types
    from pydantic import ValidationError

    reader = getattr(types, "_providers_from_raw", None)  # what its own updater reads the file with
    if reader is None:
        raise CostLabError("this version of genai-prices cannot read its published file: install a newer one")
    if not isinstance(published, list) or not published:
        raise BadInput("not genai-prices' list of providers", file=file)
    try:
        found: list[Provider] = reader(published)
    except (ValidationError, ValueError, TypeError, KeyError) as problem:
        raise BadInput(f"not genai-prices' list of providers: {str(problem)[:200]}", file=file) from None
    return found


def unit_keys() -> Mapping[str, str]:
    """Return genai-prices' price keys -> unit keys."""
    from genai_prices.data_units import unit_data

    return {str(u["price_key"]): k for k, u in unit_data.items() if k in units()}


def prices(model: ModelInfo) -> Iterator[Dated]:
    """Yield every price of a model: standard ones first, then its variants."""
    from genai_prices.types import ModelPrice

    listed = model.prices
    if isinstance(listed, ModelPrice):
        yield from _of(listed)
    else:
        yield from _timeline(listed)
    yield from _variants(model)


def _variants(model: ModelInfo) -> Iterator[Dated]:
    """Yield the prices of calls with conditions; one that begins later ends the one before it."""
    found: dict[tuple[object, ...], dict[date | None, Dated]] = {}
    for variant in model.price_variants or ():
        pairs = {k: _SAME_TIER.get(v, v) if k == "service_tier" else v for k, v in variant.when.items()}
        when = tuple(sorted(pairs.items()))
        if when == _STANDARD:
            continue
        if any(k not in WHEN_KEYS for k in pairs):
            raise ValueError(f"genai-prices has a condition that is not known here: {variant.when}")
        start = getattr(variant.constraint, "start_date", None)
        for price in _of(variant.prices, when=when, start=start, windows=_hours(variant.constraint)):
            group = (price.unit, price.when, price.input_over, price.windows)
            found.setdefault(group, {}).setdefault(start, price)
    for by_start in found.values():
        starts = sorted(by_start, key=lambda day: day or date.min)
        for place, start in enumerate(starts):
            end = starts[place + 1] if place + 1 < len(starts) else None
            yield replace(by_start[start], end=end)


def _of(
    prices: ModelPrice, *, when: When = (), start: date | None = None, end: date | None = None, windows: str = ""
) -> Iterator[Dated]:
    from genai_prices.types import TieredPrices

    keys = unit_keys()
    for name, value in prices.__dict__.items():
        if value is None or name not in keys:
            continue
        base = value.base if isinstance(value, TieredPrices) else value
        yield Dated(keys[name], Decimal(base), when, None, start, end, windows)
        for tier in value.tiers if isinstance(value, TieredPrices) else ():
            yield Dated(keys[name], Decimal(tier.price), when, int(tier.start), start, end, windows)


def _timeline(listed: list) -> Iterator[Dated]:  # type: ignore[type-arg]
    """Entries that begin on a date end where the next begins; hours hold from the last such date on.

    (genai-prices itself lets hours hold at every date, and says so in its comments; a price in hours cannot be
    older there than the entry before it.)
    """
    dated = [(getattr(c.constraint, "start_date", None), c.prices) for c in listed if not _hours(c.constraint)]
    dated.sort(key=lambda d: d[0] or date.min)
    for i, (start, prices) in enumerate(dated):
        end = dated[i + 1][0] if i + 1 < len(dated) else None
        yield from _of(prices, start=start, end=end)
    grouped: dict[str, list[str]] = {}
    blocks: dict[str, ModelPrice] = {}
    for entry in listed:
        hours = _hours(entry.constraint)
        if hours:
            key = repr(sorted((k, str(v)) for k, v in entry.prices.__dict__.items()))
            grouped.setdefault(key, []).append(hours)
            blocks[key] = entry.prices
    last = dated[-1][0] if dated else None
    for key, hours_list in grouped.items():
        yield from _of(blocks[key], start=last, windows=",".join(sorted(hours_list)))


def _hours(constraint: object) -> str:
    start, end = getattr(constraint, "start_time", None), getattr(constraint, "end_time", None)
    if not isinstance(start, time) or not isinstance(end, time):
        return ""
    first, last = f"{start:%H:%M}", f"{end:%H:%M}"
    if last == "00:00":
        return f"{first}-24:00"
    return f"{first}-{last}" if first < last else f"00:00-{last},{first}-24:00"


def names(match: MatchLogic) -> Iterator[str]:
    """Yield the exact texts in a match clause: each is a name that the source itself lists for the model.

    Every text of an equals, starts, ends or contains clause matches its own clause; nothing longer is taken.
    Regular expressions and clauses that must hold together are left out: they list no name.
    """
    inner = getattr(match, "or_", None)
    if inner is not None:
        for clause in inner:
            yield from names(clause)
        return
    for attribute in ("equals", "starts_with", "contains", "ends_with"):
        text = getattr(match, attribute, None)
        if isinstance(text, str) and text.strip("-@:/ "):
            yield text.strip("-@:/ ")
