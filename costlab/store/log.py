"""A run as the events of a recording and back; docs/recordings.md tells the format event by event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from costlab.errors import BadInput
from costlab.files import Source, json_lines, parse_json, write_atomic
from costlab.runs import AgentNode, Attempt, Content, ModelCall, Run, Step, ToolCall
from costlab.store.living import alive
from costlab.store.record import MAX_DEPTH, Event, build, dumps, record
from costlab.usage import UsageWarning

FORMAT, VERSION = "costlab.recording", 1
MAX_BYTES = 256 * 2**20
_HEAD_BYTES = 16 * 2**20
TAIL = ("state", "duration_s", "answer")  # known only at the end
AMENDED = ("correct", "title")
_APART = ("steps", "agents", "contents", *TAIL)


def header(run: Run, writer: Mapping[str, int] | None = None) -> Event:
    """Return the first event of a recording; `writer` says which process will append the rest."""
    return {
        "event": "header",
        "format": FORMAT,
        "version": VERSION,
        **({"writer": dict(writer)} if writer else {}),
        "run": record(run, without=_APART),
    }


def content_event(content: Content) -> Event:
    """Return the event of a message, tool definition or output."""
    return {"event": "content", "sha256": content.sha256, "kind": content.kind, "value": content.value}


def step_open(step: Step) -> Event:
    """Return the event that opens a step."""
    return {"event": "step_open", **record(step, without=("calls", "tools", "error", "duration_s"))}


def step_end(step_id: str, error: str | None, duration_s: float | None) -> Event:
    """Return the event that closes a step."""
    return {"event": "step", "step_id": step_id, "error": error, "duration_s": duration_s}


ASKED = ("messages", "tools")  # what a `call` may leave to its `call_open`: the longest of what both know


def inside(kind: str, step_id: str, what: ModelCall | ToolCall, without: tuple[str, ...] = ()) -> Event:
    """Return the event of a call or tool of a step. Inheritance is worked out on reading and not written."""
    if kind == "call_open":
        without = ("status", *without)
    return {"event": kind, "step_id": step_id, **record(what, without=("inherited_from", *without))}


def end(run: Run) -> Event:
    """Return the last event of a run."""
    return {"event": "end", **{name: getattr(run, name) for name in TAIL}}


def end_notes(run: Run) -> Event:
    """Return the warnings that a live run's end adds to those of its header, if there are any."""
    return record(Run("", warnings=run.warnings), without=("run_id",)) if run.warnings else {}


def events(run: Run) -> Iterator[Event]:
    """Yield the events of a run in the order of a recording. Nobody will go on with a copy: what runs in it is cut."""
    run = settled(run)
    ids = [call.call_id for call in run.calls]
    if len(set(ids)) < len(ids):
        twice = next(one for place, one in enumerate(ids) if one in ids[:place])
        raise BadInput(f"run {run.run_id!r} has two calls {twice!r}"[:200], field="call_id")
    yield header(run)
    for content in run.contents.values():
        yield content_event(content)
    for node in run.agents:
        yield {"event": "agent", **record(node)}
    for step in run.steps:
        yield step_open(step)
        for call in step.calls:
            yield inside("call", step.step_id, call)
        for tool in step.tools:
            yield inside("tool", step.step_id, tool)
        yield step_end(step.step_id, step.error, step.duration_s)
    yield end(run)


def settled(run: Run) -> Run:
    """Return a run with `cut` where it says `running`: the run itself, and calls that are open."""
    if run.state != "running" and all(call.status != "running" for call in run.calls):
        return run
    steps = (
        replace(s, calls=tuple(replace(c, status="cut") if c.status == "running" else c for c in s.calls))
        for s in run.steps
    )
    return replace(run, state="cut" if run.state == "running" else run.state, steps=tuple(steps))


def encoded(run: Run) -> bytes:
    """Return a run as the bytes of its recording; raises BadInput for what cannot be stored."""
    return b"".join(dumps(event) for event in events(run))


def write(run: Run, path: Path) -> None:
    """Write a run whole: afterwards the file is the old one or the new one, never half of one."""
    write_atomic(path, encoded(run))


def read(path: Source) -> Run:
    """Return the run of a recording; a torn last line is tolerated. Raises BadInput naming file, line and field.

    Without an `end` the run was cut, unless its writer still lives; a call that was opened and never closed is cut.
    """
    builder = _Builder(str(path))
    for place, event, torn in json_lines(path, MAX_BYTES, max_depth=MAX_DEPTH):
        if torn:
            builder.note("torn_line", f"line {place} was cut off and is left out")
            break
        try:
            builder.take(event)
        except BadInput as error:
            raise error.at(file=str(path), line=place) from None
    return builder.run()


@dataclass
class _Steps:
    """Steps as they grow: a call keeps the place that it took when it was opened, as its event while it is open."""

    steps: list[Step] = field(default_factory=list)
    calls: list[list[ModelCall | Event]] = field(default_factory=list)
    tools: list[list[ToolCall]] = field(default_factory=list)
    place: dict[str, int] = field(default_factory=dict)
    opened: dict[str, tuple[int, int]] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)  # ids of calls: money is summed by them

    def open(self, event: Event) -> None:
        step: Step = build(Step, {k: v for k, v in event.items() if k not in ("calls", "tools")})
        self.place[step.step_id] = len(self.steps)
        self.steps.append(step)
        self.calls.append([])
        self.tools.append([])

    def of(self, event: Event) -> int:
        found = self.place.get(str(event.get("step_id")))
        if found is None:
            raise BadInput(f"step {event.get('step_id')!r} was never opened"[:120], field="step_id")
        return found

    def call(self, event: Event, still_open: bool) -> None:
        at, call_id = self.of(event), str(event.get("call_id"))
        call = _call(event)
        if call_id in self.known and (still_open or call_id not in self.opened):
            raise BadInput(f"there is a call {call_id!r} already"[:120], field="call_id")
        self.known.add(call_id)
        if still_open:
            self.opened[call_id] = (at, len(self.calls[at]))
            self.calls[at].append(event)
        elif call_id in self.opened:
            at, place = self.opened.pop(call_id)
            opened = _call(self._event(at, place))
            known = {name: getattr(call, name) or getattr(opened, name) for name in ("attempts", *ASKED)}
            self.calls[at][place] = replace(call, **known)
        else:
            self.calls[at].append(call)

    def _event(self, at: int, place: int) -> Event:
        event = self.calls[at][place]
        assert isinstance(event, dict)
        return event

    def attempt(self, event: Event) -> None:
        where = self.opened.get(str(event.get("call_id")))
        if where is None:
            raise BadInput(f"call {event.get('call_id')!r} is not open"[:120], field="call_id")
        build(Attempt, event)
        at, place = where
        call = self._event(at, place)
        self.calls[at][place] = {**call, "attempts": [*call.get("attempts", ()), event]}

    def done(self, status: str) -> tuple[Step, ...]:
        return tuple(
            replace(
                step,
                calls=tuple(_unfinished(c, status) if isinstance(c, dict) else c for c in calls),
                tools=tuple(tools),
            )
            for step, calls, tools in zip(self.steps, self.calls, self.tools, strict=True)
        )


def _call(event: Event) -> ModelCall:
    call: ModelCall = build(ModelCall, {"counts": {}, **event, "inherited_from": None})
    return call


def _unfinished(event: Event, status: str) -> ModelCall:
    """Return a call that was opened and never closed: what was served is a lower bound."""
    call = _call(event)
    basis = call.usage_basis if call.counts else "unknown"
    return replace(call, status=status, usage_basis=basis, bounds=tuple(dict.fromkeys((*call.bounds, "cut"))))


@dataclass
class _Builder:
    file: str
    head: Run | None = None
    writer: object = None
    contents: dict[str, Content] = field(default_factory=dict)
    agents: list[AgentNode] = field(default_factory=list)
    steps: _Steps = field(default_factory=_Steps)
    ended: dict[str, Any] | None = None
    amended: dict[str, Any] = field(default_factory=dict)
    notes: list[UsageWarning] = field(default_factory=list)

    def note(self, code: str, detail: str) -> None:
        self.notes.append(UsageWarning(code, "recording", detail))

    def take(self, event: Any) -> None:
        if not isinstance(event, dict) or not isinstance(event.get("event"), str):
            raise BadInput("each line must be an object with an 'event'", field="event")
        kind = event["event"]
        if self.head is None:
            self._header(kind, event)
        elif kind == "content":
            content = build(Content, event)
            self.contents[content.sha256] = replace(content, value=event["value"])  # as it is: nothing is decoded
        elif kind == "agent":
            self.agents.append(build(AgentNode, event))
        elif kind == "end":
            self.ended = _checked(event, TAIL)
            self.notes += _checked(event, ("warnings",)).get("warnings", ())
        elif kind == "amend":
            self.amended |= _checked(event, AMENDED)
        elif not self._of_step(kind, event):
            self.note("unknown_event", f"events of kind {kind[:40]!r} are left out")

    def _of_step(self, kind: str, event: Event) -> bool:
        if kind == "step_open":
            self.steps.open(event)
        elif kind in ("call_open", "call"):
            self.steps.call(event, kind == "call_open")
        elif kind == "attempt":
            self.steps.attempt(event)
        elif kind == "tool":
            self.steps.tools[self.steps.of(event)].append(build(ToolCall, event))
        elif kind == "step":
            at = self.steps.of(event)
            shown = build(Step, {"number": 0, "kind": "", **event})
            self.steps.steps[at] = replace(self.steps.steps[at], error=shown.error, duration_s=shown.duration_s)
        else:
            return False
        return True

    def _header(self, kind: str, event: Event) -> None:
        if kind != "header" or event.get("format") != FORMAT:
            raise BadInput("does not begin with the header of a CostLab recording", field="event")
        version = event.get("version")
        if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= VERSION:
            raise BadInput(f"is of format version {version!r}; this CostLab reads up to {VERSION}", field="version")
        if not isinstance(event.get("run"), dict):
            raise BadInput("must be an object", field="run")
        self.head = build(Run, {k: v for k, v in event["run"].items() if k not in _APART})
        self.writer = event.get("writer")

    def run(self) -> Run:
        if self.head is None:
            raise BadInput("is empty: a recording begins with its header", file=self.file, line=1)
        living = self.ended is None and alive(self.writer)
        status = "running" if living else "cut"
        tail = self.ended if self.ended is not None else {"state": status}
        return replace(
            self.head, contents=self.contents, agents=tuple(self.agents), steps=self.steps.done(status),
            warnings=(*self.head.warnings, *dict.fromkeys(self.notes)), **{**tail, **self.amended},
        )  # fmt: skip


def head(path: Path) -> tuple[str, object] | None:
    """Return (run id, writer) as a recording's first line says; None where it is no such line. Raises OSError."""
    with path.open("rb") as source:
        line = source.readline(_HEAD_BYTES)
    try:
        event = parse_json(line, file=str(path), max_depth=MAX_DEPTH)
        if not isinstance(event, dict) or event.get("format") != FORMAT:
            return None
        run_id = event["run"]["run_id"]
    except (BadInput, KeyError, TypeError):
        return None
    return (run_id, event.get("writer")) if isinstance(run_id, str) else None


def _checked(event: Event, names: tuple[str, ...]) -> dict[str, Any]:
    """Return some fields of a run from an event, each of its type."""
    here = {name: event[name] for name in names if name in event}
    run = build(Run, {"run_id": "", **here})
    return {name: getattr(run, name) for name in here}
