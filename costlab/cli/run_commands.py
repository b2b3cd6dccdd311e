"""The commands that tell what was recorded: `runs`, `show`."""

from __future__ import annotations

import shutil
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import costlab as cl
from costlab.cli import shapes
from costlab.cli.output import cut, number_of, plain, problem, say, show_json, table


def add(commands: Any, common: ArgumentParser, dated: ArgumentParser) -> None:
    """Add `runs` and `show` to the parser of commands."""
    listed = commands.add_parser("runs", parents=[common, dated], help="list recorded runs")
    listed.set_defaults(run=runs)
    one = commands.add_parser("show", parents=[common, dated], help="one run with its steps")
    one.add_argument("run_id", metavar="RUN_ID", help="as `costlab runs` lists them")
    one.set_defaults(run=show)


def store_of(o: Namespace) -> cl.Store:
    """Return the recordings of the home that the command names."""
    return cl.Store(Path(o.home) if o.home else None)


def runs(o: Namespace) -> int:
    """`runs`: built in ones first, then the user's; a file that cannot be read is named, and the others are listed."""
    now, prices, store = datetime.now(UTC), cl.load_table(o.pricing, o.home), store_of(o)
    every = store.runs()
    found = [shapes.run_summary(run, prices, o.at, now, o.pricing) for run in every]
    if o.json:
        show_json(found)
    elif found:
        say(run_table(every, prices, o.at, now))
        if any(run.at_api_prices for run in every):
            print(f"* {cl.invoice_note(cl.ENGLISH)}")
        print(f"{number_of(len(found), 'run')}; {day_of(o.at)}{read_on(prices)}")
    else:
        print("no runs yet; `costlab import PATH` reads recordings")
    for broken in store.broken:
        problem(str(broken))
    return 1 if store.broken else 0


def run_table(found: Sequence[cl.Run], prices: cl.PriceTable, at: str, now: datetime) -> list[str]:
    """Return a row a run; what one says of its task ends at the terminal's edge."""
    costs = [None if run.unbilled else cl.price_run(run, prices, at=at, now=now).cost for run in found]
    rows = []
    for run, shown in zip(found, money_column(costs), strict=True):
        counts = cl.run_counts(run)
        rows.append([
            run.run_id,
            f"{run.started_at:%Y-%m-%d %H:%M}" if run.started_at else "",
            cl.ended_name(run.state, run.sketched, cl.ENGLISH),
            {True: "right", False: "wrong", None: ""}[run.correct],
            cl.tokens(len(run.calls)),
            cl.tokens(counts.get("input_tokens", 0)),
            cl.tokens(counts.get("output_tokens", 0)),
            shown,
            f"* {run.title or run.task}" if run.at_api_prices else run.title or run.task,
        ])  # fmt: skip
    heads = ("RUN", "RECORDED (UTC)", "ENDED", "ANSWER", "CALLS", "INPUT", "OUTPUT", "COST", "TASK")
    places = shutil.get_terminal_size((140, 24)).columns
    return [cut(line, max(places, 100)) for line in table(rows, "<<<<>>>><", heads)]


def money(cost: cl.Cost) -> str:
    """Return a cost as text: `unpriced` where nothing of it has a price, `≥` where it is a lower bound."""
    return cl.usd(cost.known, lower_bound=cost.lower_bound, free=cost.free)


def money_column(costs: Sequence[cl.Cost | None]) -> list[str]:
    """Return amounts with the same decimals, lower bounds marked; None is a cost that nobody billed."""
    shown = cl.column([cost.known for cost in costs if cost is not None])
    texts = iter(shown)
    return ["not billed" if cost is None else _marked(cost, next(texts)) for cost in costs]


def _marked(cost: cl.Cost, text: str) -> str:
    if cost.known is None or not cost.lower_bound:
        return text
    return money(cost) if text.startswith("<") else f"≥ {text}"  # a bound is never rounded up


def day_of(at: str) -> str:
    """Return which day's prices a figure is at."""
    return {"call": "at each call's own day", "today": "at today's prices"}.get(at, f"at the prices of {at}")


def read_on(prices: cl.PriceTable) -> str:
    """Return when the prices were read."""
    return f", prices read {prices.read_at.isoformat()}" if prices.read_at else ""


def show(o: Namespace) -> int:
    """`show`: one run with its steps, calls and tools."""
    now, prices = datetime.now(UTC), cl.load_table(o.pricing, o.home)
    run = store_of(o).open(o.run_id)
    if o.json:
        summary = shapes.run_summary(run, prices, o.at, now, o.pricing)
        show_json({**summary, "timeline": shapes.timeline(run, prices, o.at, now)})
        return 0
    priced = cl.price_run(run, prices, at=o.at, now=now)
    print(plain(f"{run.run_id}: {run.title or run.task}"[:300]))
    say([*_about(run), *_bill(run, priced.cost, prices, o, now)], "  ")
    print()
    say(step_table(run, priced))
    return 0


def _about(run: cl.Run) -> list[str]:
    counts = cl.run_counts(run)
    models = plain(", ".join(dict.fromkeys(c.model or "no model" for c in run.calls))) or "no model"
    right = "" if run.correct is None else f" ({cl.correct_name(run.correct, cl.ENGLISH)})"
    used = f"{number_of(len(run.calls), 'call')} of {models} in {number_of(len(run.steps), 'step')}"
    read = counts.get("cache_read_tokens")
    cached = f" ({cl.tokens(read)} of them read from cache)" if read else ""
    sums = [cl.tokens(counts.get(key, 0)) for key in ("input_tokens", "output_tokens")]
    basis = "" if run.bases in ((), ("measured",)) else f"; counts: {', '.join(run.bases)}"
    return [
        f"{cl.ended_name(run.state, run.sketched, cl.ENGLISH)}{right}; {used}, {cl.duration(run.duration_s)}",
        f"{sums[0]} tokens in{cached}, {sums[1]} out{basis}",
    ]


def _bill(run: cl.Run, cost: cl.Cost, prices: cl.PriceTable, o: Namespace, now: datetime) -> list[str]:
    """Return what a run cost: two figures, both named, or that of a reference model where nobody billed it."""
    if why := shapes.unbilled_note(run):
        base = cl.baseline(run, prices, at=o.at, now=now, pricing=o.pricing)
        return [f"{why}; on {base.reference}: {money(base.cost)}, {day_of(o.at)}{read_on(prices)}"]
    note = f", {cl.invoice_note(cl.ENGLISH)}" if run.at_api_prices else ""
    said = [f"{money(cost)} {day_of(o.at)}{read_on(prices)}{note}"]
    if o.at != "today":
        today = cl.price_run(run, prices, at="today", now=now).cost
        said.append("a rate has no price today" if cl.rate_gone(cost, today) else f"{money(today)} at today's prices")
    return said + ([f"lower bound: {shapes.reasons(cost)}"] if cost.lower_bound else [])


def step_table(run: cl.Run, priced: cl.RunCost) -> list[str]:
    """Return a row a model call, the tools of its step beside the first; what went wrong stands under a step."""
    names = {node.node: node.name for node in run.agents}
    costs = [None if run.unbilled else priced.by_call.get(call.call_id, cl.Cost()) for call in run.calls]
    amounts = iter(money_column(costs))
    rows: list[list[str]] = []
    errors: dict[int, str] = {}
    for step in run.steps:
        tools = ", ".join(t.name if t.status == "ok" else f"{t.name} ({t.status})" for t in step.tools)
        first = [str(step.number), cl.step_name(step.kind, cl.ENGLISH), names.get(step.agent, step.agent)]
        cells = [[*_call_cells(call), next(amounts)] for call in step.calls] or [[""] * 6]
        rows += [
            [*(first if n == 0 else [""] * 3), *row, cut(tools, 60) if n == 0 else ""] for n, row in enumerate(cells)
        ]
        if step.error:
            errors[len(rows)] = f"      {cut(step.error, 110)}"
    heads = ("STEP", "KIND", "AGENT", "MODEL", "INPUT", "CACHED", "OUTPUT", "TIME", "COST", "TOOLS")
    found = []
    for place, line in enumerate(table(rows, "><<<>>>>><", heads)):
        found += [line, errors[place]] if place in errors else [line]
    return found


def _call_cells(call: cl.ModelCall) -> list[str]:
    counts, marks = call.counts, [] if call.status == "ok" else [call.status]
    marks += [f"counted in {call.inherited_from}"] if call.inherited_from else []
    return [
        f"{cut(call.model or '?', 32)} ({', '.join(marks)})" if marks else cut(call.model or "?", 32),
        cl.tokens(counts.get("input_tokens", 0)),
        cl.tokens(counts["cache_read_tokens"]) if counts.get("cache_read_tokens") else "",
        cl.tokens(counts.get("output_tokens", 0)),
        "" if call.duration_s is None else cl.duration(call.duration_s),
    ]
