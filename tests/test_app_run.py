"""The Run page without a browser: the form, a live run from start to end, a shared server, runs that are lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from live_agents import KEY, QUIET
from streamlit.testing.v1 import AppTest
from test_app import figures, opened, pieces_free
from trial_samples import ASKS, ended, plan_on, two_steps, until
from wire_server import Turn, final, serving

import costlab as cl
from costlab.live import local

pytestmark = [pytest.mark.filterwarnings(one) for one in QUIET]
RUN = "costlab/ui/pages/run.py"


def filled(at: AppTest, address: str, models: str = "gpt-4o-mini, gpt-4o") -> AppTest:
    """Return the page after its form was filled for a scripted server."""
    at.text_input(key="trial_address").set_value(f"{address}/v1")
    at.text_input(key="trial_address_models").set_value(models)
    at.text_input(key="trial_address_key").set_value(KEY)
    at.selectbox(key="trial_task").set_value("arithmetic")
    at.run()
    assert not at.exception
    return at


def started(at: AppTest) -> str:
    """Press Start, and return the id that the link then holds."""
    at.button(key="trial_start").click().run()
    assert not at.exception
    assert at.session_state["trial"] in at.query_params["run"]
    return str(at.session_state["trial"])


def finished(at: AppTest) -> AppTest:
    """Return the page once the live run that it shows has ended."""
    until(lambda: any(one.key == "trial_new" for one in at.run().button))
    assert not at.exception
    return at


def linked(name: str) -> AppTest:
    """Return the page as somebody else has it who opens the link of a live run."""
    at = opened(RUN)
    at.query_params["run"] = name
    at.run()
    assert not at.exception
    return at


def told(at: AppTest) -> str:
    """Return everything that the page says."""
    shown = (*at.caption, *at.markdown, *at.error, *at.warning, *at.info, *at.subheader, *at.code)
    return "\n".join(pieces_free(one.value) for one in shown)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_empty_form_and_one_with_a_trial(home: Path, language: str) -> None:
    at = opened(RUN, lang=language)
    assert at.button(key="trial_start").disabled
    assert not at.toggle(key="trial_code").value  # off until somebody switches it on
    note = "does not follow an agent's instructions" if language == "en" else "不会遵循智能体的指示"
    assert note in told(at)
    with serving(two_steps) as wire:
        started(filled(at, wire.address))
        finished(at)
    assert ("Results" if language == "en" else "结果") in told(at)
    shown = at.dataframe[0].value.set_index("model")
    name = next(one for one in shown.index if one.startswith("gpt-4o-mini"))
    assert list(shown.loc[name, ["input_tokens", "output_tokens", "steps"]]) == ["2,200", "110", "2"]
    # (800 x 0.15 + 1,400 x 0.075 + 110 x 0.60) USD per million; from a cold cache the first 400 are new input
    assert list(shown.loc[name, ["cost", "cold"]]) == ["$0.000291", "$0.000321"]
    assert sorted(shown["first"])[1] == ("first" if language == "en" else "最先")
    assert KEY not in told(at) + str(at.query_params)


def test_repeats_give_a_median_and_a_range(home: Path) -> None:
    at = opened(RUN)
    answers = [final("57", tokens_in=n, out=10) for n in (1_000, 3_000, 2_000)]
    with serving(lambda _: answers.pop(0)) as wire:
        filled(at, wire.address, "gpt-4o-mini").number_input(key="trial_repeats").set_value(3).run()
        started(at)
        finished(at)
    (row,) = at.dataframe[0].value.to_dict("records")
    assert (row["ran"], row["right"], row["input_tokens"]) == ("n = 3", "3 of 3", "2,000 (1,000–3,000)")
    # 10 x 0.60 USD per million, and 1,000, 2,000, 3,000 x 0.15
    assert row["cost"] == "$0.000306 ($0.000156–$0.000456)"


def test_stop_and_new_run(home: Path) -> None:
    at = opened(RUN)
    with serving(lambda _: Turn(text=" ".join(["word"] * 900), tokens_in=900, out=900, pause=0.1)) as wire:
        trial_id = started(filled(at, wire.address, "gpt-4o-mini"))
        until(lambda: wire.ledger and wire.ledger[0].pieces > 2)
        other = linked(trial_id)  # somebody with the link
        other.button(key="trial_stop").click().run()
        finished(at)
    assert "stopped" in told(at)
    assert "Left in the budget" in str(at.get("progress")[0].proto)
    (run,) = [run for run in cl.Store(home).runs() if run.meta.get("trial") == cl.trial_mark(trial_id)]
    assert run.state == "stopped"
    at.button(key="trial_new").click().run()
    assert "run" not in at.query_params
    assert at.button(key="trial_start")
    finished(other).button(key="trial_new").click().run()  # the form of the other session holds no key
    assert not other.text_input(key="trial_address_key").value


def test_what_goes_wrong_is_said(home: Path) -> None:
    at = opened(RUN)
    with serving(lambda _: Turn(status=401)) as wire:
        started(filled(at, wire.address, "gpt-4o-mini"))
        finished(at)
    assert "scripted 401" in told(at)
    assert "failed" in told(at)


def test_a_restarted_server_shows_what_was_recorded(home: Path) -> None:
    trials = cl.trials()  # of another server process
    with serving(two_steps) as wire:
        view = ended(trials, trials.start(plan_on(wire.address, "gpt-4o-mini", "gpt-4o", repeats=2)))
    at = linked(view.trial_id)
    assert "started anew" in told(at)
    assert list(at.dataframe[0].value["ran"]) == ["n = 2", "n = 2"]
    gone = linked("never-was-here")
    assert "does not know" in told(gone)
    assert "page Recordings" in told(gone)
    assert gone.button(key="trial_start")


def test_a_recordings_link_is_no_live_run(home: Path) -> None:
    run_id = cl.Store(home).runs()[0].run_id
    at = linked(run_id)
    assert not at.warning
    assert at.button(key="trial_start")


def test_keys_are_of_the_environment_or_typed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    at = opened(RUN)
    at.multiselect(key="trial_models").set_value(["openai/gpt-5-mini", "anthropic/claude-haiku-4-5"]).run()
    assert "OPENAI_API_KEY" in told(at)
    assert "A key is missing for anthropic/claude-haiku-4-5" in told(at)
    assert KEY not in told(at)
    at.text_input(key="trial_key_anthropic").set_value("typed-key-0123").run()
    assert not at.button(key="trial_start").disabled
    other = opened(RUN)
    other.multiselect(key="trial_models").set_value(["anthropic/claude-haiku-4-5"]).run()
    assert not other.text_input(key="trial_key_anthropic").value
    other.multiselect(key="trial_models").set_value(["no-provider"]).run()
    assert "write it as provider/model" in told(other)


def test_a_shared_server_lends_nothing(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTLAB_PUBLIC", "1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    at = opened(RUN)
    assert at.toggle(key="trial_small").disabled
    assert at.toggle(key="trial_code").disabled
    assert at.text_input(key="trial_address").disabled
    at.multiselect(key="trial_models").set_value(["openai/gpt-5-mini"]).run()
    assert "A key is missing" in told(at)
    assert "not lent" in told(at)
    monkeypatch.setenv("COSTLAB_LIVE", "addresses, code")
    before = set(tmp_path.rglob("*"))
    at = opened(RUN)
    assert at.toggle(key="trial_small").disabled
    assert not at.toggle(key="trial_code").disabled
    assert not at.toggle(key="trial_code").value
    with serving(two_steps) as wire:
        trial_id = started(filled(at, wire.address, "gpt-4o-mini"))
        finished(at)
        guest = linked(trial_id)
    assert set(tmp_path.rglob("*")) == before  # nothing is written
    for page in (at, guest):
        own = [run for run in page.session_state["own_store"].runs() if run.meta.get("trial")]
        assert [len(run.calls) for run in own] == [2]
    monkeypatch.setenv("COSTLAB_LIVE", "keys")
    assert "$5.00 are left for all visitors together" in told(opened(RUN))
    monkeypatch.setenv("COSTLAB_LIVE_USD", "five")  # no amount: nothing is lent
    assert "$0.00 are left" in told(opened(RUN))
    monkeypatch.setenv("COSTLAB_LIVE", "off")
    assert "switched off" in told(opened(RUN))


def test_a_task_of_ones_own(home: Path) -> None:
    at = opened(RUN)
    with serving(lambda _: final("Forty-two.")) as wire:
        filled(at, wire.address, "gpt-4o-mini").selectbox(key="trial_task").set_value("own").run()
        assert "Write the task." in told(at)
        at.text_area(key="trial_text").set_value("How much is *it*?")
        at.text_input(key="trial_answer").set_value("forty-two").run()
        started(at)
        finished(at)
        asked = str(wire.ledger[0].request["messages"])
    assert "How much is *it*?" in asked
    assert list(at.dataframe[0].value["right"]) == ["1 of 1"]
    assert "\\*it\\*" in at.subheader[0].value


def test_without_the_small_model_its_one_command_is_shown(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "MODEL_PACKAGE", "no-such-package-of-models")
    at = opened(RUN)
    assert at.toggle(key="trial_small").disabled
    assert cl.LOCAL_INSTALL in told(at)


def test_a_local_model_is_not_billed(home: Path) -> None:
    at = opened(RUN)
    with serving(lambda _: ASKS) as wire:
        filled(at, wire.address, "qwen3-local").number_input(key="trial_steps").set_value(2).run()
        assert "Nobody bills a model on your machine" in told(at)
        started(at)
        finished(at)
    assert figures(at).keys() == {"on the reference model"}
    assert "ran locally, not billed" in {one.delta for one in at.metric}
    assert "at the prices of openai/gpt-5-mini" in told(at)
