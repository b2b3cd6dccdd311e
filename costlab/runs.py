"""What an agent did: runs, steps, model calls, tool calls. Counts and facts only; money is never stored here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from costlab.showing import Shown
from costlab.usage import Counts, UsageWarning
from costlab.words import ENGLISH, Words, task_title

BASES = ("measured", "counted", "estimated", "assumed", "unknown")
STATES = ("running", "success", "max_steps", "stopped", "over_budget", "failed", "cut")
STATUSES = ("ok", "error", "cut", "running")  # of a model call


@dataclass(frozen=True, slots=True)
class Media:
    """One picture, sound, film or document in a request: sizes only, never the content."""

    kind: str  # image | audio | video | document
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    pages: int | None = None
    detail: str | None = None
    sha256: str | None = None  # of the content event that holds it, if the recording ships it


@dataclass(frozen=True, slots=True)
class Attempt:
    """One HTTP try of a call. `billed`: yes, no or unknown. `usage` is the raw block, if the try returned one."""

    at: datetime | None = None
    status: int | None = None
    error: str | None = None
    request_id: str | None = None
    usage: Mapping[str, object] | None = None
    billed: str = "unknown"


@dataclass(frozen=True, slots=True)
class Part:
    """Usage of one model inside one call (Anthropic iterations, advisors, fallbacks); counts are inclusive."""

    provider: str
    model: str
    counts: Counts
    service_tier: str | None = None


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One logical request to a model. `counts` are inclusive; `parts`, where there are any, sum to `counts`.

    `when` holds conditions of the rate that usage stated (`speed`, `processing`, ...). `bounds` are reasons why its
    money is a lower bound that the door already knows, as `reason` or `reason:unit` (unmetered, cut, ...).
    """

    call_id: str
    provider: str
    model: str  # as the response named it, else as requested
    counts: Counts
    usage_basis: str = "measured"
    request_model: str | None = None
    api: str | None = None
    service_tier: str | None = None
    requested_tier: str | None = None
    upstream_provider: str | None = None
    region: str | None = None
    when: Mapping[str, str] = field(default_factory=dict)
    raw_usage: Mapping[str, object] | None = None
    usage_message_start: Mapping[str, object] | None = None
    billable_items: Mapping[str, int | float | Decimal] = field(default_factory=dict)
    stated_cost: Decimal | None = None  # USD, the provider's own figure; never used as ours
    parts: tuple[Part, ...] = ()
    started_at: datetime | None = None
    duration_s: float | None = None
    ttft_s: float | None = None
    status: str = "ok"  # ok | error | cut | running
    error: str | None = None
    attempts: tuple[Attempt, ...] = ()
    messages: tuple[str, ...] = ()  # SHA-256 of content events, in order
    tools: tuple[str, ...] = ()
    output: tuple[str, ...] = ()
    tool_choice: str | None = None
    cache_marks: tuple[int, ...] = ()
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    media: tuple[Media, ...] = ()
    origin: str | None = None  # message or response id: counted once in sums over runs
    inherited_from: str | None = None  # run_id, worked out on reading
    bounds: tuple[str, ...] = ()
    warnings: tuple[UsageWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool execution; `billed` are units that somebody charges for it (unit key -> count)."""

    name: str
    tool_id: str = ""
    status: str = "ok"
    error: str | None = None
    started_at: datetime | None = None
    duration_s: float | None = None
    call_id: str | None = None  # the model call that asked for it
    billed: Counts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AgentNode:
    """One agent in the tree of a run: `parent` and `parent_step` say who started it, and where."""

    node: str
    name: str
    parent: str | None = None
    parent_step: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One turn of an agent's loop, with its model calls and tool calls in order."""

    step_id: str
    number: int
    kind: str  # planning | action | final_answer
    agent: str = "agent"  # AgentNode.node
    parent: str | None = None  # step_id of the step that started this agent
    started_at: datetime | None = None
    duration_s: float | None = None
    error: str | None = None
    calls: tuple[ModelCall, ...] = ()
    tools: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """A message, tool definition or picture, stored once by the SHA-256 of its canonical JSON."""

    sha256: str
    kind: str  # message | tool | image | output; an image is {"mime_type", "base64", "width", "height"}
    value: object


@dataclass(frozen=True, slots=True)
class Run(Shown):
    """One execution of an agent on one task, in order."""

    run_id: str
    task: str = ""
    agent: str = ""
    parent_run_id: str | None = None
    started_at: datetime | None = None
    duration_s: float | None = None
    state: str = "success"
    correct: bool | None = None
    answer: str | None = None
    title: str | None = None
    steps: tuple[Step, ...] = ()
    agents: tuple[AgentNode, ...] = ()
    source: Mapping[str, str] = field(default_factory=dict)  # format, version, file, engine, ...
    meta: Mapping[str, object] = field(default_factory=dict)  # model file hash, settings, notes
    contents: Mapping[str, Content] = field(default_factory=dict)
    merged_records: int = 0
    warnings: tuple[UsageWarning, ...] = ()

    @property
    def calls(self) -> tuple[ModelCall, ...]:
        """Return all model calls of the run, managed agents included, in order."""
        return tuple(call for step in self.steps for call in step.calls)

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """Return all tool calls of the run in order."""
        return tuple(tool for step in self.steps for tool in step.tools)

    @property
    def local(self) -> bool:
        """Return whether every call ran on the user's own machine, so that nobody billed it."""
        calls = self.calls
        return bool(calls) and all(call.provider in LOCAL_PROVIDERS for call in calls)

    @property
    def sketched(self) -> bool:
        """Return whether nothing of it ever ran: every count is assumed, and no model is named."""
        calls = self.calls
        return bool(calls) and all(call.usage_basis == "assumed" and not call.model for call in calls)

    @property
    def unbilled(self) -> bool:
        """Return whether it has no price list of its own, local or sketched: another model's stands in."""
        return self.local or self.sketched

    @property
    def bases(self) -> tuple[str, ...]:
        """Return where its counts are from, each word of `BASES` once."""
        found = {call.usage_basis for call in self.calls}
        return tuple(word for word in BASES if word in found)

    @property
    def torn(self) -> bool:
        """Return whether its file was cut off in the middle of a line: what came after is in no figure."""
        return any(note.code == "torn_line" for note in self.warnings)

    @property
    def uncounted_media(self) -> int:
        """Return how often it sends media that stand in none of its counts: each model counts them by itself."""
        return sum(len(call.media) for call in self.calls) if self.meta.get("media_counted") is False else 0

    @property
    def at_api_prices(self) -> bool:
        """Return whether it is a session of a client that is mostly paid by subscription.

        Its money is then what the API would charge for it, not an invoice.
        """
        return self.source.get("format") in SUBSCRIBED


SUBSCRIBED = ("claude-code", "claude-stream", "codex", "gemini-cli")  # formats of such clients' sessions
LOCAL_PROVIDERS = ("local", "ollama", "llama.cpp", "vllm", "lmstudio")


def title_of(run: Run, t: Words = ENGLISH) -> str:
    """Return a short name for a run: its title, else the beginning of its task, else its id."""
    unnamed = t.plural("Sketch of {n} step", "Sketch of {n} steps", len(run.steps)) if run.sketched else run.run_id
    text = task_title(run.title or "", t) or " ".join(run.task.split()) or unnamed
    return text if len(text) <= 80 else f"{text[:79]}…"
