"""A run step by step: its figures so far and the table of its steps."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

import streamlit as st

import costlab as cl
from costlab.ui import pieces

if TYPE_CHECKING:
    import pandas as pd


def step_figures(
    run: cl.Run, part: pd.DataFrame, whole: pd.DataFrame, costs: Mapping[str, cl.RunCost], t: cl.Words
) -> None:
    """Show the money so far on each model, the tokens so far, and how many steps have ended."""
    places = list(part["order"] - 1) if len(part) else []
    cards = st.columns(len(costs) + 2) if len(costs) <= 2 else [st.container(horizontal=True)] * (len(costs) + 2)
    short = pieces.brief(costs)
    for place, (label, cost) in zip(cards, costs.items(), strict=False):
        total = sum((cost.of_step(step).total for step in places), Decimal(0))
        again, whole_ = cl.usd(cl.paid_again(cost, places)), cl.usd(cost.cost.total, lower_bound=cost.cost.lower_bound)
        told = t(
            "The whole run: {usd}. Of the steps so far, {again} was for input that had been sent before: cached "
            "input counts as that first."
        )
        with place:
            pieces.figure(
                short[label],
                cl.headline(total, lower_bound=cost.cost.lower_bound),
                t("paid again: {usd}").format(usd=again),
                pieces.plain(told.format(usd=whole_, again=again)),
            )
    again_, sent = int(part["resent"].sum()), int(part["input"].sum())
    with cards[-2]:
        pieces.figure(
            t("Input tokens"),
            cl.compact(sent),
            t("{share} sent before").format(share=f"{again_ / sent:.0%}" if sent else "0%"),
            t("An agent sends its whole context again with each call: as much of the input had been sent before."),
        )
    with cards[-1]:
        under_way = t("paused") if st.session_state.play.since is None else t("running")
        ended = cl.ended_name(run.state, run.sketched, t) if len(part) == len(whole) else under_way
        pieces.figure(t("Steps"), f"{len(part)} / {len(whole)}", ended)


def step_table(part: pd.DataFrame, costs: Mapping[str, cl.RunCost], t: cl.Words) -> None:
    """Show a row a step: agent, tokens by kind, money on each model, tools, seconds, error."""
    amounts = [cost.of_step(int(order) - 1).total for cost in costs.values() for order in part["order"]]
    money = f"$%.{cl.column_decimals(amounts)}f"
    frame = part.assign(kind=[cl.step_name(kind, t) for kind in part["kind"]])
    short = pieces.brief(costs)
    used = [kind for kind in cl.KINDS if (part[kind] > 0).any()]
    st.dataframe(
        frame,
        hide_index=True,
        key="steps",
        placeholder="—",
        alt=t("The steps of the run with their tokens and cost"),
        column_order=[
            "order",
            "kind",
            "agent",
            *(f"usd {label}" for label in costs),
            *used,
            "duration_s",
            "tools",
            "error",
        ],
        column_config={
            "order": st.column_config.NumberColumn(t("Step"), pinned=True, width="small"),
            "kind": st.column_config.TextColumn(t("Kind")),
            "agent": st.column_config.TextColumn(t("Agent")),
            "tools": st.column_config.TextColumn(t("Tools"), width=pieces.text_width(frame["tools"], 200)),
            "duration_s": st.column_config.NumberColumn(t("Duration (s)"), format="%.1f"),
            "error": st.column_config.TextColumn(t("Error"), width="medium"),
            **{f"usd {label}": st.column_config.NumberColumn(f"{short[label]} (USD)", format=money) for label in costs},
            **{kind: st.column_config.NumberColumn(cl.kind_name(kind, t), format="localized") for kind in used},
        },
    )
