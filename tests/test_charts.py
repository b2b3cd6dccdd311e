"""What charts draw, by their traces: lines over steps rise and never go back."""

from __future__ import annotations

import pandas as pd

from costlab import charts


def test_the_cost_so_far_rises_also_where_a_step_ended_after_those_it_started() -> None:
    # Step 2 hands over to an agent that takes steps 3 and 4, and ends after them.
    frame = pd.DataFrame({"order": [1, 3, 4, 2], "usd m": [1.0, 4.0, 8.0, 2.0]})
    (line,) = charts.cumulative(frame, ["m"]).data
    assert list(line.x) == [0, 1, 2, 3, 4]
    assert list(line.y) == [0.0, 1.0, 3.0, 7.0, 15.0]


def test_the_cost_so_far_counts_the_steps_that_are_shown() -> None:
    frame = pd.DataFrame({"order": [1, 3], "usd m": [1.0, 4.0]})  # step 2 is under way
    (line,) = charts.cumulative(frame, ["m"]).data
    assert (list(line.x), list(line.y)) == ([0, 1, 3], [0.0, 1.0, 5.0])


def test_two_runs_have_a_line_each_over_their_own_steps() -> None:
    frames = {"a": pd.DataFrame({"order": [1, 2], "usd run": [1.0, 2.0]}), "b": pd.DataFrame()}
    first, second = charts.cost_side_by_side(frames).data
    assert (list(first.x), list(first.y)) == ([0, 1, 2], [0.0, 1.0, 3.0])
    assert (list(second.x), list(second.y)) == ([0], [0.0])
    assert first.line.dash != second.line.dash  # told apart without colour


def test_response_times_stand_on_a_logarithmic_scale_only_where_one_would_press_the_others_together() -> None:
    even = charts.latency_boxes(pd.DataFrame({"model": ["m"] * 3, "seconds": [1.0, 2.0, 50.0]}))  # 50 = 25 x 2
    wide = charts.latency_boxes(pd.DataFrame({"model": ["m"] * 3, "seconds": [1.0, 2.0, 50.1]}))
    assert (even.layout.xaxis.type, wide.layout.xaxis.type) == (None, "log")
    assert charts.latency_boxes(pd.DataFrame({"model": [], "seconds": []})).layout.xaxis.type is None


def test_a_lower_bound_is_marked_at_the_end_of_its_bar() -> None:
    rows = [
        {"model": "a", "usd": 1.0, "uncached": 2.0, "state": "priced"},
        {"model": "b", "usd": 3.0, "uncached": 4.0, "state": "lower_bound"},
    ]
    frame = pd.DataFrame(rows).assign(**dict.fromkeys(charts.KINDS, 0.5))
    (mark,) = [one for one in charts.compare_bars(frame).data if one.type == "scatter" and one.mode == "text"]
    assert (list(mark.y), list(mark.x), list(mark.text)) == (["b"], [4.0], ["   ≥ lower bound"])
    assert not [one for one in charts.compare_bars(frame[:1]).data if one.type == "scatter" and one.mode == "text"]
