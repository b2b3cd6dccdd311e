"""Raw usage blocks of every provider become inclusive counts, with what they say about rates and lower bounds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from response_samples import BLIND, BLOCKS, Json, codes, nonzero

from costlab.errors import BadInput
from costlab.responses import detect_api, read_usage
from costlab.usage import add


@pytest.mark.parametrize(("provider", "block", "api", "expected"), [b[1:] for b in BLOCKS], ids=[b[0] for b in BLOCKS])
def test_a_usage_block_becomes_inclusive_counts(provider: str, block: Json, api: str, expected: Json) -> None:
    assert detect_api(block, provider) == api
    reading = read_usage(block, provider=provider, model="a-model")
    assert nonzero(reading) == expected
    assert reading.usage_basis == "measured"


def test_a_stated_total_moves_what_a_proxy_left_beside() -> None:
    block = {"prompt_tokens": 5, "completion_tokens": 7, "cache_read_input_tokens": 1_000}
    beside = read_usage({**block, "total_tokens": 1_012}, provider="proxy", model="m")  # 5 + 1,000 + 7
    assert beside.counts["input_tokens"] == 1_005
    assert codes(beside) == ["convention_repaired"]
    # Without a proof nothing is moved: the total is raised to its parts, and both figures are named.
    raised = read_usage(block, provider="proxy", model="m")
    assert raised.counts["input_tokens"] == 1_000
    assert [(w.code, w.detail) for w in raised.warnings] == [
        ("parts_exceed_total", "input_tokens was 5, its parts sum to 1000")
    ]


def test_reasoning_beside_is_proved_by_the_total() -> None:
    block = {"prompt_tokens": 10, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 20}}
    beside = read_usage({**block, "total_tokens": 35}, provider="azure", model="grok-4")
    assert beside.counts["output_tokens"] == 25
    assert codes(beside) == ["convention_repaired"]
    inside = read_usage({**block, "total_tokens": 15}, provider="azure", model="grok-4")
    assert inside.counts["output_tokens"] == 20
    assert codes(inside) == ["parts_exceed_total", "total_differs"]


def test_bedrock_input_that_already_held_the_cache_is_not_added_to() -> None:
    block = {"inputTokens": 1_000, "cacheReadInputTokens": 400, "outputTokens": 10, "totalTokens": 1_010}
    reading = read_usage(block, provider="bedrock", model="m")
    assert reading.counts["input_tokens"] == 1_000
    assert codes(reading) == ["convention_repaired"]


def test_more_cached_than_prompted_is_raised_and_named() -> None:
    block = {"prompt_tokens": 2_975, "prompt_text_tokens": 2_975, "cached_prompt_text_tokens": 3_968}
    reading = read_usage(block, provider="xai", model="grok-4-fast")
    assert reading.counts["input_tokens"] == 3_968
    assert codes(reading) == ["parts_exceed_total"]


def test_conditions_and_costs_that_usage_states() -> None:
    claude = {"input_tokens": 1, "output_tokens": 1, "speed": "fast", "inference_geo": "us", "service_tier": "batch"}
    reading = read_usage(claude, provider="anthropic", model="claude-opus-4-8")
    assert (dict(reading.when), reading.service_tier) == ({"speed": "fast", "region": "us"}, "batch")
    plain = {**claude, "speed": "standard", "inference_geo": "not_available", "service_tier": "standard"}
    assert not read_usage(plain, provider="anthropic", model="claude-opus-4-8").when

    vertex = {"promptTokenCount": 1, "trafficType": "PROVISIONED_THROUGHPUT"}
    assert read_usage(vertex, provider="google-vertex", model="m").service_tier == "provisioned_throughput"
    flex = {"promptTokenCount": 1, "trafficType": "ON_DEMAND_FLEX"}
    assert read_usage(flex, provider="google-vertex", model="m").service_tier == "flex"

    sonar: Json = {"prompt_tokens": 1, "completion_tokens": 1, "cost": {"total_cost": 0.00501}}
    stated = read_usage({**sonar, "search_context_size": "high"}, provider="perplexity", model="sonar")
    assert (dict(stated.when), stated.stated_usd) == ({"search_context_size": "high"}, Decimal("0.00501"))
    silent = read_usage(sonar, provider="perplexity", model="sonar")
    assert (dict(silent.when), codes(silent)) == ({"search_context_size": "low"}, ["assumed_condition"])


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        ({"cost": 0.0160614}, "0.0160614"),  # OpenRouter: credits are USD
        ({"cost_in_usd_ticks": 160_708_500}, "0.01607085"),  # xAI: 1e-10 USD
        ({"cost_in_usd_ticks": "3884000"}, "0.0003884"),  # a 64-bit number in protobuf's JSON is text
        ({"copilot_usage": {"total_nano_aiu": 1_880_725_000}}, "0.01880725"),  # 1e9 nano = 1 credit = 0.01 USD
    ],
)
def test_the_providers_own_cost_is_kept_apart(usage: Json, usd: str) -> None:
    reading = read_usage({"prompt_tokens": 1, **usage}, provider="any", model="m")
    assert reading.stated_usd == Decimal(usd)
    assert "requests" not in reading.counts


def test_a_users_own_key_is_named() -> None:
    block = {"prompt_tokens": 20, "cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": 3.6e-06}}
    reading = read_usage(block, provider="openrouter", model="openai/gpt-4o-mini")
    assert (reading.stated_usd, codes(reading)) == (Decimal(0), ["byok"])


SEARCH = {"input_tokens": 1, "output_tokens": 1, "server_tool_use": {"web_search_requests": 5, "web_fetch_requests": 2}}


def test_what_usage_counts_itself_wins_over_items() -> None:
    reading = read_usage(SEARCH, provider="anthropic", model="claude", billable_items={"server_tool_use:web_search": 4})
    assert reading.counts["web_searches"] == 5
    assert "url_fetches" not in reading.counts  # fetching costs tokens only
    failed = {**SEARCH, "server_tool_use": {"web_search_requests": 0}}  # errors are not billed
    none = read_usage(failed, provider="anthropic", model="claude", billable_items={"server_tool_use:web_search": 1})
    assert "web_searches" not in none.counts


@pytest.mark.parametrize(
    ("provider", "model", "items", "counts"),
    [
        ("openai", "gpt-5", {"web_search_call": 2}, {"web_searches": 2}),
        ("openai", "gpt-5", {"file_search_call": 3}, {"storage_searches": 3}),
        ("google", "gemini-3-flash-preview", {"google_search_queries": 3}, {"web_searches": 3}),
        ("google", "models/gemini-2.5-flash", {"google_search_queries": 3}, {"web_searches": 1}),
        ("google", "gemini-2.5-flash", {"url_context": 1, "code_execution": 2}, {}),
        ("xai", "grok-4", {"code_interpreter_call": 2}, {"code_executions": 2}),
        ("openai", "o4-mini", {"mcp_call": 2, "tool_search_call": 1}, {}),
        ("anthropic", "claude", {"server_tool_use:tool_search_tool_bm25": 1, "server_tool_use:advisor": 1}, {}),
    ],
)
def test_items_beside_usage_become_units(provider: str, model: str, items: Json, counts: Json) -> None:
    reading = read_usage({"input_tokens": 1}, provider=provider, model=model, billable_items=items)
    assert nonzero(reading) == {"input_tokens": 1, **counts}
    assert (reading.bounds, reading.warnings) == ((), ())


def test_charges_that_cannot_be_read_are_bounds_and_unknown_ones_are_named() -> None:
    shown = {"input_tokens": 1, "output_tokens": 1}
    items = {"code_interpreter_call": 1, "image_generation_call": 2, "teleport_call": 1}
    reading = read_usage(shown, provider="openai", model="gpt-5", billable_items=items)
    assert reading.bounds == (("unmetered", "session_seconds"), ("unmetered", "output_image_tokens"))
    assert [(w.code, w.field) for w in reading.warnings] == [("no_known_charge", "billable_items.teleport_call")]

    mini = read_usage(shown, provider="openai", model="gpt-4o-mini", billable_items={"web_search_call": 1})
    assert mini.bounds == (("unmetered", "input_tokens"),)  # 8,000 tokens a search that usage may not show


def test_anthropics_container_is_free_beside_its_newer_web_tools() -> None:
    ran = {"server_tool_use:bash_code_execution": 1}
    shown = {"input_tokens": 1, "output_tokens": 1}

    def bounds(*tools: str) -> tuple[tuple[str, str], ...]:
        request = {"tools": [{"type": tool} for tool in tools]}
        return read_usage(shown, provider="anthropic", model="c", billable_items=ran, request=request).bounds

    assert bounds("code_execution_20260120") == (("unmetered", "session_seconds"),)
    assert bounds("code_execution_20260120", "web_search_20250305") == (("unmetered", "session_seconds"),)
    assert bounds("code_execution_20260120", "web_search_20260209") == ()
    assert bounds("web_fetch_20260310") == ()


def test_a_search_model_searches_once_a_request() -> None:
    reading = read_usage(
        {"prompt_tokens": 11, "completion_tokens": 17}, provider="openai", model="gpt-4o-search-preview"
    )
    assert (reading.counts["web_searches"], dict(reading.when)) == (1, {"search_context_size": "medium"})
    assert codes(reading) == ["assumed_condition"]


def iteration(kind: str, tokens: tuple[int, int], **more: Any) -> Json:
    return {"type": kind, "input_tokens": tokens[0], "output_tokens": tokens[1], **more}


def test_an_advisor_is_billed_on_top_at_its_own_price() -> None:
    block = {
        "input_tokens": 2_390,
        "output_tokens": 121,
        "output_tokens_details": {"thinking_tokens": 28},
        "server_tool_use": {"web_search_requests": 1},
        "service_tier": "standard",
        "iterations": [
            iteration("message", (1_128, 110)),
            iteration("advisor_message", (2_518, 22), model="claude-opus-4-8"),
            iteration("message", (1_262, 11)),
        ],
    }
    reading = read_usage(block, provider="anthropic", model="claude-sonnet-5")
    assert nonzero(reading) == {
        "input_tokens": 2_390 + 2_518, "output_tokens": 121 + 22, "output_reasoning_tokens": 28, "web_searches": 1,
    }  # fmt: skip
    assert [(p.model, p.counts["input_tokens"], p.counts["output_tokens"]) for p in reading.parts] == [
        ("claude-sonnet-5", 1_128, 110), ("claude-opus-4-8", 2_518, 22), ("claude-sonnet-5", 1_262, 11),
    ]  # fmt: skip
    assert add(p.counts for p in reading.parts) == reading.counts
    assert reading.warnings == ()


def test_a_compaction_is_billed_on_top() -> None:
    written = {"cache_creation_input_tokens": 55_096, "cache_creation": {"ephemeral_5m_input_tokens": 55_096}}
    block = {
        "input_tokens": 229,
        "output_tokens": 5,
        "iterations": [iteration("compaction", (100, 131), **written), iteration("message", (229, 5))],
    }
    reading = read_usage(block, provider="anthropic", model="claude-sonnet-4-6")
    assert nonzero(reading) == {
        "input_tokens": 100 + 55_096 + 229, "cache_write_tokens": 55_096, "cache_write_5m_tokens": 55_096,
        "output_tokens": 131 + 5,
    }  # fmt: skip
    assert reading.warnings == ()


def test_iterations_that_do_not_explain_the_whole_leave_a_part_for_the_rest() -> None:
    block = {
        "input_tokens": 100,
        "output_tokens": 10,
        "iterations": [iteration("message", (60, 4), model="a"), iteration("message", (30, 6), model="b")],
    }
    reading = read_usage(block, provider="anthropic", model="a")
    assert (reading.counts["input_tokens"], reading.counts["output_tokens"]) == (100, 10)
    assert [p.model for p in reading.parts] == ["a", "b", "a"]
    assert codes(reading) == ["iterations_differ"]


def test_an_anthropic_stream_keeps_the_last_and_what_only_the_first_states() -> None:
    start = {
        "input_tokens": 80_251, "output_tokens": 1, "service_tier": "standard", "inference_geo": "us",
        "cache_creation_input_tokens": 37, "cache_creation": {"ephemeral_5m_input_tokens": 37},
    }  # fmt: skip
    last = {"input_tokens": 482_529, "output_tokens": 1_310, "cache_creation_input_tokens": 37}
    reading = read_usage(last, provider="anthropic", model="m", usage_message_start=start)
    assert nonzero(reading) == {
        "input_tokens": 482_566, "cache_write_tokens": 37, "cache_write_5m_tokens": 37, "output_tokens": 1_310,
    }  # fmt: skip
    assert (reading.service_tier, dict(reading.when)) == ("standard", {"region": "us"})
    fewer = read_usage({**last, "cache_creation_input_tokens": 9}, provider="anthropic", model="m",
                       usage_message_start=start)  # fmt: skip
    assert "cache_write_5m_tokens" not in fewer.counts
    torn = read_usage({}, provider="anthropic", model="m", usage_message_start=start)
    assert torn.counts["output_tokens"] == 1
    assert torn.bounds == (("placeholder_output", "output_tokens"),)


def test_no_usage_is_unknown_and_a_lower_bound() -> None:
    nothing: tuple[object, ...] = (None, {})
    for block in nothing:
        reading = read_usage(block, provider="openai", model="m")
        assert (reading.counts, reading.usage_basis) == ({}, "unknown")
        assert reading.bounds == BLIND
    odd = read_usage({"credits": 3}, provider="new", model="m")
    assert (odd.usage_basis, codes(odd), odd.bounds) == ("unknown", ["usage_not_recognised"], BLIND)


@pytest.mark.parametrize(
    ("usage", "field"),
    [
        ({"prompt_tokens": -1}, "usage.prompt_tokens"),
        ({"prompt_tokens": "12"}, "usage.prompt_tokens"),
        ({"prompt_tokens": True}, "usage.prompt_tokens"),
        ({"prompt_tokens": float("nan")}, "usage.prompt_tokens"),
        ({"prompt_tokens": 1, "prompt_tokens_details": 7}, "usage.prompt_tokens_details"),
        ({"promptTokenCount": 1, "promptTokensDetails": {"TEXT": 1}}, "usage.promptTokensDetails"),
        ({"promptTokenCount": 1, "promptTokensDetails": [3]}, "usage.promptTokensDetails[0]"),
        ({"input_tokens": 1, "server_tool_use": {"web_search_requests": "5"}},
         "usage.server_tool_use.web_search_requests"),
        ({"input_tokens": 1, "cache_read_input_tokens": 0, "iterations": {"a": 1}}, "usage.iterations"),
        ({"prompt_tokens": 1, "cost": "dear"}, "usage.cost"),
        ([1], "usage"),
        ("12 tokens", "usage"),
    ],
)  # fmt: skip
def test_broken_usage_names_its_field(usage: object, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_usage(usage, provider="openai", model="m")
    assert caught.value.field == field


def test_empty_details_are_absent() -> None:
    reading = read_usage({"prompt_tokens": 4, "prompt_tokens_details": []}, provider="openai", model="m")
    assert nonzero(reading) == {"input_tokens": 4}
