"""`prices check`: every price file read whole, row against row, and held against the sources it was made from."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from costlab.catalog import refresh
from costlab.catalog.diff import changes
from costlab.catalog.disagree import Disagreement, disagreements
from costlab.catalog.facts import scan_facts
from costlab.catalog.litellm_proof import UNKNOWN, FieldUse, proof
from costlab.catalog.names import ALIAS_COLUMNS
from costlab.catalog.rows import scan_rates
from costlab.catalog.table import (
    ALIASES,
    CATALOG,
    CORRECTIONS,
    MODELS,
    OVERRIDES,
    corrected_models,
    load,
    read_text,
)  # fmt: skip
from costlab.errors import BadInput, CostLabError, MissingExtra
from costlab.prices import DOUBTFUL, ModelRates, PriceTable, Rate
from costlab.runs import LOCAL_PROVIDERS

UNCHECKED = "the rest was not checked: mend these first"
_KINDS = ("maker", "provider", "model")
_OPEN = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Report:
    """What `prices check` found; `ok` unless there are problems, each of which names file, line and field.

    `files` counts the rows (rules) of each file. `fields` says of every number in litellm's map what becomes of it.
    `zeros` are prices of 0 that one source alone lists: they price nothing. `repeated` are pairs that one source lists
    twice at different prices (kept, left out). `notes` are facts that are no problems.
    """

    files: Mapping[str, int]
    problems: tuple[BadInput, ...]
    fields: tuple[FieldUse, ...]
    zeros: tuple[Rate, ...]
    repeated: tuple[tuple[Rate, Rate], ...]
    disagreements: tuple[Disagreement, ...]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Return whether all is well."""
        return not self.problems


def check(
    pricing: Path,
    home: Path | None,
    rules: Mapping[str, Callable[[Path], int]],
    *,
    now: datetime | None = None,
    sources: Callable[[], refresh.Sources] = refresh.installed,
) -> Report:
    """Return what is wrong and what is doubtful in a pricing folder and, if given, in the user's own price file.

    `rules` reads each further file of the folder by name: it returns the number of rules or raises BadInput. `sources`
    reads what the catalogue was made from; where it raises MissingExtra a note says so.
    """
    now = now or datetime.now(UTC)
    files: dict[str, int] = {}
    problems: list[BadInput] = []
    priced = [(pricing / CATALOG, "catalog"), (pricing / CORRECTIONS, "corrections")]
    for path, layer in priced + ([(home / OVERRIDES, "overrides")] if home else []):
        if path.exists() or layer == "catalog":
            problems += _rate_file(path, layer, files)
    problems += _models_file(pricing / MODELS, files)
    for name, read in rules.items():
        try:
            files[name] = read(pricing)
        except CostLabError as error:
            problems.append(error if isinstance(error, BadInput) else BadInput(str(error), file=name))
    if problems:  # a table cannot be put together from files that cannot be read
        return Report(files, tuple(problems), (), (), (), (), (UNCHECKED,))
    try:
        table = load(pricing, home)
    except BadInput as error:
        return Report(files, (error,), (), (), (), (), (UNCHECKED,))
    problems += _aliases_file(pricing / ALIASES, table, files)
    fields, repeated, notes = _sources(pricing, now, sources)
    unread = (use for use in fields if use.fate == UNKNOWN)
    problems += [BadInput(f"a price field of litellm's is not read: {use.says}", field=use.field) for use in unread]
    held = (rate for key in table.rates for rate in ModelRates(*key, table.rates[key]).in_force(now))
    zeros = tuple(rate for rate in held if rate.note.startswith(DOUBTFUL))
    return Report(files, tuple(problems), fields, zeros, repeated, tuple(disagreements(table, day=now)), notes)


def _rate_file(path: Path, layer: str, files: dict[str, int]) -> Iterator[BadInput]:
    """Yield what is wrong with each row of a price file, and with rows beside each other."""
    rows: list[tuple[int, Rate]] = []
    try:
        for line, found in scan_rates(read_text(path), str(path), layer):
            if isinstance(found, BadInput):
                yield found
            else:
                rows.append((line, found))
    except BadInput as error:
        yield error
    files[path.name] = len(rows)
    yield from (clash.at(file=str(path)) for clash in _clashes(rows, layer))
    for line, rate in rows if layer == "corrections" else ():
        for field in ("source", "read_at"):
            if not getattr(rate, field):
                yield BadInput("a correction must say where it is from and when it was read", file=str(path), line=line,
                               field=field)  # fmt: skip


def _clashes(rows: Iterable[tuple[int, Rate]], layer: str) -> Iterator[BadInput]:
    """Yield rows of one group that hold at the same time: twice the same, dates that overlap, hours that overlap."""
    groups: dict[tuple[object, ...], list[tuple[int, Rate]]] = {}
    for line, rate in rows:
        source = rate.source if layer == "catalog" else ""  # the catalogue keeps both sources side by side
        groups.setdefault((rate.group, source), []).append((line, rate))
    for found in groups.values():
        if len(found) > 1:
            yield from _overlaps(sorted(found, key=lambda item: (item[1].valid_from or _OPEN, item[0])))


def _overlaps(found: list[tuple[int, Rate]]) -> Iterator[BadInput]:
    by_hours: dict[str, list[tuple[int, Rate]]] = {}
    for line, rate in found:
        by_hours.setdefault(rate.utc_windows.text if rate.utc_windows else "", []).append((line, rate))
    for same in by_hours.values():
        for (first, before), (line, rate) in pairwise(same):
            if before.valid_from == rate.valid_from:
                yield BadInput(f"stands twice: line {first} is of the same {_what(rate)}", line=line)
            elif before.valid_to is None or before.valid_to > (rate.valid_from or _OPEN):
                yield BadInput(f"is valid while line {first} still is: {_what(rate)}", line=line, field="valid_from")
    hours = [(line, rate) for line, rate in found if rate.utc_windows]
    for place, (line, rate) in enumerate(hours):
        for first, before in hours[:place]:
            if _text(before) != _text(rate) and _share_hours(before, rate) and _share_days(before, rate):
                yield BadInput(f"shares hours with line {first}: {_what(rate)}", line=line, field="utc_windows")


def _what(rate: Rate) -> str:
    conditions = " ".join(f"{k}={v}" for k, v in rate.when)
    return f"{rate.provider}/{rate.model} {rate.unit} {conditions}".strip()


def _text(rate: Rate) -> str:
    return rate.utc_windows.text if rate.utc_windows else ""


def _share_hours(one: Rate, other: Rate) -> bool:
    pairs = ((a, b) for a in (one.utc_windows.spans if one.utc_windows else ()) for b in
             (other.utc_windows.spans if other.utc_windows else ()))  # fmt: skip
    return any(a[0] < b[1] and b[0] < a[1] for a, b in pairs)


def _share_days(one: Rate, other: Rate) -> bool:
    late = max(one.valid_from or _OPEN, other.valid_from or _OPEN)
    return all(rate.valid_to is None or rate.valid_to > late for rate in (one, other))


def _models_file(path: Path, files: dict[str, int]) -> Iterator[BadInput]:
    """Yield what is wrong with models.csv; a model must not stand in it twice."""
    seen: dict[tuple[str, str], int] = {}
    if not path.exists():
        return
    try:
        for line, found in scan_facts(read_text(path), str(path)):
            if isinstance(found, BadInput):
                yield found
                continue
            first = seen.setdefault((found.provider, found.model), line)
            if first != line:
                yield BadInput(f"stands twice: line {first} is of the same model", file=str(path), line=line)
    except BadInput as error:
        yield error
    files[path.name] = len(seen)


def _aliases_file(path: Path, table: PriceTable, files: dict[str, int]) -> Iterator[BadInput]:
    """Yield what is wrong with aliases.csv: names that stand twice, and names that lead nowhere."""
    if not path.exists():
        return
    served = {provider for provider, _ in table.rates} | set(LOCAL_PROVIDERS)
    seen: dict[tuple[str, ...], int] = {}
    reader = csv.DictReader(read_text(path).splitlines())
    if tuple(reader.fieldnames or ()) != ALIAS_COLUMNS:
        yield BadInput(f"the columns must be {', '.join(ALIAS_COLUMNS)}", file=str(path), line=1)
        return
    for row in reader:
        kind, alias, provider, model = (row[c] or "" for c in ALIAS_COLUMNS[:4])
        where = (kind, alias.lower(), "" if kind == "provider" else provider)
        problem, field = "", "alias"
        if kind not in _KINDS:
            problem, field = f"unknown kind {kind!r}; there are {', '.join(_KINDS)}", "kind"
        elif seen.setdefault(where, reader.line_num) != reader.line_num:
            problem = f"stands twice: line {seen[where]} is of the same name"
        elif provider not in served:
            problem, field = f"leads nowhere: no model of provider {provider!r} has a price", "provider"
        elif kind == "model" and (provider, model) not in table.rates:
            problem, field = f"leads nowhere: no model {provider}/{model} has a price", "model"
        if problem:
            yield BadInput(problem, file=str(path), line=reader.line_num, field=field)
    files[path.name] = len(seen)


def _sources(
    pricing: Path, now: datetime, read: Callable[[], refresh.Sources]
) -> tuple[tuple[FieldUse, ...], tuple[tuple[Rate, Rate], ...], tuple[str, ...]]:
    """Hold the catalogue against the installed sources: their fields, what they list twice, and what has changed."""
    try:
        sources = read()
    except MissingExtra as missing:
        return (), (), (f"the sources' own fields were not checked: {missing}",)
    made = refresh.snapshot(sources, today=now.date(), ours=corrected_models(pricing))
    moved = changes(read_text(pricing / CATALOG), made.catalog)
    said = " and ".join(f"{name} {version}" for name, version in sources.versions.items())
    note = f"{CATALOG} is what {said} give" if not moved else f"{CATALOG} differs in {len(moved)} rows from {said}"
    return proof(sources.litellm), made.repeated, (note,)
