"""What is known of a model besides its prices, and whether it could run a recorded run at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from costlab.runs import Run
from costlab.words import ENGLISH, Words

TALKING_MODES = ("chat", "responses")


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A row of models.csv: tokens, what goes in and out, tools, retirement. None or an empty tuple is unknown."""

    provider: str
    model: str
    mode: str | None = None
    context_tokens: int | None = None
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    native_tools: bool | None = None
    retires_at: date | None = None
    source: str = ""
    source_version: str = ""
    read_at: date | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """What a run asks of a model: its largest requests in tokens, media in its requests, and native tool calls.

    `total_tokens` is the largest input and output of one request together, which must fit a context window.
    """

    input_tokens: int = 0
    total_tokens: int = 0
    inputs: tuple[str, ...] = ()
    native_tools: bool = False


def needs_of(run: Run) -> Needs:
    """Return what a run asks of a model; a call's several inferences (`parts`) are requests of their own."""
    asked = [part.counts for call in run.calls for part in call.parts or (call,)]
    sizes = [(int(c.get("input_tokens", 0)), int(c.get("output_tokens", 0))) for c in asked]
    kinds = {m.kind for c in run.calls for m in c.media}
    kinds |= {k for k in ("image", "audio", "video") for c in run.calls if c.counts.get(f"input_{k}_tokens")}
    return Needs(
        input_tokens=max((size for size, _ in sizes), default=0),
        total_tokens=max((sum(size) for size in sizes), default=0),
        inputs=tuple(sorted(kinds)),
        native_tools=any(c.tools for c in run.calls),
    )


def _short(count: int) -> str:
    if count >= 1_000_000:
        return f"{count / 1_000_000:.1f}".removesuffix(".0") + "M"
    return f"{count / 1_000:.0f}k" if count >= 10_000 else f"{count:,}"


def _of(asked: int, window: int) -> str:
    """Two counts for a reader: short, unless that makes them look the same."""
    short = _short(asked), _short(window)
    return " of ".join(short) if short[0] != short[1] else f"{asked:,} of {window:,}"


def why_not(facts: ModelFacts | None, needs: Needs, today: date, t: Words = ENGLISH) -> str:
    """Return why a model is not compared (`does not fit: 131k of 32k`, `no vision`, `unknown: ...`), or '' if it is.

    What is known against a model is said first; then what the run needs and nobody states of the model. A kind of
    model that no source names is no reason: what has token prices and no other kind talks.
    """
    known = facts or ModelFacts("", "")
    asked, window = needs.input_tokens, known.max_input_tokens
    if known.context_tokens and not (window and asked > window):
        asked, window = needs.total_tokens, known.context_tokens
    if known.mode and known.mode not in TALKING_MODES:
        return t("not a chat model ({mode})").format(mode=known.mode)
    if known.retires_at and known.retires_at <= today:
        return t("retired {date}").format(date=known.retires_at.isoformat())
    if window and asked > window:
        return t("does not fit: {asked_of_window}").format(asked_of_window=_of(asked, window))
    unable, unknown = _lacks(known, needs, t)
    if unable:
        return ", ".join(unable)
    if asked and not window:
        unknown.insert(0, t("context window"))
    return t("unknown: {what}").format(what=", ".join(unknown)) if unknown else ""


def _lacks(known: ModelFacts, needs: Needs, t: Words) -> tuple[list[str], list[str]]:
    """Return what a model cannot do that a run needs, and what nobody states of it."""
    unable, unknown = [], []
    words = {
        "image": (t("no vision"), t("vision")),
        "audio": (t("no audio input"), t("audio input")),
        "video": (t("no video input"), t("video input")),
    }
    for kind in needs.inputs:
        if kind in words and kind not in known.inputs:
            # Only a list that names text is whole; others hold what a source happens to know.
            if "text" in known.inputs:
                unable.append(words[kind][0])
            else:
                unknown.append(words[kind][1])
    if needs.native_tools and known.native_tools is not True:
        if known.native_tools is False:
            unable.append(t("no native tool calls"))
        else:
            unknown.append(t("native tool calls"))
    return unable, unknown
