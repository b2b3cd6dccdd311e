"""A server that speaks the OpenAI and Anthropic wire formats from a script, with its own ledger of what it served.

It knows nothing of CostLab: its ledger is the truth that a meter is held against. One `Turn` is one request's fate;
what an agent is told to do stands in it as a tool call or as text.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Call = tuple[str, dict[str, Any]]


@dataclass
class Turn:
    """What one request gets: an answer with usage, or a failure."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    tokens_in: int = 100
    out: int = 10
    cached: int = 0
    written: int = 0  # Anthropic's cache writes
    reasoning: int = 0
    audio_in: int = 0
    audio_out: int = 0
    status: int = 200
    drop: bool = False  # the socket is closed before an answer
    cut_after: int | None = None  # pieces of a stream, then the socket is closed
    error_after: int | None = None  # pieces of a stream, then an error event
    pause: float = 0.0  # seconds before each piece
    wait: float = 0.0  # seconds before the first byte
    running: bool = False  # usage on every chunk
    usage: bool = True
    retry_after: str | None = None  # milliseconds, as a header that OpenAI's client heeds


@dataclass
class Served:
    """One line of the ledger: what the server answered and what it bills for it."""

    path: str
    status: int
    model: str
    usage: dict[str, int] = field(default_factory=dict)
    pieces: int = 0
    whole: bool = True
    streamed: bool = False
    closed_at: float | None = None  # when it saw the client go, on `time.monotonic`
    request: dict[str, Any] = field(default_factory=dict)


Script = Callable[[dict[str, Any]], Turn]


@dataclass
class Wire:
    """The server's script and ledger."""

    script: Script
    address: str = ""
    ledger: list[Served] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def total(self, unit: str) -> int:
        """Sum a unit over everything that was answered."""
        return sum(one.usage.get(unit, 0) for one in self.ledger)


def turns(*given: Turn) -> Script:
    """Answer with one turn after the other, whoever asks."""
    waiting, lock = list(given), threading.Lock()

    def script(request: dict[str, Any]) -> Turn:
        with lock:
            return waiting.pop(0)

    return script


def final(answer: str = "42", **more: Any) -> Turn:
    """The turn that ends a ToolCallingAgent's run."""
    return Turn(calls=(("final_answer", {"answer": answer}),), **more)


def code(lines: str, **more: Any) -> Turn:
    """A CodeAgent's turn."""
    return Turn(text=f"Thought: go on.\n<code>\n{lines}\n</code>", **more)


@contextmanager
def serving(script: Script) -> Iterator[Wire]:
    """Serve until the block ends, in a thread of this process."""
    wire = Wire(script)

    class Handler(_Handler):
        pass

    Handler.wire = wire
    server = _Server(("127.0.0.1", 0), Handler)
    wire.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield wire
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    wire: Wire
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        turn = self.wire.script(body)
        served = Served(self.path, turn.status, str(body.get("model")), streamed=bool(body.get("stream")), request=body)
        with self.wire.lock:
            self.wire.ledger.append(served)
        if turn.wait:
            self._wait(turn.wait, served)
        if turn.drop:
            served.status, served.whole = 0, False
            self.close_connection = True
            self.connection.close()
            return
        if turn.status != 200:
            self._json({"error": {"message": f"scripted {turn.status}", "type": "scripted"}}, turn)
            return
        anthropic = self.path.endswith("/messages")
        if not served.streamed:
            served.usage = billed(turn)
            self._json(_anthropic_body(turn, served.model) if anthropic else _openai_body(turn, served.model), turn)
            return
        self._stream(_anthropic_events(turn, served) if anthropic else _openai_events(turn, served, body), turn, served)

    def _wait(self, seconds: float, served: Served) -> None:
        """Wait, and note when the client goes meanwhile."""
        self.connection.settimeout(min(seconds, 0.02))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if self.connection.recv(1) == b"":
                    served.closed_at, served.whole = time.monotonic(), False
                    break
            except TimeoutError:
                continue
        self.connection.settimeout(None)

    def _json(self, body: dict[str, Any], turn: Turn) -> None:
        data = json.dumps(body).encode()
        self.send_response(turn.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("x-request-id", f"req-{len(self.wire.ledger)}")
        if turn.retry_after:
            self.send_header("retry-after-ms", turn.retry_after)
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, events: Iterator[tuple[str | None, dict[str, Any]]], turn: Turn, served: Served) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        served.whole = False
        for name, event in events:
            if turn.pause:
                self._wait(turn.pause, served)
            if served.closed_at is not None:
                self.close_connection = True
                return
            head = f"event: {name}\n" if name else ""
            if not self._chunk(f"{head}data: {json.dumps(event)}\n\n".encode(), served):
                return
            if turn.cut_after is not None and served.pieces >= turn.cut_after:
                self.close_connection = True
                self.connection.close()
                return
            if turn.error_after is not None and served.pieces >= turn.error_after:
                break
        if turn.error_after is not None:
            self._chunk(b'data: {"error": {"message": "scripted error", "type": "server_error"}}\n\n', served)
            self._chunk(b"", served)
            return
        if not self.path.endswith("/messages"):
            self._chunk(b"data: [DONE]\n\n", served)
        served.whole, served.usage = True, billed(turn)
        self._chunk(b"", served)

    def _chunk(self, data: bytes, served: Served) -> bool:
        try:
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            return True
        except OSError:
            served.closed_at = served.closed_at or time.monotonic()
            self.close_connection = True
            return False


def billed(turn: Turn) -> dict[str, int]:
    """What the server bills for a turn, inclusive: input holds cached and written tokens, output holds reasoning."""
    return {
        "input_tokens": turn.tokens_in, "output_tokens": turn.out, "cache_read_tokens": turn.cached,
        "cache_write_tokens": turn.written, "output_reasoning_tokens": turn.reasoning,
        "input_audio_tokens": turn.audio_in, "output_audio_tokens": turn.audio_out,
    }  # fmt: skip


def _openai_usage(turn: Turn) -> dict[str, Any]:
    return {
        "prompt_tokens": turn.tokens_in,
        "completion_tokens": turn.out,
        "total_tokens": turn.tokens_in + turn.out,
        "prompt_tokens_details": {"cached_tokens": turn.cached, "audio_tokens": turn.audio_in},
        "completion_tokens_details": {"reasoning_tokens": turn.reasoning, "audio_tokens": turn.audio_out},
    }


def _tool_calls(turn: Turn) -> list[dict[str, Any]]:
    return [
        {"id": f"call_{n}_{time.monotonic_ns()}", "type": "function",
         "function": {"name": name, "arguments": json.dumps(arguments)}}
        for n, (name, arguments) in enumerate(turn.calls)
    ]  # fmt: skip


def _openai_body(turn: Turn, model: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": turn.text or None}
    if turn.calls:
        message["tool_calls"] = _tool_calls(turn)
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if turn.calls else "stop"}
    body = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model, "choices": [choice]}
    return {**body, "usage": _openai_usage(turn)} if turn.usage else body


def _openai_events(turn: Turn, served: Served, request: dict[str, Any]) -> Iterator[tuple[None, dict[str, Any]]]:
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": served.model}
    asked = bool((request.get("stream_options") or {}).get("include_usage")) and turn.usage

    def chunk(delta: dict[str, Any], finish: str | None = None) -> tuple[None, dict[str, Any]]:
        event = {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        running = {**_openai_usage(turn), "completion_tokens": min(turn.out, served.pieces)}
        return None, {**event, "usage": running if turn.running else None}

    yield chunk({"role": "assistant", "content": ""})
    for word in turn.text.split(" ") if turn.text else ():
        served.pieces += 1
        yield chunk({"content": word if served.pieces == 1 else f" {word}"})
    for n, call in enumerate(_tool_calls(turn)):
        arguments = call["function"]["arguments"]
        function = {"name": call["function"]["name"], "arguments": ""}
        served.pieces += 1
        yield chunk({"tool_calls": [{"index": n, **call, "function": function}]})
        for start in range(0, len(arguments), 12):
            served.pieces += 1
            yield chunk({"tool_calls": [{"index": n, "function": {"arguments": arguments[start : start + 12]}}]})
    yield chunk({}, "tool_calls" if turn.calls else "stop")
    if asked:
        yield None, {**base, "choices": [], "usage": _openai_usage(turn)}


def _anthropic_usage(turn: Turn) -> dict[str, Any]:
    """Anthropic counts cached and written tokens beside the input."""
    return {
        "input_tokens": turn.tokens_in - turn.cached - turn.written,
        "cache_read_input_tokens": turn.cached,
        "cache_creation_input_tokens": turn.written,
        "output_tokens": turn.out,
    }


def _anthropic_blocks(turn: Turn) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = [{"type": "text", "text": turn.text}] if turn.text else []
    for call in _tool_calls(turn):
        name, arguments = call["function"]["name"], json.loads(call["function"]["arguments"])
        blocks.append({"type": "tool_use", "id": call["id"], "name": name, "input": arguments})
    return blocks


def _anthropic_body(turn: Turn, model: str) -> dict[str, Any]:
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": _anthropic_blocks(turn),
        "stop_reason": "tool_use" if turn.calls else "end_turn", "stop_sequence": None, "usage": _anthropic_usage(turn),
    }  # fmt: skip


def _anthropic_events(turn: Turn, served: Served) -> Iterator[tuple[str, dict[str, Any]]]:
    start = {**_anthropic_body(turn, served.model), "content": [], "stop_reason": None}
    start["usage"] = {**_anthropic_usage(turn), "output_tokens": 1}

    def event(kind: str, **more: Any) -> tuple[str, dict[str, Any]]:
        return kind, {"type": kind, **more}

    yield event("message_start", message=start)
    for index, block in enumerate(_anthropic_blocks(turn)):
        if block["type"] == "text":
            yield event("content_block_start", index=index, content_block={"type": "text", "text": ""})
            for word in block["text"].split(" "):
                served.pieces += 1
                delta = {"type": "text_delta", "text": word + " "}
                yield event("content_block_delta", index=index, delta=delta)
        else:
            yield event("content_block_start", index=index, content_block={**block, "input": {}})
            served.pieces += 1
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
            yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)
    reason = "tool_use" if turn.calls else "end_turn"
    yield event(
        "message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage={"output_tokens": turn.out}
    )
    yield event("message_stop")
