"""Codex rollouts: `~/.codex/sessions/**/rollout-*.jsonl`, whose `token_count` events are cumulative over a session.

A call is what the cumulative figures grew by; an event that repeats them is merged. A fork's file repeats its
parent's events under other times: the origin of a call is its family, its place among the calls and its figures, so
that a parent and its forks, and forks whose parent is gone, count each once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from costlab.errors import BadInput, NoRecording
from costlab.files import Source
from costlab.importers.buckets import INCLUSIVE, counts_of
from costlab.importers.documents import json_lines
from costlab.importers.fields import Contents, Foreign, embedded, mapping, moment, number, own_id, span_s, text
from costlab.importers.providers import served_by
from costlab.runs import AgentNode, ModelCall, Run, Step, ToolCall
from costlab.usage import Number, UsageWarning

FORMAT = "codex"
_KEYS = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens", "total_tokens")
_MOST_REFERENCES = 300_000
_CALLS = ("function_call", "custom_tool_call", "local_shell_call")


@dataclass(slots=True)
class _Session:
    """A rollout while it is read."""

    name: str = ""
    forked_from: str = ""
    family: str = ""
    parent: str = ""
    version: str = ""
    provider: str = "openai"
    model: str = ""
    started: datetime | None = None
    last: datetime | None = None
    asked: datetime | None = None  # when the model was last given something to answer
    before: dict[str, Number] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    tools: dict[str, ToolCall] = field(default_factory=dict)
    context: list[str] = field(default_factory=list)
    output: list[str] = field(default_factory=list)
    references: int = 0
    repeated: int = 0
    task: str = ""
    answer: str | None = None
    state: str = "cut"
    contents: Contents = field(default_factory=Contents)
    warnings: list[UsageWarning] = field(default_factory=list)


def sniff(head: bytes, name: str) -> bool:
    """Return whether a file begins like a Codex rollout."""
    tight = head[:4096].replace(b" ", b"")
    return (
        tight.lstrip()[:1] == b"{"
        and b'"payload":' in tight
        and (b'"session_meta"' in tight or b'"turn_context"' in tight or b'"token_count"' in tight)
    )


def read(path: Source) -> list[Run]:
    """Return the run of a rollout; raises BadInput naming file, line and field."""
    lines = json_lines(path)
    session = _Session(warnings=list(lines.warnings))
    for number_, line in lines.records:
        payload = mapping(line.get("payload"))
        session.last = moment(line.get("timestamp")) or session.last
        session.started = session.started or session.last
        try:
            _take(session, text(line.get("type")), payload)
        except BadInput as problem:
            raise problem.at(file=path.name, line=number_) from None
    if not session.steps:
        raise NoRecording("no token_count event with usage: nothing says what this session used", file=path.name)
    return [_run(session, path)]


def _take(session: _Session, kind: str, payload: Foreign) -> None:
    if kind == "session_meta":
        _meta(session, payload)
    elif kind == "turn_context":
        session.model = text(payload.get("model")) or session.model
    elif kind == "response_item":
        _item(session, payload)
    elif kind == "event_msg":
        _event(session, text(payload.get("type")), payload)


def _meta(session: _Session, payload: Foreign) -> None:
    """Take a session's head; a fork's file goes on with the heads that it copied, its ancestors' up to the root."""
    name, forked = text(payload.get("id")), text(payload.get("forked_from_id"))
    if not session.name:
        session.name, session.forked_from = name, forked
        session.version = text(payload.get("cli_version"))
        session.provider = text(payload.get("model_provider")) or session.provider
        spawned = mapping(mapping(mapping(payload.get("source")).get("subagent")).get("thread_spawn"))
        session.parent = forked or text(spawned.get("parent_thread_id"))
        session.family = forked or name
    elif name == session.family and forked:
        session.family = forked


def _event(session: _Session, kind: str, payload: Foreign) -> None:
    if kind == "token_count":
        _tokens(session, mapping(payload.get("info")))
    elif kind == "user_message":
        session.task = session.task or text(payload.get("message"))
        session.asked = session.last
        session.state = "cut"
    elif kind == "agent_message":
        session.answer = text(payload.get("message")) or session.answer
        session.state = "success"
    elif kind == "task_complete":
        session.answer = text(payload.get("last_agent_message")) or session.answer
        session.state = "success"
    elif kind == "turn_aborted":
        session.state = "stopped"
    elif kind in ("error", "stream_error"):
        session.state = "failed"


def _figures(block: Foreign, place: str) -> dict[str, Number]:
    found = {key: number(block.get(key), f"payload.info.{place}.{key}") for key in _KEYS}
    return {key: value for key, value in found.items() if value is not None}


def _tokens(session: _Session, info: Foreign) -> None:
    """Add the call that an event tells of: what the cumulative figures grew by since the last one."""
    total = _figures(mapping(info.get("total_token_usage")), "total_token_usage")
    last = _figures(mapping(info.get("last_token_usage")), "last_token_usage")
    if not total and not last:
        return
    grown = {key: total[key] - session.before.get(key, 0) for key in total} if total else last
    if total and not any(grown.values()):
        session.repeated += 1
        return
    notes: list[UsageWarning] = []
    if any(value < 0 for value in grown.values()):
        notes.append(UsageWarning("cumulative_fell", "total_token_usage", "it fell: the event's own figures are used"))
        grown = last or total
    elif not session.before and last and session.forked_from and any(total.get(k, 0) > last[k] for k in last):
        told = (
            f"{total.get('total_tokens')} tokens stood before the first event: they are in the session it forked from"
        )
        notes.append(UsageWarning("earlier_usage", "total_token_usage", told))
        grown = last
    session.before = total or session.before
    _add(session, grown, total or last, notes)


def _add(
    session: _Session, grown: Mapping[str, Number], total: Mapping[str, Number], notes: list[UsageWarning]
) -> None:
    ordinal = len(session.steps) + 1
    counts, warnings = counts_of(grown, INCLUSIVE)
    figures = ",".join(f"{key}={grown.get(key, 0)}/{total.get(key, 0)}" for key in _KEYS)
    origin = hashlib.sha256(f"{session.family}:{ordinal}:{figures}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
    provider, model = served_by(session.model, session.provider)
    kept = session.references + len(session.context) <= _MOST_REFERENCES
    session.references += len(session.context) if kept else 0
    call = ModelCall(
        call_id=f"call-{ordinal}",
        provider=provider,
        model=model,
        counts=counts,
        raw_usage=dict(grown),
        started_at=session.asked or session.last,
        duration_s=span_s(session.asked, session.last),
        messages=tuple(session.context) if kept else (),
        output=tuple(session.output),
        origin=f"codex-{origin}",
        warnings=(*notes, *warnings),
    )
    tools = tuple(replace(tool, call_id=call.call_id) for tool in session.tools.values())
    session.steps.append(
        Step(
            f"s-{ordinal}",
            ordinal,
            "action",
            started_at=call.started_at,
            duration_s=call.duration_s,
            calls=(call,),
            tools=tools,
        )
    )
    session.context += session.output
    session.output, session.tools, session.asked = [], {}, session.last


def _item(session: _Session, item: Foreign) -> None:
    """Take one item of the conversation: what went in, what came out, a tool's call or its result."""
    kind = text(item.get("type"))
    plain = {key: value for key, value in item.items() if key != "encrypted_content"}
    answered = (
        kind in ("message", "reasoning", *_CALLS, "web_search_call") and item.get("role", "assistant") == "assistant"
    )
    if answered:
        session.output.append(session.contents.add("message", plain))
    else:
        session.context.append(session.contents.add("message", plain))
        session.asked = session.last
    if kind in _CALLS:
        name = text(item.get("name")) or kind
        tool_id = text(item.get("call_id"))
        session.tools[tool_id] = ToolCall(name, tool_id, "cut", started_at=session.last)
    elif kind.endswith("_call_output"):
        _result(session, item)


def _result(session: _Session, item: Foreign) -> None:
    tool_id = text(item.get("call_id"))
    output = mapping(embedded(item.get("output")))
    code = mapping(output.get("metadata")).get("exit_code")
    wrong = output.get("success") is False or (isinstance(code, int) and code != 0)
    tool = session.tools.get(tool_id)
    if tool is not None:
        session.tools[tool_id] = _ended(tool, wrong, session.last)
        return
    for place in range(len(session.steps) - 1, -1, -1):
        step = session.steps[place]
        if any(tool.tool_id == tool_id for tool in step.tools):
            tools = tuple(_ended(t, wrong, session.last) if t.tool_id == tool_id else t for t in step.tools)
            session.steps[place] = replace(step, tools=tools)
            return


def _ended(tool: ToolCall, wrong: bool, at: datetime | None) -> ToolCall:
    return replace(tool, status="error" if wrong else "ok", duration_s=span_s(tool.started_at, at))


def _run(session: _Session, path: Source) -> Run:
    model = next((step.calls[0].model for step in session.steps if step.calls[0].model), None)
    told = {"version": session.version, "provider": session.provider}
    return Run(
        run_id=own_id(FORMAT, session.name or path.stem),
        parent_run_id=own_id(FORMAT, session.parent) if session.parent else None,
        task=session.task[:20_000],
        agent="Codex",
        started_at=session.started,
        duration_s=span_s(session.started, session.last),
        state=session.state,
        answer=session.answer,
        steps=tuple(session.steps),
        agents=(AgentNode("agent", "Codex", model=model),),
        source={"format": FORMAT, "file": path.name, **{key: value for key, value in told.items() if value}},
        contents=session.contents.by_hash,
        merged_records=session.repeated,
        warnings=tuple(session.warnings),
    )
