"""Traces, rule by rule, on literal spans and observations: who holds whose tokens, and what repeats what."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trace_samples import (
    LANGFUSE,
    SPANS,
    Json,
    bounds,
    codes,
    generation,
    imported,
    langfuse,
    run_of,
    span,
    totals,
)

from costlab.errors import NoRecording
from costlab.importers.buckets import DISJOINT, INCLUSIVE, counts_of, unit_of
from costlab.importers.providers import provider_at, provider_of, served_by

# ---- names of figures


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("input", "input"),
        ("prompt_tokens", "input"),
        ("promptTokens", "input"),
        ("completion", "output"),
        ("outputTokens", "output"),
        ("total", "total"),
        ("totalTokens", "total"),
        ("input_cached_tokens", "cache_read_tokens"),
        ("cache_read_input_tokens", "cache_read_tokens"),
        ("prompt_details.cache_read", "cache_read_tokens"),
        ("cachedInputTokens", "cache_read_tokens"),
        ("cache_creation_input_tokens", "cache_write_tokens"),
        ("prompt_details.cache_write", "cache_write_tokens"),
        ("cache_creation.ephemeral_1h_input_tokens", "cache_write_1h_tokens"),
        ("cache_creation.ephemeral_5m_input_tokens", "cache_write_5m_tokens"),
        ("completion_details.reasoning", "output_reasoning_tokens"),
        ("output_reasoning", "output_reasoning_tokens"),
        ("reasoningTokens", "output_reasoning_tokens"),
        ("thoughts_token_count", "output_reasoning_tokens"),
        ("prompt_details.audio", "input_audio_tokens"),
        ("output_audio_tokens", "output_audio_tokens"),
        ("tool_use_prompt_token_count", "input_tool_tokens"),
        ("web_search_requests", "web_searches"),
        ("accepted_prediction_tokens", ""),
        ("cost", ""),
    ],
)
def test_a_figures_name_is_one_unit_in_any_spelling(name: str, unit: str) -> None:
    assert unit_of(name) == unit


# ---- two conventions


def test_inclusive_and_disjoint_figures_are_the_same_call() -> None:
    """86 fresh and 17,817 cached are 17,903 tokens (langfuse#10592), whoever holds whose."""
    inclusive, _ = counts_of({"prompt": 17_903, "prompt_details.cache_read": 17_817, "completion": 5}, INCLUSIVE)
    disjoint, _ = counts_of({"input": 86, "input_cached_tokens": 17_817, "output": 5}, DISJOINT)
    assert inclusive == disjoint == {"input_tokens": 17_903, "cache_read_tokens": 17_817, "output_tokens": 5}


def test_the_stated_total_decides_against_what_the_format_promises() -> None:
    """An inclusive count in disjoint buckets: 100 + 20 is the total, so 80 cached tokens are in the 100."""
    counts, notes = counts_of({"input": 100, "input_cached_tokens": 80, "output": 20, "total": 120}, DISJOINT)
    assert counts == {"input_tokens": 100, "cache_read_tokens": 80, "output_tokens": 20}
    assert [note.code for note in notes] == ["convention_repaired"]


def test_a_part_larger_than_its_whole_is_beside_it() -> None:
    counts, notes = counts_of({"prompt": 5, "prompt_details.cache_read": 1000, "completion": 1}, INCLUSIVE)
    assert counts["input_tokens"] == 5 + 1000
    assert [note.code for note in notes] == ["convention_repaired"]


def test_reasoning_beside_the_output_is_added_and_inside_it_is_not() -> None:
    """langfuse#12531: prompt 324, answer 1,364, thoughts 495, total 2,183: 1,859 tokens of output."""
    beside, _ = counts_of({"input": 324, "output": 1364, "output_reasoning": 495, "total": 2183}, DISJOINT)
    inside, _ = counts_of({"prompt": 324, "completion": 1859, "completion_details.reasoning": 495}, INCLUSIVE)
    assert beside == inside
    assert beside["output_tokens"] == 1859


def test_two_spellings_of_one_figure_are_one() -> None:
    counts, _ = counts_of({"prompt_tokens": 100, "input_tokens": 100, "completion_tokens": 9, "output": 9}, INCLUSIVE)
    assert counts == {"input_tokens": 100, "output_tokens": 9}


def test_a_total_that_nothing_adds_up_to_is_named() -> None:
    _, notes = counts_of({"input": 10, "input_cached_tokens": 5, "output": 1, "total": 500}, DISJOINT)
    assert [note.code for note in notes] == ["total_differs"]


def test_a_total_alone_is_not_split() -> None:
    counts, notes = counts_of({"total": 500}, DISJOINT)
    assert (counts, [note.code for note in notes]) == ({"input_tokens": 500}, ["total_only"])


@pytest.mark.parametrize(("kind", "bound"), [("GENERATION", ("unmetered:output_tokens",)), ("EMBEDDING", ())])
def test_a_total_alone_is_a_lower_bound_but_for_an_embedding(kind: str, bound: tuple[str, ...], tmp_path: Path) -> None:
    run = run_of(tmp_path, langfuse(generation("g1", {"total": 500}) | {"type": kind}))
    assert (totals([run]), bounds(run)) == ({"input_tokens": 500}, [bound])


def test_a_figure_that_no_rule_knows_is_named_not_dropped() -> None:
    _, notes = counts_of({"input": 10, "output": 1, "mystery_tokens": 7}, DISJOINT)
    assert [(note.code, note.field) for note in notes] == [("usage_not_recognised", "mystery_tokens")]


@given(
    fresh=st.integers(0, 10**6), read=st.integers(0, 10**6), written=st.integers(0, 10**6), out=st.integers(0, 10**6)
)
def test_disjoint_buckets_sum_to_their_side(fresh: int, read: int, written: int, out: int) -> None:
    stated = {"input": fresh, "cache_read_input_tokens": read, "cache_creation_input_tokens": written, "output": out}
    counts, _ = counts_of(stated, DISJOINT)
    assert (counts["input_tokens"], counts["output_tokens"]) == (fresh + read + written, out)


# ---- Langfuse


@pytest.mark.parametrize(
    "usage",
    [
        {"input": 86, "input_cached_tokens": 17_817, "output": 5, "total": 17_908},
        {"input": 86, "cache_read_input_tokens": 17_817, "output": 5},
        {"input": 17_903, "prompt_details.cache_read": 17_817, "output": 5, "total": 17_908},
    ],
)
def test_langfuse_buckets_are_disjoint_but_what_came_over_otel_is_not(usage: Json, tmp_path: Path) -> None:
    run = run_of(tmp_path, langfuse(generation("g1", usage)))
    assert totals([run]) == {"input_tokens": 17_903, "cache_read_tokens": 17_817, "output_tokens": 5}


@pytest.mark.parametrize(
    "observation",
    [
        generation("g1", None, usage={"input": 100, "output": 20, "total": 120, "unit": "TOKENS"}),
        generation("g1", None, promptTokens=100, completionTokens=20, totalTokens=120),
        generation("g1", '{"input": 100, "output": 20, "total": 120}'),
        generation("g1", {"input": 100, "output": 20}, usage={"input": 100, "output": 20}),
    ],
    ids=["usage", "flat", "as text", "in two places"],
)
def test_langfuse_usage_is_read_where_any_version_put_it_and_once(observation: Json, tmp_path: Path) -> None:
    assert totals([run_of(tmp_path, langfuse(observation))]) == {"input_tokens": 100, "output_tokens": 20}


def test_langfuse_characters_are_no_tokens(tmp_path: Path) -> None:
    usage = {"input": 4000, "output": 800, "total": 4800, "unit": "CHARACTERS"}
    run = run_of(tmp_path, langfuse(generation("g1", None, usage=usage)))
    assert (totals([run]), bounds(run)) == ({}, [("unmetered",)])
    assert "usage_not_recognised" in codes(run)


def test_an_agents_sum_is_not_added_to_its_generations(tmp_path: Path) -> None:
    agent = generation("agent", {"input": 300, "output": 30}) | {"type": "AGENT"}
    one, two = (generation(n, {"input": 150, "output": 15}, "agent") for n in ("g1", "g2"))
    run = run_of(tmp_path, langfuse(agent, one, two))
    assert totals([run]) == {"input_tokens": 300, "output_tokens": 30}
    assert [node.name for node in run.agents] == ["chat"]


def test_an_agents_sum_stands_in_where_no_generation_has_usage(tmp_path: Path) -> None:
    agent = generation("agent", {"input": 300, "output": 30}) | {"type": "AGENT"}
    run = run_of(tmp_path, langfuse(agent, generation("g1", None, "agent")))
    assert totals([run]) == {"input_tokens": 300, "output_tokens": 30}
    assert "estimated" in {call.usage_basis for call in run.calls}
    assert "totals_only" in codes(run)


def test_a_generation_around_the_same_call_is_its_repeat(tmp_path: Path) -> None:
    outer, inner = generation("g1", {"input": 100, "output": 20}), generation("g2", {"input": 100, "output": 20}, "g1")
    run = run_of(tmp_path, langfuse(outer, inner))
    assert (totals([run]), run.merged_records) == ({"input_tokens": 100, "output_tokens": 20}, 1)


def test_an_observation_on_two_pages_is_one(tmp_path: Path) -> None:
    run = run_of(tmp_path, [LANGFUSE, LANGFUSE], "pages.json")
    assert (totals([run]), run.merged_records) == ({"input_tokens": 100, "output_tokens": 20}, 1)


def test_langfuses_own_tokenizers_count_is_an_estimate_and_a_lower_bound(tmp_path: Path) -> None:
    """The attributes that it was sent hold no usage, so the figures are its own, over the text that it saw."""
    sent = {"attributes": {"gen_ai.request.model": "claude-sonnet-4-5"}}
    run = run_of(tmp_path, langfuse(generation("g1", {"input": 5, "output": 9}, metadata=sent)))
    assert [(c.usage_basis, c.bounds) for c in run.calls] == [("estimated", ("unmetered",))]


def test_a_cost_that_was_handed_in_is_stated_not_used(tmp_path: Path) -> None:
    (call,) = run_of(tmp_path, langfuse(generation("g1", {"input": 5}, providedCostDetails={"total": 0.25}))).calls
    assert str(call.stated_cost) == "0.25"
    assert [w.code for w in call.warnings] == ["client_cost"]


def test_a_failed_generation_is_a_failed_call(tmp_path: Path) -> None:
    told = generation("g1", None, level="ERROR", statusMessage="RateLimitError: 429")
    (call,) = run_of(tmp_path, langfuse(told)).calls
    assert (call.status, [a.billed for a in call.attempts], call.bounds) == ("error", ["no"], ())


def test_an_export_without_generations_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(NoRecording, match="no generation among its observations"):
        imported(tmp_path, langfuse(generation("s", {"input": 0}) | {"type": "SPAN"}))


# ---- spans: the same call in each dialect


def openinference(prompt: int, completion: int, **more: object) -> Json:
    """Return the attributes of a call in OpenInference's words."""
    return {
        "openinference.span.kind": "LLM", "llm.model_name": "gpt-4o-mini", "llm.system": "openai",
        "llm.token_count.prompt": prompt, "llm.token_count.completion": completion, **more,
    }  # fmt: skip


DIALECTS = {
    "OpenInference": openinference(
        1000, 50, **{
            "llm.token_count.prompt_details.cache_read": 800, "llm.token_count.completion_details.reasoning": 30,
            "llm.token_count.total": 1050,
        },
    ),
    "OpenInference, nested": {
        "openinference": {"span": {"kind": "LLM"}},
        "llm": {
            "model_name": "gpt-4o-mini", "system": "openai",
            "token_count": {
                "prompt": 1000, "completion": 50, "prompt_details": {"cache_read": 800},
                "completion_details": {"reasoning": 30},
            },
        },
    },
    "OTel GenAI": {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.response.model": "gpt-4o-mini",
        "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 50,
        "gen_ai.usage.cache_read.input_tokens": 800, "gen_ai.usage.reasoning.output_tokens": 30,
    },
    "OpenLLMetry": {
        "llm.request.type": "chat", "gen_ai.system": "openai", "gen_ai.response.model": "gpt-4o-mini",
        "gen_ai.usage.prompt_tokens": 1000, "gen_ai.usage.completion_tokens": 50, "llm.usage.total_tokens": 1050,
        "gen_ai.usage.cache_read_input_tokens": 800, "llm.usage.reasoning_tokens": 30,
    },
    "AI SDK": {
        "ai.operationId": "ai.generateText.doGenerate", "ai.model.provider": "openai.responses",
        "ai.response.model": "gpt-4o-mini", "ai.usage.inputTokens": 1000, "ai.usage.outputTokens": 50,
        "ai.usage.cachedInputTokens": 800, "ai.usage.reasoningTokens": 30, "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 50,
    },
    "figures as text": openinference(
        "1000", "50", **{  # type: ignore[arg-type]
            "llm.token_count.prompt_details.cache_read": "800", "llm.token_count.completion_details.reasoning": "30",
        },
    ),
    "MLflow": {
        "mlflow.spanType": '"CHAT_MODEL"', "gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o-mini",
        "mlflow.chat.tokenUsage": json.dumps({
            "input_tokens": 1000, "output_tokens": 50, "total_tokens": 1050, "cache_read_input_tokens": 800,
            "output_reasoning_tokens": 30,
        }),
    },
}  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
def test_one_call_is_the_same_in_every_dialect(dialect: str, tmp_path: Path) -> None:
    (call,) = run_of(tmp_path, [span("call", DIALECTS[dialect])]).calls
    assert call.counts == {
        "input_tokens": 1000,
        "cache_read_tokens": 800,
        "output_tokens": 50,
        "output_reasoning_tokens": 30,
    }
    assert (call.provider, call.model, call.duration_s) == ("openai", "gpt-4o-mini", 2.0)


def otlp(attributes: Json) -> Json:
    """Return a span as OTLP's JSON has it."""
    pairs = [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in attributes.items()
    ]
    whole = {"spanId": "call", "traceId": "t1", "name": "call", "startTimeUnixNano": "1777629600000000000"}
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": [whole | {"attributes": pairs}]}]}]}


CONTAINERS = {
    "list": lambda one: [one],
    "one span": lambda one: one,
    "traces": lambda one: [{"trace_id": "t1", "spans": [one]}],
    "OTLP": lambda one: otlp(one["attributes"]),
    "Jaeger": lambda one: {"data": [{"traceID": "t1", "spans": [
        {"traceID": "t1", "spanID": "call", "operationName": "call", "startTime": 1777629600000000,
         "duration": 2_000_000,
         "tags": [{"key": k, "type": "string", "value": v} for k, v in one["attributes"].items()]}]}]},
    "rows of a frame": lambda one: [
        {"context.span_id": "call", "context.trace_id": "t1", "name": "call",
         **{f"attributes.{k}": v for k, v in one["attributes"].items()}}],
}  # fmt: skip


@pytest.mark.parametrize("container", CONTAINERS)
def test_one_call_is_the_same_in_every_container(container: str, tmp_path: Path) -> None:
    value = CONTAINERS[container](span("call", openinference(1000, 50)))
    run = run_of(tmp_path, value)
    assert (run.run_id, totals([run])) == ("openinference-t1", {"input_tokens": 1000, "output_tokens": 50})


def test_spans_as_lines_and_as_objects_one_after_the_other(tmp_path: Path) -> None:
    spans = [span(name, openinference(10, 1)) for name in ("a", "b")]
    assert totals([run_of(tmp_path, spans, "spans.jsonl")])["input_tokens"] == 20
    (tmp_path / "console.txt").write_text("\n".join(json.dumps(one, indent=2) for one in spans))
    from costlab.importers import read_file

    assert totals(read_file(tmp_path / "console.txt").runs)["input_tokens"] == 20


# ---- spans: what repeats what


def test_an_agents_span_repeats_its_calls(tmp_path: Path) -> None:
    assert totals([run_of(tmp_path, SPANS)]) == {"input_tokens": 100, "output_tokens": 9}


def test_a_call_around_a_call_is_the_same_call(tmp_path: Path) -> None:
    run = run_of(tmp_path, [span("outer", openinference(100, 9)), span("inner", openinference(100, 9), "outer")])
    assert (totals([run]), run.merged_records) == ({"input_tokens": 100, "output_tokens": 9}, 1)


def test_a_call_seen_again_without_its_usage_is_the_same_call(tmp_path: Path) -> None:
    """A framework's span has the usage; the client's own, inside it, was streamed and has none."""
    inner = {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o-mini"}
    run = run_of(tmp_path, [span("outer", openinference(100, 9)), span("inner", inner, "outer")])
    assert (totals([run]), bounds(run)) == ({"input_tokens": 100, "output_tokens": 9}, [()])


def test_one_response_in_two_spans_counts_once(tmp_path: Path) -> None:
    words = {"gen_ai.response.id": "chatcmpl-9f2b6c1d8e7a4530"}
    run = run_of(tmp_path, [span(name, openinference(100, 9, **words)) for name in ("a", "b")])
    assert totals([run]) == {"input_tokens": 100, "output_tokens": 9}


def test_one_answer_seen_by_two_tools_counts_once_as_the_fuller_saw_it(tmp_path: Path) -> None:
    """One tracer leaves the cached tokens out of Anthropic's input, the other has them in it."""
    words = {"gen_ai.response.id": "msg_01AbCdEfGhIjKlMnOp"}
    cached = {"llm.token_count.prompt_details.cache_read": 90}
    run = run_of(
        tmp_path, [span("a", openinference(10, 9, **words)), span("b", openinference(100, 9, **words, **cached))]
    )
    assert totals([run]) == {"input_tokens": 100, "cache_read_tokens": 90, "output_tokens": 9}
    assert (codes(run), run.merged_records) == ({"answer_differs"}, 1)


def test_what_a_tool_under_a_call_used_is_not_its_repeat(tmp_path: Path) -> None:
    """A tool that ran while its call's span was open, and asked a model itself."""
    tool = {"openinference.span.kind": "TOOL", "tool.name": "ask_expert"}
    spans = [span("c1", openinference(100, 9)), span("tool", tool, "c1"), span("c2", openinference(30, 3), "tool")]
    run = run_of(tmp_path, spans)
    assert totals([run]) == {"input_tokens": 130, "output_tokens": 12}


def test_a_short_response_id_is_not_one_answers_alone(tmp_path: Path) -> None:
    """Ollama draws one of 999: two calls of equal figures under one such id are two calls."""
    words = {"gen_ai.response.id": "chatcmpl-512"}
    run = run_of(tmp_path, [span(name, openinference(100, 9, **words)) for name in ("a", "b")])
    assert totals([run]) == {"input_tokens": 200, "output_tokens": 18}
    assert {call.origin for call in run.calls} == {"t1:a", "t1:b"}


def test_a_call_without_usage_is_unknown(tmp_path: Path) -> None:
    run = run_of(tmp_path, [span("call", {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o-mini"})])
    assert [(call.usage_basis, call.bounds) for call in run.calls] == [("unknown", ("unmetered",))]


def test_an_agent_that_states_more_than_its_calls_misses_some(tmp_path: Path) -> None:
    agent = {"openinference.span.kind": "AGENT", "llm.token_count.prompt": 500, "llm.token_count.completion": 9}
    run = run_of(tmp_path, [span("agent", agent), span("call", openinference(100, 9), "agent")])
    assert totals([run])["input_tokens"] == 100
    assert [w.detail for w in run.warnings] == ["agent states 500, its calls sum to 100"]


def test_parents_in_a_ring_end(tmp_path: Path) -> None:
    spans = [span("a", openinference(10, 1), "b"), span("b", {"openinference.span.kind": "AGENT"}, "a")]
    assert totals([run_of(tmp_path, spans)]) == {"input_tokens": 10, "output_tokens": 1}


def failing(message: str) -> Json:
    """Return a call's span that ended in an error."""
    return span("call", openinference(0, 0)) | {"status": {"status_code": "ERROR", "description": message}}


@pytest.mark.parametrize(
    ("message", "billed"),
    [("RateLimitError: slow down", "no"), ("AuthenticationError", "no"), ("Connection reset by peer", "unknown")],
)
def test_a_request_that_was_turned_away_is_not_billed(message: str, billed: str, tmp_path: Path) -> None:
    (call,) = run_of(tmp_path, [failing(message)]).calls
    assert (call.status, [a.billed for a in call.attempts]) == ("error", [billed])


# ---- spans: steps and agents of smolagents


def test_smolagents_own_steps_planning_and_forced_answer(tmp_path: Path) -> None:
    def at(second: int) -> Json:
        return {"start_time": f"2026-05-01T10:00:{second:02d}Z", "end_time": f"2026-05-01T10:00:{second + 1:02d}Z"}

    spans = [
        span("ToolCallingAgent.run", {"openinference.span.kind": "AGENT", "smolagents.max_steps": 1}, None, **at(0)),
        span("plan", openinference(50, 5), "ToolCallingAgent.run", **at(1)),
        span("Step 1", {"openinference.span.kind": "CHAIN"}, "ToolCallingAgent.run", **at(2)),
        span("act", openinference(100, 10), "Step 1", **at(2)),
        span("tool", {"openinference.span.kind": "TOOL", "tool.name": "price_of"}, "Step 1", **at(3)),
        span("forced", openinference(150, 15), "ToolCallingAgent.run", **at(5)),
    ]
    run = run_of(tmp_path, spans)
    assert [(step.kind, step.calls[0].counts["input_tokens"]) for step in run.steps] == [
        ("planning", 50),
        ("action", 100),
        ("final_answer", 150),
    ]
    assert [[tool.name for tool in step.tools] for step in run.steps] == [[], ["price_of"], []]
    assert run.state == "max_steps"


def test_a_managed_agent_stands_under_the_step_that_started_it(tmp_path: Path) -> None:
    spans = [
        span("Manager.run", {"openinference.span.kind": "AGENT"}),
        span("Step 1", {}, "Manager.run"),
        span("c1", openinference(100, 10), "Step 1"),
        span("Helper.run", {"openinference.span.kind": "AGENT"}, "Step 1"),
        span("c2", openinference(30, 3), "Helper.run"),
    ]
    run = run_of(tmp_path, spans)
    by_name = {node.name: node for node in run.agents}
    assert by_name["Helper"].parent == by_name["Manager"].node
    assert by_name["Helper"].parent_step == run.steps[0].step_id
    assert totals([run]) == {"input_tokens": 130, "output_tokens": 13}


# ---- who served


@pytest.mark.parametrize(
    ("model", "words", "found"),
    [
        ("mistral/mistral-small-latest", [], ("mistral", "mistral-small-latest")),
        ("gpt-4o-mini", ["openai.responses"], ("openai", "gpt-4o-mini")),
        ("gemini-2.5-pro", ["gcp.vertex_ai"], ("google-vertex", "gemini-2.5-pro")),
        ("Qwen/Qwen3-8B", ["huggingface"], ("huggingface", "Qwen/Qwen3-8B")),
        ("gpt-4o-mini", ["langchain", ""], ("", "gpt-4o-mini")),
        ("grok-4", ["xai"], ("x-ai", "grok-4")),
    ],
)
def test_who_served_is_what_the_surest_word_says(model: str, words: list[str], found: tuple[str, str]) -> None:
    assert served_by(model, *words) == found


@pytest.mark.parametrize(
    ("address", "provider"),
    [
        ("https://api.openai.com/v1", "openai"),
        ("https://my-team.openai.azure.com/openai", "azure"),
        ("http://localhost:11434/v1", "local"),
        ("127.0.0.1:8080", "local"),
        ("https://bedrock-runtime.us-east-1.amazonaws.com", "aws"),
        ("https://api.openai.com.evil.example", ""),
        ("https://example.org/api.openai.com", ""),
    ],
)
def test_an_address_says_who_answers(address: str, provider: str) -> None:
    assert provider_at(address) == provider


def test_a_frameworks_name_is_no_provider() -> None:
    assert [provider_of(word) for word in ("langchain", "smolagents", "litellm", "")] == [""] * 4
