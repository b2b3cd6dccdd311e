"""A smolagents model that answers from a script, and an agent's tools to go with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from smolagents import CodeAgent, LogLevel, Model, ToolCallingAgent, tool
from smolagents.models import (
    ChatMessage,
    ChatMessageStreamDelta,
    ChatMessageToolCall,
    ChatMessageToolCallFunction,
    ChatMessageToolCallStreamDelta,
    MessageRole,
)
from smolagents.monitoring import TokenUsage

Reply = tuple[Any, ...]  # (text, input tokens, output tokens, *(tool, arguments)); tokens of None: no usage


class ScriptedModel(Model):
    """Answers each request with the next reply of a script; an exception in it is raised."""

    def __init__(self, *script: Reply | BaseException, model_id: str = "scripted-model", **kwargs: Any) -> None:
        super().__init__(model_id=model_id, **kwargs)
        self.script = list(script)
        self.served: list[tuple[int, int]] = []

    def _next(self) -> Reply:
        reply = self.script.pop(0)
        if isinstance(reply, BaseException):
            raise reply
        if reply[1] is not None:
            self.served.append((reply[1], reply[2]))
        return reply

    def generate(self, messages: Any, stop_sequences: Any = None, **kwargs: Any) -> ChatMessage:
        """Return the next reply."""
        text, into, out, *asked = self._next()
        calls = [
            ChatMessageToolCall(id=f"call_{n}", type="function", function=ChatMessageToolCallFunction(args, name))
            for n, (name, args) in enumerate(asked)
        ]
        usage = TokenUsage(into, out) if into is not None else None
        return ChatMessage(MessageRole.ASSISTANT, text, calls or None, token_usage=usage)


class StreamedModel(ScriptedModel):
    """The same, in pieces: usage comes with the last one."""

    def generate_stream(self, messages: Any, **kwargs: Any) -> Iterator[ChatMessageStreamDelta]:
        """Yield the next reply."""
        text, into, out, *asked = self._next()
        yield ChatMessageStreamDelta(content=text)
        for n, (name, args) in enumerate(asked):
            function = ChatMessageToolCallFunction(json.dumps(args), name)
            call = ChatMessageToolCallStreamDelta(n, f"call_{n}", "function", function)
            yield ChatMessageStreamDelta(tool_calls=[call])
        if into is not None:
            yield ChatMessageStreamDelta(content="", token_usage=TokenUsage(into, out))


@tool
def price_of(fruit: str) -> float:
    """Gives the price of one piece of a fruit.

    Args:
        fruit: its name
    """
    return {"apple": 0.4, "pear": 0.55}[fruit]


def calling(model: Model, **kwargs: Any) -> ToolCallingAgent:
    """Return a quiet ToolCallingAgent."""
    return ToolCallingAgent(tools=[price_of], model=model, verbosity_level=LogLevel.OFF, **kwargs)


def coding(model: Model, **kwargs: Any) -> CodeAgent:
    """Return a quiet CodeAgent."""
    return CodeAgent(tools=[price_of], model=model, verbosity_level=LogLevel.OFF, **kwargs)


def asks(into: int, out: int, *calls: tuple[str, Any]) -> Reply:
    """Return a reply that calls tools."""
    return ("", into, out, *calls)


def final(into: int, out: int, answer: str = "0.4") -> Reply:
    """Return the reply that ends a ToolCallingAgent's run."""
    return asks(into, out, ("final_answer", {"answer": answer}))
