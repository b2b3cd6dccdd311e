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
    """What a run asks of a model: its largest call's input tokens, and pictures, sound or films in its requests."""

    input_tokens: int = 0
    inputs: tuple[str, ...] = ()
    native_tools: bool = False


def needs_of(run: Run) -> Needs:
    """Return what a run asks of a model."""
    largest = max((int(c.counts.get("input_tokens", 0)) for c in run.calls), default=0)
    kinds = {m.kind for c in run.calls for m in c.media}
    kinds |= {k for k in ("image", "audio", "video") for c in run.calls if c.counts.get(f"input_{k}_tokens")}
    return Needs(largest, tuple(sorted(kinds)), any(c.tools for c in run.calls))


def _short(count: int) -> str:
    return f"{count / 1000:.0f}k" if count >= 10_000 else f"{count:,}"


def why_not(facts: ModelFacts | None, needs: Needs, today: date) -> str:
    """Return why a model could not run a run (`does not fit: 131k of 32k`, `no vision`, ...), or '' if it could.

    An unknown fact is no reason. A model without any facts is not refused either: it is only unknown.
    """
    if facts is None:
        return ""
    window = facts.max_input_tokens or facts.context_tokens
    if facts.mode and facts.mode not in TALKING_MODES:
        return f"not a chat model ({facts.mode})"
    if facts.retires_at and facts.retires_at <= today:
        return f"retired {facts.retires_at.isoformat()}"
    if window and needs.input_tokens > window:
        return f"does not fit: {_short(needs.input_tokens)} of {_short(window)}"
    words = {"image": "no vision", "audio": "no audio input", "video": "no video input"}
    missing = [words[k] for k in needs.inputs if k in words and facts.inputs and k not in facts.inputs]
    if missing:
        return ", ".join(missing)
    return "no native tool calls" if needs.native_tools and facts.native_tools is False else ""
