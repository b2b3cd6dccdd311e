"""Cases that users of cost tools reported as wrong: the money that a right tool shows. Sources: issue threads named.

The counts of the same cases are in test_field_cases_usage.py. Not here: a budget that is passed (it belongs to live
runs), a stream's chunks and a managed agent called twice (they are read by importers: test_importers_*.py).
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from price_samples import NOW, M, call, claude, rate, run_of, table, text_rates

import costlab as cl
from costlab.cost import price_run
from costlab.prices import PriceTable

D = Decimal


def ask(prices: PriceTable, provider: str, model: str, usage: dict[str, object], **more: object) -> cl.Quote:
    record = {"provider": provider, "model": model, "usage": usage, **more}
    return cl.quote(record, table=prices, now=NOW)


def test_gemini_cached_tokens_are_not_paid_twice() -> None:  # BerriAI/litellm#14849
    prices = table(*text_rates("google/g", "1.25", "10"), rate("cache_read_tokens", "0.625", of="google/g"))
    block = {"promptTokenCount": 262_960, "cachedContentTokenCount": 257_955, "candidatesTokenCount": 1_744}
    found = ask(prices, "google", "g", block)
    # 5,005 x 1.25 + 257,955 x 0.625 + 1,744 x 10 = 6,256.25 + 161,221.875 + 17,440 millionths
    assert found.cost.total == D("0.184918125")  # the reporter's tool said 0.7642
    assert cl.usd(found.cost.total) == "$0.185"


def test_almost_everything_cached() -> None:  # BerriAI/litellm#31714
    prices = table(*text_rates("fireworks/g", "1.4", "4.4"), rate("cache_read_tokens", "0.26", of="fireworks/g"))
    block = {"prompt_tokens": 27_147, "completion_tokens": 351, "prompt_tokens_details": {"cached_tokens": 27_146}}
    # 1 x 1.4 + 27,146 x 0.26 + 351 x 4.4 = 1.4 + 7,057.96 + 1,544.4 millionths
    assert ask(prices, "fireworks", "g", block).cost.total == D("0.00860376")


def test_cached_input_is_not_billed_at_both_prices() -> None:  # langfuse/langfuse#10592, #12306
    prices = table(
        *text_rates("anthropic/c", "3", "15"), rate("cache_read_tokens", "0.3", of="anthropic/c"), write=claude
    )
    block = {"input_tokens": 5, "cache_read_input_tokens": 128_955, "cache_creation_input_tokens": 1_253,
             "cache_creation": {"ephemeral_5m_input_tokens": 1_253}, "output_tokens": 0}  # fmt: skip
    found = ask(prices, "anthropic", "c", block)
    assert found.counts["input_tokens"] == 130_213  # and not 260,421
    # 5 x 3 + 128,955 x 0.3 + 1,253 x 3.75 = 15 + 38,686.5 + 4,698.75 millionths
    assert found.cost.total == D("0.04340025")


def test_bedrock_reads_outside_input_never_make_a_negative() -> None:  # langchain-ai/langsmith-sdk#1858
    prices = table(*text_rates("bedrock/c", "3", "15"), rate("cache_read_tokens", "0.3", of="bedrock/c"))
    block = {"inputTokens": 386, "cacheReadInputTokens": 2_752, "outputTokens": 4}
    found = ask(prices, "bedrock", "c", block)
    # 386 x 3 + 2,752 x 0.3 + 4 x 15 = 1,158 + 825.6 + 60 millionths
    assert found.cost.total == D("0.0020436")
    assert all(line.amount >= 0 for line in found.cost.lines)


def test_one_hour_writes_are_not_priced_as_five_minutes() -> None:  # can1357/oh-my-pi#6876
    prices = table(*text_rates("anthropic/c", "5", "25"), write=claude)
    block = {"input_tokens": 0, "output_tokens": 0, "cache_creation_input_tokens": 344_139,
             "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 344_139}}  # fmt: skip
    found = ask(prices, "anthropic", "c", block)
    assert found.cost.total == D("3.44139")  # 344,139 x 2 x 5; five minutes would be 1.25 x 5: 2.15087
    assert found.cost.lower_bound is False
    unsaid = ask(prices, "anthropic", "c", {**block, "cache_creation": None})
    assert cl.usd(unsaid.cost.total, lower_bound=unsaid.cost.lower_bound) == "≥ $2.15"  # five minutes, and marked


def test_reasoning_beside_output_is_paid_as_output() -> None:  # langfuse/langfuse#12531
    prices = table(*text_rates("google/g", "1.25", "10"))
    block = {
        "promptTokenCount": 324,
        "candidatesTokenCount": 1_364,
        "thoughtsTokenCount": 495,
        "totalTokenCount": 2_183,
    }
    # 324 x 1.25 + 1,859 x 10 = 405 + 18,590 millionths
    assert ask(prices, "google", "g", block).cost.total == D("0.018995")


def test_reasoning_inside_output_is_not_added_again() -> None:  # twentyhq/twenty#18155, NousResearch/hermes-agent#68081
    block = {"prompt_tokens": 10, "completion_tokens": 500, "completion_tokens_details": {"reasoning_tokens": 448}}
    assert ask(table(*text_rates()), "openai", "m", block).cost.total == D("0.00502")  # 10 x 2 + 500 x 10 millionths


@pytest.mark.parametrize(("tokens", "usd"), [(200_000, "0.25"), (200_001, "0.5000025")])
def test_a_tier_is_a_cliff_and_not_a_bracket(tokens: int, usd: str) -> None:  # pydantic/genai-prices#241
    prices = table(*text_rates("google/g", "1.25", "10"), *text_rates("google/g", "2.5", "15", input_over=200_000))
    block = {"promptTokenCount": tokens, "candidatesTokenCount": 0}
    assert ask(prices, "google", "g", block).cost.total == D(usd)  # 200,000 x 1.25; 200,001 x 2.5


def test_cache_parts_move_with_the_tier() -> None:  # Helicone/helicone#5766, #5691
    cached = {"of": "anthropic/c", "input_over": 200_000}
    prices = table(
        *text_rates("anthropic/c", "3", "15"), rate("cache_read_tokens", "0.3", of="anthropic/c"),
        *text_rates("anthropic/c", "6", "22.5", input_over=200_000), rate("cache_read_tokens", "0.6", **cached),
    )  # fmt: skip
    counts = {"input_tokens": 500_000, "cache_read_tokens": 125_000}
    # 375,000 x 6 + 125,000 x 0.6 = 2,250,000 + 75,000 millionths
    assert cl.price("anthropic", "c", counts, table=prices).total == D("2.325")


def test_a_tier_is_never_chosen_on_a_sum_of_calls() -> None:  # earendil-works/pi#7912
    prices = table(*text_rates(input="1"), *text_rates(input="2", output="15", input_over=200_000))
    run = run_of(*(call({"input_tokens": 60_000}, call_id=f"c{i}") for i in range(4)))
    assert price_run(run, prices, now=NOW).cost.total == D("0.24")  # 240,000 x 1 millionth, not x 2


def test_an_unknown_model_is_unpriced_and_no_neighbour() -> None:  # ccusage/ccusage#1473, Arize-ai/phoenix#14355
    old = table(*text_rates("openai/gpt-5"), *text_rates("moonshotai/kimi-k3"))
    for provider, model in (("openai", "gpt-5.6-sol"), ("moonshotai", "k3")):
        found = cl.price(provider, model, {"input_tokens": M, "output_tokens": 5}, table=old)
        assert (found.lines, found.known) == ((), None)
        assert [u.unit for u in found.unpriced] == ["input_tokens", "output_tokens"]
        assert cl.usd(found.known, lower_bound=found.lower_bound) == "unpriced"


def test_the_shipped_table_guesses_no_neighbour_either(shipped: PriceTable) -> None:
    for provider, model in ((None, "k3"), ("openai", "gpt-5.6-sol-2031"), ("anthropic", "claude-opus-9")):
        assert cl.price(provider, model, {"input_tokens": 5}, table=shipped).known is None


def test_a_price_that_changed_gives_two_figures_both_named() -> None:  # mozilla-ai/any-llm#995
    prices = table(*text_rates(input="3", valid_to="2026-10-07"), *text_rates(input="2", valid_from="2026-10-07"))
    found = ask(prices, "openai", "m", {"prompt_tokens": M, "completion_tokens": 0}, at="2026-01-05")
    assert (found.cost.total, found.today.total) == (D(3), D(2))


def test_the_served_tier_is_priced_and_not_the_first_listed() -> None:  # junhoyeo/tokscale#1335, PostHog/posthog#94200
    prices = table(*text_rates(input="1", output="5", when={"service_tier": "flex"}), *text_rates())
    block = {"prompt_tokens": M, "completion_tokens": 0}
    assert ask(prices, "openai", "m", block).cost.total == D(2)
    assert ask(prices, "openai", "m", block, service_tier="flex").cost.total == D(1)
    assert ask(prices, "openai", "m", block, service_tier="default").cost.total == D(2)


def test_batch_and_long_context_and_cache_together() -> None:  # BerriAI/litellm#39861, #38341
    batch = {"processing": "batch"}
    prices = table(
        *text_rates(), *text_rates(input="1", output="5", when=batch), rate("cache_read_tokens", "0.1", when=batch),
        *text_rates(input="4", output="15", input_over=272_000),
        *text_rates(input="2", output="7.5", when=batch, input_over=272_000),
        rate("cache_read_tokens", "0.2", when=batch, input_over=272_000),
    )  # fmt: skip
    counts = {"input_tokens": 300_000, "cache_read_tokens": 200_000, "output_tokens": 1_000}
    found = cl.price("openai", "m", counts, table=prices, when=batch)
    # 100,000 x 2 + 200,000 x 0.2 + 1,000 x 7.5 = 200,000 + 40,000 + 7,500 millionths
    assert (found.total, found.bounds) == (D("0.2475"), ())


def test_searches_are_paid_by_call_and_failed_ones_are_not() -> None:  # langfuse/langfuse#15856
    prices = table(*text_rates("anthropic/c", "3", "15"), rate("web_searches", "10", of="anthropic/c"))
    block = {"input_tokens": 100, "output_tokens": 10, "server_tool_use": {"web_search_requests": 3}}
    assert ask(prices, "anthropic", "c", block).cost.by_unit()["web_searches"] == D("0.03")
    failed = {**block, "server_tool_use": {"web_search_requests": 0}}
    assert "web_searches" not in ask(prices, "anthropic", "c", failed).cost.by_unit()


def test_pictures_in_are_counted_and_priced() -> None:  # langfuse/langfuse#3045
    prices = table(*text_rates(), rate("input_image_tokens", "8"))
    found = cl.price("openai", "m", {"input_tokens": 1_000, "input_image_tokens": 900}, table=prices)
    assert found.by_unit() == {"input_tokens": D("0.0002"), "input_image_tokens": D("0.0072")}  # 100 x 2; 900 x 8


def test_another_currency_is_never_converted_silently() -> None:  # anomalyco/opencode#32485, BerriAI/litellm#13399
    prices = table(*text_rates("deepseek/d", "2", "8", currency="CNY"))
    found = cl.price("deepseek", "d", {"input_tokens": M}, table=prices)
    assert (found.known, found.unpriced[0].why) == (None, "priced in CNY, no exchange rate stated")


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0.00464", "$0.00464"),  # NousResearch/hermes-agent#79220: shown as ~$0.00
        ("0.000009", "$0.000009"),  # langchain-ai/langsmith-sdk#2148
        ("1043.834", "$1,043.83"),  # BerriAI/litellm#25973
    ],
)
def test_tiny_and_large_money(amount: str, text: str) -> None:
    assert cl.usd(D(amount)) == text
