"""A model's prices through time: for each unit and condition, which row is in force from when to when.

It says what `ModelRates.in_force` and `precedence` decide, for every moment at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from costlab.prices.rates import LAYERS, ModelRates, Rate, When, conditions_text, precedence
from costlab.usage import unit


@dataclass(frozen=True, slots=True)
class Period:
    """One price of a model for one stretch of time, `start` inclusive and `end` exclusive; None is open.

    `rate` is the row in force; None where none of these hours and conditions is: it has ended, was removed, or a later
    layer has the group in other hours. `beside` are rows of the same time that do not win: of another source, of a
    layer below, or a row that removes.
    """

    unit: str
    when: When
    input_over: int | None
    output_over: int | None
    windows: str
    start: datetime | None
    end: datetime | None
    rate: Rate | None
    beside: tuple[Rate, ...] = ()

    @property
    def conditions(self) -> str:
        """Its conditions in one cell, as those of a rate: tiers, sizes of context, hours."""
        return conditions_text(self.when, self.input_over, self.output_over, self.windows)

    @property
    def per(self) -> int:
        """For how many units its price is."""
        told = self.rate or next(iter(self.beside), None)
        return told.per if told else unit(self.unit).per

    def holds(self, at: datetime) -> bool:
        """Return whether a moment (UTC) lies in the period; hours of the week apart."""
        return (self.start is None or self.start <= at) and (self.end is None or at < self.end)


def history(rates: ModelRates) -> tuple[Period, ...]:
    """Return every period of a model's prices, by unit, conditions and hours as in the file, each in order of time.

    A source's 0 that nobody vouches for is never in force. Periods of one price that follow each other are one.
    """
    places: dict[tuple[object, ...], list[Rate]] = {}
    for row in rates.rows:
        places.setdefault((row.group, _hours(row)), []).append(row)
    # A row of a later layer replaces the rows of its group whatever their hours, so all of a group tell when one ends.
    groups: dict[tuple[object, ...], list[Rate]] = {}
    for row in rates.rows:
        groups.setdefault(row.group, []).append(row)
    return tuple(period for rows in places.values() for period in _periods(rows, groups[rows[0].group]))


def _hours(row: Rate) -> str:
    return row.utc_windows.text if row.utc_windows else ""


def _periods(rows: list[Rate], group: list[Rate]) -> list[Period]:
    """Return the periods of the rows of one unit, one set of conditions and one set of hours."""
    edges = sorted({d for row in group for d in (row.valid_from, row.valid_to) if d is not None})
    starts = [None, *edges]
    found: list[Period] = []
    for start, end in zip(starts, [*edges, None], strict=True):
        held = [r for r in group if _covers(r, start, end)]
        period = replace(_period(rows, held), start=start, end=end)
        last = found[-1] if found else None
        if last and (last.rate, last.beside) == (period.rate, period.beside):
            found[-1] = replace(last, end=end)
        else:
            found.append(period)
    while found and found[0].rate is None and not found[0].beside:
        found.pop(0)  # before anything is known
    return found


def _covers(row: Rate, start: datetime | None, end: datetime | None) -> bool:
    """Return whether a row is valid in the whole of a stretch; no row's dates fall inside of one."""
    begins = row.valid_from is None or (start is not None and row.valid_from <= start)
    return begins and (row.valid_to is None or (end is not None and end <= row.valid_to))


def _period(rows: Iterable[Rate], held: list[Rate]) -> Period:
    mine = [r for r in held if r in rows]
    top = max((LAYERS.index(r.layer) for r in held), default=0)
    able = [r for r in mine if LAYERS.index(r.layer) == top and r.price is not None and not r.doubtful]
    rate = max(able, key=precedence, default=None)
    one = next(iter(rows))
    beside = tuple(r for r in mine if r is not rate)
    return Period(one.unit, one.when, one.input_over, one.output_over, _hours(one), None, None, rate, beside)
