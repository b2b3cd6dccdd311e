"""A new snapshot beside the one in use: what it would change, before anybody accepts it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from costlab.catalog import refresh
from costlab.catalog.diff import Change, changes
from costlab.catalog.rows import COLUMNS
from costlab.catalog.table import CATALOG, assemble, corrected_models, read_text
from costlab.prices import PriceTable


@dataclass(frozen=True, slots=True)
class Renewal:
    """A snapshot of the sources, what it changes in the catalogue of a folder, and both price tables."""

    snapshot: refresh.Snapshot
    changes: tuple[Change, ...]
    before: PriceTable
    after: PriceTable

    def write(self, folder: Path) -> None:
        """Save the snapshot's three files in a folder, all or none; raises CostLabError."""
        refresh.write(self.snapshot, folder)


def renewal(pricing: Path, home: Path, before: PriceTable, *, today: date, online: bool = False) -> Renewal:
    """Return a new snapshot of the installed sources, or with `online` of the published ones.

    `before` is the table of the folder and the home. Corrections and the user's own prices stay as they are. Raises
    MissingExtra, CostLabError (network) and BadInput.
    """
    if online:
        from costlab.catalog.online import published

        sources = published(today)
    else:
        sources = refresh.installed()
    made = refresh.snapshot(sources, today=today, ours=corrected_models(pricing))
    moved = changes(catalogue(pricing), made.catalog, (str(pricing / CATALOG), "the new snapshot"))
    after = assemble(made.catalog, made.aliases, pricing, home)
    return Renewal(made, moved, before, after)


def catalogue(place: Path) -> str:
    """Return the text of a price file, or of the catalogue in a folder; a new folder has an empty one."""
    if place.is_dir():
        file = place / CATALOG
        return read_text(file) if file.exists() else ",".join(COLUMNS) + "\n"
    return read_text(place)


def installed_catalogue(today: date) -> str:
    """Return the catalogue's text as the installed sources give it; raises MissingExtra."""
    return refresh.snapshot(refresh.installed(), today=today).catalog
