"""The command that runs an agent now: `run`. Steps on stderr as they happen, nothing but the summary on stdout."""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import costlab as cl
from costlab.cli import shapes
from costlab.cli.output import cut, plain, problem, show_json


def add(commands: Any, common: ArgumentParser, dated: ArgumentParser) -> None:
    """Add `run` to the parser of commands."""
    one = commands.add_parser("run", parents=[common, dated], help="run the sample agent live and record it")
    one.add_argument("task", metavar="TASK", help="what the agent is asked")
    one.add_argument("--model", required=True, metavar="PROVIDER/MODEL", help="openai/NAME with --api-base: any server")
    one.add_argument("--api-base", metavar="URL", help="an OpenAI-compatible address; OPENAI_API_KEY is sent to it")
    one.add_argument("--agent", choices=("tool", "code"), default="tool", help="code runs code that the model writes")
    one.add_argument("--stream", action="store_true", help="stream the model's answers")
    one.add_argument("--planning", type=_count, metavar="N", help="a plan every N steps")
    one.add_argument("--steps", type=_count, default=8, metavar="N", help="at most so many steps (default: 8)")
    one.add_argument("--max-tokens", type=_count, metavar="N", help="output of one call at most")
    one.add_argument("--budget", type=_usd, metavar="USD", help="end the run before it costs more")
    one.add_argument("--budget-tokens", type=_count, metavar="N", help="... before it uses more tokens")
    one.add_argument("--budget-calls", type=_count, metavar="N", help="... after so many calls")
    one.add_argument("--budget-seconds", type=_seconds, metavar="S", help="... after so long")
    one.add_argument("--strict", action="store_true", help="a call without --max-tokens counts as the model's longest")
    one.add_argument("--allow-unpriced", action="store_true", help="run a model without a price under --budget too")
    one.add_argument("--expect", metavar="ANSWER", help="the right answer, if it is known")
    one.set_defaults(run=run)


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 10**9:
        raise ArgumentTypeError(f"must be a whole number above 0, not {text!r}")
    return int(text)


def _usd(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or amount <= 0:
        raise ArgumentTypeError(f"must be an amount above 0, not {text!r}")
    return amount


def _seconds(text: str) -> float:
    return float(_usd(text))


def run(o: Namespace) -> int:
    """`run`: exit 0 where the agent gave an answer, 1 where it failed, was stopped, or reached a limit."""
    prices, stop = cl.load_table(o.pricing, o.home), cl.Stop()
    budget = cl.Budget(
        usd=o.budget, tokens=o.budget_tokens, calls=o.budget_calls, seconds=o.budget_seconds, strict=o.strict,
        allow_unpriced=o.allow_unpriced,
    )  # fmt: skip
    limit = {"max_tokens": o.max_tokens} if o.max_tokens else {}
    with redirect_stdout(sys.stderr), _stopped_by_signals(stop):  # what others print is no summary
        model = cl.live_model(o.model, api_base=o.api_base, **limit)
        agent = cl.live_agent(o.agent, model, planning=o.planning, steps=o.steps, streamed=o.stream)
        meta = {"agent_kind": o.agent, "streamed": o.stream, "planning": o.planning, "max_steps": o.steps, **limit}
        result = cl.run(
            agent, o.task, budget=budget, stop=stop, watch=_Told(prices).tell, check=o.expect, home=o.home,
            table=prices, pricing=o.pricing, meta={k: v for k, v in meta.items() if v is not None},
        )  # fmt: skip
    _ended(result, o.api_base)
    now = datetime.now(UTC)
    summary = shapes.run_summary(result.run, prices, o.at, now, o.pricing)
    if o.json:
        show_json(summary)
    else:
        print(plain(str(result.answer)) if result.answer is not None else "no answer")
        money = "ran locally, not billed" if result.run.local else f"${summary['total_usd']}"
        print(plain(f"{result.run_id}: {result.state}, {_calls(summary['model_calls'])}, {money}"))
    return 0 if result.state == "success" else 1


def _calls(n: object) -> str:
    return "1 call" if n == 1 else f"{n} calls"


def _ended(result: cl.Result, api_base: str | None) -> None:
    """Say on stderr how a run ended, and where its recording is."""
    if result.state != "success":
        why = f": {result.error}" if result.error else ""
        problem(cut(f"the run ended as {result.state}{why}", 400))
        tries = [one for call in result.run.calls for one in call.attempts]
        if api_base and tries and all(one.status is None for one in tries):
            problem(f"nothing answered at {plain(api_base)}: is the server running, and is this its address?")
    for note in result.run.warnings:
        if note.code in ("not_recorded", "monitor_differs"):
            problem(cut(f"{note.code}: {note.detail}", 600))
    print(f"recorded in {plain(str(result.path))}", file=sys.stderr)


class _Told:
    """Prints what happens, a line each, as it happens."""

    def __init__(self, prices: cl.PriceTable) -> None:
        self.prices, self.names = prices, dict[str, str]()

    def tell(self, event: cl.Happening) -> None:
        """Print one event."""
        line = getattr(self, f"_{event.kind}", lambda _: "")(event)
        if line:
            print(plain(line), file=sys.stderr, flush=True)

    def _run(self, event: cl.Happening) -> str:
        return f"run {event.run_id}"

    def _agent(self, event: cl.Happening) -> str:
        self.names[event.what.node] = event.what.name
        return ""

    def _at(self, event: cl.Happening) -> str:
        step = event.step
        return f"step {step.number} {step.kind} {self.names.get(step.agent, step.agent)}" if step else ""

    def _step_open(self, event: cl.Happening) -> str:
        return f"{self._at(event)} begins"

    def _call(self, event: cl.Happening) -> str:
        call = event.what
        used, cached = call.counts, call.counts.get("cache_read_tokens")
        cost = cl.price_run(cl.Run("", steps=(cl.Step("s", 1, "action", calls=(call,)),)), self.prices).cost
        money = (
            "not billed" if call.provider in cl.LOCAL_PROVIDERS else cl.usd(cost.known, lower_bound=cost.lower_bound)
        )
        tries = f", {len(call.attempts)} tries" if len(call.attempts) > 1 else ""
        return (
            f"{self._at(event)}: {call.model} {call.status}, {used.get('input_tokens', 0):,} tokens in"
            f"{f' ({cached:,} cached)' if cached else ''}, {used.get('output_tokens', 0):,} out "
            f"({call.usage_basis}), {money}, {call.duration_s or 0:.1f} s{tries}"
        )

    def _tool(self, event: cl.Happening) -> str:
        tool = event.what
        return f"{self._at(event)}: {tool.name} {tool.error or tool.status}, {tool.duration_s or 0:.1f} s"

    def _step(self, event: cl.Happening) -> str:
        return f"{self._at(event)}: {cut(event.what.error, 300)}" if event.what.error else ""

    def _warning(self, event: cl.Happening) -> str:
        return f"budget: {event.what.detail}"


@contextmanager
def _stopped_by_signals(stop: cl.Stop) -> Iterator[None]:
    """Let an interrupt end the run in order, with its recording; a second one ends the program."""
    before = {}

    def press(number: int, frame: object) -> None:
        if stop.requested:
            raise KeyboardInterrupt
        stop.press()

    for name in ("SIGINT", "SIGTERM"):
        before[name] = signal.signal(getattr(signal, name), press)
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)
