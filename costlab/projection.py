"""A run as another model would bill it. For now: the same tokens on another price list, with both ends of caching."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from costlab.cost import Cost, RunCost, price_run
from costlab.prices import PriceTable, Resolved
from costlab.runs import ModelCall, Run
from costlab.usage import Number, unit


@dataclass(frozen=True)
class Alternative:
    """A recorded run on one model: `cost` with cached tokens as recorded, `uncached` with nothing cached.

    `low` and `high` are the cheaper and the dearer of the two in USD. `basis` says for each unit that its count is
    assumed: the tokens are the recorded model's, not this one's. `fits` is False where `why_not` has a reason.
    """

    provider: str
    model: str
    cost: Cost
    uncached: Cost
    basis: Mapping[str, str]
    by_step: tuple[tuple[str, Decimal], ...]
    why_not: str = ""

    @property
    def name(self) -> str:
        """Return `provider/model`."""
        return f"{self.provider}/{self.model}"

    @property
    def fits(self) -> bool:
        """Return whether the model could run the run."""
        return not self.why_not

    @property
    def low(self) -> Decimal:
        """Return the cheaper end in USD."""
        return min(self.cost.total, self.uncached.total)

    @property
    def high(self) -> Decimal:
        """Return the dearer end in USD."""
        return max(self.cost.total, self.uncached.total)

    @property
    def lower_bound(self) -> bool:
        """Return whether the true amount may be higher than both ends."""
        return self.cost.lower_bound or self.uncached.lower_bound


def without_cache(counts: Mapping[str, Number]) -> dict[str, Number]:
    """Return counts as if nothing had been read from or written to a cache; totals stay, their cached parts go."""
    cached = ("cache_read", "cache_write")
    return {k: v for k, v in counts.items() if dict(unit(k).dimensions).get("token_type") not in cached}


def on_model(call: ModelCall, who: Resolved, *, cached: bool = True) -> ModelCall:
    """Return a call as if another model had served it: same tokens, standard tier, no conditions of the first."""
    counts = call.counts if cached else without_cache(call.counts)
    return replace(
        call, provider=who.provider, model=who.model, counts=counts, parts=(), service_tier=None, when={}, region=None
    )  # fmt: skip


def rerun(run: Run, who: Resolved, *, cached: bool = True) -> Run:
    """Return a run with every call moved to another model."""
    steps = (replace(s, calls=tuple(on_model(c, who, cached=cached) for c in s.calls)) for s in run.steps)
    return replace(run, steps=tuple(steps))


def on_price_list(
    run: Run, who: Resolved, table: PriceTable, *, now: datetime, day: datetime | None = None, why_not: str = ""
) -> Alternative:
    """Return what a run's own tokens would cost on another model's price list."""
    moved = price_run(rerun(run, who), table, now=now, day=day)
    plain = price_run(rerun(run, who, cached=False), table, now=now, day=day)
    units = {line.unit for line in moved.cost.lines} | {u.unit for u in moved.cost.unpriced}
    basis = dict.fromkeys(sorted(units), "assumed")
    return Alternative(who.provider, who.model, moved.cost, plain.cost, basis, by_step(moved), why_not)


def by_step(priced: RunCost) -> tuple[tuple[str, Decimal], ...]:
    """Return (step id, USD) for each step in order."""
    return tuple((s.step_id, priced.of_step(i).total) for i, s in enumerate(priced.run.steps))
