"""The JSON that the command line prints: amounts are decimal strings in USD, absent things are null."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import costlab as cl

Json = dict[str, object]


def amount(value: Decimal | None) -> str | None:
    """Return an amount as a plain decimal string, never scientific."""
    if value is None:
        return None
    text = format(value.normalize(), "f")
    return "0" if text == "-0" else text


def number(value: int | Decimal) -> int | float:
    """Return a count as JSON's number."""
    return value if isinstance(value, int) else float(value)


def counts(values: Mapping[str, int | Decimal]) -> Json:
    """Return counts as JSON's numbers."""
    return {key: number(n) for key, n in values.items()}


def moment(value: datetime | None) -> str | None:
    """Return a moment as an ISO timestamp."""
    return value.isoformat() if value else None


def bounds(cost: cl.Cost) -> list[Json]:
    """Return each reason once for each unit, with the call it was first met at."""
    seen: dict[tuple[str, str], str] = {}
    for b in cost.bounds:
        seen.setdefault((b.reason, b.unit), b.call)
    return [{"reason": reason, "call": call or None, "unit": unit or None} for (reason, unit), call in seen.items()]


def reasons(cost: cl.Cost) -> str:
    """Return why a cost is a lower bound as text, each reason once."""
    return cl.doubts(cost.bounds, cl.ENGLISH)


def lines(cost: cl.Cost) -> list[Json]:
    """Return every line with the rate that made it, its source and its dates."""
    return [
        {
            "provider": line.provider,
            "model": line.model,
            "unit": line.unit,
            "quantity": number(line.quantity),
            "usd_per_unit": amount(line.usd_per_unit),
            "usd": amount(line.amount),
            "priced_as": line.priced_as if line.priced_as != line.unit else None,
            "when": dict(line.rate.when),
            "source": line.rate.source,
            "source_version": line.rate.source_version,
            "valid_from": moment(line.rate.valid_from),
            "read_at": line.rate.read_at.isoformat() if line.rate.read_at else None,
            "date_unproven": line.date_unproven,
        }
        for line in cost.lines
    ]


def unpriced(cost: cl.Cost) -> list[str]:
    """Return the units without a rate, each once."""
    return list(dict.fromkeys(u.unit for u in cost.unpriced))


def quoted(identity: object, found: cl.Quote) -> Json:
    """Return the answer to one line of `price`."""
    cost, today = found.cost, found.today
    return {
        "id": identity,
        "resolved": {"provider": found.resolved.provider, "model": found.resolved.model, "by": found.resolved.by},
        "counts": counts(found.counts),
        "usage_basis": found.call.usage_basis,
        "leaves": counts(found.leaves),
        "total_usd": amount(cost.total),
        "lower_bound": cost.lower_bound,
        "bounds": bounds(cost),
        "total_usd_today": amount(today.total) if today else None,
        "lower_bound_today": today.lower_bound if today else None,
        "unpriced": unpriced(cost),
        "unpriced_why": "; ".join(dict.fromkeys(u.why for u in cost.unpriced)) or None,
        "stated_usd": amount(found.call.stated_cost),
        "warnings": warnings(found.warnings),
        "lines": lines(cost),
        "error": None,
    }


def refused(identity: object, why: str) -> Json:
    """Return the answer to a line of `price` that cannot be read."""
    return {
        "id": identity, "resolved": None, "counts": {}, "usage_basis": "unknown", "leaves": {}, "total_usd": None,
        "lower_bound": True, "bounds": [], "total_usd_today": None, "lower_bound_today": None, "unpriced": [],
        "unpriced_why": None, "stated_usd": None, "warnings": [], "lines": [], "error": why,
    }  # fmt: skip


def warnings(found: Iterable[object]) -> list[Json]:
    """Return warnings, each once."""
    unique = dict.fromkeys((getattr(w, "code", ""), getattr(w, "field", ""), getattr(w, "detail", "")) for w in found)
    return [{"code": code, "field": field, "detail": detail} for code, field, detail in unique]


def run_summary(run: cl.Run, table: cl.PriceTable, at: str, now: datetime, pricing: str | None = None) -> Json:
    """Return a run's line: what it did, what it used and what that cost then and costs today.

    A run that nobody billed has a `baseline` besides: what the reference model would have cost.
    """
    cost = cl.price_run(run, table, at=at, now=now).cost
    today = cl.price_run(run, table, at="today", now=now).cost
    gone = cl.rate_gone(cost, today)
    calls, tools = run.calls, run.tool_calls
    failed = [c for c in calls if c.status == "error"]
    broken = [t for t in tools if t.status != "ok"]
    tries = len(calls) + len(tools)
    return {
        "run_id": run.run_id,
        "parent_run_id": run.parent_run_id,
        "task": run.task,
        "agent": run.agent,
        "source": dict(run.source),
        "state": run.state,
        "correct": run.correct,
        "started_at": moment(run.started_at),
        "models": list(dict.fromkeys(f"{c.provider}/{c.model}" if c.provider else c.model for c in calls)),
        "steps": len(run.steps),
        "model_calls": len(calls),
        "failed_calls": len(failed),
        "attempts": sum(max(1, len(c.attempts)) for c in calls),
        "tool_calls": dict(Counter(t.name for t in tools)),
        "tool_errors": len(broken),
        "error_rate": round((len(failed) + len(broken)) / tries, 4) if tries else 0.0,
        "duration_s": run.duration_s,
        "counts": counts(cl.run_counts(run)),
        "total_usd": amount(cost.total),
        "lower_bound": cost.lower_bound,
        "bounds": bounds(cost),
        "total_usd_today": None if gone else amount(today.total),
        "lower_bound_today": None if gone else today.lower_bound,
        "unpriced": unpriced(cost),
        "warnings": warnings((*run.warnings, *cost.warnings)),
        "merged_records": run.merged_records,
        "inherited_calls": sum(c.inherited_from is not None for c in calls),
        "billed": not run.unbilled,
        "at_api_prices": run.at_api_prices,
        "usage_basis": list(run.bases),
        "baseline": baseline(cl.baseline(run, table, at=at, now=now, pricing=pricing)) if run.unbilled else None,
    }


def timeline(run: cl.Run, table: cl.PriceTable, at: str, now: datetime) -> list[Json]:
    """Return a run's steps with their calls and tools."""
    priced = cl.price_run(run, table, at=at, now=now)
    return [
        {
            "step": step.number,
            "step_id": step.step_id,
            "kind": step.kind,
            "agent": step.agent,
            "parent": step.parent,
            "started_at": moment(step.started_at),
            "duration_s": step.duration_s,
            "error": step.error,
            "calls": [_call(call, priced.by_call.get(call.call_id)) for call in step.calls],
            "tools": [
                {"name": t.name, "status": t.status, "duration_s": t.duration_s, "call_id": t.call_id}
                for t in step.tools
            ],
        }
        for step in run.steps
    ]


def _call(call: cl.ModelCall, cost: cl.Cost | None) -> Json:
    tries = [
        {"at": moment(a.at), "status": a.status, "error": a.error, "request_id": a.request_id, "billed": a.billed}
        for a in call.attempts
    ]
    return {
        "call_id": call.call_id,
        "provider": call.provider,
        "model": call.model,
        "status": call.status,
        "usage_basis": call.usage_basis,
        "counts": counts(call.counts),
        "total_usd": amount(cost.total) if cost else "0",
        "bounds": bounds(cost) if cost else [],
        "duration_s": call.duration_s,
        "ttft_s": call.ttft_s,
        "attempts": tries,
        "inherited_from": call.inherited_from,
    }


def comparison(run: cl.Run, base: cl.Baseline, found: Sequence[cl.Alternative], unknown: Sequence[Json]) -> Json:
    """Return a run beside other models: what it is compared with, then a column a model; unknown ones come last."""
    return {
        "run_id": run.run_id,
        "billed": not run.unbilled,
        "note": unbilled_note(run) or (cl.invoice_note(cl.ENGLISH) if run.at_api_prices else None),
        "baseline": baseline(base),
        "models": [*(alternative(run, one, base) for one in found), *unknown],
    }


def unbilled_note(run: cl.Run) -> str | None:
    """Return why nobody billed a run, or None."""
    return cl.SKETCH_NOTE if run.sketched else cl.LOCAL_NOTE if run.local else None


def baseline(base: cl.Baseline) -> Json:
    """Return what a run is compared with: its own cost, or that of a reference model."""
    return {
        "reference": base.reference or None,
        "total_usd": amount(base.cost.total),
        "lower_bound": base.cost.lower_bound,
        "unpriced": unpriced(base.cost),
    }


def alternative(run: cl.Run, found: cl.Alternative, base: cl.Baseline) -> Json:
    """Return one model's column of a comparison."""
    steps = zip(run.steps, found.by_step, strict=True)
    times = base.times(found.cost)
    return {
        "provider": found.provider,
        "model": found.model,
        "total_usd": amount(found.cost.total),
        "low_usd": amount(found.low),
        "high_usd": amount(found.high),
        "lower_bound": found.lower_bound,
        "fits": found.fits,
        "why_not": found.why_not or None,
        "basis": dict(found.basis),
        "by_unit": {unit: amount(usd) for unit, usd in found.cost.by_unit().items()},
        "by_step": [{"step": step.number, "step_id": step_id, "usd": amount(usd)} for step, (step_id, usd) in steps],
        "unpriced": unpriced(found.cost),
        "times_baseline": None if times is None else amount(round(times, 6)),
    }


def unknown_model(run: cl.Run, error: cl.UnknownModel) -> Json:
    """Return the column of a model that no table knows: nothing of the run is priced, nor at a neighbour's price."""
    provider, _, model = error.name.partition("/")
    return {
        "provider": provider if model else "", "model": model or provider, "total_usd": "0", "low_usd": "0",
        "high_usd": "0", "lower_bound": True, "fits": False, "why_not": f"unknown: {error}", "basis": {},
        "by_unit": {}, "by_step": [], "unpriced": list(cl.run_counts(run)), "times_baseline": None,
    }  # fmt: skip
