"""Make the shipped recordings again: real smolagents agents on a real model, every model call kept.

    python scripts/record_runs.py --gguf MODEL.gguf --name qwen2.5-coder-1.5b-instruct --out recordings fruit
    python scripts/record_runs.py --api-base http://127.0.0.1:8080/v1 --name my-model --out recordings

With --gguf the file is served by llama.cpp (package xllamacpp) in a process of its own; with --api-base any
OpenAI-compatible server is used. Without task names all tasks run. A recording is what the model really did: nothing
is edited, and `correct` is the task's own check. Where the models of the shipped recordings come from, with their
hashes, is in recordings/README.md. See `--help`.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import re
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from recording_chart import SIZE, chart_png, image_content
from recording_tasks import POPULATION, TASKS, Task

from costlab.responses import read_usage
from costlab.runs import AgentNode, Content, Media, ModelCall, Run, Step, ToolCall
from costlab.store import content_of, write

STOP = ["\n\n\n\n"]


@dataclass
class Capture:
    """Collects the calls of one run as they happen; steps are opened by the agent's own loop."""

    model: str
    max_tokens: int
    steps: dict[str, Step] = field(default_factory=dict)
    agents: dict[int, AgentNode] = field(default_factory=dict)
    contents: dict[str, Content] = field(default_factory=dict)
    open_step: list[str] = field(default_factory=list)
    media: tuple[Media, ...] = ()

    def keep(self, value: object, kind: str) -> str:
        """Store a message, tool definition or output once; return its hash."""
        content = content_of(value, kind)
        self.contents.setdefault(content.sha256, content)
        return content.sha256

    def agent_node(self, agent: Any) -> AgentNode:
        """Return the node of an agent; a new run of a managed agent is a new node under the step that started it."""
        if id(agent) not in self.agents:
            parent = self.open_step[-1] if self.open_step else None
            above = self.steps[parent].agent if parent else None
            node = f"a{len(self.agents)}"
            self.agents[id(agent)] = AgentNode(node, agent.name or "agent", above, parent, self.model)
        return self.agents[id(agent)]

    def place(self) -> str:
        """Return the id of the step that the calling frame works for, opened if need be."""
        agent, kind, number = who_asks()
        node = self.agent_node(agent)
        step_id = f"{node.node}-{number}-{kind}"
        if step_id not in self.steps:
            self.steps[step_id] = Step(
                step_id, number, kind, node.node, node.parent_step, started_at=datetime.now(UTC)
            )  # fmt: skip
        return step_id

    def add(self, step_id: str, **more: Any) -> None:
        """Append calls or tools to a step."""
        step = self.steps[step_id]
        spent = (datetime.now(UTC) - step.started_at).total_seconds() if step.started_at else None
        merged = {name: (*getattr(step, name), *values) for name, values in more.items()}
        self.steps[step_id] = replace(step, duration_s=spent, **merged)


def who_asks() -> tuple[Any, str, int]:
    """Return (agent, step kind, step number) of the agent loop that the current frame stands in."""
    kinds = {
        "_step_stream": "action",
        "_generate_planning_step": "planning",
        "provide_final_answer": "final_answer",
    }
    frame = sys._getframe(1)
    while frame is not None:
        kind = kinds.get(frame.f_code.co_name)
        if kind and "self" in frame.f_locals:
            agent = frame.f_locals["self"]
            return agent, kind, int(getattr(agent, "step_number", 1))
        frame = frame.f_back  # type: ignore[assignment]
    raise RuntimeError("a model call outside of an agent's loop")


def meter(model: Any, capture: Capture) -> None:
    """Wrap the model's client call: the request as sent and the body as received."""
    asked = model.retryer

    def recorded(send: Callable[..., Any], **request: Any) -> Any:
        step_id = capture.place()
        capture.open_step.append(step_id)
        call_id = f"c{sum(len(s.calls) for s in capture.steps.values()) + 1}"
        messages = tuple(capture.keep(m, "message") for m in request.get("messages", ()))
        tools = tuple(capture.keep(t, "tool") for t in request.get("tools") or ())
        call = ModelCall(
            call_id, "local", capture.model, {}, request_model=capture.model, api="openai-chat",
            started_at=datetime.now(UTC), messages=messages, tools=tools, max_tokens=request.get("max_tokens"),
            stop=tuple(request.get("stop") or ()), media=capture.media,
            tool_choice=str(request["tool_choice"]) if request.get("tool_choice") else None,
        )  # fmt: skip
        began = time.perf_counter()
        try:
            body = asked(send, **request)
        except Exception as error:
            text = f"{type(error).__name__}: {error}"[:500]
            call = replace(call, status="error", error=text, usage_basis="unknown")
            capture.add(step_id, calls=[replace(call, duration_s=time.perf_counter() - began)])
            raise
        finally:
            capture.open_step.pop()
        raw = body.model_dump(exclude_none=True)
        usage = {**raw["usage"]}
        reading = read_usage(usage, provider="local", model=capture.model, api="openai-chat")
        said = raw["choices"][0]["message"]
        call = replace(
            call, counts=reading.counts, usage_basis="measured", raw_usage=usage, origin=None,
            duration_s=round(time.perf_counter() - began, 3), output=(capture.keep(said, "output"),),
            warnings=reading.warnings,
        )  # fmt: skip
        capture.add(step_id, calls=[call])
        print(f"    {step_id:22} {dict(reading.counts)} {call.duration_s:.1f} s", flush=True)
        return body

    model.retryer = recorded


def meter_tools(agent: Any, capture: Capture) -> None:
    """Wrap each tool's forward and each managed agent's run, for names, times and errors."""
    for tool in agent.tools.values():
        if tool.name != "final_answer":
            tool.forward = _timed(tool.name, tool.forward, capture)
    for managed in agent.managed_agents.values():
        managed.run = _nested(managed, managed.run, capture)
        meter_tools(managed, capture)


def _timed(name: str, forward: Callable[..., Any], capture: Capture) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        step_id = next(reversed(capture.steps))
        began, status, error = datetime.now(UTC), "ok", None
        try:
            return forward(*args, **kwargs)
        except Exception as problem:
            status, error = "error", f"{type(problem).__name__}: {problem}"[:300]
            raise
        finally:
            spent = (datetime.now(UTC) - began).total_seconds()
            number = sum(len(s.tools) for s in capture.steps.values()) + 1
            capture.add(step_id, tools=[ToolCall(name, f"t{number}", status, error, began, spent)])

    return run


def _nested(managed: Any, run: Callable[..., Any], capture: Capture) -> Callable[..., Any]:
    def started(*args: Any, **kwargs: Any) -> Any:
        capture.agents.pop(id(managed), None)  # a second call is a second run: its own node
        capture.open_step.append(next(reversed(capture.steps)))
        capture.agent_node(managed)
        try:
            return run(*args, **kwargs)
        finally:
            capture.open_step.pop()

    return started


def record(task: Task, name: str, api_base: str, meta: dict[str, object]) -> Run:
    """Run one task on a model and return what happened."""
    from smolagents import OpenAIModel

    model = OpenAIModel(
        name, api_base=api_base, api_key="none", flatten_messages_as_text=True, temperature=0.0,
        max_tokens=task.max_tokens, client_kwargs={"timeout": 7200, "max_retries": 0},
        **({"stop": STOP} if task.agent == "tool" else {}),
    )  # fmt: skip
    capture = Capture(name, task.max_tokens)
    if task.chart:
        meta = {**meta, **_attach_chart(capture)}
    meter(model, capture)
    agent = task.build(model)
    meter_tools(agent, capture)
    began, state, answer = datetime.now(UTC), "failed", None
    try:
        result = agent.run(task.prompt, return_full_result=True)
        state = "max_steps" if result.state == "max_steps_error" else "success"
        answer = str(result.output)
    except Exception as error:  # noqa: BLE001 - whatever ends a run is part of what happened
        answer = f"{type(error).__name__}: {error}"[:500]
    _errors(agent, capture)
    run_id = f"{task.name}-{name}"
    return Run(
        run_id=run_id, task=task.prompt, agent=type(agent).__name__, started_at=began,
        duration_s=round((datetime.now(UTC) - began).total_seconds(), 3), state=state,
        correct=task.check(answer) if answer is not None and state != "failed" else False, answer=answer,
        title=task.title, steps=tuple(capture.steps.values()), agents=tuple(capture.agents.values()),
        source={"format": "costlab.recording", "made_by": "scripts/record_runs.py",
                "smolagents": version("smolagents")},
        meta={**meta, "task": task.name, "expected": task.expected, "temperature": 0.0,
              "max_tokens": task.max_tokens, "agent_kind": task.agent},
        contents=capture.contents,
    )  # fmt: skip


def _attach_chart(capture: Capture) -> dict[str, object]:
    """Ship the task's picture with the run; a text-only model neither sees nor counts it, and the run says so."""
    sha = capture.keep(image_content(chart_png(POPULATION)), "image")
    capture.media = (Media("image", *SIZE, sha256=sha),)
    return {
        "media_counted": False,
        "media_note": "The model reads text only and never saw the picture; smolagents would send it with every call. "
        "No recorded count holds its tokens: each model's own formula computes them.",
    }


def loaded(base: str, seconds: float = 120) -> None:
    """Wait until the server answers for its model: its port is open before the file is read."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{base.removesuffix('/v1')}/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise SystemExit(f"{base}: the model was not loaded within {seconds:.0f} s")


def _errors(agent: Any, capture: Capture) -> None:
    """Copy each step's error text from the agent's memory."""
    node = capture.agents.get(id(agent))
    for step in agent.memory.steps:
        error, number = getattr(step, "error", None), getattr(step, "step_number", None)
        key = f"{node.node}-{number}-action" if node else ""
        if error is not None and key in capture.steps:
            text = re.sub(r"(/[\w.-]+){2,}", "<path>", str(error))
            capture.steps[key] = replace(capture.steps[key], error=text[:500])


def serve(path: str, port: int, context: int, threads: int) -> None:
    """Serve a GGUF file with llama.cpp until killed."""
    import xllamacpp

    p = xllamacpp.CommonParams()
    p.model.path, p.port, p.hostnames = path, port, ["127.0.0.1"]
    p.n_ctx, p.n_parallel, p.use_jinja, p.warmup = context, 1, True, False
    p.cpuparams.n_threads = threads
    server = xllamacpp.Server(p)
    print("serving on", server.listening_address, flush=True)
    while True:
        time.sleep(60)


def main() -> None:
    """Record the named tasks, each into its own file as soon as it ends."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("tasks", nargs="*", help=f"of {', '.join(TASKS)}")
    options.add_argument("--gguf")
    options.add_argument("--api-base")
    options.add_argument("--name", required=True, help="how recordings call the model")
    options.add_argument("--context", type=int, default=32768)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--out", default="recordings")
    o = options.parse_args()
    if not (o.gguf or o.api_base):
        options.error("--gguf or --api-base is needed")
    meta: dict[str, object] = {"model": o.name, "n_ctx": o.context, "recorded_on": f"{datetime.now(UTC):%Y-%m-%d}"}
    base, server = o.api_base, None
    if o.gguf:
        with open(o.gguf, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        meta |= {"file": Path(o.gguf).name, "sha256": digest, "engine": f"llama.cpp (xllamacpp {version('xllamacpp')})"}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = multiprocessing.get_context("spawn").Process(
            target=serve, args=(o.gguf, port, o.context, o.threads), daemon=True
        )
        server.start()
        base = f"http://127.0.0.1:{port}/v1"
        loaded(base)
    for name in o.tasks or TASKS:
        print(f"{name} on {o.name}", flush=True)
        run = record(TASKS[name], o.name, base, meta)
        path = Path(o.out) / f"{run.run_id}.jsonl"
        write(run, path)
        print(f"  {run.state}, correct={run.correct}, {len(run.calls)} calls -> {path}", flush=True)
    if server:
        server.kill()


if __name__ == "__main__":
    main()
