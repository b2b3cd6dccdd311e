"""Choices that the link holds: which models, which day's prices, for how many runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

import costlab as cl
from costlab.ui import keeping, pieces, session

MOST_MODELS = 40
MOST_DAILY = 10_000_000
DAYS = 30  # of a month


@dataclass(frozen=True, slots=True)
class Volume:
    """For how many runs figures are shown, and how that is said beside them."""

    times: int
    label: str
    daily: int = 100  # tasks a day of a month, whichever of the three is shown


def linked(label: str, words: Mapping[str, str], key: str, hint: str = "") -> str:
    """Show a choice of a few words and return the chosen one's id, which the link holds whatever the language."""
    ids = list(words)
    # Set in each run: on another page's first one Streamlit keeps the value and does not tell the browser.
    held = st.session_state.get(key, st.query_params.get(key))
    st.session_state[key] = held if held in words else ids[0]
    chosen = st.segmented_control(
        label, ids, format_func=lambda one: words[one], key=key, required=True, persist_state="session",
        help=hint or None, wrap=False,
    )  # fmt: skip
    chosen = str(chosen or ids[0])
    session.keep_in_link(key, None if chosen == ids[0] else chosen)
    return chosen


def day(t: cl.Words) -> str:
    """Show the choice of the prices' day: each call's own, or today."""
    return linked(t("Prices of"), {"call": t("the call's day"), "today": t("today")}, "at")


def volume(t: cl.Words) -> Volume:
    """Show the choice of one run, a thousand, or a month at so many a day."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        words = {"task": t("1 task"), "thousand": t("1,000 tasks"), "month": t("a month")}
        chosen = linked(t("For"), words, "per")
        if chosen != "month":
            times, label = (1, t("per task")) if chosen == "task" else (1_000, t("per 1,000 tasks"))
            return Volume(times, label, _daily(st.session_state.get("daily")))
        each = st.number_input(
            t("Tasks a day"), min_value=1, max_value=MOST_DAILY, value=100, step=100, key="daily", bind="query-params"
        )
    each = _daily(each)
    told = t("a month of {days} days at {n} tasks a day").format(days=DAYS, n=f"{each:,}")
    return Volume(each * DAYS, told, each)


def _daily(each: object) -> int:
    """Return a number of tasks a day within its limits; the browser's own are no check."""
    return min(max(each if isinstance(each, int) else 100, 1), MOST_DAILY)


def models(names: Sequence[str], table: cl.PriceTable, t: cl.Words) -> list[str]:
    """Show the choice of models, with all hosts of one at a click and the user's own set."""
    wide, narrow = st.columns([8, 3], vertical_alignment="bottom")
    with narrow, st.popover(t("Hosts and favourites"), icon=":material/playlist_add:", width="stretch"):
        _hosts(table, t)
        _favourites(names, t)
    return list(
        wide.multiselect(
            t("Models"),
            names,
            placeholder=t("provider/model"),
            default=[m for m in cl.default_models(table) if m in names],
            key="models",
            bind="query-params",
            max_selections=MOST_MODELS,
            wrap=False,
            select_all=False,
            help=t("provider/model; type to search"),
        )
    )


def reference(names: Sequence[str], t: cl.Words, hint: str, *, disabled: bool = False) -> str:
    """Show the choice of the model that stands in for what nobody billed."""
    usual = cl.reference_model()
    return str(
        st.selectbox(
            t("Reference model"), names, index=names.index(usual) if usual in names else 0, key="reference",
            bind="query-params", disabled=disabled, help=hint,
        )
    )  # fmt: skip


def none_chosen(names: Sequence[str], t: cl.Words) -> None:
    """Say what to do where no model is chosen: choose one, or take the usual ones again."""
    st.info(t("Choose at least one model above."), icon=":material/compare_arrows:")
    usual = [name for name in cl.default_models() if name in names]
    label = t("Take the usual models")
    st.button(label, icon=":material/restart_alt:", key="usual_models", on_click=_choose, args=(usual,))


def _hosts(table: cl.PriceTable, t: cl.Words) -> None:
    """Offer, for each chosen model, all providers that serve it."""
    st.caption(t("Add every provider that serves a model:"))
    chosen = st.session_state.get("models") or cl.default_models(table)
    hosts_of, tails = session.hosts(table), dict.fromkeys(cl.model_part(name) for name in chosen)
    more = {tail: [name for name in hosts_of.get(tail, ()) if name not in chosen] for tail in tails}
    if not any(more.values()):
        st.caption(t("All of them are there already."))
    for tail, hosts in more.items():
        if not hosts:
            continue
        st.button(
            t.plural("{n} more host of {model}", "{n} more hosts of {model}", len(hosts)).replace("{model}", tail),
            key=f"hosts-{tail}",
            on_click=_choose,
            args=([*chosen, *hosts],),
            width="stretch",
        )


def _choose(wanted: Sequence[str]) -> None:
    st.session_state.models = list(wanted)[:MOST_MODELS]


def _favourites(names: Sequence[str], t: cl.Words) -> None:
    """Offer to keep the chosen models as the user's own set, and to take it again."""
    st.caption(t("Your own set of models:"))
    try:
        kept = [name for name in keeping.read_favourites() if name in names]
    except cl.CostLabError as problem:
        st.warning(pieces.plain(cl.error_text(problem, t)))
        kept = []
    if kept:
        label = t.plural("Take my {n} favourite", "Take my {n} favourites", len(kept))
        st.button(label, key="take_favourites", icon=":material/star:", on_click=_choose, args=(kept,), width="stretch")
    st.button(
        t("Keep these models as favourites"), icon=":material/bookmark_add:", key="keep_favourites", on_click=_keep,
        width="stretch",
    )  # fmt: skip
    told = st.session_state.pop("favourites_told", "")
    if told:
        st.caption(pieces.plain(told))


def _keep() -> None:
    chosen = st.session_state.get("models") or cl.default_models()
    try:
        keeping.save_favourites(chosen)
    except cl.CostLabError as problem:
        st.session_state.favourites_told = cl.error_text(problem, session.words())
