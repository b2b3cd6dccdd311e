"""Anthropic messages as Claude Code and its Agent SDK write them down: one record a content block, one call a message.

A message stands on several records with one id, each with the usage as it was known then: the record with a stop
reason or with the largest output counts. Where none has a stop reason, none grew, and what was written cannot have
been so few tokens, the output is the stream's opening figure: the call gets the bound `placeholder_output`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from costlab.errors import BadInput
from costlab.importers.calls import failed, metered, unmetered
from costlab.importers.fields import Contents, Foreign, items, mapping, mappings, seconds, span_s, text
from costlab.importers.providers import answered_by
from costlab.runs import AgentNode, ModelCall, Run, Step, ToolCall
from costlab.usage import Number, UsageWarning, count

MAIN = "main"
SYNTHETIC = "<synthetic>"  # written by the client itself: an API error, an interruption
# Of some 250 messages with a final count (2025-2026 recordings), the densest has 4.1 characters a token.
_CHARACTERS_A_TOKEN = 5
_MOST_REFERENCES = 300_000  # message hashes over all calls of a run: each call repeats its whole context
_STATUS = re.compile(r"API Error: (\d{3})\b")
_HIDDEN = {"WebSearch", "WebFetch"}  # tools that call a model of their own, which the transcript does not have
_ASIDE = re.compile(r"<((?:system|command|local-command|bash|ide|user)[-_][a-z_-]+)>.{0,100000}?</\1>", re.DOTALL)
_INTERRUPTED = "[Request interrupted by user"


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a transcript in neutral words; `agent` is MAIN or a sub-agent's id."""

    line: int
    role: str  # assistant | user | compacted
    message: Foreign
    agent: str = MAIN
    uuid: str = ""
    parent: str = ""
    at: datetime | None = None
    request_id: str = ""
    tool_result: Foreign = field(default_factory=dict)  # what the tool itself said beside the result block
    is_error: bool = False
    meta: bool = False  # told to the model by the client, not by the user
    started_by: str = ""  # the tool call that started this agent
    agent_name: str = ""


@dataclass(slots=True)
class _Message:
    """The records of one API message."""

    name: str
    records: list[Record] = field(default_factory=list)

    @property
    def blocks(self) -> list[Foreign]:
        return [block for record in self.records for block in mappings(record.message.get("content"))]


def _messages(records: Iterable[Record]) -> list[_Message]:
    """Gather assistant records by message id, in the order in which each message began."""
    found: dict[str, _Message] = {}
    for record in records:
        if record.role == "assistant":
            name = text(record.message.get("id")) or record.request_id or record.uuid or f"line-{record.line}"
            found.setdefault(name, _Message(name)).records.append(record)
    return list(found.values())


def _output(record: Record) -> Number:
    """Return a record's output count, -1 where it has none; raises BadInput, on a record that loses too."""
    value = mapping(record.message.get("usage")).get("output_tokens")
    try:
        return -1 if value is None else count(value, "usage.output_tokens")
    except BadInput as problem:
        raise problem.at(line=record.line) from None


def _best(message: _Message) -> Record:
    """Return the record whose usage counts: a finished one before others, then the largest output, then the last."""
    return max(message.records, key=lambda r: (isinstance(r.message.get("stop_reason"), str), _output(r), r.line))


def _is_placeholder(message: _Message, output: object) -> bool:
    outputs = {_output(record) for record in message.records}
    if len(outputs) > 1 or any(isinstance(r.message.get("stop_reason"), str) for r in message.records):
        return False
    return isinstance(output, int) and _written(message.blocks) > _CHARACTERS_A_TOKEN * max(output, 1)


def _written(blocks: Iterable[Foreign]) -> int:
    """Return how many characters a message's blocks show."""
    shown = 0
    for block in blocks:
        shown += len(text(block.get("text"))) + len(text(block.get("thinking")))
        if "input" in block:
            shown += len(json.dumps(block["input"], ensure_ascii=False, default=str))
    return shown


@dataclass(slots=True)
class _Reading:
    """A transcript while it becomes a run."""

    records: tuple[Record, ...]
    contents: Contents = field(default_factory=Contents)
    by_uuid: dict[str, Record] = field(default_factory=dict)
    hashes: dict[int, str] = field(default_factory=dict)  # line and place -> content
    results: dict[str, tuple[Record, Foreign]] = field(default_factory=dict)  # tool id -> its result
    references: int = 0
    warnings: list[UsageWarning] = field(default_factory=list)


def build(records: Iterable[Record], run: Run) -> Run:
    """Return `run` with agents, steps, calls and tools of a transcript's records; raises BadInput naming the line."""
    read = _Reading(tuple(records))
    for record in read.records:
        if record.uuid:
            read.by_uuid.setdefault(record.uuid, record)
        for block in mappings(record.message.get("content")):
            if block.get("type") == "tool_result" and record.role == "user":
                read.results.setdefault(text(block.get("tool_use_id")), (record, block))
    messages = _messages(read.records)
    made = (_step(read, message, number) for message, number in _numbered(messages))
    steps = _with_hidden(read, [step for step in made if step is not None])
    agents, steps = _agents(read, steps)
    merged = sum(len(m.records) - 1 for m in messages)
    times = [record.at for record in read.records if record.at]
    return replace(
        run,
        task=run.task or _task(read),
        agent=run.agent or (agents[0].name if agents else ""),
        started_at=run.started_at or min(times, default=None),
        duration_s=run.duration_s if run.duration_s is not None else span_s(min(times), max(times)) if times else None,
        state=_state(read, steps),
        answer=run.answer if run.answer is not None else _answer(messages),
        steps=tuple(steps),
        agents=agents,
        contents={**run.contents, **read.contents.by_hash},
        merged_records=run.merged_records + merged,
        warnings=(*run.warnings, *read.warnings, *_placeholders(steps)),
    )


def _numbered(messages: list[_Message]) -> Iterable[tuple[_Message, int]]:
    reached: dict[str, int] = {}
    for message in messages:
        agent = message.records[0].agent
        reached[agent] = reached.get(agent, 0) + 1
        yield message, reached[agent]


def _step(read: _Reading, message: _Message, number: int) -> Step | None:
    """Return the step of one message: its call, and the tools that it asked for with their results."""
    opening = message.records[0]
    call = _call(read, message)
    if call is None:
        return None
    tools = tuple(_tool(read, message, block) for block in message.blocks if block.get("type") == "tool_use")
    ends = [t.started_at.timestamp() + (t.duration_s or 0) for t in tools if t.started_at]
    if call.started_at and call.duration_s is not None:
        ends.append(call.started_at.timestamp() + call.duration_s)
    return Step(
        step_id=f"s-{message.name}",
        number=number,
        kind="action",
        agent=opening.agent,
        started_at=call.started_at,
        duration_s=round(max(ends) - call.started_at.timestamp(), 3) if ends and call.started_at else None,
        error=call.error,
        calls=(call,),
        tools=tools,
    )


def _call(read: _Reading, message: _Message) -> ModelCall | None:
    """Return a message's call, or None for what the client wrote itself without any request."""
    best, opening, closing = _best(message), message.records[0], message.records[-1]
    model = text(best.message.get("model"))
    usage = mapping(best.message.get("usage"))
    asked = _before(read, opening)
    started = asked.at if asked and asked.role == "user" and asked.at else opening.at
    context = _context(read, opening)
    named = "" if model == SYNTHETIC else model
    provider, named = answered_by(named, message.name)
    call = ModelCall(
        call_id=message.name,
        provider=provider,
        model=named,
        counts={},
        api="anthropic",
        started_at=started,
        duration_s=span_s(started, closing.at),
        messages=context,
        output=tuple(_hash(read, record) for record in message.records),
        origin=message.name,
    )
    if model == SYNTHETIC or best.is_error:
        if not best.is_error:
            return None
        told = next((text(b.get("text")) for b in message.blocks if text(b.get("text"))), "API error")
        status = _STATUS.search(told)
        return failed(replace(call, output=()), told, status=int(status.group(1)) if status else None)
    if not usage:
        return unmetered(call)
    try:
        call = metered(call, usage)
    except BadInput as problem:
        raise problem.at(line=best.line, field="message.usage") from None
    if _is_placeholder(message, call.counts.get("output_tokens")):
        call = replace(call, bounds=(*call.bounds, "placeholder_output"))
    return call


def _before(read: _Reading, opening: Record) -> Record | None:
    """Return the message before one: the nearest above it in its chain, hooks and progress passed over."""
    at = read.by_uuid.get(opening.parent)
    for _ in range(1000):
        if at is None or at.role in ("user", "assistant"):
            return at
        at = read.by_uuid.get(at.parent)
    return None


def _hash(read: _Reading, record: Record) -> str:
    if id(record) not in read.hashes:
        said = {"role": record.message.get("role") or record.role, "content": record.message.get("content")}
        read.hashes[id(record)] = read.contents.add("message", said)
    return read.hashes[id(record)]


def _context(read: _Reading, opening: Record) -> tuple[str, ...]:
    """Return the hashes of what the model was sent, oldest first: the chain of parents back to the root."""
    chain: list[str] = []
    seen: set[str] = set()
    at = read.by_uuid.get(opening.parent)
    while at is not None and at.uuid not in seen:
        seen.add(at.uuid)
        if at.role in ("user", "assistant") and at.message.get("content") is not None:
            chain.append(_hash(read, at))
        at = read.by_uuid.get(at.parent)
    if read.references + len(chain) > _MOST_REFERENCES:
        if read.references < _MOST_REFERENCES:
            text_ = f"the messages of calls from line {opening.line} on are left out: too many"
            read.warnings.append(UsageWarning("messages_left_out", "messages", text_))
        read.references = _MOST_REFERENCES
        return ()
    read.references += len(chain)
    return tuple(reversed(chain))


def _tool(read: _Reading, message: _Message, block: Foreign) -> ToolCall:
    tool_id = text(block.get("id"))
    record, result = read.results.get(tool_id, (None, {}))
    asked = next((r for r in message.records if block in items(r.message.get("content"))), message.records[-1])
    said = record.tool_result if record else {}
    lasted = seconds(said.get("durationMs") or said.get("totalDurationMs"), 1000)
    wrong = result.get("is_error") is True
    searches = sum(1 for one in mappings(said.get("results")) if one.get("tool_use_id"))
    return ToolCall(
        name=text(block.get("name")),
        tool_id=tool_id,
        status="error" if wrong else "ok" if record else "cut",
        error=_told(result.get("content"))[:500] if wrong else None,
        started_at=asked.at,
        duration_s=lasted if lasted is not None else span_s(asked.at, record.at if record else None),
        call_id=message.name,
        billed={"web_searches": searches} if searches else {},
    )


def _told(content: object) -> str:
    """Return a message's content in words."""
    if isinstance(content, str):
        return content
    return "\n".join(text(part.get("text")) for part in mappings(content) if text(part.get("text")))


def _with_hidden(read: _Reading, steps: list[Step]) -> list[Step]:
    """Mark calls after which the client called a model that left no record: tools of that kind, and compactions."""
    unseen: dict[int, str] = {}
    for place, step in enumerate(steps):
        names = {tool.name for tool in step.tools if tool.status == "ok"} & _HIDDEN
        if names:
            unseen[place] = ", ".join(sorted(names))
    for record in read.records:
        if record.role == "compacted":
            times = [p for p, s in enumerate(steps) if s.started_at and record.at and s.started_at <= record.at]
            if times:
                unseen[times[-1]] = "compaction"
    marked = list(steps)
    for place, what in unseen.items():
        step = marked[place]
        call = step.calls[0]
        note = UsageWarning("hidden_call", what, "it calls a model whose usage is not in the transcript")
        call = replace(call, bounds=(*call.bounds, "unmetered"), warnings=(*call.warnings, note))
        marked[place] = replace(step, calls=(call, *step.calls[1:]))
    return marked


def _agents(read: _Reading, steps: list[Step]) -> tuple[tuple[AgentNode, ...], list[Step]]:
    """Return the agents, each under the step whose tool call started it, and the steps with that parent."""
    by_tool = {tool.tool_id: step for step in steps for tool in step.tools}
    nodes: dict[str, AgentNode] = {}
    for step in steps:
        if step.agent in nodes:
            continue
        own = [record for record in read.records if record.agent == step.agent]
        named = next((r.agent_name for r in own if r.agent_name), "")
        tool = next((r.started_by for r in own if r.started_by), "") or _starter(read, step.agent, own)
        started = by_tool.get(tool)
        started = started if started and started.agent != step.agent else None
        model = next((s.calls[0].model for s in steps if s.agent == step.agent and s.calls[0].model), None)
        name = named or _asked(read, tool).get("subagent_type") or ("Claude Code" if step.agent == MAIN else step.agent)
        nodes[step.agent] = AgentNode(
            step.agent, text(name), started.agent if started else None, started.step_id if started else None, model
        )
    parents = {node.node: node.parent_step for node in nodes.values()}
    _unseen_agents(read, nodes)
    return tuple(nodes.values()), [replace(step, parent=parents[step.agent]) for step in steps]


def _asked(read: _Reading, tool_id: str) -> Foreign:
    """Return the input of a tool call."""
    for record in read.records if tool_id else ():
        for block in mappings(record.message.get("content")):
            if block.get("type") == "tool_use" and block.get("id") == tool_id:
                return mapping(block.get("input"))
    return {}


def _starter(read: _Reading, agent: str, own: list[Record]) -> str:
    """Return the tool call that started a sub-agent: its result names the agent, or its prompt is the agent's first."""
    if agent == MAIN:
        return ""
    for tool_id, (record, _) in read.results.items():
        if record.tool_result.get("agentId") == agent:
            return tool_id
    prompt = next((_told(r.message.get("content")) for r in own if r.role == "user"), "")
    for record in read.records:
        for block in mappings(record.message.get("content")) if record.role == "assistant" else ():
            if prompt and record.agent != agent and mapping(block.get("input")).get("prompt") == prompt:
                return text(block.get("id"))
    return ""


def _unseen_agents(read: _Reading, nodes: dict[str, AgentNode]) -> None:
    """Name sub-agents whose own calls are in another file: their totals are told here, and not added."""
    for record, _ in read.results.values():
        agent, total = text(record.tool_result.get("agentId")), record.tool_result.get("totalTokens")
        if total is not None and agent not in nodes and (agent or len(nodes) < 2):
            told = f"a sub-agent's calls are not in this file (it ended at {total} tokens): import its own file too"
            read.warnings.append(UsageWarning("subagent_elsewhere", agent or f"line {record.line}", told))


def _task(read: _Reading) -> str:
    for record in read.records:
        said = _told(record.message.get("content")) if record.role == "user" and not record.meta else ""
        said = _ASIDE.sub("", said).strip()
        if said and not said.startswith(("Caveat:", _INTERRUPTED)):
            return said[:20_000]
    return ""


def _answer(messages: list[_Message]) -> str | None:
    for message in reversed(messages):
        if message.records[0].agent == messages[0].records[0].agent and not message.records[0].is_error:
            said = _told([block for block in message.blocks if block.get("type") == "text"])
            if said:
                return said
    return None


def _state(read: _Reading, steps: list[Step]) -> str:
    """Return how a session ended, as far as its last words tell."""
    if not steps:
        return "cut"
    lead = [step for step in steps if step.agent == steps[0].agent]
    last = [r for r in read.records if r.agent == steps[0].agent and r.role in ("user", "assistant")][-1]
    if _told(last.message.get("content")).startswith(_INTERRUPTED):
        return "stopped"
    if lead[-1].calls[0].status == "error":
        return "failed"
    return "success" if last.role == "assistant" and not lead[-1].tools else "cut"


def _placeholders(steps: list[Step]) -> list[UsageWarning]:
    short = sum("placeholder_output" in call.bounds for step in steps for call in step.calls)
    if not short:
        return []
    told = f"{short} of {len(steps)} calls have only the stream's opening figure as output"
    return [UsageWarning("placeholder_output", "output_tokens", told)]
