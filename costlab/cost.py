"""What a call costs: one formula, sum of leaf x rate, with the rate of every line and a reason for every doubt.

The rules (which rate, ancestors, tiers, dates, bounds) are DESIGN.md section 4 and stand here once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from costlab.prices import (
    CHEAPER_TIERS,
    DEARER_TIERS,
    DOUBTFUL,
    Conditions,
    ModelRates,
    PriceTable,
    Rate,
    Resolved,
    When,
    matches,
    precedence,
    tier_context,
)
from costlab.runs import LOCAL_PROVIDERS, ModelCall, Part, Run
from costlab.usage import Counts, Number, UsageWarning, add, ancestors, leaves, unit

BOUND_REASONS = (
    "unpriced", "unmetered", "cut", "maybe_billed", "ttl_unknown", "ancestor_rate", "tier_rate_missing",
    "placeholder_output",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bound:
    """Why a total is a lower bound: the reason, the call concerned and, if one is, the unit."""

    reason: str
    call: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One priced leaf: `amount` = `quantity` x `multiple` x the rate's price per unit, in USD.

    `priced_as` names the unit whose rate was used where the leaf has none of its own. `date_unproven`: the rate has
    no date and was read after the call.
    """

    call: str
    provider: str
    model: str
    unit: str
    quantity: Number
    rate: Rate
    priced_as: str
    date_unproven: bool = False
    multiple: Decimal = Decimal(1)

    @property
    def usd_per_unit(self) -> Decimal:
        """Return the price of one unit in USD."""
        return self.rate.per_unit * self.multiple

    @property
    def amount(self) -> Decimal:
        """Return the line's money in USD."""
        price = self.rate.price
        assert price is not None
        return price * self.multiple * self.quantity / self.rate.per


@dataclass(frozen=True, slots=True)
class Unpriced:
    """A quantity that no rate covers, and why."""

    call: str
    provider: str
    model: str
    unit: str
    quantity: Number
    why: str


@dataclass(frozen=True)
class Cost:
    """Lines, what could not be priced, and why the total is a lower bound. Costs add up."""

    lines: tuple[Line, ...] = ()
    unpriced: tuple[Unpriced, ...] = ()
    bounds: tuple[Bound, ...] = ()
    warnings: tuple[UsageWarning, ...] = ()

    @cached_property
    def total(self) -> Decimal:
        """Return the sum of all lines in USD; a lower bound where `lower_bound` says so."""
        return sum((line.amount for line in self.lines), Decimal(0))

    @property
    def lower_bound(self) -> bool:
        """Return whether the true total may be higher."""
        return bool(self.bounds)

    @property
    def free(self) -> bool:
        """Return whether everything used has a rate of 0 that somebody vouches for."""
        return bool(self.lines) and not self.unpriced and all(line.rate.price == 0 for line in self.lines)

    def by_unit(self) -> dict[str, Decimal]:
        """Return USD by unit, in the order of the lines."""
        found: dict[str, Decimal] = {}
        for line in self.lines:
            found[line.unit] = found.get(line.unit, Decimal(0)) + line.amount
        return found

    def __add__(self, other: Cost) -> Cost:
        """Return both costs as one."""
        return total_of((self, other))


def total_of(costs: Iterable[Cost]) -> Cost:
    """Return several costs as one: lines, doubts and warnings in order."""
    every = tuple(costs)
    return Cost(
        tuple(x for c in every for x in c.lines),
        tuple(x for c in every for x in c.unpriced),
        tuple(x for c in every for x in c.bounds),
        tuple(x for c in every for x in c.warnings),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """A rate for a leaf, or why there is none; `bounds` are reasons that come with it."""

    rate: Rate | None = None
    priced_as: str = ""
    multiple: Decimal = Decimal(1)
    bounds: tuple[str, ...] = ()
    why: str = ""


LOCAL_NOTE = "ran locally, not billed"


def price_call(call: ModelCall, table: PriceTable, *, now: datetime, day: datetime | None = None) -> Cost:
    """Return what one call costs in USD, at its own date or, with `day`, at the prices of another day.

    `now` stands in for a call without a date. With `day` the call's own weekday and hour still choose the window.
    """
    at = call.started_at or now
    parts = call.parts or (Part(call.provider, call.model, call.counts, call.service_tier),)
    costs = [_price_part(call, part, table, at, day or at) for part in parts]
    return total_of([*costs, Cost(bounds=tuple(call_bounds(call)), warnings=call.warnings)])


def call_bounds(call: ModelCall) -> list[Bound]:
    """Return the bounds that lie in the call itself, whatever its prices."""
    found = []
    for text in call.bounds:
        reason, _, concerned = text.partition(":")
        found.append(Bound(reason, call.call_id, concerned))
    if call.status in ("cut", "running") and not any(b.reason == "cut" for b in found):
        found.append(Bound("cut", call.call_id))
    if call.status == "ok" and call.usage_basis == "unknown" and not any(b.reason == "unmetered" for b in found):
        found.append(Bound("unmetered", call.call_id))
    lost = [a for a in call.attempts if a.error and a.billed == "unknown" and (a.status is None or a.status < 400)]
    if lost and call.status != "cut":
        found.append(Bound("maybe_billed", call.call_id))
    return found


def _price_part(call: ModelCall, part: Part, table: PriceTable, at: datetime, day: datetime) -> Cost:
    counts, notes = leaves(part.counts)
    if part.provider in LOCAL_PROVIDERS:
        return _local(call, part, counts, notes)
    found = table.resolve(part.provider or None, part.model)
    rates = table.find(found.provider, found.model) if found else None
    if found is None or rates is None:
        who = f"{part.provider}/{part.model}" if part.provider else part.model
        why = f"no model {who!r} in the price tables" if part.model else "no model is named"
        return _nothing(call.call_id, part, counts, why, notes)
    tier, tier_bound = tier_context(part.service_tier if part.service_tier is not None else call.service_tier)
    if tier_bound == "unmetered":
        return _nothing(call.call_id, part, counts, "provisioned throughput is not billed by token", notes, "unmetered")
    when = tuple(sorted({**dict(tier), **call.when}.items()))
    conditions = Conditions(
        day=day,
        clock=at,
        when=when,
        input_total=Decimal(part.counts.get("input_tokens", 0)),
        output_total=Decimal(part.counts.get("output_tokens", 0)),
    )
    if call.status == "ok" and part in call.parts[:1] + (() if call.parts else (part,)):
        counts = _with_request(counts, rates, conditions)
    finder = Finder(rates, conditions, table.write_multiple)
    return _lines(call.call_id, found, counts, finder, notes, tier_bound)


def _with_request(counts: dict[str, Number], rates: ModelRates, c: Conditions) -> dict[str, Number]:
    """Count the request itself where its model charges for requests."""
    fees = [r for r in rates.in_force(c.day) if r.unit == "requests" and matches(r, c)]
    return {"requests": 1, **counts} if fees and "requests" not in counts else counts


def _lines(
    call_id: str, who: Resolved, counts: Counts, finder: Finder, notes: tuple[UsageWarning, ...], tier_bound: str | None
) -> Cost:
    lines, missing, bounds = [], [], []
    for key, quantity in counts.items():
        got = finder.rate(key)
        if got.rate is None:
            missing.append(Unpriced(call_id, who.provider, who.model, key, quantity, got.why))
            bounds.append(Bound("unpriced", call_id, key))
            continue
        unproven = got.rate.valid_from is None and _before(finder.conditions.day, got.rate)
        late = finder.moved or unproven
        lines.append(Line(call_id, who.provider, who.model, key, quantity, got.rate, got.priced_as, late, got.multiple))
        bounds += [Bound(reason, call_id, key) for reason in got.bounds]
        if tier_bound and unit(key).family == "tokens":
            bounds.append(Bound(tier_bound, call_id, key))
    if finder.moved:
        detail = f"priced with the first known rates, from {finder.day:%Y-%m-%d}"
        notes = (*notes, UsageWarning("before_first_price", "at", detail))
    return Cost(tuple(lines), tuple(missing), tuple(bounds), notes)


def _before(day: datetime, rate: Rate) -> bool:
    return rate.read_at is not None and day.date() < rate.read_at


def _nothing(
    call_id: str, part: Part, counts: Counts, why: str, notes: tuple[UsageWarning, ...], reason: str = "unpriced"
) -> Cost:
    missing = tuple(Unpriced(call_id, part.provider, part.model, k, n, why) for k, n in counts.items())
    bounds = tuple(Bound(reason, call_id, k) for k in counts) or (Bound(reason, call_id),)
    return Cost((), missing, bounds, notes)


def _local(call: ModelCall, part: Part, counts: Counts, notes: tuple[UsageWarning, ...]) -> Cost:
    lines = []
    for key, quantity in counts.items():
        rate = Rate(part.provider, part.model, key, Decimal(0), unit(key).per, source="local", note=LOCAL_NOTE)
        lines.append(Line(call.call_id, part.provider, part.model, key, quantity, rate, key))
    return Cost(tuple(lines), warnings=notes)


@dataclass
class Finder:
    """Finds the rate of each unit for one model under the conditions of one call."""

    rates: ModelRates
    conditions: Conditions
    write_multiple: Callable[[str, str, str | None], Decimal | None] | None = None
    rows: Mapping[str, list[Rate]] = field(init=False)
    day: datetime = field(init=False)
    moved: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        """Take the rows of the call's day, or of the first day that has any."""
        self.day = self.conditions.day
        held = self.rates.in_force(self.day)
        first = self._begins()
        if first is not None and first > self.day and not any(unit(r.unit).family == "tokens" for r in held):
            self.day, self.moved = first, True
            held = self.rates.in_force(first)
        by_unit: dict[str, list[Rate]] = {}
        for row in held:
            if matches(row, self.conditions):
                by_unit.setdefault(row.unit, []).append(row)
        self.rows = by_unit

    def _begins(self) -> datetime | None:
        """Return the first day of the model's token rates (of any, if it has none): a fee may be older than a model."""
        tokens = tuple(r for r in self.rates.rows if unit(r.unit).family == "tokens")
        return replace(self.rates, rows=tokens).earliest() if tokens else self.rates.earliest()

    def rate(self, key: str) -> _Found:
        """Return the rate of a leaf: its own, a declared multiple of input, or its nearest ancestor's."""
        cheaper = self._cheaper(key)
        own = self._winner(key, cheaper)
        if own is not None:
            return self._own(key, own)
        if unit(key).family == "tokens" and "cache_write" in dict(unit(key).dimensions).values():
            write = self._write(key, cheaper)
            if write is not None:
                return write
        return self._ancestor(key, cheaper)

    def _cheaper(self, key: str) -> str | None:
        """Return the `when` key that a rate must carry: cheaper tiers have no fallback, for tokens."""
        if unit(key).family != "tokens":
            return None
        context = self.conditions.context
        if context.get("processing") == "batch":
            return "processing"
        return "service_tier" if context.get("service_tier") in CHEAPER_TIERS else None

    def _winner(self, key: str, needs: str | None, when: When | None = None) -> Rate | None:
        rows = [r for r in self.rows.get(key, ()) if r.currency == "USD" and not r.note.startswith(DOUBTFUL)]
        if when is not None:
            rows = [r for r in rows if all(pair in when for pair in r.when)]
        if needs:
            rows = [r for r in rows if needs in dict(r.when)]
        return max(rows, key=precedence) if rows else None

    def _own(self, key: str, rate: Rate, priced_as: str | None = None, bounds: tuple[str, ...] = ()) -> _Found:
        if unit(key).family == "tokens":
            bounds += self._tier_bounds(rate)
        if key.endswith("write_tokens") and self._two_write_rates(key):
            bounds += ("ttl_unknown",)
        return _Found(rate, priced_as or rate.unit, bounds=bounds)

    def _tier_bounds(self, rate: Rate) -> tuple[str, ...]:
        """Return `tier_rate_missing` where a dearer tier, or the standard rate's context tier, has no row here."""
        context, mine = self.conditions.context, dict(rate.when)
        dearer = context.get("service_tier") in DEARER_TIERS and "service_tier" not in mine
        fast = context.get("speed") not in (None, "standard") and "speed" not in mine
        tiers = ("service_tier", "processing", "speed")
        plain = tuple(p for p in self.conditions.when if p[0] not in tiers)
        standard = self._winner(rate.unit, None, plain)
        steps = standard is not None and (standard.input_over or -1) > (
            rate.input_over if rate.input_over is not None else -1
        )
        return ("tier_rate_missing",) if dearer or fast or steps else ()

    def _two_write_rates(self, key: str) -> bool:
        hour = self._winner(key.replace("write", "write_1h"), None)
        provider, model = self.rates.provider, self.rates.model
        return hour is not None or bool(self.write_multiple and self.write_multiple(provider, model, "1h"))

    def _write(self, key: str, needs: str | None) -> _Found | None:
        """Price a cache write without a rate of its own (DESIGN.md section 4, "Ancestors")."""
        ttl = dict(unit(key).dimensions).get("cache_ttl")
        if ttl is None and (five := self._winner("cache_write_5m_tokens", needs)):
            return self._own(key, five)
        if ttl == "5m" and (plain := self._winner("cache_write_tokens", needs)):
            return _Found(plain, plain.unit, bounds=self._tier_bounds(plain))
        base = self._winner("input_tokens", needs)
        times = self.write_multiple(self.rates.provider, self.rates.model, ttl) if self.write_multiple else None
        if base is None or times is None:
            return None
        bounds = self._tier_bounds(base)
        unknown = ("ttl_unknown",) if ttl is None and self._two_write_rates("cache_write_tokens") else ()
        return _Found(base, base.unit, times, (*bounds, *unknown))

    def _ancestor(self, key: str, needs: str | None) -> _Found:
        found = {k: r for k in ancestors(key) if (r := self._winner(k, needs)) is not None}
        nearest = [k for k in found if not any(k != o and unit(k).contains(unit(o)) for o in found)]
        if not nearest:
            return _Found(why=self._why_not(key, needs))
        best = max(nearest, key=lambda k: found[k].per_unit)
        bounds = ("ancestor_rate",) if self._dearer_than(key, best) else ()
        return self._own(key, found[best], best, bounds)

    def _dearer_than(self, key: str, ancestor: str) -> bool:
        """Return whether a unit may cost more than the ancestor whose rate it takes."""
        mine, theirs = dict(unit(key).dimensions), dict(unit(ancestor).dimensions)
        lost = {k: v for k, v in mine.items() if k not in theirs}
        if mine.get("family") != "tokens":
            return False
        if mine["direction"] == "output":
            return lost.get("modality") in ("image", "audio", "video")
        google = self.rates.provider in ("google", "google-vertex")
        return (
            lost.get("cache_ttl") == "1h"
            or lost.get("modality") == "audio"
            or (lost.get("modality") == "video" and not google)
        )

    def _why_not(self, key: str, needs: str | None) -> str:
        chain = (key, *ancestors(key))
        rows = [r for k in chain for r in self.rows.get(k, ())]
        if any(r.note.startswith(DOUBTFUL) for r in rows):
            return "source lists 0"
        if any(r.currency != "USD" for r in rows):
            return f"priced in {next(r.currency for r in rows if r.currency != 'USD')}, no exchange rate stated"
        if needs:
            tier = self.conditions.context[needs]
            return f"no {tier} rate"
        return f"no rate for {key}"


@dataclass(frozen=True)
class RunCost:
    """What a run costs, call by call: `calls` in the run's order; a call inherited from another run is not summed."""

    run: Run
    by_call: Mapping[str, Cost]

    @cached_property
    def cost(self) -> Cost:
        """Return the whole run's cost."""
        return total_of(self.by_call.values())

    def of_step(self, number: int) -> Cost:
        """Return what the calls of the step at a position (0-based) of `run.steps` cost."""
        return total_of(self.by_call[c.call_id] for c in self.run.steps[number].calls if c.call_id in self.by_call)


def price_run(run: Run, table: PriceTable, *, now: datetime, day: datetime | None = None) -> RunCost:
    """Return what every call of a run costs; calls that another run already holds are left out."""
    calls = [c for c in run.calls if c.inherited_from is None]
    return RunCost(run, {c.call_id: price_call(c, table, now=now, day=day) for c in calls})


def run_counts(run: Run) -> dict[str, Number]:
    """Return the run's inclusive counts, calls that another run already holds left out."""
    return add(c.counts for c in run.calls if c.inherited_from is None)
