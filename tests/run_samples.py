"""Runs for the tests of the store: small literal ones, and any run that hypothesis can think of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import strategies as st

from costlab.runs import (
    BASES,
    STATES,
    STATUSES,
    AgentNode,
    Attempt,
    Content,
    Media,
    ModelCall,
    Part,
    Run,
    Step,
    ToolCall,
)
from costlab.store import content_of
from costlab.usage import UsageWarning, units

MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def call(call_id: str = "c1", **more: object) -> ModelCall:
    """Return a call of gpt-5-mini: 1,000 tokens in, 400 of them cached, 200 out."""
    usual: dict[str, object] = {
        "provider": "openai",
        "model": "gpt-5-mini",
        "counts": {"input_tokens": 1_000, "cache_read_tokens": 400, "output_tokens": 200},
        "started_at": MONDAY,
        "duration_s": 2.5,
    }
    return ModelCall(call_id, **{**usual, **more})  # type: ignore[arg-type]


def run(run_id: str = "r1", *calls: ModelCall, **more: object) -> Run:
    """Return a run of one action step that holds the calls."""
    step = Step("s1", 1, "action", started_at=MONDAY, duration_s=3.0, calls=calls or (call(),))
    usual: dict[str, object] = {"task": "Add two numbers", "agent": "CodeAgent", "started_at": MONDAY, "steps": (step,)}
    return replace(Run(run_id), **{**usual, **more})  # type: ignore[arg-type]


words = st.text(max_size=12)
names = st.sampled_from(["", "a", "$decimal", "$object", "$x", "role", "content", "ü", "b\nc", "event"])
seconds = st.none() | st.floats(0, 1e7)
decimals = st.decimals(0, 10**14, allow_nan=False, allow_infinity=False, places=6)
moments = st.none() | st.datetimes(
    datetime(1970, 1, 2), datetime(2200, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))]),
)  # fmt: skip
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words
odd_json = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)
objects = st.dictionaries(
    names, st.recursive(scalars | decimals, lambda inner: st.dictionaries(names, inner, max_size=2)), max_size=3
)
counts = st.dictionaries(st.sampled_from(sorted(units())), st.integers(0, 10**15) | decimals, max_size=5)
labels = st.dictionaries(words, words, max_size=3)
notes = st.lists(st.builds(UsageWarning, words, words, words), max_size=2).map(tuple)
texts = st.lists(words, max_size=3).map(tuple)
some_text = st.none() | words

media = st.builds(
    Media, st.sampled_from(["image", "audio", "video", "document"]), width=st.none() | st.integers(1, 10_000),
    height=st.none() | st.integers(1, 10_000), seconds=seconds, pages=st.none() | st.integers(1, 1_000),
    detail=some_text, sha256=some_text,
)  # fmt: skip
attempts = st.builds(
    Attempt, at=moments, status=st.none() | st.integers(100, 599), error=some_text, request_id=some_text,
    usage=st.none() | objects, billed=st.sampled_from(["yes", "no", "unknown"]),
)  # fmt: skip
parts = st.builds(Part, words, words, counts, some_text)
contents = st.builds(content_of, odd_json, st.sampled_from(["message", "tool", "image", "output"]))
calls = st.builds(
    ModelCall,
    call_id=st.just(""), provider=words, model=words, counts=counts, usage_basis=st.sampled_from(BASES),
    request_model=some_text, api=some_text, service_tier=some_text, requested_tier=some_text,
    upstream_provider=some_text, region=some_text, when=labels, raw_usage=st.none() | objects,
    usage_message_start=st.none() | objects,
    billable_items=st.dictionaries(words, st.integers() | decimals | st.floats(0, 1e9), max_size=2),
    stated_cost=st.none() | decimals, parts=st.lists(parts, max_size=2).map(tuple), started_at=moments,
    duration_s=seconds, ttft_s=seconds, status=st.sampled_from([s for s in STATUSES if s != "running"]),
    error=some_text, attempts=st.lists(attempts, max_size=2).map(tuple), messages=texts, tools=texts, output=texts,
    tool_choice=some_text, cache_marks=st.lists(st.integers(0, 99), max_size=2).map(tuple),
    max_tokens=st.none() | st.integers(1, 10**6), stop=texts, media=st.lists(media, max_size=2).map(tuple),
    origin=some_text, bounds=texts, warnings=notes,
)  # fmt: skip
tools = st.builds(
    ToolCall, words, words, status=words, error=some_text, started_at=moments, duration_s=seconds,
    call_id=some_text, billed=counts,
)  # fmt: skip
steps = st.builds(
    Step, st.just(""), st.integers(0, 999), st.sampled_from(["planning", "action", "final_answer"]), agent=words,
    parent=some_text, started_at=moments, duration_s=seconds, error=some_text,
    calls=st.lists(calls, max_size=2).map(tuple), tools=st.lists(tools, max_size=2).map(tuple),
)  # fmt: skip
nodes = st.builds(AgentNode, words, words, parent=some_text, parent_step=some_text, model=some_text)


def _numbered(found: Run) -> Run:
    """Give each step and each call of a run an id of its own."""
    ids = iter(range(10_000))
    return replace(
        found,
        steps=tuple(
            replace(s, step_id=f"s{i}", calls=tuple(replace(c, call_id=f"c{next(ids)}") for c in s.calls))
            for i, s in enumerate(found.steps)
        ),
    )


def _by_hash(found: list[Content]) -> dict[str, Content]:
    return {one.sha256: one for one in found}


any_run = st.builds(
    Run, words, task=words, agent=words, parent_run_id=some_text, started_at=moments, duration_s=seconds,
    state=st.sampled_from([s for s in STATES if s != "running"]), correct=st.none() | st.booleans(), answer=some_text,
    title=some_text, steps=st.lists(steps, max_size=3).map(tuple), agents=st.lists(nodes, max_size=2).map(tuple),
    source=labels, meta=objects, contents=st.lists(contents, max_size=3).map(_by_hash),
    merged_records=st.integers(0, 99), warnings=notes,
).map(_numbered)  # fmt: skip
