"""What metering costs a call: the same calls to the same server, metered and not, in turn; ratios in one run.

    python benchmarks/metering.py [--calls 300]

The server runs in a process of its own and answers at once, so that everything else is what a client costs. Metered
and plain calls alternate one by one: what the machine does besides falls on both. The recording is written to a
temporary folder. Three kinds of call: a request as the median one of the recordings that are shipped (7 messages, 11
kB), whole and streamed, and one of an agent in its twentieth step (41 messages of 63 kB). The claim: the first costs
under 1 ms at the median.
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
TEXT_KB = 1.53  # of a message


def serve(told: Connection) -> None:
    from wire_server import Turn, serving

    with serving(lambda _: Turn(text="forty two", tokens_in=13_000, out=2, cached=12_000)) as wire:
        told.send(wire.address)
        told.recv()


def messages(turns: int) -> list[dict[str, Any]]:
    """A system prompt and so many questions and answers, each of about 1,530 characters."""
    text = "The harbour museum opens at ten and closes at six. " * 30
    roles = ("system", *("user", "assistant") * turns)
    return [{"role": role, "content": [{"type": "text", "text": f"{n} {text}"}]} for n, role in enumerate(roles)]


def yardstick() -> float:
    """Return the seconds that ten million additions take here."""
    began, total = time.perf_counter(), 0
    for number in range(10_000_000):
        total += number
    return time.perf_counter() - began


def timed(model: Any, asked: list[dict[str, Any]], *, streamed: bool) -> tuple[float, float]:
    """Milliseconds of one call: by the clock, and of the processor in this thread."""
    began, worked = time.perf_counter(), time.thread_time()
    if streamed:
        for _ in model.generate_stream(asked):
            pass
    else:
        model.generate(asked)
    return (time.perf_counter() - began) * 1_000, (time.thread_time() - worked) * 1_000


Pair = tuple[tuple[float, float], tuple[float, float]]  # without the meter, with it


def alternated(address: str, turns: int, calls: int, *, streamed: bool) -> list[Pair]:
    """Return the times of calls without and with the meter, pair by pair."""
    from smolagents import LogLevel, ToolCallingAgent
    from smolagents.models import OpenAIModel

    import costlab as cl

    # Two model objects, each with a connection of its own: one is metered all the time, the other never.
    plain, metered = (OpenAIModel("gpt-4o-mini", api_base=f"{address}/v1", api_key="none") for _ in range(2))
    agent = ToolCallingAgent(tools=[], model=metered, verbosity_level=LogLevel.OFF)
    asked = messages(turns)
    with tempfile.TemporaryDirectory() as home, cl.track(agent, home=home):
        pairs = [
            (timed(plain, asked, streamed=streamed), timed(metered, asked, streamed=streamed))
            for _ in range(calls + 10)
        ]
    return pairs[10:]  # the first calls open connections and fill caches


def told(pairs: list[Pair]) -> float:
    """Print what the meter costs and return the median of the differences by the clock, in milliseconds."""
    found = []
    for place, name in enumerate(("by the clock", "of the processor")):
        bare, full = (statistics.median(pair[kind][place] for pair in pairs) for kind in (0, 1))
        each = statistics.median(pair[1][place] - pair[0][place] for pair in pairs)
        print(f"  {name}: without {bare:.3f} ms, with {full:.3f} ms: x {full / bare:.3f}; pair by pair {each:+.3f} ms")
        found.append(each)
    return found[0]


def main(argv: list[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=300, help="of each kind")
    o = options.parse_args(argv)
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    server.start()
    address, found = here.recv(), []
    print(f"medians of {o.calls} calls; this machine: ten million additions in {yardstick():.2f} s")
    for turns, streamed in ((3, False), (3, True), (20, False)):
        count = 2 * turns + 1
        print(f"{count} messages, {count * TEXT_KB:.0f} kB, {'streamed' if streamed else 'whole'}")
        found.append(told(alternated(address, turns, o.calls, streamed=streamed)))
    here.send("end")
    server.join(timeout=5)
    server.kill()
    print(f"limit: {LIMIT_MS:g} ms for the first; it is {found[0]:.3f} ms")
    return int(found[0] >= LIMIT_MS)


if __name__ == "__main__":
    sys.exit(main())
