"""Two small runs for tests of the app: one billed by a provider, one on a local model, with round numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from costlab.runs import ModelCall, Run, Step, ToolCall
from costlab.store import Store

DAY = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def call(number: int, provider: str, model: str, **counts: int) -> ModelCall:
    """Return the `number`-th call of a run, two seconds long, ten seconds after the one before."""
    begin = DAY + timedelta(seconds=10 * number)
    return ModelCall(f"c{number}", provider, model, counts, started_at=begin, duration_s=2.0)


def run_of(run_id: str, title: str, provider: str, model: str) -> Run:
    """Return a run of two steps: 10,000 in (8,000 of them cached the second time), 1,000 out each."""
    first = call(1, provider, model, input_tokens=10_000, output_tokens=1_000)
    second = call(2, provider, model, input_tokens=10_000, cache_read_tokens=8_000, output_tokens=1_000)
    steps = tuple(
        Step(
            f"s{n}",
            n,
            "action",
            started_at=c.started_at,
            duration_s=4.0,
            calls=(c,),
            tools=(ToolCall("look", f"t{n}"),),
        )
        for n, c in enumerate((first, second), 1)
    )
    return Run(run_id, task=title, title=title, agent="ToolCallingAgent", started_at=DAY, duration_s=24.0, steps=steps,
               answer="42", correct=True, source={"format": "costlab"})  # fmt: skip


def fill(home: Path) -> None:
    """Save both runs in a home."""
    Store(home).add([run_of("billed-run", "A billed run", "openai", "gpt-5-mini"),
                     run_of("local-run", "A local run", "local", "qwen")])  # fmt: skip
