"""Make the shipped recordings again: real smolagents agents on a real model, metered by `costlab.run`.

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
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from recording_chart import chart
from recording_tasks import POPULATION, TASKS, Task

import costlab as cl
from costlab.store import write

TEMPERATURE = 0.0
STOP = ["\n\n\n\n"]  # a small model's tool call runs on in newlines
PATIENCE = {"timeout": 7_200, "max_retries": 0}  # a small machine reads a long prompt for many minutes


def record(task: Task, name: str, api_base: str, meta: dict[str, object]) -> cl.Run:
    """Run one task on a model and return what the meter recorded."""
    model = cl.live_model(
        f"openai/{name}", api_base=api_base, api_key="none", flatten_messages_as_text=True, temperature=TEMPERATURE,
        max_tokens=task.max_tokens, client_kwargs=PATIENCE, **({"stop": STOP} if task.agent == "tool" else {}),
    )  # fmt: skip
    settings = {
        "task": task.name, "expected": task.expected, "temperature": TEMPERATURE, "max_tokens": task.max_tokens,
        "agent_kind": task.agent, "streamed": task.streamed,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as home:
        result = cl.run(
            task.build(model), task.prompt, check=lambda answer: task.check(str(answer)), title=task.title,
            meta={**meta, **settings}, unseen=[chart(POPULATION)] if task.chart else (), watch=tell, home=home,
            run_id=f"{task.name}-{name}",
        )  # fmt: skip
        return result.run


def tell(event: cl.Happening) -> None:
    """Print a call that has ended."""
    if event.kind == "call" and event.step is not None:
        call, step = event.what, event.step
        first = f", first token after {call.ttft_s:.1f} s" if call.ttft_s is not None else ""
        print(
            f"    {call.call_id:4} {step.agent} {step.kind} {step.number}: {call.status} {dict(call.counts)} in "
            f"{call.duration_s:.1f} s{first}", flush=True,
        )  # fmt: skip


@contextmanager
def served(o: argparse.Namespace) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the address of the server, which is started for a model file, and what a recording says of the model."""
    told: dict[str, object] = {"model": o.name, "n_ctx": o.context, "recorded_on": f"{datetime.now(UTC):%Y-%m-%d}"}
    if o.api_base:
        yield o.api_base, told
        return
    with open(o.gguf, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with cl.local_model(o.gguf, name=o.name, context=o.context, threads=o.threads) as server:
        yield server.api_base, {**told, **server.settings, "sha256": digest, "threads": o.threads}


def main() -> None:
    """Record the named tasks, each into its own file as soon as it ends."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("tasks", nargs="*", metavar="task", help=f"of {', '.join(TASKS)}")
    where = options.add_mutually_exclusive_group(required=True)
    where.add_argument("--gguf")
    where.add_argument("--api-base")
    options.add_argument("--name", required=True, help="how recordings call the model")
    options.add_argument("--context", type=int, default=32768)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--out", default="recordings")
    o = options.parse_args()
    if unknown := sorted(set(o.tasks) - TASKS.keys()):
        options.error(f"no task {', '.join(unknown)}")
    with served(o) as (base, meta):
        for name in o.tasks or TASKS:
            print(f"{name} on {o.name}", flush=True)
            run = record(TASKS[name], o.name, base, meta)
            path = Path(o.out) / f"{run.run_id}.jsonl"
            write(run, path)
            print(f"  {run.state}, correct={run.correct}, {len(run.calls)} calls -> {path}", flush=True)


if __name__ == "__main__":
    main()
