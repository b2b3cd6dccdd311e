"""The memory of a smolagents agent, and of the agents that it manages, becomes a run.

A managed agent clears its memory each time that it is called, and nothing of it stands in its manager's: what is not
there is the bound `unmetered` on the call that asked for it. Smolagents keeps no retries at all.
Sources: smolagents `agents.py` (`RunResult`, `run`, `__call__`), `monitoring.py` and the default prompts.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from costlab.importers import smolagents_steps as steps_
from costlab.importers.fields import Contents, Foreign, mapping, mappings, number, span_s, text
from costlab.importers.smolagents_steps import SIDES, Served
from costlab.runs import AgentNode, Run, Step
from costlab.usage import UsageWarning

ELSEWHERE = "custom-endpoint"  # who serves a model at an address that CostLab does not know
_TEAM = re.compile(r"You can also give tasks to team members\.(.{0,200000}?)(?:Here are the rules|\Z)", re.DOTALL)
_MEMBER = re.compile(r"^ *(?:def (\w+)\(task: str|- (\w+): )", re.MULTILINE)
_REPORT = re.compile(r"Here is the final answer from your managed agent '(\w+)'")
_REPEATS = re.compile(r"\b(for|while|def|lambda|map)\b")


@dataclass(frozen=True, slots=True)
class Memory:
    """One agent's memory: its steps as `get_full_steps()` has them, and what else is known of the agent.

    `team` are managed agents as far as their memory is there. `total` is what smolagents says that the steps used,
    `without_plans` where that leaves planning out, as an agent's monitor does.
    """

    steps: tuple[Foreign, ...]
    name: str = ""
    served: Served = field(default_factory=Served)
    team: tuple[Memory, ...] = ()
    total: Foreign = field(default_factory=dict)
    without_plans: bool = False


@dataclass(slots=True)
class _Reading:
    """A run while it is built."""

    contents: Contents = field(default_factory=Contents)
    steps: list[Step] = field(default_factory=list)
    nodes: list[AgentNode] = field(default_factory=list)
    warnings: list[UsageWarning] = field(default_factory=list)


def build(memory: Memory, run: Run) -> Run:
    """Return `run` with the steps, calls, tools and agents of a memory; raises BadInput naming the field."""
    read = _Reading()
    _walk(read, memory, AgentNode("agent", memory.name or _class(memory)))
    begins = run.started_at or min((s.started_at for s in read.steps if s.started_at), default=None)
    ends = max((at for one in memory.steps if (at := steps_.end(one))), default=None)
    tasks = [text(one.get("task")) for one in memory.steps if steps_.is_task(one)]
    return replace(
        run,
        task=run.task or "\n\n".join(tasks)[:20_000],
        agent=run.agent or read.nodes[0].name,
        started_at=begins,
        duration_s=run.duration_s if run.duration_s is not None else span_s(begins, ends),
        steps=tuple(read.steps),
        agents=tuple(read.nodes),
        contents={**run.contents, **read.contents.by_hash},
        warnings=(*run.warnings, *read.warnings, *_not_kept(read.steps)),
    )


def identity(memory: Memory) -> str:
    """Return what names a run that has no id of its own: its tasks, its steps' times and figures, however exported."""
    seen = [
        [one.get("task"), mapping(one.get("timing")).get("start_time"), steps_.stated(one, f"steps.{place}")]
        for place, one in enumerate(memory.steps)
    ]
    return hashlib.sha256(steps_.canonical(seen)).hexdigest()[:16]


def state_of(memory: Memory) -> str:
    """Return how a run ended, where no RunResult says it."""
    acted = [one for one in memory.steps if not steps_.is_task(one) and steps_.kind_of(one) != "planning"]
    if not acted:
        return "cut"
    if steps_.at_limit(acted[-1]):
        return "max_steps"
    if acted[-1].get("is_final_answer") is True:
        return "success"
    return "cut" if acted[-1].get("model_output_message") is not None else "failed"


def answer_of(memory: Memory) -> str | None:
    """Return what the last step put out, if it ended the run."""
    last = memory.steps[-1] if memory.steps else {}
    said = last.get("action_output")
    if said is None and steps_.tool_names(last) == ["final_answer"]:
        said = last.get("observations")  # a ToolCallingAgent keeps it there alone
    return steps_.words(said) if _ends(last) and said is not None else None


def _ends(one: Foreign) -> bool:
    return one.get("is_final_answer") is True or steps_.at_limit(one)


def _class(memory: Memory) -> str:
    coded = any(one.get("code_action") or steps_.CODE_TOOL in steps_.tool_names(one) for one in memory.steps)
    return "CodeAgent" if coded else "ToolCallingAgent"


def _walk(read: _Reading, memory: Memory, me: AgentNode) -> None:
    """Add an agent and its steps; a managed agent's follow the step that started it."""
    answered = next((said for one in memory.steps if (said := text(steps_.body_of(one).get("model")))), "")
    read.nodes.append(replace(me, model=memory.served.who(answered)[1] or None))
    team = {other.name: other for other in memory.team if other.steps}
    members = {other.name for other in memory.team} | set(_members(memory))
    number_ = 0
    for place, one in enumerate(memory.steps):
        if steps_.is_task(one):
            continue
        stated = one.get("step_number")
        number_ = stated if isinstance(stated, int) and not isinstance(stated, bool) and stated > 0 else number_ + 1
        own = Step(f"{me.node}-{place}", number_, steps_.kind_of(one), me.node, me.parent_step)
        step = steps_.step_of(one, own, memory.served, read.contents)
        inside = {who: other for who, other in team.items() if _within(one, other)}
        read.steps.append(_with_unseen(step, _called(one, members), {who: _runs(o) for who, o in inside.items()}))
        for who, other in inside.items():
            del team[who]
            _walk(read, other, AgentNode(f"{me.node}.{who}", who, me.node, step.step_id))
    for who in team:  # it was not called in this run: what it remembers is of an earlier one
        read.warnings.append(UsageWarning("managed_agent", who, "its memory is not of this run, and is left out"))
    _compare(read, memory, me.node)


def _members(memory: Memory) -> Iterator[str]:
    """Yield the names of managed agents that a memory tells of: in the system prompt, and in their reports."""
    for one in memory.steps:
        yield from _REPORT.findall(text(one.get("observations")))
        for message in mappings(one.get("model_input_messages"))[:1]:
            for told in _TEAM.findall(steps_.words(message.get("content"))):
                yield from (name for pair in _MEMBER.findall(told) for name in pair if name)


def _called(one: Foreign, members: set[str]) -> Mapping[str, float]:
    """Return how often a step calls each managed agent: infinitely where its code may repeat the call."""
    code = text(one.get("code_action"))
    if not code:
        return Counter(name for name in steps_.tool_names(one) if name in members)
    found = {who: float(len(re.findall(rf"\b{re.escape(who)}\s*\(", code))) for who in members}
    again = float("inf") if _REPEATS.search(code) else 1
    return {who: times * again for who, times in found.items() if times}


def _within(one: Foreign, other: Memory) -> bool:
    """Whether a managed agent's memory began during a step."""
    begins = next((at for inner in other.steps if (at := steps_.start(inner))), None)
    start, end = steps_.start(one), steps_.end(one)
    return bool(begins and start and start <= begins and (end is None or begins <= end))


def _runs(memory: Memory) -> int:
    """Return how many runs a memory holds: parallel calls of one agent share it."""
    return max(1, sum(_ends(one) for one in memory.steps))


def _with_unseen(step: Step, called: Mapping[str, float], known: Mapping[str, int]) -> Step:
    """Mark a step's call where it started managed agents whose own calls are not there."""
    missing = {who: times for who, times in called.items() if times > known.get(who, 0)}
    notes = []
    for who, times in missing.items():
        runs = (
            "its runs, of which the code may start several"
            if times == float("inf")
            else f"the {times:.0f} started here"
        )
        told = f"the model calls of {known.get(who, 0)} of {runs} are kept"
        notes.append(UsageWarning("managed_agent", who, told))
    return _marked(step, notes) if notes else step


def _marked(step: Step, notes: list[UsageWarning]) -> Step:
    call = step.calls[0]
    bounds = tuple(dict.fromkeys((*call.bounds, "unmetered")))
    return replace(step, calls=(replace(call, bounds=bounds, warnings=(*call.warnings, *notes)),))


def _compare(read: _Reading, memory: Memory, node: str) -> None:
    """Compare smolagents' own total with the sum of its steps; what only the total has, no call here has."""
    counted = [
        steps_.stated(one, f"steps.{place}")
        for place, one in enumerate(memory.steps)
        if not steps_.is_task(one) and not (memory.without_plans and steps_.kind_of(one) == "planning")
    ]
    own = [place for place, step in enumerate(read.steps) if step.agent == node]
    for place, side in enumerate(SIDES):
        stated = number(memory.total.get(side), f"token_usage.{side}")
        summed = sum(figures[place] or 0 for figures in counted)
        if stated is None or stated == summed:
            continue
        note = UsageWarning("total_differs", side, f"the run's own total is {stated}, its steps sum to {summed}")
        if stated > summed and own:
            read.steps[own[-1]] = _marked(read.steps[own[-1]], [note])
        else:
            read.warnings.append(note)


def _not_kept(steps: list[Step]) -> Iterator[UsageWarning]:
    """Say what no smolagents memory has."""
    told = "smolagents keeps no retries: a try that failed and was billed all the same is not in it"
    yield UsageWarning("attempts_not_recorded", "attempts", told)
    calls = [call for step in steps for call in step.calls]
    if any(call.counts and set(call.raw_usage or ()) == set(SIDES) for call in calls):
        told = "smolagents keeps totals only: cached input is priced in full, as if none of it had been cached"
        yield UsageWarning("cache_unknown", "input_tokens", told)
    if any(call.provider == ELSEWHERE for call in calls):
        told = "the model was served at an address without a known price list: name its provider"
        yield UsageWarning("provider_unknown", "provider", told)
