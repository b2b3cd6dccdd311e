"""A recording while its run is under way: each event is one write, so that a killed run loses at most a line."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from costlab.errors import Conflict, CostLabError
from costlab.runs import AgentNode, Attempt, ModelCall, Run, Step, ToolCall
from costlab.store import log
from costlab.store.living import me
from costlab.store.record import Event, content_of, dumps, record
from costlab.usage import UsageWarning


class RecordingWriter:
    """Appends a run's events to a new file. Any thread may call it. Raises BadInput for what cannot be stored."""

    def __init__(self, path: Path, run: Run) -> None:
        """Begin a recording with the facts of `run` known at its start; raises Conflict where the file exists."""
        self.path = path
        self._lock, self._known = Lock(), set[str]()
        self._asked: dict[str, tuple[object, ...]] = {}  # of open calls, by id
        first = dumps(log.header(run, me()))
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(path, flags, 0o600)
        except FileExistsError:
            raise Conflict(f"{path} is there already; a recording is never continued by another run") from None
        except OSError as problem:
            raise CostLabError(f"cannot write {path}: {problem.strerror or problem}") from problem
        try:
            self._append(first)
        except CostLabError:
            os.close(self._handle)
            path.unlink(missing_ok=True)  # a recording without its header is none
            raise

    def _append(self, line: bytes) -> None:
        """Write one line whole; what the disk took of a line that it did not take whole is taken back."""
        if self._handle < 0:
            raise CostLabError(f"cannot write {self.path}: it was closed")
        written = 0
        try:
            while written < len(line):
                written += os.write(self._handle, line[written:])
        except OSError as problem:
            if written:
                os.ftruncate(self._handle, os.fstat(self._handle).st_size - written)
            raise CostLabError(f"cannot write {self.path}: {problem.strerror or problem}") from problem

    def _event(self, event: Event) -> None:
        line = dumps(event)
        with self._lock:
            self._append(line)

    def content(self, value: object, kind: str) -> str:
        """Store a message, tool definition or output once and return its SHA-256."""
        content = content_of(value, kind)
        if content.sha256 in self._known:  # most of a prompt was sent before
            return content.sha256
        line = dumps(log.content_event(content))
        with self._lock:
            if content.sha256 not in self._known:
                self._append(line)
                self._known.add(content.sha256)
        return content.sha256

    def agent(self, node: AgentNode) -> None:
        """Record an agent of the run."""
        self._event({"event": "agent", **record(node)})

    def step_open(self, step: Step) -> None:
        """Record that a step begins."""
        self._event(log.step_open(step))

    def call_open(self, step_id: str, call: ModelCall) -> None:
        """Record a request before it is sent: what is known of the call."""
        self._event(log.inside("call_open", step_id, call))
        self._asked[call.call_id] = _asked(call)

    def attempt(self, call_id: str, attempt: Attempt) -> None:
        """Record one HTTP try of an open call."""
        self._event({"event": "attempt", "call_id": call_id, **record(attempt)})

    def call(self, step_id: str, call: ModelCall) -> None:
        """Record a finished call; it keeps the attempts recorded before unless it has its own.

        What was asked stands in its `call_open` and is not written twice.
        """
        known = self._asked.pop(call.call_id, None) == _asked(call)
        self._event(log.inside("call", step_id, call, log.ASKED if known else ()))

    def tool(self, step_id: str, tool: ToolCall) -> None:
        """Record a finished tool call."""
        self._event(log.inside("tool", step_id, tool))

    def step(self, step_id: str, *, error: str | None = None, duration_s: float | None = None) -> None:
        """Record that a step has ended."""
        self._event(log.step_end(step_id, error, duration_s))

    def amend(self, *, correct: bool | None = None, title: str | None = None) -> None:
        """Record a later fact of the run; None changes nothing."""
        given = {name: value for name, value in (("correct", correct), ("title", title)) if value is not None}
        self._event({"event": "amend", **given})

    def end(
        self,
        state: str,
        *,
        duration_s: float | None = None,
        answer: str | None = None,
        warnings: tuple[UsageWarning, ...] = (),
    ) -> None:
        """Record that the run has ended, with what its reader must know of the whole, and close the file."""
        run = Run("", state=state, duration_s=duration_s, answer=answer, warnings=warnings)
        self._event({**log.end(run), **log.end_notes(run)})
        self.close()

    def close(self) -> None:
        """Close the file; without `end` the run is cut."""
        with self._lock:
            handle, self._handle = self._handle, -1
            if handle < 0:
                return
            try:
                os.fsync(handle)
            except OSError as problem:
                raise CostLabError(f"cannot write {self.path}: {problem.strerror or problem}") from problem
            finally:
                os.close(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _asked(call: ModelCall) -> tuple[object, ...]:
    return tuple(getattr(call, name) for name in log.ASKED)
