"""What of several runs counts: a call that two of them hold (a fork, a resumed session) counts in one of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from costlab.cost import Cost, RunCost
from costlab.runs import ModelCall, Run, Step, ToolCall


@dataclass(frozen=True, slots=True)
class OwnStep:
    """A step with what it has of its own: calls with their costs, and the tool calls that they asked for."""

    step: Step
    calls: tuple[tuple[ModelCall, Cost], ...]
    tools: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class Own:
    """A run with the steps that are its own; `inherited` calls belong to another run and count there."""

    run: Run
    steps: tuple[OwnStep, ...]
    inherited: int = 0

    @property
    def calls(self) -> tuple[tuple[ModelCall, Cost], ...]:
        """Return the run's own calls with their costs, in order."""
        return tuple(pair for step in self.steps for pair in step.calls)

    @property
    def tools(self) -> tuple[ToolCall, ...]:
        """Return the run's own tool calls in order."""
        return tuple(tool for step in self.steps for tool in step.tools)


def own_of(priced: Iterable[RunCost]) -> tuple[Own, ...]:
    """Return what each run has of its own, in order.

    A call marked as inherited, or whose origin an earlier run of these holds, is left out with its tools; a step of
    which no call remains is left out too.
    """
    seen: set[str] = set()
    found = []
    for one in priced:
        found.append(_own(one, seen))
        seen |= {call.origin for call in one.run.calls if call.origin and call.inherited_from is None}
    return tuple(found)


def _own(priced: RunCost, seen: set[str]) -> Own:
    waiting = iter(priced.costs)
    steps, inherited = [], 0
    for step in priced.run.steps:
        pairs = [(call, next(waiting)) for call in step.calls]
        mine = tuple(pair for pair in pairs if pair[0].inherited_from is None and pair[0].origin not in seen)
        inherited += len(pairs) - len(mine)
        if pairs and not mine:
            continue
        gone = {call.call_id for call, _ in pairs} - {call.call_id for call, _ in mine}
        steps.append(OwnStep(step, mine, tuple(t for t in step.tools if t.call_id is None or t.call_id not in gone)))
    return Own(priced.run, tuple(steps), inherited)
