"""All numbers of one run or of many, each with what it was computed from. docs/metrics.md defines every one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from costlab.cost import Cost, RunCost
from costlab.monitoring.allocation import Allocation, allocate, exact_sum
from costlab.monitoring.faults import Attempts, Fault, attempts_of, faults_of, faulty_steps, was_cut
from costlab.monitoring.owned import Own, own_of
from costlab.monitoring.spreads import Amount, Spread
from costlab.runs import ModelCall, ToolCall
from costlab.usage import Number, add


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """What one model did: its calls, how many failed or were cut, inclusive counts, times of answers, money."""

    provider: str
    model: str
    calls: int
    failed: int
    cut: int
    counts: Mapping[str, Number]
    latency: Spread
    first_token: Spread
    cost: Amount

    @property
    def name(self) -> str:
        """Return `provider/model`, a question mark where the recording names none."""
        return f"{self.provider}/{self.model or '?'}" if self.provider else self.model or "?"


@dataclass(frozen=True, slots=True)
class ToolFigures:
    """What one tool did: calls, those that did not end well, times, and its part of the money by `Allocation`'s rule.

    The name "" stands for steps that called no tool. `results` of `usd` is for sending its results.
    """

    name: str
    calls: int
    errors: int
    duration: Spread
    usd: Decimal
    results: Decimal


@dataclass(frozen=True)
class Metrics:
    """The numbers of several runs as one; a call that several of them hold counts once (`inherited` says how many).

    `cost` is the sum of the runs' own calls, `cost_by_run` the same for each run. `correct` of `checked` runs gave
    the right answer; runs whose answer nobody checked are in neither. `cost_per_correct` is the money of the checked
    runs over the right answers among them; None without any. Where `reference` names a model, the `local_runs` are
    priced as if it had served them.
    """

    runs: int
    local_runs: int
    reference: str
    states: Mapping[str, int]
    checked: int
    correct: int
    steps: int
    step_kinds: Mapping[str, int]
    calls: int
    inherited: int
    bases: Mapping[str, int]
    counts: Mapping[str, Number]
    tool_calls: Mapping[str, int]
    run_time: Spread
    latency: Spread
    first_token: Spread
    faults: tuple[Fault, ...]
    faulty_steps: Fault
    attempts: Attempts
    cost: Amount
    cost_by_run: tuple[tuple[str, Amount], ...]
    billed_runs: int
    cost_per_run: Amount | None
    cost_checked: Amount
    cost_per_correct: Amount | None
    models: tuple[ModelFigures, ...]
    tools: tuple[ToolFigures, ...]
    allocation: Allocation

    @property
    def unchecked(self) -> int:
        """Return how many runs' answers nobody checked: they count neither as right nor as wrong."""
        return self.runs - self.checked

    def fault(self, kind: str) -> Fault:
        """Return the faults of one kind of `FAULTS`."""
        return next(one for one in self.faults if one.kind == kind)


def summarise(priced: Iterable[RunCost], reference: str = "") -> Metrics:
    """Return the numbers of priced runs. `reference` is the model that local runs were priced on, if one was."""
    owned = own_of(priced)
    pairs = [pair for own in owned for pair in own.calls]
    tools = [tool for own in owned for tool in own.tools]
    cost = Amount.of(cost for _, cost in pairs)
    total = exact_sum(cost.total for _, cost in pairs)
    checked = [own for own in owned if own.run.correct is not None]
    correct = sum(own.run.correct is True for own in checked)
    # Beside runs that somebody billed, those that nobody did are no part of a mean: their 0 is no price.
    by_run = [(own.run.run_id, Amount.of(cost for _, cost in own.calls)) for own in owned]
    billed = [own for own, (_, amount) in zip(owned, by_run, strict=True) if not amount.local]
    right_and_billed = sum(own.run.correct is True for own in billed)
    of_checked = Amount.of(cost for own in checked for _, cost in own.calls)
    allocation = allocate(owned, total)
    return Metrics(
        runs=len(owned),
        local_runs=sum(own.run.local for own in owned),
        reference=reference,
        states=Counter(own.run.state for own in owned),
        checked=len(checked),
        correct=correct,
        steps=sum(len(own.steps) for own in owned),
        step_kinds=Counter(step.step.kind for own in owned for step in own.steps),
        calls=len(pairs),
        inherited=sum(own.inherited for own in owned),
        bases=Counter(call.usage_basis for call, _ in pairs),
        counts=add(call.counts for call, _ in pairs),
        tool_calls=Counter(tool.name for tool in tools),
        run_time=Spread.of(own.run.duration_s for own in owned),
        latency=_latency(call for call, _ in pairs),
        first_token=_first_token(call for call, _ in pairs),
        faults=faults_of(owned),
        faulty_steps=faulty_steps(owned),
        attempts=attempts_of(owned),
        cost=cost,
        cost_by_run=tuple(by_run),
        billed_runs=len(billed),
        cost_per_run=cost.over(len(billed) or len(owned)),
        cost_checked=of_checked,
        cost_per_correct=of_checked.over(correct if of_checked.local else right_and_billed),
        models=_models(owned),
        tools=_tools(tools, allocation),
        allocation=allocation,
    )


def _latency(calls: Iterable[ModelCall]) -> Spread:
    """Return the times of calls that were answered, waits between tries included; a failed call has no answer."""
    return Spread.of(call.duration_s for call in calls if call.status == "ok")


def _first_token(calls: Iterable[ModelCall]) -> Spread:
    return Spread.of(call.ttft_s for call in calls if call.status == "ok")


def _models(owned: Iterable[Own]) -> tuple[ModelFigures, ...]:
    """Return the figures of each model, dearest first, then by calls."""
    grouped: dict[tuple[str, str], list[tuple[ModelCall, Cost, Own]]] = {}
    for own in owned:
        for call, cost in own.calls:
            grouped.setdefault((call.provider, call.model), []).append((call, cost, own))
    found = [_model(*key, rows) for key, rows in grouped.items()]
    return tuple(sorted(found, key=lambda one: (-(one.cost.usd or 0), -one.calls, one.name)))


def _model(provider: str, model: str, rows: list[tuple[ModelCall, Cost, Own]]) -> ModelFigures:
    calls = [call for call, _, _ in rows]
    return ModelFigures(
        provider,
        model,
        calls=len(calls),
        failed=sum(call.status == "error" for call in calls),
        cut=sum(was_cut(call, own) for call, _, own in rows),
        counts=add(call.counts for call in calls),
        latency=_latency(calls),
        first_token=_first_token(calls),
        cost=Amount.of(cost for _, cost, _ in rows),
    )


def _tools(tools: Iterable[ToolCall], allocation: Allocation) -> tuple[ToolFigures, ...]:
    grouped: dict[str, list[ToolCall]] = {}
    for tool in tools:
        grouped.setdefault(tool.name, []).append(tool)
    money = {part.tool: part for part in allocation.parts}
    names = [part.tool for part in allocation.parts] + [name for name in grouped if name not in money]
    return tuple(
        ToolFigures(
            name,
            calls=len(grouped.get(name, [])),
            errors=sum(tool.status != "ok" for tool in grouped.get(name, [])),
            duration=Spread.of(tool.duration_s for tool in grouped.get(name, [])),
            usd=money[name].usd if name in money else Decimal(0),
            results=money[name].results if name in money else Decimal(0),
        )
        for name in names
    )
