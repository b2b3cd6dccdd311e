"""Repeated runs as a median and a range, and a run as if it had started with a cold cache."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import app_runs
import pytest

import costlab as cl
from costlab.runs import Run, Step


def run_with(*counts: dict[str, int], state: str = "success", correct: bool | None = None, model: str = "x") -> Run:
    """Return a run with a call a step."""
    calls = [replace(app_runs.call(n, "openai", model), counts=given) for n, given in enumerate(counts, 1)]
    steps = tuple(Step(f"s{n}", n, "action", calls=(one,)) for n, one in enumerate(calls, 1))
    return Run("r", steps=steps, state=state, correct=correct, duration_s=float(len(steps)), started_at=app_runs.DAY)


def test_a_range() -> None:
    found = cl.Range.of([3, None, 1.5, 2])
    assert (found.n, found.low, found.median, found.high) == (3, Decimal("1.5"), 2, 3)
    assert cl.Range.of([1, 2]).median == Decimal("1.5")
    assert (cl.Range().n, cl.Range().median, cl.Range().low) == (0, None, None)


def test_only_what_came_to_its_end_by_itself_counts(shipped: cl.PriceTable) -> None:
    runs = [
        run_with({"input_tokens": 1_000_000 * n}, model="gpt-5-mini", state=state, correct=right)
        for n, state, right in ((1, "success", True), (3, "max_steps", False), (9, "over_budget", None),
                                (7, "stopped", None), (2, "failed", False))
    ]  # fmt: skip
    found = cl.repeated([(cl.price_run(run, shipped), cl.price_run(run, shipped)) for run in runs])
    assert (found.runs, found.whole, found.correct, found.checked) == (5, 2, 1, 3)
    # gpt-5-mini: 0.25 USD per million tokens of input
    assert (found.cost.low, found.cost.median, found.cost.high) == (Decimal("0.25"), Decimal("0.5"), Decimal("0.75"))
    assert found.total == Decimal("5.5")  # all 22 million tokens were paid
    assert found.input_tokens.median == 2_000_000
    assert not found.lower_bound


@pytest.mark.parametrize(
    ("counts", "reads"),
    [
        # what the first call reads was there before; later calls read what this run sent itself
        (((1_000, 400, 50), (1_300, 1_000, 50)), [0, 1_000]),
        (((1_000, 0, 50), (1_300, 1_050, 50)), [0, 1_050]),
        (((1_000, 0, 50), (1_300, 1_051, 50)), [0, 1_050]),
        (((1_000, 0, 50),), [0]),
    ],
)
def test_a_cold_start(counts: tuple[tuple[int, int, int], ...], reads: list[int]) -> None:
    given = [{"input_tokens": a, "cache_read_tokens": b, "output_tokens": c} for a, b, c in counts]
    cold = cl.cold_start(run_with(*given))
    assert [call.counts["cache_read_tokens"] for call in cold.calls] == reads
    assert [call.counts["input_tokens"] for call in cold.calls] == [a for a, _, _ in counts]


def test_what_was_warm_is_written_where_caches_are_written() -> None:
    first = {"input_tokens": 1_000, "cache_read_tokens": 600, "cache_write_tokens": 100}
    (call,) = cl.cold_start(run_with(first)).calls
    assert call.counts == {"input_tokens": 1_000, "cache_read_tokens": 0, "cache_write_tokens": 700}


def test_another_models_context_is_no_cache_of_this_one() -> None:
    one = run_with({"input_tokens": 5_000, "output_tokens": 10}, model="a")
    other = replace(run_with({"input_tokens": 1_000, "cache_read_tokens": 900}, model="b").steps[0], step_id="s2")
    assert cl.cold_start(replace(one, steps=(*one.steps, other))).calls[1].counts["cache_read_tokens"] == 0
