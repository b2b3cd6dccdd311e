"""A live run on the page: where each model stands, what it has used, its steps, and the money left."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

import costlab as cl
from costlab.ui import choices, pieces, session, trial_models
from costlab.ui.steps import step_table

_COLOURS = {"running": "blue", "success": "green", "max_steps": "orange", "over_budget": "orange", "failed": "red"}
_ICONS = {
    "waiting": ":material/hourglass_empty:", "running": ":material/autorenew:", "success": ":material/check:",
    "failed": ":material/error:", "over_budget": ":material/money_off:", "stopped": ":material/stop:",
}  # fmt: skip


def leg_name(state: str, t: cl.Words) -> str:
    """Return where one run stands."""
    return {"waiting": t("waiting"), "not_begun": t("not begun")}.get(state) or cl.state_name(state, t)


def labels(view: cl.TrialView) -> list[str]:
    """Return the models' names as they are shown."""
    return [one.name for one in view.plan.entrants]


def latest(view: cl.TrialView, place: int) -> cl.Leg:
    """Return the run of a model that was begun last, else its first."""
    legs = view.of(place)
    begun = [leg for leg in legs if leg.state not in ("waiting", "not_begun")]
    return begun[-1] if begun else legs[0]


def priced(leg: cl.Leg, table: cl.PriceTable, reference: str) -> cl.RunCost | None:
    """Return what a run costs so far; one that nobody bills is priced on the reference model."""
    if leg.run is None:
        return None
    run = cl.on_model(leg.run, reference, table) if leg.run.local and reference else leg.run
    return cl.price_run(run, table, now=session.now())


def reference(table: cl.PriceTable, view: cl.TrialView, t: cl.Words) -> str:
    """Show the choice of a model whose prices stand in for runs that nobody bills; empty where there are none."""
    local = any(trial_models.unbilled(one, table) for one in view.plan.entrants)
    if not local and not any(leg.run and leg.run.local for leg in view.legs):
        return ""
    hint = t("Stands in for a run that nobody billed, such as one on a local model.")
    with st.columns(2)[0]:
        return choices.reference(session.model_names(table), t, hint)


def cards(view: cl.TrialView, costs: Mapping[int, cl.RunCost], t: cl.Words) -> None:
    """Show each model beside the others: state, money so far, tokens, steps, tools, errors."""
    for place, column in enumerate(st.columns(len(view.plan.entrants))):
        leg = latest(view, place)
        with column, st.container(border=True, height="stretch"):
            _head(view, leg, t)
            _figures(leg, costs.get(place), t)


def _head(view: cl.TrialView, leg: cl.Leg, t: cl.Words) -> None:
    st.markdown(f"**{pieces.plain(view.plan.entrants[leg.place].name)}**")
    state = leg_name(leg.state, t)
    if view.plan.repeats > 1:
        state = t("run {n} of {all}: {state}").format(n=leg.repeat, all=view.plan.repeats, state=state)
    icon = _ICONS.get(leg.state, ":material/flag:")
    with st.container(horizontal=True):
        st.badge(state, icon=icon, color=_COLOURS.get(leg.state, "gray"))  # type: ignore[arg-type]
        if leg.over and leg.run is not None:
            right = leg.run.correct
            st.badge(cl.correct_name(right, t), color="gray" if right is None else "green" if right else "red")
    if leg.error:
        st.error(pieces.plain(t.said(leg.error)), icon=":material/error:")


def _figures(leg: cl.Leg, cost: cl.RunCost | None, t: cl.Words) -> None:
    run = leg.run
    if run is None or cost is None:
        if not leg.over:
            st.caption(t("The agent is made ready."))
        return
    counts, local = cl.run_counts(run), run.local
    bound = cost.cost.lower_bound or not leg.over
    told = t("so far") if not leg.over else t("ran locally, not billed") if local else t("as recorded")
    if local and not leg.over:
        told = t("ran locally, not billed")
    label = t("on the reference model") if local else t("Cost (USD)")
    st.metric(label, cl.headline(cost.cost.total, lower_bound=bound), delta=told, delta_color="off", delta_arrow="off")
    cached = int(counts.get("cache_read_tokens", 0))
    sent = t("{n} tokens in ({cached} from cache)") if cached else t("{n} tokens in")
    lines = [
        sent.format(n=f"{int(counts.get('input_tokens', 0)):,}", cached=f"{cached:,}"),
        t("{n} tokens out").format(n=f"{int(counts.get('output_tokens', 0)):,}"),
        t.plural("{n} step", "{n} steps", len(run.steps)),
        t.plural("{n} tool call", "{n} tool calls", len(run.tool_calls)),
    ]
    st.markdown("  \n".join(lines))
    faults = errors_of(run)
    if faults:
        st.caption(":red[" + t.plural("{n} error", "{n} errors", len(faults)) + "] " + pieces.plain(faults[-1][:160]))
    open_ = [call for call in run.calls if call.status == "running"]
    if open_ and open_[-1].started_at and not leg.over:
        waited = (session.now() - open_[-1].started_at).total_seconds()
        st.caption(t("a call is under way: {seconds}").format(seconds=pieces.lasting(waited, t)))


def errors_of(run: cl.Run) -> list[str]:
    """Return what went wrong so far: calls, tools and steps, each once."""
    found = []
    for step in run.steps:
        own = [call.error for call in step.calls if call.error] + [tool.error for tool in step.tools if tool.error]
        found += own or ([step.error] if step.error else [])
    return found


def money_left(view: cl.TrialView, t: cl.Words) -> None:
    """Show what the shared budget still holds; the bar is what is left of the limit that is nearest its end."""
    limits = view.plan.budget.limits
    if not limits or not view.left:
        return
    told = {
        "USD": lambda one: cl.usd(one),
        "tokens": lambda one: f"{int(one):,}",
        "calls": lambda one: f"{int(one):,}",
        "seconds": lambda one: pieces.lasting(float(one), t),
    }
    words = {"tokens": t("{left} of {all} tokens"), "calls": t("{left} of {all} calls")}
    parts = [
        words.get(word, t("{left} of {all}")).format(left=told[word](view.left[word]), all=told[word](limit))
        for word, limit in limits.items()
    ]
    left = min((float(view.left[word] / limit) for word, limit in limits.items()), default=1.0)
    line = t("Left in the budget: {parts}").format(parts=" · ".join(parts))
    st.progress(min(max(left, 0.0), 1.0), text=cl.markdown(line))


def lines(view: cl.TrialView, costs: Mapping[int, cl.RunCost], t: cl.Words) -> None:
    """Draw cost and context over the steps, a line for each model's latest run."""
    frames = {labels(view)[place]: cl.frames.steps(cost.run, {"run": cost}) for place, cost in costs.items()}
    frames = {label: frame for label, frame in frames.items() if len(frame)}
    left, right = st.columns(2)
    with left:
        st.markdown(t("Cost so far (USD)"))
        told = t("Cost so far over the steps, one line for each model.")
        figure = cl.charts.cost_side_by_side(frames, t)
        st.plotly_chart(figure, key="trial_cost", alt=told, config={"displayModeBar": False})
    with right:
        st.markdown(t("Input tokens of each step: how the context grows"))
        told = t("Input tokens of each step, one line for each model.")
        figure = cl.charts.context_side_by_side(frames, t)
        st.plotly_chart(figure, key="trial_context", alt=told, config={"displayModeBar": False})


def chosen_leg(view: cl.TrialView, t: cl.Words) -> cl.Leg:
    """Show the choice of one run and return it; at first each model's latest."""
    names = labels(view)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.segmented_control(
            t("Steps of"), names, default=names[0], key=f"trial_shown_{view.trial_id}", required=True
        )
        place = names.index(str(name)) if name in names else 0
        begun = [leg.repeat for leg in view.of(place) if leg.run is not None]
        if view.plan.repeats > 1 and len(begun) > 1:
            which = st.selectbox(t("Run"), begun, index=len(begun) - 1, key=f"trial_repeat_{place}", width=120)
            return next(leg for leg in view.of(place) if leg.repeat == which)
    return latest(view, place)


def steps(leg: cl.Leg, cost: cl.RunCost | None, t: cl.Words) -> None:
    """Show the steps of one run with tokens by unit and money, and what came of it."""
    run = leg.run
    if run is None or cost is None or not run.steps:
        return
    label = t("on the reference model") if run.local else t("as recorded")
    step_table(cl.frames.steps(cost.run, {label: cost}), {label: cost}, t)
    if leg.over and run.answer is not None:
        st.markdown(t("Answer: {answer}").format(answer=pieces.plain(run.answer[:600])))
    notes = dict.fromkeys(t.said(w.detail) for w in run.warnings if w.code in ("budget", "over_budget", "run_failed"))
    for note in list(notes)[:6]:
        st.caption(pieces.plain(note))
