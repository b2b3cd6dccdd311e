import streamlit as st

import costlab as cl
from costlab.ui import pieces, session
from costlab.ui.comparison import comparison_table, headline_figures, how_computed

t = session.words()
st.caption(t("Same tokens, other price list: what this run's recorded tokens would cost elsewhere."))
table = session.table()
names = cl.model_names(table)
first, second, third = st.columns([5, 3, 3], vertical_alignment="bottom")
with first:
    run = pieces.choose_run(t)
if run is None:
    st.stop()
reference = second.selectbox(
    t("Reference model"),
    names,
    index=names.index(cl.reference_model()) if cl.reference_model() in names else 0,
    key="reference",
    bind="query-params",
    disabled=not run.local,
    help=t("Stands in for a run that nobody billed, such as one on a local model."),
)
at = third.segmented_control(
    t("Prices of"),
    ["call", "today"],
    format_func=lambda word: t("the call's day") if word == "call" else t("today"),
    default="call",
    key="at",
    required=True,
    persist_state="session",
)
models = st.multiselect(
    t("Models"),
    names,
    default=[m for m in cl.default_models(table) if m in names],
    key="models",
    bind="query-params",
    max_selections=40,
    wrap=False,
    help=t("provider/model; type to search"),
)

if not models:
    st.info(t("Choose at least one model above."), icon=":material/compare_arrows:")
    st.stop()

found = session.compared(run, models, table, str(at))
baseline = session.compared(run, [str(reference)], table, str(at))[0].cost if run.local else None
frame = cl.frames.compared(found)
headline_figures(run, found, baseline, str(reference), table, t)
drawn = frame[(frame["state"] != "unfit") & frame["usd"].notna()]
if drawn.empty:
    st.warning(t("None of these models can run this run, or none has a price; the table says why."))
else:
    cheapest = drawn.iloc[0]
    alt = t("Cost of the run on each model; the cheapest price list is {model}.").format(model=cheapest["model"])
    st.plotly_chart(cl.charts.compare_bars(frame, t), key="bars", alt=alt, config={"displayModeBar": False})
own = baseline if baseline is not None else session.priced(run, table).cost
shown = comparison_table(frame, found, own, run.local, t)
pieces.priced_with(table, [one.cost for one in found], t)
how_computed(shown, found, t)
