"""RunResults and memories of smolagents as JSON: what they say counts once, what they leave out is said."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from trace_samples import (
    SMOLAGENTS,
    Json,
    action,
    bounds,
    codes,
    figures,
    imported,
    planning,
    result,
    run_of,
    totals,
)

import costlab as cl
from costlab.errors import BadInput, NoRecording
from costlab.store import inherited

ALWAYS = {"attempts_not_recorded"}  # smolagents keeps no retries, whatever a run is


def memory(value: Json) -> list[Json]:
    """Return what `agent.memory.get_full_steps()` gives for the same run as a RunResult."""
    return value["steps"]  # type: ignore[return-value]


def test_each_step_is_a_call_with_its_own_figures(tmp_path: Path) -> None:
    run = run_of(tmp_path, SMOLAGENTS)
    assert [(s.kind, s.number, s.calls[0].counts, s.duration_s) for s in run.steps] == [
        ("planning", 1, {"input_tokens": 50, "output_tokens": 5}, 2.0),
        ("action", 1, {"input_tokens": 100, "output_tokens": 10}, 4.0),
        ("action", 2, {"input_tokens": 120, "output_tokens": 12}, 4.0),
    ]
    # 50 + 100 + 120 and 5 + 10 + 12, the run's own total: nothing is said about it
    assert totals([run]) == {"input_tokens": 270, "output_tokens": 27}
    assert {call.usage_basis for call in run.calls} == {"measured"}
    assert (run.task, run.state, run.answer, run.duration_s) == ("What is the answer?", "success", "42", 60.0)
    assert codes(run) == {*ALWAYS, "cache_unknown"}


def test_a_run_that_names_no_model_is_unpriced(tmp_path: Path) -> None:
    cost = cl.price_run(run_of(tmp_path, SMOLAGENTS)).cost
    assert (cost.total, cost.lower_bound, {u.why for u in cost.unpriced}) == (0, True, {"no model is named"})


OLD = {("messages" if key == "steps" else key): value for key, value in SMOLAGENTS.items()}
FORMS = {
    "RunResult": (SMOLAGENTS, "result.json"),
    "RunResult of 1.20": (OLD, "result.json"),
    "memory": (memory(SMOLAGENTS), "memory.json"),
    "memory as lines": (memory(SMOLAGENTS), "memory.jsonl"),
    "RunResults as lines": ([SMOLAGENTS], "results.jsonl"),
    "list of RunResults": ([SMOLAGENTS], "results.json"),
    "the same RunResult twice": ([SMOLAGENTS, SMOLAGENTS], "results.jsonl"),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_export_of_a_run_is_the_same_run(form: str, tmp_path: Path) -> None:
    value, name = FORMS[form]
    run = run_of(tmp_path, value, name)
    assert run.run_id == run_of(tmp_path, SMOLAGENTS).run_id
    assert totals([run]) == {"input_tokens": 270, "output_tokens": 27}


def test_a_conversation_that_goes_on_counts_its_first_part_once(tmp_path: Path) -> None:
    """`agent.run(reset=False)` keeps the memory: the second result holds the first one's steps too."""
    first = result(action(1, figures(100, 10)))
    again = result(action(1, figures(100, 10)), {"task": "And now?", "task_images": None}, action(2, figures(200, 20)))
    runs = [run_of(tmp_path, first), run_of(tmp_path, again)]
    assert runs[1].task == "What is the answer?\n\nAnd now?"
    assert totals(inherited(runs)) == {"input_tokens": 300, "output_tokens": 30}


# ---- the provider's own body


def body(**usage: object) -> Json:
    """Return an OpenAI answer as smolagents writes it into JSON: class names beside the fields."""
    return {
        "_type": "ChatCompletion", "id": "chatcmpl-1", "model": "gpt-4o-mini-2024-07-18", "choices": [],
        "usage": {"_type": "CompletionUsage", **usage},
    }  # fmt: skip


def answered(raw: object, usage: Json | None = None) -> Json:
    """Return an action whose answer has a body."""
    message = {"role": "assistant", "content": "so", "raw": raw}
    return action(1, usage if usage is not None else figures(1000, 50), model_output_message=message)


def test_the_bodys_cached_and_reasoning_tokens_count(tmp_path: Path) -> None:
    raw = body(
        prompt_tokens=1000,
        completion_tokens=50,
        total_tokens=1050,
        prompt_tokens_details={"_type": "PromptTokensDetails", "cached_tokens": 800, "audio_tokens": 0},
        completion_tokens_details={"_type": "CompletionTokensDetails", "reasoning_tokens": 30},
    )
    run = run_of(tmp_path, result(answered(raw)))
    (call,) = run.calls
    assert call.counts == {
        "input_tokens": 1000,
        "cache_read_tokens": 800,
        "output_tokens": 50,
        "output_reasoning_tokens": 30,
    }
    assert (call.model, call.usage_basis) == ("gpt-4o-mini-2024-07-18", "measured")
    assert codes(run) == ALWAYS


def test_a_bodys_counts_beside_the_input_are_added(tmp_path: Path) -> None:
    """Bedrock: smolagents says 100, its own usage block has 800 cached tokens beside them."""
    raw = {"usage": {"inputTokens": 100, "outputTokens": 50, "cacheReadInputTokens": 800}}
    (call,) = run_of(tmp_path, result(answered(raw, figures(100, 50)))).calls
    assert call.counts == {"input_tokens": 900, "cache_read_tokens": 800, "output_tokens": 50}


def test_a_body_that_has_less_than_smolagents_says_is_named(tmp_path: Path) -> None:
    run = run_of(tmp_path, result(answered(body(prompt_tokens=90, completion_tokens=50))))
    assert totals([run])["input_tokens"] == 90
    assert [(w.field, w.detail) for w in run.calls[0].warnings] == [
        ("input_tokens", "smolagents says 1000, the body less")
    ]


@pytest.mark.parametrize("raw", [None, "ChatCompletion(id='1')", {"out": "text"}, body(), {"usage": None}])
def test_a_body_without_usage_leaves_smolagents_figures(raw: object, tmp_path: Path) -> None:
    assert totals([run_of(tmp_path, result(answered(raw)))]) == {"input_tokens": 1000, "output_tokens": 50}


# ---- what is not there


@pytest.mark.parametrize("step", [action(1, None), action(1, figures(0, 0)), planning(None), planning(figures(0, 0))])
def test_a_call_without_usage_is_unknown_not_free(step: Json, tmp_path: Path) -> None:
    """A stream without usage looks like (0, 0); planning steps of some versions have none."""
    run = run_of(tmp_path, result(step))
    assert [(call.usage_basis, call.bounds) for call in run.calls] == [("unknown", ("unmetered",))]
    assert "unmetered" in {b.reason for b in cl.price_run(run).cost.bounds}


def test_streamed_planning_may_lose_its_input(tmp_path: Path) -> None:
    run = run_of(tmp_path, result(planning(figures(0, 25))))
    assert (totals([run]), bounds(run)) == ({"input_tokens": 0, "output_tokens": 25}, [("unmetered:input_tokens",)])


def test_usage_on_the_message_counts_where_the_step_has_none(tmp_path: Path) -> None:
    step = planning(None)
    step["model_output_message"] = {"role": "assistant", "content": "1. ask", "token_usage": figures(50, 5)}
    assert totals([run_of(tmp_path, result(step))]) == {"input_tokens": 50, "output_tokens": 5}


def test_a_call_without_an_answer_failed_and_may_be_billed(tmp_path: Path) -> None:
    """A run that raised keeps its last step without error, answer or usage."""
    run = run_of(tmp_path, memory(result(action(1, None, model_output_message=None, model_output=None))))
    assert ([call.status for call in run.calls], run.state) == (["error"], "failed")
    assert "maybe_billed" in {b.reason for b in cl.price_run(run).cost.bounds}


def test_a_generation_error_is_a_failed_call(tmp_path: Path) -> None:
    error = {"type": "AgentGenerationError", "message": "Error in generating model output:\nRateLimitError: 429"}
    (call,) = run_of(tmp_path, result(action(1, None, error=error))).calls
    assert (call.status, [a.billed for a in call.attempts]) == ("error", ["no"])


LIMIT = {"type": "AgentMaxStepsError", "message": "Reached max steps."}
FORCED = {"model_input_messages": None, "model_output_message": None, "model_output": None, "error": LIMIT}


def test_the_answer_at_the_step_limit_is_a_call_of_its_own(tmp_path: Path) -> None:
    last = action(2, figures(300, 30), action_output="it is 42", **FORCED)
    run = run_of(tmp_path, result(action(1, figures(100, 10)), last, state="max_steps_error"))
    assert [(s.kind, s.number) for s in run.steps] == [("action", 1), ("final_answer", 2)]
    assert (totals([run]), run.state) == ({"input_tokens": 400, "output_tokens": 40}, "max_steps")
    assert run.contents[run.calls[-1].output[0]].value == {"role": "assistant", "content": "it is 42"}


def test_an_answer_at_the_limit_that_failed_is_a_failed_call(tmp_path: Path) -> None:
    said = [{"type": "text", "text": "Error in generating final LLM output: RateLimitError 429"}]
    run = run_of(tmp_path, memory(result(action(1, figures(100, 10)), action(2, None, action_output=said, **FORCED))))
    assert [(call.status, call.counts) for call in run.calls][1] == ("error", {})
    assert run.state == "max_steps"


# ---- managed agents: nothing of them stands in their manager's memory


def asks(number: int, *names: str) -> Json:
    """Return an action that calls tools by these names."""
    calls = [{"id": f"c{n}", "type": "function", "function": {"name": w, "arguments": {}}} for n, w in enumerate(names)]
    return action(number, figures(100, 10), tool_calls=calls)


TEAM = """You can also give tasks to team members.
Calling a team member works similarly to calling a tool.
Here is a list of the team members that you can call:
- searcher: Finds things.
  - Takes inputs: {'task': {'type': 'string'}}
  - Returns an output of type: string

Here are the rules you should always follow to solve your task:
- other: no member."""
CODE_TEAM = """You can also give tasks to team members.
```python
def searcher(task: str, additional_args: dict[str, Any]) -> str:
```
Here are the rules you should always follow to solve your task:"""


def prompted(step: Json, prompt: str) -> Json:
    """Return a step with a system prompt."""
    return step | {"model_input_messages": [{"role": "system", "content": [{"type": "text", "text": prompt}]}]}


def test_a_managed_agents_calls_are_a_lower_bound_of_the_call_that_asked(tmp_path: Path) -> None:
    steps = [prompted(asks(n, name), TEAM) for n, name in enumerate(("price_of", "searcher", "other"), 1)]
    run = run_of(tmp_path, result(*steps))
    assert bounds(run) == [(), ("unmetered",), ()]
    assert [(w.code, w.field) for w in run.calls[1].warnings] == [("managed_agent", "searcher")]


def test_a_managed_agent_is_known_by_its_report_too(tmp_path: Path) -> None:
    report = "Here is the final answer from your managed agent 'searcher':\n42"
    run = run_of(tmp_path, result(asks(1, "searcher") | {"observations": report}))
    assert bounds(run) == [("unmetered",)]


@pytest.mark.parametrize(
    ("code", "bound"),
    [
        ("x = searcher(task='a')", ("unmetered",)),
        ("for t in tasks:\n    searcher(t)", ("unmetered",)),
        ("print(research(1), my_searcher)", ()),
    ],
)
def test_code_that_calls_a_managed_agent_is_a_lower_bound(code: str, bound: tuple[str, ...], tmp_path: Path) -> None:
    run = run_of(tmp_path, result(prompted(action(1, figures(100, 10), code_action=code), CODE_TEAM)))
    assert bounds(run) == [bound]


# ---- the run's own total


def test_a_total_larger_than_the_steps_is_named_and_a_lower_bound(tmp_path: Path) -> None:
    run = run_of(tmp_path, result(action(1, figures(100, 10)), total=figures(350, 10)))
    assert bounds(run) == [("unmetered",)]
    assert [w.detail for w in run.calls[0].warnings] == ["the run's own total is 350, its steps sum to 100"]


def test_a_total_smaller_than_the_steps_is_named(tmp_path: Path) -> None:
    run = run_of(tmp_path, result(action(1, figures(100, 10)), total=figures(60, 10)))
    assert bounds(run) == [()]
    assert "the run's own total is 60, its steps sum to 100" in [w.detail for w in run.warnings]


# ---- tools, pictures


def failing(kind: str, message: str, *names: str) -> Json:
    """Return an action whose tools failed: then the step itself keeps no tool call, only the message does."""
    asked = asks(1, *names)
    said = {"role": "assistant", "content": "", "tool_calls": asked["tool_calls"]}
    return asked | {"tool_calls": [], "model_output_message": said, "error": {"type": kind, "message": message}}


RAN = "AgentToolExecutionError"


@pytest.mark.parametrize(
    ("step", "statuses"),
    [
        (asks(1, "a", "b"), ["ok", "ok"]),
        (failing(RAN, "Error executing tool 'b' with arguments {}: KeyError", "a", "b"), ["cut", "error"]),
        (failing(RAN, "Unknown tool b, should be one of: a.", "a", "b"), ["cut", "error"]),
        (failing("AgentToolCallError", "Argument x is required", "a"), ["error"]),
        (failing("AgentParsingError", "no call in it"), []),
    ],
)  # fmt: skip
def test_of_several_tools_the_one_that_failed_is_told(step: Json, statuses: list[str], tmp_path: Path) -> None:
    run = run_of(tmp_path, result(step))
    assert [tool.status for tool in run.tool_calls] == statuses
    assert [call.status for call in run.calls] == ["ok"]  # the model itself answered


def test_pictures_keep_their_size_and_nothing_else(tmp_path: Path) -> None:
    picture = {"_type": "PngImageFile", "_mode": "RGB", "_size": [640, 480], "im": "<pixels>"}
    asked = [{"role": "user", "content": [{"type": "text", "text": "see"}, {"type": "image", "image": picture}]}]
    run = run_of(tmp_path, result(action(1, figures(900, 9), model_input_messages=asked)))
    assert [(m.kind, m.width, m.height) for call in run.calls for m in call.media] == [("image", 640, 480)]
    assert "pixels" not in str(run.contents)


def test_a_message_is_kept_once_however_often_it_was_sent(tmp_path: Path) -> None:
    asked = [{"role": "user", "content": f"turn {n}"} for n in range(10)]
    steps = [action(n, figures(10, 1), model_input_messages=asked[:n]) for n in range(1, 11)]
    run = run_of(tmp_path, result(*steps))
    assert [len(call.messages) for call in run.calls] == list(range(1, 11))
    assert sum(one.kind == "message" for one in run.contents.values()) == 10


# ---- save, from JSON


def test_save_names_the_model_and_the_recording_is_priced(tmp_path: Path) -> None:
    run = cl.save(SMOLAGENTS, tmp_path / "run.jsonl", model="openai/gpt-4o-mini")
    assert cl.read(tmp_path / "run.jsonl") == (run,)
    assert {(call.provider, call.model) for call in run.calls} == {("openai", "gpt-4o-mini")}
    rates = cl.load_table()
    one = cl.price("openai", "gpt-4o-mini", {"input_tokens": 270, "output_tokens": 27}, table=rates)
    assert cl.price_run(run, rates).cost.total == one.total > 0


def test_save_takes_the_users_word_for_who_served(tmp_path: Path) -> None:
    raw = body(prompt_tokens=10, completion_tokens=1)
    run = cl.save(result(answered(raw)), tmp_path / "run.jsonl", model="my-model", provider="local")
    assert [(call.provider, call.model) for call in run.calls] == [("local", "my-model")]
    assert cl.price_run(run).cost.free


@pytest.mark.parametrize("value", [None, 5, "agent", object(), {}, {"steps": 5}, [1], [{"role": "user"}], Path("x")])
def test_save_refuses_what_is_no_run_and_writes_nothing(value: object, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        cl.save(value, tmp_path / "run.jsonl")
    assert not (tmp_path / "run.jsonl").exists()


@pytest.mark.parametrize("value", [[], {"steps": []}, [{"task": "Nothing yet"}]])
def test_save_refuses_a_run_without_a_call(value: object, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no model call is in its memory"):
        cl.save(value, tmp_path / "run.jsonl")


def test_a_file_without_a_call_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(NoRecording, match="no step of an agent"):
        imported(tmp_path, [{"task": "Nothing yet", "task_images": None, "step_number": 0}])


def test_a_wrong_count_names_its_step(tmp_path: Path) -> None:
    wrong = copy.deepcopy(SMOLAGENTS)
    wrong["steps"][2]["token_usage"]["input_tokens"] = -5  # type: ignore[index]
    with pytest.raises(BadInput, match=r"recording\.json, steps\.2\.token_usage\.input_tokens"):
        imported(tmp_path, wrong)
