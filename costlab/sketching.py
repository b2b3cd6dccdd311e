"""A run that nobody has made yet: from a few assumptions, an agent's loop with the tokens of each of its calls.

An agent sends its whole context again with each call. With `n` steps, system prompt S, task T, output O and tool
result R of each step, call k has S + T + (k - 1)(O + R) input tokens, and all of them together
n(S + T) + (O + R) n(n - 1) / 2. docs/sketch.md has the same in words. Every count is `assumed`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType

from costlab.errors import BadInput
from costlab.runs import Media, ModelCall, Run, Step

SKETCH_NOTE = "a sketch: every count is assumed"
MAX_STEPS, MAX_TOKENS, MAX_PICTURES, MAX_SIDE, MAX_NAME, MAX_TEXT = 500, 1_000_000, 50, 20_000, 80, 1_000
DETAILS = ("auto", "low", "high", "original")
# What a sketch is written with, in order: the word in its text, and the field.
_WORDS = {
    "steps": "steps", "system": "system_tokens", "task": "task_tokens", "tools": "tool_tokens",
    "output": "output_tokens", "thinking": "thinking_tokens", "cached": "cached_percent",
}  # fmt: skip
_PICTURE = re.compile(r"(\d{1,3})\*(\d{1,6})x(\d{1,6})@(\d{1,4})(?::([a-z]{1,10}))?")


@dataclass(frozen=True, slots=True)
class SketchedPicture:
    """Pictures of one size (pixels) that enter the context at a step (1 is the task) and are sent again from there."""

    width: int
    height: int
    detail: str | None = None
    step: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        """Check the ranges; raises BadInput naming the field."""
        _within("width", self.width, 1, MAX_SIDE)
        _within("height", self.height, 1, MAX_SIDE)
        _within("picture step", self.step, 1, MAX_STEPS)
        _within("picture count", self.count, 1, MAX_PICTURES)
        if self.detail is not None and self.detail not in DETAILS:
            raise BadInput(f"unknown: {self.detail!r}; there are {', '.join(DETAILS)}", field="picture detail")

    @property
    def text(self) -> str:
        """Return it as it stands in a sketch's text: `2*1024x768@1:high`."""
        return f"{self.count}*{self.width}x{self.height}@{self.step}{f':{self.detail}' if self.detail else ''}"


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is assumed of an agent: counts in tokens, each for one step except `system_tokens` and `task_tokens`.

    `tool_tokens`: what comes back after each step and is read by the next (tool results, or a person's next message).
    `output_tokens`: what the model writes and later calls read; `thinking_tokens`: reasoning, billed as output too,
    but not sent again. `cached_percent`: how much of a call's repeated context (the input of the call before) is read
    from a cache; 0 means no cache, else each call writes what it does not read.
    """

    steps: int = 8
    system_tokens: int = 2_500
    task_tokens: int = 150
    tool_tokens: int = 500
    output_tokens: int = 150
    thinking_tokens: int = 0
    cached_percent: int = 0
    pictures: tuple[SketchedPicture, ...] = ()
    name: str = ""

    def __post_init__(self) -> None:
        """Check the ranges; raises BadInput naming the field."""
        for word in _WORDS.values():
            low, high = {"steps": (1, MAX_STEPS), "cached_percent": (0, 100)}.get(word, (0, MAX_TOKENS))
            _within(word, getattr(self, word), low, high)
        if sum(one.count for one in self.pictures) > MAX_PICTURES:
            raise BadInput(f"at most {MAX_PICTURES} pictures in all", field="pictures")
        for one in self.pictures:
            _within("picture step", one.step, 1, self.steps)
        if len(self.name) > MAX_NAME or not self.name.isprintable():
            raise BadInput(f"one line of at most {MAX_NAME} characters", field="name")

    @property
    def text(self) -> str:
        """Return the sketch as one line that `parse_sketch` reads: what a link holds."""
        parts = [f"{word}={getattr(self, field)}" for word, field in _WORDS.items()]
        parts += ["pictures=" + ",".join(one.text for one in self.pictures)] if self.pictures else []
        return ";".join([*parts, *([f"name={self.name}"] if self.name else [])])


def _within(field: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadInput(f"must be a whole number from {low:,} to {high:,}, not {str(value)[:40]}", field=field)


def parse_sketch(text: str) -> Sketch:
    """Read a sketch from its text; what it does not name has its usual value. Raises BadInput naming the field."""
    if len(text) > MAX_TEXT:
        raise BadInput(f"has more than {MAX_TEXT} characters", field="sketch")
    before, named, name = text.partition("name=")  # the name comes last and may hold any sign
    given: dict[str, int] = {}
    pictures: tuple[SketchedPicture, ...] = ()
    for part in filter(None, before.strip(";").split(";")):
        word, _, value = part.partition("=")
        if word == "pictures":
            pictures = tuple(_picture(one) for one in value.split(","))
        elif word in _WORDS:
            given[_WORDS[word]] = _whole(_WORDS[word], value)
        else:
            raise BadInput(f"unknown word {word[:40]!r}; there are {', '.join(_WORDS)}, pictures, name", field="sketch")
    return Sketch(**given, pictures=pictures, name=name if named else "")


def _whole(field: str, value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise BadInput(f"not a whole number: {value[:40]!r}", field=field)
    return int(value)


def _picture(text: str) -> SketchedPicture:
    found = _PICTURE.fullmatch(text)
    if found is None:
        raise BadInput(f"not a picture as in 2*1024x768@1:high: {text[:40]!r}", field="pictures")
    count, width, height, step = (int(found[n]) for n in (1, 2, 3, 4))
    return SketchedPicture(width, height, found[5], step, count)


# Where to begin. The figures are round assumptions of ours, not measurements of anybody's agent.
SKETCHES: Mapping[str, Sketch] = MappingProxyType(
    {
        "chat": Sketch(4, 400, 100, 80, 250),
        "tools": Sketch(8, 2_500, 150, 500, 150, cached_percent=90),
        "research": Sketch(25, 3_000, 300, 1_500, 300, thinking_tokens=200, cached_percent=90),
        "pictures": Sketch(6, 800, 200, 200, 200, pictures=(SketchedPicture(1_600, 1_200, "high", 1, 4),)),
    }
)


def sketch(plan: Sketch) -> Run:
    """Return the run that a sketch stands for: each call's counts are `assumed`, no model is named.

    Pictures stand in the calls as media and in no count (`meta["media_counted"]` is False): each model counts them by
    its own formula. The same sketch has always the same `run_id`.
    """
    steps = []
    before = 0  # tokens of the call before, without its pictures
    for place in range(1, plan.steps + 1):
        given = plan.system_tokens + plan.task_tokens
        sent = given + (place - 1) * (plan.output_tokens + plan.tool_tokens)
        call = ModelCall(
            f"c{place}",
            "",
            "",
            _counts(plan, sent, before),
            usage_basis="assumed",
            media=tuple(
                Media("image", one.width, one.height, detail=one.detail)
                for one in plan.pictures
                if one.step <= place
                for _ in range(one.count)
            ),
        )
        steps.append(Step(f"s{place}", place, "action", calls=(call,)))
        before = sent
    return Run(
        f"sketch-{sha256(plan.text.encode()).hexdigest()[:10]}",
        title=plan.name or None,
        steps=tuple(steps),
        source={"format": "sketch"},
        meta={"sketch": plan.text, **_of_pictures(plan)},
    )


def _of_pictures(plan: Sketch) -> dict[str, object]:
    if not plan.pictures:
        return {}
    cached = {"media_cached_percent": plan.cached_percent} if plan.cached_percent else {}
    return {"media_counted": False, **cached}


def _counts(plan: Sketch, sent: int, before: int) -> dict[str, int]:
    counts = {"input_tokens": sent, "output_tokens": plan.output_tokens + plan.thinking_tokens}
    if plan.thinking_tokens:
        counts["output_reasoning_tokens"] = plan.thinking_tokens
    if plan.cached_percent:
        read = before * plan.cached_percent // 100
        # Five minutes is the usual life of a written prefix; where nobody charges for writing, it costs as input.
        counts |= {"cache_read_tokens": read, "cache_write_tokens": sent - read, "cache_write_5m_tokens": sent - read}
    return counts
