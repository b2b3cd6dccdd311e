"""Sketches: an agent's loop from a few assumptions, its counts worked out by hand, its laws, its text."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import costlab as cl
from costlab.cli import main

COUNTED = ("steps", "system_tokens", "task_tokens", "tool_tokens", "output_tokens", "thinking_tokens")
small = st.integers(0, 5_000)
pictures = st.builds(
    cl.SketchedPicture, st.integers(1, 4_000), st.integers(1, 4_000),
    st.sampled_from([None, "low", "high", "auto", "original"]), st.just(1), st.integers(1, 9),
)  # fmt: skip
plans = st.builds(
    cl.Sketch, st.integers(1, 40), small, small, small, small, small, st.integers(0, 100),
    st.lists(pictures, max_size=4).map(tuple), st.text("abc=;*, 智能体", max_size=20),
)  # fmt: skip


def total(plan: cl.Sketch, key: str) -> int:
    """Return a sketch's sum of one unit over its calls."""
    return int(cl.run_counts(cl.sketch(plan)).get(key, 0))


def test_the_context_grows_step_by_step() -> None:
    run = cl.sketch(cl.Sketch(steps=3, system_tokens=1_000, task_tokens=100, tool_tokens=300, output_tokens=50))
    # 1,000 + 100; then 50 + 300 more with each step
    assert [call.counts for call in run.calls] == [
        {"input_tokens": 1_100, "output_tokens": 50},
        {"input_tokens": 1_450, "output_tokens": 50},
        {"input_tokens": 1_800, "output_tokens": 50},
    ]
    assert run.bases == ("assumed",)
    assert run.sketched
    assert run.unbilled
    assert not run.local


def test_a_cache_reads_what_was_sent_and_writes_the_rest() -> None:
    run = cl.sketch(cl.Sketch(2, 1_000, 100, 300, 50, cached_percent=90))
    first, second = (call.counts for call in run.calls)
    assert (first["cache_read_tokens"], first["cache_write_tokens"]) == (0, 1_100)
    # 90 % of the 1,100 of the call before; 1,450 - 990 are written
    assert (second["cache_read_tokens"], second["cache_write_tokens"], second["input_tokens"]) == (990, 460, 1_450)
    assert second["cache_write_5m_tokens"] == 460


def test_thinking_is_output_and_is_not_sent_again() -> None:
    run = cl.sketch(cl.Sketch(2, 1_000, 0, 0, 50, thinking_tokens=200))
    assert [call.counts["output_tokens"] for call in run.calls] == [250, 250]
    assert [call.counts["output_reasoning_tokens"] for call in run.calls] == [200, 200]
    assert [call.counts["input_tokens"] for call in run.calls] == [1_000, 1_050]


def test_what_a_sketch_costs(shipped: cl.PriceTable) -> None:
    plan = cl.Sketch(3, 1_000, 100, 300, 50, cached_percent=100)
    mini, haiku = cl.compare(
        cl.sketch(plan), ["openai/gpt-5-mini", "anthropic/claude-haiku-4-5"], shipped, at="2026-11-20"
    )
    # in: 1,100 + 1,450 + 1,800 = 4,350, of them 1,100 + 1,450 = 2,550 read and 1,800 written; out: 150
    # gpt-5-mini: (1,800 x 0.25 + 2,550 x 0.025 + 150 x 2) USD per million; nobody charges for writing
    assert mini.cost.total == Decimal("0.00081375")
    assert mini.uncached.total == Decimal("0.0013875")  # 4,350 x 0.25 + 150 x 2
    # claude-haiku-4-5: (1,800 x 1.25 + 2,550 x 0.10 + 150 x 5) USD per million
    assert haiku.cost.total == Decimal("0.003255")
    assert not haiku.lower_bound
    assert set(haiku.basis.values()) == {"assumed"}


def test_pictures_are_counted_by_each_model_and_sent_again(shipped: cl.PriceTable) -> None:
    plan = cl.Sketch(3, 0, 0, 0, 0, pictures=(cl.SketchedPicture(1_024, 1_024, "high", step=2, count=2),))
    run = cl.sketch(plan)
    assert [len(call.media) for call in run.calls] == [0, 2, 2]
    assert run.meta["media_counted"] is False
    found = cl.compare(run, ["openai/gpt-4o"], shipped, at="2026-11-20")[0]
    # 1024 x 1024 high on gpt-4o: 85 + 4 tiles x 170 = 765 tokens; 2 pictures in 2 calls at 2.50 USD per million
    assert found.cost.total == Decimal(4 * 765) * Decimal("2.5") / 1_000_000
    assert found.basis["input_image_tokens"] == "counted"


def test_pictures_are_cached_as_the_text_is(shipped: cl.PriceTable) -> None:
    plan = cl.Sketch(3, 1_000, 0, 0, 100, cached_percent=90, pictures=(cl.SketchedPicture(1_024, 1_024, "high"),))
    found = cl.compare(cl.sketch(plan), ["openai/gpt-4o", "anthropic/claude-haiku-4-5"], shipped, at="2026-11-20")
    gpt, haiku = ({line.unit: 0 for line in one.cost.lines} for one in found)
    for units, one in ((gpt, found[0]), (haiku, found[1])):
        for line in one.cost.lines:
            units[line.unit] += int(line.quantity)
    # 765 tokens in 3 calls: 765 written, then 90 % of 765 = 688 read and 77 written, twice
    assert (gpt["cache_image_read_tokens"], gpt["cache_image_write_5m_tokens"]) == (1_376, 919)
    # its text: 1,000 + 1,100 + 1,200, of which 900 and 990 are read
    assert (gpt["cache_read_tokens"], gpt["cache_write_5m_tokens"]) == (1_890, 1_410)
    assert sum(gpt.values()) == 3 * 765 + 3_300 + 300
    # gpt-4o at 2.50, 1.25 cached, 10.00 out: (1,376 + 1,890) x 1.25 + (919 + 1,410) x 2.50 + 300 x 10.00
    assert found[0].cost.total == Decimal("0.012905")
    # nothing cached: (2,295 + 3,300) x 2.50 + 3,000
    assert found[0].uncached.total == Decimal("0.0169875")
    read, written = haiku["cache_image_read_tokens"], haiku["cache_image_write_5m_tokens"]
    assert (read + written) % 3 == 0
    assert read == (read + written) // 3 * 90 // 100 * 2


def test_a_sketch_itself_has_no_price_and_is_not_free(shipped: cl.PriceTable) -> None:
    cost = cl.price_run(cl.sketch(cl.SKETCHES["tools"]), shipped).cost
    assert cost.known is None
    assert not cost.free
    assert {one.why for one in cost.unpriced} == {"no model is named"}


@given(plans)
@settings(deadline=None, max_examples=60)
def test_totals_are_the_closed_formula(plan: cl.Sketch) -> None:
    n = plan.steps
    context = n * (plan.system_tokens + plan.task_tokens)
    again = (plan.output_tokens + plan.tool_tokens) * n * (n - 1) // 2
    assert total(plan, "input_tokens") == context + again
    assert total(plan, "output_tokens") == n * (plan.output_tokens + plan.thinking_tokens)
    if plan.cached_percent:
        both = total(plan, "cache_read_tokens") + total(plan, "cache_write_tokens")
        assert both == total(plan, "input_tokens")
    sends = sum(one.count * (n - one.step + 1) for one in plan.pictures)
    assert sum(len(call.media) for call in cl.sketch(plan).calls) == sends


@given(plans, st.sampled_from(COUNTED), st.integers(1, 50))
@settings(deadline=None, max_examples=60)
def test_more_of_anything_is_never_fewer_tokens(plan: cl.Sketch, field: str, more: int) -> None:
    wider = replace(plan, **{field: getattr(plan, field) + more})
    for key in ("input_tokens", "output_tokens", "cache_read_tokens"):
        assert total(wider, key) >= total(plan, key)


@given(plans)
@settings(deadline=None, max_examples=60)
def test_text_and_back_is_the_same_sketch(plan: cl.Sketch) -> None:
    assert cl.parse_sketch(plan.text) == plan
    assert cl.sketch(cl.parse_sketch(plan.text)) == cl.sketch(plan)


def test_the_text_of_a_sketch() -> None:
    plan = cl.SKETCHES["pictures"]
    assert plan.text == (
        "steps=6;system=800;task=200;tools=200;output=200;thinking=0;cached=0;pictures=4*1600x1200@1:high"
    )
    assert cl.parse_sketch("steps=3;name=a;b=c") == cl.Sketch(3, name="a;b=c")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("steps=0", "steps: must be a whole number from 1 to 500, not 0"),
        ("steps=many", "steps: not a whole number: 'many'"),
        ("cached=101", "cached_percent: must be a whole number from 0 to 100, not 101"),
        ("pictures=1*9x9", "pictures: not a picture as in 2*1024x768@1:high: '1*9x9'"),
        ("steps=2;pictures=1*9x9@3", "picture step: must be a whole number from 1 to 2, not 3"),
        ("pictures=1*9x9@1:sharp", "picture detail: unknown: 'sharp'; there are auto, low, high, original"),
        ("pictures=50*9x9@1,1*9x9@1", "pictures: at most 50 pictures in all"),
        ("speed=9", "sketch: unknown word 'speed'; there are steps, system, task, tools, output, thinking, cached, "
                    "pictures, name"),
        ("steps=" + "9" * 1_000, "sketch: has more than 1000 characters"),
        ("name=a\nb", "name: one line of at most 80 characters"),
    ],
)  # fmt: skip
def test_a_wrong_sketch_names_its_field(text: str, told: str) -> None:
    with pytest.raises(cl.BadInput) as refused:
        cl.parse_sketch(text)
    assert str(refused.value) == told


def test_a_sketch_is_kept_as_a_recording(tmp_path: Path) -> None:
    run = cl.sketch(replace(cl.SKETCHES["pictures"], name="Picture reader"))
    cl.Store(tmp_path).add([run])
    kept = cl.Store(tmp_path).open(run.run_id)
    assert kept == run
    assert cl.sketch(cl.parse_sketch(str(kept.meta["sketch"]))) == run


def test_the_command_line_says_that_counts_are_assumed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = cl.sketch(cl.Sketch(3, 1_000, 100, 300, 50, name="Mine"))
    cl.Store().add([run])
    assert main(["runs"]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if run.run_id in line)
    assert row.split() == [run.run_id, "sketch", "3", "4,350", "150", "not", "billed", "Mine"]
    assert main(["show", run.run_id]) == 0
    told = capsys.readouterr().out
    assert "counts: assumed" in told
    assert "a sketch: every count is assumed; on openai/gpt-5-mini: $0.00139" in told
    assert main(["compare", run.run_id, "--models", "openai/gpt-5-mini", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["runs"][0]
    assert (found["billed"], found["note"]) == (False, "a sketch: every count is assumed")
    assert found["models"][0]["basis"] == {"input_tokens": "assumed", "output_tokens": "assumed"}
