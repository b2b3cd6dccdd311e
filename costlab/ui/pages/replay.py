from time import monotonic

import streamlit as st

import costlab as cl
from costlab.ui import pieces, playing, session
from costlab.ui.steps import step_figures, step_table

t = session.words()
st.caption(t("A recorded run, played at its own pace or faster."))
table = session.table()
first, second = st.columns([1, 1], vertical_alignment="bottom")
with first:
    run = pieces.choose_run(t)
if run is None:
    st.stop()
names = session.model_names(table)
models = second.multiselect(
    t("Priced on"),
    names,
    placeholder=t("provider/model"),
    default=[m for m in cl.default_models(table)[:3:2] if m in names],
    key="replay_models",
    bind="query-params",
    max_selections=4,
    wrap=False,
    select_all=False,
)
pieces.marks(run, t)
moments = cl.moments(run)
play = playing.current(run, moments)
with st.container(horizontal=True, vertical_alignment="bottom"):
    speed = playing.SPEEDS[
        str(
            st.segmented_control(
                t("Speed"), list(playing.SPEEDS), default="10×", key="speed", required=True, persist_state="session"
            )
        )
    ]
    if play.since is None:
        st.button(
            t("Play"),
            icon=":material/play_arrow:",
            type="primary",
            key="play_button",
            on_click=playing.start,
            args=(moments, speed),
        )
    else:
        st.button(t("Pause"), icon=":material/pause:", type="primary", key="pause_button", on_click=playing.pause)
    st.button(
        t("First step") if playing.at_end(moments) else t("Next step"),
        icon=":material/skip_next:",
        key="next_button",
        on_click=playing.next_step,
        args=(moments,),
    )
    st.button(t("Whole run"), icon=":material/last_page:", key="whole_button", on_click=playing.finish, args=(moments,))

costs = {} if run.unbilled else {t("as recorded"): session.priced(run, table)}
costs |= {name: session.priced(run, table, name) for name in models}
frame = cl.frames.steps(run, costs)


@st.fragment(run_every=0.5 if play.since is not None else None)
def panel(run: cl.Run) -> None:
    """Show the run as far as it has been played."""
    here = st.session_state.play
    shown = playing.ended(moments, here.position(monotonic()))
    if here.since is not None and len(shown) == len(moments):
        playing.finish(moments)
        st.rerun()
    part = frame.loc[sorted(shown)]
    step_figures(run, part, frame, costs, t)
    if part.empty:
        told = t("The first step is under way; it took {time}.").format(time=pieces.lasting(moments[0].at_s, t))
        st.info(told, icon=":material/hourglass_top:")
        return
    left, right = st.columns(2)
    with left:
        st.markdown(t("Cost so far (USD)"))
        if costs:
            told = t("Cost so far over the steps, one line for each model.")
            st.plotly_chart(
                cl.charts.cumulative(part, list(costs), t), key="cumulative", alt=told, config={"displayModeBar": False}
            )
        else:
            st.info(t("Choose a model above to see what the steps would cost."))
    with right:
        st.markdown(t("Tokens of each step"))
        told = t("Tokens of each step by kind: how the context grows.")
        st.plotly_chart(cl.charts.tokens_by_step(part, t), key="context", alt=told, config={"displayModeBar": False})
    step_table(part, costs, t)


panel(run)
pieces.priced_with(table, [cost.cost for cost in costs.values()], t)
