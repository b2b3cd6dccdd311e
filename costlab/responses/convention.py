"""From what a block states to inclusive counts: who owns the reasoning and the cached tokens.

The provider decides, and the stated total proves it where there is one: a total equal to input + output has both
parts inside, a total equal to input + output + part has that part beside.
"""

from __future__ import annotations

from costlab.responses.wires import Wire
from costlab.usage import Number, UsageWarning

_GOOGLE = ("google", "google-vertex", "gemini", "vertex_ai", "vertex")


def settle(
    counts: dict[str, Number], wire: Wire, stated: Number | None, provider: str, model: str | None
) -> tuple[dict[str, Number], list[UsageWarning]]:
    """Return counts whose totals hold their parts by the API's own convention, and what had to be repaired."""
    settled = dict(counts)
    warnings: list[UsageWarning] = []
    if wire.api == "anthropic":
        return settled, warnings
    if wire.reasoning == "beside":
        _add(settled, "output_tokens", settled.get("output_reasoning_tokens", 0))
        _add(settled, "output_tokens", settled.get("output_citation_tokens", 0))
        return settled, warnings
    if wire.api == "xai-grpc":
        _text_only(settled)
    if wire.api == "bedrock-converse":
        return settled, _inclusive_bedrock(settled, stated)
    plain = settled.get("input_tokens", 0) + settled.get("output_tokens", 0)
    reasoning = settled.get("output_reasoning_tokens", 0)
    if wire.reasoning == "total" and stated != plain:
        _add(settled, "output_tokens", reasoning)
    elif reasoning and stated == plain + reasoning and wire.api in ("openai-chat", "openai-responses"):
        _add(settled, "output_tokens", reasoning)
        warnings.append(_repaired("output_tokens", f"reasoning {reasoning} is beside: the stated total is {stated}"))
    if wire.api in ("openai-chat", "openai-responses") and stated is not None:
        warnings += _by_total(settled, stated, provider, model)
    return settled, warnings


def _text_only(counts: dict[str, Number]) -> None:
    """Say that gRPC's cached tokens are text, as their name does, unless they exceed the text that there was."""
    cached = counts.get("cache_read_tokens", 0)
    if cached and cached <= counts.get("input_text_tokens", 0):
        counts["cache_text_read_tokens"] = cached


def _by_total(counts: dict[str, Number], stated: Number, provider: str, model: str | None) -> list[UsageWarning]:
    """Mend OpenAI-shaped counts that the stated total shows to be another vendor's."""
    spare = stated - counts.get("input_tokens", 0) - counts.get("output_tokens", 0)
    if spare <= 0:
        return []
    cached = counts.get("cache_read_tokens", 0)
    written = counts.get("cache_write_tokens", 0)
    for beside in (cached + written, cached, written):
        if beside and spare == beside:
            _add(counts, "input_tokens", beside)
            return [_repaired("input_tokens", f"{beside} cached tokens are beside: the stated total is {stated}")]
    if provider in _GOOGLE or (model or "").lower().split("/")[-1].startswith("gemini"):
        # Google's OpenAI endpoint leaves thinking out of completion_tokens and counts it in the total.
        _add(counts, "output_tokens", spare)
        return [_repaired("output_tokens", f"{spare} tokens of the stated total {stated} are neither input nor answer")]
    return []


def _inclusive_bedrock(counts: dict[str, Number], stated: Number | None) -> list[UsageWarning]:
    """Undo the addition of cached tokens where the stated total shows that inputTokens already held them."""
    beside = counts.get("cache_read_tokens", 0) + counts.get("cache_write_tokens", 0)
    whole = counts.get("input_tokens", 0)
    if not beside or stated is None or stated != whole - beside + counts.get("output_tokens", 0):
        return []
    if whole - beside < beside:  # the total leaves cached tokens out, but they cannot be inside either
        return []
    counts["input_tokens"] = whole - beside
    return [_repaired("input_tokens", f"{beside} cached tokens are inside: the stated total is {stated}")]


def check_total(counts: dict[str, Number], stated: Number | None) -> list[UsageWarning]:
    """Name a stated total that differs from our input + output."""
    ours = counts.get("input_tokens", 0) + counts.get("output_tokens", 0)
    if stated is None or stated == ours:
        return []
    return [UsageWarning("total_differs", "total_tokens", f"stated {stated}, input and output sum to {ours}")]


def _add(counts: dict[str, Number], unit: str, more: Number) -> None:
    if more:
        counts[unit] = counts.get(unit, 0) + more


def _repaired(field: str, detail: str) -> UsageWarning:
    return UsageWarning("convention_repaired", field, detail)
