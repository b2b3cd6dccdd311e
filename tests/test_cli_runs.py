"""`runs`, `show` and `compare`: every field of the contract, and what a person reads."""

from __future__ import annotations

import os
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from command_line import Cli
from run_samples import MONDAY, call, run
from test_cli_import import OURS, SUMMARY

from costlab.runs import AgentNode, Attempt, Run, Step, ToolCall
from costlab.store import Store, content_of

TIMELINE = {"step", "kind", "agent", "parent", "started_at", "duration_s", "error", "calls", "tools"}
CALL = {
    "call_id", "provider", "model", "status", "usage_basis", "counts", "total_usd", "bounds", "duration_s", "ttft_s",
    "attempts", "inherited_from",
}  # fmt: skip
COLUMN = {
    "provider", "model", "total_usd", "low_usd", "high_usd", "lower_bound", "fits", "why_not", "basis", "by_unit",
    "by_step",
}  # fmt: skip
GPT = {"model": "gpt-x", "counts": {"input_tokens": 1_000, "cache_read_tokens": 400, "output_tokens": 200}}
posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX")


def billed(run_id: str = "r1") -> Run:
    """A run of gpt-x in November: an action with a retry and two tools, and a managed agent's step that was cut."""
    tries = (Attempt(MONDAY, 429, "slow down", "req_1", billed="no"), Attempt(MONDAY, 200, None, "req_2", billed="yes"))
    tools = (ToolCall("search", "t1", duration_s=0.5, call_id="c1"), ToolCall("search", "t2", "error", "nothing found"))
    first = Step(
        "s1", 1, "action", "a0", None, MONDAY, 3.0, None, (call("c1", ttft_s=0.25, attempts=tries, **GPT),), tools
    )
    second = Step("s2", 1, "action", "a1", "s1", MONDAY, 2.0, "it was cut", (call("c2", status="cut", **GPT),))
    nodes = (AgentNode("a0", "boss"), AgentNode("a1", "helper", "a0", "s1"))
    return run(run_id, steps=(first, second), agents=nodes, duration_s=5.0, correct=True, source={"format": "costlab"})


def local(run_id: str = "home") -> Run:
    """A run of one call on the user's own machine."""
    return run(run_id, call("c1", provider="local", **GPT))


def keep(home: Path, *runs: Run) -> None:
    """Put runs into the store of a home."""
    Store(home).add(runs)


# ---- runs


def test_every_field_of_a_summary(cli: Cli, home: Path) -> None:
    keep(home, billed())
    done = cli("runs", "--json")
    assert (done.code, done.err) == (0, "")
    (found,) = done.json
    assert set(found) == SUMMARY | OURS
    # each call: 600 x 3 + 400 x 0.2 + 200 x 8 USD a million = 0.00348; in November at its own date and today
    assert found == {
        "run_id": "r1", "parent_run_id": None, "task": "Add two numbers", "agent": "CodeAgent",
        "source": {"format": "costlab"}, "state": "success", "correct": True, "started_at": "2026-11-23T12:00:00+00:00",
        "models": ["openai/gpt-x"], "steps": 2, "model_calls": 2, "failed_calls": 0, "attempts": 3,
        "tool_calls": {"search": 2}, "tool_errors": 1, "error_rate": 0.25, "duration_s": 5.0,
        "counts": {"input_tokens": 2_000, "cache_read_tokens": 800, "output_tokens": 400},
        "total_usd": "0.00696", "lower_bound": True, "bounds": [{"reason": "cut", "call": "c2", "unit": None}],
        "total_usd_today": "0.00696", "lower_bound_today": True, "unpriced": [], "warnings": [],
        "merged_records": 0, "inherited_calls": 0, "at_api_prices": False, "usage_basis": ["measured"],
        "billed": True, "baseline": None,
    }  # fmt: skip


@pytest.mark.parametrize(("at", "usd"), [("2026-06-30", "0.00288"), ("today", "0.00348"), ("call", "0.00348")])
def test_prices_of_which_day(cli: Cli, home: Path, at: str, usd: str) -> None:
    keep(home, run("r1", call(**GPT)))  # in June 600 x 2 instead of 600 x 3 USD a million
    (found,) = cli("runs", "--at", at, "--json").json
    assert (found["total_usd"], found["total_usd_today"]) == (usd, "0.00348")


def test_runs_as_text(cli: Cli, home: Path) -> None:
    keep(home, billed(), replace(local(), task="数一数 螺栓\x1b[2J"), run("r9", call(model="gpt-9")))
    lines = cli("runs").out.splitlines()
    assert " ".join(lines[0].split()) == "RUN RECORDED (UTC) ENDED ANSWER CALLS INPUT OUTPUT COST TASK"
    told = {line.split()[0]: line for line in lines[1:-1]}
    assert "not billed  数一数 螺栓\ufffd[2J" in told["home"]
    assert "right       2  2,000     400  ≥ $0.00696  Add two numbers" in told["r1"]
    assert "unpriced  Add two numbers" in told["r9"]
    ends = {line.index(mark) + len(mark) for line, mark in
            ((told["home"], "not billed"), (told["r1"], "$0.00696"), (told["r9"], "unpriced"))}  # fmt: skip
    assert len(ends) == 1, "costs stand under each other"
    assert lines[-1] == "3 runs; at each call's own day, prices read 2026-02-01"


def test_no_runs_yet(cli: Cli) -> None:
    assert cli("runs").out == "no runs yet; `costlab import PATH` reads recordings\n"
    assert cli("runs", "--json").json == []


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_listed(cli: Cli, home: Path) -> None:
    keep(home, billed())
    (home / "runs" / "bad.jsonl").write_text("{broken\n")
    for words in (("--json",), ()):
        done = cli("runs", *words)
        assert done.code == 1
        assert done.problem().startswith(f"costlab: {home / 'runs' / 'bad.jsonl'}, line 1: broken JSON")
        assert "r1" in done.out
    assert cli("show", "r1").code == 0


# ---- show


def test_every_field_of_a_timeline(cli: Cli, home: Path) -> None:
    keep(home, billed())
    done = cli("show", "r1", "--json")
    assert (done.code, done.err) == (0, "")
    assert set(done.json) == SUMMARY | OURS | {"timeline"}
    first, second = done.json["timeline"]
    assert set(first) == TIMELINE | {"step_id"}
    assert {key: first[key] for key in ("step", "kind", "agent", "parent", "started_at", "duration_s", "error")} == {
        "step": 1, "kind": "action", "agent": "a0", "parent": None, "started_at": "2026-11-23T12:00:00+00:00",
        "duration_s": 3.0, "error": None,
    }  # fmt: skip
    assert (second["agent"], second["parent"], second["error"]) == ("a1", "s1", "it was cut")
    (asked,) = first["calls"]
    assert set(asked) == CALL
    assert asked == {
        "call_id": "c1", "provider": "openai", "model": "gpt-x", "status": "ok", "usage_basis": "measured",
        "counts": {"input_tokens": 1_000, "cache_read_tokens": 400, "output_tokens": 200}, "total_usd": "0.00348",
        "bounds": [], "duration_s": 2.5, "ttft_s": 0.25, "inherited_from": None,
        "attempts": [
            {"at": "2026-11-23T12:00:00+00:00", "status": 429, "error": "slow down", "request_id": "req_1",
             "billed": "no"},
            {"at": "2026-11-23T12:00:00+00:00", "status": 200, "error": None, "request_id": "req_2", "billed": "yes"},
        ],
    }  # fmt: skip
    assert first["tools"] == [
        {"name": "search", "status": "ok", "duration_s": 0.5, "call_id": "c1"},
        {"name": "search", "status": "error", "duration_s": None, "call_id": None},
    ]
    assert second["calls"][0]["bounds"] == [{"reason": "cut", "call": "c2", "unit": None}]


def test_a_call_that_another_run_holds_costs_nothing_here(cli: Cli, home: Path) -> None:
    keep(home, run("root", call("c1", origin="m1", **GPT)))
    keep(home, run("fork", call("c1", origin="m1", **GPT), call("c2", **GPT), parent_run_id="root"))
    found = cli("show", "fork", "--json").json
    (step,) = found["timeline"]
    assert [(one["inherited_from"], one["total_usd"]) for one in step["calls"]] == [("root", "0"), (None, "0.00348")]
    assert (found["inherited_calls"], found["total_usd"], found["parent_run_id"]) == (1, "0.00348", "root")
    assert "gpt-x (counted in root)" in cli("show", "fork").out


def test_show_as_text(cli: Cli, home: Path) -> None:
    keep(home, billed())
    assert cli("show", "r1").out.splitlines() == [
        "r1: Add two numbers",
        "  finished (right); 2 calls of gpt-x in 2 steps, 5.00 s",
        "  2,000 tokens in (800 of them read from cache), 400 out",
        "  ≥ $0.00696 at each call's own day, prices read 2026-02-01",
        "  ≥ $0.00696 at today's prices",
        "  lower bound: a call was cut off",
        "",
        "STEP  KIND    AGENT   MODEL        INPUT  CACHED  OUTPUT    TIME        COST  TOOLS",
        "   1  action  boss    gpt-x        1,000     400     200  2.50 s    $0.00348  search, search (error)",
        "   1  action  helper  gpt-x (cut)  1,000     400     200  2.50 s  ≥ $0.00348",
        "      it was cut",
    ]


def test_a_local_run_as_text(cli: Cli, home: Path) -> None:
    """The reference model of the shipped prices stands in: 600 x 0.25 + 400 x 0.025 + 200 x 2 USD a million."""
    keep(home, local())
    cli.pricing = None
    said = cli("show", "home").out.splitlines()
    assert said[3].startswith("  ran locally, not billed; on openai/gpt-5-mini: $0.00056, at each call's own day")
    assert said[-1].endswith("not billed")
    summary = cli("show", "home", "--json").json
    assert (summary["billed"], summary["total_usd"]) == (False, "0")
    assert summary["baseline"] == {
        "reference": "openai/gpt-5-mini", "total_usd": "0.00056", "lower_bound": False, "unpriced": [],
    }  # fmt: skip


def test_a_run_that_is_not_there(cli: Cli) -> None:
    for words in (("show", "nope"), ("show", "nope", "--json"), ("compare", "nope", "--models", "openai/gpt-x")):
        done = cli(*words)
        assert (done.code, done.out) == (1, "")
        assert done.problem() == "costlab: there is no run 'nope'; `costlab runs` lists them"


# ---- compare

MODELS = "openai/gpt-x,anthropic/claude-x,openai/half-x"


def test_every_field_of_a_comparison(cli: Cli, home: Path) -> None:
    keep(home, billed())
    done = cli("compare", "r1", "--models", MODELS, "--json")
    assert (done.code, done.err) == (0, "")
    (found,) = done.json["runs"]
    assert set(found) == {"run_id", "models", "billed", "note", "baseline"}
    assert (found["run_id"], found["billed"], found["note"]) == ("r1", True, None)
    assert found["baseline"] == {"reference": None, "total_usd": "0.00696", "lower_bound": True, "unpriced": []}
    claude = found["models"][1]
    assert set(claude) == COLUMN | {"unpriced", "times_baseline"}
    # twice 600 x 3 + 400 x 0.3 + 200 x 15 USD a million; without a cache 1,000 x 3 + 200 x 15
    assert claude == {
        "provider": "anthropic", "model": "claude-x", "total_usd": "0.00984", "low_usd": "0.00984",
        "high_usd": "0.012", "lower_bound": True, "fits": True, "why_not": None,
        "basis": dict.fromkeys(("cache_read_tokens", "input_tokens", "output_tokens"), "assumed"),
        "by_unit": {"input_tokens": "0.0036", "cache_read_tokens": "0.00024", "output_tokens": "0.006"},
        "by_step": [
            {"step": 1, "step_id": "s1", "usd": "0.00492"}, {"step": 1, "step_id": "s2", "usd": "0.00492"},
        ],
        "unpriced": [], "times_baseline": "1.413793",  # 0.00984 / 0.00696
    }  # fmt: skip
    half = found["models"][2]
    assert (half["unpriced"], half["lower_bound"], half["times_baseline"]) == (["output_tokens"], True, None)
    for one in found["models"]:
        total = Decimal(one["total_usd"])
        assert sum(map(Decimal, one["by_unit"].values())) == total
        assert sum((Decimal(step["usd"]) for step in one["by_step"]), Decimal(0)) == total
        assert Decimal(one["low_usd"]) <= total <= Decimal(one["high_usd"])


def test_a_model_that_could_not_run_it_says_why(cli: Cli, home: Path) -> None:
    picture = call(model="gpt-x", counts={"input_tokens": 1_000, "input_image_tokens": 90, "output_tokens": 1})
    keep(home, run("r1", picture))
    models = "openai/tiny-x,openai/old-x,anthropic/claude-x,openai/gpt-x"
    done = cli("compare", "r1", "--models", models, "--json")
    assert [(one["model"], one["fits"], one["why_not"]) for one in done.json["runs"][0]["models"]] == [
        ("tiny-x", False, "does not fit: 1,001 of 500"), ("old-x", False, "retired 2026-01-01"),
        ("claude-x", False, "no vision"), ("gpt-x", True, None),
    ]  # fmt: skip
    assert done.code == 0
    lines = cli("compare", "r1", "--models", models).out.splitlines()
    assert [line.split()[0] for line in lines[3:7]] == [
        "openai/gpt-x", "openai/tiny-x", "openai/old-x", "anthropic/claude-x",
    ]  # fmt: skip
    assert "$" not in "".join(lines[4:7]), "what does not fit is never the cheapest"
    assert lines[4].endswith("does not fit: 1,001 of 500")


def test_an_unknown_model_is_said_with_near_ones_and_the_rest_is_compared(cli: Cli, home: Path) -> None:
    keep(home, run("r1", call(**GPT)))
    done = cli("compare", "r1", "--models", "openai/gpt-y,openai/gpt-x", "--json")
    assert done.code == 1
    why = "no model named 'openai/gpt-y' in the price tables; near: openai/gpt-x"
    assert done.problem().startswith(f"costlab: {why}")
    known, unknown = done.json["runs"][0]["models"]
    assert (known["model"], known["total_usd"]) == ("gpt-x", "0.00348")
    assert set(unknown) == set(known)
    assert (unknown["provider"], unknown["model"], unknown["fits"], unknown["lower_bound"]) == (
        "openai", "gpt-y", False, True,
    )  # fmt: skip
    assert unknown["why_not"].startswith(f"unknown: {why}")
    assert unknown["unpriced"] == ["input_tokens", "cache_read_tokens", "output_tokens"]
    assert cli("compare", "r1", "--models", "gpt-y").code == 1


def test_one_of_several_runs_is_not_there(cli: Cli, home: Path) -> None:
    keep(home, billed("a"), billed("b"))
    done = cli("compare", "a", "nope", "b", "--models", "openai/gpt-x", "--json")
    assert (done.code, [one["run_id"] for one in done.json["runs"]]) == (1, ["a", "b"])
    assert done.problem() == "costlab: there is no run 'nope'; `costlab runs` lists them"


def test_compare_as_text(cli: Cli, home: Path) -> None:
    keep(home, run("r1", call(**GPT)))
    assert cli("compare", "r1", "--models", MODELS, "--at", "2026-06-30").out.splitlines() == [
        "r1: Add two numbers",
        "  recorded: $0.00288",  # 600 x 2 + 400 x 0.2 + 200 x 8 USD a million
        "MODEL                     COST  NOTHING CACHED  TIMES RECORDED  REMARKS",
        "openai/half-x       ≥ $0.00050      ≥ $0.00050                  no price is known for a part",
        "openai/gpt-x          $0.00288        $0.00360           1.00×",
        "anthropic/claude-x    $0.00492        $0.00600           1.71×",
        "",
        "Same tokens, other price lists, at the prices of 2026-06-30, prices read 2026-02-01.",
    ]


@pytest.mark.parametrize(("words", "named", "usd"), [
    ((), "openai/gpt-5-mini", "0.00056"),  # 600 x 0.25 + 400 x 0.025 + 200 x 2 USD a million
    (("--reference", "anthropic/claude-haiku-4-5"), "anthropic/claude-haiku-4-5", "0.00164"),  # 600 x 1 + 40 + 1,000
])  # fmt: skip
def test_a_run_that_nobody_billed_is_compared_from_a_reference(
    cli: Cli, home: Path, words: tuple[str, ...], named: str, usd: str
) -> None:
    keep(home, local())
    cli.pricing = None
    (found,) = cli("compare", "home", *words, "--models", "openai/gpt-5-mini", "--json").json["runs"]
    assert (found["billed"], found["note"]) == (False, "ran locally, not billed")
    assert found["baseline"] == {"reference": named, "total_usd": usd, "lower_bound": False, "unpriced": []}
    times = (Decimal("0.00056") / Decimal(usd)).quantize(Decimal("0.000001")).normalize()
    assert Decimal(found["models"][0]["times_baseline"]) == times
    lines = cli("compare", "home", *words, "--models", "openai/gpt-5-mini").out.splitlines()
    assert lines[1] == f"  ran locally, not billed; reference {named}: ${usd}"
    assert "TIMES REFERENCE" in lines[2]


def test_a_billed_run_may_be_compared_from_a_reference_too(cli: Cli, home: Path) -> None:
    keep(home, run("r1", call(**GPT)))
    words = ("compare", "r1", "--models", "openai/gpt-x", "--reference", "anthropic/claude-x")
    (found,) = cli(*words, "--json").json["runs"]
    assert found["baseline"]["total_usd"] == "0.00492"
    assert (found["billed"], found["note"]) == (True, None)
    assert cli(*words).out.splitlines()[1] == "  reference anthropic/claude-x: $0.00492"


def test_eight_models_unless_some_are_named(cli: Cli, home: Path) -> None:
    keep(home, run("r1", call(**GPT)))
    cli.pricing = None
    assert len(cli("compare", "r1", "--json").json["runs"][0]["models"]) == 8


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "the following arguments are required: RUN_ID"),
        (("r1", "--models", ""), "--models needs names separated by commas"),
        (("r1", "--models", "openai/gpt-x,,openai/tiny-x"), "--models needs names separated by commas"),
        (
            ("r1", "--reference", "openai/gpt-y"),
            "--reference: no model named 'openai/gpt-y' in",
        ),
        (("r1", "--at", "then"), "--at: must be call, today or a date"),
    ],
)
def test_wrong_use(cli: Cli, home: Path, words: tuple[str, ...], why: str) -> None:
    keep(home, run("r1", call(**GPT)))
    done = cli("compare", *words)
    assert (done.code, done.out) == (2, "")
    assert why in done.problem()


def test_foreign_text_cannot_steer_the_terminal(cli: Cli, home: Path) -> None:
    evil = "\x1b[2J\u202egnp\n\r\x07"
    step = Step("s1", 1, "action", evil, None, MONDAY, 1.0, evil, (call(**{**GPT, "model": evil}),), (ToolCall(evil),))
    note = content_of({"role": "user", "content": evil}, "message")
    keep(home, run("r1", task=evil, title=evil, steps=(step,), contents={note.sha256: note}))
    for words in (("runs",), ("show", "r1"), ("compare", "r1", "--models", "openai/gpt-x")):
        done = cli(*words)
        assert not set("\x1b\u202e\r\x07") & set(done.out + done.err)
        assert done.code == 0
