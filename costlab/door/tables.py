"""Price tables as the door gives them: the shipped one with the user's rows on it, found, edited, written."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from costlab import files, pricebook
from costlab.catalog import overrides as own_prices
from costlab.catalog.overrides import Overrides
from costlab.catalog.rows import cells_of, export_csv
from costlab.errors import BadInput
from costlab.prices import PriceTable, Rate
from costlab.usage import unit as unit_of


def pricing_folder(folder: str | Path | None = None) -> Path:
    """Return the folder of price files: the one named, else the one shipped."""
    return Path(folder) if folder else files.shipped("pricing")


def load_table(
    pricing: str | Path | None = None, home: str | Path | None = None, *, overrides: bool = True
) -> PriceTable:
    """Return the price table: shipped catalogue < corrections < the user's own, unless left out; raises BadInput."""
    return pricebook.load(pricing_folder(pricing), files.home(home) if overrides else None)


def price_stamp(pricing: str | Path | None = None, home: str | Path | None = None) -> str:
    """Return a text that changes when a price file does: what a cache of `load_table` is keyed by."""
    paths = [*sorted(pricing_folder(pricing).glob("*.*")), files.home(home) / "overrides.csv"]
    stats = [(path.name, path.stat()) for path in paths if path.exists()]
    return ";".join(f"{name}:{s.st_mtime_ns}:{s.st_size}" for name, s in stats)


def find_rates(
    text: str, *, pricing: str | Path | None = None, home: str | Path | None = None, limit: int = 500
) -> list[dict[str, str]]:
    """Return the rows, with the CSV's columns, of all models whose `provider/model` holds a text; at most `limit`."""
    table, wanted = load_table(pricing, home), text.lower()
    keys = [key for key in table.rates if wanted in "/".join(key).lower()]
    return [cells_of(rate) for key in sorted(keys) for rate in table.rates[key]][:limit]


def edit_rate(
    table: PriceTable, provider: str, model: str, unit: str, price: Decimal | None, *, today: date | None = None
) -> Rate:
    """Return the row that sets a unit's standard price (per as the unit is quoted); None removes, 0 vouches free."""
    if price is not None and (not price.is_finite() or price < 0):
        raise BadInput(f"a price must be 0 or more, not {price}", field=unit)
    day = today or datetime.now(UTC).date()
    return Rate(provider, model, unit, price, unit_of(unit).per, source="user", read_at=day, layer="session")


def read_overrides(home: str | Path | None = None) -> Overrides:
    """Return the user's own price rows and the version of their file; raises BadInput (file, line, field)."""
    return own_prices.read(files.home(home))


def parse_prices(data: bytes, name: str) -> tuple[Rate, ...]:
    """Return the rows of a price file's bytes, every one checked; raises BadInput (file, line, field)."""
    return own_prices.parse(data, name)


def prices_csv(rows: Iterable[Rate]) -> str:
    """Return rows as the text of a price file, with the CSV's columns in a stable order."""
    return export_csv(rows)


def save_overrides(rows: Iterable[Rate], *, home: str | Path | None = None, expected_version: str | None = None) -> str:
    """Write rows to the user's overrides.csv, atomically; raises Conflict if it was changed meanwhile."""
    return own_prices.save(files.home(home), rows, expected_version)
