"""One page to send: the question, the comparison, one chart, what it assumes, which prices, and how it was made.

Self-contained: no script, no network (its content policy forbids both), one style sheet inside. It claims no saving.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from costlab.errors import BadInput
from costlab.languages import words_of
from costlab.money import compact
from costlab.report.chart import MOST_BARS, bars
from costlab.report.comparison import Comparison
from costlab.report.markup import Markup, clean, el, shortened
from costlab.report.table import comparison_table, figures, kinds_table
from costlab.report.terms import assumptions, changed_prices, prices
from costlab.runs import Run, title_of
from costlab.sketching import parse_sketch
from costlab.version import __version__
from costlab.words import Words, basis_name, correct_name, ended_name

MOST_OF_TASK = 1_500  # letters of a task's text
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def report_html(found: Comparison | Sequence[Comparison], lang: str = "en") -> str:
    """Return comparisons as one self-contained HTML page in a language (`en`, `zh`)."""
    every = [found] if isinstance(found, Comparison) else list(found)
    if not every:
        raise ValueError("a report needs a comparison")
    t = words_of(lang)
    if all(one.run.sketched for one in every):
        title, below = t("What would this agent cost?"), t("A sketch: every count is assumed, nothing ran")
    else:
        title, below = t("What would this run cost on other price lists?"), t("Same tokens, other price list")
    heads = [title_of(one.run, t) for one in every]
    body = el(
        "main",
        el("header", el("h1", title), el("p", below, class_="quiet")),
        *(_run(one, place, head, t) for place, (one, head) in enumerate(zip(every, heads, strict=True), 1)),
        assumptions(every, t),
        changed_prices(every, t),
        prices(every, t),
        _footer(every, t),
    )
    page = el("html", _head(f"{shortened(heads[0], 60)} · {title}", every, t), el("body", body), lang=t.language)
    return f"<!doctype html>\n{page}\n"


def _head(title: str, every: Sequence[Comparison], t: Words) -> Markup:
    return el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=POLICY),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="referrer", content="no-referrer"),
        el("meta", name="generator", content=f"CostLab {__version__}"),
        el("title", title),
        el("style", Markup(_style())),
    )


@cache
def _style() -> str:
    return Path(__file__).with_name("page.css").read_text(encoding="utf-8")


def _run(one: Comparison, place: int, head: str, t: Words) -> Markup:
    drawn = one.drawn
    if drawn:
        told = t("Cost of one task on each model in US dollars, split by what is charged; the table has the figures.")
        more = t("The first {n} of {all} models are drawn.").format(n=MOST_BARS, all=len(drawn))
        chart = el(
            "figure",
            el("figcaption", told, " ", more if len(drawn) > MOST_BARS else None),
            bars(drawn, t, key=f"chart{place}", told=told),
            kinds_table(drawn, t),
        )
    else:
        chart = el("p", t("None of these models can run this run, or none has a price; the table says why."))
    return el("section", el("h2", head), _facts(one, t), figures(one, t), comparison_table(one, t), chart)


def _facts(one: Comparison, t: Words) -> Markup:
    """Return what was asked, of whom, when, and what was recorded."""
    run = one.run
    if run.sketched:
        return _listed({t("Assumed"): _sketch(run, t), t("Used, one task"): _used(one, t)})
    models = dict.fromkeys(f"{c.model} @ {c.provider}" if c.provider else c.model or "?" for c in run.calls)
    bases = ", ".join(f"{basis_name(word, t)} {n:,}" for word, n in one.usage_bases.items())
    facts = {
        t("Task"): el("span", _task(run, t), class_="task"),
        t("Agent"): run.agent or "—",
        t("Recorded model"): ", ".join(models) or "—",
        t("Recorded on"): f"{run.started_at:%Y-%m-%d %H:%M} UTC" if run.started_at else t("an unknown day"),
        t("Ended"): " · ".join((ended_name(run.state, run.sketched, t), correct_name(run.correct, t))),
        t("Used, one task"): _used(one, t),
        t("Calls by the source of their counts"): bases or "—",
    }
    return _listed(facts)


def _listed(facts: Mapping[str, str | Markup]) -> Markup:
    return el(
        "dl", *(part for name, said in facts.items() for part in (el("dt", name), el("dd", said))), class_="facts"
    )


def _sketch(run: Run, t: Words) -> str:
    """Return what a sketch assumes, in words."""
    try:
        plan = parse_sketch(str(run.meta.get("sketch") or ""))
    except BadInput:  # a recording that says it is one, and is none
        return "—"
    said = {
        t("Steps"): plan.steps, t("System prompt (tokens)"): plan.system_tokens, t("Task (tokens)"): plan.task_tokens,
        t("Tool results per step (tokens)"): plan.tool_tokens, t("Output per step (tokens)"): plan.output_tokens,
        t("Thinking per step (tokens)"): plan.thinking_tokens, t("Read from cache (%)"): plan.cached_percent,
    }  # fmt: skip
    pictures = [f"{one.count} × {one.width}×{one.height} px" for one in plan.pictures]
    return " · ".join([*(f"{name}: {number:,}" for name, number in said.items()), *pictures])


def _task(run: Run, t: Words) -> str:
    text = clean(run.task).strip()
    if len(text) <= MOST_OF_TASK:
        return text or "—"
    rest = t.plural("[{n} more letter]", "[{n} more letters]", len(text) - MOST_OF_TASK)
    return f"{text[:MOST_OF_TASK]}… {rest}"


def _used(one: Comparison, t: Words) -> str:
    counts = one.counts
    said = [
        t.plural("{n} step", "{n} steps", len(one.run.steps)),
        t.plural("{n} call", "{n} calls", sum(one.usage_bases.values())),
        t("{n} input tokens").format(n=compact(counts.get("input_tokens", 0))),
        t("{n} output tokens").format(n=compact(counts.get("output_tokens", 0))),
    ]
    if one.pictures:
        said.insert(3, t.plural("and {n} picture", "and {n} pictures", one.pictures))
    read = counts.get("cache_read_tokens", 0)
    said.append(t("{n} read from cache").format(n=compact(read)) if read else t("nothing cached"))
    return " · ".join(said)


def _footer(every: Sequence[Comparison], t: Words) -> Markup:
    made = t("Made by CostLab {version} on {day}. Everything shown is in this file; nothing is loaded from a network.")
    told = [made.format(version=__version__, day=f"{every[0].now:%Y-%m-%d %H:%M} UTC")]
    for one in every:
        form = one.run.source.get("format") or t("unknown")
        told.append(t("Recording {run}, format {format}.").format(run=one.run.run_id, format=form))
    return el("footer", *(el("p", line, class_="note") for line in told))
