"""Real recordings that nobody here wrote: totals as the files themselves state them, and the arithmetic to see it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
import yaml
from conftest import shared_folder
from trace_samples import imported, totals

import costlab as cl
from costlab.errors import NoRecording
from costlab.importers import Imported, _modules, read_file
from costlab.store import Store, inherited

# Kinds of the index that are read, and as what.
READ = {
    "smolagents OTel": "openinference",
    "Claude Code session": "claude-code",
    "Gemini CLI session": "gemini-cli",
    "Codex rollout": "codex",
    "Langfuse trace export": "langfuse",
    "OpenInference spans": "openinference",
    "Vercel AI SDK": "openinference",
}


def rows() -> list[dict[str, object]]:
    """Return the index of the real recordings, or nothing where there are none."""
    folder = shared_folder()
    if folder is None:
        return []
    return [json.loads(line) for line in (folder / "data/traces/index.jsonl").read_text().splitlines()]


def form_of(row: dict[str, object]) -> str | None:
    """Return the format that a row of the index must be read as, None where it is none of ours."""
    return next((form for kind, form in READ.items() if str(row["kind"]).startswith(kind)), None)


ROWS = rows()
each_read = pytest.mark.parametrize("row", [r for r in ROWS if form_of(r)], ids=lambda r: r["file"])
each = pytest.mark.parametrize("row", ROWS, ids=lambda r: r["file"])


@pytest.fixture
def traces(shared: Path) -> Path:
    """The folder of real recordings."""
    return shared / "data" / "traces"


@cache
def found(path: Path) -> Imported:
    """Return a real recording, read once for all tests."""
    return read_file(path)


def test_there_are_recordings_of_each_kind(traces: Path) -> None:
    assert {form_of(row) for row in ROWS} - {None} == set(READ.values())
    assert sum(form_of(row) is not None for row in ROWS) >= 41


@each_read
def test_output_is_what_the_file_states(row: dict[str, object], traces: Path) -> None:
    read = found(traces / str(row["file"]))
    assert read.format == form_of(row)
    expected = row.get("expect")
    if isinstance(expected, dict):
        assert totals(read.runs)["output_tokens"] == expected["output_tokens"]
    else:
        assert read.runs


@each
def test_a_file_is_claimed_by_its_own_format_alone(row: dict[str, object], traces: Path) -> None:
    path = traces / str(row["file"])
    head = path.read_bytes()[:65_536]
    claims = [module.FORMAT for module in _modules() if module.sniff(head, path.name)]
    form = form_of(row)
    if form is None:
        assert claims == []
        with pytest.raises(NoRecording):
            read_file(path)
    else:
        assert claims == [form]


@each_read
def test_ids_are_unique_and_leaves_are_not_lost(row: dict[str, object], traces: Path) -> None:
    for run in found(traces / str(row["file"])).runs:
        calls = [call.call_id for call in run.calls]
        steps = [step.step_id for step in run.steps]
        assert len(set(calls)) == len(calls)
        assert len(set(steps)) == len(steps)
        nodes = {node.node for node in run.agents}
        assert {step.agent for step in run.steps} <= nodes
        assert {node.parent for node in run.agents} - {None} <= nodes
        assert {h for call in run.calls for h in (*call.messages, *call.output, *call.tools)} <= set(run.contents)


def test_every_recording_is_stored_as_it_was_read(traces: Path, home: Path) -> None:
    read = {}
    for row in ROWS:
        if form_of(row) and "live-fork" not in str(row["file"]):  # made anonymous, it has the ids of archived-fork
            path = traces / str(row["file"])
            read |= {(run.run_id, str(path)): run for run in cl.import_file(path).runs}
    stored = {run.run_id: run for run in Store(home).runs() if run.source.get("format") in READ.values()}
    assert {run_id for run_id, _ in read} == set(stored)
    # Three files are states of one Gemini chat, of which the store has the last.
    same = [run for (run_id, _), run in read.items() if _without_heirs(stored[run_id]) == _without_heirs(run)]
    assert len(read) - len(same) == 2
    assert len(stored) == len(read) - 2


def _without_heirs(run: cl.Run) -> object:
    from dataclasses import replace

    steps = [replace(s, calls=tuple(replace(c, inherited_from=None) for c in s.calls)) for s in run.steps]
    return replace(run, steps=tuple(steps))


# ---- literal totals of one file a kind, from the sums of its own fields


LITERAL = {
    # Index, last line of each message: in 143, cache write 122,647, cache read 1,972,214, out 4,185.
    "claude-code/entire/30_e81e82f6ba_0.full.jsonl": (
        19,  # distinct messages on 42 lines
        {
            "input_tokens": 143 + 122_647 + 1_972_214,
            "cache_write_tokens": 122_647,
            "cache_write_5m_tokens": 122_647,
            "cache_read_tokens": 1_972_214,
            "output_tokens": 4_185,
        },
    ),
    # in 34, cache write 34,523 (all of them for 1 hour), cache read 1,203,203, out 266.
    "claude-code/entire/5b_5251b9bdab_0.full.jsonl": (
        24,
        {
            "input_tokens": 34 + 34_523 + 1_203_203,
            "cache_write_tokens": 34_523,
            "cache_write_1h_tokens": 34_523,
            "cache_read_tokens": 1_203_203,
            "output_tokens": 266,
        },
    ),
    # input 48,965 of which cached 35,330; output 70 and thoughts 232 beside it.
    "gemini-cli/entire/12_cbfeaa512b_0.full.json": (
        4,
        {
            "input_tokens": 48_965,
            "cache_read_tokens": 35_330,
            "output_tokens": 70 + 232,
            "output_reasoning_tokens": 232,
        },
    ),
    # The last cumulative figures; 135 events, of which 2 repeat the one before.
    "codex/codexbar-issue2037/archived-fork-33ce-3869/parent.jsonl": (
        135 - 2,
        {
            "input_tokens": 13_359_699,
            "cache_read_tokens": 12_149_120,
            "output_tokens": 38_414,
            "output_reasoning_tokens": 14_160,
        },
    ),
    # 20 spans sum to 28,252 and 861; two are agents' own sums of calls: 3,045 and 42, 3,852 and 222.
    "smolagents/smoltrace_mistral-small/traces.json": (
        16,
        {"input_tokens": 28_252 - 3_045 - 3_852, "output_tokens": 861 - 42 - 222},
    ),
    # Eight requests, each turned away.
    "smolagents/smoltrace_gpt35_all-failed/traces.json": (8, {}),
    # Five operations, each on a wrapper (ai.generateText) and on the call in it (.doGenerate), in traces of their own.
    "otel-openinference/vercel-v6-all-spans.json": (
        5,
        {"input_tokens": 14 + 50 + 63 + 15 + 10, "output_tokens": 20 + 9 + 156 + 112},
    ),
    # Nine calls: prompt 310,222 in all, most of it cached.
    "otel-openinference/pxi_turn_trace.json": (
        9,
        {
            "input_tokens": 310_222,
            "cache_read_tokens": 305_482,
            "cache_write_tokens": 4_722,
            "output_tokens": 1_895,
        },
    ),
    # Output 59 and the reasoning beside it, 64.
    "langfuse/langgraph-js-2025-10-30.trace.json": (
        2,
        {"input_tokens": 321, "output_tokens": 59 + 64, "output_reasoning_tokens": 64},
    ),
}


@pytest.mark.parametrize("file", LITERAL)
def test_totals_to_the_token(file: str, traces: Path) -> None:
    calls, counts = LITERAL[file]
    runs = found(traces / file).runs
    assert sum(len(run.calls) for run in runs) == calls
    assert totals(runs) == counts


def test_placeholders_are_a_lower_bound(traces: Path) -> None:
    (run,) = found(traces / "claude-code/entire/a6_e2f067b5cb_0.full.jsonl").runs
    short = [call for call in run.calls if "placeholder_output" in call.bounds]
    assert sum(call.counts["output_tokens"] for call in run.calls) == 111  # for 49 messages that wrote whole files
    assert len(short) >= 40


def test_an_answer_without_any_token_is_not_free(traces: Path) -> None:
    """A chat with six answers, one of which has a tool call and zeros for tokens."""
    (run,) = found(traces / "gemini-cli/entire/9c_53780d06b7_0.full.json").runs
    assert [(call.usage_basis, call.bounds) for call in run.calls].count(("unknown", ("unmetered",))) == 1


def test_failed_calls_of_a_trace_cost_nothing_and_are_seen(traces: Path) -> None:
    runs = found(traces / "smolagents/smoltrace_gpt35_all-failed/traces.json").runs
    calls = [call for run in runs for call in run.calls]
    assert [(call.status, len(call.attempts)) for call in calls] == [("error", 1)] * 8
    assert {run.state for run in runs} == {"failed"}


def test_a_subagents_own_file_is_a_run_under_its_session(traces: Path) -> None:
    folder = traces / "claude-code/vscode-copilot-chat"
    files = sorted(folder.glob("b3a7bd3c-*__subagents__*.jsonl"))
    runs = [run for file in files for run in found(file).runs]
    assert len(runs) == 4
    assert {run.parent_run_id for run in runs} == {"claude-code-b3a7bd3c-5a10-4e7b-8ff0-7fc0cd6d1093"}
    assert len({run.run_id for run in runs}) == 4


@pytest.mark.parametrize(
    ("folder", "one", "two", "total", "shared_calls"),
    [
        # The child's last cumulative figures hold its parent's: 15,253,283 in and 55,895 out, once.
        ("archived-fork-33ce-3869", "parent", "child", (15_253_283, 55_895), 133),
        ("live-fork-4d90-52bf", "parent", "child", (26_692_274, 109_637), 178),
        # Two forks of a parent that is gone: 135 rows are the same, and after them each went on by itself.
        ("missing-parent-siblings", "sibling-a", "sibling-b", (15_253_283 + 3_030, 55_895 + 63), 133),
    ],
)
def test_a_fork_and_what_it_was_forked_from_count_their_calls_once(
    folder: str, one: str, two: str, total: tuple[int, int], shared_calls: int, traces: Path
) -> None:
    """manifest.json: the prefix of 135 (180) rows is in both files, under other times; 2 rows of it repeat a figure."""
    place = traces / "codex/codexbar-issue2037" / folder
    runs = inherited(run for name in (one, two) for run in found(place / f"{name}.jsonl").runs)
    assert [sum(c.inherited_from is not None for c in run.calls) for run in runs].count(0) == 1
    assert sum(c.inherited_from is not None for run in runs for c in run.calls) == shared_calls
    sums = totals(runs)
    assert (sums["input_tokens"], sums["output_tokens"]) == total


@pytest.mark.parametrize(
    ("file", "calls", "counts", "cost"),
    [
        # The one message says 1 token of output, the result 4.
        ("test_client_real_agent_span", 1 + 1, (3 + 17_024, 17_024, 4), "0.0051762"),
        # Messages of 3 and 1 fresh, 17,080 read twice, 197 written; output 0 and 1, the result 186.
        ("test_client_tool_hooks_create_tool_spans", 2 + 1, (4 + 34_160 + 197, 34_160, 186), "0.01378875"),
        ("test_query_tool_fallback_when_hooks_unavailable", 2 + 1, (4 + 34_303, 34_303, 131), "0.0122679"),
    ],
)
def test_a_stream_of_the_agent_sdk(
    file: str, calls: int, counts: tuple[int, int, int], cost: str, traces: Path, tmp_path: Path
) -> None:
    """The recordings are lists in YAML; a stream is the same messages, one a line. Its stated cost is 5/3 of list."""
    messages = yaml.safe_load((traces / f"claude-agent-sdk/{file}.yaml").read_text())["messages"]
    (run,) = imported(tmp_path, messages, "stream.jsonl").runs
    sums = totals([run])
    assert len(run.calls) == calls
    assert (sums["input_tokens"], sums["cache_read_tokens"], sums["output_tokens"]) == counts
    assert {call.bounds for call in run.calls} == {()}
    stated = next(one["total_cost_usd"] for one in messages if one["type"] == "result")
    # 3 USD fresh, 0.30 read, 3.75 written and 15 out a million
    assert str(cl.price_run(run).cost.total) == cost
    assert float(cost) * 5 / 3 == pytest.approx(stated)
