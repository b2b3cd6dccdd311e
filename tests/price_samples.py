"""Small price tables and calls with literal figures, for the tests of money. Prices are per million tokens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from costlab.cost import Cost, price_call
from costlab.prices import Names, PriceTable, Rate, Resolved, parse_windows
from costlab.runs import ModelCall, Run, Step
from costlab.usage import unit

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)  # a Tuesday
READ = date(2026, 11, 20)
M = 1_000_000


def at(text: str) -> datetime:
    """A moment in UTC from `2026-11-24` or `2026-11-24T01:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def rate(key: str, price: str | None, *, of: str = "openai/m", when: dict[str, str] | None = None, **more: Any) -> Rate:
    """A rate of a unit, per as the unit is quoted; `of` is provider/model, `windows` a cell of utc_windows."""
    provider, _, model = of.partition("/")
    fields = {"source": "litellm", "read_at": READ, "per": unit(key).per, **more}
    fields |= {k: at(fields[k]) for k in ("valid_from", "valid_to") if k in fields}
    if windows := fields.pop("windows", ""):
        fields["utc_windows"] = parse_windows(windows)
    pairs = tuple(sorted((when or {}).items()))
    return Rate(provider, model, key, None if price is None else Decimal(price), when=pairs, **fields)


def text_rates(of: str = "openai/m", input: str = "2", output: str = "10", **more: Any) -> tuple[Rate, Rate]:
    """The two rates every model has: 2 and 10 USD per million unless said otherwise."""
    return rate("input_tokens", input, of=of, **more), rate("output_tokens", output, of=of, **more)


def table(*rows: Rate, write: Callable[[str, str, str | None], Decimal | None] | None = None) -> PriceTable:
    """A price table of these rows; `write` declares multiples of the input price for cache writes."""
    laid: dict[tuple[str, str], tuple[Rate, ...]] = {}
    for row in rows:
        laid[row.provider, row.model] = (*laid.get((row.provider, row.model), ()), row)
    exact = lambda t, p, m: Resolved(p, m, "exact") if p and (p, m) in t.rates else None  # noqa: E731
    return PriceTable(laid, Names(), "v1", READ, exact, write)


def claude(provider: str, model: str, ttl: str | None) -> Decimal | None:
    """Anthropic's declared multiples: 1.25 x input for 5 minutes or no stated lifetime, 2 x for an hour."""
    if provider != "anthropic":
        return None
    return Decimal(2) if ttl == "1h" else Decimal("1.25")


def call(counts: dict[str, int], *, of: str = "openai/m", when_at: str | None = None, **more: object) -> ModelCall:
    """A call with inclusive counts."""
    provider, _, model = of.partition("/")
    fields = {"call_id": "c1", "started_at": at(when_at) if when_at else None, **more}
    return ModelCall(provider=provider, model=model, counts=counts, **fields)  # type: ignore[arg-type]


def cost(prices: PriceTable, counts: dict[str, int], *, of: str = "openai/m", **more: object) -> Cost:
    """What a call costs now."""
    return price_call(call(counts, of=of, **more), prices, now=NOW)


def bounds(found: Cost) -> list[tuple[str, str]]:
    """Reason and unit of each bound."""
    return [(b.reason, b.unit) for b in found.bounds]


def why(found: Cost) -> dict[str, str]:
    """Why each unpriced unit has no price."""
    return {u.unit: u.why for u in found.unpriced}


def lines(found: Cost) -> dict[str, tuple[int, str, str]]:
    """Quantity, the unit whose rate was taken, and its price as quoted times its multiple, by unit."""
    return {x.unit: (int(x.quantity), x.priced_as, f"{(x.rate.price * x.multiple).normalize():f}") for x in found.lines}


def run_of(*calls: ModelCall, **more: object) -> Run:
    """A run with one call a step."""
    steps = tuple(Step(f"s{i}", i, "action", calls=(c,)) for i, c in enumerate(calls, 1))
    return Run("r1", steps=steps, **more)  # type: ignore[arg-type]
