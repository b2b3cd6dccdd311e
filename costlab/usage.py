"""Billable units and counts: what is inclusive, what is disjoint, and what cannot be.

A count is **inclusive** (`input_tokens` contains cached, image, audio ... tokens; `output_tokens` contains
reasoning), as in OpenTelemetry GenAI and genai-prices. `leaves()` makes counts **disjoint**: every token in exactly
one leaf. Units are data: a key, how many the price is quoted for (`per`) and dimensions; containment of dimensions
says which unit is part of which (costlab/units.py).

Parts are compared only within one dimension (DESIGN.md section 4, "Conventions"): cache read + cache write + tool,
5 minutes + 1 hour within cache write, text + image + audio + video, reasoning + citation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from typing import Any, TypeVar

from costlab.errors import BadInput, UnknownUnit
from costlab.units import INPUT_TYPES, MODALITIES, OUTPUT_TYPES, TTLS, Unit, units
from costlab.words import KINDS

Number = int | Decimal
Counts = Mapping[str, Number]
N = TypeVar("N", bound=Any)  # a number, or a NumPy column of them

_LARGEST = 10**15  # a count past this is a broken field, not a bill


@dataclass(frozen=True, slots=True)
class UsageWarning:
    """Something about counts that a reader must know: a stable `code`, the field concerned, both figures in words."""

    code: str
    field: str
    detail: str


@cache
def _by_dimensions() -> Mapping[frozenset[tuple[str, str]], str]:
    return {u.dimensions: k for k, u in units().items()}


def unit(key: str) -> Unit:
    """Return the unit of a key; raises UnknownUnit."""
    try:
        return units()[key]
    except KeyError:
        raise UnknownUnit(f"unknown unit {key!r}", field=key) from None


@cache
def ancestors(key: str) -> tuple[str, ...]:
    """Return the keys of all units that contain this one, nearest (most dimensions) first."""
    me = unit(key)
    found = [u for u in units().values() if u.contains(me)]
    return tuple(u.key for u in sorted(found, key=lambda u: (-len(u.dimensions), u.key)))


def count(value: object, field: str) -> Number:
    """Return a foreign value as a count; raises BadInput for text, negatives, fractions of infinity and booleans."""
    if type(value) is int and 0 <= value <= _LARGEST:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise BadInput(f"a count must be a number, not {value!r}"[:200], field=field)
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        raise BadInput(f"a count must be a number, not {value!r}"[:200], field=field) from None
    if not exact.is_finite() or exact < 0 or exact > _LARGEST:
        raise BadInput(f"a count must be between 0 and 10^15, not {value!r}"[:200], field=field)
    return int(exact) if exact == exact.to_integral_value() else exact


def checked(counts: Mapping[str, object]) -> dict[str, Number]:
    """Return foreign counts with known keys and sound values; raises UnknownUnit or BadInput naming the field."""
    return {unit(key).key: count(value, key) for key, value in counts.items() if value is not None}


def add(counts: Iterable[Counts]) -> dict[str, Number]:
    """Return the sum of several counts, unit by unit."""
    total: dict[str, Number] = {}
    for one in counts:
        for key, value in one.items():
            total[key] = total.get(key, 0) + value
    return total


@cache
def _key(direction: str, modality: str | None, kind: str | None, ttl: str | None) -> str:
    dims = {"family": "tokens", "direction": direction}
    dims |= {k: v for k, v in (("modality", modality), ("token_type", kind), ("cache_ttl", ttl)) if v}
    return _by_dimensions()[frozenset(dims.items())]


def _kinds(direction: str) -> tuple[str, ...]:
    return INPUT_TYPES if direction == "input" else OUTPUT_TYPES


@cache
def containments() -> tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]:
    """Return, in the order to apply them, which unit holds which groups of parts: it is no less than each group's sum.

    Joint units come first: cached audio is part of audio and of cache reads.
    """
    found = [(_key("input", None, "cache_write", t), [[_write(m, t) for m in MODALITIES]]) for t in TTLS]
    found += [(_write(m, None), [[_write(m, ttl) for ttl in TTLS]]) for m in (None, *MODALITIES)]
    for side in ("input", "output"):
        found += [(_key(side, None, k, None), [[_key(side, m, k, None) for m in MODALITIES]]) for k in _kinds(side)]
        found += [(_key(side, m, None, None), [[_key(side, m, k, None) for k in _kinds(side)]]) for m in MODALITIES]
        by_kind = [_key(side, None, kind, None) for kind in _kinds(side)]
        by_modality = [_key(side, m, None, None) for m in MODALITIES]
        found.append((f"{side}_tokens", [by_kind, by_modality]))
    return tuple((whole, tuple(tuple(group) for group in groups)) for whole, groups in found)


def _write(modality: str | None, ttl: str | None) -> str:
    return _key("input", modality, "cache_write", ttl)


def raise_totals(full: dict[str, N], greater: Callable[[N, N], N]) -> None:
    """Raise every total to the largest sum of its parts, in place; `greater` is max, or numpy.maximum for columns."""
    for whole, parts in _held(frozenset(full)):
        least = sum([full[part] for part in parts[1:]], full[parts[0]])
        full[whole] = greater(full[whole], least) if whole in full else least


@lru_cache(maxsize=4096)
def _held(keys: frozenset[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return, of `containments`, what counts with these keys have, in the order to apply it."""
    known, found = set(keys), []
    for whole, groups in containments():
        for parts in groups:
            if inside := tuple(part for part in parts if part in known):
                found.append((whole, inside))
                known.add(whole)
    return tuple(found)


def complete(counts: Counts) -> tuple[dict[str, Number], tuple[UsageWarning, ...]]:
    """Return counts whose totals hold their parts: a short total is raised to the largest sum of its parts.

    A missing total is that sum, silently; a total that is there and too small is raised with the warning
    `parts_exceed_total`, which names both figures. Nothing is clamped, refused or made negative.
    """
    full = dict(counts)
    raise_totals(full, max)
    raised = [(key, was) for key, was in counts.items() if full[key] > was]
    said = (UsageWarning("parts_exceed_total", k, f"{k} was {was}, its parts sum to {full[k]}") for k, was in raised)
    return full, tuple(said)


@cache
def token_side(key: str) -> str | None:
    """Return 'input' or 'output' for units of tokens, None for all others."""
    return unit(key).direction if unit(key).family == "tokens" else None


def leaves(counts: Counts) -> tuple[dict[str, Number], tuple[UsageWarning, ...]]:
    """Return disjoint leaves of complete, inclusive counts: their token sums equal the inclusive totals.

    Where an overlap (cached audio) was reported it is used; else tokens of a kind (cached, tool, reasoning) are
    taken from text first, with the warning `joint_unknown` if other modalities were in the call.
    """
    full, warnings = complete(counts)
    found: dict[str, Number] = {}
    notes = list(warnings)
    for direction in ("input", "output"):
        side, unplaced = side_leaves(full, direction, min)
        found |= side
        if any(unplaced.values()) and _media_without_joint(full, direction):
            notes += [
                UsageWarning("joint_unknown", _key(direction, None, kind, None), f"{want} taken from text first")
                for kind, want in unplaced.items()
                if want
            ]
    found |= other_leaves(full, max)
    return {k: v for k, v in found.items() if v}, tuple(notes)


def _media_without_joint(full: Counts, direction: str) -> bool:
    """Return whether there are media tokens of which no stated overlap tells whether they were cached."""
    placed = {
        m: sum([full.get(_key(direction, m, kind, None), 0) for kind in _kinds(direction)]) for m in MODALITIES[1:]
    }
    return any(full.get(_key(direction, m, None, None), 0) > known for m, known in placed.items())


def side_leaves(
    full: Mapping[str, N], direction: str, lesser: Callable[[N, N], N]
) -> tuple[dict[str, N], dict[str, N]]:
    """Return one side's token leaves, and of each kind what no stated overlap places (it was taken from text first).

    `full` holds its parts (see `complete`). Written without comparing, so that it serves numbers (`lesser` is min) and
    whole columns (numpy.minimum).
    """
    total = full.get(f"{direction}_tokens")
    if total is None:
        return {}, {}
    zero = total * 0
    stated = {m: full[k] for m in MODALITIES if (k := _key(direction, m, None, None)) in full}
    # What has no stated modality is text, as far as anyone can tell, so it comes first.
    places: dict[str | None, N] = {None: total - sum(stated.values(), zero)}
    places.update(stated)
    cells: dict[tuple[str | None, str], N] = {}
    rest: dict[str, N] = {}
    for kind in _kinds(direction):  # stated overlaps first, so that they are never taken by another kind
        if (want := full.get(_key(direction, None, kind, None))) is None:
            continue
        for m in stated:
            if (joint := full.get(_key(direction, m, kind, None))) is not None:
                cells[m, kind] = joint
                places[m], want = places[m] - joint, want - joint
        rest[kind] = want
    for kind, want in rest.items():
        for place, have in places.items():
            taken = lesser(want, have)
            cells[place, kind] = cells.get((place, kind), zero) + taken
            places[place], want = have - taken, want - taken
    found = {_key(direction, place, None, None): n for place, n in places.items()}
    for (place, kind), n in cells.items():
        found[_key(direction, place, kind, None)] = n
    if direction == "input":
        _split_lifetimes(full, found, lesser)
    return found, rest


def _split_lifetimes(full: Mapping[str, N], found: dict[str, N], lesser: Callable[[N, N], N]) -> None:
    """Move cache writes to the leaves of their lifetimes, as far as lifetimes were stated; the rest has none."""
    for stated in (True, False):  # first the lifetimes stated for a modality, then those stated for all writes
        for ttl in TTLS:
            pool = full.get(_write(None, ttl))
            if pool is None:
                continue
            for m in (None, *MODALITIES):
                pool = pool - found.get(_write(m, ttl), pool * 0)
            for m in MODALITIES if stated else (None, *MODALITIES):
                cell, want = found.get(_write(m, None)), full.get(_write(m, ttl)) if stated else pool
                if cell is None or want is None:
                    continue
                taken = lesser(cell, want)
                found[_write(m, ttl)] = found.get(_write(m, ttl), pool * 0) + taken
                found[_write(m, None)], pool = cell - taken, pool - taken


def other_leaves(full: Mapping[str, N], greater: Callable[[N, N], N]) -> dict[str, N]:
    """Return disjoint leaves of units that are not tokens: a wider unit holds what its narrower ones did not count."""
    keys = [k for k in full if unit(k).family != "tokens"]
    found: dict[str, N] = {}
    for key in sorted(keys, key=lambda k: -len(unit(k).dimensions)):
        zero = full[key] * 0
        inner = sum([v for k, v in found.items() if unit(key).contains(unit(k))], zero)
        found[key] = greater(full[key] - inner, zero)
    return found


def kind_of(key: str) -> str:
    """Return the kind of a unit, one of `KINDS`: tokens by what is charged for them, and everything else."""
    dims = dict(unit(key).dimensions)
    if dims["family"] != "tokens":
        return "other"
    special = dims.get("token_type", "")
    if special in ("cache_read", "cache_write", "reasoning"):
        return special
    return "fresh_input" if dims["direction"] == "input" else "output"


def by_kind(amounts: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Return amounts by unit summed into the six kinds, in their order."""
    found = dict.fromkeys(KINDS, Decimal(0))
    for key, amount in amounts.items():
        found[kind_of(key)] += amount
    return found
