"""A table with one row a model call: which column means what is said by a mapping, guessed from the headers.

What headers cannot say is asked and never guessed: whether input counts include cached tokens, and output counts
reasoning. Every row is checked; one bad row and nothing is imported. Rules of reading are in `docs/importers.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from costlab.errors import BadInput
from costlab.files import Source
from costlab.importers.calls import unmetered
from costlab.importers.cells import amount, at, empty, seconds, whole
from costlab.importers.delimited import Table, first_headers, open_table
from costlab.importers.fields import own_id, response_id
from costlab.importers.headers import TABLE_FIELDS, guessed
from costlab.importers.providers import served_by
from costlab.runs import AgentNode, ModelCall, Run, Step
from costlab.usage import Counts, Number, UsageWarning, add

FORMAT = "csv"
INSIDE, BESIDE = "inside", "beside"
_CACHED = ("cache_read_tokens", "cache_write_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")
_REASONING = "output_reasoning_tokens"
_COUNTED = ("input_tokens", "output_tokens", *_CACHED, _REASONING)
_TOTALS = ("total", "totals", "sum", "subtotal", "grand total", "合计", "总计", "小计")
_LONG_ID = 16  # characters: a shorter run id ("1", "task 3") is not one file's alone
_MOST_TOLD = 8


@dataclass(frozen=True, slots=True)
class TableMapping:
    """Which column holds which field (see TABLE_FIELDS), and what the headers cannot say.

    `model` is that of every row where no column has it. `cached` and `reasoning` say whether such tokens are 'inside'
    the input and output counts or 'beside' them; they must be answered where such a column is mapped.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    cached: str = ""
    reasoning: str = ""

    @property
    def questions(self) -> tuple[str, ...]:
        """Return what is still to be answered: cached, reasoning, or nothing."""
        asked = {"cached": any(one in self.columns for one in _CACHED), "reasoning": _REASONING in self.columns}
        return tuple(name for name, here in asked.items() if here and not getattr(self, name))


@dataclass(frozen=True, slots=True)
class Effect:
    """What one answer to a question makes of a table: its counts, or why the rows rule it out."""

    answer: str
    counts: Counts
    problem: BadInput | None = None


def sniff(head: bytes, name: str) -> bool:
    """Return whether a file begins like a table of calls: a header names tokens."""
    found = guessed(first_headers(head))
    return "input_tokens" in found or "output_tokens" in found


def guess_mapping(headers: Iterable[str]) -> TableMapping:
    """Return the mapping that headers suggest; a header that itself says 'no cache' answers that question."""
    found = guessed(headers)
    said = "no_cache" in found.get("input_tokens", "").lower() or "uncached" in found.get("input_tokens", "").lower()
    return TableMapping(found, cached=BESIDE if said else "")


def read(path: Source, mapping: TableMapping | None = None) -> list[Run]:
    """Return the runs of a table, mapped as said or as its headers suggest; raises BadInput (file, line, column)."""
    table = open_table(path)
    return table_runs(table, mapping or guess_mapping(table.headers))


def table_runs(table: Table, mapping: TableMapping) -> list[Run]:
    """Return a run for each value of the run's column, else one; raises BadInput naming file, line and column."""
    places = _places(table, mapping)
    for question in mapping.questions:
        raise BadInput(_asked(table, mapping, question), file=table.name, line=1, field=question)
    rows = _read_rows(table, places, mapping)
    by_run: dict[str, list[_Row]] = {}  # rows without a run are one together
    for row in rows:
        by_run.setdefault(row.run, []).append(row)
    return [_run(table, name, mine, mapping) for name, mine in by_run.items()]


def table_effects(table: Table, mapping: TableMapping, question: str) -> tuple[Effect, ...]:
    """Return what each answer to 'cached' or 'reasoning' makes of the table; raises BadInput for other faults."""
    cached, reasoning = mapping.cached or BESIDE, mapping.reasoning or BESIDE
    found = []
    for answer in (INSIDE, BESIDE):
        if question == "cached":
            said = replace(mapping, cached=answer, reasoning=reasoning)
        else:
            said = replace(mapping, cached=cached, reasoning=answer)
        try:
            found.append(Effect(answer, _total(table, said)))
        except BadInput as problem:
            if answer == BESIDE:
                raise
            found.append(Effect(answer, {}, problem))
    return tuple(found)


def _total(table: Table, mapping: TableMapping) -> Counts:
    return add(row.call.counts for row in _read_rows(table, _places(table, mapping), mapping))


def _asked(table: Table, mapping: TableMapping, question: str) -> str:
    """Return a question with what each answer would mean, for who cannot see a form."""
    side, what = ("input", "cached") if question == "cached" else ("output", "reasoning")
    told = "; ".join(
        f"{one.answer}: {one.problem}"
        if one.problem
        else f"{one.answer}: {one.counts.get(f'{side}_tokens', 0):,} in all"
        for one in table_effects(table, mapping, question)
    )
    return f"say whether {what} tokens are inside the {side} tokens or beside them ({told})"


def _places(table: Table, mapping: TableMapping) -> dict[str, int]:
    """Return which column each field has; raises BadInput for a mapping that makes no calls."""
    strange = [name for name in mapping.columns if name not in TABLE_FIELDS]
    if strange:
        raise BadInput(f"no field is named {strange[0]!r}; there are: {', '.join(TABLE_FIELDS)}"[:400], field="mapping")
    places = {name: table.place(header) for name, header in mapping.columns.items() if header}
    if "input_tokens" not in places and "output_tokens" not in places:
        raise BadInput("no column is said to hold input or output tokens", file=table.name, field="mapping")
    if "model" not in places and not mapping.model:
        raise BadInput("no column is said to hold the model, and no model is named", file=table.name, field="mapping")
    twice = next((one for one in places.values() if list(places.values()).count(one) > 1), None)
    if twice is not None:
        raise BadInput("one column is said to hold two fields", file=table.name, line=1, field=table.headers[twice])
    for name in ("cached", "reasoning"):
        if getattr(mapping, name) not in ("", INSIDE, BESIDE):
            raise BadInput(f"must be {INSIDE} or {BESIDE}, not {getattr(mapping, name)[:40]!r}", field=name)
    return places


@dataclass(frozen=True, slots=True)
class _Row:
    """One row as a call, with the run and the step that it belongs to."""

    call: ModelCall
    name: str
    run: str
    step: str


def _read_rows(table: Table, places: Mapping[str, int], mapping: TableMapping) -> list[_Row]:
    """Return all rows; raises BadInput naming the first bad one's line and column, and the lines of the others."""
    rows: list[_Row] = []
    bad: list[BadInput] = []
    seen: dict[str, int] = {}
    for line, cells in table.rows:
        try:
            row = _row(line, {name: cells[place].strip() for name, place in places.items()}, mapping)
            if row.name and seen.setdefault(row.name, line) != line:
                raise BadInput(f"{row.name[:60]!r} stands on line {seen[row.name]} too", field="call")
            rows.append(row)
        except BadInput as problem:
            place = places.get(problem.field or "")
            column = problem.field if place is None else table.headers[place]
            bad.append(type(problem)(problem.problem, file=table.name, line=line, field=column))
    if not bad:
        return rows
    first, more = bad[0], [str(one.line) for one in bad[1:]]
    told = f"; as bad: line {', '.join(more[:_MOST_TOLD])}{' and others' if len(more) > _MOST_TOLD else ''}"
    raise type(first)(first.problem + (told if more else ""), file=first.file, line=first.line, field=first.field)


def _row(line: int, cells: Mapping[str, str], mapping: TableMapping) -> _Row:
    spoken = cells.get("model", mapping.model)
    if empty(spoken):
        raise BadInput("is empty: which model answered?", field="model")
    if spoken.lower() in _TOTALS:
        raise BadInput(f"{spoken!r}: this row is a sum of others; delete it", field="model")
    provider, model = served_by(spoken, cells.get("provider", ""))
    counts, bounds = _counts(cells, mapping)
    name = _said(cells, "call")
    call = ModelCall(
        call_id=f"line-{line}",
        provider=provider,
        model=model,
        counts=counts,
        stated_cost=amount(cells.get("stated_cost", ""), "stated_cost"),
        started_at=at(cells.get("started_at", ""), "started_at"),
        duration_s=_duration(cells),
        origin=response_id({"id": name}, "id") or None,
        bounds=bounds,
    )
    return _Row(unmetered(call), name, _said(cells, "run"), _said(cells, "step"))


def _said(cells: Mapping[str, str], field: str) -> str:
    cell = cells.get(field, "")
    return "" if empty(cell) else cell


def _duration(cells: Mapping[str, str]) -> float | None:
    found = seconds(cells.get("duration_s", ""), "duration_s")
    return found if found is not None else seconds(cells.get("duration_ms", ""), "duration_ms", per_second=1000)


def _counts(cells: Mapping[str, str], mapping: TableMapping) -> tuple[dict[str, Number], tuple[str, ...]]:
    """Return a row's inclusive counts, and a bound for each side whose figure it lacks."""
    stated = {name: n for name in _COUNTED if name in cells and (n := whole(cells[name], name)) is not None}
    counts: dict[str, Number] = {k: v for k, v in stated.items() if not k.endswith("put_tokens")}
    lifetimes = sum(counts.get(name, 0) for name in _CACHED[2:])
    if lifetimes or "cache_write_tokens" in counts:
        counts["cache_write_tokens"] = max(counts.get("cache_write_tokens", 0), lifetimes)
    cached = counts.get("cache_read_tokens", 0) + counts.get("cache_write_tokens", 0)
    sides = (
        ("input_tokens", cached, mapping.cached, next((c for c in _CACHED if stated.get(c)), "")),
        ("output_tokens", counts.get(_REASONING, 0), mapping.reasoning, _REASONING),
    )
    for whole_, parts, way, column in sides:
        own = stated.get(whole_)
        if own is not None and way == INSIDE and parts > own:
            side = whole_.partition("_")[0]
            raise BadInput(f"{parts:,} of {own:,} {side} tokens cannot be: they are not inside them", field=column)
        if own is not None or parts:
            counts[whole_] = (own or 0) + (0 if way == INSIDE and own is not None else parts)
    lacking = tuple(f"unmetered:{name}" for name in ("input_tokens", "output_tokens") if name not in stated)
    return counts, lacking if len(lacking) == 1 else ()


def _run(table: Table, name: str, rows: list[_Row], mapping: TableMapping) -> Run:
    if all(row.call.started_at for row in rows):
        rows = sorted(rows, key=lambda row: row.call.started_at)  # type: ignore[arg-type, return-value]
    begun = [row.call.started_at for row in rows if row.call.started_at]
    last = rows[-1].call
    end = (last.started_at - begun[0]).total_seconds() + (last.duration_s or 0) if begun and last.started_at else None
    title = f"{table.name} · {name}" if name else table.name
    notes = [UsageWarning("table", "source", f"{len(rows):,} rows, read as mapped; how a run ended is in no table")]
    if any(row.call.stated_cost is not None for row in rows):
        column = mapping.columns.get("stated_cost", "")
        notes.append(UsageWarning("client_cost", "stated_cost", f"column {column!r}, computed by whoever wrote it"))
    models = {row.call.model for row in rows}
    return Run(
        run_id=own_id(FORMAT, *_ids(table, name)),
        title=title[:200],
        agent="CSV",
        started_at=min(begun, default=None),
        duration_s=end if end is not None and end >= 0 else None,
        steps=tuple(_steps(rows)),
        agents=(AgentNode("agent", "CSV", model=models.pop() if len(models) == 1 else None),),
        source={"format": FORMAT, "file": table.name, "encoding": table.encoding},
        meta={"mapping": _told(mapping)},
        warnings=tuple(notes),
    )


def _ids(table: Table, name: str) -> tuple[str, ...]:
    """Return what names a run: a trace's id alone, where it is long enough to be one's own; else the file too."""
    return (name,) if len(name) >= _LONG_ID else (name, table.digest[:16])


def _told(mapping: TableMapping) -> str:
    pairs = [f"{name}={header}" for name, header in mapping.columns.items() if header]
    said = {"model": mapping.model, "cached": mapping.cached, "reasoning": mapping.reasoning}
    return ", ".join((*pairs, *(f"{name}: {word}" for name, word in said.items() if word)))


def _steps(rows: Iterable[_Row]) -> Iterable[Step]:
    """Yield a step for each value of the step's column in the order of first calls, or for each row without one."""
    groups: dict[str, list[ModelCall]] = {}
    for row in rows:
        key = f"step {row.step}" if row.step else row.call.call_id
        groups.setdefault(key, []).append(row.call)
    for number, (key, calls) in enumerate(groups.items(), 1):
        named = key.removeprefix("step ")
        said = (
            int(named) if key.startswith("step ") and named.isascii() and named.isdigit() and len(named) < 7 else number
        )
        durations = [call.duration_s for call in calls if call.duration_s is not None]
        yield Step(
            f"s-{number}", said, "action",
            started_at=calls[0].started_at,
            duration_s=sum(durations) if durations else None,
            calls=tuple(calls),
        )  # fmt: skip
