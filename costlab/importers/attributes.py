"""What a span's attributes say, in the dialects that agents are traced in: one call, one tool, one agent.

Dialects: OpenInference (`llm.token_count.*`), OTel GenAI (`gen_ai.*`), the Vercel AI SDK (`ai.*`), OpenLLMetry
(`traceloop.*`, `llm.usage.*`) and MLflow (`mlflow.*`). All are flat dotted keys here. Sources:
arize-ai.github.io/openinference/spec, opentelemetry.io/docs/specs/semconv/gen-ai, ai-sdk.dev (telemetry).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from costlab.importers.buckets import DISJOINT, INCLUSIVE, counts_of
from costlab.importers.calls import client_cost, failed, unmetered
from costlab.importers.fields import (
    Contents,
    embedded,
    items,
    mapping,
    mappings,
    money,
    number,
    response_id,
    seconds,
    text,
)
from costlab.importers.providers import provider_at, served_by
from costlab.runs import Media, ModelCall, ToolCall
from costlab.usage import Number

Attributes = Mapping[str, object]

_KINDS = {
    "LLM": "call", "EMBEDDING": "call", "CHAT_MODEL": "call", "GENERATION": "call",
    "AGENT": "agent", "TOOL": "tool", "CHAIN": "other", "WORKFLOW": "other", "TASK": "other",
}  # fmt: skip
_OPERATIONS = {
    "chat": "call", "text_completion": "call", "completion": "call", "generate_content": "call", "embeddings": "call",
    "embedding": "call", "generate": "call", "image_generation": "call", "speech": "call", "transcription": "call",
    "invoke_agent": "agent", "create_agent": "other", "invoke_workflow": "other", "agent": "agent",
    "execute_tool": "tool",
}  # fmt: skip
_USAGE = ("llm.token_count.", "gen_ai.usage.", "llm.usage.", "ai.usage.")
_STEP = re.compile(r"Step (\d{1,6})")
_SDK_ALONE = re.compile(r"\bai/[1-5]\.")  # before 6, the AI SDK passes Anthropic's fresh input on as the whole


def kind_of(attributes: Attributes, name: str, stated: str) -> tuple[str, int | None]:
    """Return a span's neutral kind and, for smolagents' own steps, the step's number."""
    if match := _STEP.fullmatch(name):
        return "step", int(match.group(1))
    mlflow = text(attributes.get("mlflow.spanType")).strip('"')
    for word in (text(attributes.get("openinference.span.kind")), mlflow, stated):
        if word.upper() in _KINDS:
            return _KINDS[word.upper()], None
    if sdk := sdk_operation(attributes, name):
        return ("tool" if sdk == "ai.toolCall" else "call" if ".do" in sdk else "other"), None
    operation = text(attributes.get("gen_ai.operation.name")).lower()
    if operation in _OPERATIONS:
        return _OPERATIONS[operation], None
    loop = text(attributes.get("traceloop.span.kind")).upper()
    if loop in _KINDS:
        return _KINDS[loop], None
    if attributes.get("tool.name") or attributes.get("gen_ai.tool.name"):
        return "tool", None
    if attributes.get("gen_ai.request.model") or attributes.get("llm.request.type") or _figures(attributes):
        return "call", None
    return "other", None


def sdk_operation(attributes: Attributes, name: str) -> str:
    """Return the AI SDK's operation (`ai.generateText.doGenerate`) of a span, '' for any other."""
    stated = text(attributes.get("ai.operationId")) or text(attributes.get("operation.name")).split(" ")[0]
    return stated if stated.startswith("ai.") else name if name.startswith("ai.") and ".do" in name else ""


def _figures(attributes: Attributes) -> dict[str, Number]:
    """Return every stated usage figure by its name within its dialect; a name in two dialects is one figure."""
    found: dict[str, Number] = {}
    for key, value in attributes.items():
        prefix = next((p for p in _USAGE if key.startswith(p)), "")
        name = key[len(prefix) :]
        if not prefix or "cost" in name or isinstance(value, bool | list | Mapping):
            continue
        figure = number(value, key)
        if figure is not None:
            name = "input_tokens" if name == "tokens" else name  # the AI SDK's embeddings
            found[name] = max(found.get(name, 0), figure)
    mlflow = mapping(embedded(attributes.get("mlflow.chat.tokenUsage")))
    for key, value in mlflow.items():
        figure = number(value, f"mlflow.chat.tokenUsage.{key}")
        if figure is not None:
            found[key] = max(found.get(key, 0), figure)
    return found


def convention(attributes: Attributes, provider: str) -> str:
    """Return whether a dialect's input holds its cached tokens; all promise it, the older AI SDK breaks it."""
    agent = text(attributes.get("ai.request.headers.user-agent"))
    return DISJOINT if provider in ("anthropic", "aws") and _SDK_ALONE.search(agent) else INCLUSIVE


def totals_of(attributes: Attributes) -> dict[str, Number]:
    """Return the inclusive counts that a span which is no call states; raises BadInput naming the attribute."""
    return counts_of(_figures(attributes), INCLUSIVE)[0]


def call_of(
    attributes: Attributes,
    *,
    call_id: str,
    origin: str,
    timing: tuple[datetime | None, float | None],
    error: str | None,
    contents: Contents,
) -> ModelCall:
    """Return the model call that a span's attributes describe; raises BadInput naming the attribute."""
    provider, model, asked = _model(attributes)
    stated = _figures(attributes)
    counts, warnings = counts_of(stated, convention(attributes, provider))
    metadata = mapping(embedded(attributes.get("ai.response.providerMetadata")))
    settings = mapping(embedded(attributes.get("llm.invocation_parameters")))
    cost = money(_first(attributes, "llm.cost.total", "gen_ai.usage.cost", "gen_ai.usage.total_cost"))
    messages = _messages(attributes, "llm.input_messages", "gen_ai.input.messages", "ai.prompt.messages")
    call = ModelCall(
        call_id=call_id,
        provider=provider,
        model=model,
        counts=counts,
        request_model=asked or None,
        api=text(attributes.get("gen_ai.operation.name")) or None,
        service_tier=text(
            _first(attributes, "gen_ai.openai.response.service_tier", "openai.response.service_tier")
            or mapping(metadata.get("openai")).get("serviceTier")
        )
        or None,
        raw_usage=dict(stated) if stated else None,
        stated_cost=cost,
        started_at=timing[0],
        duration_s=timing[1],
        ttft_s=_ttft(attributes),
        messages=contents.add_all("message", messages),
        tools=contents.add_all("tool", _tools(attributes)),
        output=contents.add_all("output", _output(attributes)),
        tool_choice=_choice(settings.get("tool_choice")),
        max_tokens=_whole(_first(attributes, "gen_ai.request.max_tokens") or settings.get("max_tokens")),
        media=_media(messages),
        origin=response_id(attributes, "gen_ai.response.id", "ai.response.id", "llm.response.id") or origin,
        warnings=(*warnings, *((client_cost(cost),) if cost else ())),
    )
    if error is not None:
        status = _whole(_first(attributes, "http.response.status_code", "http.status_code"))
        call = failed(call, error, status=status)
    return unmetered(call, embeds=_embeds(attributes))


def _embeds(attributes: Attributes) -> bool:
    words = (attributes.get("openinference.span.kind"), attributes.get("gen_ai.operation.name"))
    return any(text(word).lower() in ("embedding", "embeddings") for word in words)


def _first(attributes: Attributes, *keys: str) -> object:
    return next((attributes[key] for key in keys if attributes.get(key) not in (None, "")), None)


def _whole(value: object) -> int | None:
    if isinstance(value, str) and value.isdigit() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**9 else None


def _choice(value: object) -> str | None:
    return value if isinstance(value, str) else text(mapping(value).get("type")) or None


def provider_words(attributes: Attributes) -> list[str]:
    """Return what attributes say about who served the call, the surest first: the address, then the names."""
    address = text(_first(attributes, "server.address", "url.full", "gen_ai.openai.api_base", "llm.base_url"))
    names = ("llm.provider", "gen_ai.provider.name", "ai.model.provider", "gen_ai.system", "llm.system")
    return [provider_at(address) if address else "", *(text(attributes.get(name)) for name in names)]


def _model(attributes: Attributes) -> tuple[str, str, str]:
    """Return (provider, model as answered, model as asked)."""
    asked = text(_first(attributes, "gen_ai.request.model", "ai.model.id", "llm.request.model", "embedding.model_name"))
    answered = text(_first(attributes, "gen_ai.response.model", "ai.response.model", "llm.response.model"))
    named = text(_first(attributes, "llm.model_name", "embedding.model_name", "model_name"))
    provider, model = served_by(answered or named or asked, *provider_words(attributes))
    if not provider and asked:
        provider = served_by(asked)[0]
    return provider, model, asked or named


def _ttft(attributes: Attributes) -> float | None:
    milli = _first(attributes, "ai.response.msToFirstChunk", "ai.stream.msToFirstChunk")
    whole = _first(attributes, "gen_ai.response.time_to_first_token", "gen_ai.server.time_to_first_token")
    return seconds(milli, 1000) if milli is not None else seconds(whole)


def tool_of(
    attributes: Attributes, name: str, span_id: str, timing: tuple[datetime | None, float | None], error: str | None
) -> ToolCall:
    """Return the tool call that a span's attributes describe."""
    named = _first(attributes, "tool.name", "gen_ai.tool.name", "ai.toolCall.name", "tool_call.function.name")
    return ToolCall(
        name=text(named) or name,
        tool_id=text(_first(attributes, "gen_ai.tool.call.id", "ai.toolCall.id", "tool_call.id")) or span_id,
        status="error" if error is not None else "ok",
        error=error[:500] if error is not None else None,
        started_at=timing[0],
        duration_s=timing[1],
    )


def agent_name(attributes: Attributes, name: str) -> str:
    """Return an agent's name: its own, else its span's (`CodeAgent.run` is a CodeAgent)."""
    own = text(_first(attributes, "agent.name", "gen_ai.agent.name", "smolagents.agent.name", "agent_name"))
    return own or name.removesuffix(".run")


def task_of(attributes: Attributes) -> str:
    """Return what an agent was asked."""
    asked = _first(attributes, "input.value", "ai.prompt", "traceloop.entity.input", "gen_ai.input.messages")
    inner = embedded(asked)
    if isinstance(inner, Mapping):
        told = next((text(inner[key]) for key in ("task", "prompt", "query", "input") if text(inner.get(key))), "")
        return told or text(attributes.get("smolagents.task"))
    if isinstance(inner, list):
        users = [one for one in mappings(inner) if one.get("role") == "user"]
        return _words(users[-1]) if users else ""
    return text(attributes.get("smolagents.task")) or text(asked)


def _words(message: Attributes) -> str:
    content = message.get("content") or message.get("parts")
    if isinstance(content, str):
        return content
    return "\n".join(text(part.get("text")) or text(part.get("content")) for part in mappings(content)).strip()


def answer_of(attributes: Attributes) -> str | None:
    """Return what a span put out, as text."""
    said = _first(attributes, "output.value", "ai.response.text", "traceloop.entity.output")
    return said if isinstance(said, str) and not said.startswith("<generator object") else None


def _messages(attributes: Attributes, *places: str) -> list[object]:
    """Return the messages that a span holds at the first of several places: flattened, or as one JSON string."""
    for place in places:
        whole = embedded(attributes.get(place))
        if isinstance(whole, list):
            return whole
        flattened = _unflattened(attributes, place)
        if flattened:
            return [_plain(mapping(mapping(one).get("message"))) for one in flattened]
    return []


def _output(attributes: Attributes) -> list[object]:
    whole = _messages(attributes, "llm.output_messages", "gen_ai.output.messages")
    said = _first(attributes, "ai.response.text", "ai.response.object")
    calls = embedded(attributes.get("ai.response.toolCalls"))
    if whole or (said is None and not calls):
        return whole
    return [{"role": "assistant", "content": said} | ({"tool_calls": calls} if calls else {})]


def _tools(attributes: Attributes) -> list[object]:
    for place in ("gen_ai.tool.definitions", "ai.prompt.tools"):
        whole = embedded(attributes.get(place))
        if isinstance(whole, list):
            return [embedded(one) for one in whole]
        numbered = _unflattened(attributes, place)
        if numbered:
            return [embedded(one) for one in numbered]
    return [
        embedded(mapping(mapping(one).get("tool")).get("json_schema")) for one in _unflattened(attributes, "llm.tools")
    ]


def _unflattened(attributes: Attributes, place: str) -> list[object]:
    """Return the list that stands flattened under a place (`place.0.message.role`)."""
    tree: dict[str, object] = {}
    prefix = place + "."
    for key, value in attributes.items():
        if not key.startswith(prefix):
            continue
        at = tree
        *path, leaf = key[len(prefix) :].split(".")[:40]
        for word in path:
            inner = at.setdefault(word, {})
            if not isinstance(inner, dict):
                break
            at = inner
        else:
            at.setdefault(leaf, value)
    return items(_listed(tree))


def _listed(value: object) -> object:
    """Turn objects whose keys are all numbers into lists, inside out."""
    if not isinstance(value, dict):
        return value
    inner = {key: _listed(one) for key, one in value.items()}
    if inner and all(key.isdigit() and len(key) < 8 for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


def _plain(message: Attributes) -> dict[str, object]:
    """Return an OpenInference message in the shape of chat messages."""
    parts = [_part(mapping(mapping(one).get("message_content"))) for one in items(message.get("contents"))]
    plain: dict[str, object] = {"role": message.get("role"), "content": message.get("content") or parts}
    calls = [mapping(mapping(one).get("tool_call")) for one in items(message.get("tool_calls"))]
    if calls:
        plain["tool_calls"] = [dict(one) for one in calls]
    if message.get("tool_call_id"):
        plain["tool_call_id"] = message["tool_call_id"]
    return plain


def _part(part: Attributes) -> dict[str, object]:
    image = text(mapping(mapping(part.get("image")).get("image")).get("url"))
    if image:
        return {"type": "image", "url": image if not image.startswith("data:") else "data:"}
    return dict(part)


def _media(messages: list[object]) -> tuple[Media, ...]:
    """Return the pictures among messages; their sizes are not in a trace."""
    return tuple(
        Media("image")
        for message in mappings(messages)
        for part in mappings(message.get("content"))
        if part.get("type") in ("image", "image_url", "input_image")
    )
