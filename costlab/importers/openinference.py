"""Spans of agents: OpenInference and OTel GenAI as any exporter writes them, the Vercel AI SDK, smoltrace, Phoenix.

Containers read: a list of spans or of traces, OTLP JSON (`resourceSpans`), Jaeger JSON, rows of a data frame
(`attributes.llm...` as columns), one object a line, and objects one after the other (the console exporter).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from costlab.errors import BadInput, NoRecording
from costlab.files import Source
from costlab.importers import attributes as said
from costlab.importers.documents import json_of, json_values, lines_of, text_of
from costlab.importers.fields import (
    Contents,
    Foreign,
    file_id,
    first,
    flat,
    items,
    mapping,
    mappings,
    moment,
    own_id,
    seconds,
    span_s,
    text,
)
from costlab.importers.span_tree import Span, traced
from costlab.importers.spans import run_of
from costlab.runs import Run
from costlab.usage import UsageWarning

FORMAT = "openinference"
_MARKS = re.compile(rb'"(span_?id|spanContext|context\.span_id)"', re.IGNORECASE)
_TRACED = re.compile(rb'"(trace_?id|context\.trace_id)"', re.IGNORECASE)
_CONTAINER = re.compile(rb'"resource_?spans"', re.IGNORECASE)
_OTHERS = (b'"parentObservationId"', b'"usageDetails"')
_ERRORS = ("2", "ERROR", "STATUS_CODE_ERROR", "STATUSCODE.ERROR")


@dataclass(slots=True)
class _Trace:
    """The spans of one trace while a file is read."""

    raw: list[tuple[Foreign, Foreign]] = field(default_factory=list)  # span, its resource's attributes


def sniff(head: bytes, name: str) -> bool:
    """Return whether a file begins like an export of spans."""
    spans = _CONTAINER.search(head) or (_MARKS.search(head) and _TRACED.search(head))
    return bool(spans) and not any(mark in head for mark in _OTHERS) and head.lstrip()[:1] in b"[{"


def read(path: Source) -> list[Run]:
    """Return a run of each trace in a file; raises BadInput naming file, line and field."""
    written = text_of(path)
    documents, warnings = _documents(written, path.name)
    traces: dict[str, _Trace] = {}
    for document in documents:
        for span, resource in _spans(document, {}):
            traces.setdefault(_trace_id(span), _Trace()).raw.append((span, resource))
    runs: list[Run] = []
    operations, repeated = _sdk_operations(traces), 0
    for trace_id, trace in traces.items():
        name = own_id(FORMAT, trace_id) if trace_id else file_id(FORMAT, written.encode("utf-8", "surrogatepass"))
        try:
            run = _run(trace_id, trace, Run(run_id=name, source=_source(trace, path), warnings=warnings))
        except BadInput as problem:
            raise problem.at(file=path.name) from None
        if run.calls and _repeats_elsewhere(trace, operations):
            repeated += len(trace.raw)
        elif run.calls:
            runs.append(run)
    if not runs:
        spans = sum(len(trace.raw) for trace in traces.values())
        raise NoRecording(f"no model call among {spans} spans" if spans else "no spans", file=path.name)
    return [replace(runs[0], merged_records=runs[0].merged_records + repeated), *runs[1:]]


def _documents(written: str, name: str) -> tuple[list[object], tuple[UsageWarning, ...]]:
    start = written.lstrip()
    if start.startswith("["):
        return [json_of(written, name)], ()
    line, _, rest = start.partition("\n")
    try:
        json_of(line, name)
    except BadInput:
        return list(json_values(written, name)), ()
    if not rest.strip():
        return [json_of(written, name)], ()
    lines = lines_of(written, name)
    return [record for _, record in lines.records], lines.warnings


def _spans(document: object, resource: Foreign) -> Iterator[tuple[Foreign, Foreign]]:
    """Yield every span of a container with its resource's attributes, in order."""
    stack: list[tuple[object, Foreign]] = [(document, resource)]
    while stack:
        value, about = stack.pop()
        if isinstance(value, list):
            stack.extend((one, about) for one in reversed(value))
            continue
        if not isinstance(value, Mapping):
            continue
        own = value.get("resource")
        about = _attributes(mapping(own).get("attributes")) or about if own else about
        if _is_span(value):
            yield value, about
            continue
        keys = ("resourceSpans", "resource_spans", "scopeSpans", "scope_spans", "instrumentationLibrarySpans")
        inner = [value[key] for key in (*keys, "spans", "traces", "data", "batches") if key in value]
        stack.extend((one, about) for one in reversed(inner))


def _is_span(value: Foreign) -> bool:
    identified = first(value, "span_id", "spanId", "spanID", "context", "spanContext", "context.span_id")
    return identified is not None and first(value, "name", "operationName", "span_name") is not None


def _attributes(value: object) -> dict[str, object]:
    """Return attributes as flat keys: a (nested) object, or OTLP's and Jaeger's lists of key and value."""
    if isinstance(value, Mapping):
        return flat(value)
    pairs = {text(one.get("key")): _otlp(one.get("value")) for one in mappings(value) if one.get("key")}
    return flat(pairs)


def _otlp(value: object, depth: int = 0) -> object:
    """Return what an OTLP `AnyValue` holds."""
    if not isinstance(value, Mapping) or depth > 50:
        return value
    for key in ("stringValue", "intValue", "doubleValue", "boolValue", "string_value", "int_value", "double_value"):
        if key in value:
            return value[key]
    inner = mapping(first(value, "arrayValue", "array_value"))
    if inner:
        return [_otlp(one, depth + 1) for one in items(inner.get("values"))]
    pairs = mappings(mapping(first(value, "kvlistValue", "kvlist_value")).get("values"))
    return {text(one.get("key")): _otlp(one.get("value"), depth + 1) for one in pairs}


def _context(span: Foreign) -> Foreign:
    return mapping(first(span, "context", "spanContext"))


def _id(span: Foreign, *keys: str) -> str:
    value = first(span, *keys) or first(_context(span), *keys)
    return str(value)[:200] if isinstance(value, str | int) else ""


def _trace_id(span: Foreign) -> str:
    return _id(span, "trace_id", "traceId", "traceID", "context.trace_id").removeprefix("0x")


def _span_id(span: Foreign) -> str:
    return _id(span, "span_id", "spanId", "spanID", "context.span_id").removeprefix("0x")


def _parent_id(span: Foreign) -> str | None:
    found = first(span, "parent_id", "parent_span_id", "parentSpanId", "parentId", "parentSpanID")
    if found is None:
        found = first(mapping(span.get("parentSpanContext")), "spanId", "span_id")
    if found is None:
        above = [one for one in mappings(span.get("references")) if one.get("refType") == "CHILD_OF"]
        found = first(above[0], "spanID") if above else None
    return str(found)[:200].removeprefix("0x") or None if isinstance(found, str | int) else None


def _own_attributes(span: Foreign) -> dict[str, object]:
    columns = {k.removeprefix("attributes."): v for k, v in span.items() if k.startswith("attributes.")}
    return {**flat(columns), **_attributes(span.get("attributes")), **_attributes(span.get("tags"))}


def _error(span: Foreign, about: Mapping[str, object]) -> str | None:
    """Return what went wrong, or None: a status of error, with the message of the exception that was recorded."""
    status = span.get("status")
    code = first(mapping(status), "code", "status_code") if isinstance(status, Mapping) else status
    code = first(span, "status_code", "statusCode") if code is None else code
    if str(code).upper() not in _ERRORS and about.get("error") not in (True, "true"):
        return None
    told = first(mapping(status), "description", "message") or first(span, "status_message", "statusMessage")
    events = [_attributes(one.get("attributes")) for one in mappings(span.get("events"))]
    raised = [text(first(one, "exception.message", "exception.type")) for one in events]
    return text(told) or next((one for one in raised if one), "") or text(about.get("error.type")) or "error"


def _neutral(trace_id: str, raw: Foreign, order: int, contents: Contents) -> Span:
    about = _own_attributes(raw)
    name = text(first(raw, "name", "operationName", "span_name"))
    kind, step = said.kind_of(about, name, text(raw.get("span_kind")))
    started = moment(first(raw, "start_time", "startTime", "startTimeUnixNano", "start_time_unix_nano"))
    ended = moment(first(raw, "end_time", "endTime", "endTimeUnixNano", "end_time_unix_nano"))
    lasted = span_s(started, ended)
    if lasted is None and ended is None:
        micro = seconds(raw.get("duration"), 1_000_000) if "traceID" in raw else None
        lasted = micro if micro is not None else seconds(raw.get("duration_ms"), 1000)
    error = _error(raw, about)
    span_id = _span_id(raw) or f"span-{order}"
    timing = (started, lasted)
    call = None
    if kind == "call":
        origin = f"{trace_id}:{span_id}"
        call = said.call_of(about, call_id=span_id, origin=origin, timing=timing, error=error, contents=contents)
    limit = about.get("smolagents.max_steps")
    return Span(
        span_id=span_id,
        kind=kind,
        name=said.agent_name(about, name) if kind == "agent" else name,
        parent_id=_parent_id(raw),
        order=order,
        started_at=started,
        ended_at=ended,
        error=error,
        counts=call.counts if call else said.totals_of(about),
        call=call,
        tool=said.tool_of(about, name, span_id, timing, error) if kind == "tool" else None,
        step_number=step,
        max_steps=int(limit) if isinstance(limit, int | str) and str(limit).isdigit() and len(str(limit)) < 7 else None,
        task=said.task_of(about)[:20_000] if kind in ("agent", "other") else "",
        answer=said.answer_of(about) if kind == "agent" else None,
    )


def _run(trace_id: str, trace: _Trace, run: Run) -> Run:
    contents = Contents()
    spans = [_neutral(trace_id, raw, order, contents) for order, (raw, _) in enumerate(trace.raw)]
    return replace(run_of(traced(spans), run), contents=contents.by_hash)


def _source(trace: _Trace, path: Source) -> dict[str, str]:
    resource = next((about for _, about in trace.raw if about), {})
    named = {
        "version": resource.get("telemetry.sdk.version"),
        "sdk": resource.get("telemetry.sdk.language"),
        "service": resource.get("service.name"),
    }
    return {"format": FORMAT, "file": path.name, **{k: text(v) for k, v in named.items() if text(v)}}


def _sdk_operations(traces: dict[str, _Trace]) -> frozenset[str]:
    """Return the AI SDK's operations that the file has the provider's own calls of (`ai.generateText` for .doX)."""
    found = (
        said.sdk_operation(_own_attributes(span), text(span.get("name")))
        for trace in traces.values()
        for span, _ in trace.raw
    )
    return frozenset(one.partition(".do")[0] for one in found if ".do" in one)


def _repeats_elsewhere(trace: _Trace, operations: frozenset[str]) -> bool:
    """Whether a trace holds nothing but the AI SDK's wrappers of calls that stand in other traces of the file."""
    found = [said.sdk_operation(_own_attributes(span), text(span.get("name"))) for span, _ in trace.raw]
    return all(one in operations for one in found)
