"""A smolagents agent or RunResult in memory, read by its attributes: smolagents itself is never imported.

Only what is named here is taken from a model (its name, a limit, who serves it): objects like these hold API keys.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from costlab.errors import BadInput
from costlab.importers.fields import mapping, mappings, text
from costlab.importers.providers import provider_at, provider_of
from costlab.importers.smolagents_memory import ELSEWHERE, Memory
from costlab.importers.smolagents_steps import Served
from costlab.runs import LOCAL_PROVIDERS

_DEEPEST = 60
_LONGEST = 20_000  # characters of what some object says of itself
# Who serves the models of a class, whatever the address; a subclass counts as its parent.
_BY_CLASS = {
    "AzureOpenAIModel": "azure", "AzureOpenAIServerModel": "azure", "AmazonBedrockModel": "aws",
    "AmazonBedrockServerModel": "aws", "TransformersModel": "local", "MLXModel": "local", "VLLMModel": "vllm",
}  # fmt: skip
_OPENAI = ("OpenAIModel", "OpenAIServerModel")
_HUGGING_FACE = ("InferenceClientModel", "HfApiModel")
_LIMITS = ("max_tokens", "max_completion_tokens", "max_new_tokens")


def memory_of(agent: object, seen: frozenset[int] = frozenset()) -> Memory:
    """Return the memory of an agent and of its managed agents; raises BadInput where there is none."""
    kept = getattr(getattr(agent, "memory", None), "steps", None)
    if not isinstance(kept, Iterable):
        raise BadInput("is no smolagents agent: it has no memory with steps", field="agent_or_result")
    managed = getattr(agent, "managed_agents", None)
    around = seen | {id(agent)}
    team = [
        _renamed(str(name), memory_of(other, around))
        for name, other in (managed.items() if isinstance(managed, Mapping) else ())
        if id(other) not in around
    ]
    monitor = getattr(agent, "monitor", None)
    total = {
        "input_tokens": getattr(monitor, "total_input_token_count", None),
        "output_tokens": getattr(monitor, "total_output_token_count", None),
    }
    return Memory(
        steps=tuple(mappings([plain(step) for step in kept])),
        name=text(getattr(agent, "name", None)) or type(agent).__name__,
        served=served_of(agent),
        team=tuple(team),
        total=total,
        without_plans=True,
    )


def _renamed(name: str, memory: Memory) -> Memory:
    return Memory(memory.steps, name, memory.served, memory.team, memory.total, memory.without_plans)


def served_of(agent: object) -> Served:
    """Return what an agent's model is called and who serves it, and the tools that its requests carry."""
    model = getattr(agent, "model", None)
    name = text(getattr(model, "model_id", None))
    limits = mapping(getattr(model, "kwargs", None))
    limit = next((limits[key] for key in _LIMITS if isinstance(limits.get(key), int)), None)
    return Served(
        provider=provider_of_model(model, name),
        model="" if "://" in name else name,
        tools=tuple(_tools(agent)),
        max_tokens=limit if isinstance(limit, int) and limit > 0 else None,
    )


def provider_of_model(model: object, name: str) -> str:
    """Return who serves a model: its address decides, then its class, then its name's prefix (left to the name: '')."""
    lineage = [cls.__name__ for cls in type(model).__mro__]
    by_class = next((_BY_CLASS[cls] for cls in lineage if cls in _BY_CLASS), "")
    if by_class:
        return by_class
    settings = mapping(getattr(model, "client_kwargs", None))
    prefix = provider_of(name.partition("/")[0]) if "/" in name and "://" not in name else ""
    if prefix in LOCAL_PROVIDERS:
        return prefix
    # An OpenAI client knows its address also where it took it from the environment.
    stated = settings.get("base_url") or getattr(model, "api_base", None)
    stated = stated or getattr(getattr(model, "client", None), "base_url", None)
    address = name if "://" in name else str(stated or "")
    if address:
        return provider_at(address) or ELSEWHERE
    if any(cls in lineage for cls in _HUGGING_FACE):
        return provider_of(text(settings.get("provider"))) or "huggingface"
    return "openai" if any(cls in lineage for cls in _OPENAI) else ""


def _tools(agent: object) -> Iterable[object]:
    """Yield the tools that an agent's requests carry: a ToolCallingAgent's, its managed agents among them."""
    carried = getattr(agent, "tools_and_managed_agents", None)
    for tool in carried if isinstance(carried, list) else ():
        inputs = mapping(plain(getattr(tool, "inputs", None)))
        needed = [name for name, about in inputs.items() if not mapping(about).get("nullable")]
        yield {
            "type": "function",
            "function": {
                "name": text(getattr(tool, "name", None)),
                "description": text(getattr(tool, "description", None)),
                "parameters": {"type": "object", "properties": inputs, "required": needed},
            },
        }


def plain(value: Any, depth: int = 0) -> object:
    """Return any value as JSON: pictures as their size, bytes not at all, other objects as what they say they are."""
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth > _DEEPEST or isinstance(value, bytes | bytearray):
        return None
    if isinstance(value, Mapping):
        return {str(key): plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner, depth + 1) for inner in value]
    return _object(value, depth)


def _object(value: Any, depth: int) -> object:
    size = getattr(value, "size", None)
    if isinstance(size, tuple) and isinstance(getattr(value, "mode", None), str):
        return {"_size": list(size)}
    if isinstance(value, BaseException):
        return {"type": type(value).__name__, "message": str(value)[:_LONGEST]}
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name, None), depth + 1) for one in fields(value)}
    if callable(getattr(value, "model_dump", None)) and not isinstance(value, type):
        return plain(_dumped(value), depth + 1)
    return str(value)[:_LONGEST]


def _dumped(value: Any) -> object:
    """Return a pydantic object's fields; LiteLLM's are not of the types that they declare, which is no news here."""
    try:
        return value.model_dump(warnings=False)
    except TypeError:  # a class of its own idea of `model_dump`
        return value.model_dump()
