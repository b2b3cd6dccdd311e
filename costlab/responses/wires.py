"""The wire formats: where each API keeps which count, as a table. What a count means is settled in `convention`.

A wire's rows are genai-prices' own (its extractors are data: path -> unit; rows of one unit are summed) with ours on
top: other spellings of the same count that are seen on recordings. Of several spellings the largest counts, because
clients write the same figure twice or leave a 0 where the other spelling has it. Sources: docs/usage.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from functools import cache

from costlab.errors import BadInput
from costlab.responses.paths import firsts, total
from costlab.usage import Number

Spellings = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Wire:
    """One wire format.

    `base`: genai-prices' (provider, flavour) whose rows are taken. `spellings`: unit -> further paths, each a sum
    joined by ' + '. `stated_total`: where the format states input + output. `reasoning`: 'inside' output, 'beside'
    it always (citation tokens too), or 'total' where the stated total decides and it is beside without one.
    """

    api: str
    base: tuple[str, str] | None = None
    spellings: Spellings = field(default_factory=dict)
    stated_total: str = "total_tokens"
    reasoning: str = "inside"


def _modal(place: str, value: str, direction: str, kind: str = "") -> dict[str, tuple[str, ...]]:
    """Rows for a list of per-modality counts; documents are pictures of pages, as genai-prices has them."""
    cell = {"": "{d}_{m}_tokens", "cache_read": "cache_{m}_read_tokens", "tool": "{d}_{m}_tool_tokens"}[kind]
    names = (("text", ("TEXT",)), ("image", ("IMAGE", "DOCUMENT")), ("audio", ("AUDIO",)), ("video", ("VIDEO",)))
    return {
        cell.format(d=direction, m=m): (" + ".join(f"{place}[modality={label}].{value}" for label in labels),)
        for m, labels in names
    }


_COPILOT_WRITES = "copilot_usage.token_details[token_type=cache_write].token_count"  # only there
_CHAT: Spellings = {
    "input_tokens": ("prompt_cache_hit_tokens + prompt_cache_miss_tokens",),
    "cache_read_tokens": (
        "prompt_token_details.cached_tokens",  # Writer; some OpenAI routes
        "prompt_cache_hit_tokens",  # DeepSeek
        "cached_tokens",  # Together, Anthropic's OpenAI endpoint
        "num_cached_tokens",  # Mistral, older
        "cache_read_input_tokens",  # Databricks, LiteLLM's proxy
        "timings.cache_n",  # llama.cpp server beside its OpenAI block
    ),
    "cache_write_tokens": (
        "prompt_token_details.cache_write_tokens",
        "prompt_tokens_details.cache_creation_tokens",
        "cache_creation_input_tokens",
        _COPILOT_WRITES,
    ),
    "input_text_tokens": ("prompt_tokens_details.text_tokens",),
    "input_image_tokens": ("prompt_tokens_details.image_tokens",),
    "input_video_tokens": ("prompt_tokens_details.video_tokens",),
    "output_image_tokens": ("completion_tokens_details.image_tokens",),
    "output_reasoning_tokens": ("completion_token_details.reasoning_tokens", "reasoning_tokens"),
    "input_audio_seconds": ("prompt_audio_seconds",),
    "requests": ("request_count",),
}

_WIRES = (
    Wire("openai-chat", ("openai", "chat"), _CHAT),
    Wire("xai-chat", ("openai", "chat"), _CHAT, reasoning="total"),
    Wire(
        "perplexity",
        ("openai", "chat"),
        {**_CHAT, "output_citation_tokens": ("citation_tokens",), "web_searches": ("num_search_queries",)},
        reasoning="beside",
    ),
    Wire(
        "openai-responses",
        ("openai", "responses"),
        {
            "cache_read_tokens": ("input_tokens_details.cache_read_input_tokens",),  # Perplexity's agent API
            "cache_write_tokens": (_COPILOT_WRITES,),
            "input_text_tokens": ("input_tokens_details.text_tokens",),
            "input_image_tokens": ("input_tokens_details.image_tokens",),
            "input_audio_tokens": ("input_tokens_details.audio_tokens",),
            "output_image_tokens": ("output_tokens_details.image_tokens",),
            "output_audio_tokens": ("output_tokens_details.audio_tokens",),
            "web_searches": ("tool_calls_details.search_web.invocation", "tool_calls_details.web_search.invocation"),
            "url_fetches": ("tool_calls_details.fetch_url.invocation",),
        },
    ),
    Wire(
        "openai-realtime",
        ("openai", "realtime"),
        {"output_reasoning_tokens": ("output_token_details.reasoning_tokens",)},
    ),
    Wire("xai-realtime", ("x-ai", "realtime")),
    Wire("openai-images", ("openai", "images"), {"cache_read_tokens": ("input_tokens_details.cached_tokens",)}),
    Wire("audio", None, {"input_audio_seconds": ("seconds", "prompt_audio_seconds", "duration")}),
    Wire(
        "anthropic",
        ("anthropic", "default"),
        {
            # An old body may have the split without its sum, or the sum without the split.
            "input_tokens": (
                "input_tokens + cache_read_input_tokens"
                " + cache_creation.ephemeral_5m_input_tokens + cache_creation.ephemeral_1h_input_tokens",
            ),
        },
        stated_total="",
    ),
    Wire(
        "gemini",
        ("google", "default"),
        {
            "output_tokens": ("responseTokenCount + thoughtsTokenCount",),  # Live API
            **_modal("responseTokensDetails", "tokenCount", "output"),
            "input_text_tokens": (
                "promptTokenDetails[modality=TEXT].tokenCount + toolUsePromptTokensDetails[modality=TEXT].tokenCount",
            ),
        },
        stated_total="totalTokenCount",
    ),
    Wire(
        "gemini-interactions",
        None,
        {
            "input_tokens": ("total_input_tokens + total_tool_use_tokens",),
            "input_tool_tokens": ("total_tool_use_tokens",),
            "cache_read_tokens": ("total_cached_tokens",),
            "output_tokens": ("total_output_tokens + total_thought_tokens",),
            "output_reasoning_tokens": ("total_thought_tokens", "total_reasoning_tokens"),
            **_modal("input_tokens_by_modality", "tokens", "input"),
            **_modal("output_tokens_by_modality", "tokens", "output"),
            **_modal("cached_tokens_by_modality", "tokens", "input", "cache_read"),
            **_modal("tool_use_tokens_by_modality", "tokens", "input", "tool"),
        },
    ),
    Wire(
        "bedrock-converse",
        ("aws", "default"),
        {
            "input_tokens": (
                "inputTokens + cacheReadInputTokenCount + cacheWriteInputTokenCount",
                "inputTokens + cacheReadInputTokens + cacheDetails[].inputTokens",
            ),
            "cache_read_tokens": ("cacheReadInputTokenCount",),
            "cache_write_tokens": ("cacheWriteInputTokenCount",),
        },
        stated_total="totalTokens",
    ),
    Wire(
        "bedrock-invoke",
        None,
        {
            "input_tokens": (
                "inputTextTokenCount",  # Titan
                "prompt_token_count",  # Llama
                "inputTokenCount + cacheReadInputTokenCount + cacheWriteInputTokenCount",  # invocation metrics
                "x-amzn-bedrock-input-token-count"
                " + x-amzn-bedrock-cache-read-input-token-count + x-amzn-bedrock-cache-write-input-token-count",
            ),
            "cache_read_tokens": ("cacheReadInputTokenCount", "x-amzn-bedrock-cache-read-input-token-count"),
            "cache_write_tokens": ("cacheWriteInputTokenCount", "x-amzn-bedrock-cache-write-input-token-count"),
            "output_tokens": (
                "results[].tokenCount",
                "totalOutputTextTokenCount",
                "generation_token_count",
                "outputTokenCount",
                "x-amzn-bedrock-output-token-count",
            ),
        },
        stated_total="",
    ),
    Wire(
        "xai-grpc",
        None,
        {
            "input_tokens": ("prompt_tokens",),
            "input_text_tokens": ("prompt_text_tokens",),
            "input_image_tokens": ("prompt_image_tokens",),
            "cache_read_tokens": ("cached_prompt_text_tokens",),
            "output_tokens": ("completion_tokens",),
            "output_reasoning_tokens": ("reasoning_tokens",),
        },
        reasoning="total",
    ),
    Wire(
        "cohere",
        None,
        {
            "input_tokens": ("billed_units.input_tokens",),
            "input_image_tokens": ("billed_units.image_tokens",),
            "output_tokens": ("billed_units.output_tokens",),
            "rerank_searches": ("billed_units.search_units",),
            "classifications": ("billed_units.classifications",),
            "input_images": ("billed_units.images",),
        },
        stated_total="",
    ),
    Wire("cohere-tokens", ("cohere", "tokens"), stated_total=""),
    Wire("mistral-ocr", ("mistral", "ocr"), stated_total=""),
    Wire(
        "ollama",
        None,
        {"input_tokens": ("prompt_eval_count",), "output_tokens": ("eval_count",)},
        stated_total="",
    ),
    Wire(
        "llama.cpp",
        None,
        {
            "input_tokens": ("tokens_evaluated", "timings.prompt_n + timings.cache_n", "prompt_n + cache_n"),
            "cache_read_tokens": ("timings.cache_n", "cache_n"),
            "output_tokens": ("tokens_predicted", "timings.predicted_n", "predicted_n"),
        },
        stated_total="",
    ),
    Wire(
        "tgi",
        None,
        {"input_tokens": ("prefill_tokens", "input_length"), "output_tokens": ("generated_tokens",)},
        stated_total="",
    ),
    Wire("total-only", None, {"input_tokens": ("total_tokens", "totalTokenCount")}, stated_total=""),
)


@cache
def wires() -> Mapping[str, Wire]:
    """Return all wires by name."""
    return {w.api: w for w in _WIRES}


@cache
def _base_rows(base: tuple[str, str]) -> Mapping[str, str]:
    """Return genai-prices' rows of one extractor: unit -> its paths joined by ' + '."""
    from genai_prices.data import providers

    for provider in providers:
        for extractor in provider.extractors or () if provider.id == base[0] else ():
            if extractor.api_flavor == base[1]:
                rows: dict[str, list[str]] = {}
                for mapping in extractor.mappings:
                    rows.setdefault(mapping.dest, []).append(_text(mapping.path))
                return {unit: " + ".join(paths) for unit, paths in rows.items()}
    raise BadInput(f"genai-prices has no extractor {base[1]!r} of {base[0]!r}: is its version in the stated range?")


def _text(path: object) -> str:
    if isinstance(path, str):
        return path
    assert isinstance(path, list | tuple)
    words: list[str] = []
    for step in path:
        if isinstance(step, str):
            words.append(step)
        else:  # an item of the list before it, chosen by the value of one field
            words[-1] += f"[{step.field}={step.match.equals}]"
    return ".".join(words)


@cache
def rows(api: str) -> Spellings:
    """Return a wire's whole table: unit -> spellings, genai-prices' first."""
    wire = wires()[api]
    table = {unit: (spelling,) for unit, spelling in (_base_rows(wire.base) if wire.base else {}).items()}
    for unit, more in wire.spellings.items():
        table[unit] = (*table.get(unit, ()), *more)
    return table


@cache
def _begun(api: str) -> tuple[tuple[str, tuple[tuple[frozenset[str], str], ...]], ...]:
    """Return a wire's table with the keys that each spelling's paths begin with: most of them are in no block."""
    return tuple((unit, tuple((firsts(one), one) for one in spellings)) for unit, spellings in rows(api).items())


def present(usage: Mapping[str, object]) -> Set[str]:
    """Return the keys of a usage block that are not null."""
    return {key for key, value in usage.items() if value is not None}


def extract(usage: Mapping[str, object], api: str) -> dict[str, Number]:
    """Return the counts that a usage block states, by unit; nothing is settled yet. Raises BadInput."""
    counts: dict[str, Number] = {}
    here = present(usage)
    for unit, spellings in _begun(api):
        found = [n for begins, spelling in spellings if begins & here and (n := total(usage, spelling)) is not None]
        if found:
            counts[unit] = max(found)
    return counts


_SHAPES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cohere", ("billed_units",)),
    ("mistral-ocr", ("pages_processed",)),
    ("xai-realtime", ("billable_audio_seconds",)),
    ("xai-grpc", ("cached_prompt_text_tokens", "prompt_text_tokens", "prompt_image_tokens")),
    (
        "gemini",
        (
            "promptTokenCount", "candidatesTokenCount", "totalTokenCount", "responseTokenCount", "thoughtsTokenCount",
            "cachedContentTokenCount", "toolUsePromptTokenCount",
        ),
    ),
    ("gemini-interactions", ("total_input_tokens", "total_output_tokens", "total_thought_tokens")),
    ("bedrock-converse", ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")),
    (
        "bedrock-invoke",
        (
            "inputTextTokenCount", "totalOutputTextTokenCount", "inputTokenCount", "outputTokenCount",
            "prompt_token_count", "generation_token_count", "x-amzn-bedrock-input-token-count",
            "x-amzn-bedrock-output-token-count",
        ),
    ),
    ("ollama", ("prompt_eval_count", "eval_count")),
    ("openai-chat", ("prompt_tokens", "completion_tokens")),
    ("llama.cpp", ("tokens_evaluated", "tokens_predicted", "timings", "prompt_n", "predicted_n")),
    ("openai-realtime", ("input_token_details", "output_token_details")),
    ("openai-responses", ("input_tokens_details", "output_tokens_details", "input_tokens", "output_tokens")),
    ("anthropic", ("cache_read_input_tokens", "cache_creation_input_tokens")),
    ("audio", ("seconds", "prompt_audio_seconds", "duration")),
    ("cohere-tokens", ("tokens",)),
    ("tgi", ("generated_tokens", "prefill_tokens")),
    ("total-only", ("total_tokens",)),
)  # fmt: skip
# Google's Python client writes usage in snake case.
GOOGLE_PYTHON = ("candidates_token_count", "total_token_count", "thoughts_token_count", "cached_content_token_count")
XAI = ("xai", "x-ai", "x_ai")
_GEMINI_PARTS = tuple(k for k in dict(_SHAPES)["gemini"] if k != "totalTokenCount")
_ANTHROPIC_KEYS = (
    "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation", "server_tool_use", "iterations",
    "inference_geo", "speed",
)  # fmt: skip


def detect_api(usage: Mapping[str, object], provider: str | None, api: str | None = None) -> str:
    """Return the wire whose keys a usage block has, or 'unknown'; `provider` and `api` decide where keys do not.

    The keys win over a stated `api`: proxies keep the vendor's block and change the API's name.
    """
    here = present(usage)
    if not here.isdisjoint(GOOGLE_PYTHON):
        return "gemini"
    shape = next((name for name, keys in _SHAPES if not here.isdisjoint(keys)), "unknown")
    vendor = (provider or "").lower()
    if shape == "openai-chat":
        if vendor in XAI:
            return "xai-chat"
        return "perplexity" if vendor == "perplexity" or usage.get("citation_tokens") is not None else shape
    if shape == "openai-responses":
        inside = usage.get("input_tokens_details")
        if not inside and _says_anthropic(here, vendor, api):
            return "anthropic"
        pictures = isinstance(inside, Mapping) and "image_tokens" in inside and "cached_tokens" not in inside
        return "openai-images" if pictures or api == "openai-images" else shape
    if shape == "gemini" and here.isdisjoint(_GEMINI_PARTS):
        return "total-only"  # the answer to the creation of a cache: everything is input
    return shape


def _says_anthropic(here: Set[str], vendor: str, api: str | None) -> bool:
    """Return whether bare input and output tokens are Anthropic's, by their neighbours or by what the call was."""
    return not here.isdisjoint(_ANTHROPIC_KEYS) or vendor == "anthropic" or (api or "").startswith("anth")
