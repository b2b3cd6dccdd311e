"""What metering costs a call: the same calls to the same server, metered and not, in turn; ratios in one run.

    python benchmarks/metering.py [--calls 300] [--turns 20] [--streamed]

The server runs in a process of its own and answers at once, so that everything else is what a client costs. Metered
and plain calls alternate one by one: what the machine does besides falls on both. Messages are 41 of 52 kB, as of an
agent in its twentieth step; the recording is written to a temporary folder. The claim: under 1 ms a call at the median.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

LIMIT_MS = 1.0


def serve(told: Connection) -> None:
    from wire_server import Turn, serving

    with serving(lambda _: Turn(text="forty two", tokens_in=13_000, out=2, cached=12_000)) as wire:
        told.send(wire.address)
        told.recv()


def messages(turns: int) -> list[dict[str, Any]]:
    """A system prompt and so many questions and answers, each of 1,270 characters."""
    text = "The harbour museum opens at ten and closes at six. " * 25
    roles = ("system", *("user", "assistant") * turns)
    return [{"role": role, "content": [{"type": "text", "text": f"{n} {text}"}]} for n, role in enumerate(roles)]


def timed(model: Any, asked: list[dict[str, Any]], *, streamed: bool) -> tuple[float, float]:
    """Milliseconds of one call: by the clock, and of the processor in this thread."""
    began, worked = time.perf_counter(), time.thread_time()
    if streamed:
        for _ in model.generate_stream(asked):
            pass
    else:
        model.generate(asked)
    return (time.perf_counter() - began) * 1_000, (time.thread_time() - worked) * 1_000


def main(argv: list[str] | None = None) -> dict[str, float]:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=300, help="of each kind")
    options.add_argument("--turns", type=int, default=20, help="questions and answers in a request: 20 make 52 kB")
    options.add_argument("--streamed", action="store_true")
    o = options.parse_args(argv)
    from smolagents import LogLevel, ToolCallingAgent
    from smolagents.models import OpenAIModel

    import costlab as cl

    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    server.start()
    address, asked = here.recv(), messages(o.turns)
    # Two model objects, each with a connection of its own: one is metered all the time, the other never.
    plain, metered = (OpenAIModel("gpt-4o-mini", api_base=f"{address}/v1", api_key="none") for _ in range(2))
    agent = ToolCallingAgent(tools=[], model=metered, verbosity_level=LogLevel.OFF)
    without, with_it = [], []
    with tempfile.TemporaryDirectory() as home, cl.track(agent, home=home):
        for turn in range(o.calls + 10):
            pair = timed(plain, asked, streamed=o.streamed), timed(metered, asked, streamed=o.streamed)
            if turn >= 10:  # the first calls open connections and fill caches
                without.append(pair[0])
                with_it.append(pair[1])
    here.send("end")
    server.join(timeout=5)
    server.kill()
    kind = "streamed" if o.streamed else "whole"
    print(f"{o.calls} calls of each kind, {kind}, {len(asked)} messages of {len(asked) * 1.27:.0f} kB")
    found = {}
    for place, name in enumerate(("by the clock", "of the processor")):
        bare, full = (statistics.median(one[place] for one in kind) for kind in (without, with_it))
        each = statistics.median(b[place] - a[place] for a, b in zip(without, with_it, strict=True))
        print(f"  {name}: median without meter {bare:.3f} ms, with {full:.3f} ms: x {full / bare:.3f}")
        print(f"    median of the differences, pair by pair: {each:+.3f} ms (limit {LIMIT_MS} ms)")
        found[name] = each
    return found


if __name__ == "__main__":
    sys.exit(main()["by the clock"] >= LIMIT_MS)
