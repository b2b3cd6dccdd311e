"""The parts of the comparison: headline figures, the chart, the table of models, how one model's figure came about."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

import costlab as cl
from costlab.ui import pieces, session
from costlab.ui.choices import Volume

if TYPE_CHECKING:
    import pandas as pd
    from pandas.io.formats.style import Styler

Asked = partial[cl.Comparison]  # `cl.comparison` of what is on the screen; it waits for the words


def headline_figures(
    run: cl.Run,
    found: Sequence[cl.Alternative],
    baseline: cl.Cost | None,
    volume: Volume,
    table: cl.PriceTable,
    t: cl.Words,
) -> None:
    """Show the run's own cost, or its reference model's, the two ends of the list, and the run's tokens."""
    own, low_place, high_place, tokens = st.columns(4)
    with own:
        if baseline is None:
            _recorded(run, volume, table, t)
        else:
            title = t("Reference: {model}").format(model=st.session_state.get("reference", ""))
            pieces.figure(title, _headline(baseline, volume), cl.unbilled_name(run.sketched, t))
    priced = cl.cheapest_first(found)
    if priced:
        short = pieces.brief(one.name for one in found)
        ends = ((low_place, t("Lowest: {model}"), priced[0]), (high_place, t("Highest: {model}"), priced[-1]))
        for place, title, one in ends:
            with place:
                uncached = t("nothing cached: {usd}").format(usd=_headline(one.uncached, volume))
                pieces.figure(title.format(model=short[one.name]), _headline(one.cost, volume), uncached)
    counts = cl.run_counts(run)
    read = counts.get("cache_read_tokens", 0)
    sums = [cl.compact(counts.get(key, 0)) for key in ("input_tokens", "output_tokens")]
    cached = t("{n} read from cache").format(n=cl.compact(read)) if read else t("nothing cached")
    with tokens:
        pieces.figure(t("Tokens in / out, per task"), " / ".join(sums), cached)


def _headline(cost: cl.Cost, volume: Volume) -> str:
    return cl.headline(cost.total * volume.times, lower_bound=cost.lower_bound)


def _recorded(run: cl.Run, volume: Volume, table: cl.PriceTable, t: cl.Words) -> None:
    """Show what the run cost at its own date and at today's prices: two figures, both named."""
    then = session.priced(run, table).cost
    today = cl.price_run(run, table, at="today", now=session.now()).cost
    below = t("at today's prices: {usd}").format(usd=_headline(today, volume))
    pieces.figure(t("As recorded, at the calls' day"), _headline(then, volume), below, pieces.reasons(then, t))


def chart(frame: pd.DataFrame, volume: Volume, t: cl.Words) -> None:
    """Draw the models that have a figure; a click on a bar opens its lines."""
    drawn = frame[(frame["state"] != "unfit") & frame["usd"].notna()]
    if drawn.empty:
        st.warning(t("None of these models can run this run, or none has a price; the table says why."))
        return
    whole = drawn[drawn["state"] == "priced"]
    told = t("Cost of the run on each model, {volume}; the lowest price list is {model}.").format(
        volume=volume.label, model=whole["model"].iloc[0] if len(whole) else "—"
    )
    st.caption(t("Cost in USD, {volume}").format(volume=volume.label))
    st.plotly_chart(
        cl.charts.compare_bars(frame, t),
        key="bars",
        alt=told,
        config={"displayModeBar": False},
        on_select=_bar_opened,
        selection_mode="points",
    )


def _bar_opened() -> None:
    points = st.session_state.bars["selection"]["points"]
    if points:
        st.session_state.opened = points[0].get("y")


def _row_opened(names: Sequence[str]) -> None:
    rows = st.session_state.compared["selection"]["rows"]
    if rows and rows[0] < len(names):
        st.session_state.opened = names[rows[0]]


def comparison_table(
    frame: pd.DataFrame,
    found: Sequence[cl.Alternative],
    baseline: cl.Cost,
    local: bool,
    volume: Volume,
    t: cl.Words,
) -> None:
    """Show a row a model; a click opens its lines. Models that cannot run the run come last, without figures."""
    by_name = {one.name: one for one in found}
    costs = [cost for one in found if one.fits for cost in (one.cost, one.uncached)]
    decimals = cl.column_decimals([cost.total * volume.times for cost in costs])
    table = session.table()
    frame = frame.assign(mark=[_mark(by_name[name], table, t) for name in frame["model"]])
    if baseline.total and not baseline.lower_bound:  # by a lower bound nothing can be divided
        frame["factor"] = frame["usd"] / float(baseline.total * volume.times)
    figures = [name for name in ("usd", "uncached", "factor", *cl.KINDS) if name in frame]
    frame.loc[frame["state"] == "unfit", figures] = None
    used = [kind for kind in cl.KINDS if (frame[kind] > 0).any()]
    marks = ["mark"] if frame["mark"].any() else []
    st.dataframe(
        _told(frame.style.apply(_greyed, axis="columns"), frame, decimals, t),
        hide_index=True,
        key="compared",
        on_select=_row_opened_now(frame),
        selection_mode="single-row",
        placeholder="—",
        column_order=["model", "usd", "uncached", "factor", *marks, *used],
        alt=t("Cost of the run on each model, in US dollars"),
        column_config=_columns(frame, local, t),
    )


def _greyed(row: pd.Series[Any]) -> list[str]:
    """Return the style of a row's cells: grey where a model cannot run the run or nobody knows whether it can."""
    return ["color: #7A828C" if row["state"] == "unfit" else ""] * len(row)


def _row_opened_now(frame: pd.DataFrame) -> Callable[[], None]:
    names = list(frame["model"])
    return lambda: _row_opened(names)


def _told(style: Styler, frame: pd.DataFrame, decimals: int, t: cl.Words) -> Styler:
    """Return the table with its figures as they are said everywhere: a lower bound marked, no price no number."""
    money = [name for name in ("usd", "uncached") if name in frame]
    kinds = [kind for kind in cl.KINDS if kind in frame]
    least = frame.index[frame["state"] == "lower_bound"]
    fit = frame.index[frame["state"] != "unfit"]

    def amount(value: Any) -> str:
        return cl.cell(cl.exact(value) or Decimal(0), decimals)

    style = style.format(amount, subset=[*money, *kinds], na_rep="—")
    style = style.format(amount, subset=(fit, kinds), na_rep=t("unpriced"))
    style = style.format(lambda value: f"≥ {amount(value)}", subset=(least, money), na_rep="—")
    if "factor" in frame:
        style = style.format("{:,.2f}×", subset=["factor"], na_rep="—")
        style = style.format("≥ {:,.2f}×", subset=(least, ["factor"]), na_rep="—")
    return style


def _columns(frame: pd.DataFrame, local: bool, t: cl.Words) -> dict[str, Any]:
    of_kinds = {kind: st.column_config.NumberColumn(cl.kind_name(kind, t)) for kind in cl.KINDS}
    return {
        "model": st.column_config.TextColumn(t("Model"), pinned=True, width=pieces.text_width(frame["model"])),
        "usd": st.column_config.NumberColumn(t("Cost (USD)"), help=t("cached tokens as recorded")),
        "uncached": st.column_config.NumberColumn(t("Nothing cached (USD)")),
        "factor": st.column_config.NumberColumn(t("Times the reference") if local else t("Times the recorded")),
        "mark": st.column_config.TextColumn(t("Remarks"), width=pieces.text_width(frame["mark"], 460)),
        **of_kinds,
    }


def _mark(one: cl.Alternative, table: cl.PriceTable, t: cl.Words) -> str:
    """Return a row's remarks: why a model is out, why its figure is a lower bound, what its price depends on."""
    if not one.fits:
        return one.why_not
    said = [f"≥ {pieces.reasons(one.cost, t)}"] if one.lower_bound else [t("free")] if one.cost.free else []
    edited = cl.own_edits(table, one.provider, one.model, session.now())
    said += [t("with a changed price")] if edited else []
    rates = table.find(one.provider, one.model)
    said += [t("other prices at other hours")] if rates and rates.hourly(session.now()) else []
    return "; ".join(said)


def doors(run: cl.Run, asked: Asked, t: cl.Words) -> None:
    """Offer what is on the screen as a CSV file and as a page to send; both are made when they are asked for."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", run.run_id)[:60].strip("-.") or "run"
    with st.container(horizontal=True):
        st.download_button(
            t("Table (CSV)"),
            partial(table_to_keep, asked),
            file_name=f"costlab-{name}.csv",
            mime="text/csv",
            icon=":material/table_view:",
            key="download_csv",
            on_click="ignore",
            help=t("Plain numbers in US dollars, a row a model"),
        )
        st.download_button(
            t("Page to send (HTML)"),
            partial(page_to_send, asked, t.language),
            file_name=f"costlab-{name}.html",
            mime="text/html",
            icon=":material/outgoing_mail:",
            key="download_html",
            on_click="ignore",
            help=t("One file that needs no network: the table, the chart, what it assumes, the prices and their dates"),
        )


def table_to_keep(asked: Asked) -> bytes:
    """Return the comparison on the screen as CSV; it is in English whatever the session's language."""
    return cl.comparison_csv(asked(t=cl.ENGLISH)).encode("utf-8")


def page_to_send(asked: Asked, language: str) -> bytes:
    """Return the comparison on the screen as one self-contained page in a language."""
    return cl.report_html(asked(t=cl.words_of(language)), language).encode("utf-8")


def how_computed(found: Sequence[cl.Alternative], volume: Volume, t: cl.Words, *, sketched: bool = False) -> None:
    """Show the lines behind one model's figure: the one that was clicked, else the cheapest."""
    opened = st.session_state.get("opened") if _chosen() else None
    one = next((a for a in found if a.name == opened), None) or next(iter(cl.cheapest_first(found) or found))
    st.subheader(
        t("How {model} comes to {amount}").format(
            model=pieces.plain(one.name), amount=pieces.plain(pieces.amount(one.cost, t))
        )
    )
    if not one.fits:
        told = t("It is not compared: {why}. This is what its price list says of the recorded tokens.")
        st.caption(pieces.plain(told.format(why=one.why_not)))
    bases = t(", ").join(dict.fromkeys(cl.basis_name(word, t) for word in one.basis.values()))
    told = t("One run. Counts: {basis}, from the recorded model. Click a bar or a row above for another model.")
    if sketched:
        told = t("One run. Counts: {basis}, from the sketch. Click a bar or a row above for another model.")
    st.caption(told.format(basis=bases))
    pieces.lines_table(one.cost, t, key="lines")


def _chosen() -> bool:
    """Return whether a bar or a row is marked on the page; what was clicked elsewhere or before explains nothing."""
    marked = {"bars": "points", "compared": "rows"}
    return any(st.session_state.get(key, {}).get("selection", {}).get(kind) for key, kind in marked.items())
