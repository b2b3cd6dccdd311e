import streamlit as st

from costlab.ui import choices, monitored, pieces, session

t = session.words()
st.caption(t("Speed, errors, tools and money of the runs chosen; each number says what it was computed from."))
table = session.table()
recorded = {run.run_id: run for run in session.store().runs() if not run.sketched}
if not recorded:
    pieces.no_runs(t)
    st.stop()
runs = monitored.choose_runs(recorded, t)
left, right = st.columns([7, 4], vertical_alignment="bottom")
with right:
    at = choices.day(t)
with left:
    reference = monitored.reference(session.model_names(table), runs, t)
found = monitored.measured(runs, table, at, reference)
if found.local_runs and reference:
    told = t(
        "{some} of {runs} runs were local and billed by nobody: they are priced as if {model} had run them (assumed)."
    )
    st.caption(told.format(some=found.local_runs, runs=found.runs, model=pieces.plain(reference)))
monitored.headline_figures(found, t)
monitored.charts(found, t)
monitored.tool_part(found, t)
monitored.model_table(found, t)
monitored.how_computed(t)
pieces.priced_with(table, [], t)
