"""Prices that a user sets: which rows a model shows for editing, and the rows that an edit writes.

A row of the user's replaces every row of its group for the time that it holds (DESIGN.md section 4, "Table"), whatever
their hours. So an edit of one row writes the whole group: the row with its new price and its siblings as they are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from costlab.errors import BadInput
from costlab.prices import LAYERS, OWN_LAYERS, ModelRates, PriceTable, Rate, precedence

Group = tuple[object, ...]
_DEAREST = 10**9  # a price past this is a slip of the finger
_AMOUNT = re.compile(r"-?(\d+|\d{1,3}(,\d{3})+)?(\.\d*)?(e-?\d{1,2})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Edit:
    """One changed price: the rate before (None: there was none) and after (a price of None removes it)."""

    before: Rate | None
    after: Rate


def shown(rates: ModelRates, at: datetime) -> tuple[Rate, ...]:
    """Return the rows in force at a moment, the winner of each group and window, in the order of the file.

    A row that was laid over another stands in its place: a price that is edited does not move under the editor. So does
    one that the user has removed, without a price: what cannot be seen cannot be taken back.
    """
    places: dict[Group, int] = {}
    for place, row in enumerate(rates.rows):
        places.setdefault(row.group, place)
    best: dict[tuple[Group, str], Rate] = {}
    for row in rates.standing(at):
        if row.price is None and row.layer not in OWN_LAYERS:
            continue
        key = (row.group, row.utc_windows.text if row.utc_windows else "")
        if key not in best or precedence(row) > precedence(best[key]):
            best[key] = row
    return tuple(sorted(best.values(), key=lambda row: places[row.group]))


def edit(rates: ModelRates, row: Rate, price: Decimal | None, *, at: datetime, today: date) -> tuple[Rate, ...]:
    """Return the rows that set one shown row's price for all dates; None removes it, 0 vouches that it is free.

    Raises BadInput for a price that is negative or no number.
    """
    if price is not None and (not price.is_finite() or price < 0):
        raise BadInput(f"a price must be 0 or more, not {price}", field=row.unit)
    siblings = [r for r in shown(rates, at) if r.group == row.group and r.utc_windows != row.utc_windows]
    new = replace(row, price=price, note="")
    kept = [replace(r, valid_from=None, valid_to=None) for r in siblings if not r.doubtful]  # their source's, still
    return (replace(new, source="user", source_version="", read_at=today, valid_from=None, valid_to=None), *kept)


def typed_price(text: str | None) -> Decimal | None:
    """Return a price as somebody typed it (`0.25`, `$1,200`), None for an empty cell; raises BadInput.

    Full-width signs, as Chinese keyboards type them, are read too.
    """
    plain = unicodedata.normalize("NFKC", text or "").strip().removeprefix("$").strip()
    if plain in ("", "—"):
        return None
    try:
        amount = Decimal(plain.replace(",", "")) if _AMOUNT.fullmatch(plain) else None
    except InvalidOperation:
        amount = None
    if amount is None or amount > _DEAREST:
        raise BadInput(f"a price must be a number, not {text!r}"[:120], field="price")
    return amount


def merged(edits: Mapping[Group, tuple[Rate, ...]], rows: Iterable[Rate]) -> dict[Group, tuple[Rate, ...]]:
    """Return edits by group with the groups of some new rows replaced."""
    found: dict[Group, list[Rate]] = {}
    for row in rows:
        found.setdefault(row.group, []).append(row)
    return {**edits, **{group: tuple(new) for group, new in found.items()}}


def differences(base: PriceTable, rows: Iterable[Rate], at: datetime) -> tuple[Edit, ...]:
    """Return what some rows change against a table: only those whose price differs from the one in force."""
    found = []
    for row in rows:
        rates = base.find(row.provider, row.model)
        held = shown(rates, at) if rates else ()
        before = next((r for r in held if r.group == row.group and r.utc_windows == row.utc_windows), None)
        same = before is not None and not before.doubtful and before.price is not None and row.price is not None
        if same and before is not None and before.per_unit == row.per_unit:
            continue
        if row.price is None and (before is None or before.price is None):
            continue
        found.append(Edit(before, row))
    return tuple(found)


def own_edits(table: PriceTable, provider: str, model: str, at: datetime) -> tuple[Edit, ...]:
    """Return what the user has set of a model, each price against the one that it replaces in the same table."""
    rates = table.find(provider, model)
    top = {row.group: row.layer for row in sorted(rates.rows, key=_layer)} if rates else {}
    own = [r for r in (rates.rows if rates else ()) if r.layer in OWN_LAYERS and r.layer == top[r.group]]
    if not rates or not own:
        return ()
    below = tuple(row for row in rates.rows if row.layer not in OWN_LAYERS)
    return differences(PriceTable({(provider, model): below}), own, at)


def _layer(row: Rate) -> int:
    return LAYERS.index(row.layer)
