import streamlit as st

import costlab as cl
from costlab.ui import keeping, pieces, session
from costlab.ui.inspecting import details, undo_deletion
from costlab.ui.mapping import map_tables
from costlab.ui.recorded import recordings_table, take_uploads

t = session.words()
if keeping.public():
    st.caption(t("Recorded runs: those shipped with CostLab and your own, which this server holds in memory only."))
else:
    st.caption(t("Recorded runs: those shipped with CostLab and your own. Nothing leaves this machine."))
table, store = session.table(), session.store()
take_uploads(t)
map_tables(t)
undo_deletion(t)
runs = store.runs()
if not runs:
    pieces.no_runs(t)
    st.stop()
with st.expander(t("Make a recording of your own agent"), icon=":material/code:"):
    pieces.three_lines(t)
for problem in store.broken:
    st.warning(
        pieces.plain(cl.error_text(problem, t)), title=t("A recording cannot be read"), icon=":material/warning:"
    )
rows = [(run, session.priced(run, table), store.builtin(run.run_id)) for run in runs]
billed = [cost for run, cost, _ in rows if not run.unbilled]
whole = sum(not cost.cost.unpriced for cost in billed)
with st.container(horizontal=True):
    st.metric(t("Runs"), f"{len(runs):,}", border=True)
    st.metric(t("Model calls"), f"{sum(len(run.calls) for run in runs):,}", border=True)
    st.metric(t("Ran locally, not billed"), f"{sum(run.local for run in runs):,}", border=True)
    st.metric(t("Billed runs fully priced"), f"{whole} / {len(billed)}", border=True)
chosen = recordings_table(cl.frames.runs(rows, t), t)
if chosen is None:
    st.caption(t("Choose a row to inspect a run."))
else:
    details(next(run for run in runs if run.run_id == chosen), table, t)
pieces.priced_with(table, [cost.cost for cost in billed], t)
