"""Recordings on a page: uploads, the list, one run's details, and its deletion."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import streamlit as st

import costlab as cl
from costlab.ui import keeping, pieces, session
from costlab.ui.steps import step_table

if TYPE_CHECKING:
    import pandas as pd
    from streamlit.runtime.uploaded_file_manager import UploadedFile


def take_uploads(t: cl.Words) -> None:
    """Show the upload and read what is dropped there; each file is taken whole or refused with a reason."""
    uploads = st.file_uploader(
        t("Upload recordings"),
        accept_multiple_files=True,
        max_upload_size=keeping.upload_megabytes(),
        key=f"uploads-{st.session_state.get('upload_round', 0)}",
        help=t("CostLab, smolagents, OpenTelemetry spans, Langfuse, Claude Code, Codex, Gemini CLI; found by content"),
    )
    if uploads:
        st.session_state.upload_answers = [_take(one, t) for one in uploads]
        st.session_state.upload_round = st.session_state.get("upload_round", 0) + 1
        st.rerun()
    for name, good, told in st.session_state.get("upload_answers", []):
        if good:
            st.success(pieces.plain(f"{name}: {told}"), icon=":material/check_circle:")
        else:
            st.error(pieces.plain(told), title=t("Not imported, nothing was changed"), icon=":material/error:")


def _take(upload: UploadedFile, t: cl.Words) -> tuple[str, bool, str]:
    try:
        keeping.checked_size(upload.name, upload.size)
        found = cl.import_bytes(upload.name, upload.getvalue(), store=session.store())
    except cl.CostLabError as problem:
        return upload.name, False, str(problem)
    taken = t.plural("{n} run", "{n} runs", len(found.runs))
    return upload.name, True, f"{taken} ({found.format})"


def _columns(t: cl.Words) -> dict[str, Any]:
    """Return the columns of the list in their order."""
    return {
        "title": st.column_config.TextColumn(t("Task"), pinned=True, width="medium"),
        "models": st.column_config.TextColumn(t("Model")),
        "agent": st.column_config.TextColumn(t("Agent")),
        "state": st.column_config.TextColumn(t("Ended")),
        "correct": st.column_config.TextColumn(t("Answer")),
        "calls": st.column_config.NumberColumn(t("Calls"), format="localized"),
        "input_tokens": st.column_config.NumberColumn(t("Input tokens"), format="localized"),
        "output_tokens": st.column_config.NumberColumn(t("Output tokens"), format="localized"),
        "bases": st.column_config.TextColumn(t("Counts"), help=t("Where the token counts are from.")),
        "cost": st.column_config.TextColumn(t("Cost (USD)"), alignment="right"),
        "started_at": st.column_config.DatetimeColumn(t("Recorded (UTC)"), format="YYYY-MM-DD HH:mm"),
        "format": st.column_config.TextColumn(t("Format")),
        "where": st.column_config.TextColumn(t("Place")),
    }


def recordings_table(frame: pd.DataFrame, t: cl.Words) -> str | None:
    """Show a row a run and return the id of the chosen one."""
    priced = frame.assign(
        state=[
            t("sketch") if sketched else cl.state_name(state, t)
            for state, sketched in zip(frame["state"], frame["sketched"], strict=True)
        ],
        correct=[cl.correct_name(None if right is None else bool(right), t) for right in frame["correct"]],
        where=[t("shipped") if builtin else t("yours") for builtin in frame["builtin"]],
        cost=[
            t("not billed") if math.isnan(usd) else cl.usd(cl.exact(usd), lower_bound=bound)
            for usd, bound in zip(frame["usd"].astype(float), frame["lower_bound"], strict=True)
        ],
        bases=[", ".join(cl.basis_name(word, t) for word in words) for words in frame["bases"]],
    )
    picked = st.dataframe(
        priced,
        hide_index=True,
        key="recordings",
        on_select="rerun",
        selection_mode="single-row",
        alt=t("All recorded runs"),
        column_order=[*_columns(t)],
        column_config=_columns(t),
    )
    rows = picked["selection"]["rows"]
    return str(frame["run_id"].iloc[rows[0]]) if rows and rows[0] < len(frame) else None


def details(run: cl.Run, table: cl.PriceTable, t: cl.Words) -> None:
    """Show one run: task, answer, where it came from, what to know about its figures, its steps; and delete it."""
    st.subheader(pieces.plain(cl.frames.title_of(run, t)))
    with st.container(horizontal=True):
        here = {"run": run.run_id}
        st.page_link(f"{pieces.PAGES}/replay.py", label=t("Replay"), icon=":material/play_circle:", query_params=here)
        st.page_link(
            f"{pieces.PAGES}/compare.py", label=t("Compare"), icon=":material/compare_arrows:", query_params=here
        )
        if not session.store().builtin(run.run_id):
            st.button(t("Delete"), icon=":material/delete:", key="delete", on_click=_ask, args=(run.run_id,))
    if st.session_state.pop("asked_to_delete", None) == run.run_id:
        _confirm(run, t)
    pieces.marks(run, t)
    about = {
        t("Task"): run.task[:600],
        t("Answer"): (run.answer or "—")[:600],
        t("Ended"): t("sketch")
        if run.sketched
        else " · ".join((cl.state_name(run.state, t), cl.correct_name(run.correct, t))),
        t("Source"): ", ".join(f"{k} {v}" for k, v in run.source.items()),
        t("Run id"): run.run_id,
        **{str(key): str(value)[:200] for key, value in run.meta.items()},
    }
    st.table({key: pieces.plain(value) for key, value in about.items()}, border="horizontal", alt=t("About this run"))
    priced = session.priced(run, table)
    notes = dict.fromkeys(f"{w.code}: {w.detail}" for w in (*run.warnings, *priced.cost.warnings))
    if notes:
        with st.expander(t.plural("{n} note on its figures", "{n} notes on its figures", len(notes))):
            for note in list(notes)[:50]:
                st.caption(pieces.plain(note))
    costs = {} if run.unbilled else {t("as recorded"): priced}
    step_table(cl.frames.steps(run, costs), costs, t)


def _ask(run_id: str) -> None:
    st.session_state.asked_to_delete = run_id


def _confirm(run: cl.Run, t: cl.Words) -> None:
    @st.dialog(t("Delete this recording?"))
    def ask() -> None:
        st.write(pieces.plain(cl.frames.title_of(run, t)))
        if keeping.public():
            st.caption(t("It goes from this browser tab; others still see what they had."))
        else:
            st.caption(t("The file is removed from your user folder. This cannot be taken back."))
        if st.button(t("Delete for good"), type="primary", key="delete_now"):
            try:
                session.store().delete(run.run_id)
            except cl.CostLabError as problem:
                st.error(pieces.plain(str(problem)))
            else:
                st.session_state.pop("upload_answers", None)
                st.rerun()

    ask()
