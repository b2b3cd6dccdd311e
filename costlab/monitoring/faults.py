"""What went wrong, by kind, each as a share of what could have: and the tries of calls."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from costlab.cost import Cost
from costlab.monitoring.owned import Own, OwnStep
from costlab.monitoring.spreads import Amount
from costlab.runs import Attempt, ModelCall

# kind -> what it is counted among
FAULTS = {
    "failed_call": "model_calls",
    "cut_call": "model_calls",
    "tool_error": "tool_calls",
    "parse_error": "steps",
    "code_error": "steps",
    "step_error": "steps",
}
# smolagents' words and class names for an answer that cannot be read, and for model-written code that fails.
_PARSE = re.compile(
    r"AgentParsingError|Error while parsing|Error in code parsing|code snippet is invalid|token provided in your output"
)
_CODE = re.compile(r"AgentExecutionError|Code execution failed|InterpreterError")
_LIMIT = re.compile(r"Reached max steps|AgentMaxStepsError")  # how a run ended, no fault of the step


@dataclass(frozen=True, slots=True)
class Fault:
    """How often something of a kind went wrong: `count` of `n`; `among` says what `n` counts."""

    kind: str
    count: int
    n: int
    among: str

    @property
    def rate(self) -> float | None:
        """Return the share, 0 to 1; None where nothing could have gone wrong."""
        return self.count / self.n if self.n else None


@dataclass(frozen=True, slots=True)
class Attempts:
    """The tries of all calls; a call without a record of its tries counts as one.

    `tried_again` calls had more than one, and waited `waited_s` in all between their first and their last. The failed
    tries are split by whether they were billed. `wasted` is the money of calls that gave no whole answer: they failed
    or were cut after tokens had been spent.
    """

    n: int
    tried_again: int
    waited_s: float
    failed: int
    failed_billed: int
    failed_not_billed: int
    failed_unknown: int
    wasted: Amount


def faults_of(owned: Iterable[Own]) -> tuple[Fault, ...]:
    """Return the faults of runs, one of each kind of `FAULTS`; a step's error is counted once, as its nearest kind."""
    counts = dict.fromkeys(FAULTS, 0)
    among = {"model_calls": 0, "tool_calls": 0, "steps": 0}
    for own in owned:
        among["model_calls"] += len(own.calls)
        among["tool_calls"] += len(own.tools)
        among["steps"] += len(own.steps)
        for step in own.steps:
            counts["failed_call"] += sum(call.status == "error" for call, _ in step.calls)
            counts["cut_call"] += sum(was_cut(call, own) for call, _ in step.calls)
            counts["tool_error"] += sum(tool.status != "ok" for tool in step.tools)
            kind = error_of(step)
            if kind:
                counts[kind] += 1
    return tuple(Fault(kind, counts[kind], among[FAULTS[kind]], FAULTS[kind]) for kind in FAULTS)


def was_cut(call: ModelCall, own: Own) -> bool:
    """Return whether a call was cut off: also one that was never closed in a run that is over."""
    return call.status == "cut" or (call.status == "running" and own.run.state != "running")


def error_of(step: OwnStep) -> str | None:
    """Return the kind of a step's own error; None where it has none or its calls or tools already have it."""
    text = step.step.error
    if not text or _LIMIT.search(text):
        return None
    if _PARSE.search(text):
        return "parse_error"
    if any(call.status != "ok" for call, _ in step.calls) or any(tool.status != "ok" for tool in step.tools):
        return None
    return "code_error" if _CODE.search(text) else "step_error"


def faulty_steps(owned: Iterable[Own]) -> Fault:
    """Return how many steps something went wrong in, each once whatever it was."""
    steps = [(step, own) for own in owned for step in own.steps]
    count = sum(
        error_of(step) is not None
        or any(call.status == "error" or was_cut(call, own) for call, _ in step.calls)
        or any(tool.status != "ok" for tool in step.tools)
        for step, own in steps
    )
    return Fault("any", count, len(steps), "steps")


def attempts_of(owned: Iterable[Own]) -> Attempts:
    """Return the tries of all calls of runs, and the money of those that gave no whole answer."""
    pairs: list[tuple[ModelCall, Cost, Own]] = [(call, cost, own) for own in owned for call, cost in own.calls]
    failed = [one for call, _, _ in pairs for one in call.attempts if _failed(one)]
    bare = sum(call.status == "error" and not call.attempts for call, _, _ in pairs)  # its one try has no record
    billed = [one.billed for one in failed]
    return Attempts(
        n=sum(max(1, len(call.attempts)) for call, _, _ in pairs),
        tried_again=sum(len(call.attempts) > 1 for call, _, _ in pairs),
        waited_s=sum(_waited(call.attempts) for call, _, _ in pairs),
        failed=len(failed) + bare,
        failed_billed=billed.count("yes"),
        failed_not_billed=billed.count("no"),
        failed_unknown=len(failed) + bare - billed.count("yes") - billed.count("no"),
        wasted=Amount.of(cost for call, cost, own in pairs if call.status == "error" or was_cut(call, own)),
    )


def _failed(one: Attempt) -> bool:
    return one.error is not None or (one.status is not None and one.status >= 400)


def _waited(tries: tuple[Attempt, ...]) -> float:
    times = [one.at for one in tries if one.at is not None]
    return (max(times) - min(times)).total_seconds() if len(times) > 1 else 0.0
