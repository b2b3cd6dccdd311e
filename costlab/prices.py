"""Rates, price tables, and which rate applies: every condition of a price, written once.

The rules are DESIGN.md section 4: layers (catalog < corrections < overrides), conditions, which row wins, tier words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zlib import crc32

from costlab.errors import BadInput

LAYERS = ("catalog", "corrections", "overrides", "session")
WHEN_KEYS = (
    "service_tier", "processing", "speed", "search_context_size", "search_type", "region", "route", "quality",
    "size", "cache",
)  # fmt: skip
# Of two sources that disagree the earlier one is preferred: genai-prices keeps dates and conditions and is tested
# against real bills; litellm's map is wider but undated. Files of ours are a layer above both.
SOURCES = ("corrections", "genai-prices", "litellm")

DOUBTFUL = "doubtful zero"  # how the note of a source's unconfirmed 0 begins: such a row prices nothing

STANDARD_WORDS = ("", "default", "standard", "on_demand", "auto", "provisioned")
DEARER_TIERS = ("priority", "ultrafast")
CHEAPER_TIERS = ("flex", "balanced")
_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


@dataclass(frozen=True, slots=True)
class Windows:
    """Hours of the week, UTC, half-open: `Mo-Fr 01:00-04:00,06:00-10:00|Sa-Su 00:00-24:00`."""

    text: str
    spans: tuple[tuple[int, int], ...]  # minutes since Monday 00:00

    def hold(self, at: datetime) -> bool:
        """Return whether the moment lies inside one of the windows."""
        minute = at.weekday() * 1440 + at.hour * 60 + at.minute
        return any(start <= minute < end for start, end in self.spans)


def parse_windows(text: str) -> Windows:
    """Read a `utc_windows` cell; raises BadInput for what is not of its form."""
    spans: list[tuple[int, int]] = []
    for part in text.split("|"):
        found = re.fullmatch(r"\s*(?:(\w\w)(?:-(\w\w))?\s+)?(\d\d:\d\d-\d\d:\d\d(?:,\d\d:\d\d-\d\d:\d\d)*)\s*", part)
        if not found or any(d and d not in _DAYS for d in found.groups()[:2]):
            raise BadInput(f"not a window of the form 'Mo-Fr 01:00-04:00': {part.strip()!r}", field="utc_windows")
        first = _DAYS.index(found[1]) if found[1] else 0
        last = _DAYS.index(found[2]) if found[2] else first if found[1] else 6
        for hours in found[3].split(","):
            start, end = (_minutes(h) for h in hours.split("-"))
            if end <= start:
                raise BadInput(f"a window must end after it starts: {hours}", field="utc_windows")
            spans += [(d * 1440 + start, d * 1440 + end) for d in range(first, last + 1)]
    return Windows(text, tuple(spans))


def _minutes(clock: str) -> int:
    hours, minutes = int(clock[:2]), int(clock[3:])
    if hours * 60 + minutes > 1440 or minutes > 59:
        raise BadInput(f"not a time of day: {clock}", field="utc_windows")
    return hours * 60 + minutes


def parse_moment(text: str, field: str) -> datetime:
    """Read a UTC date or timestamp; a bare date means 00:00 UTC here (a validity bound). Raises BadInput."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"not a date or timestamp: {text!r}", field=field) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def call_moment(value: str | date | datetime) -> datetime:
    """Return the moment of a call: a bare date means 12:00 UTC (DESIGN.md section 4, "Dates"). Raises BadInput."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(12), UTC)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value.strip()):
        return parse_moment(value.strip(), "at") + timedelta(hours=12)
    return parse_moment(value.strip(), "at")


When = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Rate:
    """Price of one unit of one model: `price` per `per` units in `currency`; None removes, see `PriceTable`.

    `input_over` / `output_over`: holds only for calls whose total input / output is strictly more.
    `valid_from` is inclusive and `valid_to` exclusive; None is open. `layer` is the file the row stands in.
    """

    provider: str
    model: str
    unit: str
    price: Decimal | None
    per: int
    currency: str = "USD"
    when: When = ()
    input_over: int | None = None
    output_over: int | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    utc_windows: Windows | None = None
    source: str = ""
    source_version: str = ""
    read_at: date | None = None
    note: str = ""
    layer: str = "catalog"

    @property
    def group(self) -> tuple[object, ...]:
        """Return what a row of a later layer must share to replace this one."""
        return (
            self.provider, self.model, self.unit, self.currency, self.when, self.input_over, self.output_over,
        )  # fmt: skip

    @property
    def per_unit(self) -> Decimal:
        """Return the price of one unit in `currency`; the row must have a price."""
        assert self.price is not None
        return self.price / self.per

    def valid(self, at: datetime) -> bool:
        """Return whether the row's dates hold at a moment (windows apart)."""
        return (self.valid_from is None or self.valid_from <= at) and (self.valid_to is None or at < self.valid_to)


@dataclass(frozen=True, slots=True)
class Conditions:
    """What of a call decides which rate applies.

    `day` decides dates, `clock` decides hours of the week: they differ for 'at today's prices', which keeps the
    call's weekday and hour.
    """

    day: datetime
    clock: datetime
    when: When = ()
    input_total: Decimal = Decimal(0)
    output_total: Decimal = Decimal(0)

    @property
    def context(self) -> Mapping[str, str]:
        """Return the `when` pairs as a mapping."""
        return dict(self.when)


def tier_context(tier: str | None) -> tuple[When, str | None]:
    """Return the `when` pairs of a served tier word, and a bound's reason if the word cannot be priced as said.

    One map for all vendors (DESIGN.md section 4, "Tier words").
    """
    word = (tier or "").strip().lower()
    if word in STANDARD_WORDS:
        return (), None
    if word in ("priority", "fast"):
        return (("service_tier", "priority"),), None
    if word in ("batch", "batches"):
        return (("processing", "batch"),), None
    if word in DEARER_TIERS or word in CHEAPER_TIERS:
        return (("service_tier", word),), None
    if word == "provisioned_throughput":
        return (), "unmetered"
    return (), "tier_rate_missing"


@dataclass(frozen=True, slots=True)
class ModelRates:
    """All rows of one model at one provider, every layer, date and condition."""

    provider: str
    model: str
    rows: tuple[Rate, ...]

    def in_force(self, day: datetime) -> tuple[Rate, ...]:
        """Return the rows whose dates hold and that no later layer replaces at that moment."""
        top: dict[tuple[object, ...], int] = {}
        held = [r for r in self.rows if r.valid(day)]
        for row in held:
            top[row.group] = max(top.get(row.group, 0), LAYERS.index(row.layer))
        return tuple(r for r in held if r.price is not None and LAYERS.index(r.layer) == top[r.group])

    def earliest(self) -> datetime | None:
        """Return the first moment from which any row with a price holds (None: open or no rows)."""
        starts = [r.valid_from for r in self.rows if r.price is not None]
        return None if not starts or None in starts else min(s for s in starts if s is not None)


def matches(rate: Rate, c: Conditions) -> bool:
    """Return whether all conditions of a row but its dates hold."""
    context = dict(c.when)
    return (
        all(context.get(k) == v for k, v in rate.when)
        and (rate.input_over is None or c.input_total > rate.input_over)
        and (rate.output_over is None or c.output_total > rate.output_over)
        and (rate.utc_windows is None or rate.utc_windows.hold(c.clock))
    )


def precedence(rate: Rate) -> tuple[object, ...]:
    """Return the sort key of 'which row wins': the largest does (DESIGN.md section 4)."""
    source = SOURCES.index(rate.source) if rate.source in SOURCES else -1
    return (
        len(rate.when),
        rate.input_over if rate.input_over is not None else -1,
        rate.output_over if rate.output_over is not None else -1,
        rate.utc_windows is not None,
        rate.valid_from.timestamp() if rate.valid_from else float("-inf"),
        LAYERS.index(rate.layer),
        -source,
    )


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a name was resolved to: `by` is exact, alias (and which), or none."""

    provider: str
    model: str
    by: str


@dataclass(frozen=True, slots=True)
class Names:
    """Names of providers and models: aliases by exact text, and which models each provider has.

    `providers`: spelling -> id. `aliases`: (provider or '', alias) -> (provider, model). `makers`: (provider, what the
    bare names of its own models begin with), in order of preference.
    """

    providers: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    makers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Laid(Mapping[tuple[str, str], tuple[Rate, ...]]):
    """Rows of some models over a table's own: what `over` has stands for all rows of that model."""

    over: Mapping[tuple[str, str], tuple[Rate, ...]]
    below: Mapping[tuple[str, str], tuple[Rate, ...]]

    def __getitem__(self, key: tuple[str, str]) -> tuple[Rate, ...]:
        return self.over[key] if key in self.over else self.below[key]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        yield from self.below
        yield from (key for key in self.over if key not in self.below)

    def __len__(self) -> int:
        return len(self.below) + sum(key not in self.below for key in self.over)


@dataclass(frozen=True, slots=True)
class PriceTable:
    """An immutable set of rates by (provider, model); an edited table is a new one.

    `version` is a hash of the content; `read_at` the day on which the oldest of its sources was read.
    """

    rates: Mapping[tuple[str, str], tuple[Rate, ...]]
    names: Names = field(default_factory=Names)
    version: str = ""
    read_at: date | None = None
    resolver: Callable[[PriceTable, str | None, str], Resolved | None] | None = None
    write_multiple: Callable[[str, str, str | None], Decimal | None] | None = None

    def resolve(self, provider: str | None, model: str) -> Resolved | None:
        """Return what a foreign name means in this table: exact, then by an alias, else None."""
        if provider and (provider, model) in self.rates:
            return Resolved(provider, model, "exact")
        return self.resolver(self, provider, model) if self.resolver else None

    def find(self, provider: str, model: str) -> ModelRates | None:
        """Return all rows of an exactly named model, or None. Use `resolve` first for foreign names."""
        rows = self.rates.get((provider, model))
        return ModelRates(provider, model, tuple(rows)) if rows else None

    def edited(self, rows: Iterable[Rate], *, layer: str = "session", version: str | None = None) -> PriceTable:
        """Return a new table with rows laid over this one; only the groups they name change."""
        laid: dict[tuple[str, str], list[Rate]] = {}
        for row in rows:
            laid.setdefault((row.provider, row.model), []).append(replace(row, layer=layer))
        # Laid beside the rest, not copied into it: a table read from files parses a model's rows when it is asked.
        below = self.rates.below if isinstance(self.rates, Laid) else self.rates
        over = dict(self.rates.over) if isinstance(self.rates, Laid) else {}
        for key, new in laid.items():
            groups = {r.group for r in new}
            kept = [r for r in self.rates.get(key, ()) if not (r.layer == layer and r.group in groups)]
            over[key] = (*kept, *new)
        stamp = (
            f"{self.version}+{crc32(repr(sorted(over.items(), key=lambda item: item[0])).encode()):08x}"
            if version is None
            else version
        )
        return replace(self, rates=Laid(over, below), version=stamp)
