"""One step of a smolagents memory, in the shape of `get_full_steps()`: its model call and its tool calls.

What smolagents keeps of a call is its input and output total, from 1.20 to 1.26; where the provider's own body is left
in `raw`, its cached and reasoning tokens count too. What is not kept is said, never taken for nothing: no usage, or
zeros (a stream without usage looks like that), is `unmetered`; a call without an answer may have been billed.
Sources: smolagents `memory.py`, `models.py`, `agents.py` (`_handle_max_steps_reached`, `provide_final_answer`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from costlab.importers.calls import failed, unmetered, with_reading
from costlab.importers.fields import Contents, Foreign, first, items, mapping, mappings, moment, number, span_s, text
from costlab.importers.providers import provider_of, served_by
from costlab.responses import read_response
from costlab.runs import Media, ModelCall, Step, ToolCall
from costlab.usage import Number, UsageWarning

SIDES = ("input_tokens", "output_tokens")
CODE_TOOL = "python_interpreter"  # the one tool call that a CodeAgent's step records
_AT_LIMIT = "AgentMaxStepsError"
_TOOL_ERRORS = ("AgentToolExecutionError", "AgentToolCallError", "AgentExecutionError")
_NO_ANSWER = "Error in generating final LLM output"
_NAMED = re.compile(r"(?:tool|team member) '([^']{1,200})'|Unknown tool ([^\s,]{1,200})")
_USAGE = ("usage", "usageMetadata", "usage_metadata")


@dataclass(frozen=True, slots=True)
class Served:
    """What is known of an agent's model: who serves it and under which name it was asked for.

    `called` is a name that the user insists on. `tools` are the definitions sent with each action's request.
    """

    provider: str = ""
    model: str = ""
    called: str = ""
    tools: tuple[object, ...] = ()
    max_tokens: int | None = None

    def who(self, answered: str) -> tuple[str, str]:
        """Return (provider, model) of a call, `answered` being the model that the answer names.

        The name that was asked for may carry the provider (`anthropic/claude-sonnet-4-5`) where the answer's does not.
        """
        asked = "" if self.called else served_by(self.model)[0]
        provider, model = served_by(self.called or answered or self.model, self.provider, asked)
        return (provider if provider_of(self.provider) else self.provider or provider), model


def is_task(one: Foreign) -> bool:
    """Return whether a step is the task itself: no model was called for it."""
    return "task" in one and "timing" not in one


def kind_of(one: Foreign) -> str:
    """Return a step's kind: the answer that an agent is made to give at its step limit has a step of its own."""
    if "plan" in one:
        return "planning"
    return "final_answer" if at_limit(one) and not one.get("model_input_messages") else "action"


def at_limit(one: Foreign) -> bool:
    """Return whether a step is the one that ends a run at its step limit."""
    return mapping(one.get("error")).get("type") == _AT_LIMIT


def start(one: Foreign) -> datetime | None:
    """Return when a step began."""
    return moment(mapping(one.get("timing")).get("start_time"))


def end(one: Foreign) -> datetime | None:
    """Return when a step ended."""
    return moment(mapping(one.get("timing")).get("end_time"))


def stated(one: Foreign, place: str) -> tuple[Number | None, Number | None]:
    """Return smolagents' own (input, output) of a step; raises BadInput naming the field.

    Planning steps of some versions have it on their message only.
    """
    usage = mapping(one.get("token_usage")) or mapping(mapping(one.get("model_output_message")).get("token_usage"))
    into, out = (number(usage.get(side), f"{place}.token_usage.{side}") for side in SIDES)
    return into, out


def words(value: object) -> str:
    """Return an answer in words: smolagents' own message parts as their text, anything else as JSON."""
    if isinstance(value, str):
        return value
    parts = [text(part.get("text")) for part in mappings(value) if part.get("type") == "text"]
    return "\n".join(parts) if parts else json.dumps(value, ensure_ascii=False, default=str)


def canonical(value: object) -> bytes:
    """Return a value's canonical JSON."""
    written = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return written.encode("utf-8", "surrogatepass")


def step_of(one: Foreign, step: Step, served: Served, contents: Contents) -> Step:
    """Return `step` (its id, number, kind and agent) with its time, error, call and tools; raises BadInput."""
    error = mapping(one.get("error"))
    call = _call(one, step, served, contents)
    return replace(
        step,
        started_at=start(one),
        duration_s=span_s(start(one), end(one)),
        error=(text(error.get("message")) or text(error.get("type")) or "error")[:500] if error else call.error,
        calls=(call,),
        tools=tuple(_tools(one, call.call_id)),
    )


def _call(one: Foreign, step: Step, served: Served, contents: Contents) -> ModelCall:
    """Return a step's model call. Its own duration is not kept where tools ran in the same step."""
    body, said = body_of(one), mapping(one.get("model_output_message"))
    provider, model = served.who(text(body.get("model")))
    out: object = _message(said) if said else one.get("model_output")
    if step.kind == "final_answer":
        out = {"role": "assistant", "content": one.get("action_output")}
    place = f"steps.{step.step_id.rpartition('-')[2]}"
    figures = stated(one, place)
    known = [mapping(one.get("timing")).get("start_time"), mapping(one.get("timing")).get("end_time"), figures]
    call = ModelCall(
        call_id=f"c-{step.step_id}",
        provider=provider,
        model=model,
        counts={},
        request_model=served.model if served.model not in ("", model) else None,
        started_at=start(one),
        duration_s=span_s(start(one), end(one)) if step.kind != "action" else None,
        messages=contents.add_all("message", [_message(m) for m in mappings(one.get("model_input_messages"))]),
        tools=contents.add_all("tool", list(served.tools)) if step.kind == "action" else (),
        output=contents.add_all("output", [out]) if out else (),
        max_tokens=served.max_tokens,
        media=tuple(_media(one.get("model_input_messages"))),
        origin=f"smolagents-{hashlib.sha256(canonical(known)).hexdigest()[:24]}",
    )
    return _ended(_metered(call, body, figures), one, answered=bool(said or one.get("model_output")))


def _ended(call: ModelCall, one: Foreign, answered: bool) -> ModelCall:
    """Return the call with how it ended: failed calls of a run that raised are kept without any error."""
    error, out = mapping(one.get("error")), words(one.get("action_output"))
    if error.get("type") == "AgentGenerationError":
        return failed(call, text(error.get("message")) or "AgentGenerationError")
    if any(call.counts.values()):
        return call
    if out.startswith(_NO_ANSWER):
        return failed(call, out)
    if kind_of(one) == "action" and not answered:
        return failed(call, "no answer was kept: the call failed, or the run was stopped during it")
    return unmetered(call)


def _metered(call: ModelCall, body: Foreign, figures: tuple[Number | None, Number | None]) -> ModelCall:
    """Return the call with its counts: the provider's own, else smolagents' two figures."""
    if body:
        reading = read_response(body, provider=call.provider or None, model=call.model or None)
        if any(reading.counts.values()):
            usage = next(mapping(body[key]) for key in _USAGE if mapping(body.get(key)))
            call = with_reading(call, reading, usage)
            both = zip(SIDES, figures, strict=True)
            less = [(side, own) for side, own in both if own and own > call.counts.get(side, 0)]
            notes = [UsageWarning("total_differs", side, f"smolagents says {own}, the body less") for side, own in less]
            return replace(call, warnings=(*call.warnings, *notes))
    into, out = figures
    if not into and not out:
        return call
    counts = {"input_tokens": into or 0, "output_tokens": out or 0}
    # Streamed planning keeps the last delta's input, which some models send as 0.
    bounds = call.bounds if into else (*call.bounds, "unmetered:input_tokens")
    return replace(call, counts=counts, raw_usage=counts, bounds=bounds)


def body_of(one: Foreign) -> Foreign:
    """Return the provider's body of a step's answer, if one with a usage block is left of it."""
    raw = mapping(_untyped(mapping(mapping(one.get("model_output_message")).get("raw"))))
    return raw if any(mapping(raw.get(key)) for key in _USAGE) else {}


def _untyped(value: object) -> object:
    """Return a value without the class names that smolagents writes into the JSON of foreign objects."""
    if isinstance(value, Mapping):
        return {key: _untyped(inner) for key, inner in value.items() if key != "_type"}
    return [_untyped(inner) for inner in value] if isinstance(value, list) else value


def _message(message: Foreign) -> dict[str, object]:
    """Return a message without what is kept elsewhere (usage, the body) and without pixels."""
    content = message.get("content")
    if isinstance(content, list):
        content = [_picture(part) if _is_picture(part) else part for part in content]
    said = {"role": message.get("role"), "content": content}
    return said | ({"tool_calls": message["tool_calls"]} if message.get("tool_calls") else {})


def _is_picture(part: object) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "image"


def _picture(part: Foreign) -> dict[str, object]:
    """Return a picture as its size: smolagents' JSON keeps that and the mode, not the pixels."""
    width, height = _size(part)
    return {"type": "image", "width": width, "height": height}


def _size(part: Foreign) -> tuple[int | None, int | None]:
    size = items(mapping(part.get("image")).get("_size"))
    width, height = (n if isinstance(n, int) and 0 < n < 10**6 else None for n in (*size, None, None)[:2])
    return width, height


def _media(messages: object) -> Iterator[Media]:
    for message in mappings(messages):
        for part in mappings(message.get("content")):
            if part.get("type") == "image":
                yield Media("image", *_size(part))
            elif part.get("type") == "image_url":
                yield Media("image")


def tool_names(one: Foreign) -> list[str]:
    """Return the names of the tools that a step's model asked for."""
    return [name for _, name in _asked(one)]


def _asked(one: Foreign) -> list[tuple[str, str]]:
    """Return (id, name) of the tools asked for. Where one of several fails, only the message has them."""
    kept = mappings(one.get("tool_calls")) or mappings(mapping(one.get("model_output_message")).get("tool_calls"))
    found = [(text(call.get("id")), text(first(mapping(call.get("function")) or call, "name"))) for call in kept]
    return [(tool_id, name) for tool_id, name in found if name]


def _tools(one: Foreign, call_id: str) -> Iterator[ToolCall]:
    """Yield a step's tool calls. Of several of which one failed, no result was kept: the others are `cut`."""
    error = mapping(one.get("error"))
    told = text(error.get("message"))
    failing = error.get("type") in _TOOL_ERRORS
    match = _NAMED.search(told) if failing else None
    named = next((name for name in match.groups() if name), "") if match else ""
    asked = _asked(one)
    for tool_id, name in asked:
        at_fault = failing and (len(asked) == 1 or name == named)
        status = "error" if at_fault else "cut" if failing else "ok"
        yield ToolCall(name, tool_id, status, told[:500] if at_fault else None, start(one), call_id=call_id)
