"""What changed between two catalogues, row by row, and what that means in money on recorded runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from costlab.catalog.rows import cells_of, order, read_rates
from costlab.cost import Cost, price_run
from costlab.prices import PriceTable, Rate
from costlab.runs import Run

# What makes two rows the same row; the rest of their cells may change.
_SAME_ROW = (
    "provider", "model", "unit", "currency", "when", "input_over", "output_over", "valid_from", "utc_windows", "source",
)  # fmt: skip
_CHANGES = ("price", "per", "valid_to", "note")  # source_version and read_at change with every refresh


@dataclass(frozen=True, slots=True)
class Change:
    """One row that was added, removed or changed; `cells` are the new row's (the old one's where it was removed)."""

    kind: str  # added | removed | changed
    cells: Mapping[str, str]
    old_price: str | None = None

    @property
    def name(self) -> str:
        """Return `provider/model`."""
        return f"{self.cells['provider']}/{self.cells['model']}"


@dataclass(frozen=True, slots=True)
class RunChange:
    """A recorded run whose cost changes. `stand_in` names the model that is priced for a run that nobody billed."""

    run_id: str
    task: str
    before: Cost
    after: Cost
    stand_in: str | None = None

    @property
    def difference(self) -> Decimal:
        """Return the change of the total in USD."""
        return self.after.total - self.before.total


def changes(before: str, after: str, files: tuple[str, str] = ("before", "after")) -> tuple[Change, ...]:
    """Return what changed from one price file's text to another's; raises BadInput naming file, line and field."""
    old, new = (_rows(read_rates(text, file, "corrections")) for text, file in zip((before, after), files, strict=True))
    found: list[Change] = []
    for key, cells in new.items():
        was = old.get(key)
        if was is None:
            found.append(Change("added", cells))
        elif any(was[c] != cells[c] for c in _CHANGES):
            found.append(Change("changed", cells, was["price"]))
    found += [Change("removed", cells, cells["price"]) for key, cells in old.items() if key not in new]
    return tuple(sorted(found, key=lambda change: order(change.cells)))


def _rows(rates: Iterable[Rate]) -> dict[tuple[str, ...], dict[str, str]]:
    cells = map(cells_of, rates)
    return {tuple(row[c] for c in _SAME_ROW): row for row in cells}


def worth(
    runs: Iterable[Run],
    before: PriceTable,
    after: PriceTable,
    *,
    now: datetime,
    stand_in: tuple[str, Callable[[Run, PriceTable], Run]] | None = None,
) -> Iterator[RunChange]:
    """Yield the runs that another table prices differently, each at its calls' own dates.

    `stand_in` is a model's name and how a run is moved to it: runs that nobody billed are priced there.
    """
    for run in runs:
        moved = run.unbilled and stand_in is not None
        old, new = (
            price_run(stand_in[1](run, table) if moved and stand_in else run, table, now=now).cost
            for table in (before, after)
        )
        if old.total != new.total or old.lower_bound != new.lower_bound or len(old.unpriced) != len(new.unpriced):
            yield RunChange(run.run_id, run.task, old, new, stand_in[0] if moved and stand_in else None)
