"""A recorded run played again: which steps have ended at a moment, at the pace at which they were recorded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from costlab.cost import RunCost
from costlab.runs import ModelCall, Run, Step
from costlab.usage import Number, unit


@dataclass(frozen=True, slots=True)
class Moment:
    """A step's place in `run.steps` and the second, from the run's start, at which it had ended."""

    step: int
    at_s: float


def moments(run: Run) -> tuple[Moment, ...]:
    """Return the ends of a run's steps in order of time; steps without times follow each other by their durations.

    A managed agent's steps end before the step that started it.
    """
    start = run.started_at or next((s.started_at for s in run.steps if s.started_at), None)
    ends: list[float] = []
    at = 0.0
    for step in run.steps:
        at = _end(step, start, at)
        ends.append(at)
    places = sorted(range(len(ends)), key=lambda place: (ends[place], place))
    return tuple(Moment(place, round(ends[place], 3)) for place in places)


def _end(step: Step, start: datetime | None, before: float) -> float:
    duration = step.duration_s
    if duration is None:
        spent = [c.duration_s for c in step.calls if c.duration_s] + [x.duration_s for x in step.tools if x.duration_s]
        duration = sum(spent) or 1.0  # a step of unknown length takes a second: it must be seen to come
    if start is None or step.started_at is None:
        return before + duration
    return max(0.0, (step.started_at - start).total_seconds() + duration)


def resent(run: Run) -> tuple[tuple[int, int], ...]:
    """Return (input tokens, those sent before) for each call in the run's order.

    An agent's loop sends its whole context again with each call. Of a call's input, as much as the same agent's
    previous call already had (its input and its output) was sent before; a call with a smaller input is a new context
    only where nothing of it was there.
    """
    held: dict[str, int] = {}
    found: list[tuple[int, int]] = []
    for step in run.steps:
        for call in step.calls:
            sent = int(call.counts.get("input_tokens", 0))
            known = held.get(step.agent, 0)
            found.append((sent, min(sent, known)))
            held[step.agent] = sent + int(call.counts.get("output_tokens", 0))
    return tuple(found)


def paid_again(priced: RunCost) -> Decimal:
    """Return what a run paid for input that had been sent before, in USD: each call's input cost by its share.

    An allocation, not a measurement: a call's input tokens cost different rates (fresh, cached), and which of them
    were sent before is not recorded, so each is taken to have been by the same share.
    """
    total = Decimal(0)
    calls = [call for step in priced.run.steps for call in step.calls]
    for call, (sent, before) in zip(calls, resent(priced.run), strict=True):
        cost = priced.by_call.get(call.call_id)
        if cost is None or not sent:
            continue
        spent = sum((x.amount for x in cost.lines if unit(x.unit).direction == "input"), Decimal(0))
        total += spent * before / sent
    return total


def first_run(runs: Iterable[Run]) -> Run:
    """Return the run to show first: one with steps enough to see, but not too many, and if there is, with an answer."""
    return max(runs, key=lambda run: (3 <= len(run.steps) <= 20, run.state == "success", len(run.steps)))


def cold_start(run: Run) -> Run:
    """Return a run as if nothing of it had been in a provider's cache when it began.

    Of what a call read from a cache, at most as much as this run had sent to the same model before can be its own
    doing. The rest was there from somebody's earlier run: it becomes a cache write where the run's calls to that model
    write caches, else plain input. Reads inside the run stay. A call with parts stays as it is.
    """
    writers = {(c.provider, c.model) for c in run.calls if c.counts.get("cache_write_tokens")}
    held: dict[tuple[str, str], Number] = {}

    def cold(call: ModelCall) -> ModelCall:
        who = (call.provider, call.model)
        read, known = call.counts.get("cache_read_tokens", 0), held.get(who, 0)
        held[who] = max(known, call.counts.get("input_tokens", 0) + call.counts.get("output_tokens", 0))
        if read <= known or call.parts:
            return call
        counts = {**call.counts, "cache_read_tokens": known}
        if who in writers:
            counts["cache_write_tokens"] = counts.get("cache_write_tokens", 0) + read - known
        return replace(call, counts=counts)

    steps = tuple(replace(step, calls=tuple(cold(call) for call in step.calls)) for step in run.steps)
    return replace(run, steps=steps)
