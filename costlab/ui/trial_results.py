"""What came of a live run: medians and ranges of each model, cold starts, who ran first, and where to go on."""

from __future__ import annotations

import streamlit as st

import costlab as cl
from costlab.ui import pieces, session, trial_view

PAGES = "costlab/ui/pages"


def results(view: cl.TrialView, table: cl.PriceTable, reference: str, t: cl.Words) -> None:
    """Show a row a model: how many runs, how many right, cost as recorded and from a cold cache, time, tokens."""
    found = {name: _repeated(view, place, table, reference) for place, name in enumerate(trial_view.labels(view))}
    if not any(one.runs for one in found.values()):
        return
    st.subheader(t("Results"))
    frame = cl.frames.repeats(found)
    frame["ran"] = [_ran(one, t) for one in found.values()]
    frame["right"] = [
        t("{n} of {all}").format(n=one.correct, all=one.checked) if one.checked else t("not checked")
        for one in found.values()
    ]
    for key in ("cost", "cold"):
        frame[key] = [_money(getattr(one, key), one, t) for one in found.values()]
    frame["seconds"] = [_span(one.seconds, lambda x: pieces.lasting(float(x), t)) for one in found.values()]
    for key in ("input_tokens", "output_tokens", "steps"):
        frame[key] = [_span(getattr(one, key), lambda x: f"{round(x):,}") for one in found.values()]
    frame["first"] = _order(view, t)
    st.dataframe(
        frame,
        hide_index=True,
        key="trial_results",
        alt=t("Median and range of each model's runs"),
        column_order=["model", "ran", "right", "cost", "cold", "seconds", "first", "steps", "input_tokens",
                      "output_tokens"],
        column_config={
            "model": st.column_config.TextColumn(t("Model"), pinned=True),
            "ran": st.column_config.TextColumn(t("Runs")),
            "right": st.column_config.TextColumn(t("Right")),
            "cost": st.column_config.TextColumn(t("Cost (USD)")),
            "cold": st.column_config.TextColumn(t("Cold cache (USD)"), help=t(
                "As if nothing had been in the provider's cache when the run began: what it read there and had not "
                "sent itself counts as new input.")),
            "seconds": st.column_config.TextColumn(t("Time")),
            "input_tokens": st.column_config.TextColumn(t("Tokens in")),
            "output_tokens": st.column_config.TextColumn(t("Tokens out")),
            "steps": st.column_config.TextColumn(t("Steps")),
            "first": st.column_config.TextColumn(t("First call"), help=t("Who sent its first call when.")),
        },
    )  # fmt: skip
    _notes(view, found, reference, t)


def _repeated(view: cl.TrialView, place: int, table: cl.PriceTable, reference: str) -> cl.Repeated:
    pairs = []
    for leg in view.of(place):
        own = trial_view.priced(leg, table, reference) if leg.over else None
        if own is not None:
            pairs.append((own, cl.price_run(cl.cold_start(own.run), table, now=session.now())))
    return cl.repeated(pairs)


def _ran(one: cl.Repeated, t: cl.Words) -> str:
    """Return how many runs count, and of how many where some were stopped or failed."""
    if one.whole == one.runs:
        return f"n = {one.runs}"
    return t("n = {n} of {all}").format(n=one.whole, all=one.runs)


def _money(found: cl.Range, one: cl.Repeated, t: cl.Words) -> str:
    if one.unpriced:
        return t("unpriced")
    return _span(found, lambda x: cl.usd(x, lower_bound=one.lower_bound))


def _span(found: cl.Range, shown: object) -> str:
    """Return a median and, where there are several figures, both ends."""
    assert callable(shown)
    if found.median is None:
        return "—"
    middle = str(shown(found.median))
    return middle if found.low == found.high else f"{middle} ({shown(found.low)}–{shown(found.high)})"


def _order(view: cl.TrialView, t: cl.Words) -> list[str]:
    """Return when each model sent its first call, after the one that was first."""
    times = [
        min((call.started_at for leg in view.of(place) if leg.run for call in leg.run.calls if call.started_at),
            default=None)
        for place in range(len(view.plan.entrants))
    ]  # fmt: skip
    known = [one for one in times if one]
    if not known:
        return ["—"] * len(times)
    first = min(known)
    return [
        "—" if one is None else t("first") if one == first else f"+{pieces.lasting((one - first).total_seconds(), t)}"
        for one in times
    ]


def _notes(view: cl.TrialView, found: dict[str, cl.Repeated], reference: str, t: cl.Words) -> None:
    """Say what the figures are, and what they are not."""
    told = [t("Median (lowest–highest) of runs that came to their end by themselves; n says of how many.")]
    if len(found) > 1:
        told.append(t("All models started together; who was first may have filled a cache that others read."))
    if any(leg.run and leg.run.local for leg in view.legs):
        local = t("Nobody billed what ran locally: its money is at the prices of {model}.")
        told.append(local.format(model=pieces.plain(reference)))
    if not any(one.checked for one in found.values()):
        told.append(t("The task has no check, so nothing counts as right."))
    st.caption(cl.markdown(" ".join(told)))


def doors(view: cl.TrialView, leg: cl.Leg, t: cl.Words) -> None:
    """Link to the pages that go on with a run, and to all of them together."""
    with st.container(horizontal=True):
        if leg.over and leg.run is not None:
            here = {"run": leg.run.run_id}
            st.page_link(f"{PAGES}/replay.py", label=t("Replay"), icon=":material/play_circle:", query_params=here)
            st.page_link(f"{PAGES}/compare.py", label=t("Compare"), icon=":material/compare_arrows:", query_params=here)
        ended = [one.run.run_id for one in view.legs if one.over and one.run is not None]
        if ended:
            told = t("All in Monitor")
            st.page_link(f"{PAGES}/monitor.py", label=told, icon=":material/monitoring:", query_params={"runs": ended})
