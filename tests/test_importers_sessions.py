"""Sessions of coding agents, rule by rule, on literal lines: Claude Code, Codex, Gemini CLI."""

from __future__ import annotations

from pathlib import Path

import pytest
from trace_samples import (
    CLAUDE,
    CODEX,
    GEMINI,
    SONNET,
    STREAM,
    STREAM_OPENED,
    Json,
    bounds,
    claude_answer,
    claude_line,
    claude_usage,
    codes,
    codex_count,
    codex_line,
    codex_usage,
    gemini_answer,
    imported,
    model_usage,
    run_of,
    stream_answer,
    stream_result,
    totals,
)

from costlab.errors import NoRecording
from costlab.store import inherited

LONG = "word " * 200  # 1,000 characters: more than any 5 tokens can be
ASK = claude_line("u1", None, {"role": "user", "content": "Fix the test."}, type="user")


def session(*lines: Json) -> list[Json]:
    """Return a session that begins with the user's task."""
    return [ASK, *lines]


# ---- Claude Code: one message on several lines


def test_one_message_on_several_lines_counts_once_with_its_last_figures(tmp_path: Path) -> None:
    """ccusage#901: output 9, 9, 159 for one message is 159."""
    lines = [claude_line(f"a{n}", "u1", claude_answer("msg_1", claude_usage(out))) for n, out in enumerate((9, 9, 159))]
    run = run_of(tmp_path, session(*lines), "s.jsonl")
    # input 10 + read 1,000 + written 100, not three times that
    assert totals([run]) == {
        "input_tokens": 1110,
        "cache_read_tokens": 1000,
        "cache_write_tokens": 100,
        "output_tokens": 159,
    }
    assert (len(run.calls), run.merged_records) == (1, 2)


def test_cached_tokens_stand_beside_fresh_ones(tmp_path: Path) -> None:
    """langfuse#12306: 5 fresh, 128,955 read, 1,253 written are 130,213, not 260,421."""
    usage = claude_usage(7, fresh=5, read=128_955, written=1_253)
    run = run_of(tmp_path, session(claude_line("a1", "u1", claude_answer("msg_1", usage))), "s.jsonl")
    assert totals([run])["input_tokens"] == 130_213


def test_writes_for_an_hour_are_told_from_those_for_five_minutes(tmp_path: Path) -> None:
    split = {"ephemeral_5m_input_tokens": 40, "ephemeral_1h_input_tokens": 60}
    usage = claude_usage(7) | {"cache_creation": split}
    (call,) = run_of(tmp_path, session(claude_line("a1", "u1", claude_answer("msg_1", usage))), "s.jsonl").calls
    assert (call.counts["cache_write_5m_tokens"], call.counts["cache_write_1h_tokens"]) == (40, 60)
    assert call.counts["cache_write_tokens"] == 100


def test_a_finished_line_wins_over_a_later_unfinished_one(tmp_path: Path) -> None:
    done = claude_answer("msg_1", claude_usage(80), stop_reason="end_turn")
    late = claude_answer("msg_1", claude_usage(2))
    run = run_of(tmp_path, session(claude_line("a1", "u1", done), claude_line("a2", "a1", late)), "s.jsonl")
    assert totals([run])["output_tokens"] == 80


def test_an_opening_figure_is_a_lower_bound(tmp_path: Path) -> None:
    """1,000 characters cannot have been 2 tokens: what was written down is the stream's first event."""
    run = run_of(
        tmp_path, session(claude_line("a1", "u1", claude_answer("msg_1", claude_usage(2), text=LONG))), "s.jsonl"
    )
    assert (totals([run])["output_tokens"], bounds(run)) == (2, [("placeholder_output",)])


@pytest.mark.parametrize(
    "more", [{"stop_reason": "end_turn"}, {"usage": claude_usage(250)}], ids=["it has ended", "250 tokens can be 1,000"]
)
def test_a_figure_that_may_be_true_is_taken_for_true(more: Json, tmp_path: Path) -> None:
    answer = claude_answer("msg_1", claude_usage(2), text=LONG) | more
    run = run_of(tmp_path, session(claude_line("a1", "u1", answer)), "s.jsonl")
    assert bounds(run) == [()]


def test_an_answer_of_nothing_but_zeros_is_unknown_not_free(tmp_path: Path) -> None:
    zeros = {"input_tokens": 0, "output_tokens": 0, "cache_read_input_tokens": 0}
    run = run_of(tmp_path, session(claude_line("a1", "u1", claude_answer("msg_1", zeros))), "s.jsonl")
    assert [(call.usage_basis, call.bounds) for call in run.calls] == [("unknown", ("unmetered",))]


def test_an_error_of_the_api_is_a_failed_call_that_cost_nothing(tmp_path: Path) -> None:
    said = claude_answer("msg_e", {"input_tokens": 0, "output_tokens": 0}, text="API Error: 529 Overloaded")
    said |= {"model": "<synthetic>"}
    run = run_of(tmp_path, [*CLAUDE, claude_line("e", "a2", said, isApiErrorMessage=True)], "s.jsonl")
    assert [(c.status, c.counts) for c in run.calls][1] == ("error", {})
    assert [(t.status, t.billed) for t in run.calls[1].attempts] == [(529, "no")]
    assert run.state == "failed"


def test_what_the_client_wrote_itself_is_no_call(tmp_path: Path) -> None:
    said = claude_answer("x", {"input_tokens": 0, "output_tokens": 0}, text="No response requested.")
    run = run_of(tmp_path, [*CLAUDE, claude_line("x", "a2", said | {"model": "<synthetic>"})], "s.jsonl")
    assert len(run.calls) == 1


# ---- Claude Code: who answered


@pytest.mark.parametrize(
    ("name", "model", "provider"),
    [
        ("msg_01AbC", "claude-sonnet-4-5-20250929", "anthropic"),
        ("msg_bdrk_01AbC", "claude-sonnet-4-5-20250929", "aws"),
        ("msg_vrtx_01AbC", "claude-sonnet-4-5-20250929", "google-vertex"),
        ("msg_01AbC", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws"),
        ("20260501abc", "glm-4.6", ""),
        ("chatcmpl-1", "deepseek/deepseek-chat", "deepseek"),
    ],
)
def test_a_client_of_anthropics_api_may_be_pointed_elsewhere(
    name: str, model: str, provider: str, tmp_path: Path
) -> None:
    answer = claude_answer(name, claude_usage(5)) | {"model": model}
    (call,) = run_of(tmp_path, session(claude_line("a1", "u1", answer)), "s.jsonl").calls
    assert (call.provider, call.model) == (provider, model.removeprefix("deepseek/"))
    assert call.counts["input_tokens"] == 1110  # in Anthropic's form, whoever answered


# ---- Claude Code: sub-agents, tools, resumed sessions


def tool_use(name: str, tool: str, **about: object) -> Json:
    """Return an answer that asks for a tool."""
    block = {"type": "tool_use", "id": f"toolu_{name}", "name": tool, "input": about}
    return claude_answer(name, claude_usage(30), stop_reason="tool_use") | {"content": [block]}


def tool_result(uuid: str, parent: str, of: str, result: Json, **block: object) -> Json:
    """Return what a tool said."""
    content = [{"type": "tool_result", "tool_use_id": f"toolu_{of}", "content": "ok", **block}]
    message = {"role": "user", "content": content}
    return claude_line(uuid, parent, message, type="user", toolUseResult=result)


def test_a_subagents_calls_stand_under_the_step_that_started_it(tmp_path: Path) -> None:
    ask = claude_line(
        "s1", None, {"role": "user", "content": "Look for it."}, type="user", isSidechain=True, agentId="7f"
    )
    inner = claude_line("s2", "s1", claude_answer("msg_s", claude_usage(20)), isSidechain=True, agentId="7f")
    lines = session(
        claude_line("a1", "u1", tool_use("msg_1", "Task", prompt="Look for it.", subagent_type="Explore")),
        ask,
        inner,
        tool_result("r1", "a1", "msg_1", {"agentId": "7f", "totalTokens": 1130, "totalDurationMs": 4000}),
        claude_line("a2", "r1", claude_answer("msg_2", claude_usage(50))),
    )
    run = run_of(tmp_path, lines, "s.jsonl")
    assert [(s.agent, s.parent, s.calls[0].counts["output_tokens"]) for s in run.steps] == [
        ("main", None, 30),
        ("7f", "s-msg_1", 20),
        ("main", None, 50),
    ]
    assert [(n.node, n.name, n.parent, n.parent_step) for n in run.agents] == [
        ("main", "Claude Code", None, None),
        ("7f", "Explore", "main", "s-msg_1"),
    ]
    assert [(t.name, t.status, t.duration_s) for t in run.tool_calls] == [("Task", "ok", 4.0)]
    assert "subagent_elsewhere" not in codes(run)


def test_a_subagent_told_as_progress_and_in_its_own_file_counts_once(tmp_path: Path) -> None:
    said = {"type": "assistant", "message": claude_answer("msg_000000000000000000inner", claude_usage(20)), "uuid": "p"}
    told = {
        "type": "progress", "sessionId": "session-1", "uuid": "p1", "parentUuid": "a1",
        "parentToolUseID": "toolu_msg_1", "timestamp": "2026-05-01T10:00:01.000Z",
        "data": {"message": said, "agentId": "7f"},
    }  # fmt: skip
    main = run_of(tmp_path, session(claude_line("a1", "u1", tool_use("msg_1", "Task")), told), "session-1.jsonl")
    own = claude_line("s2", None, said["message"], isSidechain=True, agentId="7f")  # type: ignore[arg-type]
    other = run_of(tmp_path, [own], "agent-7f.jsonl")
    assert totals([main])["output_tokens"] == 30 + 20
    assert (other.run_id, other.parent_run_id) == ("claude-code-session-1-7f", main.run_id)
    assert totals(inherited([main, other]))["output_tokens"] == 30 + 20


def test_a_subagent_whose_calls_are_in_another_file_is_named(tmp_path: Path) -> None:
    lines = session(
        claude_line("a1", "u1", tool_use("msg_1", "Task", prompt="x")),
        tool_result("r1", "a1", "msg_1", {"agentId": "7f", "totalTokens": 9_000}),
    )
    run = run_of(tmp_path, lines, "s.jsonl")
    assert totals([run])["output_tokens"] == 30
    assert [w.detail for w in run.warnings if w.code == "subagent_elsewhere"] == [
        "a sub-agent's calls are not in this file (it ended at 9000 tokens): import its own file too"
    ]


@pytest.mark.parametrize("tool", ["WebSearch", "WebFetch"])
def test_tools_that_call_a_model_of_their_own_make_a_lower_bound(tool: str, tmp_path: Path) -> None:
    lines = session(claude_line("a1", "u1", tool_use("msg_1", tool)), tool_result("r1", "a1", "msg_1", {}))
    run = run_of(tmp_path, lines, "s.jsonl")
    assert (bounds(run), "hidden_call" in codes(run)) == ([("unmetered",)], True)


def test_a_compaction_is_a_call_that_left_no_record(tmp_path: Path) -> None:
    boundary = {"type": "system", "subtype": "compact_boundary", "uuid": "b", "sessionId": "session-1"}
    run = run_of(tmp_path, [*CLAUDE, boundary | {"timestamp": "2026-05-01T11:00:00.000Z"}], "s.jsonl")
    assert bounds(run) == [("unmetered",)]


def test_a_tool_that_failed_is_an_error_and_one_without_result_is_cut(tmp_path: Path) -> None:
    lines = session(
        claude_line("a1", "u1", tool_use("msg_1", "Bash")),
        tool_result("r1", "a1", "msg_1", {}, is_error=True),
        claude_line("a2", "r1", tool_use("msg_2", "Bash")),
    )
    run = run_of(tmp_path, lines, "s.jsonl")
    assert [t.status for t in run.tool_calls] == ["error", "cut"]
    assert run.state == "cut"


def test_a_resumed_session_repeats_its_parent_and_counts_it_once(tmp_path: Path) -> None:
    """The new file begins with a copy of the old one's lines under the new session's id."""
    old = run_of(tmp_path, CLAUDE, "session-1.jsonl")
    copied = [{**line, "sessionId": "session-2"} for line in CLAUDE]
    answer = claude_answer("msg_0000000000000000000002", claude_usage(70))
    more = claude_line("a9", "a2", answer, sessionId="session-2")
    new = run_of(tmp_path, [*copied, more], "session-2.jsonl")
    assert [run.run_id for run in (old, new)] == ["claude-code-session-1", "claude-code-session-2"]
    assert totals([new])["output_tokens"] == 40 + 70
    assert totals(inherited([old, new]))["output_tokens"] == 40 + 70


def test_a_session_without_an_answer_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(NoRecording, match=r"s\.jsonl: no model call in this session"):
        imported(tmp_path, [ASK], "s.jsonl")


# ---- Claude's Agent SDK: only the result has the output


def test_what_the_result_has_beyond_its_messages_is_a_call_of_its_own(tmp_path: Path) -> None:
    """Two messages say 1 and 2 tokens of output, the result 186: 183 stand in a third call, and no input twice."""
    run = run_of(tmp_path, STREAM, "stream.jsonl")
    assert [call.counts["output_tokens"] for call in run.calls] == [1, 2, 186 - 1 - 2]
    assert totals([run]) == {
        "input_tokens": 20 + 2000 + 200,
        "cache_read_tokens": 2000,
        "cache_write_tokens": 200,
        "output_tokens": 186,
    }
    assert (bounds(run), run.merged_records) == ([(), (), ()], 1)
    assert codes(run) == {"client_cost", "totals_only"}


def test_a_stream_without_its_result_is_a_lower_bound(tmp_path: Path) -> None:
    run = run_of(tmp_path, STREAM[:-1], "stream.jsonl")
    assert (totals([run])["output_tokens"], bounds(run)) == (3, [("placeholder_output",)] * 2)


def test_a_model_that_only_the_result_names_is_a_call_too(tmp_path: Path) -> None:
    """A sub-agent on another model, none of whose messages is in the stream."""
    both = stream_result(**{SONNET: model_usage(40), "claude_haiku_4_5": model_usage(9, fresh=500, read=0, written=0)})
    run = run_of(tmp_path, [STREAM_OPENED, stream_answer("msg_1", claude_usage(2)), both], "stream.jsonl")
    assert [(c.model, c.counts["input_tokens"], c.counts["output_tokens"]) for c in run.calls] == [
        ("claude-sonnet-4-5-20250929", 1110, 2),
        ("claude-sonnet-4-5-20250929", 0, 38),
        ("claude-haiku-4-5", 500, 9),
    ]


def test_cumulative_results_of_a_session_are_not_added_up(tmp_path: Path) -> None:
    first = stream_result(**{SONNET: model_usage(40)})
    second = stream_result(**{SONNET: model_usage(90, fresh=20, read=2000, written=200)})
    lines = [
        STREAM_OPENED,
        stream_answer("msg_1", claude_usage(2)),
        first,
        stream_answer("msg_2", claude_usage(2)),
        second,
    ]
    assert totals([run_of(tmp_path, lines, "stream.jsonl")])["output_tokens"] == 90


def test_results_that_stand_for_a_turn_each_are_added_up(tmp_path: Path) -> None:
    turn = stream_result(**{SONNET: model_usage(40)})
    lines = [
        STREAM_OPENED,
        stream_answer("msg_1", claude_usage(2)),
        turn,
        stream_answer("msg_2", claude_usage(2)),
        turn,
    ]
    assert totals([run_of(tmp_path, lines, "stream.jsonl")])["output_tokens"] == 80


def test_a_result_alone_is_a_run(tmp_path: Path) -> None:
    """`claude -p --output-format json` writes nothing else."""
    run = run_of(tmp_path, stream_result(**{SONNET: model_usage(40)}), "result.json")
    assert totals([run])["output_tokens"] == 40
    assert (run.answer, run.state, run.duration_s) == ("Done.", "success", 3.0)


# ---- Codex: cumulative figures


def test_cumulative_figures_are_never_added_up(tmp_path: Path) -> None:
    """1,000 then 3,000 in all: calls of 1,000 and 2,000, 3,000 together and not 4,000."""
    run = run_of(tmp_path, CODEX, "rollout.jsonl")
    assert [(c.counts["input_tokens"], c.counts["output_tokens"]) for c in run.calls] == [(1000, 50), (2000, 40)]
    assert totals([run]) == {
        "input_tokens": 3000,
        "cache_read_tokens": 2600,  # inside the input
        "output_tokens": 90,
        "output_reasoning_tokens": 40,  # inside the output
    }


def test_an_event_that_repeats_the_totals_is_merged(tmp_path: Path) -> None:
    run = run_of(tmp_path, [*CODEX, CODEX[-1], CODEX[-1]], "rollout.jsonl")
    assert (len(run.calls), run.merged_records) == (2, 2)


def test_totals_that_fall_give_the_events_own_figures(tmp_path: Path) -> None:
    again = codex_count(codex_usage(500, 0, 5), codex_usage(500, 0, 5), 20)
    run = run_of(tmp_path, [*CODEX, again], "rollout.jsonl")
    assert totals([run])["input_tokens"] == 3000 + 500
    assert "cumulative_fell" in codes(run)


def fork(name: str, *more: Json) -> list[Json]:
    """Return a rollout that was forked from thread-1 and copied its events under later times."""
    head = codex_line("session_meta", {"id": name, "forked_from_id": "thread-1", "model_provider": "openai"}, 30)
    return [head, *({**line, "timestamp": "2026-05-02T09:00:00.000Z"} for line in CODEX), *more]


def test_forks_count_what_they_copied_once_with_their_parent_and_without(tmp_path: Path) -> None:
    own = codex_count(codex_usage(3600, 2600, 97, 40), codex_usage(600, 0, 7), 40)
    parent = run_of(tmp_path, CODEX, "rollout-1.jsonl")
    one, two = (
        run_of(tmp_path, fork("thread-2", own), "rollout-2.jsonl"),
        run_of(tmp_path, fork("thread-3"), "r3.jsonl"),
    )
    assert one.parent_run_id == parent.run_id
    assert totals([one])["input_tokens"] == 3600
    assert totals(inherited([parent, one, two]))["input_tokens"] == 3600
    assert totals(inherited([one, two]))["input_tokens"] == 3600


def test_calls_of_equal_figures_in_unrelated_sessions_are_two(tmp_path: Path) -> None:
    other = [codex_line("session_meta", {"id": "thread-9", "model_provider": "openai"}), *CODEX[1:]]
    runs = [run_of(tmp_path, CODEX, "r1.jsonl"), run_of(tmp_path, other, "r9.jsonl")]
    assert totals(inherited(runs))["input_tokens"] == 3000 + 3000


def test_a_rollout_without_figures_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(NoRecording, match="nothing says what this session used"):
        imported(tmp_path, CODEX[:2], "rollout.jsonl")


# ---- Gemini CLI: thoughts and tool prompts beside


def test_thoughts_stand_beside_the_output_and_cached_inside_the_input(tmp_path: Path) -> None:
    run = run_of(tmp_path, GEMINI)
    assert totals([run]) == {
        "input_tokens": 1000,
        "cache_read_tokens": 600,
        "output_tokens": 20 + 30,
        "output_reasoning_tokens": 30,
    }


def test_tool_prompts_stand_beside_the_input(tmp_path: Path) -> None:
    tokens = {"input": 1000, "output": 20, "cached": 0, "thoughts": 0, "tool": 70, "total": 1090}
    (call,) = run_of(tmp_path, {**GEMINI, "messages": [gemini_answer("m2", tokens)]}).calls
    assert (call.counts["input_tokens"], call.counts["input_tool_tokens"]) == (1000 + 70, 70)


def test_a_message_that_was_written_anew_counts_once_as_it_was_last(tmp_path: Path) -> None:
    first = gemini_answer("m2", {"input": 1000, "output": 1, "total": 1001})
    last = gemini_answer("m2", {"input": 1000, "output": 25, "total": 1025})
    run = run_of(tmp_path, {**GEMINI, "messages": [first, last]})
    assert (totals([run])["output_tokens"], run.merged_records) == (25, 1)


def test_an_answer_without_tokens_is_unknown(tmp_path: Path) -> None:
    for tokens in (None, {}, {"input": 0, "output": 0, "total": 0}):
        run = run_of(tmp_path, {**GEMINI, "messages": [gemini_answer("m2", tokens)]})
        assert [(call.usage_basis, call.bounds) for call in run.calls] == [("unknown", ("unmetered",))]


def test_a_chat_as_lines_is_the_same_chat(tmp_path: Path) -> None:
    head = {key: value for key, value in GEMINI.items() if key != "messages"}
    lines = [head, *GEMINI["messages"], {"$set": {"lastUpdated": "2026-05-01T10:00:09.000Z"}}]  # type: ignore[misc]
    as_lines, whole = run_of(tmp_path, lines, "chat.jsonl"), run_of(tmp_path, GEMINI)
    assert (as_lines.run_id, as_lines.steps, as_lines.duration_s) == (whole.run_id, whole.steps, whole.duration_s)
