"""Claude Code sessions: `~/.claude/projects/<folder>/<session>.jsonl` and the sub-agents' own files beside them.

One run a session. Records that a resumed session copied from its parent stand in this file's run with their own
message ids, so that sums over both count them once. A sub-agent's file is a run under its session's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from costlab.errors import BadInput, NoRecording
from costlab.files import Source
from costlab.importers.claude_messages import MAIN, Record, build
from costlab.importers.documents import json_lines
from costlab.importers.fields import Foreign, mapping, moment, own_id, text
from costlab.runs import Run

FORMAT = "claude-code"
_SIDECHAIN = "sidechain"  # a sub-agent of a version that gave them no id
_TITLES = ("customTitle", "aiTitle", "summary", "title")


@dataclass(frozen=True, slots=True)
class _Line:
    """One line's record with the ids of the session and agent that it belongs to."""

    record: Record
    session: str
    version: str = ""


def sniff(head: bytes, name: str) -> bool:
    """Return whether a file begins like a Claude Code session."""
    first = head.lstrip()[:1] == b"{"
    marks = (b'"sessionId"', b'"parentUuid"', b'"isSidechain"', b'"file-history-snapshot"', b'"leafUuid"')
    named = b'"type":"summary"' in head.replace(b" ", b"") or b'"queue-operation"' in head
    return first and (sum(mark in head for mark in marks) > 1 or (named and b'"leafUuid"' in head))


def read(path: Source) -> list[Run]:
    """Return a run of each session in a file; raises BadInput naming file, line and field."""
    read_lines = json_lines(path)
    lines: list[_Line] = []
    titles: dict[str, str] = {}
    for number, one in read_lines.records:
        told = next((text(one.get(key)) for key in _TITLES if text(one.get(key))), "")
        if told and one.get("type") not in ("user", "assistant"):
            titles[text(one.get("leafUuid")) or text(one.get("sessionId"))] = told
        line = _line(number, one)
        if line is not None:
            lines.append(line)
    runs = []
    for session, parent, own in _runs(lines, path):
        uuids = {line.record.uuid for line in own}
        title = next((told for key, told in titles.items() if key in uuids or key == session), None)
        version = next((line.version for line in own if line.version), "")
        run = Run(
            run_id=own_id(FORMAT, session),
            parent_run_id=own_id(FORMAT, parent) if parent else None,
            title=title,
            source={"format": FORMAT, "file": path.name, **({"version": version} if version else {})},
            warnings=read_lines.warnings,
        )
        try:
            run = build([line.record for line in own], run)
        except BadInput as problem:
            raise problem.at(file=path.name) from None
        if run.calls:
            runs.append(run)
    if not runs:
        raise NoRecording("no model call in this session", file=path.name)
    return runs


def _line(number: int, one: Foreign) -> _Line | None:
    """Return a line as a record, or None for bookkeeping (snapshots, queues, hooks)."""
    kind = text(one.get("type"))
    agent = text(one.get("agentId"))
    session, version = text(one.get("sessionId")), text(one.get("version"))
    about = mapping(one.get("data"))
    inner = mapping(about.get("message"))
    if kind == "progress" and inner:  # a sub-agent's message, told to its parent as it goes
        record = _record(number, inner, text(about.get("agentId")) or "sub-agent")
        return _Line(replace(record, started_by=text(one.get("parentToolUseID"))), session, version)
    side = MAIN if one.get("isSidechain") is not True else agent or _SIDECHAIN
    if kind in ("user", "assistant"):
        return _Line(_record(number, one, side), session, version)
    role = "compacted" if kind == "system" and one.get("subtype") == "compact_boundary" else "other"
    if not text(one.get("uuid")):
        return None
    plain = Record(number, role, {}, side, text(one["uuid"]), _parent(one), moment(one.get("timestamp")))
    return _Line(plain, session, version)


def _parent(one: Foreign) -> str:
    return text(one.get("parentUuid"))


def _record(number: int, one: Foreign, agent: str) -> Record:
    return Record(
        line=number,
        role=text(one.get("type")) or text(mapping(one.get("message")).get("role")),
        message=mapping(one.get("message")),
        agent=agent,
        uuid=text(one.get("uuid")),
        parent=_parent(one),
        at=moment(one.get("timestamp")),
        request_id=text(one.get("requestId")),
        tool_result=mapping(one.get("toolUseResult")),
        is_error=one.get("isApiErrorMessage") is True,
        meta=one.get("isMeta") is True or one.get("isCompactSummary") is True,
        agent_name=text(one.get("agentName")),
    )


def _runs(lines: list[_Line], path: Source) -> Iterable[tuple[str, str, list[_Line]]]:
    """Yield (session, session that it belongs under, its lines): sessions linked by parents are one file's session."""
    groups = _linked(_with_sidechains(lines))
    for own in groups:
        ids = [line.session for line in own if line.session]
        called = [line.session for line in own if line.record.role == "assistant" and line.session]
        stem = path.name.partition(".")[0]
        session = stem if stem in ids else (called or ids or [stem])[-1]
        if any(line.record.agent == MAIN and line.record.role == "assistant" for line in own):
            yield session, "", own
            continue
        agents = dict.fromkeys(line.record.agent for line in own if line.record.role == "assistant")
        for agent in agents:
            alone = [replace(line, record=replace(line.record, started_by="")) for line in own]
            yield f"{session}-{agent}", session, [line for line in alone if line.record.agent == agent]


def _with_sidechains(lines: list[_Line]) -> list[_Line]:
    """Name sub-agents of older versions, which have no id of their own, by the root of their chain."""
    roots: dict[str, str] = {}
    named = []
    for line in lines:
        record = line.record
        if record.agent == _SIDECHAIN:
            root = roots.get(record.parent) or record.uuid or f"line-{record.line}"
            roots[record.uuid] = root
            record = replace(record, agent=root)
        named.append(replace(line, record=record))
    return named


def _linked(lines: list[_Line]) -> list[list[_Line]]:
    """Group lines by session; sessions that share a chain of parents are one."""
    leader: dict[str, str] = {}

    def find(session: str) -> str:
        while leader.setdefault(session, session) != session:
            session = leader[session]
        return session

    of_uuid = {line.record.uuid: line.session for line in lines if line.record.uuid and line.session}
    last = ""
    for line in lines:
        session = line.session or last
        above = of_uuid.get(line.record.parent)
        if session and above:
            leader[find(session)] = find(above)
        last = session
    groups: dict[str, list[_Line]] = {}
    last = next((line.session for line in lines if line.session), "")
    for line in lines:
        last = line.session or last
        groups.setdefault(find(last) if last else "", []).append(line)
    return list(groups.values())
