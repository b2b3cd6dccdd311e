"""Real smolagents agents on a scripted model: what was served stands in the recording, or is said to be missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from PIL import Image
from scripted_model import ScriptedModel, StreamedModel, asks, calling, coding, final, price_of
from smolagents import LogLevel, OpenAIModel, ToolCallingAgent
from trace_samples import bounds, codes, totals

import costlab as cl
from costlab.errors import BadInput
from costlab.importers import read_file
from costlab.runs import Run

APPLE = ("price_of", {"fruit": "apple"})
KIWI = ("price_of", {"fruit": "kiwi"})  # no such key: the tool raises


def save(told: object, folder: Path, **names: str) -> Run:
    """Save a run and read it back: they must be the same."""
    run = cl.save(told, folder / "run.jsonl", **names)
    assert cl.read(folder / "run.jsonl") == (run,)
    return run


def dumped(value: object, folder: Path) -> Run:
    """Write a RunResult's or memory's JSON as a program would, and import it."""
    path = folder / "dump.json"
    path.write_text(json.dumps(value, default=str), encoding="utf-8")
    found = read_file(path)
    assert found.format == "smolagents"
    return found.runs[0]


def finished(agent: Any, task: str) -> Any:
    """Run an agent and return its RunResult."""
    agent.return_full_result = True
    return agent.run(task)


def as_json(result: Any) -> Any:
    """Return a RunResult as its own `dict()` has it; before 1.22 it was a plain dataclass."""
    return result.dict() if hasattr(result, "dict") else asdict(result)


def served(*models: ScriptedModel) -> dict[str, int]:
    """Return what models served."""
    every = [call for model in models for call in model.served]
    return {"input_tokens": sum(i for i, _ in every), "output_tokens": sum(o for _, o in every)}


# ---- one agent


def test_a_tool_calling_agent_with_plans_and_a_tool_that_fails(tmp_path: Path) -> None:
    model = ScriptedModel(
        ("plan", 50, 5), asks(100, 10, APPLE), asks(110, 11, KIWI), ("new plan", 60, 6), asks(120, 12, APPLE, KIWI),
        final(130, 13), model_id="openai/gpt-4o-mini",
    )  # fmt: skip
    agent = calling(model, planning_interval=2)
    result = finished(agent, "How much is an apple?")
    for run in (
        save(agent, tmp_path), save(result, tmp_path), dumped(as_json(result), tmp_path),
        dumped(agent.memory.get_full_steps(), tmp_path),
    ):  # fmt: skip
        assert totals([run]) == served(model) == {"input_tokens": 570, "output_tokens": 57}
        assert [(step.kind, step.number) for step in run.steps] == [
            ("planning", 1), ("action", 1), ("action", 2), ("planning", 3), ("action", 3), ("action", 4),
        ]  # fmt: skip
        assert [[tool.status for tool in step.tools] for step in run.steps] == [
            [], ["ok"], ["error"], [], ["error", "error"], ["ok"],
        ]  # fmt: skip
        assert (run.task, run.state, run.answer) == ("How much is an apple?", "success", "0.4")
        assert bounds(run) == [()] * 6
    assert (
        len({r.run_id for r in (save(agent, tmp_path), save(result, tmp_path), dumped(as_json(result), tmp_path))}) == 1
    )


def test_an_agents_recording_names_model_tools_and_version(tmp_path: Path) -> None:
    agent = calling(ScriptedModel(final(100, 10), model_id="openai/gpt-4o-mini", max_tokens=512))
    agent.run("Go")
    run = save(agent, tmp_path)
    (call,) = run.calls
    assert (call.provider, call.model, call.request_model, call.max_tokens) == (
        "openai", "gpt-4o-mini", "openai/gpt-4o-mini", 512,
    )  # fmt: skip
    sent = [run.contents[h].value for h in call.tools]
    assert [tool["function"]["name"] for tool in sent] == ["price_of", "final_answer"]  # type: ignore[index]
    assert run.source["format"] == "smolagents"
    assert run.source["version"].startswith("1.")
    rates = cl.load_table()
    # 100 x 0.15 + 10 x 0.60 USD a million
    assert cl.price_run(run, rates).cost.total == cl.price("openai", "gpt-4o-mini", dict(call.counts)).total


def test_a_code_agent_that_reaches_its_limit(tmp_path: Path) -> None:
    model = ScriptedModel(
        ("<code>x = price_of('apple')</code>", 100, 10), ("<code>price_of('kiwi')</code>", 110, 11), ("0.4", 300, 30)
    )
    agent = coding(model, max_steps=2)
    result = finished(agent, "How much?")
    for run in (save(agent, tmp_path), dumped(as_json(result), tmp_path)):
        assert totals([run]) == served(model)
        assert [(s.kind, [(t.name, t.status) for t in s.tools]) for s in run.steps] == [
            ("action", [("python_interpreter", "ok")]),
            ("action", [("python_interpreter", "error")]),
            ("final_answer", []),
        ]
        assert (run.state, run.agent, run.answer) == ("max_steps", "CodeAgent", "0.4")


def test_a_final_answer_that_fails_leaves_the_rest_counted(tmp_path: Path) -> None:
    """smolagents gives no total at all then: one step without usage voids it."""
    model = ScriptedModel(("<code>x = 1</code>", 100, 10), RuntimeError("429 Too Many Requests"))
    agent = coding(model, max_steps=1)
    result = finished(agent, "Go")
    assert result.token_usage is None
    for run in (save(agent, tmp_path), dumped(as_json(result), tmp_path)):
        assert totals([run]) == {"input_tokens": 100, "output_tokens": 10}
        assert [(call.status, len(call.attempts)) for call in run.calls] == [("ok", 0), ("error", 1)]


def test_a_run_that_raised_keeps_what_was_spent(tmp_path: Path) -> None:
    model = ScriptedModel(asks(100, 10, APPLE), ConnectionError("reset by peer"))
    agent = calling(model)
    with pytest.raises(Exception, match="reset by peer"):
        agent.run("Go")
    run = save(agent, tmp_path)
    assert totals([run]) == {"input_tokens": 100, "output_tokens": 10}
    assert ([call.status for call in run.calls], run.state) == (["ok", "error"], "failed")
    assert "maybe_billed" in {b.reason for b in cl.price_run(run).cost.bounds}


def test_a_run_that_was_interrupted_is_stopped(tmp_path: Path) -> None:
    agent = calling(ScriptedModel(asks(100, 10, APPLE)), step_callbacks=[lambda step, agent: agent.interrupt()])
    with pytest.raises(Exception, match="interrupted"):
        agent.run("Go")
    assert save(agent, tmp_path).state == "stopped"


def test_an_answer_that_cannot_be_parsed_was_paid(tmp_path: Path) -> None:
    model = ScriptedModel(("no call here", 100, 10), final(120, 12))
    agent = calling(model)
    agent.run("Go")
    run = save(agent, tmp_path)
    assert totals([run]) == served(model)
    assert [(step.error is not None, step.calls[0].status) for step in run.steps] == [(True, "ok"), (False, "ok")]


@pytest.mark.parametrize("make", [calling, coding])
def test_a_stream_is_read_from_its_one_total(make: Any, tmp_path: Path) -> None:
    replies = [asks(100, 10, APPLE), final(110, 11)] if make is calling else [("<code>final_answer(1)</code>", 210, 21)]
    model = StreamedModel(*replies)
    agent = make(model, stream_outputs=True)
    agent.logger.console.quiet = True
    agent.run("Go")
    assert totals([save(agent, tmp_path)]) == served(model) == {"input_tokens": 210, "output_tokens": 21}


def test_a_stream_without_usage_is_unknown_not_free(tmp_path: Path) -> None:
    agent = calling(StreamedModel(("", None, None, ("final_answer", {"answer": "1"}))), stream_outputs=True)
    agent.logger.console.quiet = True
    agent.run("Go")
    assert bounds(save(agent, tmp_path)) == [("unmetered",)]


def test_a_conversation_is_one_run_with_both_tasks(tmp_path: Path) -> None:
    model = ScriptedModel(final(100, 10), final(200, 20))
    agent = calling(model)
    agent.run("First")
    agent.run("Second", reset=False)
    run = save(agent, tmp_path)
    assert (run.task, totals([run])) == ("First\n\nSecond", served(model))
    assert codes(run) == {"attempts_not_recorded", "cache_unknown"}


def test_steps_taken_out_of_the_memory_are_missed(tmp_path: Path) -> None:
    """The agent's monitor has counted them."""
    agent = calling(ScriptedModel(asks(100, 10, APPLE), final(110, 11)))
    agent.run("Go")
    del agent.memory.steps[1]
    run = save(agent, tmp_path)
    assert (totals([run]), bounds(run)) == ({"input_tokens": 110, "output_tokens": 11}, [("unmetered",)])
    assert "the run's own total is 210, its steps sum to 110" in [w.detail for w in run.calls[0].warnings]


def test_pictures_are_kept_as_sizes(tmp_path: Path) -> None:
    agent = calling(ScriptedModel(asks(900, 9, APPLE), final(1800, 10)))
    agent.run("What is this?", images=[Image.new("RGB", (640, 480))])
    run = save(agent, tmp_path)
    sizes = [[(m.width, m.height) for m in call.media] for call in run.calls]
    assert sizes == [[(640, 480)], [(640, 480), (640, 480)]]  # sent again with each further step
    assert (tmp_path / "run.jsonl").stat().st_size < 50_000


def test_an_agent_that_has_not_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="it has not run yet"):
        cl.save(calling(ScriptedModel()), tmp_path / "run.jsonl")


# ---- managed agents


def team(
    helper_script: list[Any], manager_script: list[Any], make: Any = calling
) -> tuple[Any, ScriptedModel, ScriptedModel]:
    """Return a manager with one helper, and the models of both."""
    below, above = ScriptedModel(*helper_script, model_id="small"), ScriptedModel(*manager_script, model_id="large")
    helper = ToolCallingAgent(
        tools=[price_of], model=below, name="helper", description="helps", verbosity_level=LogLevel.OFF
    )
    return make(above, managed_agents=[helper]), above, below


CALL = ("helper", {"task": "Find the price.", "additional_args": {}})


@pytest.mark.parametrize("make", [calling, coding])
def test_a_managed_agents_calls_stand_under_the_step_that_asked(make: Any, tmp_path: Path) -> None:
    script: list[Any] = [asks(100, 10, CALL), final(110, 11)]
    if make is coding:
        script = [("<code>x = helper('Find it.')</code>", 100, 10), ("<code>final_answer(x)</code>", 110, 11)]
    agent, above, below = team([asks(30, 3, APPLE), final(31, 4)], script, make)
    agent.run("How much?")
    run = save(agent, tmp_path)
    assert totals([run]) == served(above, below) == {"input_tokens": 271, "output_tokens": 28}
    assert [(s.agent, s.parent, s.calls[0].model) for s in run.steps] == [
        ("agent", None, "large"),
        ("agent.helper", "agent-1", "small"),
        ("agent.helper", "agent-1", "small"),
        ("agent", None, "large"),
    ]
    assert [(n.node, n.name, n.parent, n.parent_step, n.model) for n in run.agents][1] == (
        "agent.helper", "helper", "agent", "agent-1", "small",
    )  # fmt: skip
    assert bounds(run) == [()] * 4


def test_a_managed_agent_called_twice_has_only_its_last_run(tmp_path: Path) -> None:
    """smolagents#1875: each call clears its memory. 30 and 3 were paid and are nowhere."""
    agent, above, below = team([final(30, 3), final(31, 4)], [asks(100, 10, CALL), asks(110, 11, CALL), final(120, 12)])
    result = finished(agent, "How much?")
    run = save(agent, tmp_path)
    assert served(above, below) == {"input_tokens": 391, "output_tokens": 40}
    assert totals([run]) == {"input_tokens": 391 - 30, "output_tokens": 40 - 3}
    assert [(s.step_id, s.calls[0].bounds) for s in run.steps] == [
        ("agent-1", ("unmetered",)),
        ("agent-2", ()),
        ("agent.helper-1", ()),
        ("agent-3", ()),
    ]
    plain = dumped(as_json(result), tmp_path)  # and nothing of a managed agent is in the manager's result
    assert totals([plain]) == served(above)
    assert bounds(plain) == [("unmetered",), ("unmetered",), ()]


def test_a_managed_agent_called_twice_in_code_is_a_lower_bound(tmp_path: Path) -> None:
    code = "<code>for n in range(2):\n    x = helper('Find it.')\nfinal_answer(x)</code>"
    agent, *_ = team([final(30, 3), final(31, 4)], [(code, 100, 10)], coding)
    agent.run("How much?")
    run = save(agent, tmp_path)
    assert totals([run]) == {"input_tokens": 131, "output_tokens": 14}
    assert bounds(run) == [("unmetered",), ()]


def test_what_a_managed_agent_did_in_an_earlier_run_is_not_of_this_one(tmp_path: Path) -> None:
    agent, *_ = team([final(30, 3)], [asks(100, 10, CALL), final(110, 11), final(120, 12)])
    agent.run("First")
    agent.run("Second")
    run = save(agent, tmp_path)
    assert totals([run]) == {"input_tokens": 120, "output_tokens": 12}
    assert "managed_agent" in codes(run)


def test_agents_of_agents(tmp_path: Path) -> None:
    agent, above, below = team(
        [asks(30, 3, ("leaf", {"task": "Look.", "additional_args": {}})), final(31, 4)],
        [asks(100, 10, CALL), final(110, 11)],
    )
    deepest = ScriptedModel(final(7, 1), model_id="tiny")
    leaf = ToolCallingAgent(tools=[], model=deepest, name="leaf", description="looks", verbosity_level=LogLevel.OFF)
    helper = agent.managed_agents["helper"]
    helper._setup_managed_agents([leaf])
    agent.run("How much?")
    run = save(agent, tmp_path)
    assert totals([run]) == served(above, below, deepest)
    assert [(n.node, n.parent) for n in run.agents] == [
        ("agent", None), ("agent.helper", "agent"), ("agent.helper.leaf", "agent.helper"),
    ]  # fmt: skip


def test_names_for_the_main_model_leave_other_models_alone(tmp_path: Path) -> None:
    agent, *_ = team([final(30, 3)], [asks(100, 10, CALL), final(110, 11)])
    agent.run("How much?")
    run = save(agent, tmp_path, model="openai/gpt-4o-mini")
    assert [(c.provider, c.model, c.request_model) for c in run.calls] == [
        ("openai", "gpt-4o-mini", "large"),
        ("", "small", None),
        ("openai", "gpt-4o-mini", "large"),
    ]


# ---- a real client against a real server: the body's cached and reasoning tokens


USAGE = {
    "prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050,
    "prompt_tokens_details": {"cached_tokens": 800}, "completion_tokens_details": {"reasoning_tokens": 30},
}  # fmt: skip
CALLS = [
    {"id": "c1", "type": "function", "index": 0, "function": {"name": "final_answer", "arguments": '{"answer": "4"}'}}
]


class Answering(BaseHTTPRequestHandler):
    """Answers every chat request with the same final answer and usage."""

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        head = {"id": "chatcmpl-9f2b6c1d8e7a4530", "created": 1, "model": "gpt-4o-mini-2024-07-18"}
        if request.get("stream"):
            chunk = {**head, "object": "chat.completion.chunk"}
            pieces = [
                {**chunk, "choices": [{"index": 0, "delta": {"role": "assistant", "tool_calls": CALLS}}]},
                {**chunk, "choices": [], "usage": USAGE},
            ]
            data = "".join(f"data: {json.dumps(p)}\n\n" for p in pieces) + "data: [DONE]\n\n"
            self._send("text/event-stream", data.encode())
            return
        message = {"role": "assistant", "content": None, "tool_calls": CALLS}
        whole = {"object": "chat.completion", "choices": [{"index": 0, "finish_reason": "stop", "message": message}]}
        self._send("application/json", json.dumps({**head, **whole, "usage": USAGE}).encode())

    def _send(self, kind: str, data: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    """The address of a server that speaks OpenAI's chat API."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("streamed", [False, True])
def test_cached_tokens_come_from_the_body_where_it_is_kept(streamed: bool, address: str, tmp_path: Path) -> None:
    model = OpenAIModel(model_id="gpt-4o-mini", api_base=address, api_key="sk-planted-0123456789")
    agent = calling(model, stream_outputs=streamed)
    agent.logger.console.quiet = True
    result = finished(agent, "Go")
    model.client.close()
    whole = {"cache_read_tokens": 800, "output_reasoning_tokens": 30}
    steps = as_json(result).get("steps") or as_json(result)["messages"]
    in_json = isinstance(steps[-1]["model_output_message"]["raw"], dict)  # before 1.22 no JSON of it is made
    for run, kept in (
        (save(agent, tmp_path), not streamed),  # a stream leaves no body
        (dumped(as_json(result), tmp_path), in_json),
    ):
        assert totals([run]) == {"input_tokens": 1000, "output_tokens": 50, **(whole if kept else {})}
        assert ("cache_unknown" in codes(run)) != kept
        assert "planted" not in (tmp_path / "run.jsonl").read_text()
    live = save(agent, tmp_path)
    assert [(c.provider, c.model) for c in live.calls] == [
        ("local", "gpt-4o-mini" if streamed else "gpt-4o-mini-2024-07-18")
    ]
    assert {c.provider for c in save(agent, tmp_path, provider="openai").calls} == {"openai"}


@pytest.mark.parametrize(
    ("base", "provider"),
    [
        ("https://api.openai.com/v1", "openai"),
        ("https://openrouter.ai/api/v1", "openrouter"),
        ("https://gateway.example.com/v1?key=secret", "custom-endpoint"),
    ],
)
def test_the_address_says_who_served_and_is_not_kept(base: str, provider: str, tmp_path: Path) -> None:
    model = OpenAIModel(model_id="gpt-4o-mini", api_base=base, api_key="sk-planted")
    agent = calling(ScriptedModel(final(100, 10)))
    agent.run("Go")
    agent.model = model
    run = save(agent, tmp_path)
    model.client.close()
    assert [call.provider for call in run.calls] == [provider]
    assert ("provider_unknown" in codes(run)) == (provider == "custom-endpoint")
    assert (provider == "custom-endpoint") == bool(cl.price_run(run).cost.unpriced)
    written = (tmp_path / "run.jsonl").read_text()
    assert [word for word in ("planted", "secret", "example.com") if word in written] == []


def test_litellms_answers_keep_their_usage_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In JSON it is lost: LiteLLM sets it beside the declared fields, and smolagents writes those alone."""
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else its import asks the network for prices
    import litellm

    answer = litellm.ModelResponse(
        id="chatcmpl-9f2b6c1d8e7a4530", model="claude-sonnet-4-5-20250929",
        usage=litellm.Usage(
            prompt_tokens=1100, completion_tokens=50, total_tokens=1150, cache_read_input_tokens=1000,
            cache_creation_input_tokens=60,
        ),
    )  # fmt: skip
    agent = calling(ScriptedModel(final(1100, 50), model_id="anthropic/claude-sonnet-4-5"))
    agent.run("Go")
    agent.memory.steps[-1].model_output_message.raw = answer
    (call,) = save(agent, tmp_path).calls
    assert (call.provider, call.model) == ("anthropic", "claude-sonnet-4-5-20250929")
    assert call.counts["input_tokens"] == 1100
    assert (call.counts["cache_read_tokens"], call.counts["cache_write_tokens"]) == (1000, 60)


def test_saving_loads_no_smolagents(tmp_path: Path) -> None:
    from trace_samples import SMOLAGENTS

    (tmp_path / "result.json").write_text(json.dumps(SMOLAGENTS))
    code = (
        "import json, pathlib, sys, costlab as cl\n"
        "cl.save(json.loads(pathlib.Path('result.json').read_text()), 'run.jsonl')\n"
        "print([m for m in ('smolagents', 'openai', 'litellm') if m in sys.modules])"
    )
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[]", "")
