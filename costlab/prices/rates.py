"""A rate with everything that decides when it applies, and which of several wins (DESIGN.md section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from costlab.prices.windows import Windows
from costlab.showing import Shown
from costlab.usage import Number, unit

LAYERS = ("catalog", "corrections", "overrides", "session")
OWN_LAYERS = LAYERS[2:]  # prices that the user has set
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

    @property
    def doubtful(self) -> bool:
        """Return whether this is a source's 0 that nobody vouches for: it prices nothing."""
        return self.layer == "catalog" and self.price == 0 and self.note.startswith(DOUBTFUL)

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
    input_total: Number = 0
    output_total: Number = 0

    @property
    def context(self) -> Mapping[str, str]:
        """Return the `when` pairs as a mapping."""
        return dict(self.when)


def conditions_of(rate: Rate) -> str:
    """Return a rate's conditions in one cell: tiers, sizes of context, hours."""
    hours = rate.utc_windows.text if rate.utc_windows else ""
    return conditions_text(rate.when, rate.input_over, rate.output_over, hours)


def conditions_text(when: When, input_over: int | None, output_over: int | None, hours: str) -> str:
    """Return conditions in one cell: tiers, sizes of context, hours of the week in UTC (empty: all)."""
    parts = [f"{key}={word}" for key, word in when]
    parts += [f"input > {input_over:,}"] if input_over is not None else []
    parts += [f"output > {output_over:,}"] if output_over is not None else []
    parts += [f"UTC {hours}"] if hours else []
    return "; ".join(parts)


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
class ModelRates(Shown):
    """All rows of one model at one provider, every layer, date and condition."""

    provider: str
    model: str
    rows: tuple[Rate, ...]

    def standing(self, day: datetime) -> tuple[Rate, ...]:
        """Return the rows whose dates hold and that no later layer replaces; one without a price removes."""
        held = [(LAYERS.index(r.layer), r.group, r) for r in self.rows if r.valid(day)]
        top: dict[tuple[object, ...], int] = {}
        for layer, group, _ in held:
            top[group] = max(top.get(group, 0), layer)
        return tuple(r for layer, group, r in held if layer == top[group])

    def in_force(self, day: datetime) -> tuple[Rate, ...]:
        """Return the rows with a price whose dates hold and that no later layer replaces at that moment."""
        return tuple(r for r in self.standing(day) if r.price is not None)

    def hourly(self, day: datetime) -> bool:
        """Return whether a rate in force that day holds at some hours of the week only."""
        return any(row.utc_windows for row in self.in_force(day))

    def first_day(self, day: datetime) -> datetime:
        """Return the day itself, or the first on which the model has a rate where it has none yet.

        Rates of tokens decide where the model has any: a dated price list is not older for an undated fee beside it.
        """
        usable = [r for r in self.rows if r.price is not None and not r.doubtful]
        usable = [r for r in usable if unit(r.unit).family == "tokens"] or usable
        starts = [r.valid_from for r in usable if r.valid_from is not None]
        if len(starts) < len(usable) or not starts or min(starts) <= day:
            return day
        return min(starts)


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
