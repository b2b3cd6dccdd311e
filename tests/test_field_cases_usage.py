"""Cases that users of cost tools reported as wrong: the counts that a right tool has. Sources: issue threads named."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from costlab.responses import Reading, read_response, read_usage
from costlab.usage import Number, leaves


def leaf(reading: Reading) -> Mapping[str, Number]:
    return leaves(reading.counts)[0]


def usd(reading: Reading, **usd_per_mtok: str) -> Decimal:
    """Leaves times rates: the arithmetic of a bill with these rates."""
    found = leaf(reading)
    assert set(found) == set(usd_per_mtok)
    return sum((found[unit] * Decimal(rate) / 1_000_000 for unit, rate in usd_per_mtok.items()), Decimal(0))


def test_cached_tokens_inside_input_are_counted_once() -> None:  # langfuse/langfuse#10592
    block = {"prompt_tokens": 17_903, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 17_817}}
    reading = read_usage(block, provider="openai", model="gpt-4o")
    assert reading.counts["input_tokens"] == 17_903
    assert leaf(reading)["input_tokens"] == 17_903 - 17_817 == 86


def test_anthropic_parts_sum_to_the_total() -> None:  # langfuse/langfuse#12306
    block = {
        "input_tokens": 5,
        "cache_read_input_tokens": 128_955,
        "cache_creation_input_tokens": 1_253,
        "output_tokens": 1,
    }
    reading = read_usage(block, provider="anthropic", model="claude-sonnet-4-5")
    assert reading.counts["input_tokens"] == 5 + 128_955 + 1_253 == 130_213
    assert leaf(reading)["input_tokens"] == 5


def test_gemini_cached_tokens_are_not_paid_twice() -> None:  # BerriAI/litellm#14849
    block = {
        "promptTokenCount": 262_960,
        "cachedContentTokenCount": 257_955,
        "candidatesTokenCount": 1_744,
        "totalTokenCount": 264_704,
    }
    reading = read_usage(block, provider="google", model="gemini-2.5-pro")
    # 5,005 x 1.25 + 257,955 x 0.625 + 1,744 x 10 = 6,256.25 + 161,221.875 + 17,440 millionths
    assert usd(reading, input_tokens="1.25", cache_read_tokens="0.625", output_tokens="10") == Decimal("0.184918125")


def test_almost_everything_cached() -> None:  # BerriAI/litellm#31714
    block = {"prompt_tokens": 27_147, "completion_tokens": 351, "prompt_tokens_details": {"cached_tokens": 27_146}}
    reading = read_usage(block, provider="fireworks", model="accounts/fireworks/models/glm-5")
    # 1 x 1.4 + 27,146 x 0.26 + 351 x 4.4 = 1.4 + 7,057.96 + 1,544.4 millionths
    assert usd(reading, input_tokens="1.4", cache_read_tokens="0.26", output_tokens="4.4") == Decimal("0.00860376")


def test_bedrock_reads_outside_input_never_make_a_negative() -> None:  # langchain-ai/langsmith-sdk#1858
    block = {"inputTokens": 386, "cacheReadInputTokens": 2_752, "outputTokens": 4, "totalTokens": 3_142}
    reading = read_usage(block, provider="bedrock", model="us.anthropic.claude-sonnet-4-5-20250929-v1:0")
    assert reading.counts["input_tokens"] == 386 + 2_752
    assert leaf(reading) == {"input_tokens": 386, "cache_read_tokens": 2_752, "output_tokens": 4}


def test_one_hour_writes_are_a_unit_of_their_own() -> None:  # can1357/oh-my-pi#6876
    block = {
        "input_tokens": 0,
        "output_tokens": 0,
        "cache_creation_input_tokens": 344_139,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 344_139},
    }
    reading = read_usage(block, provider="anthropic", model="claude-opus-4-5")
    assert usd(reading, cache_write_1h_tokens="10") == Decimal("3.44139")


def test_reasoning_beside_output() -> None:  # langfuse/langfuse#12531
    block = {
        "promptTokenCount": 324,
        "candidatesTokenCount": 1_364,
        "thoughtsTokenCount": 495,
        "totalTokenCount": 2_183,
    }
    reading = read_usage(block, provider="google", model="gemini-2.5-pro")
    assert reading.counts["output_tokens"] == 1_364 + 495 == 1_859
    assert not reading.warnings


def test_reasoning_inside_output_is_not_added_again() -> None:  # twentyhq/twenty#18155
    block = {
        "prompt_tokens": 10,
        "completion_tokens": 500,
        "total_tokens": 510,
        "completion_tokens_details": {"reasoning_tokens": 448},
    }
    reading = read_usage(block, provider="openai", model="o3")
    assert reading.counts["output_tokens"] == 500
    assert leaf(reading)["output_reasoning_tokens"] == 448


def test_chunks_of_a_stream_are_not_added() -> None:  # ccusage/ccusage#901
    events = [
        {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 3, "output_tokens": 9}}},
        {"type": "message_delta", "usage": {"output_tokens": 9}},
        {"type": "message_delta", "usage": {"output_tokens": 159}},
    ]
    assert read_response(events, provider="anthropic").counts == {"input_tokens": 3, "output_tokens": 159}


def test_a_step_larger_than_the_window_is_named() -> None:  # huggingface/smolagents#1488
    block = {"prompt_tokens": 911_925, "completion_tokens": 20}
    reading = read_usage(block, provider="openai", model="gpt-4o", context_tokens=128_000)
    assert [(w.code, w.field) for w in reading.warnings] == [("exceeds_context", "input_tokens")]
    honest = read_usage({**block, "prompt_tokens": 4_708}, provider="openai", model="gpt-4o", context_tokens=128_000)
    assert honest.warnings == ()
