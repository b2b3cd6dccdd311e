"""Live runs side by side without any page: models, repeats, one budget, stop, failures, keys, rules."""

from __future__ import annotations

import logging
import pickle
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from live_agents import KEY, QUIET
from trial_samples import ASKS, by_model, ended, entrant, plan_on, two_steps, until
from wire_server import Turn, final, serving

import costlab as cl
from costlab.door import trials as trials_door
from costlab.live.budget import Need
from costlab.live.trials import Trials

pytestmark = [pytest.mark.filterwarnings(one) for one in QUIET]


def text_of(folder: Path) -> str:
    """Return everything that was written in a folder."""
    return "".join(path.read_text(encoding="utf-8", errors="replace") for path in folder.rglob("*") if path.is_file())


def test_two_models_run_side_by_side(home: Path) -> None:
    script = by_model(gpt_4o_mini=[ASKS, final(tokens_in=1_200, out=60)], gpt_4o=[final(tokens_in=900, out=20)])
    trials = cl.trials()
    with serving(script) as wire:
        view = ended(trials, trials.start(plan_on(wire.address, "gpt-4o-mini", "gpt-4o", check="42")))
    first, second = view.legs
    assert [leg.state for leg in view.legs] == ["success", "success"]
    assert (first.run.calls[0].model, second.run.calls[0].model) == ("gpt-4o-mini", "gpt-4o")
    assert cl.run_counts(first.run)["input_tokens"] == 2_200
    assert cl.run_counts(second.run)["input_tokens"] == 900
    assert first.run.correct is second.run.correct is True
    assert {run.run_id for run in cl.Store(home).runs()} >= {first.run.run_id, second.run.run_id}
    assert first.run.meta["trial"] == second.run.meta["trial"] == cl.trial_mark(view.trial_id)
    assert view.trial_id not in text_of(home)  # a recording does not give the link away
    assert view.used["calls"] == 3


def test_what_is_under_way_can_be_read(home: Path) -> None:
    slow = Turn(text="A thought", calls=ASKS.calls, tokens_in=1_000, out=50, pause=0.05)
    last = final(tokens_in=1_500, out=60, wait=0.6)
    trials = cl.trials()
    with serving(by_model(gpt_4o_mini=[slow, last])) as wire:
        trial_id = trials.start(plan_on(wire.address, streamed=True))
        view = until(lambda: (v := trials.view(trial_id)) and v.legs[0].run and len(v.legs[0].run.steps) == 2 and v)
        (leg,) = view.legs
        assert (view.state, leg.state, leg.run.state) == ("running", "running", "running")
        first, second = leg.run.steps
        assert (first.calls[0].counts["output_tokens"], first.tools[0].name) == (50, "calculator")
        assert first.duration_s is not None
        assert second.duration_s is None
        until(lambda: trials.view(trial_id).legs[0].run.steps[1].calls)
        assert cl.price_run(trials.view(trial_id).legs[0].run, cl.load_table()).cost.lower_bound
        view = ended(trials, trial_id)
    assert [len(step.calls) for step in view.legs[0].run.steps] == [1, 1]


def test_repeats_share_one_budget(home: Path) -> None:
    trials = cl.trials()
    with serving(two_steps) as wire:
        plan = plan_on(wire.address, repeats=3, budget=cl.Budget(calls=5), check="41")
        view = ended(trials, trials.start(plan))
    assert [(leg.repeat, leg.state) for leg in view.legs] == [(1, "success"), (2, "success"), (3, "over_budget")]
    assert (view.used["calls"], view.left["calls"]) == (5, 0)
    assert [leg.run.correct for leg in view.legs] == [False, False, False]
    assert len(wire.ledger) == 5


def test_after_the_budget_nothing_more_begins(home: Path) -> None:
    trials = cl.trials()
    with serving(lambda _: ASKS) as wire:
        plan = plan_on(wire.address, repeats=3, steps=50, budget=cl.Budget(usd=Decimal("0.002")))
        view = ended(trials, trials.start(plan))
    assert [leg.state for leg in view.legs] == ["over_budget", "not_begun", "not_begun"]
    assert 0 <= view.left["USD"] < Decimal("0.0005")
    assert cl.price_run(view.legs[0].run, plan.table).cost.total <= Decimal("0.002")
    still = trials.view(view.trial_id)
    assert (still.left, still.seconds) == (view.left, view.seconds)  # its clock stands


def test_stop_in_the_middle_of_a_slow_stream(home: Path) -> None:
    slow = Turn(text=" ".join(["word"] * 400), tokens_in=1_500, out=400, pause=0.1)
    trials = cl.trials()
    with serving(lambda _: slow) as wire:
        trial_id = trials.start(plan_on(wire.address, "gpt-4o-mini", "gpt-4o", streamed=True, repeats=2))
        until(lambda: len(wire.ledger) == 2 and all(one.pieces > 3 for one in wire.ledger))
        began = time.monotonic()
        trials.stop(trial_id)
        assert trials.view(trial_id).state in ("stopping", "ended")
        view = ended(trials, trial_id)
        assert time.monotonic() - began < 3
        until(lambda: all(one.closed_at for one in wire.ledger))
    assert [leg.state for leg in view.legs] == ["stopped", "not_begun", "stopped", "not_begun"]
    assert all(leg.run.calls[0].counts["output_tokens"] >= 1 for leg in view.legs if leg.run)


def test_one_model_fails_and_the_other_goes_on(home: Path) -> None:
    trials = cl.trials()
    script = by_model(gpt_4o=[Turn(status=401)], gpt_4o_mini=[final()])
    with serving(script) as wire:
        plan = plan_on(wire.address, "gpt-4o", "gpt-4o-mini", repeats=2)
        view = ended(trials, trials.start(plan))
    states = [leg.state for leg in view.legs]
    assert states == ["failed", "not_begun", "success", "success"]  # a key that is refused is refused again
    assert "scripted 401" in str(view.legs[0].run.calls[0].error)


def test_a_run_that_cannot_begin_says_why(home: Path) -> None:
    trials = cl.trials()
    plan = plan_on("http://127.0.0.1:9", "nobody-knows-it", budget=cl.Budget(usd=Decimal(1)))
    view = ended(trials, trials.start(plan))
    assert (view.legs[0].state, view.legs[0].run) == ("failed", None)
    assert "has no price" in view.legs[0].error


def test_no_key_is_anywhere(home: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.INFO)
    trials = cl.trials()
    leaks = Turn(text=f"My key is {KEY}.", tokens_in=10, out=5)
    with serving(by_model(gpt_4o_mini=[leaks, final(answer=f"key {KEY}")], gpt_4o=[Turn(status=403)])) as wire:
        plan = plan_on(wire.address, "gpt-4o-mini", "gpt-4o")
        view = ended(trials, trials.start(plan))
    broken = ended(trials, trials.start(plan_on("http://127.0.0.1:9")))
    said = repr([view, broken, plan, plan.entrants]) + text_of(home) + caplog.text + "".join(capfd.readouterr())
    assert KEY not in said
    assert all(one.api_key is None for one in view.plan.entrants)
    assert KEY.encode() not in pickle.dumps(view.legs)
    assert "[key removed]" in text_of(home)


def test_nothing_is_kept_where_several_people_are(home: Path, tmp_path: Path) -> None:
    trials = cl.trials(cl.TrialRules(kept=False))
    before = set(tmp_path.rglob("*"))
    with serving(two_steps) as wire:
        view = ended(trials, trials.start(plan_on(wire.address)))
    assert len(view.legs[0].run.calls) == 2
    assert view.legs[0].run.contents  # the whole recording, messages too
    assert set(tmp_path.rglob("*")) == before
    store = cl.MemoryStore()
    store.add([view.legs[0].run])
    assert store.open(view.legs[0].run.run_id).calls


def test_an_unknown_id_is_none(home: Path) -> None:
    trials = cl.trials()
    assert trials.view("no-such-id") is None
    trials.stop("no-such-id")


def test_a_server_takes_so_many_and_forgets_the_oldest(home: Path) -> None:
    trials = cl.trials(most_open=1, most_kept=1)
    with serving(lambda _: final(wait=0.5)) as wire:
        first = trials.start(plan_on(wire.address))
        with pytest.raises(cl.Conflict, match="try again"):
            trials.start(plan_on(wire.address))
        ended(trials, first)
        second = trials.start(plan_on(wire.address))
        ended(trials, second)
        assert trials.view(first) is None or trials.view(second) is not None
        ended(trials, trials.start(plan_on(wire.address)))
    assert trials.view(first) is None


@pytest.mark.parametrize(
    ("rules", "more", "why"),
    [
        ({}, {"repeats": 11}, "repeats: must be 1 to 10"),
        ({}, {"task": " "}, "there is no task"),
        ({"code": False}, {"kind": "code"}, "runs no code"),
        ({"addresses": False}, {}, "addresses"),
    ],
)
def test_plans_that_are_refused(home: Path, rules: dict, more: dict, why: str) -> None:
    with pytest.raises(cl.BadInput, match=why):
        cl.trials(cl.TrialRules(**rules)).start(plan_on("http://127.0.0.1:9", **more))


@pytest.mark.parametrize(
    ("model", "key", "allowed"),
    [
        ("openai/gpt-4o", None, False), ("openai/gpt-4o", "typed-key", True), ("bedrock/x", "typed-key", False),
        ("ollama/llama3", "typed-key", False), ("huggingface/http://10.0.0.1", "typed-key", False),
        ("gemini/gemini-3.8-flash", "typed-key", True), ("gpt-4o", "typed-key", False),
    ],
)  # fmt: skip
def test_the_owners_keys_are_not_lent(model: str, key: str | None, allowed: bool) -> None:
    rules = cl.TrialRules(kept=False, environment=False, addresses=False, small=False, code=False)
    plan = cl.TrialPlan((cl.Entrant(model, model, None, key),), "task", cl.load_table())
    if allowed:
        rules.check(plan)
    else:
        with pytest.raises(cl.BadInput, match="not lent"):
            rules.check(plan)


def test_what_a_server_lends_holds_for_all_its_visitors_together() -> None:
    gate = Event()

    def perform(plan: cl.TrialPlan, one: cl.Entrant, lap: Any) -> cl.Run:
        gate.wait(60)
        lap.purse.settle(lap.purse.hold(Need(Decimal("0.25"), 10), known=True), lambda: Need(Decimal("0.25"), 9))
        return cl.Run("r", task=plan.task, state="success")

    def plan(usd: str | None, key: str | None = None, **more: Any) -> cl.TrialPlan:
        one = cl.Entrant("openai/gpt-4o", "openai/gpt-4o", None, key)
        return cl.TrialPlan((one,), "task", cl.load_table(), budget=cl.Budget(usd=usd, **more))

    trials = Trials(perform, cl.TrialRules(lent_usd=Decimal(1)), most_kept=1)
    first = trials.start(plan("0.6"))
    assert trials.lent_left() == Decimal("0.4")  # until it ends it counts with its whole budget
    with pytest.raises(cl.Conflict, match=r"lent for 1 USD in all, of which 0\.40 are left"):
        trials.start(plan("0.6"))
    for refused in (plan(None, calls=1), plan("0.1", allow_unpriced=True)):
        with pytest.raises(cl.BadInput, match="a budget in USD has to hold all models"):
            trials.start(refused)
    own = trials.start(plan("100", "a-key-of-ones-own"))
    gate.set()
    ended(trials, first)
    ended(trials, own)
    assert trials.lent_left() == Decimal("0.75")  # 1 - 0.25
    for left in ("0.50", "0.25", "0.00"):
        ended(trials, trials.start(plan("0.25", seconds=60)))  # the others are no longer held, and still counted
        assert trials.lent_left() == Decimal(left)
    with pytest.raises(cl.Conflict, match=r"0\.00 are left"):
        trials.start(plan("0.01"))


def test_a_picture_of_ones_own_goes_with_the_task(home: Path) -> None:
    from io import BytesIO

    from costlab.live.library import chart

    drawn = BytesIO()
    chart().save(drawn, "PNG")
    trials = cl.trials()
    with serving(lambda _: final()) as wire:
        view = ended(trials, trials.start(plan_on(wire.address, pictures=(drawn.getvalue(),))))
        bad = ended(trials, trials.start(plan_on(wire.address, pictures=(b"no picture",))))
    (medium,) = view.legs[0].run.calls[0].media
    assert (medium.kind, medium.width, medium.height) == ("image", 960, 640)
    assert "no picture that can be read" in bad.legs[0].error
    assert view.plan.pictures == ()  # let go at the end


def test_the_small_model_is_started_and_ended_with_the_trial(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    @contextmanager
    def started(**settings: object) -> Iterator[cl.LocalServer]:
        seen.append("started")
        yield cl.LocalServer(f"{wire.address}/v1", "smollm2-135m-instruct", home, "a scripted one", 1)
        seen.append("ended")

    monkeypatch.setattr("costlab.live.trials.local_model", started)
    small = (cl.Entrant("small", small=True),)
    with serving(lambda _: final("57")) as wire:
        plan = replace(plan_on(wire.address, repeats=2, max_tokens=4_000, pictures=(b"not sent",)), entrants=small)
        view = ended(cl_trials := cl.trials(), cl_trials.start(plan))
    assert seen == ["started", "ended"]
    assert [leg.state for leg in view.legs] == ["success", "success"]
    assert all(leg.run.local for leg in view.legs)
    assert {one.request["max_tokens"] for one in wire.ledger} == {cl.SMALL_MODEL_TOKENS}


def test_a_typed_address_is_not_sent_the_environments_key(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("GOOGLE_API_KEY", "of-google")
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    sent: list[object] = []
    plain = trials_door.live_model

    def watched(name: str, **settings: Any) -> Any:
        sent.append(settings["api_key"])
        return plain(name, **settings)

    monkeypatch.setattr(trials_door, "live_model", watched)
    trials = cl.trials()
    with serving(lambda _: final()) as wire:
        ended(trials, trials.start(plan_on(wire.address, key=None)))
        ended(trials, trials.start(plan_on(wire.address, key="typed-key")))
    assert sent == ["none", "typed-key"]
    assert trials_door._key(cl.Entrant("gpt", "openai/gpt-5-mini")) == KEY
    assert trials_door._key(cl.Entrant("gemini", "gemini/gemini-3.8-flash")) == "of-google"


def test_names_and_keys_of_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cl.live_name("google/gemini-3.8-flash") == "gemini/gemini-3.8-flash"
    assert cl.live_name("x-ai/grok-5") == "xai/grok-5"
    assert cl.live_name("bedrock/some-model") == "bedrock/some-model"
    assert cl.key_variables("gemini/x") == ("GEMINI_API_KEY", "GOOGLE_API_KEY")
    assert cl.key_variables("somebody-new/x") == ("SOMEBODY_NEW_API_KEY",)
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    monkeypatch.setenv("GOOGLE_API_KEY", KEY)
    assert cl.key_variable("google/gemini-3.8-flash") == "GOOGLE_API_KEY"
    monkeypatch.delenv("GOOGLE_API_KEY")
    assert cl.key_variable("google/gemini-3.8-flash") is None
    assert entrant("http://x").api_key == KEY
