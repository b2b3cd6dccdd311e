"""One model call while it is under way: what was asked, what came, what it cost so far, and how it ended."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil
from typing import Any

from costlab.importers.smolagents_live import plain
from costlab.live.asking import Asked, text_bytes
from costlab.live.budget import Hold, Reserve
from costlab.live.halting import Halt
from costlab.live.wire import Trip, block_of
from costlab.runs import Attempt, ModelCall

_BYTES_PER_TOKEN = 4  # of an output as it comes


@dataclass
class Exchange:
    """One request to a client and its answer; a call of a model that asks others has several."""

    asked: Asked
    source: object  # the model object that asks
    first_trip: int
    usage: object = None  # as the library hands it over, and read only where the wire told none
    model: str | None = None  # as the answer names it
    tier: str | None = None
    served: bool = False

    def stated(self) -> dict[str, object]:
        """Return the usage block as the library hands it over, without what it leaves empty."""
        told = plain(self.usage)
        return {k: v for k, v in told.items() if v is not None} if isinstance(told, dict) else {}


_TEXTS = ("content", "reasoning_content", "reasoning")


def _fields_of(delta: Any) -> Mapping[str, Any]:
    """Return a delta's fields; pydantic keeps those it does not know apart, and is slow to say that one is missing."""
    return {**getattr(delta, "__dict__", {}), **(getattr(delta, "__pydantic_extra__", None) or {})}


@dataclass
class Received:
    """What has come of a stream: pieces with text or arguments (each is a token or more), and the text itself.

    `began`: something has come, if only the role of a message without text, which is an answer too.
    """

    began: bool = False
    pieces: int = 0
    size: int = 0
    text: list[str] = field(default_factory=list)
    tools: dict[int, dict[str, str]] = field(default_factory=dict)

    def take(self, delta: Any) -> None:
        """Take the next delta of a client's chunk, or of a model object's own stream."""
        self.began = self.began or delta is not None
        said = _fields_of(delta)
        texts = [one for name in _TEXTS if isinstance(one := said.get(name), str) and one]
        if texts and isinstance(said.get("content"), str):
            self.text.append(said["content"])
        for place, tool in enumerate(said.get("tool_calls") or ()):
            texts += self._tool(tool, place)
        if texts:
            self.pieces += 1
            self.size += sum(len(one.encode("utf-8", "replace")) for one in texts)

    def _tool(self, tool: Any, place: int) -> list[str]:
        function = getattr(tool, "function", None)
        index = getattr(tool, "index", place)
        kept = self.tools.setdefault(index if isinstance(index, int) else place, {"name": "", "arguments": ""})
        found = []
        for name in ("name", "arguments"):
            word = getattr(function, name, None)
            if isinstance(word, str) and word:
                kept[name] += word
                found.append(word)
        return found

    @property
    def message(self) -> dict[str, object] | None:
        """Return what was received as a message, or None where nothing was."""
        if not self.began:
            return None
        calls = [{"type": "function", "function": dict(one)} for one in self.tools.values()]
        return {"role": "assistant", "content": "".join(self.text), **({"tool_calls": calls} if calls else {})}


class OpenCall:
    """A call from before its request is sent until its end is written. Used by one thread; `cut` by any."""

    def __init__(self, place: Any, model: object, *, streamed: bool) -> None:
        self.place, self.model, self.streamed = place, model, streamed  # the place is a recording.Place
        self.recorder = place.node.recorder
        self.call_id = self.recorder.next_call()
        self.at, self._began = datetime.now(UTC), time.perf_counter()
        self.ttft: float | None = None
        self.exchanges: list[Exchange] = []
        self.trips: list[Trip] = []
        self._untold: list[Trip] = []  # tries with a whole answer: their call tells them in a moment
        self.unseen: list[Attempt] = []  # failed tries of clients that do not send through httpx
        self.received = Received()
        self.output: object = None
        self.hold: Hold | None = None
        self.reserve: Reserve | None = None
        self.stated: tuple[int, int] | None = None  # what a model object itself says that it used: in, out
        self.opened: ModelCall | None = None
        self.ended = False

    # what happens to it, in order

    def ask(self, model: object, asked: Asked) -> Exchange:
        """Note a request before it is sent; raises Halt where the run has to end instead."""
        self.recorder.check()
        if self.opened is None:
            self.opened = self.recorder.opened(self, model, asked)
        if not self.exchanges and self.hold is None:
            self.reserve = self.recorder.meter.reserve(asked, self.recorder.meter.who(model, asked.model))
            self.hold = self.recorder.hold(self.reserve)
        first = not self.exchanges
        self.exchanges.append(Exchange(asked, model, len(self.trips)))
        if first:
            self.recorder.began(self)
        return self.exchanges[-1]

    def leaving(self, trip: Trip) -> None:
        """Note that a try leaves; raises Halt where the run has to end instead."""
        self.recorder.check()
        while self._untold:  # it was answered and asks once more
            self.recorder.tried(self, self._untold.pop(0))
        if any(t.billed == "unknown" and t.status is None for t in self.trips) and self.hold is not None:
            self.recorder.again(self.hold)
        self.trips.append(trip)

    def arrived(self, trip: Trip) -> None:
        """Note how a try went: written at once, unless it has brought a whole answer, which ends the call."""
        if trip.error:
            trip.error = self.recorder.clean(trip.error)[:500]
        if trip.whole:
            self._untold.append(trip)
        else:
            self.recorder.tried(self, trip)

    def answered(self, raw: object) -> None:
        """Note a whole answer of a client."""
        exchange = self.exchanges[-1]
        exchange.served = True
        self._facts(exchange, raw)
        choices = getattr(raw, "choices", None)
        if choices:
            told = next((t.message for t in reversed(self.trips[exchange.first_trip :])), None)
            self.output = _said(told if told is not None else plain(getattr(choices[0], "message", None)))
        elif isinstance(raw, Mapping):  # Bedrock
            self.output = plain(raw.get("output"))

    def piece(self, chunk: object) -> None:
        """Note the next chunk of a client's stream; raises Halt where the run has to end now."""
        exchange = self.exchanges[-1]
        exchange.served = True
        self._facts(exchange, chunk)
        choices = getattr(chunk, "choices", None)
        if choices:
            self.delta(getattr(choices[0], "delta", None))
        else:
            self.watch()

    def delta(self, delta: object) -> None:
        """Note the next delta of a stream; raises Halt where the run has to end now."""
        before = self.received.pieces
        self.received.take(delta)
        if self.received.pieces > before and self.ttft is None:
            self.ttft = time.perf_counter() - self._began
        self.watch()

    def watch(self) -> None:
        """Raise Halt where the run has to end, or where this stream has reached the budget."""
        self.recorder.check()
        if self.hold is not None and self.recorder.purse.bounded:
            self.recorder.grow(self, self.output_so_far())

    def _facts(self, exchange: Exchange, raw: Any) -> None:
        """Keep what an answer or chunk says of itself; of usage the last word, never a sum."""
        usage = raw.get("usage") if isinstance(raw, Mapping) else getattr(raw, "usage", None)
        if usage:
            exchange.usage = usage
        for name, field_ in (("model", "model"), ("tier", "service_tier")):
            value = getattr(raw, field_, None)
            if isinstance(value, str) and value and getattr(exchange, name) is None:
                setattr(exchange, name, value)

    # how it ends

    @property
    def duration(self) -> float:
        """Return the seconds since it began."""
        return time.perf_counter() - self._began

    def close(self) -> None:
        """Close every answer that may still be open, in this thread: nothing more is served or paid."""
        for trip in self.trips:
            trip.close()
            trip.done = True

    def cut(self) -> None:
        """Cut every connection, from another thread."""
        for trip in self.trips:
            if not trip.done:
                with suppress(Exception):
                    trip.cut()

    def end(self, message: Any = None, error: BaseException | None = None) -> BaseException | None:
        """Write how the call ended, once; return what is to be raised in place of `error`, if anything else."""
        if self.ended:
            return None
        self.ended = True
        if self.streamed or error is not None:
            self.close()
        if self.streamed and self.output is None:
            self.output = self.received.message
        if message is not None and self.output is None:
            self.output = {"role": "assistant", "content": plain(getattr(message, "content", None))}
        halted = self.recorder.halted
        if error is not None and not isinstance(error, Halt) and halted is not None:
            error = halted  # a cut connection is an error of the client's only because we cut it
        self.recorder.finished(self, message, error)
        return error

    def attempts(self) -> tuple[Attempt, ...]:
        """Return every HTTP try, with the usage block of those that were answered with one."""
        blocks = ((t, block_of(t.body.told) if t.body.told is not None else {}) for t in self.trips)
        seen = tuple(trip.attempt(dict(self.recorder.clean(block)) or None) for trip, block in blocks)
        return seen or tuple(self.unseen)

    def output_so_far(self) -> int:
        """Return the tokens of output that have come, for the budget: one a piece, or four bytes each."""
        size = self.received.size or text_bytes(plain(self.output) if self.output is not None else "")
        return max(self.received.pieces, ceil(size / _BYTES_PER_TOKEN))


def _said(message: object) -> object:
    """Return a client's message without the fields that it leaves empty."""
    return {k: v for k, v in message.items() if v is not None} if isinstance(message, dict) else message


def listened(call: OpenCall, raw: Any) -> Iterator[Any]:
    """Yield the chunks of a client's stream, each noted first; the stream is closed however it ends."""
    try:
        for chunk in raw:
            call.piece(chunk)
            yield chunk
    finally:
        close = getattr(raw, "close", None)
        if callable(close):
            with suppress(Exception):
                close()
