"""The wraps around an agent's methods, its tools and its models; each finds its run when it is called."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from costlab.live.asking import asked_of_client, asked_of_model
from costlab.live.calling import OpenCall, listened
from costlab.live.context import CALL, PLACE, at, stepped
from costlab.live.halting import Halt
from costlab.live.recording import Place
from costlab.runs import Attempt, ToolCall

Method = Callable[..., Any]
Find = Callable[[], Any]  # the Track that a call outside of any run belongs to

# an agent's methods


def run_stream(agent: Any, find: Find) -> Callable[[Method], Method]:
    """Wrap `agent._run_stream`: one run of one agent."""

    def wrap(inner: Method) -> Method:
        @wraps(inner)
        def watched(*args: Any, **kwargs: Any) -> Any:
            parent, track = PLACE.get(), find()
            steps = inner(*args, **kwargs)
            if parent is None and track is None:
                return steps
            task = kwargs.get("task", args[0] if args else "")
            return _driven(agent, steps, parent, track, str(task))

        return watched

    return wrap


def _driven(agent: Any, steps: Iterator[Any], parent: Place | None, track: Any, task: str) -> Iterator[Any]:
    """Yield an agent's steps as they come; a run that nobody has begun is recorded from here to its end."""
    recorder = parent.node.recorder if parent is not None else None
    if recorder is None or recorder.ended:
        assert track is not None
        recorder, parent = track.begin(agent, task), None
    node = recorder.enter(agent, parent)
    error: BaseException | None = None
    try:
        for item in stepped(steps, PLACE, Place(node)):
            kind = type(item).__name__
            if kind == "ActionStep":
                recorder.close_step(node, getattr(item, "error", None))
            elif kind == "FinalAnswerStep":
                node.answer = getattr(item, "output", getattr(item, "final_answer", None))
            yield item
    except BaseException as problem:
        error = problem
        raise
    finally:
        recorder.close_step(node, error if not isinstance(error, GeneratorExit) else None)
        recorder.left(node)
        if parent is None and track is not None:
            track.finish(recorder, node, error)


def step_stream(kind: str, agent: Any) -> Callable[[Method], Method]:
    """Wrap `agent._step_stream` or `_generate_planning_step`: one step, opened before and closed after."""

    def wrap(inner: Method) -> Method:
        @wraps(inner)
        def watched(*args: Any, **kwargs: Any) -> Any:
            place, steps = PLACE.get(), inner(*args, **kwargs)
            return steps if place is None or place.node.agent is not agent else _step(place, kind, steps)

        return watched

    return wrap


def _step(place: Place, kind: str, steps: Iterator[Any]) -> Iterator[Any]:
    node = place.node
    step = node.recorder.open_step(node, kind)
    try:
        yield from stepped(steps, PLACE, Place(node, step))
    except BaseException as error:
        if not isinstance(error, GeneratorExit):
            node.recorder.close_step(node, error)
        raise
    if kind == "planning":
        node.recorder.close_step(node)


def final_answer(agent: Any) -> Callable[[Method], Method]:
    """Wrap `agent.provide_final_answer`: the call at the step limit."""

    def wrap(inner: Method) -> Method:
        @wraps(inner)
        def watched(*args: Any, **kwargs: Any) -> Any:
            place = PLACE.get()
            if place is None or place.node.agent is not agent:
                return inner(*args, **kwargs)
            node = place.node
            node.at_limit = True
            step = node.recorder.open_step(node, "final_answer")
            try:
                with at(PLACE, Place(node, step)):
                    return inner(*args, **kwargs)
            finally:
                node.recorder.close_step(node, "Reached max steps.")

        return watched

    return wrap


# tools


def tool_forward(name: str) -> Callable[[Method], Method]:
    """Wrap a tool's `forward`, or a managed agent's `run`: its name, time and error."""

    def wrap(inner: Method) -> Method:
        @wraps(inner)
        def watched(*args: Any, **kwargs: Any) -> Any:
            place = PLACE.get()
            if place is None or place.node.recorder.ended:
                return inner(*args, **kwargs)
            return _timed(place, name, lambda: inner(*args, **kwargs))

        return watched

    return wrap


def _timed(place: Place, name: str, work: Callable[[], Any]) -> Any:
    began, start, error = datetime.now(UTC), time.perf_counter(), ""
    place = Place(place.node, place.node.recorder.step_at(place))
    try:
        return work()
    except BaseException as problem:
        error = f"{type(problem).__name__}: {problem}"
        raise
    finally:
        spent = round(time.perf_counter() - start, 6)
        tool = ToolCall(name, "", "error" if error else "ok", error or None, began, spent)
        place.node.recorder.tool(place, tool)


def execute_tool_call(agent: Any) -> Callable[[Method], Method]:
    """Wrap `agent.execute_tool_call`: a tool that is not there, or arguments that it does not take, is an error too."""

    def wrap(inner: Method) -> Method:
        @wraps(inner)
        def watched(tool_name: str, *args: Any, **kwargs: Any) -> Any:
            place = PLACE.get()
            try:
                return inner(tool_name, *args, **kwargs)
            except Exception as problem:
                cause = problem.__cause__
                never_ran = type(problem).__name__ == "AgentToolCallError" or cause is None
                if place is not None and place.node.agent is agent and never_ran:
                    error = f"{type(problem).__name__}: {problem}"
                    place.node.recorder.tool(
                        place, ToolCall(str(tool_name), "", "error", error, datetime.now(UTC), 0.0)
                    )
                raise

        return watched

    return wrap


# models


def generate(model: Any, find: Find) -> Callable[[Method], Method]:
    """Wrap `model.generate`: one call. A model that asks other models is one call."""

    def wrap(inner: Method) -> Method:
        @wraps(inner)
        def watched(*args: Any, **kwargs: Any) -> Any:
            place = place_of_call(find)
            if place is None:
                return inner(*args, **kwargs)
            if _cannot_be_known(place, model, kwargs):
                return _as_stream(place, model, args, kwargs)
            call = OpenCall(place, model, streamed=False)
            try:
                with at(CALL, call):
                    _ask_model(call, model, args, kwargs)
                    message = inner(*args, **kwargs)
            except BaseException as error:
                raise_instead(call.end(error=error), error)
                raise
            call.end(message)
            return message

        return watched

    return wrap


def generate_stream(model: Any, find: Find) -> Callable[[Method], Method]:
    """Wrap `model.generate_stream`: one call, from the first piece asked for to the last."""

    def wrap(inner: Method) -> Method:
        @wraps(inner)
        def watched(*args: Any, **kwargs: Any) -> Any:
            place = place_of_call(find)
            if place is None:
                return inner(*args, **kwargs)
            return _streamed(place, model, inner, (args, kwargs))

        return watched

    return wrap


def place_of_call(find: Find) -> Place | None:
    """Return where a call stands, or None where it is part of another call or of no run."""
    if CALL.get() is not None:
        return None
    place: Place | None = PLACE.get()
    track = find() if place is None or place.node.recorder.ended else None
    if track is not None:
        place = track.loose_place()
    return None if place is None or place.node.recorder.ended else place


def raise_instead(other: BaseException | None, error: BaseException) -> None:
    """Raise what ended the run in place of the error that it caused."""
    if other is not None and other is not error:
        raise other from None


def _streamed(place: Place, model: Any, inner: Method, given: tuple[Any, Any]) -> Iterator[Any]:
    args, kwargs = given
    call = OpenCall(place, model, streamed=True)
    through_client = has_retryer(model)
    usage: list[tuple[int, int]] = []
    try:
        with at(CALL, call):
            _ask_model(call, model, args, kwargs)
            deltas = inner(*args, **kwargs)
        for delta in stepped(deltas, CALL, call):
            if not through_client:
                call.delta(delta)
                _add_stated(call, usage, getattr(delta, "token_usage", None))
            yield delta
    except BaseException as error:
        other = call.end(error=error)
        if isinstance(error, GeneratorExit):
            raise
        raise_instead(other, error)
        raise
    call.end()


def _add_stated(call: OpenCall, seen: list[tuple[int, int]], usage: Any) -> None:
    """Take a delta's own usage: shares of a whole add up, a running counter (input again and again) does not."""
    if usage is None:
        return
    seen.append((int(usage.input_tokens or 0), int(usage.output_tokens or 0)))
    running = sum(one[0] > 0 for one in seen) > 1
    call.stated = seen[-1] if running else (sum(s[0] for s in seen), sum(s[1] for s in seen))


def has_retryer(model: Any) -> bool:
    """Return whether a model sends through `retryer`, where the final request and the raw answer are seen."""
    return callable(getattr(model, "retryer", None))


def _ask_model(call: OpenCall, model: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Note the request of a model whose client cannot be seen; others are asked when the request is final."""
    call.recorder.check()
    if not has_retryer(model):
        messages, options = _request(args, kwargs)
        call.ask(model, asked_of_model(model, messages, options, call.recorder.keeper))


def _request(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    messages = args[0] if args else kwargs.get("messages", ())
    options = {k: v for k, v in kwargs.items() if k != "messages"}
    for name, value in zip(("stop_sequences", "response_format", "tools_to_call_from"), args[1:], strict=False):
        options.setdefault(name, value)
    return list(messages), options


def _cannot_be_known(place: Place, model: Any, kwargs: Mapping[str, Any]) -> bool:
    """Return whether a call has to be streamed, so that it can be cut when it reaches the budget."""
    purse = place.node.recorder.purse
    if not purse.bounded or purse.budget.strict or not callable(getattr(model, "generate_stream", None)):
        return False
    settings = {**(model.kwargs if isinstance(getattr(model, "kwargs", None), Mapping) else {}), **kwargs}
    return not any(isinstance(settings.get(k), int) for k in ("max_tokens", "max_completion_tokens", "max_new_tokens"))


def _as_stream(place: Place, model: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Return a model's answer, fetched as a stream."""
    from smolagents.models import agglomerate_stream_deltas, remove_content_after_stop_sequences

    found = list(_streamed(place, model, model.generate_stream, (args, kwargs)))
    message = agglomerate_stream_deltas(found)
    message.tool_calls = message.tool_calls or None
    stop = _request(args, kwargs)[1].get("stop_sequences")
    if stop and message.content and not getattr(model, "supports_stop_parameter", True):
        message.content = remove_content_after_stop_sequences(message.content, stop)
    return message


def retryer(model: Any) -> Callable[[Method], Method]:
    """Wrap `model.retryer`: the final request, the raw answer or stream, and each of smolagents' own tries."""

    def wrap(inner: Method) -> Method:
        def watched(send: Method, *args: Any, **request: Any) -> Any:
            call = CALL.get()
            if call is None:
                return inner(send, *args, **request)
            name = str(getattr(model, "model_id", None) or type(model).__name__)
            call.ask(model, asked_of_client(request, name, call.recorder.keeper))
            raw = inner(_tried(call, send), *args, **request)
            if request.get("stream"):
                return listened(call, raw)
            call.answered(raw)
            return raw

        return watched

    return wrap


def _tried(call: OpenCall, send: Method) -> Method:
    """Return a client's method that notes its tries where nothing of them is seen on the wire."""

    def tried(*args: Any, **kwargs: Any) -> Any:
        seen, began = len(call.trips), datetime.now(UTC)
        try:
            return send(*args, **kwargs)
        except Halt:
            raise
        except Exception as error:
            if len(call.trips) == seen:
                text = call.recorder.clean(f"{type(error).__name__}: {error}")[:500]
                call.unseen.append(Attempt(began, getattr(error, "status_code", None), text))
            raise

    tried.__name__ = getattr(send, "__name__", tried.__name__)  # a retrier says it in its log
    return tried


def patient_sleep(sleep: Callable[[float], None]) -> Callable[[float], None]:
    """Wrap `time.sleep`: a wait inside a metered call, between its retries, ends when the run is stopped."""

    @wraps(sleep)
    def watched(seconds: float) -> None:
        call = CALL.get()
        if call is None:
            return sleep(seconds)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            call.recorder.check()
            call.recorder.stop.wait(min(left, 0.05))
        call.recorder.check()
        return None

    return watched
