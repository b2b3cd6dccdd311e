"""Media on a page: what is asked about, the tokens and price of it on models, at several levels and sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

import costlab as cl
from costlab.ui import choices, pictures, pieces, session

if TYPE_CHECKING:
    import pandas as pd

# Sizes to begin with, in pixels.
SAMPLES = {
    "hd": (1_920, 1_080),
    "phone": (4_032, 3_024),
    "page": (1_240, 1_754),
    "square": (1_024, 1_024),
    "icon": (256, 256),
}
LONG_SIDES = (256, 512, 768, 1_024, 1_536, 2_048, 4_096)
# Models whose vendors say how they count these, for kinds that few models take.
TAKERS = {
    "audio": (
        "google/gemini-3.8-flash", "google/gemini-2.5-flash", "openai/gpt-audio", "mistral/voxtral-small-latest",
    ),
    "video": (
        "google/gemini-3.8-flash", "google/gemini-2.5-flash", "aws/amazon.nova-lite-v1:0", "aws/amazon.nova-pro-v1:0",
    ),
    "document": (
        "google/gemini-3.8-flash", "google/gemini-2.5-flash", "aws/anthropic.claude-haiku-4-5-20251001-v1:0",
        "aws/anthropic.claude-sonnet-5",
    ),
}  # fmt: skip


def asked(t: cl.Words) -> dict[str, object]:
    """Show what a medium is asked by and return the request, without a model."""
    words = {"image": t("Picture"), "audio": t("Sound"), "video": t("Film"), "document": t("Document")}
    kind = choices.linked(t("Kind"), words, "kind")
    if kind == "image":
        return {"kind": kind, **_picture(t)}
    if kind == "document":
        pages = _number(t("Pages"), "pages", 10, 100_000)
        return {"kind": kind, "pages": pages, "page_size": "a4"}
    seconds = _number(t("Seconds"), "seconds", 60, 1_000_000)
    if kind == "audio":
        return {"kind": kind, "seconds": seconds}
    sound = st.toggle(t("With its sound"), value=True, key="with_sound", persist_state="session")
    return {"kind": kind, "seconds": seconds, "audio": sound}


def _number(label: str, key: str, usual: int, most: int) -> int:
    """Show a whole number that the link holds; what the browser lets through is put into its range."""
    said = st.number_input(label, min_value=1, max_value=most, value=usual, step=1, key=key, bind="query-params")
    return min(max(int(said or 1), 1), most)


def _picture(t: cl.Words) -> dict[str, object]:
    """Show the ways to name a picture's size: an upload, a usual size, or two numbers."""
    usual, upload = st.columns(2, vertical_alignment="top")
    names = {
        "hd": t("Screen, 1920 × 1080"), "phone": t("Phone photo, 4032 × 3024"), "page": t("Scanned page, 1240 × 1754"),
        "square": t("Square, 1024 × 1024"), "icon": t("Icon, 256 × 256"),
    }  # fmt: skip
    with upload:
        _upload(t)
    with usual:
        st.selectbox(
            t("Pick a size"), list(names), index=None, format_func=lambda one: names[one], key="media_sample",
            placeholder=t("a usual size"), on_change=_sampled,
        )  # fmt: skip
        wide, high = st.columns(2)
        with wide:
            width = _number(t("Width (px)"), "width", 1_024, 20_000)
        with high:
            height = _number(t("Height (px)"), "height", 1_024, 20_000)
    return {"width": width, "height": height}


def _sampled() -> None:
    picked = st.session_state.media_sample
    if picked in SAMPLES:
        st.session_state.width, st.session_state.height = SAMPLES[picked]


def _upload(t: cl.Words) -> None:
    """Take the size of an uploaded picture into the inputs, once for each upload."""
    given = st.file_uploader(
        t("Or upload a picture"), type=["png", "jpg", "jpeg", "webp", "gif", "bmp"], key="media_upload",
        max_upload_size=pictures.MOST_BYTES // 2**20,
        help=t("Only its size is read, on this machine; the picture is not kept and goes nowhere."),
    )  # fmt: skip
    pieces.uploader_words(t, pictures.MOST_BYTES // 2**20, *pictures.FORMATS)
    if given is None:
        return
    try:
        width, height = pictures.size_of(given.getvalue(), given.name)
    except cl.BadInput as problem:
        st.error(pieces.plain(cl.error_text(problem, t)), icon=":material/error:")
        return
    if st.session_state.get("media_taken") != given.file_id:
        st.session_state.media_taken = given.file_id
        st.session_state.width, st.session_state.height = min(width, 20_000), min(height, 20_000)
    told = t("{name} has {width} × {height} pixels.")
    st.caption(told.format(name=pieces.plain(given.name[:60]), width=f"{width:,}", height=f"{height:,}"))


def takers(kind: str, names: Sequence[str], t: cl.Words) -> None:
    """Offer the models whose vendors publish how they count a kind that few take."""
    chosen = list(st.session_state.get("models") or cl.default_models())
    more = [name for name in TAKERS.get(kind, ()) if name in names and name not in chosen]
    if more:
        label = t.plural("Add {n} model with a known formula", "Add {n} models with a known formula", len(more))
        st.button(label, icon=":material/playlist_add:", key="add_takers", on_click=_choose, args=([*chosen, *more],))


def _choose(wanted: list[str]) -> None:
    st.session_state.models = wanted


def level_name(level: str, t: cl.Words) -> str:
    """Return what a level of detail is called; the ids are the vendors' own words."""
    return {
        "": t("vendor's default"), "low": t("low"), "medium": t("medium"), "high": t("high"),
        "ultra_high": t("ultra high"), "original": t("original"),
    }[level]  # fmt: skip


def level(found: Sequence[cl.MediaQuote], t: cl.Words) -> str:
    """Show the choice of a level that some of the models have, and return it; empty is the vendor's default."""
    offered = [one for one in cl.LEVELS if any(one in quote.levels for quote in found)]
    if not offered:
        return ""
    words = {"default": level_name("", t)} | {one: level_name(one, t) for one in offered}
    told = t("A model without levels counts by the size alone; one without this level shows no figure.")
    chosen = choices.linked(t("Detail"), words, "level", told)
    return "" if chosen == "default" else chosen


def chart(frame: pd.DataFrame, t: cl.Words) -> None:
    """Draw the tokens by model, where any is known."""
    if frame["tokens"].notna().any():
        fewest = frame.iloc[0]
        told = t("Tokens by model; the fewest, {n}, on {model}.").format(
            n=f"{int(fewest['tokens']):,}", model=fewest["model"]
        )
        st.plotly_chart(cl.charts.media_tokens(frame, t), key="media_bars", alt=told, config={"displayModeBar": False})
    else:
        st.warning(t("None of these models has a known formula for this; the table says why."), icon=":material/help:")


def table(frame: pd.DataFrame, t: cl.Words) -> None:
    """Show a row a model: tokens, price of one and of 1,000, where the count is from, its formula and source."""
    money, many = (f"$%.{_decimals(frame[name])}f" for name in ("usd", "usd_1000"))
    shown = frame.assign(
        basis=[_basis(word, t) for word in frame["basis"]], remark=[_remark(row, t) for _, row in frame.iterrows()]
    )
    marks = ["remark"] if shown["remark"].any() else []
    st.dataframe(
        shown,
        hide_index=True,
        key="media_table",
        alt=t("Tokens and price on each model, with the formula"),
        placeholder="—",
        column_order=["model", "tokens", "usd", "usd_1000", *marks, "basis", "formula", "source"],
        column_config={
            "model": st.column_config.TextColumn(t("Model"), pinned=True),
            "tokens": st.column_config.NumberColumn(t("Tokens"), format="localized"),
            "usd": st.column_config.NumberColumn(t("Cost (USD)"), format=money),
            "usd_1000": st.column_config.NumberColumn(t("1,000 of them (USD)"), format=many),
            "basis": st.column_config.TextColumn(t("Formula is")),
            "remark": st.column_config.TextColumn(t("Remarks"), width="medium"),
            "formula": st.column_config.TextColumn(t("Formula"), width="large"),
            "source": st.column_config.TextColumn(t("Source"), width="large"),
        },
    )


def _decimals(amounts: pd.Series[float]) -> int:
    return cl.column_decimals([cl.exact(amount) for amount in amounts.dropna()])


def _basis(word: str, t: cl.Words) -> str:
    return {"stated": t("published"), "recorded": t("seen in bills"), "estimated": t("an estimate")}.get(word, "")


def _remark(row: pd.Series[Any], t: cl.Words) -> str:
    """Return why a row has no figure, or what to know about it."""
    parts = [str(row["why_not"])] if row["why_not"] else []
    if row["state"] == "unknown":
        parts.append(t("no formula known"))
    elif row["state"] == "refused":
        parts.append(t.said(str(row["why"])))
    elif row["usd"] != row["usd"]:
        parts.append(t("unpriced"))
    elif row["lower_bound"]:
        parts.append(t("≥ priced at the rate of a wider unit"))
    return "; ".join(parts)


def grid(columns: Mapping[str, Sequence[cl.MediaQuote]], key: str, title: str, t: cl.Words) -> None:
    """Show a row a model and a column a level or size: tokens, or the price of 1,000."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.markdown(title, width="stretch")
        ids = {"tokens": t("tokens"), "usd": t("USD for 1,000")}
        shown = st.segmented_control(
            title, list(ids), format_func=lambda one: ids[one], key=f"shown_{key}", default="tokens", required=True,
            persist_state="session", label_visibility="collapsed",
        )  # fmt: skip
    times = 1_000 if shown == "usd" else 0
    frame = cl.frames.media_grid(columns, times)
    form = f"$%.{max(_decimals(frame[label]) for label in columns)}f" if times else "localized"
    st.dataframe(
        frame,
        hide_index=True,
        key=f"grid_{key}",
        placeholder="—",
        alt=title,
        column_config={
            "model": st.column_config.TextColumn(t("Model"), pinned=True),
            **{label: st.column_config.NumberColumn(label, format=form) for label in columns},
        },
    )


def at_sizes(request: Mapping[str, object], models: Sequence[str], level: str, prices: cl.PriceTable) -> Any:
    """Return the quotes of a picture at several sizes of its shape, by `WIDTH × HEIGHT`; its own is among them."""
    width, height = int(str(request["width"])), int(str(request["height"]))
    found = {}
    for long in sorted({*LONG_SIDES, max(width, height)}):
        size = max(1, round(width * long / max(width, height))), max(1, round(height * long / max(width, height)))
        sized = {**request, "width": size[0], "height": size[1]}
        quotes = cl.price_media(sized, models, prices, levels=(level,), now=session.now())
        found[f"{size[0]:,} × {size[1]:,}"] = quotes
    return found
