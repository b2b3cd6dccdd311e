"""Message streams of Claude's Agent SDK and of `claude -p --output-format stream-json --verbose` (or `json`).

Each message carries the usage of its stream's first event, so its output is a placeholder; only the `result` has the
true figures, by model, sub-agents included (`modelUsage`; its `usage` leaves them out). What `modelUsage` has beyond
the messages becomes one more call a model. Its `total_cost_usd` is the client's own arithmetic and not used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise

from costlab.errors import BadInput, NoRecording
from costlab.files import Source
from costlab.importers.buckets import DISJOINT, counts_of
from costlab.importers.calls import client_cost
from costlab.importers.claude_messages import MAIN, Record, build
from costlab.importers.documents import json_of, lines_of, text_of
from costlab.importers.fields import Foreign, file_id, mapping, mappings, moment, money, number, own_id, seconds, text
from costlab.importers.providers import answered_by
from costlab.runs import AgentNode, ModelCall, Run, Step
from costlab.usage import Number, UsageWarning

FORMAT = "claude-stream"
_UNITS = {  # modelUsage: Anthropic's convention, cached tokens beside the fresh ones
    "inputTokens": "input",
    "cacheReadInputTokens": "cache_read_input_tokens",
    "cacheCreationInputTokens": "cache_creation_input_tokens",
    "outputTokens": "output",
    "webSearchRequests": "web_search_requests",
}
_FRESH = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "web_searches")


def sniff(head: bytes, name: str) -> bool:
    """Return whether a file begins like a stream of the Agent SDK, or is its result."""
    tight = head[:16_384].replace(b" ", b"")
    opened = b'"type":"system"' in tight and b'"subtype":"init"' in tight and b'"session_id"' in tight
    result = b'"type":"result"' in tight and (b'"total_cost_usd"' in tight or b'"modelUsage"' in tight)
    return tight.lstrip()[:1] in (b"{", b"[") and (opened or (result and b'"session_id"' in tight))


def read(path: Source) -> list[Run]:
    """Return a run of each session in a file; raises BadInput naming file, line and field."""
    written = text_of(path)
    messages, warnings = _messages(written, path.name)
    sessions: dict[str, list[tuple[int, Foreign]]] = {}
    last = ""
    for line, message in messages:
        last = text(message.get("session_id")) or last
        sessions.setdefault(last, []).append((line, message))
    loose = sessions.pop("", []) if len(sessions) > 1 else []  # what came before the session had its name
    runs = []
    for place, (session, own) in enumerate(sessions.items()):
        name = own_id(FORMAT, session) if session else file_id(FORMAT, written.encode("utf-8", "surrogatepass"))
        run = Run(name, source={"format": FORMAT, "file": path.name}, warnings=warnings)
        try:
            run = _run([*(loose if place == 0 else []), *own], run)
        except BadInput as problem:
            raise problem.at(file=path.name) from None
        runs += [run] if run.calls else []
    if not runs:
        raise NoRecording("no model call in this stream", file=path.name)
    return runs


def _messages(written: str, name: str) -> tuple[list[tuple[int, Foreign]], tuple[UsageWarning, ...]]:
    """Return the messages of a stream with their lines: one a line, or one JSON list, or the result alone."""
    if written.lstrip()[:1] == "[":
        return [(place, one) for place, one in enumerate(mappings(json_of(written, name)), 1)], ()
    try:
        return [(1, mapping(json_of(written, name)))], ()
    except BadInput:
        lines = lines_of(written, name)
        return list(lines.records), lines.warnings


def _run(messages: list[tuple[int, Foreign]], run: Run) -> Run:
    results = [one for _, one in messages if one.get("type") == "result"]
    opened: Foreign = next((one for _, one in messages if one.get("subtype") == "init"), {})
    records = [_record(line, one) for line, one in messages if one.get("type") in ("assistant", "user")]
    run = build(records, run) if records else replace(run, state="cut")
    last: Foreign = results[-1] if results else {}
    version = text(opened.get("claude_code_version"))
    run = replace(
        run,
        agent=run.agent or "Claude Code",
        source={**run.source, **({"version": version} if version else {})},
        duration_s=run.duration_s if run.duration_s is not None else seconds(last.get("duration_ms"), 1000),
        answer=text(last.get("result")) or run.answer,
        state=_state(last) if last else run.state,
    )
    return _with_rest(run, results) if results else replace(run, steps=tuple(_opening(step) for step in run.steps))


def _opening(step: Step) -> Step:
    """Return a step whose output is only its stream's first figure, since no result came."""
    calls = (replace(c, bounds=tuple(dict.fromkeys((*c.bounds, "placeholder_output")))) for c in step.calls)
    return replace(step, calls=tuple(calls))


def _record(line: int, one: Foreign) -> Record:
    started_by = text(one.get("parent_tool_use_id"))
    return Record(
        line=line,
        role=text(one.get("type")),
        message=mapping(one.get("message")),
        agent=f"sub-agent {started_by}" if started_by else MAIN,
        uuid=text(one.get("uuid")),
        at=moment(one.get("timestamp")),
        tool_result=mapping(one.get("tool_use_result")),
        started_by=started_by,
    )


def _state(result: Foreign) -> str:
    if text(result.get("subtype")) == "error_max_turns":
        return "max_steps"
    return "failed" if result.get("is_error") is True or result.get("subtype") != "success" else "success"


def _with_rest(run: Run, results: list[Foreign]) -> Run:
    """Return the run with what its result says beyond its messages, a call a model; then no output is a placeholder."""
    steps, known = list(run.steps), _by_model(run)
    totals = _totals(results, known)
    notes: list[UsageWarning] = []
    for model, stated in totals.items():
        full, raised = counts_of(stated, DISJOINT)
        had = known.get(model, {})
        rest = {unit: full.get(unit, 0) - had.get(unit, 0) for unit in _FRESH}
        notes += [
            UsageWarning("total_differs", unit, f"{model}: the result says {full.get(unit, 0)}, its messages more")
            for unit, left in rest.items()
            if left < 0
        ]
        steps = [_settled(step, model) for step in steps]
        more = {unit: left for unit, left in rest.items() if left > 0}
        if any(more.values()):
            steps.append(_rest_step(run, model, more, len(steps) + 1, tuple(raised)))
    cost = money(results[-1].get("total_cost_usd"))
    kept = [note for note in run.warnings if note.code != "placeholder_output" or not totals]
    agents = run.agents or (AgentNode(MAIN, "Claude Code"),)
    return replace(
        run, steps=tuple(steps), agents=agents, warnings=(*kept, *notes, *((client_cost(cost),) if cost else ()))
    )


def _totals(results: list[Foreign], known: Mapping[str, Mapping[str, Number]]) -> dict[str, dict[str, Number]]:
    """Return each model's figures: the last result's where they are cumulative, else the sum of all results.

    Cumulative figures only grow, and the last ones hold all input of the messages, which is exact.
    """
    every = [_figures(mapping(one.get("modelUsage"))) for one in results]
    every = [one for one in every if one]
    found: dict[str, dict[str, Number]] = {}
    for model in dict.fromkeys(name for one in every for name in one):
        seen = [one[model] for one in every if model in one]
        grows = all(a.get(u, 0) <= b.get(u, 0) for a, b in pairwise(seen) for u in _UNITS.values())
        whole = counts_of(seen[-1], DISJOINT)[0].get("input_tokens", 0) >= known.get(model, {}).get("input_tokens", 0)
        summed = {unit: sum(one.get(unit, 0) for one in seen) for unit in _UNITS.values()}
        found[model] = seen[-1] if grows and whole else summed
    return found


def _figures(usage: Foreign) -> dict[str, dict[str, Number]]:
    found: dict[str, dict[str, Number]] = {}
    for model, block in usage.items():
        stated = {unit: number(mapping(block).get(key), f"modelUsage.{model}.{key}") for key, unit in _UNITS.items()}
        found[model] = {unit: value for unit, value in stated.items() if value is not None}
    return found


def _by_model(run: Run) -> dict[str, dict[str, Number]]:
    known: dict[str, dict[str, Number]] = {}
    for call in run.calls:
        had = known.setdefault(call.model, {})
        for unit in _FRESH:
            had[unit] = had.get(unit, 0) + call.counts.get(unit, 0)
    return known


def _settled(step: Step, model: str) -> Step:
    """Return a step whose placeholder is no bound any more: the model's total has what it lacks."""
    calls: Iterable[ModelCall] = (
        replace(call, bounds=tuple(b for b in call.bounds if b != "placeholder_output"))
        if call.model == model
        else call
        for call in step.calls
    )
    return replace(step, calls=tuple(calls))


def _rest_step(
    run: Run, model: str, rest: Mapping[str, Number], place: int, warnings: tuple[UsageWarning, ...]
) -> Step:
    provider, name = answered_by(model, "")
    told = UsageWarning("totals_only", model, "what the result has beyond its messages: output, and calls not shown")
    inside = rest.get("cache_read_tokens", 0) + rest.get("cache_write_tokens", 0)
    counts = {"output_tokens": 0, **rest, "input_tokens": max(rest.get("input_tokens", 0), inside)}
    call = ModelCall(
        call_id=f"rest-{model}",
        provider=provider,
        model=name,
        counts=counts,
        origin=f"{run.run_id}-rest-{model}",
        warnings=(told, *warnings),
    )
    return Step(f"s-rest-{model}", place, "action", MAIN, calls=(call,))
