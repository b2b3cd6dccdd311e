"""Proof that every number of litellm's map is read as a price, or is left out for a stated reason.

What is neither is `unknown`: a field that litellm has added since. `prices check` fails on it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from costlab.catalog.litellm_map import (
    MULTIPLES,
    NOT_MAPPED,
    NOT_PRICES,
    STRUCTURED,
    echoes,
    multiples,
    parse_field,
    priced,
    prices,
    read_prices,
)
from costlab.catalog.litellm_names import identity, provider_of

MAPPED, NOT, NO_PRICE, UNKNOWN = "mapped", "not mapped", "not a price", "unknown"
BY_RESULTS = "by number of results"
Path = tuple[str, ...]
RESERVED = "reserved capacity: billed by time bought, not by call"
OTHER_SIDE = "0 on the other side of a price by second or pixel"
ECHO = "the price of its side in other words: priced as that, with its tiers, conditions and dates"
NO_UNIT = "prices nothing that this kind of model counts"


@dataclass(frozen=True, slots=True)
class FieldUse:
    """What becomes of one field: its `fate`, and units or a reason in `says`.

    `models` counts the entries that have it, `left_out` those of them whose value makes no rate, by reason.
    """

    field: str
    fate: str
    says: str
    models: int
    example: str
    left_out: Mapping[str, int]


@dataclass(slots=True)
class _Seen:
    """What was seen of a field so far; lives for one proof only."""

    fate: str
    example: str
    says: set[str] = field(default_factory=set)
    models: int = 0
    left_out: dict[str, int] = field(default_factory=dict)


def proof(entries: Mapping[str, Mapping[str, object]]) -> tuple[FieldUse, ...]:
    """Return what becomes of every field of the map that holds a number, sorted by fate and name."""
    seen: dict[Path, _Seen] = {}
    for model, entry in entries.items():
        owner = str(entry.get("litellm_provider") or "")
        reserved = identity(model, owner) is None
        silent = echoes(read_prices(entry, provider_of(owner)))
        here: set[Path] = set()
        for path, value in _numbers(entry):
            fate, says, why = _fate(path, value, entry)
            one = seen.setdefault(path, _Seen(fate, model))
            one.says.add(says)
            why = ECHO if fate == MAPPED and says in silent else why
            if path not in here:
                here.add(path)
                one.models += 1
                why = RESERVED if reserved and fate == MAPPED else why
                if why:
                    one.left_out[why] = one.left_out.get(why, 0) + 1
    order = (UNKNOWN, NOT, MAPPED, NO_PRICE)
    found = [
        FieldUse(": ".join(path), one.fate, ", ".join(sorted(filter(None, one.says))), one.models, one.example,
                 one.left_out)
        for path, one in seen.items()
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda use: (order.index(use.fate), use.field)))


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        try:
            return math.isfinite(float(value))
        except ValueError:
            return False
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbers(entry: Mapping[str, object]) -> Iterator[tuple[Path, object]]:
    """Yield (path of keys, value) of every number in an entry, also of those written as text; places in lists fall."""
    waiting: list[tuple[Path, object]] = [((name,), value) for name, value in entry.items()]
    for path, value in waiting:  # grows while it is walked
        if isinstance(value, Mapping):
            by_results = (BY_RESULTS,) if "max_results_range" in value else ()
            waiting += [((*path, *by_results, str(key)), v) for key, v in value.items()]
        elif isinstance(value, list):
            waiting += [(path, v) for v in value]
        elif _is_number(value):
            yield path, value


def _fate(path: Path, value: object, entry: Mapping[str, object]) -> tuple[str, str, str]:
    """Return (fate, units or reason, why this value makes no rate) of one number."""
    top, name = path[0], path[-1]
    for key in path:
        if key in NOT_PRICES and BY_RESULTS not in path:
            return NO_PRICE, NOT_PRICES[key], ""
    for key in (name, top, *(("max_results_range",) if BY_RESULTS in path else ())):
        if key in NOT_MAPPED:
            return NOT, NOT_MAPPED[key], ""
    said = parse_field(name) if len(path) == 1 or top in STRUCTURED else None
    if said is None and top in STRUCTURED:
        return _structured(top, name, entry)
    if said is None or isinstance(value, str):
        return UNKNOWN, "no rule for it: add it to litellm_map.py", ""
    units = [p.unit for p in priced(said, value, str(entry.get("mode") or ""), entry)]
    if units:
        return MAPPED, units[0], ""
    return MAPPED, "", NO_UNIT if value else OTHER_SIDE


def _structured(top: str, name: str, entry: Mapping[str, object]) -> tuple[str, str, str]:
    """Return the fate of a number in a field that is read as a whole, from what reading it gives."""
    if top == "search_context_cost_per_query":
        units = {p.unit for p in prices(entry, provider_of(str(entry.get("litellm_provider") or "")))}
        return MAPPED, " or ".join(sorted(units & {"web_searches", "requests"})), ""
    if top == "explicit_cache_read_input_token_cost":
        return MAPPED, "cache_read_tokens", ""
    if ("multiplier" in top or name in MULTIPLES) and list(multiples(entry)):
        return MAPPED, "all token units, multiplied", ""
    return UNKNOWN, "no rule for it: add it to litellm_map.py", ""
