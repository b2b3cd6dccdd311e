"""Parts that several pages show: the recording's choice, what the figures are priced with, why one is a lower bound."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

import streamlit as st

import costlab as cl
from costlab.ui import session

PAGES = "costlab/ui/pages"
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|$~:])")


def plain(text: str) -> str:
    """Return foreign text so that Markdown shows it as it is: no link, picture, formula or colour comes of it."""
    return _SPECIAL.sub(r"\\\1", text.replace("\n", " "))


def choose_run(t: cl.Words) -> cl.Run | None:
    """Show the choice of a recording and return it; None, with what to do next, where there is none."""
    sketched = _sketch_of_link(t)
    runs = session.runs()
    if not runs:
        no_runs(t)
        return None
    named = sketched or st.query_params.get("run")
    if named in runs:
        st.session_state.run = named
    elif st.session_state.get("run") not in runs:
        if named:
            told = t("The link names a recording that is not here; another one is shown.")
            st.warning(told, icon=":material/link_off:")
        st.session_state.run = cl.first_run(session.store().runs() or runs.values()).run_id
    chosen = st.selectbox(
        t("Recording"),
        list(runs),
        format_func=lambda run_id: label_of(runs[run_id], t),
        key="run",
        persist_state="session",
        on_change=_run_to_link,
    )
    _to_link(chosen)
    if not chosen:
        return None
    not_an_invoice(runs[chosen], t)
    return runs[chosen]


def not_an_invoice(run: cl.Run, t: cl.Words) -> None:
    """Say beside the money of a client's session that it is no invoice."""
    if run.at_api_prices:
        told = t("Money of this run is at API prices, not your invoice: such clients are mostly paid by subscription.")
        st.caption(told)


def _sketch_of_link(t: cl.Words) -> str | None:
    """Take the sketch that the link holds into this session and return its run id; say why where it cannot be."""
    text = st.query_params.get("sketch")
    if text is None:
        return None
    try:
        run = cl.sketch(cl.parse_sketch(text))
    except cl.BadInput as problem:
        st.warning(
            plain(cl.error_text(problem, t)),
            title=t("The link holds a sketch that cannot be read"),
            icon=":material/link_off:",
        )
        return None
    session.sketches().setdefault(run.run_id, run)
    return run.run_id


def _run_to_link() -> None:
    """Write a choice into the link before the script runs: there the link decides."""
    _to_link(st.session_state.run)


def _to_link(run_id: str | None) -> None:
    """Hold the chosen run in the link: a recording by its id, a sketch, which is in no file, by what it assumes."""
    sketched = session.sketches().get(run_id or "")
    session.keep_in_link("sketch", str(sketched.meta["sketch"]) if sketched else None)
    session.keep_in_link("run", None if sketched else run_id)


def label_of(run: cl.Run, t: cl.Words) -> str:
    """Return a recording's name in lists: its title, its models and its calls; a sketch says so instead of a model."""
    models = t("sketch") if run.sketched else ", ".join(dict.fromkeys(c.model or "?" for c in run.calls))
    calls = t.plural("{n} call", "{n} calls", len(run.calls))
    return f"{cl.title_of(run, t)} · {models} · {calls}"


def marks(run: cl.Run, t: cl.Words) -> None:
    """Say where a run's counts are from, unless a provider measured them all; a sketch can be changed."""
    if run.sketched:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(t("assumed"), icon=":material/draw:", color="orange")
            st.caption(t("A sketch: every count is assumed, nothing was measured."), width="content")
            here = with_choices(sketch=str(run.meta.get("sketch", "")))
            st.page_link(f"{PAGES}/sketch.py", label=t("Change the sketch"), icon=":material/edit:", query_params=here)
    elif run.bases and run.bases != ("measured",):
        numbers = Counter(call.usage_basis for call in run.calls)
        bases = t(", ").join(f"{cl.basis_name(word, t)} ({numbers[word]:,})" for word in run.bases)
        st.caption(t("Where its calls' token counts are from: {bases}.").format(bases=bases))
    if run.uncounted_media:
        st.caption(t("Pictures stand in no token figure here: each model counts them by its own formula, and charges."))


def and_pictures(number: int, t: cl.Words) -> str:
    """Return what a figure of tokens leaves out: `and 24 pictures`; empty where it leaves nothing out."""
    return t.plural("and {n} picture", "and {n} pictures", number) if number else ""


def with_choices(**here: str) -> dict[str, str | list[str]]:
    """Return a link's parameters with what this session has chosen to compare: a link without them takes it back."""
    chosen = {name: st.session_state.get(name) for name in ("models", "per", "daily", "reference", "at")}
    held = {name: value if isinstance(value, list) else str(value) for name, value in chosen.items() if value}
    return {**here, **held}


def no_runs(t: cl.Words) -> None:
    """Say how a first recording comes about, and the two ways in without one."""
    st.info(
        t("Upload one, make one with three lines of code, or go on without: sketch an agent, paste a response."),
        title=t("No recording yet"),
        icon=":material/folder_open:",
    )
    with st.container(horizontal=True):
        ways = {
            "recordings": (t("Upload a recording"), ":material/upload:"),
            "sketch": (t("Sketch an agent"), ":material/draw:"),
            "paste": (t("Paste a response"), ":material/content_paste:"),
        }
        for name, (label, icon) in ways.items():
            st.page_link(f"{PAGES}/{name}.py", label=label, icon=icon)
    three_lines(t)


def three_lines(t: cl.Words) -> None:
    """Show the three lines of code that make a recording of a smolagents agent."""
    st.caption(t("A recording of your own smolagents agent, in three lines:"))
    st.code('import costlab as cl\nagent.run("...")\ncl.save(agent, "run.jsonl")', language="python")


def priced_with(table: cl.PriceTable, costs: Iterable[cl.Cost], t: cl.Words) -> None:
    """Say what the figures on a page are priced with: the table's day and age, own prices, parts without a price."""
    day = table.read_at
    parts = [t("Prices read on {day}").format(day=day.isoformat() if day else t("an unknown day"))]
    if day:
        age = (session.now().date() - day).days
        told = t.plural("{n} day ago", "{n} days ago", age) if age else t("today")
        parts[0] += t(" ({age})").format(age=told)
    own = len(session.edits())
    if own:
        parts.append(t.plural("{n} price changed in this session", "{n} prices changed in this session", own))
    unpriced = sum(bool(cost.unpriced) for cost in costs)
    if unpriced:
        parts.append(t.plural("{n} model is not fully priced", "{n} models are not fully priced", unpriced))
    st.caption(" · ".join(parts))
    problem = st.session_state.get("table_problem")
    if problem:
        st.warning(plain(problem), title=t("Your own price file is not used"), icon=":material/warning:")


def reasons(cost: cl.Cost, t: cl.Words) -> str:
    """Return why a cost is a lower bound, each reason once; empty where it is none."""
    return cl.doubts(cost.bounds, t)


def lasting(seconds: float | None, t: cl.Words) -> str:
    """Return a time as text, in the page's language."""
    return cl.duration_name(cl.duration(seconds), t)


def amount(cost: cl.Cost, t: cl.Words) -> str:
    """Return a cost as text, in the page's language: a lower bound marked, free said, `unpriced` where it has none."""
    return cl.amount_name(cl.usd(cost.known, lower_bound=cost.lower_bound, free=cost.free), t)


def brief(names: Iterable[str]) -> dict[str, str]:
    """Return each `provider/model` name's short form for a narrow place: the model alone where that says which."""
    all_ = list(names)
    parts = [cl.model_part(name) for name in all_]
    return {name: part if parts.count(part) == 1 else name for name, part in zip(all_, parts, strict=True)}


def uploader_words(t: cl.Words, megabytes: int, *kinds: str) -> None:
    """Put the words inside Streamlit's upload field, which has them in English only, into the page's language."""
    if t.language == "en":
        return
    most = t("up to {n} MB a file").replace("{n}", str(megabytes))
    words = {
        "[data-testid='stFileUploaderDropzone'] button p": t("Choose"),
        "[data-testid='stFileUploaderDropzoneInstructions'] span": " · ".join([most, *kinds]),
    }
    hidden = "".join(f"{place} {{font-size: 0}}" for place in words)
    said = "".join(f"{place}::after {{content: '{text}'; font-size: 0.875rem}}" for place, text in words.items())
    st.html(f"<style>{hidden}{said}</style>")


def figure(label: str, value: str, below: str, hint: str = "") -> None:
    """Show one headline figure in a box, with a quiet line below it."""
    st.metric(
        label,
        value,
        delta=below,
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
        help=hint or None,
    )


def text_width(texts: Iterable[str], most: int = 260) -> int | None:
    """Return the pixels that a column of texts needs, at most so many; None where there is no text.

    Streamlit takes the average of a column for its width: where most cells are empty it would cut the few that are not.
    """
    # A sign of Chinese is as wide as two of English, each of those 7 pixels.
    needed = [sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text) for text in texts if text]
    return min(24 + 7 * max(needed), most) if needed else None


def lines_table(cost: cl.Cost, t: cl.Words, key: str) -> None:
    """Show every line of a cost: quantity, rate, amount, and where the rate came from."""
    frame = cl.frames.cost_lines(cost, t)
    if frame.empty:
        st.caption(t("Nothing was used."))
        return
    shown = ["unit", "quantity", "rate", "amount", "priced_as", "conditions", "source", "valid_from", "read_at"]
    if frame["priced_as"].eq("").all():
        shown.remove("priced_as")
    if frame["conditions"].eq("").all():
        shown.remove("conditions")
    st.dataframe(
        frame[shown],
        hide_index=True,
        key=key,
        alt=t("Lines of the cost with their rates and sources"),
        column_config={
            "unit": st.column_config.TextColumn(t("Unit"), pinned=True, width=text_width(frame["unit"])),
            "quantity": st.column_config.NumberColumn(t("Quantity"), format="localized"),
            "rate": st.column_config.TextColumn(t("Rate (USD)"), alignment="right"),
            "amount": st.column_config.TextColumn(t("Amount"), alignment="right"),
            "priced_as": st.column_config.TextColumn(t("Priced as"), width=text_width(frame["priced_as"])),
            "conditions": st.column_config.TextColumn(t("Conditions"), width=text_width(frame["conditions"])),
            "source": st.column_config.TextColumn(t("Source"), width=text_width(frame["source"])),
            "valid_from": st.column_config.TextColumn(t("Valid from")),
            "read_at": st.column_config.TextColumn(t("Read on")),
        },
    )
    if frame["date_unproven"].any():
        st.caption(t("A rate without dates was read after the call: it is the current rate, not proven for that day."))
