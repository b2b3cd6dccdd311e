"""Many calls priced in one pass: whole numbers are summed by bucket of conditions, and each sum is multiplied once.

Money is linear in the leaves as long as no rate changes. What makes a rate change is finite: the model, the context
tiers its table has, the served tier and other conditions, the dates at which any of its prices changes, the hours of
its windows. Calls that agree in all of that are one bucket (`prices.Edges`), so the total is a short sum of exact
products: the same `Decimal` that pricing call by call gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from costlab.cost import Billing, billing, bounds_of
from costlab.errors import BadInput
from costlab.prices import WHEN_KEYS, Conditions, Edges, Finder, PriceBook, PriceTable, Rate, Windows, call_moment
from costlab.runs import Part
from costlab.units import units
from costlab.usage import other_leaves, raise_totals, side_leaves

Columns = Mapping[str, Any]
Ints = np.ndarray[Any, np.dtype[np.int64]]
WORDS = ("provider", "model", *WHEN_KEYS)
CHUNK = 250_000  # calls at once, so that memory stays flat
_LOW = 26  # bits: sums of both halves of a count stay below 2^53, so float64 adds them exactly
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class ModelTotal:
    """What the calls of one model cost in USD: `counts` are leaves, exact; calls are counted once each in every field.

    `unpriced` calls used something without a rate, `lower_bound` calls may have cost more (the unpriced included),
    `date_unproven` calls took a rate without a date that was read after them. `bounds`: (reason, unit) -> calls.
    """

    provider: str
    model: str
    calls: int = 0
    total: Decimal = Decimal(0)
    counts: dict[str, int] = field(default_factory=dict)
    unpriced: int = 0
    lower_bound: int = 0
    date_unproven: int = 0
    bounds: dict[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BulkCost:
    """What many calls cost, by model, the dearest first. `amounts`: each call's USD in float64, if asked for.

    A call's float64 amount is within 1e-14 of its exact one, relatively (tests/test_cube.py measures it); totals are
    exact and never made from them.
    """

    models: tuple[ModelTotal, ...]
    amounts: np.ndarray[Any, np.dtype[np.float64]] | None = None

    @property
    def total(self) -> Decimal:
        """Return the exact sum in USD; a lower bound while `lower_bound` is not 0."""
        return sum((m.total for m in self.models), Decimal(0))

    @property
    def calls(self) -> int:
        """Return how many calls there were."""
        return sum(m.calls for m in self.models)

    @property
    def unpriced(self) -> int:
        """Return how many calls used something without a rate."""
        return sum(m.unpriced for m in self.models)

    @property
    def lower_bound(self) -> int:
        """Return how many calls may have cost more than what is counted."""
        return sum(m.lower_bound for m in self.models)


def price_columns(
    columns: Columns,
    table: PriceTable | PriceBook,
    *,
    now: datetime,
    day: datetime | None = None,
    amounts: bool = False,
) -> BulkCost:
    """Return what many calls cost; raises BadInput naming the column and the row.

    Columns of one length, or one word for all: `provider`, `model`, `service_tier` and the other keys of conditions
    (text); `at` (datetime64 in UTC, or moments as `price --jsonl` takes them; absent: now); inclusive counts by unit
    key (whole numbers). `day` prices all at another day, each call's weekday and hour kept.
    """
    book = table if isinstance(table, PriceBook) else PriceBook(table)
    calls = _checked(columns, now)
    found: dict[tuple[str, str], ModelTotal] = {}
    each = np.zeros(calls.length) if amounts else None
    for start in range(0, calls.length, CHUNK):
        for group in _groups(calls, slice(start, start + CHUNK), now, day):
            names = group.words["provider"], group.words["model"]
            total = found.setdefault(names, ModelTotal(*names))
            paid = _price(group, total, book)
            if each is not None:
                each[start + group.rows] = paid
    return BulkCost(tuple(sorted(found.values(), key=lambda m: (-m.total, m.provider, m.model))), each)


# ---- columns in


@dataclass(frozen=True, slots=True)
class Calls:
    """Checked columns: `kinds` are the combinations of words that occur, `kind` says which each call has."""

    length: int
    names: tuple[str, ...]
    kinds: tuple[tuple[str, ...], ...]
    kind: Ints
    counts: Mapping[str, Ints]
    at: Ints | None


def _checked(columns: Columns, now: datetime) -> Calls:
    known = units()
    length = max((len(c) for c in columns.values() if not isinstance(c, str)), default=0)
    words: dict[str, tuple[list[str], Ints]] = {}
    counts: dict[str, Ints] = {}
    at = None
    for key, column in columns.items():
        if not isinstance(column, str) and len(column) != length:
            raise BadInput(f"has {len(column)} rows, others {length}", field=key)
        if key in WORDS:
            words[key] = _words(column, length)
        elif key == "at":
            at = _moments(column, now)
        elif key in known:
            counts[key] = _whole(column, key)
        else:
            raise BadInput("no column of calls: a unit key, a condition, provider, model or at", field=key)
    if "model" not in words:
        raise BadInput("missing", field="model")
    code = np.zeros(length, dtype=np.int64)
    kinds: list[tuple[str, ...]] = [()]
    for said, which in words.values():  # only combinations that occur: codes stay small
        places, code = np.unique(code * len(said) + which, return_inverse=True)
        kinds = [(*kinds[place // len(said)], said[place % len(said)]) for place in places.tolist()]
    return Calls(length, tuple(words), tuple(kinds), code, counts, at)


def _words(column: Any, length: int) -> tuple[list[str], Ints]:
    """Return the different words of a column, and which of them each row has; a single word stands for all rows."""
    if isinstance(column, str):
        return [column], np.zeros(length, dtype=np.int64)
    rows = column.tolist() if isinstance(column, np.ndarray) else column
    kinds = {word: place for place, word in enumerate(dict.fromkeys(rows))}
    which = np.fromiter(map(kinds.__getitem__, rows), dtype=np.int64, count=length)
    return ["" if word is None else str(word) for word in kinds] or [""], which


def _moments(column: Any, now: datetime) -> Ints:
    """Return moments as microseconds since 1970 in UTC; now for those that are missing."""
    if isinstance(column, np.ndarray) and column.dtype.kind == "M":
        found = column.astype("datetime64[us]").astype(np.int64)
        return np.where(np.isnat(column), _micros(now), found)
    return np.array([_micros(now if moment is None else call_moment(moment)) for moment in column], dtype=np.int64)


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _whole(column: Any, key: str) -> Ints:
    found = np.asarray(column)
    if found.dtype.kind not in "iu" and not (found.dtype.kind == "f" and np.all(np.mod(found, 1) == 0)):
        raise BadInput("must be whole numbers", field=key)
    bad = np.flatnonzero((found < 0) | (found > 10**15))
    if len(bad):
        raise BadInput(f"row {bad[0]}: a count must be between 0 and 10^15, not {found[bad[0]]}", field=key)
    return found.astype(np.int64)


# ---- groups of calls that differ only in numbers and moments


@dataclass(frozen=True, slots=True)
class Group:
    """Calls of one model under the same words: their places, leaves, totals, days (prices) and clocks (hours)."""

    rows: Ints
    words: Mapping[str, str]
    leaves: Mapping[str, Ints]
    totals: tuple[Ints, Ints]
    days: Ints
    clocks: Ints


def _groups(calls: Calls, part: slice, now: datetime, day: datetime | None) -> Iterator[Group]:
    full = {key: column[part] for key, column in calls.counts.items()}
    raise_totals(full, np.maximum)
    leaves = other_leaves(full, np.maximum)
    for side in ("input", "output"):
        leaves |= side_leaves(full, side, np.minimum)[0]
    kind = calls.kind[part]
    nothing = np.zeros(len(kind), dtype=np.int64)
    clocks = nothing + _micros(now) if calls.at is None else calls.at[part]
    days = clocks if day is None else nothing + _micros(day)
    present, codes = np.unique(kind, return_inverse=True)
    for place, rows in zip(present.tolist(), _split(codes), strict=True):
        yield Group(
            rows,
            {"provider": "", **dict(zip(calls.names, calls.kinds[place], strict=True))},
            {key: n[rows] for key, n in leaves.items()},
            (full.get("input_tokens", nothing)[rows], full.get("output_tokens", nothing)[rows]),
            days[rows],
            clocks[rows],
        )


def _split(codes: Ints) -> list[Ints]:
    """Return the places of each code 0, 1, 2 ... in order; every code is there."""
    ends = np.cumsum(np.bincount(codes))
    return np.split(np.argsort(codes, kind="stable"), ends[:-1])


# ---- buckets of one group, priced


def _price(group: Group, total: ModelTotal, book: PriceBook) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Add a group's calls to its model's total, and return each call's USD in float64."""
    said = {k: w for k, w in group.words.items() if k in WHEN_KEYS and w}
    bill = billing(Part(group.words["provider"], group.words["model"], {}), None, said, book)
    total.calls += len(group.rows)
    paid = np.zeros(len(group.rows))
    known = book.model(bill.who) if bill.who else None
    if bill.who is None or known is None:
        _unbilled(group, total, bill)
        return paid
    _, codes = np.unique(_codes(group, known[1]), return_inverse=True)
    for rows in _split(codes):
        one = int(rows[0])
        sizes = (int(group.totals[0][one]), int(group.totals[1][one]))
        conditions = Conditions(_moment(group.days[one]), _moment(group.clocks[one]), bill.when, *sizes)
        finder = book.finder(bill.who, conditions)
        if finder is not None:
            paid[rows] = _bucket(group, rows, total, finder, bill.tier_bound)
    return paid


def _bucket(group: Group, rows: Ints, total: ModelTotal, finder: Finder, tier_bound: str | None) -> Any:
    """Add the calls of one bucket; `rows` are places within the group."""
    used = {key: n[rows] for key, n in group.leaves.items()}
    if finder.charges_requests:
        used["requests"] = np.maximum(used.get("requests", np.int64(1)), np.ones(len(rows), dtype=np.int64))
    paid, doubted, missing, late = (np.zeros(len(rows), dtype=kind) for kind in (float, bool, bool, bool))
    for key, column in used.items():
        quantity, some = _sum(column), column > 0
        if not quantity:
            continue
        total.counts[key] = total.counts.get(key, 0) + quantity
        found = finder.rate(key)
        for reason in bounds_of(key, found, tier_bound):
            total.bounds[reason, key] = total.bounds.get((reason, key), 0) + int(some.sum())
            doubted |= some
        if found.rate is None:
            missing |= some
            continue
        assert found.rate.price is not None
        total.total += found.rate.price * found.multiple * quantity / found.rate.per
        paid += column * float(found.per_unit)
        late |= some & (finder.moved | _late(found.rate, group.days[rows]))
    total.unpriced += int(missing.sum())
    total.lower_bound += int(doubted.sum())
    total.date_unproven += int(late.sum())
    return paid


def _unbilled(group: Group, total: ModelTotal, bill: Billing) -> None:
    """Count calls that nobody bills (they ran here), or of which nobody can tell who does."""
    for key, column in group.leaves.items():
        if quantity := _sum(column):
            total.counts[key] = total.counts.get(key, 0) + quantity
            if not bill.local:
                total.bounds[bill.reason, key] = total.bounds.get((bill.reason, key), 0) + int((column > 0).sum())
    if not bill.local:
        total.unpriced += len(group.rows)
        total.lower_bound += len(group.rows)


def _sum(column: Ints) -> int:
    """Return an exact sum, however many and however large the counts are."""
    return (int((column >> _LOW).sum()) << _LOW) + int((column & ((1 << _LOW) - 1)).sum())


def _late(rate: Rate, days: Ints) -> Any:
    """Return which days lie before the one on which a rate without a date was read."""
    if rate.valid_from is not None or rate.read_at is None:
        return False
    return days < _micros(datetime.combine(rate.read_at, datetime.min.time(), UTC))


def _codes(group: Group, where: Edges) -> Ints:
    """Return a number for each call that is the same for calls of the same bucket of conditions."""
    inputs, outputs = group.totals
    code = np.searchsorted(np.array([_micros(d) for d in where.days], dtype=np.int64), group.days, side="right")
    for edges, totals in ((where.inputs, inputs), (where.outputs, outputs)):
        code = code * (len(edges) + 1) + np.searchsorted(np.array(edges, dtype=np.int64), totals, side="left")
    if where.windows:
        # 1970-01-01 was a Thursday: three days after a Monday
        minutes = (group.clocks // 60_000_000 + 3 * 1440) % (7 * 1440)
        for windows in where.windows:
            code = code * 2 + _week(windows)[minutes]
    return code


def _week(windows: Windows) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return for each minute of a week whether it is inside one of the windows."""
    week = np.zeros(7 * 1440, dtype=bool)
    for start, end in windows.spans:
        week[start:end] = True
    return week


def _moment(micros: Any) -> datetime:
    return _EPOCH + timedelta(microseconds=int(micros))
