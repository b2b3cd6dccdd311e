"""A closer look at prices: a model's prices through time, where the sources disagree, and what that is worth."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

import costlab as cl
from costlab.ui import choices, pieces, session

MOST_MODELS = 8


def closer_look(wanted: Sequence[str], table: cl.PriceTable, run: cl.Run | None, t: cl.Words) -> None:
    """Show, for the models in the editor, prices through time or the sources' disagreements.

    `run` is the recording that the page has chosen already; without one it is asked for where it matters.
    """
    st.subheader(t("A closer look"))
    words = {"time": t("Prices through time"), "sources": t("Where the sources disagree")}
    if choices.linked(t("Show"), words, "look") == "time":
        _through_time(wanted, table, t)
    else:
        _disagreements(wanted[:MOST_MODELS], table, run, t)


def _through_time(wanted: Sequence[str], table: cl.PriceTable, t: cl.Words) -> None:
    name = st.selectbox(t("Model"), wanted, key="history_of", filter_mode="contains")
    provider, _, model = str(name).partition("/")
    frame = cl.frames.history(cl.price_history(provider, model, table), t)
    st.dataframe(
        frame,
        hide_index=True,
        key="history",
        height=min(38 + 35 * max(len(frame), 1), 430),
        alt=t("A model's prices through time"),
        placeholder=t("unpriced"),
        column_config={
            "unit": st.column_config.TextColumn(t("Unit"), pinned=True),
            "conditions": st.column_config.TextColumn(t("Conditions"), width=150),
            "price": st.column_config.NumberColumn(t("Price (USD)"), format="$%.4f"),
            "per": st.column_config.TextColumn(t("For")),
            "from": st.column_config.TextColumn(t("From"), width=100),
            "to": st.column_config.TextColumn(t("Until"), width=100),
            "source": st.column_config.TextColumn(t("Source")),
            "others": st.column_config.TextColumn(t("Others list")),
        },
    )
    st.caption(t("An empty date is open. Calls are priced at their own day: a later price does not change an old run."))


def _disagreements(wanted: Sequence[str], table: cl.PriceTable, run: cl.Run | None, t: cl.Words) -> None:
    keys = [name.split("/", 1) for name in wanted]
    day = session.now()
    found = [one for key in keys for one in cl.disagreements(table, day=day, provider=key[0], model=key[1])]
    if not found:
        st.info(t("For these models the sources list the same prices today."), icon=":material/check:")
        return
    st.dataframe(
        cl.frames.quarrels(found, t),
        hide_index=True,
        key="quarrels",
        alt=t("Prices that the sources list differently"),
        column_config={
            "model": st.column_config.TextColumn(t("Model"), pinned=True),
            "unit": st.column_config.TextColumn(t("Unit")),
            "conditions": st.column_config.TextColumn(t("Conditions"), width=150),
            "prices": st.column_config.TextColumn(t("Prices (USD)")),
            "preferred": st.column_config.TextColumn(t("Used")),
            "ratio": st.column_config.NumberColumn(t("Dearest over cheapest"), format="%.2f×"),
        },
    )
    _worth(wanted, table, run, t)


def _worth(wanted: Sequence[str], table: cl.PriceTable, run: cl.Run | None, t: cl.Words) -> None:
    """Show what believing the other source would change for a run on these models."""
    st.markdown(t("What that is worth on a run"))
    run = run or pieces.choose_run(t)
    if run is None:
        return
    moved = [cl.on_model(run, name, table) for name in wanted]
    frame = cl.frames.stakes(cl.at_stake(moved, table, at="today", now=session.now()), t)
    if frame.empty:
        st.caption(t("Nothing: the run uses no unit for which they disagree."))
        return
    money = st.column_config.NumberColumn
    st.dataframe(
        frame,
        hide_index=True,
        key="stakes",
        alt=t("The run's cost by the source that is used and by the other"),
        column_config={
            "model": st.column_config.TextColumn(t("Model"), pinned=True),
            "unit": st.column_config.TextColumn(t("Unit")),
            "preferred": st.column_config.TextColumn(t("Used")),
            "usd": money(t("Cost (USD)"), format="$%.6f"),
            "other": st.column_config.TextColumn(t("Other source")),
            "other_usd": money(t("By the other (USD)"), format="$%.6f"),
            "difference": money(t("Difference (USD)"), format="$%+.6f"),
        },
    )
