"""What one model's runs of one task came to: a median and both ends, with how many runs they are from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from costlab.cost import RunCost, run_counts

WHOLE = ("success", "max_steps")  # a run that came to its end by itself; what was stopped is no measure of the task


@dataclass(frozen=True, slots=True)
class Range:
    """Some figures in order. The median of an even number of them is the middle between the two."""

    values: tuple[Decimal, ...] = ()

    @classmethod
    def of(cls, figures: Iterable[Decimal | float | None]) -> Range:
        """Return the range of the figures that are known."""
        return cls(tuple(sorted(Decimal(str(one)) for one in figures if one is not None)))

    @property
    def n(self) -> int:
        """Return how many figures there are."""
        return len(self.values)

    @property
    def median(self) -> Decimal | None:
        """Return the median; None where there is none."""
        return median(self.values) if self.values else None

    @property
    def low(self) -> Decimal | None:
        """Return the lowest figure."""
        return self.values[0] if self.values else None

    @property
    def high(self) -> Decimal | None:
        """Return the highest figure."""
        return self.values[-1] if self.values else None


@dataclass(frozen=True, slots=True)
class Repeated:
    """Runs of one model: how many there were, which of them count, and their figures (USD, seconds, tokens, steps).

    `cost` and `cold` (each as if nothing had been cached when it began), `seconds`, the tokens and `steps` are of the
    `whole` runs, those that came to their end by themselves. `correct` of `checked`: runs whose answer is known to be
    right or wrong; without a check nothing counts as right. `total` is what all runs cost together.
    """

    runs: int
    whole: int
    correct: int
    checked: int
    cost: Range
    cold: Range
    seconds: Range
    input_tokens: Range
    output_tokens: Range
    steps: Range
    total: Decimal
    lower_bound: bool
    unpriced: bool


def repeated(found: Sequence[tuple[RunCost, RunCost]]) -> Repeated:
    """Return what runs of one model came to, each as recorded and as if it had started with a cold cache."""
    whole = [(own, cold) for own, cold in found if own.run.state in WHOLE]
    checked = [own.run.correct for own, _ in found if own.run.correct is not None]
    counts = [run_counts(own.run) for own, _ in whole]
    return Repeated(
        len(found), len(whole), sum(checked), len(checked),
        Range.of(own.cost.total for own, _ in whole), Range.of(cold.cost.total for _, cold in whole),
        Range.of(own.run.duration_s for own, _ in whole),
        Range.of(float(one.get("input_tokens", 0)) for one in counts),
        Range.of(float(one.get("output_tokens", 0)) for one in counts),
        Range.of(len(own.run.steps) for own, _ in whole),
        sum((own.cost.total for own, _ in found), Decimal(0)),
        any(own.cost.lower_bound for own, _ in found),
        any(own.cost.unpriced and not own.cost.total for own, _ in found),
    )  # fmt: skip
