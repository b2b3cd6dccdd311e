"""A tree of spans becomes a run: what every tracing format shares, once its own words are read.

Steps are the instrumentation's own where it has them (smolagents: `Step 3`), else each model call opens one and the
tools after it belong to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from costlab.importers.fields import span_s
from costlab.importers.span_tree import Span, Traced, when
from costlab.runs import AgentNode, ModelCall, Run, Step
from costlab.usage import UsageWarning


@dataclass(slots=True)
class _Turn:
    """One step while it is gathered."""

    agent: str
    first: Span
    spans: list[Span] = field(default_factory=list)
    own: Span | None = None  # the instrumentation's own step span
    kind: str = "action"


def run_of(tree: Traced, run: Run) -> Run:
    """Return `run` (its id, source and what else the format knows) with the tree's agents, steps and state."""
    places = _places(tree)
    turns = _turns(tree, places)
    steps = tuple(_step(tree, turn, number) for turn, number in _numbered(turns))
    by_span = {span.span_id: step.step_id for turn, step in zip(turns, steps, strict=True) for span in _all(turn)}
    nodes = _nodes(tree, places, by_span)
    parents = {node.node: node.parent_step for node in nodes}
    steps = tuple(replace(step, parent=parents.get(step.agent)) for step in steps)
    root = _root(tree)
    tops = [tree.spans[one] for one in tree.children.get(None, [])]
    started = min((s.started_at for s in tree.spans.values() if s.started_at), default=None)
    ended = max((s.ended_at for s in tree.spans.values() if s.ended_at), default=None)
    asked = next((s.task for s in sorted(tree.spans.values(), key=when) if s.task), "")
    return replace(
        run,
        task=run.task or asked,
        agent=run.agent or (nodes[0].name if nodes else ""),
        started_at=run.started_at or started,
        duration_s=run.duration_s if run.duration_s is not None else span_s(started, ended),
        state=_state(tree, tops, steps),
        answer=run.answer if run.answer is not None else root.answer if root else None,
        steps=steps,
        agents=nodes,
        merged_records=run.merged_records + tree.merged,
        warnings=(*run.warnings, *tree.warnings),
    )


def _root(tree: Traced) -> Span | None:
    tops = [tree.spans[one] for one in tree.children.get(None, [])]
    return next((s for s in tops if s.kind in ("agent", "other")), tops[0] if tops else None)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a span stands: its agent's node, and the instrumentation's own step of that agent around it."""

    agent: str
    step: str | None = None


def _places(tree: Traced) -> dict[str, _Place]:
    """Return for each span, in order of time, its agent (the nearest above or itself, else 'agent') and own step.

    An agent's span without a call or tool under it is no agent of its own: streamed smolagents runs close it before
    their first call, which then stands beside it.
    """
    working: set[str] = set()
    for span_id, span in tree.spans.items():
        if span_id in tree.counted or span.kind == "tool":
            working.add(span_id)
            for above in tree.up(span_id):
                if above in working:
                    break
                working.add(above)
    places: dict[str, _Place] = {}
    stack = [(one, _Place("agent")) for one in tree.children.get(None, [])]
    while stack:
        span_id, place = stack.pop()
        kind = tree.spans[span_id].kind
        if kind == "agent" and span_id in working:
            place = _Place(span_id)
        elif kind == "step":
            place = _Place(place.agent, span_id)
        places[span_id] = place
        stack.extend((child, place) for child in tree.children.get(span_id, []))
    return {span_id: places[span_id] for span_id in sorted(tree.spans, key=lambda one: when(tree.spans[one]))}


def _turns(tree: Traced, places: dict[str, _Place]) -> list[_Turn]:
    members = [tree.spans[one] for one in places if one in tree.counted or tree.spans[one].kind == "tool"]
    stepped = {place.agent for one, place in places.items() if tree.spans[one].kind == "step"}
    turns: list[_Turn] = []
    by_own: dict[str, _Turn] = {}
    by_call: dict[str, _Turn] = {}
    latest: dict[str, _Turn] = {}
    for span in members:
        place = places[span.span_id]
        turn = by_own.get(place.step) if place.step else None
        if turn is None and place.step is None and span.kind == "tool":
            turn = by_call.get(span.parent_id or "") or latest.get(place.agent)
        if turn is None:
            turn = _Turn(place.agent, span, own=tree.spans[place.step] if place.step else None)
            if place.step is None and place.agent in stepped and span.kind != "tool":
                turn.kind = "planning"
            turns.append(turn)
        turn.spans.append(span)
        latest[place.agent] = turn
        if place.step:
            by_own[place.step] = turn
        if span.kind != "tool":
            by_call[span.span_id] = turn
    return _with_answers(turns)


def _with_answers(turns: list[_Turn]) -> list[_Turn]:
    """Name a call of the agent itself after its last step: the answer that it was made to give."""
    last = {turn.agent: turn for turn in turns}
    acted = {turn.agent for turn in turns if turn.own is not None}
    for turn in last.values():
        if turn.kind == "planning" and turn.agent in acted:
            turn.kind = "final_answer"
    return turns


def _numbered(turns: list[_Turn]) -> Iterable[tuple[_Turn, int]]:
    reached: dict[str, int] = {}
    for turn in turns:
        stated = turn.own.step_number if turn.own else None
        number = stated if stated is not None else reached.get(turn.agent, 0) + 1
        reached[turn.agent] = number
        yield turn, number


def _all(turn: _Turn) -> list[Span]:
    return [*turn.spans, turn.own] if turn.own else turn.spans


def _step(tree: Traced, turn: _Turn, number: int) -> Step:
    spans = _all(turn)
    calls = [_call(tree, span) for span in turn.spans if span.kind != "tool"]
    started = min((s.started_at for s in spans if s.started_at), default=None)
    ended = max((s.ended_at for s in spans if s.ended_at), default=None)
    asked = calls[-1].call_id if calls else None
    used = [span.tool for span in turn.spans if span.kind == "tool" and span.tool]
    tools = [replace(tool, call_id=tool.call_id or asked) for tool in used]
    return Step(
        step_id=f"s-{turn.first.span_id}",
        number=number,
        kind=turn.kind,
        agent=turn.agent,
        started_at=started,
        duration_s=span_s(started, ended),
        error=next((s.error for s in [turn.own, *turn.spans] if s and s.kind != "tool" and s.error), None),
        calls=tuple(calls),
        tools=tuple(tools),
    )


def _call(tree: Traced, span: Span) -> ModelCall:
    """A counted span's call; an aggregate that stands in for its calls becomes one, of figures that nobody split."""
    if span.call is not None:
        return span.call
    inner = next((tree.spans[one].call for one in tree.under(span.span_id) if tree.spans[one].call), None)
    return ModelCall(
        call_id=span.span_id,
        provider=inner.provider if inner else "",
        model=inner.model if inner else "",
        counts=span.counts,
        usage_basis="estimated",
        started_at=span.started_at,
        duration_s=span_s(span.started_at, span.ended_at),
        origin=span.span_id,
        warnings=(UsageWarning("totals_only", span.name, "the sum of several calls, as the source has it"),),
    )


def _nodes(tree: Traced, places: dict[str, _Place], by_span: dict[str, str]) -> tuple[AgentNode, ...]:
    """Return the agents that did something, each under the nearest of them above it."""
    names = dict.fromkeys(place.agent for one, place in places.items() if one in by_span)
    return tuple(_node(tree, places, by_span, one, set(names)) for one in names)


def _node(tree: Traced, places: dict[str, _Place], by_span: dict[str, str], node: str, acting: set[str]) -> AgentNode:
    models = (tree.spans[one].call for one, place in places.items() if place.agent == node)
    model = next((call.model for call in models if call and call.model), None)
    if node not in tree.spans:
        root = _root(tree)
        return AgentNode(node, (root.name if root else "") or "agent", model=model)
    parent, above = None, tree.parent(node)
    while above is not None and parent not in acting:
        parent = places[above].agent
        above = tree.parent(parent) if parent in tree.spans else None
    parent = parent if parent in acting else None
    return AgentNode(node, tree.spans[node].name, parent, _started_in(tree, places, by_span, node, parent), model)


def _started_in(
    tree: Traced, places: dict[str, _Place], by_span: dict[str, str], node: str, parent: str | None
) -> str | None:
    """The step that started an agent: the one its span lies in, else its parent's latest before it."""
    for above in tree.up(node):
        if above in by_span:
            return by_span[above]
        if above == parent:
            break
    before = [
        by_span[one]
        for one, place in places.items()
        if place.agent == parent and one in by_span and when(tree.spans[one]) <= when(tree.spans[node])
    ]
    return before[-1] if before else None


def _state(tree: Traced, tops: list[Span], steps: tuple[Step, ...]) -> str:
    if any(span.error for span in tops):
        return "failed"
    calls = [call for step in steps for call in step.calls]
    if calls and calls[-1].status == "error":
        return "failed"
    limit = next((s.max_steps for s in tree.spans.values() if s.max_steps), None)
    acted = [step for step in steps if step.kind == "action"]
    answered = any(tool.name == "final_answer" for step in steps for tool in step.tools)
    if limit and len(acted) >= limit and not answered:
        return "max_steps"
    return "success"
