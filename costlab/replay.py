"""A recorded run played again: which steps have ended at a moment, at the pace at which they were recorded."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from costlab.cost import Cost, RunCost
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
    previous call had as input was sent before; that call's answer, which comes back as input, is sent for the first
    time. A call with a smaller input is a new context only where nothing of it was there.
    """
    held: dict[str, int] = {}
    found: list[tuple[int, int]] = []
    for step in run.steps:
        for call in step.calls:
            sent = int(call.counts.get("input_tokens", 0))
            known = held.get(step.agent, 0)
            found.append((sent, min(sent, known)))
            held[step.agent] = sent
    return tuple(found)


def paid_again(priced: RunCost, steps: Collection[int] | None = None) -> Decimal:
    """Return what a run, or some of its steps by their places, paid for input that had been sent before, in USD.

    An allocation, not a measurement: which tokens of a call were sent before is not recorded. What was read from a
    cache is taken to be of them first, since a cache holds what was sent; the rest is the same share of what remains.
    """
    total, sent_before = Decimal(0), iter(resent(priced.run))
    for place, step in enumerate(priced.run.steps):
        for call in step.calls:
            sent, before = next(sent_before)
            cost = priced.by_call.get(call.call_id)
            if cost is not None and (steps is None or place in steps):
                total += _again(cost, sent, before, int(call.counts.get("cache_read_tokens", 0)))
    return total


def _again(cost: Cost, sent: int, before: int, cached: int) -> Decimal:
    """Return the part of a call's input cost that `before` of its `sent` tokens make, cached ones first."""
    lines = [line for line in cost.lines if unit(line.unit).direction == "input"]
    reads = sum((line.amount for line in lines if "cache_read" in line.unit), Decimal(0))
    others = sum((line.amount for line in lines), Decimal(0)) - reads
    first = min(before, cached)
    rest, room = before - first, sent - cached
    return (reads * first / cached if cached else Decimal(0)) + (others * rest / room if room > 0 else Decimal(0))


def first_run(runs: Iterable[Run]) -> Run:
    """Return the run to show first: with steps enough to see, not too many, and if there is, with the right answer."""
    return max(
        runs,
        key=lambda run: (3 <= len(run.steps) <= 20, run.correct is True, run.state == "success", len(run.steps)),
    )


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
