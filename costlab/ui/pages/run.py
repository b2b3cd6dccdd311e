import streamlit as st

import costlab as cl
from costlab.ui import keeping, pieces, session, trial_form, trial_results, trial_view, trialling

t = session.words()
st.caption(t("Run an agent now, on one to four models side by side, under one budget. Every call is metered."))
if not trialling.possible(t):
    st.stop()
trial_id = trialling.current()
view = trialling.known(trial_id, t) if trial_id else None
if view is None:
    trial_form.show(t)
    st.stop()

table = session.table()
trialling.head(view, t)
reference = trial_view.reference(table, view, t)


@st.fragment(run_every=None if view.ended else 0.5)
def panel(seen: cl.TrialView) -> None:
    """Show where the runs stand; at their end the page is drawn once more, with the results."""
    now = keeping.trials().view(seen.trial_id) or seen
    if now.ended and not seen.ended:
        st.rerun()
    shown = {place: trial_view.priced(trial_view.latest(now, place), table, reference)
             for place in range(len(now.plan.entrants))}  # fmt: skip
    costs = {place: cost for place, cost in shown.items() if cost is not None}
    trial_view.money_left(now, t)
    trial_view.cards(now, costs, t)
    if now.ended:
        trial_results.results(now, table, reference, t)
    if costs:
        trial_view.lines(now, costs, t)
        leg = trial_view.chosen_leg(now, t)
        trial_view.steps(leg, trial_view.priced(leg, table, reference), t)
        trial_results.doors(now, leg, t)


panel(view)
pieces.priced_with(table, [], t)
