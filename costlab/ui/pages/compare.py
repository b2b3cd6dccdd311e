from functools import partial

import streamlit as st

import costlab as cl
from costlab.ui import choices, pieces, session
from costlab.ui.comparison import chart, comparison_table, doors, headline_figures, how_computed

t = session.words()
st.caption(t("Same tokens, other price list: what this run's recorded tokens would cost elsewhere."))
table = session.table()
names = session.model_names(table)
first, second = st.columns([8, 3], vertical_alignment="bottom")
with first:
    run = pieces.choose_run(t)
if run is None:
    st.stop()
with second:
    at = choices.day(t)
pieces.marks(run, t)
models = choices.models(names, table, t)
left, right = st.columns([7, 4], vertical_alignment="bottom")
with left:
    volume = choices.volume(t)
against = None
if run.unbilled:
    with right:
        hint = t("Stands in for a run that nobody billed: one on a local model, or a sketch.")
        against = choices.reference(names, t, hint)
if not models:
    choices.none_chosen(names, t)
    st.stop()

found = session.compared(run, models, table, at)
baseline = session.compared(run, [against], table, at)[0].cost if against else None
frame = cl.frames.compared(found, volume.times)
headline_figures(run, found, baseline, volume, table, t)
chart(frame, volume, t)
own = baseline if baseline is not None else session.priced(run, table).cost
comparison_table(frame, found, own, run.unbilled, volume, t)
asked = partial(
    cl.comparison,
    run,
    models,
    table,
    at=at,
    now=session.now(),
    reference=against,
    daily=volume.daily,
    times=volume.times,
)
doors(run, asked, t)
pieces.priced_with(table, [one.cost for one in found], t)
how_computed(found, volume, t, sketched=run.sketched)
