"""The parts of the comparison: headline figures, the table of models, and how one model's figure came about."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import streamlit as st

import costlab as cl
from costlab.ui import pieces, session

if TYPE_CHECKING:
    import pandas as pd


def headline_figures(
    run: cl.Run,
    found: Sequence[cl.Alternative],
    baseline: cl.Cost | None,
    reference: str,
    table: cl.PriceTable,
    t: cl.Words,
) -> None:
    """Show the run's own cost, or its reference model's, the two ends of the list, and the run's tokens."""
    own, low_place, high_place, tokens = st.columns(4)
    with own:
        if baseline is None:
            _recorded(run, table, t)
        else:
            amount = cl.headline(baseline.total, lower_bound=baseline.lower_bound)
            _figure(t("Reference: {model}").format(model=reference), amount, t("ran locally, not billed"))
    priced = sorted((a for a in found if a.fits and not a.cost.unpriced), key=lambda a: a.cost.total)
    if priced:
        for place, title, one in (
            (low_place, t("Lowest: {model}"), priced[0]),
            (high_place, t("Highest: {model}"), priced[-1]),
        ):
            with place:
                amount = cl.headline(one.cost.total, lower_bound=one.lower_bound)
                _figure(
                    title.format(model=one.name),
                    amount,
                    t("nothing cached: {usd}").format(usd=cl.usd(one.uncached.total)),
                )
    counts = cl.run_counts(run)
    read = counts.get("cache_read_tokens", 0)
    sums = [cl.compact(counts.get(key, 0)) for key in ("input_tokens", "output_tokens")]
    cached = t("{n} read from cache").format(n=cl.compact(read)) if read else t("nothing cached")
    with tokens:
        _figure(t("Tokens in / out"), " / ".join(sums), cached)


def _figure(label: str, value: str, below: str, hint: str = "") -> None:
    st.metric(
        label,
        value,
        delta=below,
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
        help=hint or None,
    )


def _recorded(run: cl.Run, table: cl.PriceTable, t: cl.Words) -> None:
    """Show what the run cost at its own date and at today's prices: two figures, both named."""
    then = session.priced(run, table).cost
    today = cl.price_run(run, table, at="today", now=session.now()).cost
    below = t("at today's prices: {usd}").format(usd=cl.usd(today.total, lower_bound=today.lower_bound))
    amount = cl.headline(then.total, lower_bound=then.lower_bound)
    _figure(t("As recorded, at the calls' day"), amount, below, pieces.reasons(then, t))


def comparison_table(
    frame: pd.DataFrame, found: Sequence[cl.Alternative], baseline: cl.Cost, local: bool, t: cl.Words
) -> str | None:
    """Show a row a model and return the model of the chosen row; models that cannot run the run come last."""
    by_name = {one.name: one for one in found}
    costs = [by_name[name].cost for name in frame["model"]]
    decimals = cl.column_decimals([c.total for c in costs] + [by_name[n].uncached.total for n in frame["model"]])
    frame = frame.assign(mark=[_mark(by_name[name], t) for name in frame["model"]])
    if baseline.total:
        frame["factor"] = frame["usd"] / float(baseline.total)
    cleared = [name for name in ("usd", "uncached", "factor") if name in frame]
    frame.loc[frame["state"] == "unfit", cleared] = None
    used = [kind for kind in cl.KINDS if (frame[kind] > 0).any()]
    marks = ["mark"] if frame["mark"].any() else []
    money = f"$%.{decimals}f"
    picked = st.dataframe(
        frame,
        hide_index=True,
        key="compared",
        on_select="rerun",
        selection_mode="single-row",
        column_order=["model", "usd", "uncached", "factor", *marks, *used],
        alt=t("Cost of the run on each model, in US dollars"),
        column_config={
            "model": st.column_config.TextColumn(t("Model"), pinned=True),
            "usd": st.column_config.NumberColumn(t("Cost (USD)"), format=money, help=t("cached tokens as recorded")),
            "uncached": st.column_config.NumberColumn(t("Nothing cached (USD)"), format=money),
            "factor": st.column_config.NumberColumn(
                t("Times the reference") if local else t("Times the recorded"), format="%.2f×"
            ),
            "mark": st.column_config.TextColumn(t("Remarks")),
            **{
                kind: st.column_config.NumberColumn(f"{cl.kind_name(kind, t)} (USD)", format=money) for kind in cl.KINDS
            },
        },
    )
    rows = picked["selection"]["rows"]
    return str(frame["model"].iloc[rows[0]]) if rows and rows[0] < len(frame) else None


def _mark(one: cl.Alternative, t: cl.Words) -> str:
    """Return a row's remark: why a model is out, or why its figure is a lower bound."""
    if not one.fits:
        return one.why_not
    if one.lower_bound:
        return f"≥ {pieces.reasons(one.cost, t)}"
    return t("free") if one.cost.free else ""


def how_computed(name: str | None, found: Sequence[cl.Alternative], t: cl.Words) -> None:
    """Show the lines behind one model's figure: the row chosen in the table, else the cheapest."""
    usable = [a for a in found if a.fits and a.cost.lines] or list(found)
    one = next((a for a in found if a.name == name), None) or min(usable, key=lambda a: a.cost.total)
    st.subheader(t("How {model} comes to {amount}").format(model=pieces.plain(one.name), amount=_amount(one.cost)))
    st.caption(
        t("Counts: {basis}, taken from the recorded model. Choose a row above for another model.").format(
            basis=", ".join(dict.fromkeys(cl.basis_name(word, t) for word in one.basis.values()))
        )
    )
    pieces.lines_table(one.cost, t, key="lines")


def _amount(cost: cl.Cost) -> str:
    total: Decimal | None = None if cost.unpriced and not cost.lines else cost.total
    return pieces.plain(cl.usd(total, lower_bound=cost.lower_bound, free=cost.free))
