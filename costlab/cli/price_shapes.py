"""The JSON and the lines of the commands about price tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import costlab as cl
from costlab.cli.output import table
from costlab.cli.shapes import Json, amount


def row(rate: cl.Rate) -> dict[str, str]:
    """Return a rate with the CSV's columns."""
    return cl.cells_of(rate)


def line_of(cells: Mapping[str, str]) -> str:
    """Return a row as one line."""
    terms = (f"{name}={cells[name]}" for name in _TERMS if cells[name])
    name = f"{cells['provider']}/{cells['model']}"
    price = f"{cells['price'] or 'removed':>12} / {cells['per']:>9}"
    return f"{name:48} {cells['unit']:24} {price} {' '.join(terms)} [{cells['source']}]"


def row_table(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Return rows as a table, a blank line between models; a price is per so many units, as in the file."""
    heads, found, before = ("MODEL", "UNIT", "USD", "PER", "TERMS", "READ", "SOURCE"), [], ""
    cells = [_cells(row) for row in rows]
    lines = table(cells, "<<>><<<", heads)
    for line, name in zip(lines, ["", *(row[0] for row in cells)], strict=True):
        if before and name != before:
            found.append("")
        found.append(line)
        before = name
    return found


def _cells(row: Mapping[str, str]) -> list[str]:
    """Return a row's cells for a reader: other currencies are named, a removed price says so."""
    terms = " ".join(f"{name}={row[name]}" for name in _TERMS if row[name])
    price = f"{row['price'] or 'removed'}{'' if row['currency'] == 'USD' else ' ' + row['currency']}"
    source = f"{row['source']} {row['source_version']}".strip()
    return [
        f"{row['provider']}/{row['model']}",
        row["unit"],
        price,
        f"{int(row['per']):,}",
        terms,
        row["read_at"],
        source,
    ]


_TERMS = ("when", "input_over", "output_over", "valid_from", "valid_to", "utc_windows")


def report(found: cl.Report) -> Json:
    """Return everything that `prices check` found."""
    return {
        "ok": found.ok,
        "files": dict(found.files),
        "problems": [
            {"file": p.file, "line": p.line, "field": p.field, "problem": p.problem} for p in found.problems
        ],
        "fields": [
            {"field": u.field, "fate": u.fate, "says": u.says, "models": u.models, "example": u.example,
             "left_out": dict(u.left_out)}
            for u in found.fields
        ],
        "doubtful_zeros": [row(rate) for rate in found.zeros],
        "listed_twice": [{**row(kept), "left_out_price": row(other)["price"]} for kept, other in found.repeated],
        "disagreements": [disagreement(d) for d in found.disagreements],
        "notes": list(found.notes),
    }  # fmt: skip


def disagreement(found: cl.Disagreement) -> Json:
    """Return one disagreement with each source's price per the preferred row's unit count."""
    return {
        "provider": found.provider,
        "model": found.model,
        "unit": found.unit,
        "when": dict(found.when),
        "input_over": found.input_over,
        "output_over": found.output_over,
        "per": found.rates[found.preferred].per,
        "prices": {source: row(rate)["price"] for source, rate in found.rates.items()},
        "preferred": found.preferred,
        "corrected": found.corrected,
        "ratio": None if found.ratio is None else amount(round(found.ratio, 6)),
        "at": found.at.strftime("%a %H:%M") if found.at else None,
    }


def disagreement_line(found: cl.Disagreement) -> str:
    """Return one disagreement as a line."""
    prices = ", ".join(f"{source} {row(rate)['price']}" for source, rate in found.rates.items())
    terms = "".join(f" {k}={v}" for k, v in found.when)
    over = f" over {found.input_over:,}" if found.input_over else ""
    hour = f" on {found.at:%a %H:%M} UTC" if found.at else ""
    ratio = "0 in one" if found.ratio is None else f"x{float(found.ratio):.2f}"
    settled = ", corrected" if found.corrected else ""
    return f"{found.provider}/{found.model} {found.unit}{terms}{over}{hour}: {prices} ({ratio}{settled})"


def twice(kept: cl.Rate, other: cl.Rate) -> str:
    """Return two prices of one source for the same thing as a line."""
    one, two = row(kept), row(other)
    name = " ".join(filter(None, (f"{one['provider']}/{one['model']}", one["unit"], one["when"])))
    return f"{name}: {one['price']}, also {two['price']}"


def change(found: cl.Change) -> Json:
    """Return a changed row with the CSV's columns."""
    return {**found.cells, "change": found.kind, "old_price": found.old_price}


def change_line(found: cl.Change) -> str:
    """Return a changed row as a line."""
    was = f" (was {found.old_price})" if found.kind == "changed" else ""
    return f"{found.kind:8} {line_of(found.cells)}{was}"


def renewal(new: cl.Renewal, runs: Sequence[cl.RunChange], target: Path, written: bool) -> Json:
    """Return what a refresh found, what it changes and what that means for the recordings at hand."""
    return {
        "versions": dict(new.snapshot.versions),
        "rows": new.snapshot.rows,
        "changes": [change(c) for c in new.changes],
        "runs": [run_change(r) for r in runs],
        "folder": str(target),
        "written": written,
    }


def run_change(found: cl.RunChange) -> Json:
    """Return what new prices mean for one recorded run."""
    return {
        "run_id": found.run_id,
        "task": found.task,
        "priced_as": found.stand_in,
        "before_usd": amount(found.before.total),
        "before_lower_bound": found.before.lower_bound,
        "after_usd": amount(found.after.total),
        "after_lower_bound": found.after.lower_bound,
        "difference_usd": amount(found.difference),
    }


def run_line(found: cl.RunChange) -> str:
    """Return what new prices mean for one recorded run as a line."""
    before, after = (cl.usd(c.total, lower_bound=c.lower_bound) for c in (found.before, found.after))
    as_if = f" on {found.stand_in} (nobody billed it)" if found.stand_in else ""
    return f"{found.run_id}{as_if}: {before} -> {after}  {found.task[:60]}"
