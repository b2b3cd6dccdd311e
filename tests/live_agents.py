"""Agents and models for the tests of live runs: real smolagents, real clients, a scripted server."""

from __future__ import annotations

import os
import warnings
from typing import Any

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # no network at import

from scripted_model import price_of
from smolagents import CodeAgent, LogLevel, ToolCallingAgent
from smolagents.models import InferenceClientModel, LiteLLMModel, OpenAIModel

KEY = "sk-planted-0123456789abcdef"
MODELS = ("openai", "litellm-openai", "litellm-anthropic", "hugging-face")

# What these clients warn of at import and when they dump their own objects is theirs.
QUIET = ("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::ResourceWarning")


def model_of(kind: str, address: str, **more: Any) -> Any:
    """Return a model object of a kind that talks to a server."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "openai":
            return OpenAIModel("gpt-4o-mini", api_base=f"{address}/v1", api_key=KEY, **more)
        if kind == "litellm-openai":
            return LiteLLMModel("openai/gpt-4o-mini", api_base=f"{address}/v1", api_key=KEY, **more)
        if kind == "litellm-anthropic":
            return LiteLLMModel("anthropic/claude-haiku-4-5", api_base=address, api_key=KEY, **more)
        return InferenceClientModel(f"{address}/v1/chat/completions", token=KEY, **more)


def agent_of(kind: str, model: Any, *, streamed: bool = False, **more: Any) -> Any:
    """Return a quiet agent with one tool: `tool` or `code`."""
    made = ToolCallingAgent if kind == "tool" else CodeAgent
    given = {"tools": [price_of], **more}
    return made(model=model, verbosity_level=LogLevel.OFF, stream_outputs=streamed, **given)


def wait_short(model: Any) -> Any:
    """Let smolagents wait a moment, not minutes, before it tries again."""
    model.retryer.wait_seconds = 0.01
    return model
