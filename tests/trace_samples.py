"""Small hand-written recordings of every format that is read, and how tests write and read them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from costlab.importers import Imported, read_file
from costlab.runs import Run
from costlab.usage import Number, add

Json = dict[str, object]


def write(path: Path, value: object) -> Path:
    """Write one JSON value, or a list of them as lines where the file is named so."""
    rows = value if path.suffix == ".jsonl" and isinstance(value, list) else [value]
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")
    return path


def imported(folder: Path, value: object, name: str = "recording.json") -> Imported:
    """Write a value and read it back as a recording, its format detected."""
    return read_file(write(folder / name, value))


def run_of(folder: Path, value: object, name: str = "recording.json") -> Run:
    """Return the one run of a recording."""
    runs = imported(folder, value, name).runs
    assert len(runs) == 1
    return runs[0]


def totals(runs: Iterable[Run]) -> dict[str, Number]:
    """Return the counts of several runs as one sum, calls that another of them holds left out."""
    return add(call.counts for run in runs for call in run.calls if call.inherited_from is None)


def bounds(run: Run) -> list[tuple[str, ...]]:
    """Return the bounds of each call."""
    return [call.bounds for call in run.calls]


def codes(run: Run) -> set[str]:
    """Return the codes of all warnings of a run and its calls."""
    return {w.code for w in run.warnings} | {w.code for call in run.calls for w in call.warnings}


# ---- Claude Code: one line a content block


def claude_line(uuid: str, parent: str | None, message: Json, **more: object) -> Json:
    """Return a line of a session."""
    kind = more.pop("type", "assistant")
    return {
        "type": kind, "sessionId": "session-1", "uuid": uuid, "parentUuid": parent, "isSidechain": False,
        "version": "2.1.0", "timestamp": "2026-05-01T10:00:00.000Z", "message": message, **more,
    }  # fmt: skip


def claude_answer(name: str, usage: object, *, text: str = "Done.", **more: object) -> Json:
    """Return an assistant's message."""
    return {
        "id": name, "type": "message", "role": "assistant", "model": "claude-sonnet-4-5-20250929",
        "content": [{"type": "text", "text": text}], "stop_reason": None, "usage": usage, **more,
    }  # fmt: skip


def claude_usage(output: int, fresh: int = 10, read: int = 1000, written: int = 100) -> Json:
    """Return a usage block as Anthropic writes it: cached tokens beside the fresh ones."""
    return {
        "input_tokens": fresh, "cache_read_input_tokens": read, "cache_creation_input_tokens": written,
        "output_tokens": output,
    }  # fmt: skip


CLAUDE = [
    claude_line("u1", None, {"role": "user", "content": "Fix the test."}, type="user"),
    claude_line("a1", "u1", claude_answer("msg_0000000000000000000001", claude_usage(1), text="I look.")),
    claude_line("a2", "a1", claude_answer("msg_0000000000000000000001", claude_usage(40), text="Now.")),
]

# ---- Claude's Agent SDK: messages with placeholders, and a result


def stream_answer(name: str, usage: object, **more: object) -> Json:
    """Return an assistant's message of a stream."""
    return {
        "type": "assistant", "message": claude_answer(name, usage), "parent_tool_use_id": None,
        "session_id": "stream-1", "uuid": f"u-{name}", **more,
    }  # fmt: skip


def model_usage(output: int, fresh: int = 10, read: int = 1000, written: int = 100) -> Json:
    """Return a model's figures as a result has them."""
    return {
        "inputTokens": fresh, "cacheReadInputTokens": read, "cacheCreationInputTokens": written,
        "outputTokens": output, "webSearchRequests": 0, "costUSD": 0.5, "contextWindow": 200000,
    }  # fmt: skip


def stream_result(**by_model: Json) -> Json:
    """Return the last message of a stream; a model is named as a keyword (`claude_sonnet_4_5`)."""
    return {
        "type": "result", "subtype": "success", "is_error": False, "duration_ms": 3000, "result": "Done.",
        "session_id": "stream-1", "total_cost_usd": 0.5, "uuid": "r",
        "modelUsage": {name.replace("_", "-"): usage for name, usage in by_model.items()},
    }  # fmt: skip


SONNET = "claude_sonnet_4_5_20250929"
STREAM_OPENED = {
    "type": "system", "subtype": "init", "session_id": "stream-1", "claude_code_version": "2.1.0", "uuid": "i",
}  # fmt: skip
STREAM = [
    STREAM_OPENED,
    stream_answer("msg_0000000000000000000001", claude_usage(1)),
    stream_answer("msg_0000000000000000000001", claude_usage(1)),
    stream_answer("msg_0000000000000000000002", claude_usage(2)),
    stream_result(**{SONNET: model_usage(186, fresh=20, read=2000, written=200)}),
]

# ---- Codex: cumulative figures


def codex_line(kind: str, payload: Json, second: int = 0) -> Json:
    """Return a line of a rollout."""
    return {"timestamp": f"2026-05-01T10:00:{second:02d}.000Z", "type": kind, "payload": payload}


def codex_usage(into: int, cached: int, out: int, reasoning: int = 0) -> Json:
    """Return a usage block as Codex writes it."""
    return {
        "input_tokens": into, "cached_input_tokens": cached, "output_tokens": out,
        "reasoning_output_tokens": reasoning, "total_tokens": into + out,
    }  # fmt: skip


def codex_count(total: Json, last: Json, second: int = 0) -> Json:
    """Return a token_count event."""
    info = {"total_token_usage": total, "last_token_usage": last, "model_context_window": 272000}
    return codex_line("event_msg", {"type": "token_count", "info": info}, second)


CODEX = [
    codex_line("session_meta", {"id": "thread-1", "cli_version": "0.50.0", "model_provider": "openai"}),
    codex_line("turn_context", {"model": "gpt-5-codex"}),
    codex_count(codex_usage(1000, 800, 50, 30), codex_usage(1000, 800, 50, 30), 5),
    codex_count(codex_usage(3000, 2600, 90, 40), codex_usage(2000, 1800, 40, 10), 9),
]

# ---- Gemini CLI: one object a chat


def gemini_answer(name: str, tokens: object, second: int = 5) -> Json:
    """Return an answer of a chat."""
    return {
        "id": name, "type": "gemini", "content": "Done.", "model": "gemini-2.5-flash", "tokens": tokens,
        "timestamp": f"2026-05-01T10:00:{second:02d}.000Z",
    }  # fmt: skip


GEMINI = {
    "sessionId": "chat-1",
    "projectHash": "abc",
    "startTime": "2026-05-01T10:00:00.000Z",
    "lastUpdated": "2026-05-01T10:00:09.000Z",
    "messages": [
        {"id": "m1", "type": "user", "content": "List the files.", "timestamp": "2026-05-01T10:00:01.000Z"},
        gemini_answer("m2", {"input": 1000, "output": 20, "cached": 600, "thoughts": 30, "tool": 0, "total": 1050}),
    ],
}

# ---- Langfuse: a trace with its observations


def generation(name: str, details: object, parent: str | None = None, **more: object) -> Json:
    """Return an observation that is a model call."""
    return {
        "id": name, "traceId": "trace-1", "type": "GENERATION", "name": "chat", "parentObservationId": parent,
        "startTime": "2026-05-01T10:00:00.000Z", "endTime": "2026-05-01T10:00:02.000Z", "model": "gpt-4o-mini",
        "usageDetails": details, "level": "DEFAULT", **more,
    }  # fmt: skip


def langfuse(*observations: Json) -> Json:
    """Return a trace's export."""
    return {
        "trace": {"id": "trace-1", "name": "my agent", "input": "What is 2+2?", "output": "4", "projectId": "p"},
        "observations": list(observations),
    }


LANGFUSE = langfuse(generation("g1", {"input": 100, "output": 20, "total": 120}))

# ---- spans


def span(name: str, attributes: Json, parent: str | None = None, **more: object) -> Json:
    """Return a span as the OpenTelemetry SDK's JSON has it; its id is its name."""
    return {
        "name": name, "span_id": name, "trace_id": "t1", "parent_id": parent,
        "start_time": "2026-05-01T10:00:00.000000Z", "end_time": "2026-05-01T10:00:02.000000Z",
        "attributes": attributes, "status": {"status_code": "OK"}, **more,
    }  # fmt: skip


SPANS = [
    span("agent", {"openinference.span.kind": "AGENT", "llm.token_count.prompt": 100, "llm.token_count.completion": 9}),
    span(
        "call",
        {
            "openinference.span.kind": "LLM", "llm.model_name": "gpt-4o-mini", "llm.system": "openai",
            "llm.token_count.prompt": 100, "llm.token_count.completion": 9, "llm.token_count.total": 109,
        },
        "agent",
    ),
]  # fmt: skip

# ---- smolagents: a RunResult


def figures(into: int | None, out: int | None) -> Json | None:
    """Return a TokenUsage, or nothing."""
    if into is None or out is None:
        return None
    return {"input_tokens": into, "output_tokens": out, "total_tokens": into + out}


def action(number: int, usage: Json | None, **more: object) -> Json:
    """Return an ActionStep as its `dict()` writes it; step n lasts from second 10n to 10n + 4."""
    return {
        "step_number": number,
        "timing": {"start_time": 1.7e9 + 10 * number, "end_time": 1.7e9 + 10 * number + 4, "duration": 4.0},
        "model_input_messages": [{"role": "user", "content": [{"type": "text", "text": f"turn {number}"}]}],
        "tool_calls": [],
        "error": None,
        "model_output_message": {"role": "assistant", "content": "so", "tool_calls": None, "raw": None},
        "model_output": "so",
        "code_action": None,
        "observations": None,
        "observations_images": None,
        "action_output": None,
        "token_usage": usage,
        "is_final_answer": False,
        **more,
    }


def planning(usage: Json | None) -> Json:
    """Return a PlanningStep as its `dict()` writes it."""
    return {
        "model_input_messages": [{"role": "user", "content": [{"type": "text", "text": "plan"}]}],
        "model_output_message": {"role": "assistant", "content": "1. ask", "raw": None},
        "plan": "Here is the plan: 1. ask",
        "timing": {"start_time": 1.7e9 + 5, "end_time": 1.7e9 + 7, "duration": 2.0},
        "token_usage": usage,
    }


def result(*steps: Json, total: Json | None = None, state: str = "success", output: object = "42") -> Json:
    """Return a RunResult as its `dict()` writes it."""
    return {
        "output": output,
        "state": state,
        "steps": [{"task": "What is the answer?", "task_images": None}, *steps],
        "token_usage": total,
        "timing": {"start_time": 1.7e9, "end_time": 1.7e9 + 60, "duration": 60.0},
    }


SMOLAGENTS = result(
    planning(figures(50, 5)),
    action(1, figures(100, 10)),
    action(2, figures(120, 12), is_final_answer=True, action_output="42"),
    total=figures(270, 27),
)

# Each format's name, a small whole recording of it, and the file name that it would have.
SAMPLES: dict[str, tuple[object, str]] = {
    "claude-code": (CLAUDE, "session-1.jsonl"),
    "claude-stream": (STREAM, "stream.jsonl"),
    "codex": (CODEX, "rollout-1.jsonl"),
    "gemini-cli": (GEMINI, "session-1.json"),
    "langfuse": (LANGFUSE, "trace.json"),
    "openinference": (SPANS, "spans.json"),
    "smolagents": (SMOLAGENTS, "result.json"),
}
