"""models.csv: what is known of models besides their prices. An empty cell is unknown, never no."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from costlab.catalog.table import MODELS, read_text
from costlab.errors import BadInput
from costlab.models import ModelFacts

Key = tuple[str, str]
FACT_COLUMNS = (
    "provider", "model", "mode", "context_tokens", "max_input_tokens", "max_output_tokens", "inputs", "outputs",
    "native_tools", "retires_at", "source", "source_version", "read_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FileFacts(Mapping[Key, ModelFacts]):
    """Facts by (provider, model), a row parsed when it is asked for. Raises BadInput (file, line, field) then."""

    file: str
    lines: tuple[str, ...]
    places: Mapping[Key, int]  # index into `lines`, which begins with the file's second line
    _parsed: dict[Key, ModelFacts] = field(default_factory=dict, repr=False)

    def __getitem__(self, key: Key) -> ModelFacts:
        found = self._parsed.get(key)
        if found is None:
            place = self.places[key]
            found = self._parsed[key] = _parse(next(csv.reader([self.lines[place]])), self.file, place + 2)
        return found

    def __contains__(self, key: object) -> bool:
        return key in self.places

    def __iter__(self) -> Iterator[Key]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)


def facts(pricing: Path) -> Mapping[Key, ModelFacts]:
    """Return the facts of all models of a pricing folder by (provider, model); raises BadInput (file, line, field)."""
    path = pricing / MODELS
    if not path.exists():
        return {}
    header, *lines = read_text(path).splitlines() or [""]
    _columns(header, str(path))
    heads = (next(csv.reader([line])) if '"' in line else line.split(",", 2) for line in lines)
    places = {(head[0], head[1]): place for place, head in enumerate(heads) if len(head) > 2}
    return FileFacts(str(path), tuple(lines), places)


def _columns(header: str, file: str) -> None:
    if tuple(next(csv.reader([header]), ())) != FACT_COLUMNS:
        raise BadInput(f"the columns must be {', '.join(FACT_COLUMNS)}", file=file, line=1)


def _parse(cells: Sequence[str], file: str, line: int) -> ModelFacts:
    try:
        if len(cells) != len(FACT_COLUMNS):
            raise BadInput(f"has {len(cells)} cells, the header {len(FACT_COLUMNS)}")
        return _row(dict(zip(FACT_COLUMNS, cells, strict=True)))
    except BadInput as error:
        raise error.at(file=file, line=line) from None


def scan_facts(text: str, file: str) -> Iterator[tuple[int, ModelFacts | BadInput]]:
    """Yield (line, row or what is wrong with it) of a models file's text; raises BadInput for other columns."""
    header, *lines = text.splitlines() or [""]
    _columns(header, file)
    for place, cells in enumerate(csv.reader(lines), 2):
        try:
            yield place, _parse(cells, file, place)
        except BadInput as error:
            yield place, error


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
