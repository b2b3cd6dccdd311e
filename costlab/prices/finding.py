"""Which rate prices a unit: its own, that of the other write, a declared multiple of input, or an ancestor's.

The rules are DESIGN.md section 4 ("Tier words", "Ancestors", "Context tiers", "Dates") and stand here once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from costlab.prices.rates import (
    CHEAPER_TIERS,
    DEARER_TIERS,
    LAYERS,
    Conditions,
    ModelRates,
    Rate,
    matches,
    precedence,
)
from costlab.prices.table import PriceTable, Resolved
from costlab.prices.windows import Windows
from costlab.usage import Counts, Number, UsageWarning, ancestors, leaves, token_side, unit

WriteMultiple = Callable[[str, str, str | None], Decimal | None]
GOOGLE = ("google", "google-vertex")


@dataclass(frozen=True, slots=True)
class Found:
    """A rate for a unit, or `why` there is none; `bounds` are the reasons that come with it.

    `priced_as` is the unit whose rate was taken, `multiple` what it is multiplied by.
    """

    rate: Rate | None = None
    priced_as: str = ""
    multiple: Decimal = Decimal(1)
    bounds: tuple[str, ...] = ()
    why: str = ""

    @property
    def per_unit(self) -> Decimal:
        """Return the price of one unit in the rate's currency; there must be a rate."""
        assert self.rate is not None
        return self.rate.per_unit * self.multiple

    @property
    def foreign(self) -> bool:
        """Return whether the rate is in a currency that nothing here converts."""
        return self.rate is not None and self.rate.currency != "USD"


class Finder:
    """The rates of one model under one set of conditions, unit by unit; each is looked up once."""

    def __init__(self, rates: ModelRates, conditions: Conditions, write_multiple: WriteMultiple | None = None) -> None:
        self.rates, self.write_multiple = rates, write_multiple
        self.day = rates.first_day(conditions.day)
        self.moved = self.day != conditions.day  # no rate at the call's date yet: the earliest stands in
        self.conditions = conditions
        self.context = dict(conditions.when)
        self.rows: dict[str, list[Rate]] = {}
        self.charges_requests = False  # whether the model has a fee for each request, whatever its conditions
        for row in rates.in_force(self.day):
            self.charges_requests |= row.unit == "requests" and not row.doubtful
            if matches(row, conditions):
                self.rows.setdefault(row.unit, []).append(row)
        self._known: dict[str, Found] = {}

    def rate(self, key: str) -> Found:
        """Return the rate of a unit with its bounds, or why there is none."""
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._find(key)
        return found

    def _find(self, key: str) -> Found:
        found = self._own(key) or self._ancestor(key)
        rate = found.rate
        if rate is None:
            return found
        if found.foreign:
            return Found(why=f"priced in {rate.currency}, no exchange rate stated")
        bounds = [*found.bounds]
        if _dearer(self.rates.provider, key, found):
            bounds.append("ancestor_rate")
        if unit(key).family == "tokens" and self._tier_missing(rate):
            bounds.append("tier_rate_missing")
        if self._lifetime_matters(key, found):
            bounds.append("ttl_unknown")
        return replace(found, bounds=tuple(bounds))

    def _own(self, key: str) -> Found | None:
        """Return a unit's own rate; of a cache write also that of the same lifetime, or the declared multiple."""
        kind = dict(unit(key).dimensions)
        keys = [key]
        if kind.get("token_type") == "cache_write" and kind.get("cache_ttl") != "1h":
            # A write of no stated lifetime is taken for one of 5 minutes, and a plain write rate is that of 5 minutes.
            keys.append(key.replace("write_5m", "write") if "5m" in key else key.replace("write", "write_5m"))
        for k in keys:
            if (rate := self._winner(k)) is not None:
                return Found(rate, rate.unit)
        if kind.get("token_type") != "cache_write" or "modality" in kind or self.write_multiple is None:
            return None
        base = self._winner("input_tokens")
        times = self.write_multiple(self.rates.provider, self.rates.model, kind.get("cache_ttl"))
        return Found(base, base.unit, times) if base is not None and times is not None else None

    def _ancestor(self, key: str) -> Found:
        """Return the rate of the nearest unit that contains this one; of two as near, the dearer."""
        found = {k: f for k in ancestors(key) if (f := self._own(k)) is not None}
        nearest = [k for k in found if not any(k != o and unit(k).contains(unit(o)) for o in found)]
        if not nearest:
            return Found(why=self._why_not(key))
        return found[max(nearest, key=lambda k: (found[k].foreign, found[k].per_unit))]

    def _winner(self, key: str, *, plain: bool = False) -> Rate | None:
        """Return the row that wins among those that hold; with `plain`, among those without any condition."""
        rows = [r for r in self.rows.get(key, ()) if not r.doubtful and not (plain and r.when)]
        needs = None if plain else self._cheaper(key)
        if needs:
            rows = [r for r in rows if needs in dict(r.when)]
        if not rows:
            return None
        # Of one price in two currencies ours is taken, unless a later layer says another.
        top = max(LAYERS.index(r.layer) for r in rows if r.currency != "USD") if _foreign(rows) else -1
        ours = [r for r in rows if r.currency == "USD" and LAYERS.index(r.layer) >= top]
        return max(ours or rows, key=precedence)

    def _cheaper(self, key: str) -> str | None:
        """Return the condition that a rate of tokens must carry: a cheaper tier never falls back to standard."""
        if unit(key).family != "tokens":
            return None
        if self.context.get("processing") == "batch":
            return "processing"
        return "service_tier" if self.context.get("service_tier") in CHEAPER_TIERS else None

    def _tier_missing(self, rate: Rate) -> bool:
        """Return whether a dearer tier, or a context tier that the standard rates have, has no row behind a rate."""
        has = dict(rate.when)
        if self.context.get("service_tier") in DEARER_TIERS and "service_tier" not in has:
            return True
        if self.context.get("speed") not in (None, "standard") and "speed" not in has:
            return True
        side = f"{unit(rate.unit).direction}_tokens"
        if self._elsewhere(rate, side):
            return True
        # All tokens of a call move at a context tier: the unit's own standard rate and its side's total tell of one.
        plain = [r for k in (rate.unit, side) if (r := self._winner(k, plain=True)) is not None]
        return any(_higher(r.input_over, rate.input_over) or _higher(r.output_over, rate.output_over) for r in plain)

    def _elsewhere(self, rate: Rate, side: str) -> bool:
        """Return whether a region that has a price of its own for a side's tokens has none for this unit of it."""
        if "region" not in self.context or "region" in dict(rate.when):
            return False
        whole = self._winner(side)
        return whole is not None and "region" in dict(whole.when)

    def _lifetime_matters(self, key: str, found: Found) -> bool:
        """Return whether a write of no stated lifetime could have been a dearer one of an hour."""
        kind = dict(unit(key).dimensions)
        if kind.get("token_type") != "cache_write" or "cache_ttl" in kind:
            return False
        hour = self._own(key.replace("write", "write_1h")) or self._own("cache_write_1h_tokens")
        return hour is not None and hour.per_unit > found.per_unit

    def _why_not(self, key: str) -> str:
        chain = (key, *ancestors(key))
        if any(r.doubtful for k in chain for r in self.rows.get(k, ())):
            return "source lists 0"
        needs = self._cheaper(key)
        return f"no {self.context[needs]} rate" if needs else f"no rate for {key}"


def _foreign(rows: Iterable[Rate]) -> bool:
    return any(r.currency != "USD" for r in rows)


def _higher(standard: int | None, mine: int | None) -> bool:
    """Return whether a tier begins above another; 'reaches 200,000' stands as 199,999 and as 200,000 in two sources."""
    return standard is not None and (mine is None or standard > mine + 1)


def _dearer(provider: str, key: str, found: Found) -> bool:
    """Return whether a unit may cost more than the one whose rate it takes."""
    mine, theirs = dict(unit(key).dimensions), dict(unit(found.priced_as).dimensions)
    lost = {k: v for k, v in mine.items() if k not in theirs}
    if mine["family"] != "tokens":
        return "page_type" in lost
    if mine["direction"] == "output":
        return lost.get("modality") in ("image", "audio", "video")
    hour = mine.get("cache_ttl") == "1h" != theirs.get("cache_ttl") and found.multiple == 1
    video = lost.get("modality") == "video" and provider not in GOOGLE
    return hour or video or lost.get("modality") == "audio"


@dataclass(frozen=True, slots=True)
class Edges:
    """Where the rates of a model change: dates, context tiers and windows. Between them every rate is one."""

    days: tuple[datetime, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    windows: tuple[Windows, ...]

    def bucket(self, c: Conditions) -> tuple[object, ...]:
        """Return what of the conditions decides rates: two calls of one bucket have the same."""
        held = tuple(w.hold(c.clock) for w in self.windows)
        over = bisect_left(self.inputs, c.input_total), bisect_left(self.outputs, c.output_total)
        return (bisect_right(self.days, c.day), *over, held, c.when)


def edges(rates: ModelRates) -> Edges:
    """Return where the rates of a model change."""
    rows = rates.rows
    return Edges(
        days=tuple(sorted({d for r in rows for d in (r.valid_from, r.valid_to) if d is not None})),
        inputs=tuple(sorted({r.input_over for r in rows if r.input_over is not None})),
        outputs=tuple(sorted({r.output_over for r in rows if r.output_over is not None})),
        windows=tuple({r.utc_windows.text: r.utc_windows for r in rows if r.utc_windows is not None}.values()),
    )


@dataclass(frozen=True, slots=True)
class Split:
    """Counts made disjoint, with what was said about them; totals are inclusive and decide the context tier."""

    leaves: dict[str, Number]
    notes: tuple[UsageWarning, ...]
    input_total: Number
    output_total: Number


def split(counts: Counts) -> Split:
    """Return inclusive counts as leaves; the leaves of a side sum to its inclusive total."""
    found, notes = leaves(counts)
    sides = [sum([n for key, n in found.items() if token_side(key) == side]) for side in ("input", "output")]
    return Split(found, notes, sides[0], sides[1])


class PriceBook:
    """A price table opened at the models in use: names, leaves and rates are each worked out once.

    It holds what it found, so it is made for one task (a run, a comparison) and dropped; the table stays as it is.
    """

    def __init__(self, table: PriceTable) -> None:
        self.table = table
        self._names: dict[tuple[str | None, str], Resolved | None] = {}
        self._models: dict[tuple[str, str], tuple[ModelRates, Edges] | None] = {}
        self._finders: dict[tuple[object, ...], Finder] = {}
        self._splits: dict[tuple[tuple[str, Number], ...], Split] = {}

    def resolve(self, provider: str | None, model: str) -> Resolved | None:
        """Return what a name means in the table, or None."""
        key = (provider, model)
        if key not in self._names:
            self._names[key] = self.table.resolve(provider, model)
        return self._names[key]

    def model(self, who: Resolved) -> tuple[ModelRates, Edges] | None:
        """Return the rates of a resolved model and where they change, or None."""
        key = (who.provider, who.model)
        if key not in self._models:
            rates = self.table.find(*key)
            self._models[key] = (rates, edges(rates)) if rates else None
        return self._models[key]

    def finder(self, who: Resolved, conditions: Conditions) -> Finder | None:
        """Return the rates of a resolved model under conditions, or None where the table has no row of it."""
        found = self.model(who)
        if found is None:
            return None
        rates, where = found
        key = (who.provider, who.model, *where.bucket(conditions))
        if key not in self._finders:
            self._finders[key] = Finder(rates, conditions, self.table.write_multiple)
        return self._finders[key]

    def split(self, counts: Counts) -> Split:
        """Return inclusive counts as leaves, with their totals."""
        key = tuple(counts.items())
        if key not in self._splits:
            self._splits[key] = split(counts)
        return self._splits[key]
