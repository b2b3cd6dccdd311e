"""Small folders of price files for tests, and the source files that a refresh reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from costlab.catalog.facts import FACT_COLUMNS
from costlab.catalog.names import ALIAS_COLUMNS
from costlab.catalog.rows import COLUMNS, write_rows

Cells = Mapping[str, str]
GPT = {"provider": "openai", "model": "gpt-x", "unit": "input_tokens", "price": "2", "per": "1000000"}
CLAUDE = {**GPT, "provider": "anthropic", "model": "claude-x", "price": "3"}


def rates(*rows: Cells) -> str:
    """Return the text of a price file; cells that are not given are empty."""
    return write_rows(COLUMNS, ({name: row.get(name, "") for name in COLUMNS} for row in rows))


def folder(
    place: Path,
    catalog: Sequence[Cells] = (GPT, CLAUDE),
    corrections: Sequence[Cells] | None = None,
    aliases: Sequence[Sequence[str]] = (("maker", "", "openai", ""), ("maker", "", "anthropic", "")),
    models: Sequence[Cells] = (),
) -> Path:
    """Write a pricing folder without rule files and return it. An alias is (kind, alias, provider, model)."""
    place.mkdir(parents=True, exist_ok=True)
    (place / "catalog.csv").write_text(rates(*catalog), encoding="utf-8")
    if corrections is not None:
        (place / "corrections.csv").write_text(rates(*corrections), encoding="utf-8")
    names = [dict(zip(ALIAS_COLUMNS, (*alias, "test", "1", "2026-01-01"), strict=True)) for alias in aliases]
    (place / "aliases.csv").write_text(write_rows(ALIAS_COLUMNS, names), encoding="utf-8")
    facts = ({name: row.get(name, "") for name in FACT_COLUMNS} for row in models)
    (place / "models.csv").write_text(write_rows(FACT_COLUMNS, facts), encoding="utf-8")
    return place


def corrected(**cells: str) -> dict[str, str]:
    """Return the cells of a correction with a source and a day."""
    return {**GPT, "source": "https://example.org/prices", "read_at": "2026-01-01", **cells}
