"""A pasted response on a page: examples, the form, and its price line by line. Nothing of it is kept."""

from __future__ import annotations

import json
from datetime import date

import streamlit as st

import costlab as cl
from costlab.ui import pieces, session

MOST = 300_000  # characters
# Bodies of our own making in the vendors' forms; no answer of anybody's model.
_OPENAI = {
    "object": "chat.completion",
    "created": 1_795_341_600,
    "model": "gpt-5-mini",
    "usage": {
        "prompt_tokens": 10_000,
        "prompt_tokens_details": {"cached_tokens": 8_000},
        "completion_tokens": 1_000,
        "completion_tokens_details": {"reasoning_tokens": 640},
    },
}
_ANTHROPIC = {
    "type": "message",
    "model": "claude-haiku-4-5",
    "usage": {
        "input_tokens": 2_000,
        "cache_read_input_tokens": 8_000,
        "cache_creation_input_tokens": 500,
        "cache_creation": {"ephemeral_5m_input_tokens": 500},
        "output_tokens": 400,
        "server_tool_use": {"web_search_requests": 2},
    },
}
_GEMINI = {
    "promptTokenCount": 1_800,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 700}, {"modality": "IMAGE", "tokenCount": 1_100}],
    "candidatesTokenCount": 300,
    "thoughtsTokenCount": 200,
    "totalTokenCount": 2_300,
}


def examples(t: cl.Words) -> None:
    """Offer texts to try, said to be invented."""
    offered = {
        "openai": (t("OpenAI response"), _OPENAI, None),
        "anthropic": (t("Anthropic response with searches"), _ANTHROPIC, None),
        "gemini": (t("Gemini usage block"), _GEMINI, "google/gemini-3.8-flash"),
    }
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(t("Invented examples:"), width="content")
        for name, (label, body, model) in offered.items():
            st.button(label, key=f"example_{name}", on_click=_fill, args=(json.dumps(body, indent=2), model))


def _fill(text: str, model: str | None) -> None:
    st.session_state.pasted, st.session_state.pasted_model, st.session_state.pasted_day = text, model, None


def asked(names: list[str], t: cl.Words) -> tuple[str, str | None, date | None]:
    """Show the form and return the text, the model chosen (None: as the text says) and the day (None: likewise)."""
    with st.form("paste", border=False):
        text = st.text_area(
            t("Response or usage block (JSON)"), key="pasted", height=220, max_chars=MOST,
            placeholder='{"model": "gpt-5-mini", "usage": {"prompt_tokens": 10000, "completion_tokens": 1000}}',
            help=t("A whole body, the events of a stream, or a usage block alone. It stays in this page only."),
        )  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="bottom"):
            model = st.selectbox(
                t("Model"), names, index=None, key="pasted_model", placeholder=t("as the text says"),
                help=t("A usage block does not name its model: choose it here."),
            )  # fmt: skip
            day = st.date_input(
                t("Day of the call (UTC)"), value=None, key="pasted_day", format="YYYY-MM-DD",
                help=t("Empty: as the text says, else today."),
            )  # fmt: skip
            st.form_submit_button(t("Price it"), type="primary", icon=":material/calculate:", key="price_it")
    return str(text or ""), model, day if isinstance(day, date) else None


def answer(text: str, model: str | None, day: date | None, table: cl.PriceTable, t: cl.Words) -> cl.Quote | None:
    """Price the text; None, with the line and field at fault, where it cannot be read."""
    provider, _, name = (model or "").partition("/")
    try:
        return cl.quote_text(
            text, provider=provider or None, model=name or None, at=day.isoformat() if day else None, table=table,
            now=session.now(),
        )  # fmt: skip
    except cl.CostLabError as problem:
        st.error(
            pieces.plain(cl.error_text(problem, t)), title=t("This text cannot be priced"), icon=":material/error:"
        )
        return None


def figures(found: cl.Quote, t: cl.Words) -> None:
    """Show what the call cost at its day and at today's prices, and what the provider itself says."""
    at = found.call.started_at
    when = at.date().isoformat() if at else t("no day is known: as today")
    stated, today = found.call.stated_cost, found.today
    then = cl.amount_name(cl.headline(found.cost.known, lower_bound=found.cost.lower_bound), t)
    now = cl.amount_name(cl.headline(today.known, lower_bound=today.lower_bound), t) if today else "—"
    sums = [f"{int(found.counts.get(key, 0)):,}" for key in ("input_tokens", "output_tokens")]
    read = found.counts.get("cache_read_tokens", 0)
    shown = [
        (t("At the call's day"), then, when),
        (t("At today's prices"), now, session.now().date().isoformat()),
        (t("Stated by the provider"), cl.usd(stated) if stated is not None else "—", t("never used as ours")),
        (t("Input / output tokens"), " / ".join(sums), t("{n} read from cache").format(n=cl.compact(read))),
    ]
    for place, (label, value, below) in zip(st.columns(4), shown, strict=True):
        with place:
            pieces.figure(label, value, below)


def told(found: cl.Quote, t: cl.Words) -> None:
    """Say which model the figures are for, where the counts are from, and every doubt about them."""
    who = found.resolved
    basis = cl.basis_name(found.call.usage_basis, t)
    if who.by == "none":
        st.warning(
            t("No model of the price tables is named here: choose one above. A wrong neighbour is never taken."),
            icon=":material/help:",
        )
    else:
        said = t("Priced as {model}. Counts: {basis}.")
        st.caption(said.format(model=pieces.plain(f"{who.provider}/{who.model}"), basis=basis))
    if not found.counts:
        st.warning(t("No token counts were found in this text."), icon=":material/search_off:")
    if found.cost.lower_bound:
        why = pieces.reasons(found.cost, t)
        st.caption(t("≥ The true amount may be higher: {reasons}.").format(reasons=why))
    for note in dict.fromkeys(f"{w.field}: {t.said(w.detail)}" for w in found.warnings):
        st.caption(pieces.plain(note))


def tables(found: cl.Quote, t: cl.Words) -> None:
    """Show the counts as reported and as priced, and every line with its rate, source and date."""
    st.markdown(t("Lines at the call's day"))
    pieces.lines_table(found.cost, t, key="pasted_lines")
    today = found.today
    if today is not None and today.total != found.cost.total:
        st.markdown(t("Lines at today's prices"))
        pieces.lines_table(today, t, key="pasted_today")
    st.markdown(t("Token counts"))
    st.caption(t("A count holds its parts: input holds what was cached. Each token is in one leaf, which is priced."))
    st.dataframe(
        cl.frames.counted(found.counts, found.leaves, t),
        hide_index=True,
        key="pasted_counts",
        placeholder="",
        alt=t("Counts of the response by unit"),
        column_config={
            "unit": st.column_config.TextColumn(t("Unit"), pinned=True),
            "count": st.column_config.NumberColumn(t("Count, parts included"), format="localized"),
            "leaf": st.column_config.NumberColumn(t("Priced, each once"), format="localized"),
        },
    )
