"""The price files as a whole: one table of all of them, checked, renewed from their sources, compared.

It stands over the rooms that read single files (catalog, rules).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from costlab.catalog import table as catalog
from costlab.files import home as home_folder
from costlab.files import shipped
from costlab.prices import PriceTable

if TYPE_CHECKING:
    from costlab.catalog.check import Report
    from costlab.catalog.diff import Change
    from costlab.catalog.renewal import Renewal


def load(folder: Path, home: Path | None) -> PriceTable:
    """Return the table of a folder's price files and, if given, of a user's home; raises BadInput (with its place)."""
    return _with_multiples(catalog.load(folder, home), folder)


def _with_multiples(table: PriceTable, folder: Path) -> PriceTable:
    """Return a table that prices cache writes by the multiples that caching.yml declares."""
    held = (folder / "caching.yml").exists()
    return replace(table, write_multiple=catalog.Multiples(folder, _multiples)) if held else table


def _multiples(folder: Path) -> Callable[[str, str, str | None], Decimal | None]:
    from costlab.rules import caching_rules

    return caching_rules(folder).write_multiple


def check_prices(pricing: str | Path | None = None, home: str | Path | None = None) -> Report:
    """Return what is wrong and what is doubtful in the price files, the user's own among them."""
    from costlab import rules
    from costlab.catalog.check import check

    read: dict[str, Callable[[Path], int]] = {
        "media.yml": lambda folder: len(rules.media_rules(folder).rules),
        "caching.yml": lambda folder: len(rules.caching_rules(folder).rules),
    }
    return check(_folder(pricing), home_folder(home), read)


def renew_prices(
    pricing: str | Path | None = None,
    home: str | Path | None = None,
    *,
    online: bool = False,
    today: date | None = None,
) -> Renewal:
    """Return a new snapshot of the price sources and what it would change; nothing is written.

    `online` takes the sources as published, over https; else they are taken as installed. Raises MissingExtra,
    CostLabError (network) and BadInput.
    """
    from costlab.catalog.renewal import renewal

    folder, user, day = _folder(pricing), home_folder(home), today or datetime.now(UTC).date()
    found = renewal(folder, user, load(folder, user), today=day, online=online)
    return replace(found, after=_with_multiples(found.after, folder))


def diff_prices(old: str | Path | None = None, new: str | Path | None = None) -> tuple[Change, ...]:
    """Return what changed between two price files or folders: by default from the shipped one to the installed sources.

    Raises BadInput (file, line, field), and MissingExtra where the installed sources are asked for without litellm.
    """
    from costlab.catalog import renewal
    from costlab.catalog.diff import changes

    before = _folder(old)
    text = renewal.catalogue(Path(new)) if new else renewal.installed_catalogue(datetime.now(UTC).date())
    return changes(renewal.catalogue(before), text, (str(before), str(new or "installed sources")))


def _folder(pricing: str | Path | None) -> Path:
    return Path(pricing) if pricing else shipped("pricing")
