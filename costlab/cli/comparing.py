"""`compare`: the recorded tokens of runs on other models' price lists."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import costlab as cl
from costlab.cli import shapes
from costlab.cli.output import WrongUse, plain, problem, say, show_json, table
from costlab.cli.run_commands import day_of, money, money_column, read_on, store_of


def add(commands: Any, common: ArgumentParser, dated: ArgumentParser) -> None:
    """Add `compare` to the parser of commands."""
    one = commands.add_parser("compare", parents=[common, dated], help="runs on other models' price lists")
    one.add_argument("run_ids", nargs="+", metavar="RUN_ID", help="as `costlab runs` lists them")
    one.add_argument("--models", metavar="A,B,C", help="provider/model, separated by commas (default: a set of eight)")
    one.add_argument(
        "--reference", metavar="MODEL", help="provider/model to compare with; by default the run's own cost, or "
        "a usual model's where the run was not billed"
    )  # fmt: skip
    one.set_defaults(run=compare)


def compare(o: Namespace) -> int:
    """`compare`: each run beside each model; what is not known is said, and the rest is compared."""
    now, prices, store = datetime.now(UTC), cl.load_table(o.pricing, o.home), store_of(o)
    asked = asked_models(o, prices)
    names, unknown = _split(asked, prices)
    for one in unknown:
        problem(str(one))
    answers, failed = [], bool(unknown)
    for run_id in o.run_ids:
        try:
            run = store.open(run_id)
        except cl.CostLabError as error:
            problem(str(error))
            failed = True
            continue
        base = cl.baseline(run, prices, reference=o.reference, at=o.at, now=now, pricing=o.pricing)
        found = cl.compare(run, names, prices, at=o.at, now=now, pricing=o.pricing)
        answers.append(shapes.comparison(run, base, found, [shapes.unknown_model(run, one) for one in unknown]))
        if not o.json:
            say(["", *comparison_lines(run, base, found)][len(answers) == 1 :])
    if o.json:
        show_json({"runs": answers})
    elif answers:
        print(f"\nSame tokens, other price lists, {day_of(o.at)}{read_on(prices)}.")
    return 1 if failed else 0


def asked_models(o: Namespace, prices: cl.PriceTable) -> list[str]:
    """Return the names of `--models`, else the default ones; raises WrongUse for an empty name or `--reference`."""
    asked = [name.strip() for name in o.models.split(",")] if o.models is not None else list(cl.default_models(prices))
    if not all(asked):
        raise WrongUse(f"--models needs names separated by commas, not {o.models!r}")
    try:
        if o.reference is not None:
            cl.resolve(o.reference, prices)
    except cl.UnknownModel as error:
        raise WrongUse(f"--reference: {error}") from None
    return asked


def _split(asked: Sequence[str], prices: cl.PriceTable) -> tuple[list[str], list[cl.UnknownModel]]:
    """Return the names that the tables know, and what is wrong with the others."""
    names, unknown = [], []
    for name in asked:
        try:
            cl.resolve(name, prices)
        except cl.UnknownModel as error:
            unknown.append(error)
        else:
            names.append(name)
    return names, unknown


def comparison_lines(run: cl.Run, base: cl.Baseline, found: Sequence[cl.Alternative]) -> list[str]:
    """Return a run's comparison as text: cheapest first, then what has no price, then what could not run it."""
    heads = ("MODEL", "COST", "NOTHING CACHED", "TIMES REFERENCE" if base.reference else "TIMES RECORDED", "REMARKS")
    fits = sorted((a for a in found if a.fits), key=lambda a: (a.cost.known is None, a.cost.total))
    amounts = iter(money_column([cost for a in fits for cost in (a.cost, a.uncached)]))
    rows = [[a.name, next(amounts), next(amounts), _times(base.times(a.cost)), _remark(a)] for a in fits]
    rows += [[a.name, "", "", "", a.why_not] for a in found if not a.fits]
    return [
        plain(f"{run.run_id}: {run.title or run.task}"[:200]),
        f"  {_against(run, base)}",
        *table(rows, "<>>><", heads),
    ]


def _against(run: cl.Run, base: cl.Baseline) -> str:
    """Return what the figures are compared with."""
    if not base.reference:
        noted = f" {cl.invoice_note(cl.ENGLISH)}" if run.at_api_prices else ""
        return f"recorded: {money(base.cost)}{noted}"
    note = f"{why}; " if (why := shapes.unbilled_note(run)) else ""
    return f"{note}reference {base.reference}: {money(base.cost)}"


def _times(value: Decimal | None) -> str:
    return "" if value is None else f"{value:,.2f}×"


def _remark(one: cl.Alternative) -> str:
    if one.lower_bound:
        return shapes.reasons(one.cost)
    return "free" if one.cost.free else ""
