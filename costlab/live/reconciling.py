"""Our totals of an agent's run against what smolagents' own monitor says, and what is missing there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from costlab.runs import ModelCall, Step
from costlab.usage import UsageWarning

Tokens = tuple[int, int]

PLANNING = "planning calls"
FAILED = "calls that failed or were cut"
MADE_UP = "usage that a library made up or added up"
OTHERS = "calls of other models under a step"


@dataclass(frozen=True, slots=True)
class Missing:
    """Calls that the monitor does not count: why, how many, and their input and output tokens."""

    why: str
    calls: int
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class MonitorCheck:
    """One run of one agent: its monitor's totals, ours, and what explains the difference.

    `rest` is what nothing explains, input and output: (0, 0) where the two agree.
    """

    node: str
    agent: str
    monitor: Tokens
    metered: Tokens
    missing: tuple[Missing, ...]
    rest: Tokens

    @property
    def equal(self) -> bool:
        """Return whether both count the same."""
        return self.monitor == self.metered

    def warning(self) -> UsageWarning:
        """Return the difference in words."""
        parts = [f"{m.why} ({m.calls}): {m.input_tokens} in, {m.output_tokens} out" for m in self.missing]
        if any(self.rest):
            parts.append(f"not explained: {self.rest[0]} in, {self.rest[1]} out")
        said = f"{self.agent} ({self.node}): its monitor says {self.monitor[0]} in, {self.monitor[1]} out; metered "
        return UsageWarning(
            "monitor_differs", "agent.monitor",
            f"{said}{self.metered[0]} in, {self.metered[1]} out; missing there: {'; '.join(parts)}",
        )  # fmt: skip


def monitor_total(agent: Any) -> Tokens:
    """Return what an agent's monitor has counted: input and output tokens."""
    monitor = getattr(agent, "monitor", None)
    return (
        int(getattr(monitor, "total_input_token_count", 0) or 0),
        int(getattr(monitor, "total_output_token_count", 0) or 0),
    )


def reconcile(node: str, agent: str, monitor: Tokens, calls: Iterable[tuple[Step, ModelCall]]) -> MonitorCheck:
    """Compare one agent's monitor with the calls that its run made by itself (its managed agents' are their own)."""
    groups: dict[str, list[ModelCall]] = {}
    counted: dict[str, ModelCall] = {}  # the monitor keeps one call a step
    total = (0, 0)
    for step, call in calls:
        total = _plus(total, call)
        if step.kind == "planning":
            groups.setdefault(PLANNING, []).append(call)
        elif call.status != "ok":
            groups.setdefault(FAILED, []).append(call)
        elif call.usage_basis != "measured":
            groups.setdefault(MADE_UP, []).append(call)
        elif step.step_id in counted:
            groups.setdefault(OTHERS, []).append(call)
        else:
            counted[step.step_id] = call
    ours = (0, 0)
    for call in counted.values():
        ours = _plus(ours, call)
    rest = (ours[0] - monitor[0], ours[1] - monitor[1])
    return MonitorCheck(node, agent, monitor, total, tuple(_missing(why, each) for why, each in groups.items()), rest)


def _plus(total: Tokens, call: ModelCall) -> Tokens:
    return (
        total[0] + int(call.counts.get("input_tokens", 0)),
        total[1] + int(call.counts.get("output_tokens", 0)),
    )


def _missing(why: str, calls: list[ModelCall]) -> Missing:
    total = (0, 0)
    for call in calls:
        total = _plus(total, call)
    return Missing(why, len(calls), *total)
