"""What a session holds: its language, the price table with its own edits, the recordings, the choices in the link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import streamlit as st

import costlab as cl
from costlab.ui import keeping

Group = tuple[object, ...]
Edits = dict[Group, tuple[cl.Rate, ...]]
MOST_UNDONE = 100  # changes of prices that can be taken back


def now() -> datetime:
    """Return the moment that prices of today are taken at."""
    return datetime.now(UTC)


def language() -> str:
    """Return the session's language: chosen, else of the link (`?lang=zh`), else of the browser, else English."""
    if st.session_state.get("language") is None:  # a switch that a broken-off run did not draw loses its value
        wanted = st.session_state.get("spoken") or st.query_params.get("lang") or st.context.locale or "en"
        code = wanted.replace("_", "-").split("-")[0].lower()
        st.session_state.language = code if code in cl.LANGUAGES else "en"
    st.session_state.spoken = st.session_state.language
    return str(st.session_state.language)


def words() -> cl.Words:
    """Return the words of the session's language."""
    return cl.words_of(language())


def keep_in_link(name: str, value: str | None) -> None:
    """Hold a choice in the page's address, so that the link opens the same view."""
    if value is None:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != value:
        st.query_params[name] = value


@st.cache_resource(max_entries=4, show_spinner=False)
def _table(stamp: str, with_overrides: bool) -> cl.PriceTable:
    return cl.load_table(overrides=with_overrides)


def base_table() -> cl.PriceTable:
    """Return the table of the files. A user's file that cannot be read is left out, and `table_problem` says why."""
    stamp = cl.price_stamp()
    try:
        table = _table(stamp, keeping.shows_home())
        if st.session_state.get("price_stamp") != stamp:  # saving compares with the file that this page shows
            st.session_state.price_stamp, st.session_state.overrides_version = stamp, keeping.read_overrides().version
    except cl.BadInput as problem:
        t = words()
        st.session_state.table_problem = t.said(problem.problem) if keeping.public() else cl.error_text(problem, t)
        return _table(stamp, False)
    st.session_state.pop("table_problem", None)
    saved = keeping.own_rates()
    return table.edited(saved) if saved else table


def saved_edits() -> tuple[cl.Edit, ...]:
    """Return what the user's saved prices change against the table without them."""
    try:
        rows = keeping.read_overrides().rows
    except cl.CostLabError:  # the page says so already
        return ()
    return cl.differences(_table(cl.price_stamp(), False), rows, now())


def edits() -> Edits:
    """Return the prices that this session has set and not saved, by group."""
    found: Edits = st.session_state.setdefault("edits", {})
    return found


def set_edits(new: Edits) -> None:
    """Replace the session's prices; what was there can be taken back once for each change."""
    history: list[Edits] = st.session_state.get("price_history", [])
    st.session_state.price_history = [*history, dict(edits())][-MOST_UNDONE:]
    st.session_state.edits = new
    begin_editor_anew()


def begin_editor_anew() -> None:
    """Let the price editor forget what was typed into it: it shows the table's prices."""
    st.session_state.editor_round = st.session_state.get("editor_round", 0) + 1


def undo() -> None:
    """Take the last change of prices back."""
    history: list[Edits] = st.session_state.get("price_history", [])
    if history:
        st.session_state.edits = history.pop()
        begin_editor_anew()


def can_undo() -> bool:
    """Return whether there is a change to take back."""
    return bool(st.session_state.get("price_history"))


def rows_of(found: Edits) -> list[cl.Rate]:
    """Return the rows of edits in order."""
    return [row for rows in found.values() for row in rows]


def table() -> cl.PriceTable:
    """Return the price table that this session's figures come from: the files and its own edits over them."""
    base, rows = base_table(), rows_of(edits())
    return base.edited(rows) if rows else base


def store() -> cl.Store:
    """Return the recordings: those shipped and the user's, or the session's own on a server that several people use."""
    return keeping.store()


def _stamp(run: cl.Run) -> str:
    """Return a text that changes when the figures of a run may: with its recording, and with what others hold of it."""
    marks = ",".join(str(place) for place, call in enumerate(run.calls) if call.inherited_from)
    try:
        return f"{store().stamp(run.run_id)}:{marks}"
    except cl.NotFound:
        if run.sketched:  # in no file; its id is made from all that it holds
            return run.run_id
        raise


def sketches() -> dict[str, cl.Run]:
    """Return the sketches that this session has made or opened by a link, by run id; they are in no file."""
    found: dict[str, cl.Run] = st.session_state.setdefault("sketches", {})
    return found


def runs() -> dict[str, cl.Run]:
    """Return every run that a page may choose: the recordings, then this session's sketches."""
    stored = {run.run_id: run for run in store().runs()}
    return stored | {run_id: run for run_id, run in sketches().items() if run_id not in stored}


@st.cache_resource(max_entries=200, show_spinner=False)
def _compared(
    stamp: str,
    models: tuple[str, ...],
    version: str,
    at: str,
    hour: str,
    language: str,
    _run: cl.Run,
    _table: cl.PriceTable,
) -> tuple[cl.Alternative, ...]:
    words = cl.words_of(language)
    return cl.compare(_run, models, _table, at=at, now=datetime.fromisoformat(hour), t=words)


def compared(run: cl.Run, models: Iterable[str], table: cl.PriceTable, at: str) -> tuple[cl.Alternative, ...]:
    """Return a run on several models' price lists; asked again for the same table and hour it is not computed again."""
    hour = now().replace(minute=0, second=0, microsecond=0).isoformat()
    return _compared(_stamp(run), tuple(models), table.version, at, hour, language(), run, table)


@st.cache_resource(max_entries=8, show_spinner=False)
def _names(version: str, folder: str, _table: cl.PriceTable) -> list[str]:
    return cl.makers_first(cl.model_names(_table))


def model_names(table: cl.PriceTable) -> list[str]:
    """Return the models of a table for a choice among thousands: those of their own makers first."""
    return _names(table.version, str(cl.pricing_folder()), table)


@st.cache_resource(max_entries=8, show_spinner=False)
def _hosts(version: str, folder: str, _table: cl.PriceTable) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in model_names(_table):
        found.setdefault(cl.model_part(name), []).append(name)
    return found


def hosts(table: cl.PriceTable) -> Mapping[str, list[str]]:
    """Return, by the part of a name that hosts share, all names under which a model is served: `cl.hosts_of` of all."""
    return _hosts(table.version, str(cl.pricing_folder()), table)


@st.cache_resource(max_entries=400, show_spinner=False)
def _priced(stamp: str, model: str, version: str, hour: str, _run: cl.Run, _table: cl.PriceTable) -> cl.RunCost:
    run = cl.on_model(_run, model, _table) if model else _run
    return cl.price_run(run, _table, now=datetime.fromisoformat(hour))


def priced(run: cl.Run, table: cl.PriceTable, model: str = "") -> cl.RunCost:
    """Return what each call of a run costs, as recorded or on another model's price list."""
    hour = now().replace(minute=0, second=0, microsecond=0).isoformat()
    return _priced(_stamp(run), model, table.version, hour, run, table)
