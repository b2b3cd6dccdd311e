"""How a run is ended from outside: a switch anybody may press, and what is raised when it was.

What is raised derives from BaseException, as KeyboardInterrupt does: an agent turns every Exception of a managed
agent into an observation and goes on spending. Its text holds no number: smolagents takes an error with `429` in it
for a rate limit and tries again.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Lock


class Halt(BaseException):
    """A run that was ended from outside; `state` is what its recording says."""

    state = "stopped"

    def fresh(self) -> Halt:
        """Return the same once more, to be raised elsewhere."""
        return type(self)()


class Stopped(Halt):
    """Somebody pressed Stop."""

    def __init__(self) -> None:
        super().__init__("the run was stopped")


class OverBudget(Halt):
    """The next call would pass the budget, or the call under way has reached it. `limit` says which limit it was."""

    state = "over_budget"

    def __init__(self, limit: str) -> None:
        self.limit = limit
        super().__init__(f"the budget in {limit} is used up")

    def fresh(self) -> Halt:
        """Return the same once more, to be raised elsewhere."""
        return OverBudget(self.limit)


class Stop:
    """A switch that ends runs at once, pressed from any thread: streams are closed, waits between retries end."""

    def __init__(self) -> None:
        self._event, self._lock = Event(), Lock()
        self._hooks: list[Callable[[], None]] = []

    @property
    def requested(self) -> bool:
        """Return whether it was pressed."""
        return self._event.is_set()

    def press(self) -> None:
        """End every run that holds this switch."""
        self._event.set()
        with self._lock:
            hooks = tuple(self._hooks)
        for hook in hooks:
            hook()

    def wait(self, seconds: float) -> bool:
        """Wait for a time, or until it is pressed; return whether it was."""
        return self._event.wait(seconds)

    def on_press(self, hook: Callable[[], None]) -> None:
        """Call something when it is pressed."""
        with self._lock:
            self._hooks.append(hook)

    def forget(self, hook: Callable[[], None]) -> None:
        """Take back `on_press`."""
        with self._lock:
            self._hooks.remove(hook)
