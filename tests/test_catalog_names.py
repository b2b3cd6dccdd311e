"""What names mean: the maker's own API for a bare one, exact rules for every other spelling, never a neighbour."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import costlab as cl
from costlab.catalog.table import near
from costlab.prices import Resolved

TABLE = cl.load_table(overrides=False)


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("gpt-5", "openai"), ("o3", "openai"), ("claude-sonnet-4-5", "anthropic"), ("gemini-2.5-pro", "google"),
        ("deepseek-chat", "deepseek"), ("grok-4.3", "x-ai"), ("glm-5.3", "zai"), ("kimi-k3", "moonshotai"),
        ("qwen3-max", "dashscope"), ("doubao-seed-2-0-pro-260215", "volcengine"), ("mistral-large-latest", "mistral"),
        ("sonar", "perplexity"), ("command-r-plus", "cohere"),
    ],
)  # fmt: skip
def test_a_bare_name_means_its_makers_own_api(name: str, provider: str) -> None:
    assert TABLE.resolve(None, name) == Resolved(provider, name, "maker")
    assert TABLE.resolve("unknown", name) == Resolved(provider, name, "maker")


@pytest.mark.parametrize(
    ("provider", "name", "found", "by"),
    [
        ("openai", "gpt-4o-2024-08-06", "openai/gpt-4o-2024-08-06", "exact"),
        ("openai", "openai/gpt-4o", "openai/gpt-4o", "alias: provider prefix"),
        ("openai", "GPT-5", "openai/gpt-5", "alias: letter case"),
        ("anthropic", "claude-opus-4-1-latest", "anthropic/claude-opus-4-1", "alias: latest"),
        ("google", "models/gemini-2.5-flash", "google/gemini-2.5-flash", "alias: path"),
        ("google", "gemini-2.5-flash:generateContent", "google/gemini-2.5-flash", "alias: API method"),
        ("copilot", "gpt-4o-2024-11-20", "github-copilot/gpt-4o", "alias: aliases.csv"),
        ("xai", "grok-4.3-2026-01-01", "x-ai/grok-4.3", "alias: dated snapshot"),
        ("openrouter", "claude-haiku-4.5", "openrouter/anthropic/claude-haiku-4.5", "alias: maker's prefix left out"),
        ("openrouter", "deepseek/deepseek-v3.2-20251201", "openrouter/deepseek/deepseek-v3.2", "alias: aliases.csv"),
        ("aws", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
         "exact"),
        ("aws", "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0",
         "aws/us.anthropic.claude-haiku-4-5-20251001-v1:0", "alias: path"),
        (None, "openrouter/anthropic/claude-haiku-4.5", "openrouter/anthropic/claude-haiku-4.5", "exact"),
    ],
)  # fmt: skip
def test_other_spellings_are_found_by_a_rule_that_is_told(provider: str | None, name: str, found: str, by: str) -> None:
    resolved = TABLE.resolve(provider, name)
    assert resolved is not None
    assert (f"{resolved.provider}/{resolved.model}", resolved.by) == (found, by)


@pytest.mark.parametrize(
    ("spelling", "provider", "model"),
    [
        ("xai", "x-ai", "grok-4.3"), ("x_ai", "x-ai", "grok-4.3"), ("bedrock", "aws", "amazon.nova-lite-v1:0"),
        ("amazon-bedrock", "aws", "amazon.nova-lite-v1:0"), ("copilot", "github-copilot", "gpt-5-mini"),
        ("github_copilot", "github-copilot", "gpt-5-mini"), ("gemini", "google", "gemini-2.5-flash"),
        ("google-gla", "google", "gemini-2.5-flash"), ("vertex_ai", "google-vertex", "gemini-2.5-flash"),
        ("vertex", "google-vertex", "gemini-2.5-flash"), ("azure_openai", "azure", "gpt-4o"),
        ("moonshot", "moonshotai", "kimi-k3"), ("z-ai", "zai", "glm-5.3"), ("alibaba", "dashscope", "qwen3-max"),
        ("doubao", "volcengine", "doubao-seed-2-0-pro-260215"), ("OpenAI", "openai", "gpt-5"),
    ],
)  # fmt: skip
def test_spellings_of_providers(spelling: str, provider: str, model: str) -> None:
    found = TABLE.resolve(spelling, model)
    assert found is not None
    assert (found.provider, found.model) == (provider, model)


@pytest.mark.parametrize(
    ("provider", "name", "suggested"),
    [
        (None, "k3", "moonshotai/kimi-k3"),
        ("moonshotai", "k3", "moonshotai/kimi-k3"),
        (None, "gpt-6.9-x", "openai/gpt-6-sol"),
        ("openai", "gpt-6.9-x", "openai/gpt-6-sol"),
        ("anthropic", "claude-sonnet-9", "anthropic/claude-sonnet-5"),
        ("zai", "glm-9", "zai/glm-5"),
    ],
)
def test_a_new_model_is_never_its_neighbour(provider: str | None, name: str, suggested: str) -> None:
    assert TABLE.resolve(provider, name) is None
    assert suggested in near(TABLE, provider, name)
    cost = cl.price(provider, name, {"input_tokens": 1_000_000, "output_tokens": 1}, table=TABLE)
    assert cost.total == 0
    assert cost.lower_bound
    assert {u.unit for u in cost.unpriced} == {"input_tokens", "output_tokens"}


def test_an_unknown_name_is_told_with_suggestions() -> None:
    with pytest.raises(cl.UnknownModel, match="near: moonshotai/kimi-k3"):
        cl.resolve("moonshotai/k3", TABLE)


def test_a_profile_that_may_cost_more_is_not_guessed() -> None:
    """Claude's listed Bedrock profiles have two prices, so an unlisted geography means neither of them."""
    assert TABLE.resolve("aws", "ca.anthropic.claude-sonnet-4-5-20250929-v1:0") is None


@given(st.sampled_from(sorted(TABLE.rates)))
def test_every_listed_model_is_itself(key: tuple[str, str]) -> None:
    """Law: an exact name is never read as another."""
    assert TABLE.resolve(*key) == Resolved(*key, "exact")


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=30), st.sampled_from([None, "", "openai", "openrouter", "aws", "nobody"]))
def test_any_text_is_a_name_or_none(name: str, provider: str | None) -> None:
    """Law: whatever is asked for, the answer is a model that has rates, or nothing."""
    found = TABLE.resolve(provider, name)
    assert found is None or (found.provider, found.model) in TABLE.rates
    assert len(near(TABLE, provider, name)) <= 5


# ---- the models that are compared first


def facts_of(name: str) -> tuple[cl.Resolved, cl.ModelFacts]:
    found = TABLE.resolve(*name.split("/", 1))
    assert found is not None
    facts = cl.facts(found.provider, found.model)
    assert facts is not None
    return found, facts


@pytest.mark.parametrize("name", [*cl.DEFAULT_MODELS, cl.reference_model()])
def test_each_default_model_is_exact_known_priced_and_not_retired(name: str) -> None:
    found, facts = facts_of(name)
    assert found.by == "exact"
    assert facts.mode in ("chat", "responses")
    assert facts.max_input_tokens or facts.context_tokens
    today = datetime.now(UTC).date()
    assert facts.retires_at is None or facts.retires_at > today, f"{name} retired on {facts.retires_at}: choose another"
    counts = {"input_tokens": 10_000, "cache_read_tokens": 4_000, "cache_write_tokens": 1_000, "output_tokens": 500}
    cost = cl.price(*name.split("/", 1), counts, table=TABLE)
    assert cost.unpriced == ()
    assert cost.total > 0
    read = next(line for line in cost.lines if line.unit == "cache_read_tokens")
    assert read.priced_as == "cache_read_tokens", "a hit must have a price of its own"


def test_the_default_models_are_of_five_makers_two_of_them_chinese() -> None:
    makers = {name.split("/")[0] for name in cl.DEFAULT_MODELS}
    assert len(cl.DEFAULT_MODELS) == 8
    assert len(makers) >= 5
    assert len(makers & {"deepseek", "zai", "moonshotai", "dashscope", "volcengine", "minimax"}) >= 2
    assert cl.default_models(TABLE) == cl.DEFAULT_MODELS
