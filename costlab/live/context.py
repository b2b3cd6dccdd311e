"""Where in a run the current code stands: context variables, and generators that keep them right.

A variable is set just before each `next()` and reset just after it, never across a `yield`: then a streamed run may be
consumed in any thread or context.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar

T = TypeVar("T")

# Their types stand above this module: recording.Place, calling.OpenCall, tracking.Track.
PLACE: ContextVar[Any] = ContextVar("costlab_place", default=None)
CALL: ContextVar[Any] = ContextVar("costlab_call", default=None)
TRACK: ContextVar[Any] = ContextVar("costlab_track", default=None)


@contextmanager
def at(variable: ContextVar[T], value: T) -> Iterator[None]:
    """Set a context variable for a block."""
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


def stepped(inner: Iterator[T], variable: ContextVar[Any], value: object) -> Iterator[T]:
    """Yield what a generator yields, with a context variable set while it works; closing closes it."""
    try:
        while True:
            token = variable.set(value)
            try:
                item = next(inner)
            except StopIteration:
                return
            finally:
                variable.reset(token)
            yield item
    finally:
        close = getattr(inner, "close", None)
        if close is not None:
            close()


class ContextPool(ThreadPoolExecutor):
    """A thread pool whose work sees the context of who submitted it.

    smolagents runs model-written code in a fresh pool without it, and a managed agent called there would not know
    its parent (upstream: huggingface/smolagents issue 1961).
    """

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Submit work with a copy of the current context."""
        return super().submit(copy_context().run, fn, *args, **kwargs)
