"""What the figures rest on: sentences of what is assumed, the prices with their sources and dates, changed prices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from costlab.cost import Line
from costlab.edits import Edit
from costlab.prices import OWN_LAYERS, Rate, conditions_of
from costlab.report.comparison import DAYS, Comparison
from costlab.report.markup import Markup, el
from costlab.words import Words, basis_name, conditions_name, source_name, unit_name

_PER = {1: "1", 1_000: "1k", 1_000_000: "1M", 1_000_000_000: "1G"}


def assumptions(every: Sequence[Comparison], t: Words) -> Markup:
    """Return what the figures rest on, a sentence each."""
    said = list(dict.fromkeys(line for one in every for line in _assumed(one, t)))
    return el("section", el("h2", t("What the figures rest on")), el("ul", *(el("li", line) for line in said)))


def _assumed(one: Comparison, t: Words) -> list[str]:
    sketched = one.run.sketched
    said = _of_sketch(t) if sketched else [
        t("Every model is given exactly the tokens of the recording; no other model was run. It would write other "
          "words and take other steps, so its own bill would differ, and nothing here says how well it would do the "
          "task."),
        t("'Cached as recorded' keeps the recording's cache reads and writes and takes each model's own prices for "
          "them; 'nothing cached' takes the price of fresh input for all input. A model's own cache may do better or "
          "worse than the recording's."),
        t("Token counts on the other models: {bases}.").format(bases=_bases(one, t)),
        t("Measured is what the provider counted; counted is an exact tokenizer or a vendor's formula; estimated is a "
          "library's own count; assumed is taken over from the recording."),
    ]  # fmt: skip
    if sketched:
        if one.reference:
            told = t("{model} is the reference that stands in for it.")
            said.append(told.format(model=one.reference.name))
    elif one.reference and not one.run.local:
        said.append(t("Multiples are of {model}, the reference that was named.").format(model=one.reference.name))
    elif one.reference:
        told = t("The recorded model ran locally and was not billed; {model} is the reference that stands in for it.")
        said.append(told.format(model=one.reference.name))
    elif one.run.local:
        said.append(t("The recorded model ran locally and was not billed."))
    said.append(_day(one, t))
    if any(line.date_unproven for line in one.lines):
        said.append(t("A rate without dates was read after the call: it is the current rate, not proven for that day."))
    months = t("1,000 tasks and a month of {days} days at {n} tasks a day are one task's cost times their number.")
    said.append(months.format(days=DAYS, n=f"{one.daily:,}"))
    said.append(
        t("List prices at the standard tier; taxes, credits, negotiated discounts and batch prices are left out.")
    )
    said.append(
        t("≥ marks a lower bound: the true amount may be higher, for the reason beside it. No lower bound is named "
          "the lowest or the highest.")
    )  # fmt: skip
    if any(not row.fits for row in one.found):
        said.append(t("A model that cannot run this run, or of which that is unknown, is greyed and has no figure."))
    return said


def _of_sketch(t: Words) -> list[str]:
    return [
        t("The run is a sketch: nothing ran, and every count of it is an assumption."),
        t("Every model is given the same counts. A real one would write other words and take other steps, so its bill "
          "would differ, and nothing here says how well it would do the task."),
        t("'Cached as assumed' is what the sketch assumes to be read from a cache, at each model's own prices for it; "
          "'nothing cached' takes the price of fresh input for all input."),
    ]  # fmt: skip


def _bases(one: Comparison, t: Words) -> str:
    """Return where the counts on the other models come from, with the units of all but the usual one."""
    found: dict[str, dict[str, None]] = {}
    for row in one.found:
        for unit, word in row.basis.items():
            found.setdefault(word, {})[unit_name(unit, t)] = None
    told = [f"{basis_name(word, t)} ({', '.join(units)})" for word, units in found.items()]
    return "; ".join(told) or "—"


def _day(one: Comparison, t: Words) -> str:
    if one.at == "call":  # no call of a sketch has a day
        made = t("Prices are those of the day this page was made.")
        return made if one.run.sketched else t("Prices are those of each call's own day.")
    day = f"{one.now:%Y-%m-%d}" if one.at == "today" else one.at
    return t("Prices are those of {day}.").format(day=day)


def _age(one: Comparison, t: Words) -> str:
    read = one.table.read_at
    if read is None:
        return t("On which day the price tables were read is unknown.")
    days = (one.now.date() - read).days
    told = t.plural(
        "The price tables were read on {day}, {n} day before this page was made.",
        "The price tables were read on {day}, {n} days before this page was made.",
        days,
    )  # fmt: skip
    return told.format(day=read.isoformat())


def prices(every: Sequence[Comparison], t: Words) -> Markup:
    """Return every rate behind a figure of the page, with its source, that source's version and its dates."""
    models: dict[str, dict[tuple[str, ...], None]] = {}
    for line in (line for one in every for line in one.lines):
        if line.rate.source != "local":
            models.setdefault(f"{line.model} @ {line.provider}", {})[_price(line, t)] = None
    names = (t("Unit"), t("Rate (USD)"), t("Conditions"), t("Source"), t("Valid from"), t("Read on"))
    return el("section", el("h2", t("Prices")), el("p", _age(every[0], t), class_="note"), _table(names, models))


def _price(line: Line, t: Words) -> tuple[str, ...]:
    rate, unit = line.rate, unit_name(line.unit, t)
    wider = t("{unit}, priced as {other}").format(unit=unit, other=unit_name(line.priced_as, t))
    return (
        unit if line.priced_as == line.unit else wider,
        quoted(rate, line.multiple),
        conditions_name(conditions_of(rate), t),
        source_of(rate, t),
        rate.valid_from.date().isoformat() if rate.valid_from else "",
        rate.read_at.isoformat() if rate.read_at else "",
    )


def source_of(rate: Rate, t: Words) -> str:
    """Return who says what a rate is, with the version of that source."""
    return source_name("user" if rate.layer in OWN_LAYERS else rate.source, rate.source_version, t)


def quoted(rate: Rate, multiple: Decimal = Decimal(1)) -> str:
    """Return a rate as `$0.25 / 1M`, a multiple of it as `$3.00 / 1M × 1.25`."""
    places = max(2, -int((rate.price or Decimal(0)).normalize().as_tuple().exponent))
    times = "" if multiple == 1 else f" × {multiple.normalize():f}"
    return f"${rate.price or Decimal(0):,.{places}f} / {_PER.get(rate.per, f'{rate.per:,}')}{times}"


def changed_prices(every: Sequence[Comparison], t: Words) -> Markup:
    """Return the prices that the user has set, each beside the one it replaces; or that there is none."""
    heading = el("h2", t("Changed prices"))
    models: dict[str, dict[tuple[str, ...], None]] = {}
    for edit in (edit for one in every for edit in one.edited):
        models.setdefault(f"{edit.after.model} @ {edit.after.provider}", {})[_edit(edit, t)] = None
    if not models:
        return el("section", heading, el("p", t("No price of these models was changed by the user.")))
    told = t("These prices were set by the user and take the place of the sources' own; the figures follow them.")
    names = (t("Unit"), t("New (USD)"), t("Base (USD)"), t("Conditions"))
    return el("section", heading, el("p", told), _table(names, models))


def _edit(edit: Edit, t: Words) -> tuple[str, ...]:
    new, old = edit.after, edit.before
    return (
        unit_name(new.unit, t),
        t("removed") if new.price is None else quoted(new),
        "—" if old is None or old.price is None or old.doubtful else quoted(old),
        conditions_name(conditions_of(new), t),
    )


def _table(names: Sequence[str], models: Mapping[str, Iterable[Sequence[str]]]) -> Markup:
    """Return a table of prices: a group of rows a model, whose second column is the price."""
    head = [el("th", name, scope="col", class_="num" if place == 1 else None) for place, name in enumerate(names)]
    groups = [
        el(
            "tbody",
            el("tr", el("th", model, colspan=len(names), scope="rowgroup")),
            *(
                el("tr", *(_cell(place, name, said) for place, (name, said) in enumerate(zip(names, row, strict=True))))
                for row in rows
            ),
        )
        for model, rows in models.items()
    ]
    return el("table", el("thead", el("tr", *head)), *groups, class_="prices")


def _cell(place: int, name: str, said: str) -> Markup:
    return el("td", said, class_="num" if place == 1 else "text", data_label=name)
