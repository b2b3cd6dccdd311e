"""The comparison in figures: the recorded cost between the two ends of the list, and a row a model."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from costlab.cost import Cost
from costlab.money import column, usd
from costlab.projection import Alternative
from costlab.report.comparison import DAYS, Comparison
from costlab.report.markup import Markup, el
from costlab.usage import Number, by_kind
from costlab.words import KINDS, Words, doubts, kind_name, unbilled_name, unit_name


def figures(one: Comparison, t: Words) -> Markup:
    """Return the cost as recorded (or on the reference model) of as many tasks as asked, and the list's two ends."""
    shown = [_own(one, t)]
    if one.ends:
        for title, end in zip((t("Lowest: {model}"), t("Highest: {model}")), one.ends, strict=True):
            below = t("nothing cached: {usd}").format(usd=amount(end.uncached, t, one.times))
            shown.append(_figure(title.format(model=end.name), amount(end.cost, t, one.times), below))
    caption = el("p", _volume(one, t), class_="note")
    return el("div", caption, el("div", *shown, class_="figures"))


def _volume(one: Comparison, t: Words) -> str:
    if one.times == 1:
        return t("For one task:")
    if one.times == one.monthly:
        return t("For a month of {days} days at {n} tasks a day:").format(days=DAYS, n=f"{one.daily:,}")
    return t("For {n} tasks:").format(n=f"{one.times:,}")


def _own(one: Comparison, t: Words) -> Markup:
    local = unbilled_name(one.run.sketched, t)
    if one.reference:
        then = amount(one.recorded.cost, t, one.times)
        below = local if one.run.unbilled else t("As recorded: {usd}").format(usd=then)
        name = t("Reference: {model}").format(model=one.reference.name)
        return _figure(name, amount(one.reference.cost, t, one.times), below)
    if one.run.unbilled:
        return _figure(t("As recorded, at the calls' day"), local, "")
    gone = t("a rate of that day is gone today")
    today = gone if one.today_gone else amount(one.today, t, one.times)
    below = t("at today's prices: {usd}").format(usd=today)
    cost = one.recorded.cost
    why = why_bound(cost, t)
    return _figure(t("As recorded, at the calls' day"), amount(cost, t, one.times), below, why and f"≥ {why}")


def _figure(label: str, value: str, *below: str) -> Markup:
    lines = [el("div", text, class_="below") for text in below if text]
    return el("div", el("div", label, class_="label"), el("div", value, class_="value"), *lines, class_="figure")


def amount(cost: Cost, t: Words, times: int = 1) -> str:
    """Return a cost, so many times, as text: a lower bound marked, free said, a word where nothing has a price."""
    if cost.known is None:
        return t("unpriced")
    return usd(cost.total * times, lower_bound=cost.lower_bound, free=cost.free)


def why_bound(cost: Cost, t: Words) -> str:
    """Return why a cost is a lower bound, with the units that have no price; empty where it is none."""
    units = ", ".join(dict.fromkeys(unit_name(u.unit, t) for u in cost.unpriced))
    told = doubts(cost.bounds, t)
    return "; ".join([told, t("without a price: {units}").format(units=units)]) if units else told


def comparison_table(one: Comparison, t: Words) -> Markup:
    """Return a row a model: one task, 1,000 tasks and a month, each with cached tokens as recorded and not cached."""
    month = t("a month of {days} days at {n} tasks a day").format(days=DAYS, n=f"{one.daily:,}")
    volumes = (
        (1, t("1 task"), t("1 task")),
        (1_000, t("1,000 tasks"), t("1,000 tasks")),
        (one.monthly, month, t("a month")),
    )  # times, in the head, beside a figure on a narrow screen
    ends = (t("cached as assumed") if one.run.sketched else t("cached as recorded"), t("nothing cached"))
    factor = t("Times the reference") if one.reference else t("Times the recorded")
    spans = [el("th", label, colspan=2, class_="span", scope="colgroup") for _, label, _ in volumes]
    subs = [el("th", end, class_="num", scope="col") for _ in volumes for end in ends]
    times = el("th", factor, rowspan=2, class_="num", scope="col")
    top = el("tr", el("th", t("Model @ provider"), rowspan=2, scope="col"), *spans, times)
    head = el("thead", top, el("tr", *subs))
    labels = [t("{volume}, {end}").format(volume=label, end=end) for _, _, label in volumes for end in ends]
    cells = _cells(one, [times for times, _, _ in volumes], t)
    rows = [
        _row(one, row, list(zip(labels, cells[place], strict=True)), factor, t) for place, row in enumerate(one.rows)
    ]
    caption = el("caption", t("Cost in US dollars. The two columns of each volume are two ends, not a range of doubt."))
    return el("table", caption, head, el("tbody", *rows), class_="wide")


def _row(one: Comparison, row: Alternative, cells: Sequence[tuple[str, str]], factor: str, t: Words) -> Markup:
    name = el("th", f"{row.model} @ {row.provider}", *_remarks(one, row, t), scope="row")
    money = [el("td", said, class_="num", data_label=label) for label, said in cells]
    times = one.factor(row)
    said = "" if times is None else f"{'≥ ' if row.cost.lower_bound else ''}{times:,.2f}×"
    return el("tr", name, *money, el("td", said, class_="num", data_label=factor), class_=row.state)


def _remarks(one: Comparison, row: Alternative, t: Words) -> list[Markup]:
    told = [row.why_not] if not row.fits else []
    if row.fits and row.lower_bound:
        told.append(f"≥ {why_bound(row.cost if row.cost.lower_bound else row.uncached, t)}")
    if row.fits and row.cost.free:
        told.append(t("free"))
    if pictures := _pictures(one, row):
        told.append(t("with {n} tokens of pictures").format(n=f"{pictures:,}"))
    if any((edit.after.provider, edit.after.model) == (row.provider, row.model) for edit in one.edited):
        told.append(t("with a changed price"))
    rates = one.table.find(row.provider, row.model)
    if row.fits and rates is not None and rates.hourly(one.now):
        told.append(t("other prices at other hours"))
    return [el("small", text) for text in told]


def _pictures(one: Comparison, row: Alternative) -> Number:
    """Return the tokens of pictures that stand in no count of the run and that a model charges for."""
    if not one.pictures:
        return 0
    return sum(line.quantity for line in row.uncached.lines if line.unit == "input_image_tokens")


def _cells(one: Comparison, volumes: Sequence[int], t: Words) -> list[list[str]]:
    """Return each row's amounts as text, by volume and end; a volume's two columns have the same decimals."""
    rows = [(row.cost, row.uncached) if row.state in ("priced", "lower_bound") else (None, None) for row in one.rows]
    found: list[list[str]] = [[] for _ in rows]
    for times in volumes:
        sums: list[Decimal | None] = [c.total * times if c else None for pair in rows for c in pair]
        told = iter(column(sums))
        for cells, pair, row in zip(found, rows, one.rows, strict=True):
            for cost in pair:
                text = next(told)
                cells.append(_cell(text, cost, times, t) if cost else "—" if not row.fits else t("unpriced"))
    return found


def _cell(text: str, cost: Cost, times: int, t: Words) -> str:
    if cost.lower_bound:  # one too small for its column is written in full: a rounded one would claim more
        return usd(cost.total * times, lower_bound=True) if text.startswith("<") else f"≥ {text}"
    return t("{usd} (free)").format(usd=text) if cost.free else text


def kinds_table(drawn: Sequence[Alternative], t: Words) -> Markup:
    """Return the chart's figures: one task by kind of token."""
    sums = [by_kind(one.cost.by_unit()) for one in drawn]
    used = [kind for kind in KINDS if any(one[kind] for one in sums)]
    told = iter(column([one[kind] for one in sums for kind in used]))
    names = [kind_name(kind, t) for kind in used]
    head = el(
        "tr", el("th", t("Model @ provider"), scope="col"), *(el("th", n, class_="num", scope="col") for n in names)
    )
    rows = [
        el("tr", el("th", f"{one.model} @ {one.provider}", scope="row"),
           *(el("td", next(told), class_="num", data_label=name) for name in names))
        for one in drawn
    ]  # fmt: skip
    return el(
        "details", el("summary", t("The chart as a table")),
        el("table", el("thead", head), el("tbody", *rows), class_="wide"),
    )  # fmt: skip
