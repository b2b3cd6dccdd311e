"""The command about many runs at once: `metrics`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from typing import Any

import costlab as cl
from costlab.cli import shapes
from costlab.cli.output import say, show_json
from costlab.cli.run_commands import store_of

RULE = (
    "a step's money goes in equal parts to the tools it called; where messages were kept, tool results carry their "
    "share of the input; an allocation, not a bill"
)


def add(commands: Any, common: ArgumentParser, dated: ArgumentParser) -> None:
    """Add `metrics` to the parser of commands."""
    metrics = commands.add_parser("metrics", parents=[common, dated], help="times, errors, tools and money of runs")
    metrics.add_argument("run_ids", nargs="*", metavar="RUN_ID", help="default: all recorded runs")
    metrics.add_argument("--reference", metavar="MODEL", help="price runs on local models as if this one had run them")
    metrics.set_defaults(run=run)


def run(o: Namespace) -> int:
    """`metrics`: the numbers of one run or of many."""
    table, store = cl.load_table(o.pricing, o.home), store_of(o)
    runs = [store.open(run_id) for run_id in dict.fromkeys(o.run_ids)] if o.run_ids else store.runs()
    found = cl.metrics(runs, table, at=o.at, reference=o.reference, pricing=o.pricing)
    if o.json:
        show_json(shape(found))
    else:
        say([f"{label:25} {value}" for label, value in _lines(found)])
    return 0


def _spread(spread: cl.Spread) -> shapes.Json:
    return {"n": spread.n, "p50": spread.p50, "p95": spread.p95}


def _fault(fault: cl.Fault) -> shapes.Json:
    rate = None if fault.rate is None else round(fault.rate, 4)
    return {"count": fault.count, "of": fault.n, "among": fault.among, "rate": rate}


def _usd(amount: cl.Amount | None) -> str | None:
    return shapes.amount(amount.usd) if amount else None


def shape(found: cl.Metrics) -> shapes.Json:
    """Return the numbers as JSON: money in USD as decimal strings, times in seconds, rates from 0 to 1."""
    tries = found.attempts
    return {
        "runs": found.runs,
        "local_runs": found.local_runs,
        "reference": found.reference or None,
        "states": dict(found.states),
        "checked": found.checked,
        "correct": found.correct,
        "steps": found.steps,
        "step_kinds": dict(found.step_kinds),
        "model_calls": found.calls,
        "inherited_calls": found.inherited,
        "usage_basis": dict(found.bases),
        "counts": shapes.counts(found.counts),
        "tool_calls": dict(found.tool_calls),
        "run_time_s": _spread(found.run_time),
        "latency_s": _spread(found.latency),
        "first_token_s": _spread(found.first_token),
        "errors": {fault.kind: _fault(fault) for fault in found.faults},
        "steps_with_error": _fault(found.faulty_steps),
        "attempts": {
            "total": tries.n,
            "calls_tried_again": tries.tried_again,
            "waited_s": tries.waited_s,
            "failed": tries.failed,
            "failed_billed": {
                "yes": tries.failed_billed,
                "no": tries.failed_not_billed,
                "unknown": tries.failed_unknown,
            },
            "wasted_usd": _usd(tries.wasted),
        },
        "total_usd": _usd(found.cost),
        "billed": not found.cost.local,
        "lower_bound": found.cost.lower_bound,
        "bounds": list(found.cost.reasons),
        "billed_runs": found.billed_runs,
        "cost_per_run_usd": _usd(found.cost_per_run),
        "cost_per_correct_usd": _usd(found.cost_per_correct),
        "by_run": [{"run_id": run_id, "usd": _usd(amount)} for run_id, amount in found.cost_by_run],
        "by_model": [_model(one) for one in found.models],
        "by_tool": [_tool(one) for one in found.tools if one.name],
        "money_by_tool": _money_by_tool(found),
    }


def _model(one: cl.ModelFigures) -> shapes.Json:
    return {
        "provider": one.provider, "model": one.model, "calls": one.calls, "failed": one.failed, "cut": one.cut,
        "counts": shapes.counts(one.counts), "latency_s": _spread(one.latency),
        "first_token_s": _spread(one.first_token), "usd": _usd(one.cost), "lower_bound": one.cost.lower_bound,
    }  # fmt: skip


def _tool(one: cl.ToolFigures) -> shapes.Json:
    return {"tool": one.name, "calls": one.calls, "errors": one.errors, "duration_s": _spread(one.duration)}


def _money_by_tool(found: cl.Metrics) -> shapes.Json:
    """Return the allocation with its rule; the tool null stands for steps that called none."""
    allocation = found.allocation
    parts = [
        {"tool": part.tool or None, "usd": shapes.amount(part.usd), "for_results_usd": shapes.amount(part.results)}
        for part in allocation.parts
    ]
    return {
        "rule": RULE, "sums_to_usd": shapes.amount(allocation.total), "calls": allocation.calls,
        "by_messages": allocation.by_messages, "parts": parts,
    }  # fmt: skip


def _money(amount: cl.Amount | None) -> str:
    if amount is None:
        return "none"
    if amount.local:
        return "ran locally, not billed"
    return cl.usd(amount.usd, lower_bound=amount.lower_bound, free=amount.free)


def _lines(found: cl.Metrics) -> Iterator[tuple[str, str]]:
    def timed(spread: cl.Spread) -> str:
        return f"median {cl.duration(spread.p50)}, 95 % within {cl.duration(spread.p95)} (n = {spread.n:,})"

    checked = f"{found.correct} right of {found.checked} checked, {found.unchecked} not checked"
    states = ", ".join(f"{cl.state_name(state, cl.ENGLISH)} {n}" for state, n in found.states.items())
    yield "runs", f"{found.runs:,} ({states})"
    yield "steps, model calls", f"{found.steps:,}, {found.calls:,} ({found.inherited:,} more are other runs' own)"
    yield "cost", _money(found.cost) + (f", as if {found.reference} had run the local runs" if found.reference else "")
    some = 0 < found.billed_runs < found.runs
    yield "cost per billed run" if some else "cost per run", _money(found.cost_per_run)
    yield "cost per right answer", f"{_money(found.cost_per_correct)} ({checked})"
    yield "response time", timed(found.latency)
    yield "time to first token", timed(found.first_token)
    for fault in (*found.faults, found.faulty_steps):
        kind = cl.fault_name(fault.kind, cl.ENGLISH) if fault.kind != "any" else "steps with an error"
        yield kind, cl.share_name(fault.count, fault.n, fault.among, cl.ENGLISH)
    yield "tries", f"{found.attempts.n:,}, {found.attempts.failed:,} failed; wasted {_money(found.attempts.wasted)}"
    yield "money by tool", RULE
    for part in found.allocation.parts:
        yield f"  {part.tool or '(no tool)'}", cl.usd(part.usd)
