"""How CostLab's objects show themselves in a notebook: small tables, everything escaped, bounds and units said.

`Shown._repr_html_` comes here; `card(thing, lang)` is the same in another language.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import singledispatch

from costlab.cost import Cost, Line, RunCost, run_counts
from costlab.languages import words_of
from costlab.money import column, duration, tokens, usd
from costlab.prices import ModelRates, PriceTable, Rate, conditions_of
from costlab.projection import Alternative
from costlab.report.comparison import Comparison
from costlab.report.markup import Markup, clean, el, joined, shortened
from costlab.report.table import amount, comparison_table, why_bound
from costlab.report.terms import quoted, source_of
from costlab.runs import Run, title_of
from costlab.words import Words, conditions_name, correct_name, ended_name, step_name, unbilled_name, unit_name

MOST_ROWS = 30


def card(thing: object, lang: str = "en") -> str:
    """Return an object of the library as an HTML fragment in a language; raises TypeError for what has no card."""
    return _card(thing, words_of(lang))


@singledispatch
def _card(thing: object, t: Words) -> Markup:
    raise TypeError(f"{type(thing).__name__} has no card")


def _box(head: str, *inside: str | None) -> Markup:
    return el("div", el("p", el("strong", head)), *inside)


def _table(names: Sequence[str], rows: Iterable[Sequence[str]], t: Words) -> Markup:
    """Return a table of text, its first column to the left, at most `MOST_ROWS` rows and how many more there are."""
    every = list(rows)
    left = "text-align:left"

    def line(tag: str, cells: Sequence[str]) -> Markup:
        return el("tr", *(el(tag, cell, style=left if place == 0 else None) for place, cell in enumerate(cells)))

    rest = len(every) - MOST_ROWS
    more = el("p", t.plural("{n} more row", "{n} more rows", rest)) if rest > 0 else None
    head = el("thead", line("th", names))
    return joined([el("table", head, el("tbody", *(line("td", row) for row in every[:MOST_ROWS]))), more])


@_card.register
def _(thing: Run, t: Words) -> Markup:
    counts = run_counts(thing)
    about = [
        t.plural("{n} step", "{n} steps", len(thing.steps)),
        t.plural("{n} call", "{n} calls", len(thing.calls)),
        *(f"{tokens(counts[key])} {unit_name(key, t)}" for key in ("input_tokens", "cache_read_tokens", "output_tokens")
          if counts.get(key)),
        duration(thing.duration_s),
        ended_name(thing.state, thing.sketched, t),
        correct_name(thing.correct, t),
    ]  # fmt: skip
    rows = [
        (str(place), step_name(step.kind, t), ", ".join(dict.fromkeys(f"{c.provider}/{c.model}" for c in step.calls)),
         *(tokens(sum(int(c.counts.get(key, 0)) for c in step.calls)) for key in ("input_tokens", "output_tokens")),
         shortened(", ".join(tool.name for tool in step.tools), 60), shortened(step.error or "", 80))
        for place, step in enumerate(thing.steps, 1)
    ]  # fmt: skip
    names = (t("step"), t("Kind"), t("Model"), t("Input tokens"), t("Output tokens"), t("Tools"), t("Error"))
    task = shortened(" ".join(clean(thing.task).split()), 300)
    return _box(title_of(thing, t), el("p", task) if task else None, el("p", " · ".join(about)), _table(names, rows, t))


@_card.register
def _(thing: Cost, t: Words) -> Markup:
    why = why_bound(thing, t)
    return _box(amount(thing, t), el("p", f"≥ {why}") if why else None, _lines(thing, t))


def _lines(cost: Cost, t: Words) -> Markup | None:
    if not cost.lines and not cost.unpriced:
        return None
    grouped: dict[tuple[object, ...], list[Line]] = {}
    for line in cost.lines:
        grouped.setdefault((line.provider, line.model, line.unit, line.rate, line.multiple), []).append(line)
    sums = column(sum((x.amount for x in group), Decimal(0)) for group in grouped.values())
    rows = [
        (f"{x.provider}/{x.model}", unit_name(x.unit, t), tokens(sum(one.quantity for one in group)),
         quoted(x.rate, x.multiple), said, source_of(x.rate, t))
        for group, said in zip(grouped.values(), sums, strict=True)
        for x in group[:1]
    ]  # fmt: skip
    for model, unit, why in dict.fromkeys((f"{u.provider}/{u.model}", u.unit, u.why) for u in cost.unpriced):
        used = sum(u.quantity for u in cost.unpriced if (f"{u.provider}/{u.model}", u.unit) == (model, unit))
        rows.append((model, unit_name(unit, t), tokens(used), "", t("unpriced"), why))
    return _table((t("Model"), t("Unit"), t("Quantity"), t("Rate (USD)"), t("Amount"), t("Source")), rows, t)


@_card.register
def _(thing: RunCost, t: Words) -> Markup:
    local = el("p", unbilled_name(thing.run.sketched, t)) if thing.run.unbilled else None
    return _box(title_of(thing.run, t), local, _card(thing.cost, t))


@_card.register
def _(thing: Alternative, t: Words) -> Markup:
    if not thing.fits:
        return _box(thing.name, el("p", thing.why_not))
    bare = t("nothing cached: {usd}").format(usd=amount(thing.uncached, t))
    return _box(thing.name, el("p", t("Same tokens, other price list")), el("p", bare), _card(thing.cost, t))


@_card.register
def _(thing: Comparison, t: Words) -> Markup:
    told = f"≥ {why}" if (why := why_bound(thing.own, t)) else None
    own = usd(thing.own.total, lower_bound=thing.own.lower_bound, free=thing.own.free and not thing.run.unbilled)
    said = (
        t("Reference: {model}").format(model=f"{thing.reference.name} {own}")
        if thing.reference
        else t("As recorded: {usd}").format(usd=unbilled_name(thing.run.sketched, t) if thing.run.unbilled else own)
    )
    parts = (el("p", t("Same tokens, other price list")), el("p", said, el("br"), told))
    return _box(title_of(thing.run, t), *parts, comparison_table(thing, t))


@_card.register
def _(thing: PriceTable, t: Words) -> Markup:
    models = t.plural("{n} model", "{n} models", len(thing.rates))
    hosts = t.plural("{n} provider", "{n} providers", len({provider for provider, _ in thing.rates}))
    day = t("Prices read on {day}").format(day=thing.read_at.isoformat() if thing.read_at else t("an unknown day"))
    return _box(t("Price table"), el("p", " · ".join((models, hosts, day, thing.version))))


@_card.register
def _(thing: ModelRates, t: Words) -> Markup:
    names = (t("Unit"), t("Rate (USD)"), t("Conditions"), t("Source"), t("Valid from"), t("Read on"))
    rows = [_rate(row, t) for row in thing.rows]
    return _box(f"{thing.provider}/{thing.model}", _table(names, rows, t))


def _rate(row: Rate, t: Words) -> tuple[str, ...]:
    price = t("removed") if row.price is None else t("unpriced") if row.doubtful else quoted(row)
    since = row.valid_from.date().isoformat() if row.valid_from else ""
    read = row.read_at.isoformat() if row.read_at else ""
    return unit_name(row.unit, t), price, conditions_name(conditions_of(row), t), source_of(row, t), since, read
