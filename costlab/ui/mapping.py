"""A table's columns mapped on a page: what the headers suggest, what must be answered, and what would be imported."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import streamlit as st

import costlab as cl
from costlab.ui import pieces, session
from costlab.ui.recorded import Answer, refused, taken

_FIRST = ("model", "input_tokens", "output_tokens", "cache_read_tokens", "run", "started_at")
_PREVIEW = 5  # rows


def _names(t: cl.Words) -> Mapping[str, str]:
    """Return what each field of a call is called on the form."""
    return {
        "model": t("Model"),
        "provider": t("Provider"),
        "input_tokens": t("Input tokens"),
        "output_tokens": t("Output tokens"),
        "cache_read_tokens": t("Tokens read from cache"),
        "cache_write_tokens": t("Tokens written to cache"),
        "cache_write_5m_tokens": t("Written to cache for 5 minutes"),
        "cache_write_1h_tokens": t("Written to cache for 1 hour"),
        "output_reasoning_tokens": t("Reasoning tokens"),
        "started_at": t("Time (UTC where no zone is stated)"),
        "duration_s": t("Duration in seconds"),
        "duration_ms": t("Duration in milliseconds"),
        "run": t("Run, trace or session"),
        "step": t("Step"),
        "call": t("Request id"),
        "stated_cost": t("Stated cost (USD), kept beside ours"),
    }


def map_tables(t: cl.Words) -> None:
    """Show the form for the first table that waits, until it is imported or left out."""
    waiting: list[tuple[str, bytes]] = st.session_state.get("tables", [])
    if not waiting:
        return
    name, data = waiting[0]
    try:
        table = _opened(name, data)
    except cl.CostLabError as problem:
        _done(refused(name, problem, t))
        st.rerun()
    with st.container(border=True):
        st.subheader(t("Which column of {name} is what?").format(name=pieces.plain(name)))
        told = t.plural(
            "{n} row, one model call; {encoding}, separated by {delimiter}:",
            "{n} rows, one model call each; {encoding}, separated by {delimiter}. Its first rows:",
            len(table.rows),
        )
        st.caption(told.format(encoding=table.encoding, delimiter=_delimiter(table, t)))
        st.dataframe(
            cl.frames.preview(table.headers, [cells for _, cells in table.rows[:_PREVIEW]]),
            hide_index=True, key=f"preview-{table.digest[:12]}", alt=t("The first rows of the table"),
        )  # fmt: skip
        mapping = _asked(table, t)
        good = not mapping.questions and _totals(table, mapping, t)
        with st.container(horizontal=True):
            st.button(
                t("Import"), type="primary", key="import_table", icon=":material/check:", disabled=not good,
                on_click=_import, args=(name, data, mapping, t),
            )  # fmt: skip
            left = Answer(name)
            st.button(t("Leave it out"), key="leave_table", icon=":material/close:", on_click=_done, args=(left,))


def _opened(name: str, data: bytes) -> cl.Table:
    """Return the table of a waiting file, read once."""
    held: tuple[str, cl.Table] | None = st.session_state.get("open_table")
    if held is None or held[0] != name:
        held = st.session_state.open_table = (name, cl.read_table(name, data))
    return held[1]


def _delimiter(table: cl.Table, t: cl.Words) -> str:
    names = {",": t("commas"), ";": t("semicolons"), "\t": t("tabs"), "|": t("bars")}
    return names[table.delimiter]


def _asked(table: cl.Table, t: cl.Words) -> cl.TableMapping:
    """Show a choice of column for each field, and the questions that headers cannot answer; return the mapping."""
    guess = cl.guess_mapping(table.headers)
    names = _names(t)
    chosen = _choices(table, guess, _FIRST, names)
    model = ""
    if not chosen.get("model"):
        hint = t("provider/model; where no column names it")
        model = st.text_input(t("Model of all rows"), key=f"map-{table.digest[:12]}-all", placeholder=hint)
    rest = [field for field in cl.TABLE_FIELDS if field not in _FIRST]
    found = sum(field in guess.columns for field in rest)
    with st.expander(t.plural("More columns ({n} found)", "More columns ({n} found)", found), key="more_columns"):
        chosen |= _choices(table, guess, rest, names)
    columns = {field: header for field, header in chosen.items() if header}
    mapping = cl.TableMapping(columns, model.strip(), cached=guess.cached)
    answers = {question: _answer(table, mapping, question, t) for question in mapping.questions}
    return cl.TableMapping(columns, model.strip(), answers.get("cached", guess.cached), answers.get("reasoning", ""))


def _choices(
    table: cl.Table, guess: cl.TableMapping, fields: tuple[str, ...] | list[str], names: Mapping[str, str]
) -> dict[str, str]:
    """Show some fields, three in a row."""
    options = ["", *dict.fromkeys(header for header in table.headers if header)]
    chosen: dict[str, str] = {}
    for begin in range(0, len(fields), 3):
        for place, field in zip(st.columns(3), fields[begin : begin + 3], strict=False):
            held = guess.columns.get(field, "")
            chosen[field] = str(
                place.selectbox(
                    names[field],
                    options,
                    index=options.index(held),
                    format_func=lambda header: header or "—",
                    key=f"map-{table.digest[:12]}-{field}",
                )
                or ""
            )
    return chosen


def _answer(table: cl.Table, mapping: cl.TableMapping, question: str, t: cl.Words) -> str:
    """Ask whether a part is inside its whole, with what each answer would make of the table."""
    if question == "cached":
        asked, unit = t("Do the input tokens include the cached ones?"), "input_tokens"
        words = {"inside": t("Yes: {n} input tokens in all"), "beside": t("No: {n} input tokens in all")}
    else:
        asked, unit = t("Do the output tokens include the reasoning ones?"), "output_tokens"
        words = {"inside": t("Yes: {n} output tokens in all"), "beside": t("No: {n} output tokens in all")}
    try:
        found = {one.answer: one for one in _effects(table.digest, _key(mapping), question, table, mapping)}
    except cl.CostLabError as problem:
        st.error(
            pieces.plain(cl.error_text(problem, t)),
            title=t("This mapping does not fit the table"),
            icon=":material/error:",
        )
        return ""
    labels = {
        answer: t("Yes: but {why}").format(why=cl.error_text(one.problem, t))
        if one.problem
        else words[answer].format(n=f"{one.counts.get(unit, 0):,}")
        for answer, one in found.items()
    }
    picked = st.radio(
        asked,
        list(labels),
        index=None,
        format_func=lambda answer: pieces.plain(labels[answer]),
        key=f"map-{table.digest[:12]}-{question}",
    )
    if picked is None and question == "cached":
        st.caption(t("The columns do not say it, and the cost depends on it: OpenAI counts them in, Anthropic beside."))
    elif picked is None:
        st.caption(t("The columns do not say it, and the cost depends on it: OpenAI counts them in, Gemini beside."))
    return str(picked or "")


def _key(mapping: cl.TableMapping) -> str:
    return repr((sorted(mapping.columns.items()), mapping.model, mapping.cached, mapping.reasoning))


@st.cache_resource(max_entries=32, show_spinner=False)
def _effects(
    digest: str, key: str, question: str, _table: cl.Table, _mapping: cl.TableMapping
) -> tuple[cl.Effect, ...]:
    return cl.table_effects(_table, _mapping, question)


def _totals(table: cl.Table, mapping: cl.TableMapping, t: cl.Words) -> bool:
    """Show what would be imported, or why it cannot be; return whether it can."""
    try:
        runs = _read(table, mapping)
    except cl.CostLabError as problem:
        helps = t("Mend the file or choose another column.")
        st.error(
            f"{pieces.plain(cl.error_text(problem, t))}\n\n{helps}",
            title=t("This mapping does not fit the table"),
            icon=":material/error:",
        )
        return False
    costs = [cl.price_run(run, session.table(), now=session.now()).cost for run in runs]
    counts = [cl.run_counts(run) for run in runs]
    total = cl.headline(sum((cost.total for cost in costs), Decimal(0)), lower_bound=any(c.lower_bound for c in costs))
    with st.container(horizontal=True):
        st.metric(t("Runs"), f"{len(runs):,}", border=True)
        st.metric(t("Model calls"), f"{sum(len(run.calls) for run in runs):,}", border=True)
        st.metric(t("Input tokens"), f"{sum(c.get('input_tokens', 0) for c in counts):,}", border=True)
        st.metric(t("Output tokens"), f"{sum(c.get('output_tokens', 0) for c in counts):,}", border=True)
        st.metric(t("Cost at the calls' dates"), total, border=True)
    why = dict.fromkeys(cl.bound_name(bound.reason, t) for cost in costs for bound in cost.bounds)
    if why:
        st.caption(t("At least that much: {why}").format(why="; ".join(why)))
    return True


def _read(table: cl.Table, mapping: cl.TableMapping) -> list[cl.Run]:
    """Return the runs that a mapping makes of a table, read once for each mapping."""
    held: tuple[str, list[cl.Run]] | None = st.session_state.get("mapped_runs")
    key = f"{table.digest}:{_key(mapping)}"
    if held is None or held[0] != key:
        held = st.session_state.mapped_runs = (key, cl.table_runs(table, mapping))
    return held[1]


def _import(name: str, data: bytes, mapping: cl.TableMapping, t: cl.Words) -> None:
    try:
        found = cl.import_bytes(name, data, store=session.store(), mapping=mapping)
    except cl.CostLabError as problem:
        _done(refused(name, problem, t))
    else:
        _done(taken(name, found, t))


def _done(answer: Answer) -> None:
    """Go on to the next table, and say what came of this one."""
    st.session_state.tables = st.session_state.get("tables", [])[1:]
    for held in ("open_table", "mapped_runs"):
        st.session_state.pop(held, None)
    before = [one for one in st.session_state.get("upload_answers", []) if one.name != answer.name]
    st.session_state.upload_answers = [*before, answer] if answer.told or answer.problem else before
