"""The numbers of runs, with literal figures; and the laws of money per tool over any runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from price_samples import NOW, call, rate, table, text_rates

from costlab.cost import RunCost, price_run
from costlab.monitoring import Amount, Metrics, Spread, summarise
from costlab.monitoring.allocation import exact_sum, split
from costlab.runs import Attempt, Content, ModelCall, Run, Step, ToolCall
from costlab.store import content_of

PRICES = table(*text_rates(), *text_rates("openai/dear", "20", "100"))  # 2 and 10, 20 and 100 USD per million


def one(number: int, *, into: int = 1_000, out: int = 100, **more: object) -> ModelCall:
    """Return a call with an id: 1,000 tokens in and 100 out are 0.002 + 0.001 = 0.003 USD."""
    return call({"input_tokens": into, "output_tokens": out}, **{"call_id": f"c{number}", **more})  # type: ignore[arg-type]


def step(number: int, *calls: ModelCall, tools: str = "", **more: object) -> Step:
    """Return a step whose first call asked for these tools."""
    asked = tuple(ToolCall(name, f"t{number}-{i}", call_id=calls[0].call_id) for i, name in enumerate(tools.split()))
    return Step(f"s{number}", number, "action", calls=calls, tools=asked, **more)  # type: ignore[arg-type]


def run(*steps: Step, run_id: str = "r1", **more: object) -> Run:
    """Return a run of these steps."""
    return Run(run_id, steps=steps, **more)  # type: ignore[arg-type]


def metrics(*runs: Run, reference: str = "") -> Metrics:
    """Return the numbers of runs at the test's prices."""
    return summarise([price_run(r, PRICES, now=NOW) for r in runs], reference)


def money(found: Metrics) -> dict[str, str]:
    """Return each tool's part, in plain decimals without needless zeros."""
    return {part.tool: format(part.usd.normalize(), "f") for part in found.allocation.parts}


# ---- steps, calls, times


def test_times_are_recorded_ones_by_nearest_rank() -> None:
    times = Spread.of([*(n / 10 for n in range(20, 0, -1)), None])  # 0.1 to 2.0 and one that is unknown
    assert (times.n, times.p50, times.p95) == (20, 1.0, 1.9)  # 10th and 19th of 20
    assert (Spread.of([3.0]).p50, Spread.of([3.0]).p95) == (3.0, 3.0)
    assert (Spread.of([1.0, 2.0]).p50, Spread.of([1.0, 2.0]).p95) == (1.0, 2.0)
    assert (Spread.of([None]).n, Spread().p50, Spread().p95) == (0, None, None)


def test_times_are_of_answered_calls_only() -> None:
    found = metrics(run(step(1, one(1, duration_s=2.0, ttft_s=0.5), one(2, duration_s=60.0, status="error"),
                             one(3, duration_s=9.0, status="cut"), one(4))))  # fmt: skip
    assert (found.latency.values, found.first_token.values) == ((2.0,), (0.5,))
    assert found.models[0].latency.values == (2.0,)


def test_steps_calls_and_tools_are_counted() -> None:
    found = metrics(run(step(1, one(1), tools="look look"), step(2, one(2), one(3), tools="add"),
                        replace(step(3, one(4)), kind="planning"), duration_s=9.0))  # fmt: skip
    assert (found.runs, found.steps, found.calls) == (1, 3, 4)
    assert found.step_kinds == {"action": 2, "planning": 1}
    assert found.tool_calls == {"look": 2, "add": 1}
    assert found.counts == {"input_tokens": 4_000, "output_tokens": 400}
    assert found.cost.usd == Decimal("0.012")  # 4 x 0.003
    assert found.run_time.values == (9.0,)


def test_models_are_told_apart_dearest_first() -> None:
    found = metrics(run(step(1, one(1), one(2, status="error")), step(2, one(3, of="openai/dear"))))
    assert [(m.name, m.calls, m.failed, m.cost.usd) for m in found.models] == [
        ("openai/dear", 1, 0, Decimal("0.03")),  # 1,000 x 20 + 100 x 100 USD per million
        ("openai/m", 2, 1, Decimal("0.006")),
    ]


# ---- what went wrong


def faults(*steps: Step, state: str = "success") -> dict[str, tuple[int, int]]:
    """Return the faults that there are: kind -> (count, of how many)."""
    return {f.kind: (f.count, f.n) for f in metrics(run(*steps, state=state)).faults if f.count}


def test_failed_and_cut_calls_are_a_share_of_calls() -> None:
    steps = step(1, one(1), one(2, status="error")), step(2, one(3, status="cut"), one(4))
    assert faults(*steps) == {"failed_call": (1, 4), "cut_call": (1, 4)}
    assert metrics(run(*steps)).fault("failed_call").rate == 0.25


def test_an_open_call_was_cut_where_the_run_is_over() -> None:
    assert faults(step(1, one(1, status="running")), state="cut") == {"cut_call": (1, 1)}
    assert faults(step(1, one(1, status="running")), state="running") == {}


def test_tool_errors_are_a_share_of_tool_calls() -> None:
    asked = step(1, one(1), tools="look look add")
    broken = replace(
        asked, tools=(replace(asked.tools[0], status="error"), *asked.tools[1:]), error="look: no such word"
    )
    assert faults(broken) == {"tool_error": (1, 3)}  # the step's error tells the same again: counted once


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Error while parsing tool call from model output: no JSON", "parse_error"),
        ("Error in code parsing:\nYour code snippet is invalid, because", "parse_error"),
        ("AgentParsingError: no action", "parse_error"),
        ("Code execution failed at line 'x' due to: InterpreterError: x is not defined", "code_error"),
        ("Check right_total failed with error: wrong", "step_error"),
    ],
)
def test_a_steps_error_is_named_by_its_kind(text: str, kind: str) -> None:
    assert faults(step(1, one(1), error=text), step(2, one(2))) == {kind: (1, 2)}


def test_the_step_limit_is_how_a_run_ended_and_no_fault() -> None:
    found = metrics(run(step(1, one(1), error="Reached max steps."), state="max_steps"))
    assert found.faulty_steps.count == 0
    assert found.states == {"max_steps": 1}


def test_a_failed_call_is_not_counted_again_as_its_steps_error() -> None:
    assert faults(step(1, one(1, status="error"), error="500 from the server")) == {"failed_call": (1, 1)}


def test_a_step_with_two_faults_is_one_faulty_step() -> None:
    asked = step(1, one(1), one(2, status="error"), tools="look")
    found = metrics(run(replace(asked, tools=(replace(asked.tools[0], status="error"),)), step(2, one(3))))
    assert (found.faulty_steps.count, found.faulty_steps.n, found.faulty_steps.rate) == (1, 2, 0.5)


def test_nothing_to_go_wrong_has_no_rate() -> None:
    assert metrics().fault("tool_error").rate is None


# ---- tries and what they cost


def test_tries_and_the_money_of_calls_without_an_answer() -> None:
    first = Attempt(NOW, 429, "too many", billed="no")
    again = one(1, attempts=(first, Attempt(NOW + timedelta(seconds=4), 200, billed="yes")))
    lost = one(2, status="error", attempts=(Attempt(NOW, error="dropped", billed="unknown"),))
    found = metrics(run(step(1, again), step(2, lost), step(3, one(3))))
    tries = found.attempts
    assert (tries.n, tries.tried_again, tries.waited_s) == (4, 1, 4.0)
    assert (tries.failed, tries.failed_billed, tries.failed_not_billed, tries.failed_unknown) == (2, 0, 1, 1)
    assert (tries.wasted.usd, tries.wasted.reasons) == (Decimal("0.003"), ("maybe_billed",))
    assert found.cost.reasons == ("maybe_billed",)


def test_a_failed_call_without_tries_is_one_failed_try() -> None:
    tries = metrics(run(step(1, one(1, into=0, out=0, status="error")))).attempts
    assert (tries.n, tries.failed, tries.failed_unknown, tries.wasted.usd) == (1, 1, 1, Decimal(0))


def test_a_cut_call_is_wasted_and_a_lower_bound() -> None:
    wasted = metrics(run(step(1, one(1, status="cut")))).attempts.wasted
    assert (wasted.usd, wasted.reasons) == (Decimal("0.003"), ("cut",))


# ---- money


def test_cost_per_correct_task_takes_checked_runs_only() -> None:
    runs = [
        run(step(1, one(1)), run_id=f"r{n}", correct=right) for n, right in enumerate([True, True, False, None, None])
    ]
    found = metrics(*runs)
    assert (found.runs, found.checked, found.correct, found.unchecked) == (5, 3, 2, 2)
    assert found.cost_per_correct is not None
    assert found.cost_per_correct.usd == Decimal("0.0045")  # 3 x 0.003 over 2 right ones: the wrong one was paid too
    assert found.cost_per_run is not None
    assert found.cost_per_run.usd == Decimal("0.003")


def test_an_answer_that_nobody_checked_is_no_success() -> None:
    found = metrics(run(step(1, one(1)), correct=None, state="success"))
    assert (found.correct, found.cost_per_correct) == (0, None)
    assert metrics(run(step(1, one(1)), correct=False)).cost_per_correct is None  # no money for each of no answers
    assert metrics().cost_per_run is None


def test_lower_bounds_are_carried() -> None:
    found = metrics(run(step(1, one(1, usage_basis="unknown")), correct=True))
    assert found.cost.reasons == ("unmetered",)
    assert found.cost_per_correct is not None
    assert found.cost_per_correct.lower_bound


def test_unpriced_is_not_zero() -> None:
    found = metrics(run(step(1, one(1, of="openai/nobody"), tools="look"), correct=True))
    assert (found.cost.usd, found.cost.reasons) == (None, ("unpriced",))
    assert found.cost_per_correct == Amount(None, ("unpriced",))
    assert money(found) == {"look": "0"}  # the parts of what has a price


def test_a_local_run_is_not_billed() -> None:
    found = metrics(run(step(1, one(1, of="local/qwen"))))
    assert (found.local_runs, found.cost.usd, found.cost.local, found.cost.free) == (1, Decimal(0), True, False)
    mixed = metrics(run(step(1, one(1, of="local/qwen"))), run(step(1, one(2)), run_id="r2"))
    assert (mixed.local_runs, mixed.cost.local, mixed.cost.usd) == (1, False, Decimal("0.003"))
    assert (mixed.runs, mixed.billed_runs, mixed.cost_per_run.usd) == (2, 1, Decimal("0.003"))  # nobody's 0 is no price
    right = metrics(
        run(step(1, one(1, of="local/qwen")), correct=True), run(step(1, one(2)), run_id="r2", correct=True)
    )
    assert right.cost_per_correct.usd == Decimal("0.003")


def test_a_model_that_somebody_vouches_for_is_free() -> None:
    free = table(rate("input_tokens", "0", layer="overrides"), rate("output_tokens", "0", layer="overrides"))
    found = summarise([price_run(run(step(1, one(1))), free, now=NOW)])
    assert (found.cost.free, found.cost.local) == (True, False)


# ---- several runs


def test_an_origin_counts_once_across_runs() -> None:
    first = run(step(1, one(1, origin="msg_1"), tools="look"), step(2, one(2, origin="msg_2")))
    resumed = run(
        step(1, one(1, origin="msg_1"), tools="look"), step(2, one(3, origin="msg_3"), tools="add"), run_id="r2"
    )
    found = metrics(first, resumed)
    assert (found.calls, found.inherited, found.steps) == (3, 1, 3)
    assert found.cost.usd == Decimal("0.009")
    assert found.tool_calls == {"look": 1, "add": 1}
    assert [(name, amount.usd) for name, amount in found.cost_by_run] == [
        ("r1", Decimal("0.006")),
        ("r2", Decimal("0.003")),
    ]


def test_a_call_marked_as_inherited_is_left_out_with_its_tools() -> None:
    mine, theirs = one(1), one(2, inherited_from="r0")
    asked = (ToolCall("look", "t1", call_id="c1"), ToolCall("look", "t2", call_id="c2"))
    found = metrics(run(replace(step(1, mine, theirs), tools=asked)))
    assert (found.calls, found.inherited, found.tool_calls) == (1, 1, {"look": 1})


def test_one_run_costs_what_it_costs_by_itself() -> None:
    whole = run(step(1, one(1), one(2)), step(2, one(3, of="openai/dear")))
    assert metrics(whole).cost.usd == price_run(whole, PRICES, now=NOW).cost.total == Decimal("0.036")


# ---- money per tool


def test_without_messages_a_steps_money_goes_to_its_tool_calls() -> None:
    found = metrics(run(step(1, one(1), tools="look look add"), step(2, one(2), tools="add"), step(3, one(3))))
    # look: 2/3 of 0.003; add: 1/3 of 0.003 + 0.003; the step without tools: 0.003
    assert money(found) == {"add": "0.004", "": "0.003", "look": "0.002"}
    assert (found.allocation.calls, found.allocation.by_messages) == (3, 0)
    assert sum(part.usd for part in found.allocation.parts) == found.allocation.total == Decimal("0.009")


def said(role: str, size: int, **more: object) -> Content:
    """Return a message of this many characters."""
    return content_of({"role": role, "content": "x" * size, **more}, "message")


SYSTEM, ANSWER = said("system", 400), said("assistant", 100)
RESULT = said("tool-response", 500)


def kept(*contents: Content) -> dict[str, Content]:
    """Return contents by their hash."""
    return {one.sha256: one for one in contents}


def test_with_messages_results_sent_again_are_their_tools() -> None:
    first = one(1, messages=(SYSTEM.sha256,))
    second = one(2, messages=(SYSTEM.sha256, ANSWER.sha256, RESULT.sha256))
    found = metrics(
        run(step(1, first, tools="look"), step(2, second, tools="add"), contents=kept(SYSTEM, ANSWER, RESULT))
    )
    # second call: 500 of 1,000 characters are look's result, so 0.001 of its 0.002 input; what remains, 0.002, add's
    assert money(found) == {"look": "0.004", "add": "0.002"}
    assert {part.tool: part.results for part in found.allocation.parts} == {"look": Decimal("0.001"), "add": 0}
    assert (found.allocation.calls, found.allocation.by_messages) == (2, 2)


def test_a_result_stays_its_tools_however_often_it_is_sent() -> None:
    sent = (SYSTEM.sha256, ANSWER.sha256, RESULT.sha256)
    steps = (
        step(1, one(1, messages=sent[:1]), tools="look"),
        step(2, one(2, messages=sent)),
        step(3, one(3, messages=sent)),
    )
    found = metrics(run(*steps, contents=kept(SYSTEM, ANSWER, RESULT)))
    assert money(found) == {"look": "0.005", "": "0.004"}  # 0.003 + 2 x 0.001


def test_a_result_is_found_by_the_id_that_it_answers() -> None:
    other = said("tool", 500 - len("t1-1"), tool_call_id="t1-1")  # answers `add`, the second of step 1
    sent = (SYSTEM.sha256, ANSWER.sha256, other.sha256)
    steps = step(1, one(1, messages=sent[:1]), tools="look add"), step(2, one(2, messages=sent))
    found = metrics(run(*steps, contents=kept(SYSTEM, ANSWER, other)))
    assert {part.tool: part.results for part in found.allocation.parts} == {"add": Decimal("0.001"), "look": 0, "": 0}


def test_words_of_the_user_are_no_tools_result() -> None:
    more = content_of({"role": "user", "content": "go on"}, "message")
    observed = content_of({"role": "user", "content": [{"type": "text", "text": "Observation:\n7"}]}, "message")
    steps = (
        step(1, one(1, messages=(SYSTEM.sha256,)), tools="look"),
        step(2, one(2, messages=(SYSTEM.sha256, more.sha256))),
    )
    found = metrics(run(*steps, contents=kept(SYSTEM, more)))
    assert {part.results for part in found.allocation.parts} == {Decimal(0)}
    again = step(2, one(2, messages=(SYSTEM.sha256, observed.sha256)))
    parts = metrics(run(steps[0], again, contents=kept(SYSTEM, observed))).allocation.parts
    assert next(part for part in parts if part.tool == "look").results > 0


def test_pixels_are_no_characters() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 9_000}}
    shown = content_of({"role": "user", "content": [picture, {"type": "text", "text": "What is this?"}]}, "message")
    sent = (shown.sha256, RESULT.sha256)
    steps = step(1, one(1, messages=sent[:1]), tools="look"), step(2, one(2, messages=sent))
    parts = metrics(run(*steps, contents=kept(shown, RESULT))).allocation.parts
    assert next(p for p in parts if p.tool == "look").results == Decimal(
        "0.001949317739"
    )  # 0.002 x 500 / 513: the question has 13


def test_a_message_that_was_not_kept_leaves_the_plain_rule() -> None:
    steps = step(1, one(1, messages=("gone",)), tools="look"), step(2, one(2, messages=("gone", RESULT.sha256)))
    found = metrics(run(*steps, contents=kept(RESULT)))
    assert (money(found), found.allocation.by_messages) == ({"": "0.003", "look": "0.003"}, 0)


# ---- laws


weights = st.lists(st.fractions(0, 10**6), max_size=8)
totals = st.decimals(0, 10**9, places=15)


@given(totals, weights)
def test_parts_sum_to_the_total_to_the_last_digit(total: Decimal, shares: list[Fraction]) -> None:
    parts = split(total, shares)
    assert len(parts) == len(shares)
    assert all(part >= 0 for part in parts)
    assert exact_sum(parts) == (total if any(shares) else 0)


@st.composite
def some_runs(draw: st.DrawFn) -> list[Run]:
    """Draw runs with tools, kept messages, origins that several of them hold, local and unpriced models."""
    pool = [
        SYSTEM,
        ANSWER,
        RESULT,
        said("tool", 77),
        content_of({"role": "user", "content": "Observation: 3"}, "message"),
    ]
    ids = iter(range(1_000))
    found = []
    for number in range(draw(st.integers(0, 3))):
        steps = []
        for place in range(draw(st.integers(0, 4))):
            calls = [
                one(
                    next(ids),
                    into=draw(st.integers(0, 10**7)),
                    out=draw(st.integers(0, 10**5)),
                    of=draw(st.sampled_from(["openai/m", "openai/dear", "local/qwen", "openai/nobody"])),
                    origin=draw(st.sampled_from([None, "a", "b", "c"])),
                    status=draw(st.sampled_from(["ok", "ok", "error", "cut"])),
                    messages=tuple(m.sha256 for m in draw(st.lists(st.sampled_from(pool), max_size=4))),
                )
                for _ in range(draw(st.integers(1, 2)))
            ]
            steps.append(
                step(place, *calls, tools=" ".join(draw(st.lists(st.sampled_from(["look", "add"]), max_size=3))))
            )
        held = draw(st.sampled_from([{}, kept(*pool)]))
        found.append(
            run(*steps, run_id=f"r{number}", correct=draw(st.sampled_from([None, True, False])), contents=held)
        )
    return found


@settings(max_examples=60, deadline=None)
@given(some_runs())
def test_the_money_of_all_tools_is_the_money_of_the_runs(runs: list[Run]) -> None:
    found = metrics(*runs)
    assert exact_sum(part.usd for part in found.allocation.parts) == found.allocation.total
    assert found.allocation.total == exact_sum(amount.usd or Decimal(0) for _, amount in found.cost_by_run)
    assert exact_sum(model.cost.usd or Decimal(0) for model in found.models) == found.allocation.total
    assert exact_sum(tool.usd for tool in found.tools) == found.allocation.total
    assert all(part.usd >= part.results >= 0 for part in found.allocation.parts)


@settings(max_examples=60, deadline=None)
@given(some_runs())
def test_counts_of_parts_are_the_counts_of_the_whole(runs: list[Run]) -> None:
    found = metrics(*runs)
    assert sum(model.calls for model in found.models) == found.calls == sum(found.bases.values())
    assert found.calls + found.inherited == sum(len(r.calls) for r in runs)
    assert sum(tool.calls for tool in found.tools) == sum(found.tool_calls.values())
    assert 0 <= found.correct <= found.checked <= found.runs
    assert all(fault.count <= fault.n for fault in (*found.faults, found.faulty_steps))


def test_runcost_is_taken_as_it_was_priced() -> None:
    whole = run(step(1, one(1)))
    dear = price_run(run(step(1, one(1, of="openai/dear"))), PRICES, now=NOW)
    found = summarise([RunCost(whole, dear.costs)], "openai/dear")
    assert (found.reference, found.models[0].name, found.cost.usd) == ("openai/dear", "openai/m", Decimal("0.03"))
