"""models.csv: what is known of models besides their prices. An empty cell is unknown, never no."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from costlab.catalog.table import MODELS, read_text
from costlab.errors import BadInput
from costlab.models import ModelFacts


def facts(pricing: Path) -> Mapping[tuple[str, str], ModelFacts]:
    """Return the facts of all models of a pricing folder by (provider, model); raises BadInput (file, line, field)."""
    path = pricing / MODELS
    if not path.exists():
        return {}
    found: dict[tuple[str, str], ModelFacts] = {}
    for place, row in enumerate(csv.DictReader(read_text(path).splitlines()), 2):
        try:
            known = _row(row)
        except BadInput as error:
            raise error.at(file=str(path), line=place) from None
        found[known.provider, known.model] = known
    return found


def _row(row: Mapping[str, str]) -> ModelFacts:
    return ModelFacts(
        provider=row["provider"],
        model=row["model"],
        mode=row["mode"] or None,
        context_tokens=_whole(row, "context_tokens"),
        max_input_tokens=_whole(row, "max_input_tokens"),
        max_output_tokens=_whole(row, "max_output_tokens"),
        inputs=tuple(filter(None, row["inputs"].split("|"))),
        outputs=tuple(filter(None, row["outputs"].split("|"))),
        native_tools="functions" in row["native_tools"].split("|") if row["native_tools"] else None,
        retires_at=_day(row, "retires_at"),
        source=row["source"],
        source_version=row["source_version"],
        read_at=_day(row, "read_at"),
    )


def _whole(row: Mapping[str, str], field: str) -> int | None:
    text = row[field]
    if not text:
        return None
    if not text.isdigit():
        raise BadInput(f"must be a whole number, not {text[:40]!r}", field=field)
    return int(text)


def _day(row: Mapping[str, str], field: str) -> date | None:
    try:
        return date.fromisoformat(row[field]) if row[field] else None
    except ValueError:
        raise BadInput(f"not a date: {row[field][:40]!r}", field=field) from None
