"""Token figures as tracing tools name them (`input_cache_read`, `prompt_details.cache_read`) become inclusive counts.

Two conventions are in use. **Disjoint**: each key is a bucket of its own and the total is their sum (Langfuse's
contract). **Inclusive**: `prompt` holds its `prompt_details` (OpenInference, OTel GenAI). Exporters mix them up, so
the stated total decides where it can; a part that is larger than what should hold it is beside it whatever was meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product

from costlab.usage import Number, UsageWarning, complete

DISJOINT, INCLUSIVE = "disjoint", "inclusive"
_SIDES = ("input", "output")
_OUTPUT = re.compile(r"output|completion|candidates|response|reasoning|thought|thinking|generated|citation")
_INPUT = re.compile(r"input|prompt|cache|tool_use")
_READ = re.compile(r"cache_?read|cached|cache_hit|cache_input|read_cache|from_cache")
_WRITE = re.compile(r"cache_?(creation|write|written|create|store)|(creation|write)_?cache")
_PLAIN = re.compile(r"(total_)?(input|output|prompt|completion|candidates|response|generated)(_tokens?)?(_counts?)?")
_TOTAL = re.compile(r"total(_tokens?)?(_counts?)?|(tokens?_)?total")
_SAID_INSIDE = re.compile(r"prediction|no_cache|uncached|non_cache|billable")  # of a whole that is stated anyway
_TOKENLESS = {"web_search": "web_searches", "web_searches": "web_searches", "requests": "requests"}


def snake(key: str) -> str:
    """Return a key in one spelling: camelCase, dots and dashes become words joined by underscores."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key)
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")


def unit_of(key: str) -> str:
    """Return the unit that a bucket's name means: a unit key, 'input'/'output' (a side's own figure), 'total' or ''.

    '' is a key that says nothing of its own: part of a figure that is stated anyway, or not a count of tokens.
    """
    name = snake(key)
    if _TOTAL.fullmatch(name):
        return "total"
    if (search := re.search(r"web_search(es|_requests|_calls)?$", name)) and not search.group().endswith("tokens"):
        return "web_searches"
    side = "output" if _OUTPUT.search(name) and not _READ.search(name) and not _WRITE.search(name) else ""
    side = side or ("input" if _INPUT.search(name) else "")
    if not side or _SAID_INSIDE.search(name):
        return ""
    if _PLAIN.fullmatch(name):
        return "input" if re.search(r"input|prompt", name) else "output"
    if _WRITE.search(name):
        return next((f"cache_write_{ttl}_tokens" for ttl in ("5m", "1h") if f"_{ttl}" in name), "cache_write_tokens")
    if _READ.search(name):
        return "cache_read_tokens"
    return _part(name, side)


def _part(name: str, side: str) -> str:
    if side == "output" and re.search(r"reasoning|thought|thinking", name):
        return "output_reasoning_tokens"
    if side == "output" and "citation" in name:
        return "output_citation_tokens"
    if side == "input" and "tool" in name:
        return "input_tool_tokens"
    modality = next((m for m in ("audio", "image", "video", "text") if m in name), "")
    return f"{side}_{modality}_tokens" if modality else ""


def _side(unit: str) -> str:
    return "output" if unit.startswith("output") else "input"


def counts_of(stated: Mapping[str, Number], convention: str) -> tuple[dict[str, Number], tuple[UsageWarning, ...]]:
    """Return inclusive counts of named figures, and warnings; `convention` is what the format promises.

    Several spellings of one unit are one figure (exporters write both): the largest counts.
    """
    found: dict[str, Number] = {}
    warnings: list[UsageWarning] = []
    for key, value in stated.items():
        unit = unit_of(key)
        if unit:
            found[unit] = max(found.get(unit, 0), value)
        elif value and not _SAID_INSIDE.search(snake(key)):
            warnings.append(UsageWarning("usage_not_recognised", key, f"{value} not counted"))
    total = found.pop("total", None)
    others = {unit: found.pop(unit) for unit in ("web_searches",) if unit in found}
    counts, more = _settled(found, total, convention)
    full, raised = complete(counts | others)
    return {k: v for k, v in full.items() if v or k in ("input_tokens", "output_tokens")}, (*warnings, *more, *raised)


def _settled(
    found: dict[str, Number], total: Number | None, convention: str
) -> tuple[dict[str, Number], list[UsageWarning]]:
    plain = {side: found.pop(side, None) for side in _SIDES}
    ttl = found.get("cache_write_5m_tokens", 0) + found.get("cache_write_1h_tokens", 0)
    if ttl or "cache_write_tokens" in found:
        found["cache_write_tokens"] = max(found.get("cache_write_tokens", 0), ttl)
    beside = {side: sum(v for u, v in found.items() if _side(u) == side and not _within(u)) for side in _SIDES}
    meant = dict.fromkeys(_SIDES, convention)
    settled, warnings = _by_total(plain, beside, total, meant)
    counts = dict(found)
    for side in _SIDES:
        own, parts = plain[side], beside[side]
        way = settled[side]
        if way == INCLUSIVE and own is not None and own < _largest(found, side):
            way = DISJOINT
            text = f"its parts sum to more than {own}: they are beside it"
            warnings.append(UsageWarning("convention_repaired", f"{side}_tokens", text))
        if own is not None or (parts and way == DISJOINT):
            counts[f"{side}_tokens"] = (own or 0) + (parts if way == DISJOINT else 0)
    if total is not None and plain == {"input": None, "output": None} and not any(beside.values()):
        counts["input_tokens"] = total  # only a total: input and output cannot be told apart
        warnings.append(UsageWarning("total_only", "input_tokens", f"{total} tokens, not split into input and output"))
    return counts, warnings


def _within(unit: str) -> bool:
    """Lifetimes of cache writes are inside the writes."""
    return unit in ("cache_write_5m_tokens", "cache_write_1h_tokens")


def _largest(found: Mapping[str, Number], side: str) -> Number:
    """The largest sum of parts of one dimension: what a whole must at least hold."""
    if side == "output":
        kinds = [found.get("output_reasoning_tokens", 0) + found.get("output_citation_tokens", 0)]
    else:
        kinds = [sum(found.get(k, 0) for k in ("cache_read_tokens", "cache_write_tokens", "input_tool_tokens"))]
    return max(*kinds, sum(found.get(f"{side}_{m}_tokens", 0) for m in ("text", "audio", "image", "video")))


def _by_total(
    plain: Mapping[str, Number | None], beside: Mapping[str, Number], total: Number | None, meant: dict[str, str]
) -> tuple[dict[str, str], list[UsageWarning]]:
    """Let the stated total say which side holds its parts; where it fits what the format means, nothing changes."""
    if not total or not any(beside.values()):
        return meant, []

    def whole(ways: Mapping[str, str]) -> Number:
        return sum((plain[s] or 0) + (beside[s] if ways[s] == DISJOINT else 0) for s in _SIDES)

    if whole(meant) == total:
        return meant, []
    for pair in product((meant["input"], DISJOINT, INCLUSIVE), (meant["output"], DISJOINT, INCLUSIVE)):
        ways = dict(zip(_SIDES, pair, strict=True))
        if whole(ways) == total:
            changed = ", ".join(f"{s} {ways[s]}" for s in _SIDES if ways[s] != meant[s] and beside[s])
            return ways, [UsageWarning("convention_repaired", "total", f"the stated total {total} shows: {changed}")]
    return meant, [UsageWarning("total_differs", "total", f"stated {total}, the parts sum to {whole(meant)}")]
