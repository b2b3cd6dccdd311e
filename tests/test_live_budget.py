"""Budgets and stops: nothing is passed by more than the one call that could not be known, and a stop is at once."""

from __future__ import annotations

import json
import random
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from live_agents import QUIET, agent_of, model_of, wait_short
from scripted_model import ScriptedModel, asks, calling
from scripted_model import final as ends
from smolagents.models import get_tool_json_schema
from wire_server import Turn, Wire, code, final, serving

import costlab as cl

pytestmark = [pytest.mark.filterwarnings(rule) for rule in QUIET]

# gpt-4o-mini: 0.15 USD a million tokens in, 0.60 out (OpenAI's list, in the shipped catalogue)
IN, OUT = Decimal("0.15") / 10**6, Decimal("0.60") / 10**6


def spent(wire: Wire) -> Decimal:
    """What the server bills for everything it served whole."""
    return wire.total("input_tokens") * IN + wire.total("output_tokens") * OUT


def on_and_on(_: dict[str, Any]) -> Turn:
    """An agent that never ends: 1,000 tokens in and 100 out a call."""
    return Turn(calls=(("price_of", {"fruit": "apple"}),), tokens_in=1_000, out=100)


def test_a_budget_stops_before_the_call_that_would_pass_it(home: Path) -> None:
    """Each call costs 1000 x 0.15 + 100 x 0.60 USD a million = 0.00021; at worst 500 tokens out, so ~ 0.0006."""
    with serving(on_and_on) as wire:
        agent = agent_of("tool", model_of("openai", wire.address, max_tokens=500), max_steps=50)
        result = cl.run(agent, "?", budget=cl.Budget(usd=Decimal("0.002")))
    assert (result.state, result.run.state) == ("over_budget", "over_budget")
    assert 0 < spent(wire) <= Decimal("0.002")
    assert result.cost.cost.total == spent(wire)
    assert len(result.run.calls) == len(wire.ledger) > 3
    assert {c.status for c in result.run.calls} == {"ok"}
    assert [w.code for w in result.run.warnings if w.code == "over_budget"] == ["over_budget"]


@pytest.mark.parametrize(
    ("budget", "calls"),
    [(cl.Budget(calls=3), 3), (cl.Budget(tokens=4_400, strict=True), 4), (cl.Budget(tokens=3_000), 2)],
)
def test_budgets_in_calls_and_tokens(budget: cl.Budget, calls: int, home: Path) -> None:
    model = ScriptedModel(*[asks(1_000, 100, ("price_of", {"fruit": "apple"})) for _ in range(9)])
    result = cl.run(calling(model), "?", budget=budget)
    assert result.state == "over_budget"
    assert len(result.run.calls) <= calls
    assert len(model.served) == len(result.run.calls) > 0


def test_a_budget_in_seconds_cuts_a_call_that_hangs(home: Path) -> None:
    with serving(lambda request: Turn("ok", wait=60 if "tools" in request else 0)) as wire:
        model = model_of("openai", wire.address)
        model.generate([{"role": "user", "content": [{"type": "text", "text": "?"}]}])  # loads what the client needs
        began = time.monotonic()
        result = cl.run(agent_of("tool", model), "?", budget=cl.Budget(seconds=2))
    assert (result.state, time.monotonic() - began < 40) == ("over_budget", True)
    assert len(wire.ledger) == 2
    assert wire.ledger[1].closed_at is not None
    assert [c.status for c in result.run.calls] == ["cut"]


def test_a_call_that_cannot_be_known_is_streamed_and_cut(home: Path) -> None:
    """No max_tokens: 4,000 words would come; at 0.60 USD a million the budget of 0.0006 ends far before."""
    long = Turn(text=" ".join(["word"] * 4_000), tokens_in=1_000, out=4_000, pause=0.001)
    with serving(lambda _: long) as wire:
        agent = agent_of("code", model_of("openai", wire.address))
        result = cl.run(agent, "?", budget=cl.Budget(usd=Decimal("0.0012")))
    (call,) = result.run.calls
    assert (result.state, call.status) == ("over_budget", "cut")
    assert 0 < call.counts["output_tokens"] < 2_000
    assert not wire.ledger[0].whole
    assert "cut" in {b.reason for b in result.cost.cost.bounds}


def test_strict_takes_the_models_own_output_limit(home: Path) -> None:
    """gpt-4o-mini may write 16,384 tokens: 0.0098 USD, more than the budget, so nothing is asked."""
    with serving(on_and_on) as wire:
        agent = agent_of("tool", model_of("openai", wire.address))
        result = cl.run(agent, "?", budget=cl.Budget(usd=Decimal("0.005"), strict=True))
    assert (result.state, wire.ledger, result.run.calls) == ("over_budget", [], ())


def test_warnings_at_thresholds(home: Path) -> None:
    told: list[str] = []

    def watch(event: cl.Happening) -> None:
        if event.kind == "warning":
            told.append(event.what.detail)

    model = ScriptedModel(*[asks(10, 1, ("price_of", {"fruit": "apple"})) for _ in range(9)])
    cl.run(calling(model), "?", budget=cl.Budget(calls=12), watch=watch)
    assert [one.split(" is used")[0] for one in told] == ["50% of 12 calls", "80% of 12 calls"]


def test_a_budget_in_usd_refuses_a_model_without_a_price(home: Path) -> None:
    model = ScriptedModel(ends(10, 1), model_id="nobody-knows-this")
    with pytest.raises(cl.CostLabError, match="nobody-knows-this: it has no price"):
        cl.run(calling(model), "?", budget=cl.Budget(usd=Decimal(1)))
    assert model.served == []
    assert not (home / "runs").exists()
    result = cl.run(calling(model), "?", budget=cl.Budget(usd=Decimal(1), allow_unpriced=True))
    assert result.state == "success"


@pytest.mark.parametrize("wrong", [{"usd": 0}, {"usd": "x"}, {"tokens": -1}, {"calls": True}, {"usd": "NaN"}])
def test_a_budget_must_be_something(wrong: dict[str, Any]) -> None:
    with pytest.raises(cl.BadInput):
        cl.Budget(**wrong)


def test_a_purse_is_shared(home: Path) -> None:
    purse = cl.Purse(cl.Budget(calls=3))
    states = [
        cl.run(calling(ScriptedModel(asks(1, 1, ("price_of", {"fruit": "pear"})), ends(1, 1))), "?", budget=purse).state
        for _ in range(2)
    ]
    assert states == ["success", "over_budget"]
    assert purse.left() == {"calls": 0}


def test_model_written_code_cannot_swallow_the_budget(home: Path) -> None:
    lines = "while True:\n    try:\n        helper('go')\n    except Exception:\n        pass"

    def script(request: dict[str, Any]) -> Turn:
        inner = "helper" not in json.dumps(request["messages"][0])
        return code("final_answer(1)", tokens_in=10, out=1) if inner else code(lines, tokens_in=10, out=1)

    with serving(script) as wire:
        model = model_of("openai", wire.address)
        helper = agent_of("code", model, name="helper", description="helps")
        result = cl.run(agent_of("code", model, managed_agents=[helper]), "?", budget=cl.Budget(calls=5))
    assert (result.state, len(wire.ledger), len(result.run.calls)) == ("over_budget", 5, 5)


class Drawn(ScriptedModel):
    """Answers in this process as the server does, and keeps a ledger too."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(model_id="gpt-4o-mini", max_tokens=300)
        self.chance = chance

    def generate(self, messages: Any, *args: Any, tools_to_call_from: Any = (), **kwargs: Any) -> Any:
        tools = [get_tool_json_schema(tool) for tool in tools_to_call_from]
        request = {"messages": [{"content": m.content} for m in messages], "tools": tools}
        while (turn := _drawn(request, self.chance)).status != 200:
            continue
        self.script = [(turn.text, turn.tokens_in, turn.out, *turn.calls)]
        return super().generate(messages)


def _one_run(model: Any, chance: random.Random, task: str) -> tuple[cl.Result, cl.Budget]:
    """Run a drawn agent, with one that it manages, under a drawn budget."""
    usd = Decimal(chance.randint(20, 400)) / 10**5
    budget = cl.Budget(usd=usd) if chance.random() < 0.5 else cl.Budget(tokens=chance.randint(1_000, 12_000))
    helper = agent_of("tool", model, name="helper", description="helps", max_steps=2)
    kind = chance.choice(("tool", "tool", "code"))
    made = agent_of(kind, model, managed_agents=[helper], max_steps=chance.randint(1, 4))
    return cl.run(made, task, budget=budget), budget


def _within(budget: cl.Budget, into: int, out: int) -> bool:
    return into * IN + out * OUT <= budget.usd if budget.usd else into + out <= (budget.tokens or 0)


def test_two_hundred_randomised_runs_never_pass_their_budget(home: Path) -> None:
    """160 in this process; 40 through a client and a server, with retries. Both agents, and one that they manage."""
    chance, stopped = random.Random(20261125), 0
    for turn in range(160):
        model = Drawn(chance)
        result, budget = _one_run(model, chance, f"task {turn}")
        stopped += result.state == "over_budget"
        assert _within(budget, sum(s[0] for s in model.served), sum(s[1] for s in model.served)), (turn, result.state)
    with serving(lambda request: _drawn(request, chance)) as wire:
        client = wait_short(model_of("openai", wire.address, max_tokens=300))
        for turn in range(40):
            wire.ledger.clear()
            result, budget = _one_run(client, chance, f"task {turn}")
            stopped += result.state == "over_budget"
            assert _within(budget, wire.total("input_tokens"), wire.total("output_tokens")), (turn, result.state)
    assert 20 < stopped < 190


def _drawn(request: dict[str, Any], chance: random.Random) -> Turn:
    """Answer by chance; the prompt's tokens are its characters over four, as a tokenizer of English has them."""
    if chance.random() < 0.1:
        return Turn(status=429, retry_after="1")
    size = sum(len(json.dumps(m["content"])) for m in request["messages"]) + len(json.dumps(request.get("tools", [])))
    used = {"tokens_in": size // 4, "out": chance.randint(1, 300)}
    tools = [t["function"]["name"] for t in request.get("tools", ())]
    if not tools:
        return code(chance.choice(("final_answer(1)", "print(helper('go'))", "print(price_of('pear'))")), **used)
    name = chance.choice(tools)
    arguments = {"final_answer": {"answer": "1"}, "helper": {"task": "go"}}.get(name, {"fruit": "apple"})
    return Turn(calls=((name, arguments),), **used)


def stopped_after(seconds: float, turn: Turn, **more: Any) -> tuple[cl.Result, Wire, float, float]:
    """Run an agent, press stop after a time; return what came, the server, and when it was pressed and back."""
    stop, pressed = cl.Stop(), []

    def press() -> None:
        pressed.append(time.monotonic())
        stop.press()

    with serving(lambda _: turn) as wire:
        agent = agent_of("code", model_of("openai", wire.address), **more)
        begun = threading.Event()

        def watch(event: cl.Happening) -> None:
            if event.kind == "call_open":
                begun.set()
                threading.Timer(seconds, press).start()

        result = cl.run(agent, "?", stop=stop, watch=watch)
        back = time.monotonic()
        end = time.monotonic() + 2
        while wire.ledger[0].closed_at is None and time.monotonic() < end:
            time.sleep(0.01)
    return result, wire, pressed[0], back


def test_stop_closes_a_slow_stream_at_once(home: Path) -> None:
    slow = Turn(text=" ".join(["word"] * 60), tokens_in=1_000, out=60, pause=1.5)
    result, wire, pressed, back = stopped_after(2.5, slow, streamed=True)
    assert (result.state, result.run.calls[0].status) == ("stopped", "cut")
    closed = wire.ledger[0].closed_at
    assert closed is not None
    assert closed - pressed < 0.5, "the server sees the connection closed"
    assert back - pressed < 3
    assert wire.ledger[0].pieces < 5
    assert len(wire.ledger) == 1, "and nothing is sent again"


def test_stop_before_the_first_byte(home: Path) -> None:
    result, wire, pressed, _back = stopped_after(1.5, Turn(wait=20), streamed=False)
    assert result.state == "stopped"
    closed = wire.ledger[0].closed_at
    assert closed is not None
    assert closed - pressed < 0.5
    assert len(wire.ledger) == 1


def test_stop_ends_a_wait_between_retries(home: Path) -> None:
    """smolagents would wait for two minutes and more."""
    stop, answered = cl.Stop(), threading.Event()

    def script(_: dict[str, Any]) -> Turn:
        answered.set()
        return Turn(status=429)

    def press() -> None:
        answered.wait(100)
        time.sleep(1)
        stop.press()

    with serving(script) as wire:
        model = model_of("openai", wire.address, client_kwargs={"max_retries": 0})
        model.retryer.wait_seconds = 60
        threading.Thread(target=press).start()
        began = time.monotonic()
        result = cl.run(agent_of("tool", model), "?", stop=stop)
    assert (result.state, time.monotonic() - began < 60) == ("stopped", True)
    assert [a.status for a in result.run.calls[0].attempts] == [429]
    assert len(wire.ledger) == 1


def test_stop_ends_every_agent_of_the_tree(home: Path) -> None:
    stop = cl.Stop()

    def script(request: dict[str, Any]) -> Turn:
        inner = "helper" not in json.dumps(request.get("tools"))
        if inner:
            stop.press()
            return final(tokens_in=10, out=1)
        return Turn(calls=(("helper", {"task": "go"}),), tokens_in=20, out=2)

    with serving(script) as wire:
        model = model_of("openai", wire.address)
        helper = agent_of("tool", model, name="helper", description="helps")
        result = cl.run(agent_of("tool", model, managed_agents=[helper]), "?", stop=stop)
    assert (result.state, len(wire.ledger)) == ("stopped", 2)
    assert result.counts["input_tokens"] >= 20, "what was spent is kept"


def test_a_track_raises_what_ended_its_run(home: Path) -> None:
    agent = calling(ScriptedModel(asks(1, 1, ("price_of", {"fruit": "pear"})), ends(1, 1)))
    with cl.track(agent, budget=cl.Budget(calls=1)) as tracked, pytest.raises(cl.OverBudget):
        agent.run("?")
    assert tracked.run.state == "over_budget"
    assert agent.run  # and everything is as before
    assert "run" not in vars(agent)
