from functools import partial

import streamlit as st

import costlab as cl
from costlab.ui import choices, pieces, session, sketched
from costlab.ui.comparison import chart, comparison_table, doors, how_computed

t = session.words()
st.caption(t("No recording yet? Say what your agent does, and see what it would cost. Every count is assumed."))
sketched.take_link(t)
sketched.presets(t)
plan = sketched.plan(t)
if plan is None:
    st.stop()
run = cl.sketch(plan)
sketched.figures(plan, run, t)
st.markdown(t("Tokens of each step"))
told = t("Tokens of each step by kind: how the context grows.")
frame = cl.frames.steps(run, {})
st.plotly_chart(cl.charts.tokens_by_step(frame, t), key="sketched", alt=told, config={"displayModeBar": False})
if plan.pictures:
    st.caption(t("Without the pictures: each model counts those by its own formula, as the page Media shows."))

st.subheader(t("On models"))
table = session.table()
names = session.model_names(table)
models = choices.models(names, table, t)
volume = choices.volume(t)
sketched.kept(run, t)
if not models:
    choices.none_chosen(names, t)
    st.stop()
found = session.compared(run, models, table, "call")
against = cl.reference_model()
reference = session.compared(run, [against], table, "call")[0]
compared = cl.frames.compared(found, volume.times)
chart(compared, volume, t)
comparison_table(compared, found, reference.cost, True, volume, t)
asked = partial(
    cl.comparison, run, models, table, now=session.now(), reference=against, daily=volume.daily, times=volume.times
)
doors(run, asked, t)
st.caption(t("The reference is {model}; the page Compare takes another.").format(model=pieces.plain(reference.name)))
pieces.priced_with(table, [one.cost for one in found], t)
how_computed(found, volume, t, sketched=True)
