"""The comparison as CSV for a spreadsheet: a row a model, amounts as plain decimal numbers in USD, headers in English.

What a spreadsheet would run is defused: a text cell that begins like a formula gets an apostrophe before it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from costlab.cost import Cost, Line
from costlab.prices import OWN_LAYERS
from costlab.projection import Alternative
from costlab.report.comparison import DAYS, Comparison, reasons
from costlab.report.markup import clean
from costlab.usage import Number, add

_FORMULA = ("=", "+", "-", "@")
_BREAKS = re.compile(r"[\s\x85\u2028\u2029]+")  # a line break inside a cell ends the row for some programs


def comparison_csv(found: Comparison | Sequence[Comparison]) -> str:
    """Return comparisons as CSV; an empty amount is unpriced or not compared, never zero."""
    every = [found] if isinstance(found, Comparison) else list(found)
    units = sorted({key for one in every for row in one.found for key in _quantities(row)})
    rows = [_row(one, row, units) for one in every for row in one.rows]
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(rows[0] if rows else ())
    writer.writerows([_safe(cell) for cell in row.values()] for row in rows)
    return out.getvalue()


def _row(one: Comparison, row: Alternative, units: Sequence[str]) -> dict[str, object]:
    known = row.state in ("priced", "lower_bound")
    both = {"as_recorded": row.cost, "nothing_cached": row.uncached}
    sums = {
        f"usd_{volume}_{end}": plain(cost.total * times) if known else ""
        for volume, times in (("per_task", 1), ("per_1000_tasks", 1_000), ("per_month", one.monthly))
        for end, cost in both.items()
    }
    factor = one.factor(row)
    return {
        "run_id": one.run.run_id,
        "provider": row.provider,
        "model": row.model,
        "state": row.state,
        "why_not": row.why_not,
        **sums,
        "tasks_a_day": one.daily,
        "days_a_month": DAYS,
        "times_recorded_or_reference": "" if factor is None else f"{factor:.6f}",
        "compared_with": one.reference.name if one.reference else "as recorded",
        **{f"lower_bound_{end}": _yes(cost.lower_bound) for end, cost in both.items()},
        "lower_bound_reasons": _words(reason for cost in both.values() for reason in reasons(cost)),
        "unpriced_units": _words(u.unit for cost in both.values() for u in cost.unpriced),
        "basis_of_counts": _words(f"{unit}={word}" for unit, word in row.basis.items()),
        **_by_unit(row, units, known),
        **_dates(one, both.values()),
    }


def _by_unit(row: Alternative, units: Sequence[str], known: bool) -> dict[str, object]:
    """Return each unit's quantity and money for one task with cached tokens as recorded."""
    used, money = _quantities(row), row.cost.by_unit() if known else {}
    cells: dict[str, object] = {}
    for key in units:
        cells[f"quantity_{key}"] = plain(Decimal(used[key])) if key in used else ""
        cells[f"usd_{key}"] = plain(money[key]) if key in money else ""
    return cells


def _quantities(row: Alternative) -> Mapping[str, Number]:
    return add([*({x.unit: x.quantity} for x in row.cost.lines), *({x.unit: x.quantity} for x in row.cost.unpriced)])


def _dates(one: Comparison, costs: Iterable[Cost]) -> dict[str, object]:
    lines: list[Line] = [line for cost in costs for line in cost.lines]
    read = sorted({line.rate.read_at for line in lines if line.rate.read_at})
    since: list[date] = sorted({line.rate.valid_from.date() for line in lines if line.rate.valid_from})
    return {
        "prices_of": one.at,
        "price_sources": _words(f"{x.rate.source} {x.rate.source_version}".strip() for x in lines),
        "prices_read_first": read[0].isoformat() if read else "",
        "prices_read_last": read[-1].isoformat() if read else "",
        "prices_valid_from_last": since[-1].isoformat() if since else "",
        "price_date_unproven": _yes(any(line.date_unproven for line in lines)),
        "prices_set_by_user": _yes(any(line.rate.layer in OWN_LAYERS for line in lines)),
        "made_at": f"{one.now:%Y-%m-%dT%H:%M:%SZ}",
    }


def plain(amount: Decimal) -> str:
    """Return an amount with all its digits, never scientific."""
    text = format(amount.normalize(), "f")
    return "0" if text == "-0" else text


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"


def _words(found: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(found))


def _safe(cell: object) -> object:
    """Return a text cell so that no spreadsheet takes it for a formula."""
    if not isinstance(cell, str):
        return cell
    text = _BREAKS.sub(" ", clean(cell)).strip()
    return f"'{text}" if text.startswith(_FORMULA) else text
