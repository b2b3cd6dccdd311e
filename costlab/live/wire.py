"""What goes over the wire: every HTTP try of a call, its status, and the usage blocks of its answer as the server sent
them.

`httpx.Client.send` is watched while a track is open, and does nothing more than before unless a metered call is under
way in the same context. All of smolagents' clients but boto3's send through it.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from costlab.live.context import CALL
from costlab.runs import Attempt

_LARGEST_BODY = 64 * 2**20
_LARGEST_LINE = 4 * 2**20
_USAGE_BLOCK = re.compile(rb'"usage\w*"\s*:\s*\{')


_NEVER_SENT = ("ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "LocalProtocolError")


@dataclass(eq=False)
class Body:
    """An answer's body as far as it was read: whole if it is JSON, its events with usage if it is a stream."""

    streamed: bool = False
    events: list[dict[str, Any]] = field(default_factory=list)  # with a usage block: the first one, and the last
    whole: dict[str, Any] | None = None
    _rest: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        if len(self._rest) + len(data) > (_LARGEST_LINE if self.streamed else _LARGEST_BODY):
            self._rest.clear()
            return
        self._rest += data
        if self.streamed:
            *lines, rest = bytes(self._rest).split(b"\n")
            self._rest = bytearray(rest)
            for line in lines:
                self._line(line)

    def end(self) -> None:
        """Read what is left: a stream's last line, or the whole body."""
        rest, self._rest = bytes(self._rest), bytearray()
        if self.streamed:
            self._line(rest)
            return
        with suppress(ValueError, RecursionError):
            whole = json.loads(rest) if rest else None
            self.whole = whole if isinstance(whole, dict) else self.whole

    def _line(self, line: bytes) -> None:
        if not line.startswith(b"data:") or not _USAGE_BLOCK.search(line):  # on most events it is null
            return
        try:
            event = json.loads(line[5:])
        except (ValueError, RecursionError):
            return
        if not isinstance(event, dict) or not _has_usage(event):
            return
        if len(self.events) > 1:
            self.events.pop()
        self.events.append(event)

    @property
    def told(self) -> object:
        """Return what the server said of usage: events of a stream, or a whole body; None where it said nothing."""
        if self.events:
            return list(self.events)
        return self.whole if self.whole and _has_usage(self.whole) else None


def block_of(told: object) -> dict[str, object]:
    """Return the raw usage block of what a server told: of a stream's events the last one, the first beside it."""
    if isinstance(told, list):
        blocks = [block_of(event) for event in told]
        return {**{k: v for b in blocks[:-1] for k, v in b.items()}, **blocks[-1]}
    if isinstance(told, Mapping):
        for key in ("usage", "usageMetadata", "usage_metadata"):
            if isinstance(told.get(key), Mapping):
                return dict(told[key])
        for key in ("message", "response", "x_groq", "delta"):
            if isinstance(told.get(key), Mapping) and (inner := block_of(told[key])):
                return inner
    return {}


_USAGE = ("usage", "usageMetadata", "usage_metadata", "x_groq", "message", "response", "delta", "meta")


def _has_usage(event: dict[str, Any]) -> bool:
    return any(isinstance(event.get(key), dict) and _block(key, event[key]) for key in _USAGE)


def _block(key: str, value: dict[str, Any]) -> bool:
    return bool(value) if key.startswith("usage") or key == "meta" else any("usage" in inner for inner in value)


@dataclass(eq=False)
class Trip:
    """One HTTP try of a call: its connection can be closed from any thread."""

    client: Any
    request: Any
    at: datetime
    response: Any = None
    status: int | None = None
    error: str | None = None
    request_id: str | None = None
    billed: str = "unknown"
    body: Body = field(default_factory=Body)
    done: bool = False

    @property
    def whole(self) -> bool:
        """Return whether the answer was read to its end."""
        return self.body.whole is not None

    @property
    def message(self) -> dict[str, Any] | None:
        """Return the answer's message where the server speaks OpenAI's chat format, which clients hand on as it is."""
        choices = self.body.whole.get("choices") if self.body.whole is not None else None
        first = choices[0] if isinstance(choices, list) and choices else None
        message = first.get("message") if isinstance(first, dict) else None
        return message if isinstance(message, dict) else None

    def attempt(self, usage: dict[str, object] | None = None) -> Attempt:
        """Return the try as a recording keeps it."""
        return Attempt(self.at, self.status, self.error, self.request_id, usage, self.billed)

    def close(self) -> None:
        """Close the answer in its own thread: afterwards nothing more is served."""
        if self.response is not None:
            with suppress(Exception):
                self.response.close()

    def cut(self) -> None:
        """Cut the connection from another thread: who waits for it is woken at once."""
        stream = (self.response.extensions if self.response is not None else {}).get("network_stream")
        for one in (stream, *(() if stream is not None else _waiting(self.client, self.request))):
            wire = one.get_extra_info("socket") if one is not None else None
            if wire is not None:
                with suppress(OSError):
                    wire.shutdown(socket.SHUT_RDWR)


def _waiting(client: Any, request: Any) -> Iterator[Any]:
    """Yield the network stream on which a request waits for its first byte; nothing where the client hides it.

    httpx hands its request's `extensions` to the pool as they are, and the pool keeps each request with the connection
    that it was given.
    """
    transports = [client._transport, *getattr(client, "_mounts", {}).values()]
    for transport in transports:
        pool = getattr(transport, "_pool", None)
        for waiting in tuple(getattr(pool, "_requests", ()) or ()):
            if getattr(getattr(waiting, "request", None), "extensions", None) is request.extensions:
                connection = getattr(waiting, "connection", None)
                inner = getattr(connection, "_connection", None)
                stream = getattr(inner, "_network_stream", None)
                if stream is not None:
                    yield stream


def watched_send(send: Callable[..., Any]) -> Callable[..., Any]:
    """Return `httpx.Client.send`, watched while a metered call is under way."""

    @wraps(send)
    def watched(client: Any, request: Any, **options: Any) -> Any:
        call = CALL.get()
        if call is None or request.method != "POST":
            return send(client, request, **options)
        trip = Trip(client, request, datetime.now(UTC))
        call.leaving(trip)
        try:
            response = send(client, request, **options)
        except BaseException as error:
            trip.error = f"{type(error).__name__}: {error}"
            trip.billed = "no" if type(error).__name__ in _NEVER_SENT else "unknown"
            call.arrived(trip)
            raise
        _see(trip, response, read=not options.get("stream", False))
        call.arrived(trip)
        return response

    return watched


def _see(trip: Trip, response: Any, *, read: bool) -> None:
    """Note an answer's status, and read its body as whoever asked for it does."""
    trip.response, trip.status = response, int(response.status_code)
    trip.request_id = response.headers.get("x-request-id") or response.headers.get("request-id")
    trip.billed = "yes" if trip.status < 400 else "no"
    if trip.status >= 400:
        return
    body = trip.body
    body.streamed = response.headers.get("content-type", "").startswith("text/event-stream")
    if read:
        body.feed(response.content)
        body.end()
        return
    chunks = response.iter_bytes

    @wraps(chunks)
    def tee(*arguments: Any, **options: Any) -> Iterator[bytes]:
        for chunk in chunks(*arguments, **options):
            body.feed(chunk)
            yield chunk
        body.end()

    response.iter_bytes = tee
