"""What is known of a model besides its prices, and whether it could run a recorded run at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from costlab.runs import Run

TALKING_MODES = ("chat", "responses", "completion")


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


def why_not(facts: ModelFacts | None, needs: Needs, today: date) -> str:
    """Return why a model could not run a run (`does not fit: 131k of 32k`, `no vision`, ...), or '' if it could.

    An unknown fact is no reason. A model without any facts is not refused either: it is only unknown.
    """
    if facts is None:
        return ""
    asked, window = needs.input_tokens, facts.max_input_tokens
    if facts.context_tokens and not (window and asked > window):
        asked, window = needs.total_tokens, facts.context_tokens
    if facts.mode and facts.mode not in TALKING_MODES:
        return f"not a chat model ({facts.mode})"
    if facts.retires_at and facts.retires_at <= today:
        return f"retired {facts.retires_at.isoformat()}"
    if window and asked > window:
        return f"does not fit: {_of(asked, window)}"
    words = {"image": "no vision", "audio": "no audio input", "video": "no video input"}
    # Only a list that names text is whole; others hold what a source happens to know.
    missing = [words[k] for k in needs.inputs if k in words and "text" in facts.inputs and k not in facts.inputs]
    if missing:
        return ", ".join(missing)
    return "no native tool calls" if needs.native_tools and facts.native_tools is False else ""
