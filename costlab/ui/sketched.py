"""A sketch on a page: where to begin, its inputs, what they come to, and how it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

import costlab as cl
from costlab.ui import pieces, session

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

MOST_KINDS = 4  # of pictures, on the page; a link may hold as many
_NUMBERS = {
    "steps": "steps", "system": "system_tokens", "task": "task_tokens", "tools": "tool_tokens",
    "output": "output_tokens", "thinking": "thinking_tokens", "cached": "cached_percent",
}  # fmt: skip
_FIRST = cl.SketchedPicture(1_024, 768, "high")


def preset_name(name: str, t: cl.Words) -> str:
    """Return what a sketch to begin with is called."""
    return {
        "chat": t("Short chat"),
        "tools": t("Tool agent, 8 steps"),
        "research": t("Research agent, 25 steps"),
        "pictures": t("Picture reader"),
    }[name]


def fill(plan: cl.Sketch) -> None:
    """Put a sketch into the page's inputs."""
    for key, field in _NUMBERS.items():
        st.session_state[f"sketch_{key}"] = getattr(plan, field)
    st.session_state.sketch_name = plan.name
    st.session_state.sketch_kinds = len(plan.pictures)
    for place, one in enumerate(plan.pictures):
        _fill_picture(place, one)


def _fill_picture(place: int, one: cl.SketchedPicture) -> None:
    values = {"count": one.count, "width": one.width, "height": one.height, "step": one.step}
    for key, value in (values | {"detail": one.detail or "auto"}).items():
        st.session_state[f"sketch_{key}_{place}"] = value


def presets(t: cl.Words) -> None:
    """Offer sketches to begin with."""
    with st.container(horizontal=True):
        for name, plan in cl.SKETCHES.items():
            label = preset_name(name, t)
            st.button(label, key=f"preset_{name}", on_click=_begin, args=(plan, label))


def _begin(plan: cl.Sketch, label: str) -> None:
    fill(plan)
    st.session_state.sketch_name = label


def take_link(t: cl.Words) -> None:
    """Fill the inputs from the link where it is another one than this page wrote last; at first from a preset."""
    text = st.query_params.get("sketch")
    if text is not None and text != st.session_state.get("sketch_link"):
        st.session_state.sketch_link = text
        try:
            fill(cl.parse_sketch(text))
        except cl.BadInput as problem:
            told = t("The link holds a sketch that cannot be read")
            st.warning(pieces.plain(cl.error_text(problem, t)), title=told, icon=":material/link_off:")
    if "sketch_steps" not in st.session_state:
        _begin(cl.SKETCHES["tools"], preset_name("tools", t))


def _name_follows(t: cl.Words) -> None:
    """Keep the name of a ready sketch only while it is that sketch, and in the page's language."""
    name = st.session_state.get("sketch_name", "")
    for key, plan in cl.SKETCHES.items():
        if name in {preset_name(key, cl.words_of(language)) for language in cl.LANGUAGES}:
            same = all(st.session_state[f"sketch_{short}"] == getattr(plan, field) for short, field in _NUMBERS.items())
            st.session_state.sketch_name = preset_name(key, t) if same and _same_pictures(plan) else ""


def _same_pictures(plan: cl.Sketch) -> bool:
    try:
        return _sketched_pictures() == plan.pictures
    except cl.BadInput:
        return False


def plan(t: cl.Words) -> cl.Sketch | None:
    """Show the inputs and return the sketch, which the link then holds; None, with the reason, where it is wrong."""
    most = 1_000_000
    _name_follows(t)
    rows = [st.columns(4), st.columns(4)]
    fields = [
        ("steps", t("Steps"), 500, 1, t("Model calls of one run of the agent.")),
        ("system", t("System prompt (tokens)"), most, 100,
         t("Instructions and tool definitions, sent with each call.")),
        ("task", t("Task (tokens)"), most, 50, t("What the person asks, sent with each call.")),
        ("tools", t("Tool results per step (tokens)"), most, 50,
         t("What comes back after each step: a tool's result, or the person's next message.")),
        ("output", t("Output per step (tokens)"), most, 50, t("What the model writes; all later calls read it again.")),
        ("thinking", t("Thinking per step (tokens)"), most, 50,
         t("Reasoning: billed as output, not sent again with later calls.")),
        ("cached", t("Read from cache (%)"), 100, 10,
         t("Of the context that a call repeats, the share read from a cache. 0: no cache.")),
    ]  # fmt: skip
    for place, (key, label, high, step, hint) in enumerate(fields):
        rows[place // 4][place % 4].number_input(
            label, min_value=1 if key == "steps" else 0, max_value=high, step=step, key=f"sketch_{key}", help=hint,
            persist_state="session",
        )  # fmt: skip
    rows[1][3].text_input(t("Name"), key="sketch_name", max_chars=80, persist_state="session")
    _pictures(t)
    try:
        numbers = {field: int(st.session_state[f"sketch_{key}"] or 0) for key, field in _NUMBERS.items()}
        name = " ".join(str(st.session_state.sketch_name or "").split())
        made = cl.Sketch(**numbers, pictures=_sketched_pictures(), name=name)
    except cl.BadInput as problem:
        st.error(pieces.plain(cl.error_text(problem, t)), title=t("This sketch cannot be"), icon=":material/error:")
        return None
    st.session_state.sketch_link = made.text
    session.keep_in_link("sketch", made.text)
    return made


def _pictures(t: cl.Words) -> None:
    """Show a row of inputs for each size of pictures, and add or remove the last row."""
    kinds = int(st.session_state.sketch_kinds)
    details = {"auto": t("auto"), "low": t("low"), "high": t("high"), "original": t("original")}
    for place in range(kinds):
        count, width, height, detail, step = st.columns(5)
        _whole(count, t("Pictures"), 50, f"count_{place}")
        _whole(width, t("Width (px)"), 20_000, f"width_{place}")
        _whole(height, t("Height (px)"), 20_000, f"height_{place}")
        detail.selectbox(
            t("Detail"), list(details), format_func=lambda word: details[word], key=f"sketch_detail_{place}",
            persist_state="session", help=t("A level of OpenAI's models; others count a picture by its size alone."),
        )  # fmt: skip
        hint = t("The step at which they enter the context; every later call sends them again.")
        _whole(step, t("From step"), 500, f"step_{place}", hint)
    with st.container(horizontal=True):
        st.button(
            t("Add pictures"), icon=":material/add_photo_alternate:", key="add_pictures", on_click=_add_pictures,
            disabled=kinds >= MOST_KINDS,
        )  # fmt: skip
        if kinds:
            st.button(t("Remove pictures"), icon=":material/close:", key="remove_pictures", on_click=_remove_pictures)


def _whole(place: DeltaGenerator, label: str, most: int, key: str, hint: str = "") -> None:
    """Show the input of a whole number from 1 on."""
    place.number_input(
        label, min_value=1, max_value=most, step=1, key=f"sketch_{key}", persist_state="session", help=hint or None
    )


def _add_pictures() -> None:
    _fill_picture(int(st.session_state.sketch_kinds), _FIRST)
    st.session_state.sketch_kinds += 1


def _remove_pictures() -> None:
    st.session_state.sketch_kinds -= 1


def _sketched_pictures() -> tuple[cl.SketchedPicture, ...]:
    """Return the pictures that the inputs say; raises BadInput."""
    found = []
    for place in range(int(st.session_state.sketch_kinds)):
        count, width, height, step = (
            int(st.session_state[f"sketch_{key}_{place}"] or 0) for key in ("count", "width", "height", "step")
        )
        detail = str(st.session_state[f"sketch_detail_{place}"])
        found.append(cl.SketchedPicture(width, height, None if detail == "auto" else detail, step, count))
    return tuple(found)


def figures(made: cl.Sketch, run: cl.Run, t: cl.Words) -> None:
    """Show what one run of the sketch comes to: tokens in and out, the largest call, what is sent again."""
    counts = cl.run_counts(run)
    sent, again = (sum(column) for column in zip(*cl.resent(run), strict=True))
    largest = max(int(call.counts["input_tokens"]) for call in run.calls)
    pictures, most = (f(len(call.media) for call in run.calls) for f in (sum, max))
    read = int(counts.get("cache_read_tokens", 0))
    cached = t("{n} read from cache").format(n=cl.compact(read)) if read else t("nothing cached")
    below = {
        t("Input tokens"): pieces.and_pictures(pictures, t) or cached,
        t("Output tokens"): t.plural("in {n} step", "in {n} steps", made.steps),
        t("Largest call"): pieces.and_pictures(most, t) or t("input tokens"),
        t("Sent before"): t("of all tokens of text") if pictures else t("of all input tokens"),
    }
    shown = [cl.compact(sent), cl.compact(counts["output_tokens"]), cl.compact(largest)]
    shown.append(f"{again / sent:.0%}" if sent else "0%")
    for place, value, (label, under) in zip(st.columns(4), shown, below.items(), strict=True):
        with place:
            pieces.figure(label, value, under)


def kept(run: cl.Run, t: cl.Words) -> None:
    """Offer to go on with the sketch as with a recording, and to keep it as one."""
    with st.container(horizontal=True, vertical_alignment="center"):
        here = pieces.with_choices(sketch=str(run.meta["sketch"]))
        to = {"compare": t("Open in Compare"), "replay": t("Open in Replay")}
        icons = {"compare": ":material/compare_arrows:", "replay": ":material/play_circle:"}
        for name, label in to.items():
            st.page_link(f"{pieces.PAGES}/{name}.py", label=label, icon=icons[name], query_params=here)
        held = any(one.run_id == run.run_id for one in session.store().runs())
        label = t("Kept among the recordings") if held else t("Keep as a recording")
        st.button(label, icon=":material/save:", key="keep_sketch", on_click=_keep, args=(run,), disabled=held)
    told = st.session_state.pop("sketch_told", "")
    if told:
        st.error(pieces.plain(told), icon=":material/error:")


def _keep(run: cl.Run) -> None:
    try:
        session.store().add([run])
    except cl.CostLabError as problem:
        st.session_state.sketch_told = cl.error_text(problem, session.words())
