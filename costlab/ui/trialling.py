"""Which live run a page shows: that of the link, else the session's; and what there is of one that is gone."""

from __future__ import annotations

import importlib.util

import streamlit as st

import costlab as cl
from costlab.ui import keeping, pieces, session


def possible(t: cl.Words) -> bool:
    """Return whether agents can run here; say why not."""
    if keeping.live_off():
        st.info(t("Live runs are switched off on this server."), icon=":material/block:")
        return False
    if any(importlib.util.find_spec(name) is None for name in ("smolagents", "openai")):
        st.info(t("Live runs need smolagents. One command brings it:"), icon=":material/download:")
        st.code("pip install 'costlab[agents]'", language="bash")
        return False
    if keeping.public():
        _shared(t)
    return True


def _shared(t: cl.Words) -> None:
    """Say what holds on a server for several people."""
    rules = keeping.trial_rules()
    told = [t("Recordings of your runs stay in this browser tab; who has the link of a run sees it and can stop it.")]
    if not rules.environment:
        told.append(t("Type keys of your own: this server's are not lent."))
    st.caption(" ".join(told))


def current() -> str | None:
    """Return the id of the live run to show, which the link then holds; None for the form."""
    named = st.query_params.get("run")
    if named and (keeping.trials().view(named) is not None or named not in session.runs()):
        st.session_state.trial = named
    chosen: str | None = st.session_state.get("trial")
    session.keep_in_link("run", chosen)
    return chosen


def known(trial_id: str, t: cl.Words) -> cl.TrialView | None:
    """Return where a live run stands, from its recordings where the server was started anew; None where all is gone."""
    view = keeping.trials().view(trial_id)
    if view is not None:
        if view.ended:
            _take(view, t)
        return view
    view = cl.recorded_trial(trial_id, session.runs().values(), session.table())
    if view is not None:
        told = t("The server was started anew since. This is what the recordings hold; what was under way was cut off.")
        st.info(told, icon=":material/history:")
        return view
    st.session_state.pop("trial", None)
    session.keep_in_link("run", None)
    where = (
        t("A shared server keeps recordings in memory only, so they are gone too.")
        if keeping.public()
        else t("Whatever it had recorded is on the page Recordings.")
    )
    told = t("The link names a live run that this server does not know (any more).")
    st.warning(f"{told} {where}", icon=":material/link_off:")
    return None


def _take(view: cl.TrialView, t: cl.Words) -> None:
    """Give a visitor of a public server the recordings of a live run, once: there they are in nobody's home."""
    taken: set[str] = st.session_state.setdefault("trials_taken", set())
    if not keeping.public() or view.trial_id in taken:
        return
    taken.add(view.trial_id)
    try:
        keeping.store().add([leg.run for leg in view.legs if leg.run is not None])
    except cl.CostLabError as problem:
        st.warning(
            pieces.plain(cl.error_text(problem, t)), title=t("The recordings were not kept"), icon=":material/warning:"
        )


def head(view: cl.TrialView, t: cl.Words) -> None:
    """Show what runs, and the button that ends it or leaves it."""
    title, button = st.columns([10, 2], vertical_alignment="center")
    line = title.container(horizontal=True, vertical_alignment="center")
    line.subheader(_title(view, t), width="content")
    words = {
        "starting": t("running"),  # how far each one has come, its card says
        "running": t("running"),
        "stopping": t("stopping"),
        "ended": t("ended after {time}").format(time=pieces.lasting(view.seconds, t)) if view.seconds else t("ended"),
    }
    line.badge(words[view.state], color="gray" if view.ended else "blue")
    if view.ended:
        button.button(t("New run"), key="trial_new", icon=":material/add:", on_click=_leave, width="stretch")
    else:
        st.caption(t("The address of this page leads back here, from another browser too. It holds no key."))
        button.button(
            t("Stop"), key="trial_stop", icon=":material/stop:", type="primary", disabled=view.state == "stopping",
            on_click=keeping.trials().stop, args=(view.trial_id,), width="stretch",
        )  # fmt: skip


def _title(view: cl.TrialView, t: cl.Words) -> str:
    return pieces.plain(cl.task_title(view.plan.title or " ".join(view.plan.task.split())[:90], t))


def _leave() -> None:
    """Go back to the form; the live run stays where its link leads."""
    st.session_state.pop("trial", None)
    st.query_params.pop("run", None)
