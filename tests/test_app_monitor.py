"""The Monitor page without a browser: its figures with their n, its tables, its choices and its empty states."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import app_runs
import pytest
from streamlit.testing.v1 import AppTest
from test_app import figures, opened, pieces_free

import costlab as cl
from costlab.runs import Attempt, Run, Step, ToolCall
from costlab.store import Store

Told = Callable[..., tuple[int, str, str]]
MONITOR = "costlab/ui/pages/monitor.py"


def troubled() -> Run:
    """Return a run of three steps: one tool error, one answer that cannot be read, one call lost at its second try."""
    first = app_runs.call(1, "openai", "gpt-5-mini", input_tokens=10_000, output_tokens=1_000)
    tries = tuple(
        Attempt(app_runs.DAY + timedelta(seconds=s), status, error, billed="no")
        for s, status, error in ((0, 429, "slow down"), (3, 500, "gone"))
    )
    last = replace(app_runs.call(3, "openai", "gpt-5-mini"), status="error", error="gone", attempts=tries)
    steps = (
        Step("s1", 1, "action", calls=(replace(first, ttft_s=0.5),),
             tools=(ToolCall("look", "t1", "error", "no such word", duration_s=0.25, call_id="c1"),)),
        Step("s2", 2, "action", error="Error while parsing tool call from model output: no JSON",
             calls=(replace(first, call_id="c2", duration_s=6.0),)),
        Step("s3", 3, "action", calls=(last,)),
    )  # fmt: skip
    return Run("troubled-run", task="t", title="A run with troubles", agent="ToolCallingAgent", state="failed",
               correct=False, started_at=app_runs.DAY, steps=steps)  # fmt: skip


@pytest.fixture
def filled(home: Path) -> Path:
    """A home with a right run, a local one and one that went wrong."""
    app_runs.fill(home)
    Store(home).add([troubled()])
    return home


def monitor(*runs: str, **link: str) -> AppTest:
    """Return the page for some runs."""
    at = opened(**link)
    if runs:
        at.query_params["runs"] = list(runs)
    at.switch_page(MONITOR).run()
    assert not at.exception
    return at


def below(at: AppTest) -> dict[str, str]:
    """Return what stands under each figure: what it was computed from."""
    return {one.label: pieces_free(one.delta) for one in at.metric}


def rows_of(at: AppTest, first: str) -> dict[str, dict[str, object]]:
    """Return the rows of the table whose first column this is, by their first cell."""
    frame = next(one.value for one in at.dataframe if one.value.columns[0] == first)
    return {row[first]: row for row in frame.to_dict("records")}


def test_figures_say_what_they_were_computed_from(filled: Path) -> None:
    at = monitor("billed-run", "troubled-run")
    shown, told = figures(at), below(at)
    # 0.0072 as in test_app; troubled: 2 x (10,000 x 0.25 + 1,000 x 2.00) USD per million = 0.009, the last call nothing
    assert (shown["Cost per run"], told["Cost per run"]) == ("$0.0081", "2 runs, $0.0162 in all")
    assert shown["Cost per right answer"] == "$0.0162"  # the wrong answer was paid too
    assert told["Cost per right answer"] == "1 of 2 right"
    assert (shown["Response time, median"], told["Response time, median"]) == (
        "2.00 s",
        "95 %: 6.00 s; n = 4",
    )
    assert (shown["First token, median"], told["First token, median"]) == (
        "0.50 s",
        "95 %: 0.50 s; n = 1",
    )
    assert (shown["Steps with an error"], told["Steps with an error"]) == ("60%", "3 of 5 steps")
    assert (shown["Tries of calls"], told["Tries of calls"]) == ("6", "2 failed; $0 wasted")
    assert (shown["Model calls"], told["Model calls"]) == ("5", "in 5 steps")
    assert (shown["Tokens in / out"], told["Tokens in / out"]) == ("40.0k / 4.00k", "measured 5")


def test_one_run_by_itself(filled: Path) -> None:
    at = monitor("billed-run")
    assert figures(at)["Cost per run"] == "$0.0072"
    assert "Nothing went wrong" in at.success[0].value
    # both steps called look: all of the money is its
    rows = rows_of(at, "tool")
    assert (rows["look"]["calls"], rows["look"]["usd"], rows["look"]["share"]) == (2, pytest.approx(0.0072), 1.0)


def test_tools_and_models_have_their_rows(filled: Path) -> None:
    at = monitor("troubled-run")
    tools, models = rows_of(at, "tool"), rows_of(at, "model")
    assert (tools["look"]["calls"], tools["look"]["errors"], tools["look"]["p50_s"]) == (1, 1, 0.25)
    assert tools["look"]["usd"] == tools["no tool"]["usd"] == pytest.approx(0.0045)
    row = models["openai/gpt-5-mini"]
    assert (row["calls"], row["failed"], row["cost"], row["p50_s"], row["p95_s"], row["timed"]) == (
        3, 1, "$0.009", 2.0, 6.0, 2,
    )  # fmt: skip
    rule = next(pieces_free(one.value) for one in at.caption if "An allocation" in one.value)
    assert "sum to $0.009." in rule
    assert "0 of 3 calls" in rule


def test_all_recordings_are_taken_at_first(filled: Path) -> None:
    at = monitor()
    runs = cl.Store(filled).runs()
    assert below(at)["Cost per run"].startswith(f"{len(runs)} runs")


def test_a_local_run_is_priced_on_the_reference_model_and_says_so(filled: Path) -> None:
    at = monitor("local-run")
    assert figures(at)["Cost per run"] == "$0.0072"
    assert any("1 of 1 runs were local" in pieces_free(one.value) for one in at.caption)
    assert list(rows_of(at, "model")) == ["local/qwen"]  # the model that ran, not the one it is priced on
    at.selectbox(key="reference").set_value("anthropic/claude-haiku-4-5").run()
    assert figures(at)["Cost per run"] == "$0.0228"  # as in test_app


def test_the_link_holds_the_choice(filled: Path) -> None:
    at = monitor("billed-run")
    assert at.multiselect(key="monitored").value == ["billed-run"]
    at.multiselect(key="monitored").set_value(["troubled-run", "local-run"]).run()
    assert at.query_params["runs"] == ["troubled-run", "local-run"]
    at.multiselect(key="monitored").set_value([]).run()
    assert "runs" not in at.query_params
    assert figures(at)["Model calls"] != "5"


def test_a_link_to_a_run_that_is_not_here_says_so(filled: Path) -> None:
    at = monitor("gone", "billed-run")
    assert "not here" in at.warning[0].value
    assert at.multiselect(key="monitored").value == ["billed-run"]


def test_a_run_without_times_or_tools_says_so(home: Path) -> None:
    bare = app_runs.run_of("bare-run", "Bare", "openai", "gpt-5-mini")
    steps = tuple(replace(s, tools=(), calls=tuple(replace(c, duration_s=None) for c in s.calls)) for s in bare.steps)
    Store(home).add([replace(bare, steps=steps, correct=None)])
    at = monitor("bare-run")
    told = [note.value for note in at.info]
    assert "These recordings do not hold how long a call took." in told
    assert any(note.startswith("No tool was called") for note in told)
    assert figures(at)["Response time, median"] == "—"
    assert figures(at)["Cost per right answer"] == "—"
    assert below(at)["Cost per right answer"] == "0 of 0 right; 1 unchecked"


def test_a_run_without_a_price_is_no_zero(home: Path) -> None:
    Store(home).add([app_runs.run_of("odd-run", "Odd", "nobody", "nothing")])
    at = monitor("odd-run")
    assert figures(at)["Cost per run"] == "unpriced"
    assert any(note.value.startswith("No money to share out") for note in at.info)


@pytest.mark.parametrize("runs", [(), ("billed-run",), ("troubled-run", "local-run")])
def test_the_page_in_chinese(filled: Path, runs: tuple[str, ...]) -> None:
    at = monitor(*runs, lang="zh")
    assert at.title[0].value == "监控"
    assert {"每次运行的费用", "响应时间中位数"} <= figures(at).keys()
    english = {one.label for one in monitor(*runs).metric}
    assert not english & figures(at).keys()


# ---- command line


@pytest.fixture
def told(filled: Path, capsys: pytest.CaptureFixture[str]) -> Told:
    """Run `costlab metrics ...` on the home; returns (exit code, stdout, stderr)."""
    from costlab.cli import main

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["metrics", *words, "--home", str(filled)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_metrics_as_json(told: Told) -> None:
    code, out, err = told("billed-run", "troubled-run", "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert (found["runs"], found["model_calls"], found["steps"], found["total_usd"]) == (2, 5, 5, "0.0162")
    assert found["cost_per_correct_usd"] == "0.0162"
    assert found["latency_s"] == {"n": 4, "p50": 2.0, "p95": 6.0}
    assert found["errors"]["tool_error"] == {"count": 1, "of": 3, "among": "tool_calls", "rate": 0.3333}
    assert found["attempts"]["total"] == 6
    parts = {one["tool"]: one["usd"] for one in found["money_by_tool"]["parts"]}
    assert parts == {"look": "0.0117", None: "0.0045"}  # 0.0072 + 0.0045, and 0.0045 of the step without a tool
    assert "equal parts" in found["money_by_tool"]["rule"]


def test_metrics_in_words_and_of_all_runs(told: Told, filled: Path) -> None:
    code, out, _ = told("billed-run")
    assert code == 0
    assert "cost per right answer     $0.0072 (1 right of 1 checked, 0 not checked)" in out
    assert json.loads(told("--json")[1])["runs"] == len(cl.Store(filled).runs())


def test_a_run_named_twice_counts_once(told: Told) -> None:
    assert json.loads(told("billed-run", "billed-run", "--json")[1])["runs"] == 1


def test_metrics_of_a_local_run_are_not_billed_unless_a_reference_is_named(told: Told) -> None:
    plain = json.loads(told("local-run", "--json")[1])
    assert (plain["total_usd"], plain["billed"], plain["reference"]) == ("0", False, None)
    priced = json.loads(told("local-run", "--json", "--reference", "openai/gpt-5-mini")[1])
    assert (priced["total_usd"], priced["billed"], priced["reference"]) == ("0.0072", True, "openai/gpt-5-mini")


def test_metrics_of_a_run_that_is_not_there(told: Told) -> None:
    code, out, err = told("nowhere", "--json")
    assert (code, out) == (1, "")
    assert "nowhere" in err
