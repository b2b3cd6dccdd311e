"""Trials for tests: plans on a scripted server, and a patient look at where one stands."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from live_agents import KEY
from wire_server import Script, Turn, final

import costlab as cl

ASKS = Turn(calls=(("calculator", {"expression": "6 * 7"}),), tokens_in=1_000, out=50, cached=400)


def entrant(address: str, name: str = "gpt-4o-mini", key: str | None = KEY) -> cl.Entrant:
    """Return a model on a scripted server."""
    return cl.Entrant(f"openai/{name}", f"openai/{name}", f"{address}/v1", key)


def plan_on(address: str, *names: str, key: str | None = KEY, **more: Any) -> cl.TrialPlan:
    """Return a plan for models on one scripted server."""
    found = tuple(entrant(address, name, key) for name in names or ("gpt-4o-mini",))
    given: dict[str, Any] = {"task": "What is 6 times 7?", "table": cl.load_table(), "tools": ("calculator",),
                             "streamed": False, "max_tokens": 100, **more}  # fmt: skip
    return cl.TrialPlan(found, **given)


def by_model(**scripts: list[Turn]) -> Script:
    """Answer each model with turns of its own, by its name with underscores; the last one again and again."""

    def script(request: dict[str, Any]) -> Turn:
        waiting = scripts[request["model"].replace("-", "_").replace(".", "_")]
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    return script


def two_steps(request: dict[str, Any]) -> Turn:
    """Ask the calculator, then answer."""
    asked = any(one["role"] in ("tool", "tool-response", "assistant") for one in request["messages"])
    return final(tokens_in=1_200, out=60, cached=1_000) if asked else ASKS


def until(done: Callable[[], Any], seconds: float = 60) -> Any:
    """Return what is asked for once it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = done()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def ended(trials: cl.Trials, trial_id: str) -> cl.TrialView:
    """Return a trial once it has ended."""

    def look() -> cl.TrialView | None:
        view = trials.view(trial_id)
        return view if view and view.ended else None

    found: cl.TrialView = until(look)
    return found
