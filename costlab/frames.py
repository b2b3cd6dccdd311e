"""Objects of the library as pandas frames: the only place where column names are written.

Money here is float64 for the screen; figures that are shown as text are made from the exact `Decimal` beside them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd

from costlab.catalog.disagree import Disagreement, Stake
from costlab.cost import Cost, Line, RunCost, kinds_of
from costlab.edits import Edit
from costlab.media_quotes import MediaQuote
from costlab.money import column
from costlab.monitoring import Metrics, Repeated
from costlab.prices import Period, Rate, conditions_of
from costlab.projection import STATES, Alternative
from costlab.replay import resent
from costlab.runs import Run, title_of
from costlab.usage import kind_of, leaves
from costlab.words import ENGLISH, KINDS, Words, conditions_name, fault_name, share_name, source_name, unit_name

PER = {1: "1", 1_000: "1k", 1_000_000: "1M", 1_000_000_000: "1G"}


def compared(found: Sequence[Alternative], times: int = 1) -> pd.DataFrame:
    """Return a row a model: `model`, `usd` as recorded, `uncached`, `low`, `high` (USD times `times`), and its marks.

    `state` is priced, lower_bound, unpriced (nothing of it has a rate) or unfit; `why_not` says why a model is unfit.
    """
    rows = []
    for one in found:
        money = None if one.cost.total == 0 and one.cost.unpriced else one
        rows.append(
            {
                "model": one.name,
                "usd": float(money.cost.total * times) if money else None,
                "uncached": float(money.uncached.total * times) if money else None,
                "low": float(money.low * times) if money else None,
                "high": float(money.high * times) if money else None,
                "state": one.state,
                "why_not": one.why_not,
                "reasons": ",".join(dict.fromkeys(b.reason for b in one.cost.bounds)),
                **{kind: None if a is None else float(a * times) for kind, a in kinds_of(one.cost).items()},
            }
        )
    frame = pd.DataFrame(rows)
    if frame.empty:
        return frame
    frame["_rank"] = frame["state"].map(STATES.index)  # a lower bound never stands as the cheapest
    return frame.sort_values(["_rank", "usd"], na_position="last").drop(columns="_rank").reset_index(drop=True)


def cost_lines(cost: Cost, t: Words = ENGLISH) -> pd.DataFrame:
    """Return how a cost came about: one row a model, unit and rate, with quantity, rate, amount, source and dates."""
    grouped: dict[tuple[object, ...], list[Line]] = {}
    for line in cost.lines:
        grouped.setdefault((line.provider, line.model, line.unit, line.rate, line.multiple), []).append(line)
    sums = [sum((x.amount for x in group), Decimal(0)) for group in grouped.values()]
    rows = []
    for group, amount, shown in zip(grouped.values(), sums, column(sums), strict=True):
        line, rate = group[0], group[0].rate
        times = "" if line.multiple == 1 else f" × {line.multiple.normalize():f}"
        rows.append(
            {
                "unit": unit_name(line.unit, t),
                "quantity": float(sum(x.quantity for x in group)),
                "rate": f"${(rate.price or Decimal(0)).normalize():f} / {PER.get(rate.per, f'{rate.per:,}')}{times}",
                "amount": shown,
                "priced_as": "" if line.priced_as == line.unit else unit_name(line.priced_as, t),
                "conditions": conditions_name(conditions_of(rate), t),
                "source": source_name(rate.source, rate.source_version, t),
                "valid_from": rate.valid_from.date().isoformat() if rate.valid_from else "",
                "read_at": rate.read_at.isoformat() if rate.read_at else "",
                "date_unproven": any(x.date_unproven for x in group),
                "usd": float(amount),
            }
        )
    for missing in dict.fromkeys((u.unit, u.why) for u in cost.unpriced):
        quantity = float(sum(u.quantity for u in cost.unpriced if (u.unit, u.why) == missing))
        row = dict.fromkeys(("rate", "priced_as", "conditions", "source", "valid_from", "read_at"), "")
        rows.append(
            {"unit": unit_name(missing[0], t), "quantity": quantity, "amount": t("unpriced"), "usd": None}
            | row
            | {"rate": t.said(missing[1]), "date_unproven": False}
        )
    return pd.DataFrame(rows)


def counted(
    counts: Mapping[str, int | Decimal], parts: Mapping[str, int | Decimal], t: Words = ENGLISH
) -> pd.DataFrame:
    """Return a row a unit: its inclusive count, and as a leaf, which is what is priced; empty where it is none."""
    keys = [key for key in dict.fromkeys((*counts, *parts)) if counts.get(key) or parts.get(key)]
    rows = [
        (unit_name(key, t), *(None if n is None else float(n) for n in (counts.get(key), parts.get(key))))
        for key in keys
    ]
    return pd.DataFrame(rows, columns=["unit", "count", "leaf"])


def media(found: Iterable[MediaQuote]) -> pd.DataFrame:
    """Return a row a model: tokens, USD of one and of 1,000, and where the figure is from; dearest formula last.

    Without a formula `tokens` and the amounts are empty, and `why` says why; `state` is known, refused or unknown.
    """
    rows = []
    for one in found:
        amount = None if one.cost is None else one.cost.known
        rows.append(
            {
                "model": one.name,
                "tokens": one.tokens.tokens,
                "usd": None if amount is None else float(amount),
                "usd_1000": None if amount is None else float(amount * 1_000),
                "lower_bound": bool(one.cost and one.cost.lower_bound),
                "basis": one.tokens.basis if one.tokens.tokens is not None else "",
                "formula": one.tokens.formula,
                "source": one.tokens.source,
                "why": (one.tokens.error or "").removeprefix(f"{one.name}: "),
                "why_not": one.why_not,
                "state": "known" if one.tokens.tokens is not None else "refused" if one.known else "unknown",
            }
        )
    frame = pd.DataFrame(rows)
    return frame if frame.empty else frame.sort_values("tokens", kind="stable", na_position="last", ignore_index=True)


def media_grid(columns: Mapping[str, Iterable[MediaQuote]], times: int = 0) -> pd.DataFrame:
    """Return a row a model and a column for each label: tokens, or with `times` the USD of as many."""
    rows: dict[str, dict[str, float | None]] = {}
    for label, found in columns.items():
        for one in found:
            amount = one.cost.known if one.cost else None
            value = one.tokens.tokens if not times else None if amount is None else amount * times
            rows.setdefault(one.name, {})[label] = None if value is None else float(value)
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(columns)).rename_axis("model").reset_index()


_STEP = ("order", "step", "kind", "agent", "tools", "input", "resent", "duration_s", "error")


def steps(run: Run, priced: Mapping[str, RunCost]) -> pd.DataFrame:
    """Return a row a step: its `order` in the run, tokens by kind, cost by each label of `priced`, tools, seconds.

    `usd <label>` is the step's own cost (USD).
    """
    sent = iter(resent(run))
    rows: list[dict[str, Any]] = []
    names = {node.node: node.name for node in run.agents}
    for place, step in enumerate(run.steps):
        tokens = dict.fromkeys(KINDS, 0.0)
        again = [next(sent) for _ in step.calls]
        for call in step.calls:
            for key, count in leaves(call.counts)[0].items():
                tokens[kind_of(key)] += float(count)
        called = Counter(tool.name for tool in step.tools)
        row: dict[str, Any] = {
            "order": place + 1,
            "step": step.number,
            "kind": step.kind,
            "agent": names.get(step.agent, step.agent),
            "tools": ", ".join(f"{name} ×{n}" if n > 1 else name for name, n in called.items()),
            "input": float(sum(a for a, _ in again)),
            "resent": float(sum(b for _, b in again)),
            "duration_s": step.duration_s,
            "error": step.error or next((c.error for c in step.calls if c.error), None) or "",
            **tokens,
        }
        rows.append(row | {f"usd {label}": float(cost.of_step(place).total) for label, cost in priced.items()})
    return pd.DataFrame(rows, columns=None if rows else [*_STEP, *KINDS, *(f"usd {label}" for label in priced)])


def rates(rows: Iterable[Rate], t: Words = ENGLISH) -> pd.DataFrame:
    """Return price rows for editing, indexed by their place in `rows`; `price` is None where a source's 0 is doubtful.

    `per` says how many units the price is for.
    """
    return pd.DataFrame(
        [
            {
                "model": f"{r.provider}/{r.model}",
                "unit": unit_name(r.unit, t),
                "conditions": conditions_name(conditions_of(r), t),
                "price": None if r.price is None or r.doubtful else float(r.price),
                "per": PER.get(r.per, f"{r.per:,}"),
                "source": source_name(r.source, r.source_version, t),
                "valid_from": r.valid_from.date().isoformat() if r.valid_from else "",
                "read_at": r.read_at.isoformat() if r.read_at else "",
                "note": r.note,
            }
            for r in rows
        ],
        columns=["model", "unit", "conditions", "price", "per", "source", "valid_from", "read_at", "note"],
    )


def edits(found: Iterable[Edit], t: Words = ENGLISH) -> pd.DataFrame:
    """Return a row a changed price: model, unit, conditions, base, new, and the change in percent."""
    rows = []
    for one in found:
        before = one.before.price if one.before and not one.before.doubtful else None
        after = one.after.price
        share = float((after - before) / before * 100) if before and after is not None else None
        rows.append(
            {
                "model": f"{one.after.provider}/{one.after.model}",
                "unit": unit_name(one.after.unit, t),
                "conditions": conditions_name(conditions_of(one.after), t),
                "base": None if before is None else float(before),
                "new": None if after is None else float(after),
                "change": share,
                "per": PER.get(one.after.per, f"{one.after.per:,}"),
            }
        )
    return pd.DataFrame(rows, columns=["model", "unit", "conditions", "base", "new", "change", "per"])


def runs(found: Iterable[tuple[Run, RunCost, bool]], t: Words = ENGLISH) -> pd.DataFrame:
    """Return a row a run: what it did, its tokens, where its counts are from (`bases`), its cost and marks.

    `builtin` runs are shipped with CostLab; `usd` is empty where nobody billed it.
    """
    rows = []
    for run, priced, builtin in found:
        counts = [c.counts for c in run.calls if c.inherited_from is None]
        rows.append(
            {
                "run_id": run.run_id,
                "title": title_of(run, t),
                "agent": run.agent,
                "models": ", ".join(dict.fromkeys(c.model or "?" for c in run.calls)) if not run.sketched else "",
                "state": run.state,
                "correct": run.correct,
                "started_at": run.started_at,
                "steps": len(run.steps),
                "calls": len(run.calls),
                "input_tokens": sum(int(c.get("input_tokens", 0)) for c in counts),
                "output_tokens": sum(int(c.get("output_tokens", 0)) for c in counts),
                "usd": None if run.unbilled else float(priced.cost.total),
                "lower_bound": priced.cost.lower_bound,
                "local": run.local,
                "sketched": run.sketched,
                "bases": run.bases,
                "at_api_prices": run.at_api_prices,
                "format": run.source.get("format", ""),
                "builtin": builtin,
            }
        )
    return pd.DataFrame(rows)


def preview(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> pd.DataFrame:
    """Return a foreign table's first rows as text; a header that stands twice is told apart, long cells are cut."""
    seen: dict[str, int] = {}
    names = []
    for place, header in enumerate(headers, 1):
        name = header or f"({place})"
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} ({place})")
    return pd.DataFrame([[cell[:200] for cell in row] for row in rows], columns=names)


def by_model(found: Metrics) -> pd.DataFrame:
    """Return a row a model, dearest first: calls, faults, tokens, times of answers in seconds with their `timed` n."""
    rows = [
        {
            "model": one.name,
            "calls": one.calls,
            "failed": one.failed,
            "cut": one.cut,
            "input_tokens": float(one.counts.get("input_tokens", 0)),
            "cached_tokens": float(one.counts.get("cache_read_tokens", 0)),
            "output_tokens": float(one.counts.get("output_tokens", 0)),
            "p50_s": one.latency.p50,
            "p95_s": one.latency.p95,
            "timed": one.latency.n,
            "first_token_s": one.first_token.p50,
            "first_token_timed": one.first_token.n,
            "usd": None if one.cost.usd is None else float(one.cost.usd),
        }
        for one in found.models
    ]
    names = ["model", "calls", "failed", "cut", "input_tokens", "cached_tokens", "output_tokens", "p50_s", "p95_s"]
    return pd.DataFrame(rows, columns=[*names, "timed", "first_token_s", "first_token_timed", "usd"])


def by_tool(found: Metrics, no_tool: str = "") -> pd.DataFrame:
    """Return a row a tool, dearest first: calls, errors, times in seconds, its part of the money in USD.

    `results` of `usd` is for its results being sent; `no_tool` names the row of steps that called none.
    """
    total = float(found.allocation.total)
    rows = [
        {
            "tool": one.name or no_tool,
            "calls": one.calls,
            "errors": one.errors,
            "error_rate": one.errors / one.calls if one.calls else None,
            "p50_s": one.duration.p50,
            "p95_s": one.duration.p95,
            "timed": one.duration.n,
            "usd": float(one.usd),
            "results": float(one.results),
            "share": float(one.usd) / total if total else None,
        }
        for one in found.tools
    ]
    names = ["tool", "calls", "errors", "error_rate", "p50_s", "p95_s", "timed", "usd", "results", "share"]
    return pd.DataFrame(rows, columns=names)


def faults(found: Metrics, t: Words = ENGLISH) -> pd.DataFrame:
    """Return a row a kind of fault that could have been: `count` of `n`, the `rate` (0 to 1) and all of it in words."""
    rows = [
        {
            "kind": one.kind,
            "name": fault_name(one.kind, t),
            "count": one.count,
            "n": one.n,
            "rate": one.rate,
            "told": share_name(one.count, one.n, one.among, t),
        }
        for one in found.faults
        if one.n
    ]
    return pd.DataFrame(rows, columns=["kind", "name", "count", "n", "rate", "told"])


def latencies(found: Metrics) -> pd.DataFrame:
    """Return a row an answered call whose time is known: `model` and `seconds`."""
    rows = [{"model": one.name, "seconds": seconds} for one in found.models for seconds in one.latency.values]
    return pd.DataFrame(rows, columns=["model", "seconds"])


def keys(rows: Iterable[Rate]) -> list[str]:
    """Return a text for each price row that no other row in force has: model, unit, conditions, currency."""
    return ["|".join((r.provider, r.model, r.unit, conditions_of(r), r.currency)) for r in rows]


def history(periods: Iterable[Period], t: Words = ENGLISH) -> pd.DataFrame:
    """Return a row a price and stretch of time: unit, conditions, `price` (USD; None: none in force), `per`, from, to.

    `source` says who gives the price, `others` what other sources list for the same time.
    """
    rows = [
        {
            "unit": unit_name(one.unit, t),
            "conditions": conditions_name(one.conditions, t),
            "price": float(rate.price) if rate and rate.price is not None else None,
            "per": PER.get(one.per, f"{one.per:,}"),
            "from": one.start.date().isoformat() if one.start else "",
            "to": one.end.date().isoformat() if one.end else "",
            "source": source_name(rate.source, rate.source_version, t) if rate else "",
            "others": _others(one.beside),
        }
        for one in periods
        for rate in (one.rate,)
    ]
    return pd.DataFrame(rows, columns=["unit", "conditions", "price", "per", "from", "to", "source", "others"])


def _others(beside: Iterable[Rate]) -> str:
    """Return what rows that do not win say, as in `litellm: $0.28`."""
    known = [rate for rate in beside if rate.price is not None]
    return ", ".join(dict.fromkeys(f"{rate.source}: ${rate.price.normalize():f}" for rate in known if rate.price))


def quarrels(found: Iterable[Disagreement], t: Words = ENGLISH) -> pd.DataFrame:
    """Return a row a disagreement of sources: model, unit, conditions, each source's `prices` (USD).

    `preferred` says whose price is used, `ratio` is the dearest price over the cheapest, None where that is 0.
    """
    rows = [
        {
            "model": f"{one.provider}/{one.model}",
            "unit": unit_name(one.unit, t),
            "conditions": conditions_name(conditions_of(next(iter(one.rates.values()))), t),
            "prices": _others(one.rates.values()),
            "preferred": t("a correction or your own price") if one.corrected else one.preferred,
            "ratio": float(one.ratio) if one.ratio is not None else None,
        }
        for one in found
    ]
    return pd.DataFrame(rows, columns=["model", "unit", "conditions", "prices", "preferred", "ratio"])


def stakes(found: Iterable[Stake], t: Words = ENGLISH) -> pd.DataFrame:
    """Return a row a disagreement that changes a run's cost: `usd` as used, `other_usd` by the other source (USD)."""
    rows = [
        {
            "model": f"{one.provider}/{one.model}",
            "unit": unit_name(one.unit, t),
            "preferred": one.preferred,
            "usd": float(one.usd),
            "other": one.other,
            "other_usd": float(one.other_usd),
            "difference": float(one.difference),
        }
        for one in found
    ]
    return pd.DataFrame(rows, columns=["model", "unit", "preferred", "usd", "other", "other_usd", "difference"])


def repeats(found: Mapping[str, Repeated]) -> pd.DataFrame:
    """Return a row a model: how many runs it had, how many count (`whole`), and their medians (USD, seconds, ...)."""
    medians = ("cost", "cold", "seconds", "input_tokens", "output_tokens", "steps")
    plain = ("runs", "whole", "correct", "checked")
    rows = [
        {"model": model}
        | {key: getattr(one, key) for key in plain}
        | {key: getattr(one, key).median for key in medians}
        for model, one in found.items()
    ]
    return pd.DataFrame(rows, columns=["model", *plain, *medians])
