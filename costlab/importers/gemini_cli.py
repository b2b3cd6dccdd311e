"""Gemini CLI sessions: one JSON file a chat (`session-*.json`), in newer versions one record a line.

Each answer has its own figures: `input` holds `cached`; `thoughts` and `tool` stand beside `output` and `input`, as in
the API's usageMetadata. A message that stands in the file again (a line that was written anew) counts once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from costlab.errors import BadInput, NoRecording
from costlab.files import Source
from costlab.importers.calls import metered, unmetered
from costlab.importers.documents import json_file, lines_of, text_of
from costlab.importers.fields import Contents, Foreign, first, mapping, mappings, moment, own_id, span_s, text
from costlab.runs import AgentNode, ModelCall, Run, Step, ToolCall
from costlab.usage import UsageWarning

FORMAT = "gemini-cli"
_NAMES = {
    "input": "promptTokenCount",
    "output": "candidatesTokenCount",
    "cached": "cachedContentTokenCount",
    "thoughts": "thoughtsTokenCount",
    "tool": "toolUsePromptTokenCount",
    "total": "totalTokenCount",
}
_STATUS = {"success": "ok", "error": "error", "cancelled": "cut"}


@dataclass(slots=True)
class _Chat:
    """What is known of a chat while its messages are read in order."""

    contents: Contents = field(default_factory=Contents)
    context: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    at: datetime | None = None


def sniff(head: bytes, name: str) -> bool:
    """Return whether a file begins like a Gemini CLI chat."""
    return head.lstrip()[:1] == b"{" and b'"sessionId"' in head and b'"projectHash"' in head


def read(path: Source) -> list[Run]:
    """Return the run of a chat; raises BadInput naming file, line and field."""
    about, messages, warnings = _parts(path)
    once: dict[str, Foreign] = {}
    for place, message in enumerate(messages):
        once[text(message.get("id")) or f"message-{place}"] = message
    chat = _Chat(at=moment(about.get("startTime")))
    for name, message in once.items():
        try:
            _take(chat, name, message)
        except BadInput as problem:
            theirs = (problem.field or "").rpartition(".")[2]
            ours = next((mine for mine, other in _NAMES.items() if other == theirs), theirs)
            raise BadInput(problem.problem, file=path.name, field=f"messages.{name}.tokens.{ours}") from None
    if not chat.steps:
        raise NoRecording("no answer of a model in this chat", file=path.name, field="messages")
    started = moment(about.get("startTime"))
    users = [text(m.get("content")) or _parts_text(m) for m in once.values() if m.get("type") == "user"]
    last = list(once.values())[-1]
    model = next((step.calls[0].model for step in chat.steps), None)
    return [
        Run(
            run_id=own_id(FORMAT, text(about.get("sessionId")) or path.stem),
            task=users[0][:20_000] if users else "",
            agent="Gemini CLI",
            started_at=started,
            duration_s=span_s(started, moment(about.get("lastUpdated")) or chat.at),
            state=_state(last),
            answer=text(last.get("content")) or None if last.get("type") == "gemini" else None,
            title=text(about.get("summary")) or None,
            steps=tuple(chat.steps),
            agents=(AgentNode("agent", "Gemini CLI", model=model),),
            source={"format": FORMAT, "file": path.name},
            contents=chat.contents.by_hash,
            merged_records=len(messages) - len(once),
            warnings=warnings,
        )
    ]


def _parts(path: Source) -> tuple[Foreign, list[Foreign], tuple[UsageWarning, ...]]:
    """Return a chat's head, its messages and what was odd about the file."""
    if path.suffix != ".jsonl":
        whole = json_file(path)
        if not isinstance(whole, dict):
            raise BadInput("a chat must be a JSON object", file=path.name)
        return whole, mappings(whole.get("messages")), ()
    lines = lines_of(text_of(path), path.name)
    head: dict[str, object] = {}
    messages: list[Foreign] = []
    for _, record in lines.records:
        if "sessionId" in record:
            head.update(record)
            messages += mappings(record.get("messages"))
        elif isinstance(record.get("$set"), dict):
            head.update(mapping(record["$set"]))
        elif "type" in record:
            messages.append(record)
    return head, messages, lines.warnings


def _parts_text(message: Foreign) -> str:
    return "\n".join(text(part.get("text")) for part in mappings(message.get("content")))


def _take(chat: _Chat, name: str, message: Foreign) -> None:
    at = moment(message.get("timestamp"))
    said = {"role": message.get("type"), "content": message.get("content")}
    if message.get("type") != "gemini":
        chat.context.append(chat.contents.add("message", said))
        chat.at = at or chat.at
        return
    model = text(message.get("model"))
    output = chat.contents.add("message", said | {"thoughts": message.get("thoughts")})
    call = ModelCall(
        call_id=name,
        provider="google",
        model=model,
        counts={},
        api="gemini",
        started_at=chat.at,
        duration_s=span_s(chat.at, at),
        messages=tuple(chat.context),
        output=(output,),
        origin=name,
    )
    tokens = mapping(message.get("tokens"))
    usage = {theirs: tokens[ours] for ours, theirs in _NAMES.items() if tokens.get(ours) is not None}
    call = metered(call, usage) if usage else unmetered(call)
    tools = tuple(_tool(one, at, name) for one in mappings(message.get("toolCalls")))
    number = len(chat.steps) + 1
    ended = max((t for t in (moment(o.get("timestamp")) for o in mappings(message.get("toolCalls"))) if t), default=at)
    chat.steps.append(
        Step(
            f"s-{name}",
            number,
            "action",
            started_at=chat.at,
            duration_s=span_s(chat.at, ended),
            calls=(call,),
            tools=tools,
        )
    )
    chat.context.append(output)
    results = [one.get("result") for one in mappings(message.get("toolCalls"))]
    chat.context += [chat.contents.add("message", {"role": "tool", "content": one}) for one in results if one]
    chat.at = ended or chat.at


def _tool(one: Foreign, asked: datetime | None, call_id: str) -> ToolCall:
    status = _STATUS.get(text(one.get("status")), "ok")
    return ToolCall(
        name=text(first(one, "name", "displayName")),
        tool_id=text(one.get("id")),
        status=status,
        error=(text(one.get("resultDisplay")) or "error")[:500] if status == "error" else None,
        started_at=asked,
        duration_s=span_s(asked, moment(one.get("timestamp"))),
        call_id=call_id,
    )


def _state(last: Foreign) -> str:
    if last.get("type") == "error":
        return "failed"
    done = last.get("type") == "gemini" and not mappings(last.get("toolCalls"))
    return "success" if done else "cut"
