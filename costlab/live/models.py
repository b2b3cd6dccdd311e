"""A model object for a name on the command line or a page: OpenAI's client where its wire is spoken, else LiteLLM."""

from __future__ import annotations

import os
from typing import Any

from costlab.errors import CostLabError, MissingExtra

NO_KEY = "none"  # what a server without keys is sent


def model_at(name: str, *, api_base: str | None = None, api_key: str | None = None, **settings: Any) -> Any:
    """Return a smolagents model for `provider/model`; `openai/...` speaks to any OpenAI-compatible `api_base`.

    The key is the one given, else the provider's own environment variable (`OPENAI_API_KEY`, ...); it is kept in the
    model object and nowhere else. `settings` go with each request (`max_tokens`, `temperature`). Raises CostLabError
    where a key is needed and there is none, MissingExtra.
    """
    try:
        from smolagents.models import OpenAIModel
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name), "agents") from error
    provider, slash, rest = name.partition("/")
    if provider == "openai" or not slash:
        key = api_key or os.environ.get("OPENAI_API_KEY") or (NO_KEY if api_base else None)
        if key is None:
            raise CostLabError("OPENAI_API_KEY is not set, and no --api-base names a server that needs no key")
        if not api_base and "max_tokens" in settings:  # OpenAI's reasoning models refuse the older word
            settings["max_completion_tokens"] = settings.pop("max_tokens")
        return OpenAIModel(rest if slash else name, api_base=api_base, api_key=key, **settings)
    return _litellm(name, api_base, api_key, settings)


def _litellm(name: str, api_base: str | None, api_key: str | None, settings: dict[str, Any]) -> Any:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else its import asks the network for prices
    try:
        import litellm
        from smolagents.models import LiteLLMModel
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name), "agents") from error
    litellm.suppress_debug_info = True  # it prints advice on stdout
    return LiteLLMModel(name, api_base=api_base, api_key=api_key, **settings)


def quiet_logger() -> Any:
    """Return an agent's logger that prints nothing, streamed output included."""
    from rich.console import Console
    from smolagents.monitoring import AgentLogger, LogLevel

    return AgentLogger(level=LogLevel.OFF, console=Console(quiet=True))
