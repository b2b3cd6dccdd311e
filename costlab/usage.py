"""Billable units and counts: what is inclusive, what is disjoint, and what cannot be.

A count is **inclusive** (`input_tokens` contains cached, image, audio ... tokens; `output_tokens` contains
reasoning), as in OpenTelemetry GenAI and genai-prices. `leaves()` makes counts **disjoint**: every token in exactly
one leaf. Units are data: a key, how many the price is quoted for (`per`) and dimensions; containment of dimensions
says which unit is part of which. The unit list is genai-prices' own, plus `OWN_UNITS` for what it lacks.

Parts are compared only within one dimension (DESIGN.md section 4, "Conventions"): cache read + cache write + tool,
5 minutes + 1 hour within cache write, text + image + audio + video, reasoning + citation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache

from costlab.errors import BadInput, UnknownUnit

Number = int | Decimal
Counts = Mapping[str, Number]

MODALITIES = ("text", "image", "audio", "video")
INPUT_TYPES = ("cache_read", "cache_write", "tool")
OUTPUT_TYPES = ("reasoning", "citation")
TTLS = ("5m", "1h")
_LARGEST = 10**15  # a count past this is a broken field, not a bill

# What genai-prices has no unit for, in its style: (per, dimensions). Sources of their prices: litellm's map.
OWN_UNITS: dict[str, tuple[int, dict[str, str]]] = {
    "input_images": (1, {"family": "images", "direction": "input"}),
    "output_images": (1, {"family": "images", "direction": "output"}),
    "output_pixels": (1_000_000_000, {"family": "pixels", "direction": "output"}),
    "output_characters": (1_000_000, {"family": "characters", "direction": "output"}),
    "input_video_seconds": (1, {"family": "durations", "direction": "input", "modality": "video"}),
    "output_video_seconds": (1, {"family": "durations", "direction": "output", "modality": "video"}),
    "compute_seconds": (1, {"family": "durations", "resource": "compute"}),
    "session_seconds": (3_600, {"family": "durations", "resource": "session"}),
    "map_searches": (1_000, {"family": "tool_calls", "tool_type": "map_search"}),
    "url_fetches": (1_000, {"family": "tool_calls", "tool_type": "url_fetch"}),
    "document_searches": (1_000, {"family": "tool_calls", "tool_type": "document_search"}),
    "social_posts": (1_000, {"family": "tool_calls", "tool_type": "social_post"}),
    "social_profiles": (1_000, {"family": "tool_calls", "tool_type": "social_profile"}),
    "input_queries": (1_000, {"family": "queries", "direction": "input"}),
    "classifications": (1_000, {"family": "classifications"}),
}


@dataclass(frozen=True, slots=True)
class Unit:
    """One billable unit: its price is quoted for `per` of them; `dimensions` as sorted pairs."""

    key: str
    per: int
    dimensions: frozenset[tuple[str, str]]

    @property
    def family(self) -> str:
        """Return the kind of thing counted: tokens, images, durations, tool_calls, requests, ..."""
        return dict(self.dimensions)["family"]

    @property
    def direction(self) -> str | None:
        """Return 'input', 'output' or None for units without a side."""
        return dict(self.dimensions).get("direction")

    def contains(self, other: Unit) -> bool:
        """Return whether every `other` is also counted in this unit (proper ancestor)."""
        return self.dimensions < other.dimensions


@dataclass(frozen=True, slots=True)
class UsageWarning:
    """Something about counts that a reader must know: a stable `code`, the field concerned, both figures in words."""

    code: str
    field: str
    detail: str


@cache
def units() -> Mapping[str, Unit]:
    """Return all known units by key, genai-prices' first."""
    from genai_prices.data_units import unit_data

    theirs = {k: Unit(k, int(u["per"]), frozenset(u["dimensions"].items())) for k, u in unit_data.items()}
    ours = {k: Unit(k, per, frozenset(d.items())) for k, (per, d) in OWN_UNITS.items() if k not in theirs}
    return {**theirs, **ours}


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


def complete(counts: Counts) -> tuple[dict[str, Number], tuple[UsageWarning, ...]]:
    """Return counts whose totals hold their parts: a short total is raised to the largest sum of its parts.

    A missing total is that sum, silently; a total that is there and too small is raised with the warning
    `parts_exceed_total`, which names both figures. Nothing is clamped, refused or made negative.
    """
    full, warnings = dict(counts), []
    writes = sum(full.get(_key("input", None, "cache_write", ttl), 0) for ttl in TTLS)
    warnings += _raise(full, "cache_write_tokens", writes)
    for modality in MODALITIES:  # joint cells first: cached audio is part of audio and of cache reads
        within = sum(full.get(_key("input", modality, "cache_write", ttl), 0) for ttl in TTLS)
        warnings += _raise(full, _key("input", modality, "cache_write", None), within)
    for direction in ("input", "output"):
        for kind in _kinds(direction):
            joint = sum(full.get(_key(direction, m, kind, None), 0) for m in MODALITIES)
            warnings += _raise(full, _key(direction, None, kind, None), joint)
        for modality in MODALITIES:
            joint = sum(full.get(_key(direction, modality, kind, None), 0) for kind in _kinds(direction))
            warnings += _raise(full, _key(direction, modality, None, None), joint)
        by_kind = sum(full.get(_key(direction, None, kind, None), 0) for kind in _kinds(direction))
        by_modality = sum(full.get(_key(direction, m, None, None), 0) for m in MODALITIES)
        warnings += _raise(full, f"{direction}_tokens", max(by_kind, by_modality))
    return full, tuple(warnings)


def _raise(counts: dict[str, Number], key: str, least: Number) -> list[UsageWarning]:
    have = counts.get(key)
    if not least or (have is not None and have >= least):
        return []
    counts[key] = least
    if have is None:
        return []
    return [UsageWarning("parts_exceed_total", key, f"{key} was {have}, its parts sum to {least}")]


def leaves(counts: Counts) -> tuple[dict[str, Number], tuple[UsageWarning, ...]]:
    """Return disjoint leaves of complete, inclusive counts: their token sums equal the inclusive totals.

    Where an overlap (cached audio) was reported it is used; else tokens of a kind (cached, tool, reasoning) are
    taken from text first, with the warning `joint_unknown` if other modalities were in the call.
    """
    full, warnings = complete(counts)
    found: dict[str, Number] = {}
    notes = list(warnings)
    for direction in ("input", "output"):
        side, said = _side_leaves(full, direction)
        found |= side
        notes += said
    found |= _other_leaves(full)
    return {k: v for k, v in found.items() if v}, tuple(notes)


def _side_leaves(full: dict[str, Number], direction: str) -> tuple[dict[str, Number], list[UsageWarning]]:
    total = full.get(f"{direction}_tokens", 0)
    room = {m: full.get(_key(direction, m, None, None), 0) for m in MODALITIES}
    unsaid = total - sum(room.values())  # tokens of no stated modality: text, as far as anyone can tell
    cells: dict[tuple[str | None, str | None], Number] = {}
    notes: list[UsageWarning] = []
    rest: dict[str, Number] = {}
    for kind in _kinds(direction):  # stated overlaps first, so that they are never taken by another kind
        want = full.get(_key(direction, None, kind, None), 0)
        for modality in MODALITIES:
            stated = min(full.get(_key(direction, modality, kind, None), 0), want)
            if stated:
                cells[modality, kind] = stated
                room[modality] -= stated
                want -= stated
        rest[kind] = want
    media = any(room[m] for m in MODALITIES if m != "text")
    for kind, want in rest.items():
        if want and media:
            notes.append(
                UsageWarning("joint_unknown", _key(direction, None, kind, None), f"{want} taken from text first")
            )
        for place in (None, "text", "image", "audio", "video"):
            have = unsaid if place is None else room[place]
            taken = min(want, have)
            if taken <= 0:
                continue
            cells[place, kind] = cells.get((place, kind), 0) + taken
            want -= taken
            if place is None:
                unsaid -= taken
            else:
                room[place] -= taken
    found = {f"{direction}_tokens": unsaid, **{_key(direction, m, None, None): n for m, n in room.items()}}
    for (place, part_of), n in cells.items():
        for key, part in _by_ttl(full, direction, place, part_of, n):
            found[key] = found.get(key, 0) + part
    return found, notes


def _by_ttl(
    full: dict[str, Number], direction: str, modality: str | None, kind: str | None, n: Number
) -> list[tuple[str, Number]]:
    """Split cache writes of one modality by lifetime, as far as lifetimes were stated; the rest has none."""
    if kind != "cache_write":
        return [(_key(direction, modality, kind, None), n)]
    parts: list[tuple[str, Number]] = []
    for ttl in TTLS:
        own = full.get(_key("input", modality, kind, ttl), 0) if modality else 0
        pool = "_left_" + ttl
        left = full.setdefault(pool, full.get(_key("input", None, kind, ttl), 0))
        taken = min(n, max(own, left))
        if taken:
            parts.append((_key("input", modality, kind, ttl), taken))
            full[pool] = max(left - taken, 0)
            n -= taken
    return [*parts, (_key(direction, modality, kind, None), n)] if n else parts


def _other_leaves(full: dict[str, Number]) -> dict[str, Number]:
    """Disjoint leaves of units that are not tokens: a wider unit holds what its narrower ones did not count."""
    keys = [k for k in full if not k.startswith("_") and unit(k).family != "tokens"]
    found: dict[str, Number] = {}
    for key in sorted(keys, key=lambda k: -len(unit(k).dimensions)):
        inner = sum(v for k, v in found.items() if unit(key).contains(unit(k)))
        found[key] = max(full[key] - inner, 0)
    return found
