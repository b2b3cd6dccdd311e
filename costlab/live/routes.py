"""How a model of the price table is reached live: LiteLLM's word for its provider, and where a key for it may stand."""

from __future__ import annotations

import os
from collections.abc import Iterable

from costlab.importers.providers import provider_of

# Provider by our id -> LiteLLM's prefix and the environment variables that may hold its key, the usual one first.
# Providers that take one key and nothing else; clouds with credentials of their own (Bedrock, Vertex, Azure) are
# reached too, by what LiteLLM finds in the environment.
ROUTES: dict[str, tuple[str, ...]] = {
    "openai": ("openai", "OPENAI_API_KEY"),
    "anthropic": ("anthropic", "ANTHROPIC_API_KEY"),
    "google": ("gemini", "GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "mistral": ("mistral", "MISTRAL_API_KEY"),
    "deepseek": ("deepseek", "DEEPSEEK_API_KEY"),
    "x-ai": ("xai", "XAI_API_KEY"),
    "groq": ("groq", "GROQ_API_KEY"),
    "openrouter": ("openrouter", "OPENROUTER_API_KEY"),
    "together": ("together_ai", "TOGETHERAI_API_KEY", "TOGETHER_API_KEY"),
    "fireworks": ("fireworks_ai", "FIREWORKS_AI_API_KEY", "FIREWORKS_API_KEY"),
    "cohere": ("cohere_chat", "COHERE_API_KEY"),
    "moonshotai": ("moonshot", "MOONSHOT_API_KEY"),
    "zai": ("zai", "ZAI_API_KEY"),
    "perplexity": ("perplexity", "PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"),
    "cerebras": ("cerebras", "CEREBRAS_API_KEY"),
    "deepinfra": ("deepinfra", "DEEPINFRA_API_KEY"),
    "novita": ("novita", "NOVITA_API_KEY"),
    "nebius": ("nebius", "NEBIUS_API_KEY"),
    "dashscope": ("dashscope", "DASHSCOPE_API_KEY"),
    "minimax": ("minimax", "MINIMAX_API_KEY"),
}


def live_provider(name: str) -> str:
    """Return who serves `provider/model`, by our id where the word is known, else the word as it stands."""
    word = name.partition("/")[0].strip()
    return provider_of(word) or word.lower()


def live_name(name: str) -> str:
    """Return a model of the price table as LiteLLM calls it: `google/...` is its `gemini/...`."""
    _, slash, model = name.partition("/")
    route = ROUTES.get(live_provider(name))
    return f"{route[0]}/{model}" if slash and route else name


def one_key(name: str) -> bool:
    """Return whether a model's provider takes one key and nothing else of whoever runs it."""
    return "/" in name and "://" not in name and live_provider(name) in ROUTES


def key_variables(name: str) -> tuple[str, ...]:
    """Return the environment variables that may hold a key for `provider/model`, the usual one first."""
    provider = live_provider(name)
    usual = f"{provider.upper().replace('-', '_').replace('.', '_')}_API_KEY"
    return ROUTES.get(provider, ("", usual))[1:]


def key_variable(name: str) -> str | None:
    """Return the environment variable that holds a key for `provider/model` now, or None; its value is not returned."""
    return next((one for one in key_variables(name) if os.environ.get(one)), None)


def runnable(names: Iterable[str]) -> list[str]:
    """Return the models of a price table that can be reached with a key and nothing else."""
    return [name for name in names if name.partition("/")[0] in ROUTES]
