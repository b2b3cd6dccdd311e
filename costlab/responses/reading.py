"""Read one provider's usage block into inclusive counts, with everything else that the block says about its bill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from costlab.errors import BadInput
from costlab.responses import anthropic, items, paths
from costlab.responses.convention import check_total, settle
from costlab.responses.wires import GOOGLE_PYTHON, detect_api, extract, present, wires
from costlab.runs import Part
from costlab.usage import Number, UsageWarning, complete

_CORE = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "output_reasoning_tokens")
_TICKS = Decimal(10) ** -10  # xAI: 1 tick = 1e-10 USD
_NANO_CREDITS = Decimal(10) ** -11  # Copilot: 1 credit = 1e9 nano = 0.01 USD
_TRAFFIC = {1: "on_demand", 2: "provisioned_throughput"}  # google.cloud.aiplatform UsageMetadata.TrafficType


@dataclass(frozen=True, slots=True)
class Reading:
    """What a response says about its bill: inclusive `counts` (all parts summed) and the conditions of its rates.

    `service_tier` is the served tier as said. `when` has the conditions that usage states (speed, region,
    search_context_size, ...). `parts` are several inferences billed inside one call. `stated_usd` is the provider's
    own figure in USD, kept apart. `bounds` are (reason, unit) why its money is a lower bound.
    """

    counts: Mapping[str, Number]
    usage_basis: str = "measured"
    service_tier: str | None = None
    when: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    stated_usd: Decimal | None = None
    model: str | None = None
    provider: str | None = None
    bounds: tuple[tuple[str, str], ...] = ()
    warnings: tuple[UsageWarning, ...] = ()
    api: str = "unknown"


def read_usage(  # noqa: PLR0913 - one keyword for each field that may stand beside a usage block
    usage: object,
    *,
    provider: str | None,
    model: str | None,
    api: str | None = None,
    usage_message_start: object = None,
    billable_items: object = None,
    upstream_provider: str | None = None,
    request: object = None,
    context_tokens: int | None = None,
) -> Reading:
    """Return the reading of one raw usage block; raises BadInput naming the field for wrong types and bad counts.

    `usage_message_start`: first event's usage of an Anthropic stream. `billable_items`: server tools outside usage.
    `upstream_provider`: who served it behind a router. `context_tokens`: the model's window, for `exceeds_context`.
    """
    block = dict(paths.as_object(usage, "usage") or {})
    start = paths.as_object(usage_message_start, "usage_message_start")
    unfinished = start is not None and block.get("output_tokens") is None
    if start is not None:
        block = anthropic.merge_stream(start, block)
    block = _one_spelling(block)
    who = (provider or "").lower()
    name = detect_api(block, provider, api)
    counts, warnings = _token_counts(block, name, (upstream_provider or who).lower(), model)
    tools = items.request_tools(request)
    beside = items.Beside({k: v for k, v in counts.items() if k not in _CORE}, set(counts))
    items.add_usage_tools(beside, block, who, tools)
    items.add_items(beside, billable_items, who, model, tools)
    searches = items.add_search_model(beside, name, who, model)
    counts |= beside.counts
    tier = served_tier(block)
    parts: tuple[Part, ...] = ()
    if name == "anthropic":
        counts, parts, more = anthropic.iteration_parts(block, counts, provider or "", model, tier)
        warnings += more
    if unfinished and block.get("output_tokens") is not None:
        beside.bounds.append(("placeholder_output", "output_tokens"))
    if name == "unknown":
        beside.bound("input_tokens")
        beside.bound("output_tokens")
    counts = {k: v for k, v in counts.items() if v or k in _CORE}
    warnings += beside.warnings + _window(counts, parts, context_tokens)
    default_size = "low" if name == "perplexity" and "output_tokens" in counts else "medium" if searches else None
    when, more = conditions(block, request, default_size)
    warnings += _own_key(block)
    return Reading(
        counts=counts,
        usage_basis=_basis(block, counts),
        service_tier=tier,
        when=when,
        parts=parts,
        stated_usd=stated_cost(block),
        model=model,
        provider=provider,
        bounds=tuple(beside.bounds),
        warnings=(*warnings, *more),
        api=name,
    )


def _token_counts(
    block: Mapping[str, object], api: str, provider: str, model: str | None
) -> tuple[dict[str, Number], list[UsageWarning]]:
    """Extract, make inclusive by the API's convention, raise totals to their parts, and compare with what is stated."""
    if api == "unknown":
        named = ", ".join(sorted(block))[:200]
        return {}, [UsageWarning("usage_not_recognised", "usage", named or "empty")] if block else []
    wire = wires()[api]
    stated = paths.total(block, wire.stated_total) if wire.stated_total else None
    counts, warnings = settle(extract(block, api), wire, stated, provider, model)
    full, raised = complete(counts)
    warnings += raised
    if api not in ("perplexity", "total-only"):
        warnings += check_total(full, stated)
    if api == "openai-images" and not full.get("output_text_tokens") and not full.get("output_image_tokens"):
        full["output_image_tokens"] = full.get("output_tokens", 0)
    return full, warnings


def _one_spelling(block: Mapping[str, object]) -> dict[str, object]:
    """Return a block with Google's Python spelling as on the wire, and Bedrock's header counts (text) as numbers."""
    if not present(block).isdisjoint(GOOGLE_PYTHON):
        return {_camel(k): [_camel_item(i) for i in v] if isinstance(v, list) else v for k, v in block.items()}
    return {
        k: int(v) if k.startswith("x-amzn-bedrock") and isinstance(v, str) and v.isdecimal() and len(v) < 20 else v
        for k, v in block.items()
    }


def _camel(key: str) -> str:
    head, *rest = key.split("_")
    return head + "".join(w.capitalize() for w in rest)


def _camel_item(item: object) -> object:
    return {_camel(k): v for k, v in item.items()} if isinstance(item, Mapping) else item


def _own_key(block: Mapping[str, object]) -> list[UsageWarning]:
    """Say that a router's cost is not the whole bill where the vendor bills the user's own key."""
    if block.get("is_byok") is not True:
        return []
    details = block.get("cost_details")
    vendor = details.get("upstream_inference_cost") if isinstance(details, Mapping) else None
    return [UsageWarning("byok", "cost", f"the router charges {block.get('cost')}, the vendor bills {vendor} apart")]


def _basis(block: Mapping[str, object], counts: Mapping[str, Number]) -> str:
    if not counts:
        return "unknown"
    return "estimated" if block.get("estimated") is True else "measured"


def _window(counts: Mapping[str, Number], parts: tuple[Part, ...], window: int | None) -> list[UsageWarning]:
    """Name an input that no single request to the model can have: a sum over chunks or steps, or a wrong convention."""
    if window is None:
        return []
    largest = max([p.counts.get("input_tokens", 0) for p in parts] or [counts.get("input_tokens", 0)])
    if largest <= window:
        return []
    return [UsageWarning("exceeds_context", "input_tokens", f"{largest} is more than the window of {window}")]


def served_tier(usage: Mapping[str, object]) -> str | None:
    """Return the served tier as usage says it (service_tier, serviceTier, trafficType), or None."""
    for key in ("service_tier", "serviceTier"):
        value = usage.get(key)
        if isinstance(value, Mapping):  # Bedrock: {"type": "priority"}
            value = value.get("type")
        if isinstance(value, str) and value:
            return value
    traffic = usage.get("trafficType", usage.get("traffic_type"))
    word = _TRAFFIC.get(traffic) if isinstance(traffic, int) else traffic
    if not isinstance(word, str):
        return None
    # ON_DEMAND_PRIORITY and ON_DEMAND_FLEX name the tier behind the way it is bought.
    return word.lower().removeprefix("on_demand_")


def conditions(
    usage: Mapping[str, object], request: object, default_size: str | None = None
) -> tuple[dict[str, str], list[UsageWarning]]:
    """Return the conditions of rates that usage (and the request) state, by the `when` column's keys, and notes."""
    when: dict[str, str] = {}
    notes: list[UsageWarning] = []
    speed = paths.as_word(usage.get("speed"))
    if speed and speed != "standard":
        when["speed"] = speed
    region = paths.as_word(usage.get("inference_geo"))
    if region and region not in ("global", "not_available"):
        when["region"] = region
    asked = request.get("web_search_options") if isinstance(request, Mapping) else None
    size = paths.as_word(usage.get("search_context_size"))
    if size is None and isinstance(asked, Mapping):
        size = paths.as_word(asked.get("search_context_size"))
    if size is None and default_size:
        size = default_size  # as the vendor documents it
        notes.append(UsageWarning("assumed_condition", "search_context_size", f"not stated: {size}, the default"))
    if size:
        when["search_context_size"] = size
    if any(t.startswith("web_search_preview") for t in items.request_tools(request)):
        when["search_type"] = "web_search_preview"
    return when, notes


def stated_cost(usage: Mapping[str, object]) -> Decimal | None:
    """Return the provider's own cost in USD (OpenRouter, Perplexity, xAI, Copilot), or None; raises BadInput."""
    cost = usage.get("cost")
    if isinstance(cost, Mapping):
        return _money(cost.get("total_cost"), "usage.cost.total_cost")
    if cost is not None:
        return _money(cost, "usage.cost")
    ticks = _money(usage.get("cost_in_usd_ticks"), "usage.cost_in_usd_ticks")
    if ticks is not None:
        return ticks * _TICKS
    copilot = usage.get("copilot_usage")
    nano = copilot.get("total_nano_aiu") if isinstance(copilot, Mapping) else None
    credits = _money(nano, "copilot_usage.total_nano_aiu")
    return None if credits is None else credits * _NANO_CREDITS


def _money(value: object, place: str) -> Decimal | None:
    """Return an amount; text is allowed, because 64-bit numbers are text in protobuf's JSON."""
    if value is None:
        return None
    try:
        amount = Decimal(str(value)) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except InvalidOperation:
        amount = None
    if amount is None or not amount.is_finite() or amount < 0:
        raise BadInput(f"must be an amount of money, not {value!r}"[:200], field=place)
    return amount
