"""Two kinds of figures: recorded times with their percentiles, and money with every reason to doubt it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from costlab.cost import Cost, total_of


@dataclass(frozen=True, slots=True)
class Spread:
    """Recorded times in seconds, sorted. A percentile is one of them: nearest rank, nothing is interpolated."""

    values: tuple[float, ...] = ()

    @classmethod
    def of(cls, times: Iterable[float | None]) -> Spread:
        """Return the spread of the times that are known."""
        return cls(tuple(sorted(one for one in times if one is not None)))

    @property
    def n(self) -> int:
        """Return how many times are known."""
        return len(self.values)

    def at(self, percent: int) -> float | None:
        """Return the smallest recorded time that `percent` of all do not exceed; None where there is none."""
        return self.values[max(1, ceil(self.n * percent / 100)) - 1] if self.values else None

    @property
    def p50(self) -> float | None:
        """Return the time that half of all do not exceed, in seconds."""
        return self.at(50)

    @property
    def p95(self) -> float | None:
        """Return the time that 95 % do not exceed, in seconds; below 20 times that is the longest."""
        return self.at(95)


@dataclass(frozen=True, slots=True)
class Amount:
    """Money in USD: None where something was used and nothing of it has a price. `reasons` make it a lower bound.

    `local`: all of it ran on the user's own machine, so nobody billed it and 0 is no price. `free`: somebody vouches
    for a price of 0.
    """

    usd: Decimal | None = Decimal(0)
    reasons: tuple[str, ...] = ()
    local: bool = False
    free: bool = False

    @classmethod
    def of(cls, costs: Iterable[Cost]) -> Amount:
        """Return several costs as one amount."""
        cost = total_of(costs)
        local = bool(cost.lines) and not cost.unpriced and all(line.rate.source == "local" for line in cost.lines)
        reasons = tuple(dict.fromkeys(bound.reason for bound in cost.bounds))
        return cls(cost.known, reasons, local, cost.free and not local)

    @property
    def lower_bound(self) -> bool:
        """Return whether the true amount may be higher."""
        return bool(self.reasons)

    def over(self, n: int) -> Amount | None:
        """Return the amount for each of `n`, its doubts kept; None where there are none to share it."""
        if n == 0:
            return None
        return Amount(None if self.usd is None else self.usd / n, self.reasons, self.local, self.free)
