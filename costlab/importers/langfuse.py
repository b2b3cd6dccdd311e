"""Langfuse exports: one trace with its observations, lists of either, pages of its public API, one object a line.

Langfuse's contract: each key of `usageDetails` is a bucket of its own and `total` is their sum; what came in over
OpenTelemetry breaks it (`prompt_details.cache_read` inside `input`). Only generations and embeddings are calls: an
agent's or span's figures are sums, or Langfuse's own tokenizer's, and stand in only where no call under them has any.
Source: langfuse.com/docs/observability/features/token-and-cost-tracking (read 2026-11-23).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from costlab.errors import BadInput, NoRecording
from costlab.files import Source
from costlab.importers.attributes import provider_words, totals_of
from costlab.importers.buckets import DISJOINT, INCLUSIVE, counts_of
from costlab.importers.calls import client_cost, failed, unmetered
from costlab.importers.documents import json_file, lines_of, text_of
from costlab.importers.fields import (
    Contents,
    Foreign,
    embedded,
    first,
    flat,
    mapping,
    mappings,
    moment,
    money,
    number,
    own_id,
    response_id,
    seconds,
    span_s,
    text,
)
from costlab.importers.providers import served_by
from costlab.importers.span_tree import Span, traced
from costlab.importers.spans import run_of
from costlab.runs import ModelCall, Run, ToolCall
from costlab.usage import Counts, Number, UsageWarning, add

FORMAT = "langfuse"
_KINDS = {"GENERATION": "call", "EMBEDDING": "call", "AGENT": "agent", "TOOL": "tool"}
_LISTS = ("observations", "traces", "data", "items")


@dataclass(slots=True)
class _Trace:
    """One trace while a file is read."""

    about: dict[str, object] = field(default_factory=dict)
    observations: dict[str, Foreign] = field(default_factory=dict)
    repeated: int = 0


def sniff(head: bytes, name: str) -> bool:
    """Return whether a file begins like a Langfuse export."""
    marks = (b'"parentObservationId"', b'"usageDetails"', b'"observations"', b'"traceId"', b'"projectId"')
    return head.lstrip()[:1] in b"[{" and sum(mark in head for mark in marks) > 1 and b'"spanId"' not in head


def read(path: Source) -> list[Run]:
    """Return a run of each trace in a file; raises BadInput naming file and field."""
    documents, warnings = _documents(path)
    traces: dict[str, _Trace] = {}
    for document in documents:
        _gather(document, traces)
    runs = []
    for trace_id, trace in traces.items():
        if not trace.observations:
            continue
        try:
            runs.append(_run(trace_id, trace, path, warnings))
        except BadInput as problem:
            raise problem.at(file=path.name) from None
    runs = [run for run in runs if run.calls]
    if not runs:
        raise NoRecording("no generation among its observations", file=path.name, field="observations")
    return runs


def _documents(path: Source) -> tuple[list[object], tuple[UsageWarning, ...]]:
    if path.suffix in (".jsonl", ".ndjson"):
        lines = lines_of(text_of(path), path.name)
        return [record for _, record in lines.records], lines.warnings
    return [json_file(path)], ()


def _gather(document: object, traces: dict[str, _Trace]) -> None:
    """Sort every observation of a document under its trace; a trace's own copy of them adds nothing."""
    stack: list[tuple[object, str]] = [(document, "")]
    while stack:
        value, within = stack.pop()
        if isinstance(value, list):
            stack.extend((one, within) for one in reversed(value))
            continue
        if not isinstance(value, Mapping):
            continue
        if isinstance(value.get("type"), str) and "startTime" in value:
            _add(value, text(value.get("traceId")) or within, traces)
            continue
        about = mapping(value.get("trace")) or value
        own = text(about.get("id")) if isinstance(value.get("observations"), list) or "trace" in value else ""
        if own:
            traces.setdefault(own, _Trace()).about.update(about)
        inner = [value[key] for key in _LISTS if isinstance(value.get(key), list)]
        if not inner and isinstance(about.get("observations"), list):
            inner = [about["observations"]]
        stack.extend((one, own or within) for one in reversed(inner))


def _add(observation: Foreign, trace_id: str, traces: dict[str, _Trace]) -> None:
    trace = traces.setdefault(trace_id, _Trace())
    name = text(observation.get("id")) or f"observation-{len(trace.observations)}"
    trace.repeated += name in trace.observations
    trace.observations[name] = observation


def _run(trace_id: str, trace: _Trace, path: Source, warnings: tuple[UsageWarning, ...]) -> Run:
    contents = Contents()
    spans = [_span(name, one, order, contents) for order, (name, one) in enumerate(trace.observations.items())]
    about = trace.about
    run = Run(
        run_id=own_id(FORMAT, trace_id or path.stem),
        task=_words(about.get("input")),
        agent=text(about.get("name")),
        answer=_words(about.get("output")) or None,
        source={"format": FORMAT, "file": path.name, **_release(about)},
        meta={"session_id": about["sessionId"]} if text(about.get("sessionId")) else {},
        merged_records=trace.repeated,
        warnings=warnings,
    )
    return replace(run_of(traced(_nested(spans)), run), contents=contents.by_hash)


def _release(about: Foreign) -> dict[str, str]:
    return {key: text(about[key]) for key in ("release", "version", "environment") if text(about.get(key))}


def _nested(spans: list[Span]) -> list[Span]:
    """Decide for a generation around generations whether it repeats them: its figures are theirs, or their sum.

    Other figures cannot be shown to be a repeat, and Langfuse counts them in its own total; it fills in what it was
    not told with a tokenizer of its own, so they are estimated.
    """
    children: dict[str | None, list[Span]] = {}
    for span in spans:
        children.setdefault(span.parent_id, []).append(span)
    decided = []
    for span in spans:
        if span.call is None or not any(span.counts.values()):
            decided.append(span)
            continue
        inner = list(_calls_under(span, children))
        if inner and not _same(span.counts, inner):
            span = replace(span, repeats=False, call=replace(span.call, usage_basis="estimated"))
        decided.append(span)
    return decided


def _calls_under(span: Span, children: dict[str | None, list[Span]]) -> Iterable[Counts]:
    stack, seen = [span.span_id], {span.span_id}
    while stack:
        for child in children.get(stack.pop(), []):
            if child.span_id in seen:
                continue
            seen.add(child.span_id)
            stack.append(child.span_id)
            if child.call is not None and any(child.counts.values()):
                yield child.counts


def _same(counts: Counts, inner: list[Counts]) -> bool:
    def both(one: Counts) -> tuple[Number, Number]:
        return one.get("input_tokens", 0), one.get("output_tokens", 0)

    return both(counts) in [both(add(inner)), *map(both, inner)]


def _span(name: str, observation: Foreign, order: int, contents: Contents) -> Span:
    kind = _KINDS.get(text(observation.get("type")).upper(), "other")
    started, ended = moment(observation.get("startTime")), moment(observation.get("endTime"))
    lasted = span_s(started, ended)
    error = None
    if text(observation.get("level")).upper() == "ERROR":
        error = text(observation.get("statusMessage")) or "error"
    counts, warnings = _counts(observation)
    call = tool = None
    if kind == "call":
        known = _with_basis(observation, ModelCall(name, "", "", counts, warnings=warnings))
        call = _call(name, observation, contents, known)
        call = replace(call, started_at=started, duration_s=lasted)
        embeds = text(observation.get("type")).upper() == "EMBEDDING"
        call = unmetered(failed(call, error) if error is not None else call, embeds=embeds)
    elif kind == "tool":
        status = "ok" if error is None else "error"
        named = text(observation.get("name")).removeprefix("execute_tool ")
        tool = ToolCall(named, name, status, error, started, lasted)
    return Span(
        span_id=name,
        kind=kind,
        name=text(observation.get("name")),
        parent_id=text(observation.get("parentObservationId")) or None,
        order=order,
        started_at=started,
        ended_at=ended,
        error=error,
        counts=call.counts if call else counts,
        call=call,
        tool=tool,
        task=_words(observation.get("input")) if kind == "agent" else "",
    )


def _counts(observation: Foreign) -> tuple[Counts, tuple[UsageWarning, ...]]:
    """Return an observation's counts from the fullest of the places where Langfuse has put them over the years."""
    details = mapping(embedded(observation.get("usageDetails")))
    older = mapping(embedded(observation.get("usage")))
    flatly = {
        "input": first(observation, "inputUsage", "promptTokens", "inputTokens"),
        "output": first(observation, "outputUsage", "completionTokens", "outputTokens"),
        "total": first(observation, "totalUsage", "totalTokens"),
    }
    plain = {key: older.get(key) for key in older if key not in ("unit",) and "ost" not in key}
    unit = text(first(older, "unit") or observation.get("unit")).upper()
    if unit not in ("", "TOKENS") and not any(details.values()):  # characters, seconds, pictures: figures of no token
        return {}, (UsageWarning("usage_not_recognised", "usage", f"counted in {unit}, not in tokens"),)
    for place, source in (("usageDetails", details), ("usage", plain), ("", flatly)):
        stated: dict[str, Number] = {}
        for key, value in source.items():
            if isinstance(value, Mapping | list):
                continue
            figure = number(value, f"{place}.{key}" if place else key)
            if figure is not None:
                stated[key] = figure
        if any(stated.values()):
            held = any("_details." in key and value for key, value in stated.items())
            return counts_of(stated, INCLUSIVE if held else DISJOINT)
    return {}, ()


def _with_basis(observation: Foreign, call: ModelCall) -> ModelCall:
    """Return the call with what its OpenTelemetry attributes add: finer figures, or that they state none.

    Langfuse keeps the attributes that it was sent. Without usage among them, its figures are its own tokenizer's over
    the text that it saw: no tools, no cached context, so what they cost is a lower bound.
    """
    words = flat(mapping(mapping(embedded(observation.get("metadata"))).get("attributes")))
    if not words or not any(call.counts.values()):
        return call
    sent = totals_of(words)
    if not any(sent.values()):
        note = UsageWarning("counted_by_langfuse", "usageDetails", "no usage was sent: its own tokenizer's count")
        return replace(call, usage_basis="estimated", bounds=("unmetered",), warnings=(*call.warnings, note))
    same = all(sent.get(side, 0) == call.counts.get(side, 0) for side in ("input_tokens", "output_tokens"))
    return replace(call, counts=sent) if same and len(sent) > len(call.counts) else call


def _call(name: str, observation: Foreign, contents: Contents, call: ModelCall) -> ModelCall:
    settings = mapping(embedded(observation.get("modelParameters")))
    about = mapping(embedded(observation.get("metadata")))
    words = flat(mapping(about.get("attributes")))
    asked = mapping(embedded(observation.get("input")))
    spoken = [text(settings.get("system")), text(about.get("ls_provider")), text(about.get("provider"))]
    model = text(first(observation, "model", "providedModelName")) or text(words.get("gen_ai.response.model"))
    provider, model = served_by(model, *provider_words(words), *spoken)
    cost = money(mapping(embedded(observation.get("providedCostDetails"))).get("total"))
    started = moment(observation.get("startTime"))
    waited = seconds(observation.get("timeToFirstToken"))
    limit = first(settings, "max_tokens", "maxTokens", "max_completion_tokens")
    return replace(
        call,
        provider=provider,
        model=model,
        request_model=text(words.get("gen_ai.request.model")) or None,
        raw_usage=dict(mapping(embedded(observation.get("usageDetails")))) or None,
        stated_cost=cost,
        ttft_s=waited if waited is not None else span_s(started, moment(observation.get("completionStartTime"))),
        messages=contents.add_all("message", _messages(observation.get("input"))),
        tools=contents.add_all("tool", list(mappings(asked.get("tools")))),
        output=contents.add_all("output", _messages(observation.get("output"))),
        max_tokens=limit if isinstance(limit, int) and not isinstance(limit, bool) and limit > 0 else None,
        origin=response_id(words, "gen_ai.response.id", "ai.response.id") or name,
        warnings=(*call.warnings, *((client_cost(cost),) if cost else ())),
    )


def _messages(value: object) -> list[object]:
    """Return what went in or came out as messages: a list of them, or one of what is there."""
    inner = embedded(value)
    if isinstance(inner, Mapping) and isinstance(inner.get("messages"), list):
        inner = inner["messages"]
    if isinstance(inner, list):
        return inner
    return [] if inner in (None, "", {}) else [inner]


def _words(value: object) -> str:
    """Return a trace's input or output in words: its text, or the last message's."""
    inner = embedded(value)
    for _ in range(12):
        if isinstance(inner, str):
            unquoted = _unquoted(inner)
            if unquoted is None:
                return inner[:20_000]
            inner = embedded(unquoted)
            continue
        if isinstance(inner, list):
            inner = inner[-1] if inner else ""
        elif isinstance(inner, Mapping):
            inner = first(inner, "content", "text", "task", "prompt", "query", "input", "output", "messages", "parts")
        else:
            return ""
    return ""


def _unquoted(written: str) -> object:
    """Return what a JSON string or document holds, None for plain words: exports encode some fields twice."""
    if written[:1] == '"' and written[-1:] == '"' and len(written) > 1:
        try:
            value: object = json.loads(written)
        except ValueError:
            return None
        return value
    inner = embedded(written)
    return None if inner is written else inner
