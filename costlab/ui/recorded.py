"""Recordings on a page: uploads, each taken whole or refused with what would help, and the list of runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

import costlab as cl
from costlab.ui import keeping, pieces, session

if TYPE_CHECKING:
    import pandas as pd
    from streamlit.runtime.uploaded_file_manager import UploadedFile

MOST_FILES, MOST_FILES_PUBLIC = 500, 20  # of one upload
MOST_TABLES = 5  # that wait for their columns


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one file: `problem` and what would `help`, or `told` of what was taken."""

    name: str
    told: str = ""
    problem: str = ""
    help: str = ""


def take_uploads(t: cl.Words) -> None:
    """Show the upload and read what is dropped there; a table waits until its columns are mapped."""
    uploads = st.file_uploader(
        t("Upload recordings"),
        accept_multiple_files=True,
        max_upload_size=keeping.upload_megabytes(),
        key=f"uploads-{st.session_state.get('upload_round', 0)}",
        help=t(
            "CostLab, smolagents, OpenTelemetry spans, Langfuse, Claude Code, Codex, Gemini CLI, found by content; a "
            "CSV with one row a call. Several at once, no zip."
        ),
    )
    pieces.uploader_words(t, keeping.upload_megabytes())
    if uploads:
        st.session_state.upload_answers = _taken(uploads, t)
        st.session_state.upload_round = st.session_state.get("upload_round", 0) + 1
        st.rerun()
    show_answers(st.session_state.get("upload_answers", ()), t)


def _taken(uploads: Sequence[UploadedFile], t: cl.Words) -> list[Answer]:
    """Read the files one after the other, with a bar where there are several."""
    most = MOST_FILES_PUBLIC if keeping.public() else MOST_FILES
    bar = st.progress(0.0, text=t("Reading")) if len(uploads) > 1 else None
    answers = []
    for place, one in enumerate(uploads[:most]):
        if bar:
            told = t("Reading file {n} of {all}: {name}").format(n=place + 1, all=len(uploads), name=one.name)
            bar.progress(place / len(uploads), text=pieces.plain(told))
        answers.append(_take(one, t))
    if len(uploads) > most:
        why = t.plural(
            "{n} file was left out: {most} are read at once",
            "{n} files were left out: {most} are read at once",
            len(uploads) - most,
        )
        answers.append(Answer("", problem=why.replace("{most}", str(most)), help=t("Upload the rest next.")))
    return [one for one in answers if one.told or one.problem]


def _take(upload: UploadedFile, t: cl.Words) -> Answer:
    """Read one file; a table is only put aside, since its columns have to be mapped first."""
    try:
        keeping.checked_size(upload.name, upload.size)
        data = upload.getvalue()
        if cl.looks_like_table(upload.name, data):
            _wait(upload.name, data)
            return Answer(upload.name)
        return taken(upload.name, cl.import_bytes(upload.name, data, store=session.store()), t)
    except cl.CostLabError as problem:
        return refused(upload.name, problem, t)


def _wait(name: str, data: bytes) -> None:
    """Put a table aside until its columns are mapped; raises TooLarge where too many wait."""
    waiting = [one for one in st.session_state.get("tables", []) if one[0] != name]
    if len(waiting) >= MOST_TABLES:
        raise cl.TooLarge(f"{MOST_TABLES} tables wait for their columns already", file=name)
    st.session_state.tables = [*waiting, (name, data)]
    st.session_state.pop("open_table", None)


def taken(name: str, found: cl.Imported, t: cl.Words) -> Answer:
    """Return the answer to a file whose runs were taken."""
    runs = t.plural("{n} run", "{n} runs", len(found.runs))
    calls = t.plural("{n} call", "{n} calls", sum(len(run.calls) for run in found.runs))
    torn = t("it was cut off: what it cost is a lower bound") if any(run.torn for run in found.runs) else ""
    return Answer(name, told=t("; ").join(filter(None, (f"{name}: {runs} ({found.format}), {calls}", torn))))


def refused(name: str, problem: cl.CostLabError, t: cl.Words) -> Answer:
    """Return the answer to a file that was refused: where and why, and what would help."""
    return Answer(name, problem=cl.error_text(problem, t), help=what_helps(problem, t))


def what_helps(problem: cl.CostLabError, t: cl.Words) -> str:
    """Return what somebody can do about a refused file."""
    if isinstance(problem, cl.TooLarge):
        return t("Split the file, or leave long texts out of the export; delete recordings that are not needed.")
    if isinstance(problem, cl.NoRecording):
        return t(
            "Known are recordings of CostLab, smolagents, OpenTelemetry, Langfuse, Claude Code, Codex and Gemini CLI, "
            "and a CSV with one row a call. A zip is not opened: upload the files in it."
        )
    if isinstance(problem, cl.BadInput) and problem.line is not None:
        return t("Look at that line of the file, mend it or export it anew, and upload it again.")
    return t("Export it anew and upload it again.")


def show_answers(answers: Sequence[Answer], t: cl.Words) -> None:
    """Show what came of each file; of very many, first those that were refused."""
    bad = [one for one in answers if one.problem]
    for one in bad[:20]:
        told = f"{pieces.plain(one.problem)}\n\n{pieces.plain(one.help)}"
        st.error(told, title=t("Not imported, nothing was changed"), icon=":material/error:")
    if len(bad) > 20:
        st.error(t.plural("{n} more file was refused", "{n} more files were refused", len(bad) - 20))
    good = [one for one in answers if one.told]
    if len(good) > 5:
        st.success(t.plural("{n} file was read", "{n} files were read", len(good)), icon=":material/check_circle:")
        return
    for one in good:
        st.success(pieces.plain(one.told), icon=":material/check_circle:")


def _columns(priced: pd.DataFrame, t: cl.Words) -> dict[str, Any]:
    """Return the columns of the list in their order."""

    def fitting(name: str, label: str) -> Any:
        return st.column_config.TextColumn(label, width=pieces.text_width(priced[name]))

    return {
        "title": st.column_config.TextColumn(t("Task"), pinned=True, width="medium"),
        "cost": st.column_config.TextColumn(t("Cost (USD)"), alignment="right", help=t("at each call's own date")),
        "remark": st.column_config.TextColumn(t("Remarks"), width=225),
        "state": fitting("state", t("Ended")),
        "correct": fitting("correct", t("Answer")),
        "calls": st.column_config.NumberColumn(t("Calls"), format="localized"),
        "input_tokens": st.column_config.NumberColumn(t("Input tokens"), format="localized"),
        "output_tokens": st.column_config.NumberColumn(t("Output tokens"), format="localized"),
        "models": fitting("models", t("Model")),
        "agent": st.column_config.TextColumn(t("Agent")),
        "bases": st.column_config.TextColumn(t("Counts"), help=t("Where the token counts are from.")),
        "started_at": st.column_config.DatetimeColumn(t("Recorded (UTC)"), format="YYYY-MM-DD HH:mm"),
        "format": st.column_config.TextColumn(t("Format")),
        "where": st.column_config.TextColumn(t("Place")),
    }


def recordings_table(frame: pd.DataFrame, t: cl.Words) -> str | None:
    """Show a row a run and return the id of the chosen one."""
    priced = frame.assign(
        state=[
            cl.ended_name(state, sketched, t) for state, sketched in zip(frame["state"], frame["sketched"], strict=True)
        ],
        correct=[cl.correct_name(None if right is None else bool(right), t) for right in frame["correct"]],
        where=[t("shipped") if builtin else t("yours") for builtin in frame["builtin"]],
        remark=[cl.invoice_note(t) if at_api_prices else "" for at_api_prices in frame["at_api_prices"]],
        cost=[
            t("not billed") if math.isnan(usd) else cl.usd(cl.exact(usd), lower_bound=bound)
            for usd, bound in zip(frame["usd"].astype(float), frame["lower_bound"], strict=True)
        ],
        bases=[t(", ").join(cl.basis_name(word, t) for word in words) for words in frame["bases"]],
    )
    columns = _columns(priced, t)
    shown = [name for name in columns if name != "remark" or frame["at_api_prices"].any()]
    picked = st.dataframe(
        priced,
        hide_index=True,
        key=f"recordings-{st.session_state.get('recordings_round', 0)}",
        on_select="rerun",
        selection_mode="single-row",
        alt=t("All recorded runs"),
        column_order=shown,
        column_config=columns,
    )
    rows = picked["selection"]["rows"]
    return str(frame["run_id"].iloc[rows[0]]) if rows and rows[0] < len(frame) else None
