"""Where the sources disagree: both rows stay in the catalogue, and one of them wins by the rule of prices.py (SOURCES).

Two sources are compared on one unit under the same conditions, at the prices of one day. Where hours of the week
matter, they are compared at every hour at which either of them changes, and the widest difference is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from costlab.cost import Cost, price_run
from costlab.prices import DOUBTFUL, Laid, ModelRates, PriceTable, Rate, When, precedence
from costlab.runs import Run

_MONDAY = datetime(2024, 1, 1, 12, tzinfo=UTC)  # some Monday, noon: hours of the week are what counts
_SAME = Decimal("1.000001")  # a source's float noise is no other price


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One unit of one model for which two sources list other prices under the same conditions.

    `rates` is by source, `preferred` the source whose rate wins. `ratio` is the dearest over the cheapest price, None
    where the cheapest is 0. `at` is an hour of the week at which they differ, if it matters. `corrected`: corrections
    or the user have a price of their own, so that neither source's is used.
    """

    provider: str
    model: str
    unit: str
    when: When
    input_over: int | None
    output_over: int | None
    rates: Mapping[str, Rate]
    preferred: str
    ratio: Decimal | None
    at: datetime | None = None
    corrected: bool = False


def disagreements(
    table: PriceTable, *, day: datetime | None = None, provider: str | None = None, model: str | None = None
) -> list[Disagreement]:
    """Return where the sources of a table's catalogue disagree at the prices of a day (default: now), widest first.

    `provider` and `model`, exact ids, narrow the search. Rows of corrections and of the user are not compared.
    """
    day = day or datetime.now(UTC)
    keys = [key for key in table.rates if provider in (None, key[0]) and model in (None, key[1])]
    found = [d for key in keys for d in _of(ModelRates(*key, table.rates[key]), day)]
    zero = Decimal("Infinity")
    return sorted(found, key=lambda d: (-(d.ratio if d.ratio is not None else zero), d.provider, d.model, d.unit))


def _of(rates: ModelRates, day: datetime) -> Iterator[Disagreement]:
    groups: dict[tuple[object, ...], list[Rate]] = {}
    for rate in rates.rows:
        if rate.layer == "catalog" and rate.price is not None and rate.valid(day):
            groups.setdefault(rate.group, []).append(rate)
    settled = {rate.group for rate in rates.in_force(day) if rate.layer != "catalog"}
    for group, rows in groups.items():
        if len({rate.source for rate in rows}) > 1 and (worst := _widest(rows)):
            yield replace(worst, corrected=group in settled)


def _widest(rows: list[Rate]) -> Disagreement | None:
    hours = [r.utc_windows for r in rows if r.utc_windows]
    moments = [_MONDAY] if not hours else [_hour(start) for window in hours for start, _ in window.spans]
    found = [d for at in moments if (d := _at(rows, at, bool(hours)))]
    return max(found, key=lambda d: d.ratio if d.ratio is not None else Decimal("Infinity"), default=None)


def _hour(minute: int) -> datetime:
    """Return a moment of some week by its minutes since Monday 00:00."""
    return _MONDAY - timedelta(hours=12) + timedelta(minutes=minute)


def _at(rows: Iterable[Rate], at: datetime, hours_matter: bool) -> Disagreement | None:
    """Compare each source's winning row at one hour of the week."""
    best: dict[str, Rate] = {}
    for rate in rows:
        if rate.utc_windows is None or rate.utc_windows.hold(at):
            kept = best.get(rate.source)
            best[rate.source] = rate if kept is None else max(kept, rate, key=precedence)
    if len(best) < 2:
        return None
    low, high = (f(best.values(), key=lambda r: r.per_unit) for f in (min, max))
    if high.per_unit <= low.per_unit * _SAME:
        return None
    # A doubtful 0 prices nothing, so it does not win either.
    first = max(best.values(), key=lambda r: (not r.note.startswith(DOUBTFUL), *precedence(r)))
    return Disagreement(
        first.provider, first.model, first.unit, first.when, first.input_over, first.output_over, best, first.source,
        high.per_unit / low.per_unit if low.per_unit else None, at if hours_matter else None,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stake:
    """What one disagreement of the sources is worth: the cost of some runs as it is, and if the other were believed.

    `preferred` is the source whose rate was used, `other` the one that would be. `usd` and `other_usd` are the totals
    of the runs that the disagreement touches, `runs` how many those are. Where the other source has no price at the
    date of a call, what was used is unpriced: then `lower_bound`.
    """

    provider: str
    model: str
    unit: str
    when: When
    input_over: int | None
    output_over: int | None
    preferred: str
    other: str
    usd: Decimal
    other_usd: Decimal
    runs: int
    lower_bound: bool

    @property
    def difference(self) -> Decimal:
        """Return what believing the other source would add, in USD."""
        return self.other_usd - self.usd


def stakes(
    runs: Iterable[Run],
    table: PriceTable,
    *,
    now: datetime,
    day: datetime | None = None,
    moved: Callable[[Run], Run] = lambda run: run,
) -> tuple[Stake, ...]:
    """Return what the sources' disagreements are worth on some runs, the widest first; none where they agree.

    At each call's own date, or with `day` at the prices of another. `moved` may move a run to another model first (one
    that nobody billed to a model with a price). Where corrections or the user have a price, the sources do not count.
    """
    found: dict[tuple[tuple[object, ...], str], list[tuple[Cost, Cost]]] = {}
    rates: dict[tuple[object, ...], Rate] = {}
    for run in map(moved, runs):
        cost = price_run(run, table, now=now, day=day).cost
        used = {line.rate.group: line.rate for line in cost.lines if line.rate.layer == "catalog"}
        for group, rate in used.items():
            for source in _others(table, rate):
                other = price_run(run, _believing(table, rate, source), now=now, day=day).cost
                if other.total != cost.total:
                    rates.setdefault(group, rate)
                    found.setdefault((group, source), []).append((cost, other))
    made = [_stake(rates[group], source, costs) for (group, source), costs in found.items()]
    return tuple(sorted(made, key=lambda s: (-abs(s.difference), s.provider, s.model, s.unit)))


def _others(table: PriceTable, rate: Rate) -> list[str]:
    """Return the other sources that have rows of a rate's group."""
    rows = table.rates[rate.provider, rate.model]
    return sorted({r.source for r in rows if r.layer == "catalog" and r.group == rate.group} - {rate.source})


def _believing(table: PriceTable, rate: Rate, source: str) -> PriceTable:
    """Return a table in which, of a rate's group, only one source's rows stand."""
    key = (rate.provider, rate.model)
    kept = (r for r in table.rates[key] if r.group != rate.group or r.source == source or r.layer != "catalog")
    return replace(table, rates=Laid({key: tuple(kept)}, table.rates))


def _stake(used: Rate, source: str, costs: list[tuple[Cost, Cost]]) -> Stake:
    mine, theirs = (sum((pair[i].total for pair in costs), Decimal(0)) for i in (0, 1))
    unknown = any(len(other.unpriced) > len(cost.unpriced) for cost, other in costs)
    return Stake(
        used.provider, used.model, used.unit, used.when, used.input_over, used.output_over, used.source, source, mine,
        theirs, len(costs), unknown,
    )  # fmt: skip
