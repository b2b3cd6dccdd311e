"""One recording on a page: what it is, its steps, its calls with their messages; and its deletion, which can be undone.

What a recording holds was written by others: it is shown as text, never as markup.
"""

from __future__ import annotations

import json

import streamlit as st

import costlab as cl
from costlab.ui import keeping, pieces, session
from costlab.ui.steps import step_table

PAGES = "costlab/ui/pages"
MOST_MESSAGES = 30
MOST_LETTERS = 6_000  # of one message


def details(run: cl.Run, table: cl.PriceTable, t: cl.Words) -> None:
    """Show one run: task, answer, where it came from, what to know about its figures, its steps; and delete it."""
    st.subheader(pieces.plain(cl.title_of(run, t)))
    pieces.not_an_invoice(run, t)
    with st.container(horizontal=True):
        here = {"run": run.run_id}
        st.page_link(f"{PAGES}/replay.py", label=t("Replay"), icon=":material/play_circle:", query_params=here)
        st.page_link(f"{PAGES}/compare.py", label=t("Compare"), icon=":material/compare_arrows:", query_params=here)
        if not session.store().builtin(run.run_id):
            st.button(t("Delete"), icon=":material/delete:", key="delete", on_click=_ask, args=(run.run_id,))
    if st.session_state.pop("asked_to_delete", None) == run.run_id:
        _confirm(run, t)
    pieces.marks(run, t)
    priced = session.priced(run, table)
    _about(run, priced, t)
    notes = dict.fromkeys(f"{w.field}: {t.said(w.detail)}" for w in (*run.warnings, *priced.cost.warnings))
    if notes:
        with st.expander(t.plural("{n} note on its figures", "{n} notes on its figures", len(notes))):
            for note in list(notes)[:50]:
                st.caption(pieces.plain(note))
    costs = {} if run.unbilled else {t("as recorded"): priced}
    step_table(cl.frames.steps(run, costs), costs, t)
    _calls(run, priced, t)


def _about(run: cl.Run, priced: cl.RunCost, t: cl.Words) -> None:
    """Show what the run is, and what it cost at each call's own date."""
    cost = priced.cost
    money = cl.unbilled_name(run.sketched, t) if run.unbilled else cl.usd(cost.total, lower_bound=cost.lower_bound)
    why = pieces.reasons(cost, t)
    counts = cl.run_counts(run)
    about = {
        t("Task"): run.task[:600] or "—",
        t("Answer"): (run.answer or "—")[:600],
        t("Ended"): cl.ended_name(run.state, run.sketched, t),
        t("Right or wrong"): cl.correct_name(run.correct, t),
        t("Cost at the calls' dates"): f"{money} ({why})" if why else money,
        t("Tokens in / out"): f"{counts.get('input_tokens', 0):,} / {counts.get('output_tokens', 0):,}",
        t("Source"): ", ".join(f"{k} {v}" for k, v in run.source.items()),
        t("Run id"): run.run_id,
        **{str(key): str(value)[:200] for key, value in run.meta.items()},
    }
    st.table({key: pieces.plain(value) for key, value in about.items()}, border="horizontal", alt=t("About this run"))


def _calls(run: cl.Run, priced: cl.RunCost, t: cl.Words) -> None:
    """Show one model call that is chosen: its counts and where they come from, and the messages that were new in it."""
    calls = run.calls
    if not calls or not st.toggle(t("Look into the model calls"), key="look_into_calls"):
        return
    chosen = st.selectbox(
        t("Model call"),
        range(len(calls)),
        format_func=lambda place: f"{place + 1} · {calls[place].model or '?'}",
        key=f"call-of-{run.run_id}",
    )
    call = calls[chosen or 0]
    cost = priced.by_call.get(call.call_id)
    total = cl.usd(cost.total, lower_bound=cost.lower_bound) if cost and not run.unbilled else "—"
    about = {
        t("Model"): f"{call.provider}/{call.model}" if call.provider else call.model,
        t("Counts"): cl.basis_name(call.usage_basis, t),
        **{cl.unit_name(unit, t): f"{count:,}" for unit, count in call.counts.items()},
        t("Cost (USD)"): total,
        **({t("Stated by the source (USD)"): f"{call.stated_cost:f}"} if call.stated_cost is not None else {}),
        **({t("Why at least"): pieces.reasons(cost, t)} if cost and cost.bounds else {}),
        **({t("Error"): call.error[:400]} if call.error else {}),
    }
    st.table({key: pieces.plain(value) for key, value in about.items()}, border="horizontal", alt=t("One model call"))
    _messages(run, chosen or 0, t)


def _messages(run: cl.Run, place: int, t: cl.Words) -> None:
    """Show the messages that were sent with a call and not with the one before, and what came back."""
    call = run.calls[place]
    before = set(run.calls[place - 1].messages) if place else set()
    new = [one for one in call.messages if one not in before]
    for title, hashes in ((t("New in what was sent"), new), (t("What came back"), call.output)):
        held = [run.contents[one] for one in hashes if one in run.contents]
        if not held:
            continue
        st.caption(title)
        for content in held[:MOST_MESSAGES]:
            st.code(_written(content.value, t), language=None, wrap_lines=True)
        if len(held) > MOST_MESSAGES:
            st.caption(
                t.plural("{n} more message is not shown", "{n} more messages are not shown", len(held) - MOST_MESSAGES)
            )
    if not call.messages and not call.output:
        st.caption(t("This recording holds no messages."))


def _written(value: object, t: cl.Words) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2, default=str)
    cut = t("(cut off here)")
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}… {cut}"


def _ask(run_id: str) -> None:
    st.session_state.asked_to_delete = run_id


def _confirm(run: cl.Run, t: cl.Words) -> None:
    @st.dialog(t("Delete this recording?"))
    def ask() -> None:
        st.write(pieces.plain(cl.title_of(run, t)))
        if keeping.public():
            st.caption(t("It goes from this browser tab; others still see what they had."))
        else:
            st.caption(t("The file is removed from your user folder; until you close this tab you can undo it."))
        if st.button(
            t("Delete"), type="primary", key="delete_now", icon=":material/delete:", on_click=remove, args=(run,)
        ):
            st.rerun()

    ask()


def remove(run: cl.Run) -> None:
    """Delete a run and keep it in this session, so that it can be put back."""
    try:
        session.store().delete(run.run_id)
    except cl.CostLabError as problem:
        st.session_state.delete_problem = cl.error_text(problem, session.words())
    else:
        st.session_state.deleted_run = run
        # The list begins anew: a row that stays marked would be the next run, with a button to delete it.
        st.session_state.recordings_round = st.session_state.get("recordings_round", 0) + 1
        st.session_state.pop("upload_answers", None)


def undo_deletion(t: cl.Words) -> None:
    """Say what was deleted last, and offer to put it back."""
    problem = st.session_state.pop("delete_problem", None)
    if problem:
        st.error(pieces.plain(problem), title=t("Nothing was deleted"), icon=":material/error:")
    run: cl.Run | None = st.session_state.get("deleted_run")
    if run is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        told = t("Deleted: {title}").format(title=cl.title_of(run, t))
        st.caption(pieces.plain(told), width="content")
        st.button(t("Undo"), icon=":material/undo:", key="undo_delete", on_click=_put_back, args=(run,))


def _put_back(run: cl.Run) -> None:
    try:
        session.store().add([run])
    except cl.CostLabError as problem:
        st.session_state.delete_problem = cl.error_text(problem, session.words())
    else:
        st.session_state.pop("deleted_run", None)
