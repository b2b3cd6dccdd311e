"""When a recorded step is seen to have ended, and how much of an input had been sent before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import app_runs

from costlab.replay import Moment, moments, resent
from costlab.runs import Run, Step

RUN = app_runs.run_of("r", "t", "openai", "gpt-5-mini")


def test_steps_end_at_their_recorded_second() -> None:
    # steps begin 10 and 20 s after the run and last 4 s each
    assert moments(RUN) == (Moment(0, 14.0), Moment(1, 24.0))


def test_a_managed_agents_step_ends_before_the_step_that_started_it() -> None:
    outer, inner = RUN.steps
    outer = replace(outer, duration_s=30.0)  # from second 10 to second 40
    assert [m.step for m in moments(replace(RUN, steps=(outer, inner)))] == [1, 0]


def test_steps_without_times_follow_each_other() -> None:
    bare = tuple(replace(step, started_at=None, duration_s=None) for step in RUN.steps)
    run = replace(RUN, steps=bare)
    assert [m.at_s for m in moments(run)] == [2.0, 4.0]  # each has one call of 2 s
    assert moments(Run("r", steps=(Step("a", 1, "action"), Step("b", 2, "action")))) == (Moment(0, 1.0), Moment(1, 2.0))


def test_an_input_repeats_what_the_agent_had_before() -> None:
    # all of the second call's 10,000 may be the first's
    assert resent(RUN) == ((10_000, 0), (10_000, 10_000))


def test_an_answer_that_comes_back_as_input_is_sent_for_the_first_time() -> None:
    one, other = RUN.steps
    longer = replace(other.calls[0], counts={"input_tokens": 11_500, "output_tokens": 1_000})
    assert resent(replace(RUN, steps=(one, replace(other, calls=(longer,))))) == ((10_000, 0), (11_500, 10_000))


def test_another_agent_has_not_sent_it() -> None:
    one, other = RUN.steps
    assert resent(replace(RUN, steps=(one, replace(other, agent="clerk")))) == ((10_000, 0), (10_000, 0))


def test_times_before_the_run_are_its_start() -> None:
    early = tuple(replace(s, started_at=app_runs.DAY - timedelta(seconds=60)) for s in RUN.steps)
    assert [m.at_s for m in moments(replace(RUN, steps=early))] == [0.0, 0.0]


def test_what_was_paid_again_is_the_inputs_share(tmp_path) -> None:  # type: ignore[no-untyped-def]
    import costlab as cl

    priced = cl.price_run(RUN, cl.load_table(home=tmp_path))
    # all of the second call's input: (2,000 x 0.25 + 8,000 x 0.025) USD per million
    assert cl.paid_again(priced) == Decimal("0.0007")
    assert cl.paid_again(priced, [0]) == 0  # the first step sends nothing again
    assert cl.paid_again(priced, [1]) == Decimal("0.0007")


def test_of_what_was_sent_before_the_cached_part_counts_first(tmp_path) -> None:  # type: ignore[no-untyped-def]
    import costlab as cl

    one, other = RUN.steps
    counts = {"input_tokens": 12_500, "cache_read_tokens": 8_000, "output_tokens": 1_000}
    longer = replace(RUN, steps=(one, replace(other, calls=(replace(other.calls[0], counts=counts),))))
    priced = cl.price_run(longer, cl.load_table(home=tmp_path))
    # 10,000 sent before: 8,000 cached x 0.025, and 2,000 of the 4,500 fresh x 0.25 USD per million
    assert cl.paid_again(priced) == Decimal("0.0007")
