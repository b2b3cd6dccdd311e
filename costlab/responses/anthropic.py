"""What is particular to Anthropic's messages: two usage blocks a stream, and several inferences inside one call.

Sources: platform.claude.com/docs/en/build-with-claude/streaming and .../compaction, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Mapping

from costlab.responses.paths import as_list, as_object, as_word
from costlab.responses.wires import extract
from costlab.runs import Part
from costlab.usage import Counts, Number, UsageWarning, add, complete

_TOKENS = ("input_tokens", "output_tokens")
_ON_TOP = ("compaction", "advisor_message")  # iterations that the top-level fields leave out


def merge_stream(start: Mapping[str, object], last: Mapping[str, object]) -> dict[str, object]:
    """Return one block of a stream's first usage and its last: deltas are cumulative, so the last one counts.

    What the last leaves out (the lifetimes of cache writes, the tier) is taken from the first.
    """
    merged = {**start, **{k: v for k, v in last.items() if v is not None}}
    if last.get("cache_creation") is None and not _split_fits(merged):
        merged.pop("cache_creation", None)
    return merged


def _split_fits(usage: Mapping[str, object]) -> bool:
    """Return whether the lifetimes, carried over from the stream's start, still fit into the writes of its end."""
    split = as_object(usage.get("cache_creation"), "usage.cache_creation") or {}
    parts = [v for v in split.values() if isinstance(v, int | float)]
    written = usage.get("cache_creation_input_tokens")
    return not isinstance(written, int | float) or sum(parts) <= written


def iteration_parts(
    usage: Mapping[str, object], whole: dict[str, Number], provider: str, model: str | None, tier: str | None
) -> tuple[dict[str, Number], tuple[Part, ...], list[UsageWarning]]:
    """Return the call's counts with all iterations, one part an inference, and warnings.

    The top-level fields hold the sum of the message iterations; compactions and an advisor's turns are billed on top.
    One part an inference, because each has its own model (a fallback too) and its own context tier.
    """
    items = as_list(usage.get("iterations"), "usage.iterations")
    blocks = [b for i, item in enumerate(items) if (b := as_object(item, f"usage.iterations[{i}]"))]
    if len(blocks) < 2 and not any(b.get("model") for b in blocks):
        return whole, (), []
    main, parts = [], []
    for block in blocks:
        name = as_word(block.get("model")) or model or ""
        counts, _ = complete(extract(block, "anthropic"))
        main.append(block.get("type") not in _ON_TOP)
        parts.append(Part(provider, name, counts, tier))
    warnings, rest = _left_over(whole, add(p.counts for p, plain in zip(parts, main, strict=True) if plain))
    parts = _with_rest(parts, main, rest, Part(provider, model or "", {}, tier))
    return add(p.counts for p in parts), tuple(parts), warnings


def _left_over(whole: Counts, messages: Counts) -> tuple[list[UsageWarning], dict[str, Number]]:
    """Return what the top level states beyond its message iterations, and a warning where tokens differ."""
    warnings = []
    for unit in _TOKENS:
        stated, summed = whole.get(unit, 0), messages.get(unit, 0)
        if stated != summed and stated:
            detail = f"the top level states {stated}, its message iterations sum to {summed}"
            warnings.append(UsageWarning("iterations_differ", unit, detail))
    rest = {u: n - messages.get(u, 0) for u, n in whole.items() if n > messages.get(u, 0)}
    return warnings, rest


def _with_rest(parts: list[Part], main: list[bool], rest: dict[str, Number], empty: Part) -> list[Part]:
    """Lay what no iteration states on the main model's own: reasoning as far as each one's output holds it."""
    reasoning = rest.pop("output_reasoning_tokens", 0)
    placed = []
    for part, plain in zip(parts, main, strict=True):
        counts = dict(part.counts)
        taken = min(reasoning, counts.get("output_tokens", 0)) if plain else 0
        if taken:
            counts["output_reasoning_tokens"] = taken
            reasoning -= taken
        if plain and rest and "output_tokens" not in rest and "input_tokens" not in rest:
            counts, rest = add([counts, rest]), {}
        placed.append(Part(part.provider, part.model, counts, part.service_tier))
    if rest:
        placed.append(Part(empty.provider, empty.model, complete(rest)[0], empty.service_tier))
    return placed
