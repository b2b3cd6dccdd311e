"""A run under way as a `Run`: put together from what its recorder tells, while its file is still being written."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock

from costlab.live.recording import Happening
from costlab.runs import ModelCall, Run, Step


class Gathered:
    """What has happened in one run so far. Its own thread adds, any other reads a copy."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._run: Run | None = None
        self._steps: dict[str, Step] = {}  # in the order in which they began

    def add(self, event: Happening) -> None:
        """Take one event; a kind that is not known changes nothing."""
        with self._lock:
            if event.kind == "run":
                self._run = event.what
            elif self._run is not None:
                self._take(self._run, event)

    def _take(self, run: Run, event: Happening) -> None:
        if event.kind == "agent":
            self._run = replace(run, agents=(*run.agents, event.what))
        elif event.kind == "warning":
            self._run = replace(run, warnings=(*run.warnings, event.what))
        elif event.kind == "end":
            self._run = replace(run, state=event.what)
        elif event.step is not None:
            self._in_step(event, self._steps.get(event.step.step_id, event.step))

    def _in_step(self, event: Happening, step: Step) -> None:
        if event.kind in ("call_open", "call"):
            step = replace(step, calls=_with(step.calls, event.what))
        elif event.kind == "tool":
            step = replace(step, tools=(*step.tools, event.what))
        elif event.kind == "step":
            step = replace(step, error=event.what.error, duration_s=event.what.duration_s)
        self._steps[step.step_id] = step

    def run(self) -> Run | None:
        """Return the run as far as it has come, without its messages; None before it began."""
        with self._lock:
            return replace(self._run, steps=tuple(self._steps.values())) if self._run is not None else None


def _with(calls: tuple[ModelCall, ...], call: ModelCall) -> tuple[ModelCall, ...]:
    """Return calls with one more, or with one that has ended in the place where it was open."""
    if all(one.call_id != call.call_id for one in calls):
        return (*calls, call)
    return tuple(call if one.call_id == call.call_id else one for one in calls)
