"""A run on several models' price lists, with all that a page, a table or a card about it has to say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from costlab.cost import Cost, Line, RunCost, rate_gone, run_counts
from costlab.edits import Edit, own_edits
from costlab.prices import PriceTable
from costlab.projection import STATES, Alternative, cheapest_first
from costlab.runs import Run
from costlab.showing import Shown
from costlab.usage import Number

DAYS = 30  # of a month


@dataclass(frozen=True)
class Comparison(Shown):
    """A run's own tokens on several models' price lists, and on what terms. Amounts are USD for one run.

    `recorded` is what the run cost at its calls' own day and `today` at today's prices; `reference` is the model that
    the others are compared with instead, as where nobody billed the run. `at` says which day's prices `found` has
    (call, today or a date), `daily` how many tasks a day a month is made of, `times` for how many runs the figures at
    the top of a page stand, `now` when it was made.
    """

    run: Run
    found: tuple[Alternative, ...]
    recorded: RunCost
    today: Cost
    table: PriceTable
    now: datetime
    at: str = "call"
    reference: Alternative | None = None
    daily: int = 100
    times: int = 1

    @property
    def own(self) -> Cost:
        """Return what the others are compared with: the recorded cost, or the reference model's."""
        return self.reference.cost if self.reference else self.recorded.cost

    @property
    def monthly(self) -> int:
        """Return how many runs a month has."""
        return self.daily * DAYS

    @property
    def pictures(self) -> int:
        """Return how often the run sends a picture that stands in none of its counts: each model counts it itself."""
        return self.run.uncounted_media

    @cached_property
    def rows(self) -> tuple[Alternative, ...]:
        """Return the models in their order: wholly priced, lower bounds, without a price, unfit; each by cost."""
        return tuple(sorted(self.found, key=lambda one: (STATES.index(one.state), one.cost.total)))

    @cached_property
    def drawn(self) -> tuple[Alternative, ...]:
        """Return the models that have a figure and could run the run."""
        return tuple(one for one in self.rows if one.state in ("priced", "lower_bound"))

    @property
    def ends(self) -> tuple[Alternative, Alternative] | None:
        """Return the cheapest and the dearest model that is wholly priced; None where there is none."""
        whole = cheapest_first(self.found)
        return (whole[0], whole[-1]) if whole else None

    def factor(self, one: Alternative) -> Decimal | None:
        """Return a model's cost as a multiple of the recorded or reference cost; None where one of them is not known.

        Of a model's lower bound it is one too; by a lower bound nothing can be divided.
        """
        if one.state not in ("priced", "lower_bound") or not self.own.total or self.own.lower_bound:
            return None
        return one.cost.total / self.own.total

    @property
    def today_gone(self) -> bool:
        """Return whether a rate of the recording's is gone today, so that there is no figure for today."""
        return rate_gone(self.recorded.cost, self.today)

    @cached_property
    def counts(self) -> Mapping[str, Number]:
        """Return the run's inclusive counts."""
        return run_counts(self.run)

    @property
    def usage_bases(self) -> Counter[str]:
        """Return how many of the run's calls have counts that are measured, counted, estimated or unknown."""
        return Counter(call.usage_basis for call in self.run.calls if call.inherited_from is None)

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Return a line for each rate behind the page's figures, each once, by model in the page's order."""
        costs = [c for one in (self.reference, *self.drawn) if one for c in (one.cost, one.uncached)]
        costs += [] if self.run.unbilled else [self.recorded.cost, self.today]
        seen: dict[tuple[object, ...], Line] = {}
        for line in (line for cost in costs for line in cost.lines):
            key = (line.provider, line.model, line.unit, line.rate, line.multiple)
            if key not in seen or line.date_unproven:
                seen[key] = line
        order = {name: place for place, name in enumerate(dict.fromkeys((x.provider, x.model) for x in seen.values()))}
        return tuple(sorted(seen.values(), key=lambda x: order[x.provider, x.model]))

    @cached_property
    def edited(self) -> tuple[Edit, ...]:
        """Return the prices of the page's models that the user has set, each against the price that it replaces."""
        every = (self.reference, *self.found)
        names = dict.fromkeys((one.provider, one.model) for one in every if one)
        names |= dict.fromkeys((line.provider, line.model) for line in self.recorded.cost.lines)
        return tuple(edit for provider, model in names for edit in own_edits(self.table, provider, model, self.now))


def reasons(cost: Cost) -> tuple[str, ...]:
    """Return why a cost is a lower bound, each reason once."""
    return tuple(dict.fromkeys(bound.reason for bound in cost.bounds))
