"""What a call costs: one formula, sum of leaf x rate, with the rate of every line and a reason for every doubt.

The rules (which rate, ancestors, tiers, dates, bounds) are DESIGN.md section 4 and stand here once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from costlab.prices import (
    OWN_LAYERS,
    Conditions,
    Finder,
    Found,
    PriceBook,
    PriceTable,
    Rate,
    Resolved,
    Split,
    When,
    call_moment,
    tier_context,
)
from costlab.runs import LOCAL_PROVIDERS, ModelCall, Part, Run
from costlab.showing import Shown
from costlab.usage import Counts, Number, UsageWarning, add, by_kind, kind_of, token_side, unit

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
class Cost(Shown):
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
    def known(self) -> Decimal | None:
        """Return the total, or None where something was used and nothing of it has a price: that is no 0."""
        return None if self.unpriced and not self.lines else self.total

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


def kinds_of(cost: Cost) -> dict[str, Decimal | None]:
    """Return a cost by kind, in USD; None where all that was used of a kind has no price, which is not nothing."""
    unpriced = {kind_of(missing.unit) for missing in cost.unpriced}
    return {kind: usd if usd or kind not in unpriced else None for kind, usd in by_kind(cost.by_unit()).items()}


def total_of(costs: Iterable[Cost]) -> Cost:
    """Return several costs as one: lines, doubts and warnings in order."""
    every = tuple(costs)
    return Cost(
        tuple(x for c in every for x in c.lines),
        tuple(x for c in every for x in c.unpriced),
        tuple(x for c in every for x in c.bounds),
        tuple(x for c in every for x in c.warnings),
    )


LOCAL_NOTE = "ran locally, not billed"


def price_call(call: ModelCall, table: PriceTable | PriceBook, *, now: datetime, day: datetime | None = None) -> Cost:
    """Return what one call costs in USD, at its own date or, with `day`, at the prices of another day.

    `now` stands in for a call without a date. With `day` the call's own weekday and hour still choose the window.
    """
    book = table if isinstance(table, PriceBook) else PriceBook(table)
    at = call_moment(call.started_at) if call.started_at else now
    parts = call.parts or (Part(call.provider, call.model, call.counts, call.service_tier),)
    costs = [_price_part(call, part, book, Moment(at, day or at), first=i == 0) for i, part in enumerate(parts)]
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


@dataclass(frozen=True, slots=True)
class Moment:
    """When a call was made (`at` decides hours of the week) and at which day's prices it is priced."""

    at: datetime
    day: datetime


@dataclass(frozen=True, slots=True)
class Billing:
    """Who bills a call and on what conditions: `who` is None where nobody can tell, then `why` and `reason` say so."""

    who: Resolved | None
    when: When = ()
    tier_bound: str | None = None
    local: bool = False
    why: str = ""
    reason: str = "unpriced"


def billing(who: Part, tier: str | None, said: Mapping[str, str], book: PriceBook) -> Billing:
    """Return how a model's tokens are billed: `tier` is the served tier's word, `said` the conditions of the call."""
    found = book.resolve(who.provider or None, who.model)
    if ran_locally(who) and not _priced_by_user(found, book):
        return Billing(None, local=True)
    pairs, tier_bound = tier_context(said.get("service_tier", tier))
    if tier_bound == "unmetered":
        return Billing(None, why="provisioned throughput is not billed by token", reason="unmetered")
    if found is None or book.model(found) is None:
        name = f"{who.provider}/{who.model}" if who.provider else who.model
        return Billing(None, why=f"no model {name!r} in the price tables" if who.model else "no model is named")
    stated = {key: word for key, word in said.items() if key != "service_tier"}
    return Billing(found, tuple(sorted({**dict(pairs), **stated}.items())), tier_bound)


def _price_part(call: ModelCall, part: Part, book: PriceBook, when: Moment, *, first: bool) -> Cost:
    counted = book.split(part.counts)
    tier = part.service_tier if part.service_tier is not None else call.service_tier
    bill = billing(part, tier, call.when, book)
    if bill.local:
        return _local(call, part, counted)
    conditions = Conditions(when.day, when.at, bill.when, counted.input_total, counted.output_total)
    finder = book.finder(bill.who, conditions) if bill.who else None
    if bill.who is None or finder is None:
        return _nothing(call.call_id, part, counted, bill)
    counts: Counts = counted.leaves
    if first and call.status == "ok" and finder.charges_requests and "requests" not in counts:
        counts = {"requests": 1, **counts}
    return _lines(call.call_id, bill.who, Leaves(counts, counted.notes, bill.tier_bound), finder, when.day)


def ran_locally(part: Part | ModelCall) -> bool:
    """Return whether a model ran on the user's own machine: a local server's name, and no hosted model behind it."""
    return part.provider in LOCAL_PROVIDERS and not part.model.endswith(("-cloud", ":cloud"))


def _priced_by_user(found: Resolved | None, book: PriceBook) -> bool:
    """Return whether the user has set a price of their own for a model that nobody else bills."""
    known = book.model(found) if found else None
    return known is not None and any(r.layer in OWN_LAYERS for r in known[0].rows)


@dataclass(frozen=True, slots=True)
class Leaves:
    """Disjoint counts to price, with what was said about them; `tier_bound` lies on every line of tokens."""

    counts: Counts
    notes: tuple[UsageWarning, ...]
    tier_bound: str | None = None


def _lines(call_id: str, who: Resolved, used: Leaves, finder: Finder, day: datetime) -> Cost:
    lines, missing, bounds = [], [], []
    for key, quantity in used.counts.items():
        got = finder.rate(key)
        bounds += [Bound(reason, call_id, key) for reason in bounds_of(key, got, used.tier_bound)]
        if got.rate is None:
            missing.append(Unpriced(call_id, who.provider, who.model, key, quantity, got.why))
            continue
        late = finder.moved or unproven(got.rate, day)
        lines.append(Line(call_id, who.provider, who.model, key, quantity, got.rate, got.priced_as, late, got.multiple))
    notes = used.notes
    if finder.moved:
        detail = f"priced with the first known rates, from {finder.day:%Y-%m-%d}"
        notes = (*notes, UsageWarning("before_first_price", "at", detail))
    return Cost(tuple(lines), tuple(missing), tuple(bounds), notes)


def bounds_of(key: str, found: Found, tier_bound: str | None) -> tuple[str, ...]:
    """Return why a unit's money is a lower bound: it has no rate, its rate came with a doubt, or its tier has none."""
    if found.rate is None:
        return ("unpriced",)
    doubt = tier_bound is not None and tier_bound not in found.bounds and token_side(key) is not None
    return (*found.bounds, tier_bound) if doubt and tier_bound else found.bounds


def unproven(rate: Rate, day: datetime) -> bool:
    """Return whether a rate without a date is used for a day before the one it was read on."""
    return rate.valid_from is None and rate.read_at is not None and day.date() < rate.read_at


def _nothing(call_id: str, part: Part, counted: Split, bill: Billing) -> Cost:
    missing = tuple(Unpriced(call_id, part.provider, part.model, k, n, bill.why) for k, n in counted.leaves.items())
    bounds = tuple(Bound(bill.reason, call_id, k) for k in counted.leaves) or (Bound(bill.reason, call_id),)
    return Cost((), missing, bounds, counted.notes)


def _local(call: ModelCall, part: Part, counted: Split) -> Cost:
    lines = []
    for key, quantity in counted.leaves.items():
        rate = Rate(part.provider, part.model, key, Decimal(0), unit(key).per, source="local", note=LOCAL_NOTE)
        lines.append(Line(call.call_id, part.provider, part.model, key, quantity, rate, key))
    return Cost(tuple(lines), warnings=counted.notes)


def rate_gone(then: Cost, today: Cost) -> bool:
    """Return whether a line priced at the call's date has no rate today: then there is no figure for today."""
    gone = {(u.call, u.provider, u.model, u.unit) for u in today.unpriced}
    return any((x.call, x.provider, x.model, x.unit) in gone for x in then.lines)


@dataclass(frozen=True)
class RunCost(Shown):
    """What a run costs: `costs` by call in the run's order; a call inherited from another run costs nothing here."""

    run: Run
    costs: tuple[Cost, ...]

    @cached_property
    def cost(self) -> Cost:
        """Return the whole run's cost; of a run whose file was cut off, a lower bound."""
        rest = (Cost(bounds=(Bound("cut", ""),)),) if self.run.torn else ()
        return total_of((*self.costs, *rest))

    @cached_property
    def by_call(self) -> Mapping[str, Cost]:
        """Return the costs by call id, of calls that are this run's own."""
        found: dict[str, list[Cost]] = {}
        for call, cost in zip(self.run.calls, self.costs, strict=True):
            if call.inherited_from is None:
                found.setdefault(call.call_id, []).append(cost)
        return {key: costs[0] if len(costs) == 1 else total_of(costs) for key, costs in found.items()}

    @cached_property
    def by_step(self) -> tuple[Cost, ...]:
        """Return the cost of each step of `run.steps` in order."""
        waiting = iter(self.costs)
        return tuple(total_of(next(waiting) for _ in step.calls) for step in self.run.steps)

    def of_step(self, number: int) -> Cost:
        """Return what the calls of the step at a position (0-based) of `run.steps` cost."""
        return self.by_step[number]


def price_run(run: Run, table: PriceTable | PriceBook, *, now: datetime, day: datetime | None = None) -> RunCost:
    """Return what every call of a run costs; calls that another run already holds cost nothing here."""
    book = table if isinstance(table, PriceBook) else PriceBook(table)
    mine = (c if c.inherited_from is None else None for c in run.calls)
    return RunCost(run, tuple(price_call(c, book, now=now, day=day) if c else Cost() for c in mine))


def run_counts(run: Run) -> dict[str, Number]:
    """Return the run's inclusive counts, calls that another run already holds left out."""
    return add(c.counts for c in run.calls if c.inherited_from is None)
