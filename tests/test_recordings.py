"""The shipped recordings are what they say: real runs of the kinds promised, whole, counted, and listed."""

from __future__ import annotations

import base64
import io
import re
import sys
from pathlib import Path

import pytest
from PIL import Image

import costlab as cl
from costlab.responses import read_usage
from costlab.store import content_of

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import list_recordings  # noqa: E402 - beside the recordings' own script
from recording_tasks import TASKS  # noqa: E402

FILES = sorted((ROOT / "recordings").glob("*.jsonl"))
RUNS = [cl.read(path)[0] for path in FILES]
each = pytest.mark.parametrize("run", RUNS, ids=[run.run_id for run in RUNS])


def said(run: cl.Run, call: cl.ModelCall) -> str:
    """Return the text that a call's answer holds."""
    values = [run.contents[one].value for one in call.output]
    return "".join(str(value.get("content") or "") for value in values if isinstance(value, dict))


def test_the_kinds_of_runs_promised_are_there() -> None:
    assert len(RUNS) >= 7
    assert {"CodeAgent", "ToolCallingAgent"} <= {run.agent for run in RUNS}
    assert any(step.kind == "planning" for run in RUNS for step in run.steps)
    assert any(node.parent_step for run in RUNS for node in run.agents), "no managed agent was called"
    assert any(run.state in ("max_steps", "failed") for run in RUNS)
    models = {(run.meta["task"], run.meta["model"]) for run in RUNS}
    assert any(len({model for task, model in models if task == name}) > 1 for name, _ in models)
    assert {run.correct for run in RUNS} == {True, False}, "a recording is what a model did, right or wrong"


def test_one_is_long() -> None:
    """At least 15 model calls, the last prompt above 20,000 tokens (one after it was refused: too long)."""
    (ledger,) = [run for run in RUNS if run.meta["task"] == "ledger"]
    answered = [call.counts["input_tokens"] for call in ledger.calls if call.status == "ok"]
    assert (len(ledger.calls), len(answered), answered[0], answered[-1]) == (16, 15, 21_734, 24_019)
    assert "exceeds the available context size" in str(ledger.calls[-1].error)


@each
def test_every_call_is_measured_and_keeps_its_messages(run: cl.Run) -> None:
    assert run.calls
    for call in run.calls:
        assert call.messages
        assert {*call.messages, *call.tools, *call.output} <= set(run.contents)
        if call.status == "ok":
            assert call.raw_usage is not None
            read = read_usage(dict(call.raw_usage), provider="local", model=call.model, api="openai-chat")
            assert (dict(call.counts), call.usage_basis, call.warnings) == (dict(read.counts), "measured", ())
            assert len(call.output) == 1
    for sha, content in run.contents.items():
        assert content_of(content.value, content.kind).sha256 == sha


@each
def test_every_call_keeps_its_tries_and_times(run: cl.Run) -> None:
    """As the meter saw them: each HTTP try, the moment, the seconds, and those to the first token of a stream."""
    assert run.duration_s is not None
    assert sum(step.duration_s or 0 for step in run.steps if step.parent is None) <= run.duration_s
    for step in run.steps:
        assert step.started_at is not None
        for call in step.calls:
            assert call.started_at is not None
            assert call.duration_s is not None
            assert step.started_at <= call.started_at
            (*failed, last) = call.attempts
            assert failed == [], "the server was always there"
            assert last.at is not None
            assert last.at >= call.started_at
            assert (last.status, last.billed) == ((200, "yes") if call.status == "ok" else (400, "no"))
            assert last.usage == call.raw_usage
            streamed = bool(run.meta["streamed"]) and step.kind != "final_answer" and bool(said(run, call))
            assert (call.ttft_s is not None) == streamed, "the last answer at the step limit is never streamed"
            assert call.ttft_s is None or 0 < call.ttft_s <= call.duration_s
        for tool in step.tools:
            assert tool.started_at is not None
            assert tool.duration_s is not None
            assert tool.call_id in {call.call_id for call in step.calls}


@each
def test_what_the_agents_monitor_says_is_explained(run: cl.Run) -> None:
    """Where smolagents' own totals differ from the meter's, the run says by what, and nothing stays unexplained."""
    planned = any(step.kind == "planning" for step in run.steps)
    assert [note.code for note in run.warnings] == ["monitor_differs"] * planned
    assert all("not explained" not in note.detail for note in run.warnings)


@each
def test_its_times_reach_the_monitor_and_the_replay(run: cl.Run, shipped: cl.PriceTable) -> None:
    figures = cl.metrics([run], shipped)
    assert (figures.calls, figures.attempts.n) == (len(run.calls), len(run.calls))
    assert figures.latency.n == sum(call.status == "ok" for call in run.calls)
    assert figures.first_token.n == sum(call.ttft_s is not None for call in run.calls)
    assert sorted(moment.step for moment in cl.moments(run)) == list(range(len(run.steps)))


@each
def test_the_answer_was_checked(run: cl.Run) -> None:
    task = TASKS[str(run.meta["task"])]
    assert run.answer is not None
    assert run.correct is (run.state != "failed" and task.check(run.answer))


@each
def test_it_says_how_it_was_made(run: cl.Run) -> None:
    assert run.source["made_by"] == "costlab.run"
    told = {"model", "file", "sha256", "engine", "recorded_on", "temperature", "max_tokens", "n_ctx"}
    assert told <= set(run.meta)
    assert len(str(run.meta["sha256"])) == 64


@each
def test_it_ran_locally_and_nobody_billed_it(run: cl.Run, shipped: cl.PriceTable) -> None:
    cost = cl.price_run(run, shipped).cost
    assert (run.local, cost.total, cost.lower_bound) == (True, 0, False)


@each
def test_default_models_have_a_price_for_it(run: cl.Run, shipped: cl.PriceTable) -> None:
    found = cl.compare(run, cl.default_models(shipped), shipped)
    assert len(found) == 8
    assert sum(one.fits and one.cost.total > 0 for one in found) >= 7 - 2 * bool(run.meta.get("media_counted") is False)


def test_a_picture_is_shipped_and_counted_by_formula(shipped: cl.PriceTable) -> None:
    (run,) = [run for run in RUNS if run.meta.get("media_counted") is False]
    (sha,) = {media.sha256 for call in run.calls for media in call.media}
    assert sha is not None
    value = run.contents[sha].value
    assert isinstance(value, dict)
    with Image.open(io.BytesIO(base64.b64decode(value["base64"]))) as picture:
        assert picture.size == (value["width"], value["height"]) == (960, 640)
    # Claude: ceil(960/28) x ceil(640/28) = 35 x 23 = 805 tokens a call, in no recorded count
    (there,) = cl.compare(run, ["anthropic/claude-sonnet-5"], shipped)
    recorded = sum(call.counts["input_tokens"] for call in run.calls)
    priced = sum(line.quantity for line in there.cost.lines if not line.unit.startswith("output"))
    assert priced == recorded + 805 * len(run.calls)


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_nothing_of_the_machine_is_in_a_file(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"/(?:tmp|root|home|work|usr)/|api_key|Bearer ", text) == []


def test_the_readme_lists_each() -> None:
    assert list_recordings.table() in (ROOT / "recordings" / "README.md").read_text(encoding="utf-8")


def test_titles_of_shipped_recordings_are_in_chinese_too() -> None:
    zh = cl.words_of("zh")
    titles = {cl.title_of(run): cl.title_of(run, zh) for run in RUNS}
    assert titles["Bolts and nuts in stock"] == "螺栓和螺母的库存"
    assert all(english != chinese for english, chinese in titles.items())
