import streamlit as st

import costlab as cl
from costlab.ui import pieces, pricing, session, sources

t = session.words()
st.caption(t("What each unit costs, since when, and who says so. Change a price: every page follows."))
base, table = session.base_table(), session.table()
changed = cl.differences(base, session.rows_of(session.edits()), session.now())
names = session.model_names(table)
with st.container(horizontal=True, vertical_alignment="bottom"):
    search = st.text_input(
        t("Search models"),
        key="q",
        bind="query-params",
        placeholder=t("part of provider/model"),
        icon=":material/search:",
    )
    every = st.toggle(
        t("All tiers, batch, regions"),
        key="all_rates",
        persist_state="session",
        help=t("Off: the standard rates with their context steps and hours."),
    )
    with st.popover(t("Import CSV"), icon=":material/upload:"):
        pricing.upload(t)
pricing.import_answer(t)
wanted = pricing.matching(names, search or "")
if not wanted:
    st.info(
        t("No model's name holds this text. Try a part of it, such as gpt-5 or qwen."), icon=":material/search_off:"
    )
else:
    pricing.editor(wanted, every, table, changed, t)
pricing.changes(changed, t)
pricing.saved(t)
pieces.priced_with(table, [], t)
run = None
if changed:
    st.subheader(t("What the changed prices do to a run"))
    run = pieces.choose_run(t)
    if run is not None:
        pricing.before_and_after(run, changed, base, table, t)
if wanted:
    sources.closer_look(wanted, table, run, t)
