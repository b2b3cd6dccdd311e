"""Read a whole response body, or the events of a stream, into a Reading: find usage, model, tier and server tools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from costlab.responses.paths import as_list, as_object, as_word
from costlab.responses.reading import Reading, read_usage, served_tier
from costlab.responses.wires import detect_api
from costlab.runs import Part
from costlab.usage import Number, UsageWarning, add

Json = Mapping[str, object]

# Where a body keeps its usage, nearest first. Each is a path of object keys.
_PLACES: tuple[tuple[str, ...], ...] = (
    ("usage",),
    ("usageMetadata",),
    ("usage_metadata",),  # Google's Python client
    ("usage_info",),  # Mistral OCR
    ("response", "usage"),  # OpenAI: response.completed, response.done
    ("response", "usageMetadata"),
    ("x_groq", "usage"),
    ("message", "usage"),  # Anthropic: message_start
    ("interaction", "usage"),  # Gemini interactions, streamed
    ("metadata", "usage"),  # Bedrock ConverseStream
    ("result", "usage"),  # Cloudflare
    ("delta", "usage"),  # Cohere v2: message-end
    ("response", "meta"),  # Cohere v1: stream-end
    ("meta",),  # Cohere v1, rerank, embed
    ("details",),  # Text Generation Inference
    ("amazon-bedrock-invocationMetrics",),
    ("ResponseMetadata", "HTTPHeaders"),  # boto3: InvokeModel states counts in headers only
)
_FLAT = ("ollama", "llama.cpp", "bedrock-invoke", "tgi", "audio")  # formats without a block of their own
_MODEL_PLACES = (
    ("model",), ("modelVersion",), ("model_version",), ("response", "model"), ("response", "modelVersion"),
    ("message", "model"), ("interaction", "model"), ("result", "model"),
)  # fmt: skip
_TIER_PLACES: tuple[tuple[str, ...], ...] = ((), ("response",), ("interaction",), ("message",))
_NOT_BILLED = ("function_call", "custom_tool_call")
_ENVELOPES = 4


@dataclass(slots=True)
class _Found:
    """What the events of one body say, collected in order: later usage replaces earlier, tools add up."""

    usage: dict[str, object] | None = None
    start: Json | None = None
    model: str | None = None
    tier: str | None = None
    batch: bool = False
    error: bool = False
    optimized: bool = False
    breakdown: object = None
    items: dict[str, Number] = field(default_factory=dict)
    pictures: int = 0
    picture_when: dict[str, str] = field(default_factory=dict)

    def tool(self, name: str, number: int = 1) -> None:
        """Add calls of a server-side tool."""
        self.items[name] = self.items.get(name, 0) + number


def read_response(  # noqa: PLR0913 - one keyword for each field that may stand beside a body
    body: object,
    *,
    provider: str | None = None,
    model: str | None = None,
    api: str | None = None,
    billable_items: object = None,
    upstream_provider: str | None = None,
    request: object = None,
    context_tokens: int | None = None,
) -> Reading:
    """Return the reading of a whole body, a batch line, or a list of a stream's events; raises BadInput.

    The model is the body's own name for it, else `model`. Without any usage the basis is 'unknown' and the bounds
    say `unmetered`, unless the body is an error.
    """
    found = _Found()
    bodies = _whole_responses(body)
    if len(bodies) > 1:
        return _several([read_response(b, provider=provider, model=model, api=api, request=request) for b in bodies])
    for event in bodies or _events(body):
        _collect(found, event)
    name = found.model or model
    asked = {} if billable_items is None else dict(as_object(billable_items, "billable_items") or {})
    reading = read_usage(
        found.usage,
        provider=provider or _provider_of(found),
        model=name,
        api=api,
        usage_message_start=found.start,
        billable_items={**found.items, **asked},
        upstream_provider=upstream_provider,
        request=request,
        context_tokens=context_tokens,
    )
    return _finish(reading, found)


def _finish(reading: Reading, found: _Found) -> Reading:
    """Return a reading of usage with what its body says beside it; most bodies say nothing."""
    tier = reading.service_tier or found.tier
    said = found.batch or found.optimized or found.pictures or found.breakdown is not None or tier
    if not said and (found.usage is not None or found.start is not None):
        return reading
    when, bounds = dict(reading.when), reading.bounds
    counts, parts, warnings = reading.counts, reading.parts, reading.warnings
    if found.batch:
        when["processing"] = "batch"
    if found.optimized:  # Bedrock's latency-optimised inference has a price of its own
        bounds = (*bounds, ("tier_rate_missing", "input_tokens"))
    if found.breakdown is not None:
        parts = tuple(_breakdown(found.breakdown, reading))
        counts, warnings = _with_parts(reading, parts)
    if found.usage is None and found.start is None:
        if found.pictures:
            counts, when, bounds = {**counts, "output_images": found.pictures}, {**when, **found.picture_when}, ()
        elif found.error:
            bounds = ()
        else:
            warnings = (*warnings, UsageWarning("usage_missing", "usage", "the response states no usage"))
    return replace(
        reading,
        counts=counts,
        usage_basis="measured" if found.pictures and counts else reading.usage_basis,
        service_tier=tier,
        when=when,
        parts=parts,
        bounds=bounds,
        warnings=warnings,
    )


def _whole_responses(body: object) -> list[Json]:
    """Return the finished responses of an event list (OpenAI realtime and responses), else nothing."""
    ends = ("response.done", "response.completed", "response.incomplete", "response.failed")
    return [e for e in _events(body) if e.get("type") in ends] if isinstance(body, list) else []


def _events(body: object) -> list[Json]:
    """Return a body as a list of events; raises BadInput for what is neither an object nor a list of objects."""
    if isinstance(body, Mapping):
        return [body]
    events: list[Json] = []
    for i, item in enumerate(as_list(body, "response")):
        if item is None or item == "[DONE]":
            continue
        event = as_object(item, f"response[{i}]")
        inner = event.get("data") if event else None
        if event and isinstance(inner, Mapping) and "event" in event:  # a server-sent event with its name
            event = inner
        if event:
            events.append(event)
    return events


def _collect(found: _Found, event: Json) -> None:
    event, found.batch = _unwrapped(event, found.batch)
    found.model = _first_word(event, _MODEL_PLACES) or found.model
    for place in _TIER_PLACES:
        holder = _inside(event, place)
        if holder is not None:
            found.tier = served_tier(holder) or found.tier
    found.error = found.error or bool(event.get("error")) or event.get("type") == "error"
    latency = _inside(event, ("performanceConfig",)) or _inside(event, ("metadata", "performanceConfig")) or {}
    found.optimized = found.optimized or latency.get("latency") == "optimized"
    usage = _usage_of(event)
    if usage is not None and event.get("type") == "message_start":
        found.start = usage
    elif usage is not None:
        found.usage = {**usage, **{k: event[k] for k in ("copilot_usage", "timings") if event.get(k) is not None}}
    for holder in (event, _inside(event, ("x_groq",)) or {}):
        found.breakdown = holder.get("usage_breakdown") or found.breakdown
    _collect_tools(found, event)
    _collect_pictures(found, event)


def _unwrapped(event: Json, batch: bool) -> tuple[Json, bool]:
    """Return what is inside the envelopes of batch results and logged calls."""
    for _ in range(_ENVELOPES):
        inner = _inside(event, ("response", "body"))
        if inner is not None:  # a line of OpenAI's batch output
            event, batch = inner, True
        elif event.get("custom_id") and (inner := _inside(event, ("result", "message"))) is not None:
            event, batch = inner, True  # Anthropic's
        else:
            break
    return event, batch


def _usage_of(event: Json) -> Json | None:
    for place in _PLACES:
        holder = _inside(event, place[:-1]) if len(place) > 1 else event
        if holder is None or holder.get(place[-1]) is None:
            continue
        block = as_object(holder.get(place[-1]), ".".join(place))
        if block is None or (place[-1] in ("meta", "details", "HTTPHeaders") and not _recognised(block)):
            continue
        return block
    return event if detect_api(event, None) in _FLAT and _done(event) else None


def _recognised(block: Json) -> bool:
    return detect_api(block, None) not in ("unknown", "audio")


def _done(event: Json) -> bool:
    """Return whether a flat body is an answer: a transcription has its text beside its duration."""
    return event.get("duration") is None or "text" in event


def _inside(event: Json, place: Iterable[str]) -> Json | None:
    """Return the object at a path, None where anything on the way is no object."""
    for key in place:
        inner = event.get(key)
        if type(inner) is not dict and not isinstance(inner, Mapping):
            return None
        event = inner
    return event


def _first_word(event: Json, places: Iterable[tuple[str, ...]]) -> str | None:
    for *way, last in places:
        holder = _inside(event, way)
        if holder is not None and (word := as_word(holder.get(last))):
            return word
    return None


def _objects(value: object) -> list[Json]:
    return [i for i in value if isinstance(i, Mapping)] if isinstance(value, list | tuple) else []


def _collect_tools(found: _Found, event: Json) -> None:
    holder = _inside(event, ("response",)) or event
    for item in _objects(holder.get("output")):
        kind = as_word(item.get("type")) or ""
        action = _inside(item, ("action",)) or {}
        opened = kind == "web_search_call" and action.get("type") not in (None, "search")  # a page, not a search
        if kind.endswith("_call") and kind not in _NOT_BILLED and not opened and item.get("status") != "failed":
            found.tool(kind)
    blocks = _objects(event.get("content"))
    if event.get("type") == "content_block_start" and (block := _inside(event, ("content_block",))):
        blocks = [block]
    for block in blocks:
        if block.get("type") == "server_tool_use":
            found.tool(f"server_tool_use:{as_word(block.get('name')) or 'unknown'}")
    for choice in _objects(event.get("choices")):
        message = _inside(choice, ("message",)) or _inside(choice, ("delta",)) or {}
        for tool in _objects(message.get("executed_tools")):
            found.tool(f"executed_tools:{as_word(tool.get('type')) or 'unknown'}")
    for candidate in _objects(event.get("candidates")):
        _collect_grounding(found, candidate)


def _collect_grounding(found: _Found, candidate: Json) -> None:
    """Count Gemini's searches: in a stream each chunk repeats what was searched so far, so the largest counts."""
    grounding = _inside(candidate, ("groundingMetadata",)) or _inside(candidate, ("grounding_metadata",)) or {}
    queries = grounding.get("webSearchQueries") or grounding.get("web_search_queries")
    chunks = _objects(grounding.get("groundingChunks") or grounding.get("grounding_chunks"))
    searched = len(queries) if isinstance(queries, list) else 0
    found.items["google_search_queries"] = max(
        searched or int(any("web" in c for c in chunks)), found.items.get("google_search_queries", 0)
    )
    if any("maps" in c for c in chunks):
        found.items["google_maps"] = 1


def _collect_pictures(found: _Found, event: Json) -> None:
    """Count generated pictures of a body without usage (priced by the picture), with their size and quality."""
    made = [d for d in _objects(event.get("data")) if d.get("b64_json") or d.get("url")]
    if made:
        found.pictures += len(made)
        found.picture_when |= {k: w for k in ("size", "quality") if (w := as_word(event.get(k)))}


def _provider_of(found: _Found) -> str | None:
    """Return the provider where only one writes such a body."""
    return "github-copilot" if found.usage and found.usage.get("copilot_usage") else None


def _breakdown(breakdown: object, reading: Reading) -> Iterable[Part]:
    """Yield one part a model of Groq's usage_breakdown."""
    block = breakdown
    if isinstance(breakdown, Mapping):
        block = breakdown.get("models")
    for i, item in enumerate(as_list(block, "usage_breakdown")):
        one = as_object(item, f"usage_breakdown[{i}]") or {}
        name = as_word(one.get("model")) or reading.model or ""
        inner = read_usage(one.get("usage"), provider=reading.provider, model=name)
        yield Part(reading.provider or "", name, inner.counts, reading.service_tier)


def _with_parts(reading: Reading, parts: tuple[Part, ...]) -> tuple[Mapping[str, Number], tuple[UsageWarning, ...]]:
    """Return the sum of the parts, with what only the whole states, and a warning where the two differ."""
    if not parts:
        return reading.counts, reading.warnings
    summed = add(p.counts for p in parts)
    counts = {**{k: v for k, v in reading.counts.items() if not k.endswith("_tokens")}, **summed}
    notes = [
        UsageWarning("parts_differ", unit, f"usage states {reading.counts[unit]}, its models sum to {summed.get(unit)}")
        for unit in ("input_tokens", "output_tokens")
        if unit in reading.counts and reading.counts[unit] != summed.get(unit, 0)
    ]
    return counts, (*reading.warnings, *notes)


def _several(readings: list[Reading]) -> Reading:
    """Return one reading of several finished responses of a session: each is billed by itself, so each is a part."""
    parts = [
        p for r in readings for p in (r.parts or (Part(r.provider or "", r.model or "", r.counts, r.service_tier),))
    ]
    stated = [r.stated_usd for r in readings if r.stated_usd is not None]
    last = readings[-1]
    return replace(
        last,
        counts=add(p.counts for p in parts),
        parts=tuple(parts),
        stated_usd=sum(stated, Decimal(0)) if len(stated) == len(readings) else None,
        bounds=tuple(dict.fromkeys(b for r in readings for b in r.bounds)),
        warnings=tuple(w for r in readings for w in r.warnings),
    )
