"""Where the sources disagree: both rows stay in the catalogue, and one of them wins by the rule of prices.py (SOURCES).

Two sources are compared on one unit under the same conditions, at the prices of one day. Where hours of the week
matter, they are compared at every hour at which either of them changes, and the widest difference is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from costlab.prices import DOUBTFUL, ModelRates, PriceTable, Rate, When, precedence

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
