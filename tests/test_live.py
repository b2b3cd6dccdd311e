"""Live runs against a server whose ledger is the truth: every agent kind, every client, streamed and not."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import smolagents.local_python_executor as executor
from live_agents import KEY, MODELS, QUIET, agent_of, model_of, wait_short
from scripted_model import ScriptedModel, StreamedModel, asks, calling, coding
from scripted_model import final as ends
from wire_server import Turn, Wire, billed, code, final, serving, turns

import costlab as cl

pytestmark = [pytest.mark.filterwarnings(rule) for rule in QUIET]

UNITS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "output_reasoning_tokens")
streamed_or_not = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
each_model = pytest.mark.parametrize("kind", MODELS)
each_agent = pytest.mark.parametrize("agent", ["tool", "code"])


def totals(counts: Any) -> dict[str, int]:
    """The units that both sides count, without zeros."""
    return {unit: int(counts[unit]) for unit in UNITS if counts.get(unit)}


def served(wire: Wire) -> dict[str, int]:
    """What the server's ledger sums to."""
    return {unit: n for unit in UNITS if (n := wire.total(unit))}


def asking(agent: str, **more: Any) -> Turn:
    """A turn that calls the tool."""
    return (
        code("print(price_of('apple'))", **more)
        if agent == "code"
        else Turn(calls=(("price_of", {"fruit": "apple"}),), **more)
    )


def ending(agent: str, **more: Any) -> Turn:
    """A turn that gives the answer."""
    return code("final_answer('42')", **more) if agent == "code" else final(**more)


def script_of(agent: str, kind: str) -> tuple[Turn, ...]:
    """A planning call, a step, a second plan, the answer: with cached and, where the wire has them, other tokens."""
    more = {"written": 100} if kind == "litellm-anthropic" else {"reasoning": 20}
    return (
        Turn(text="My plan.", tokens_in=500, out=40),
        asking(agent, tokens_in=1_000, out=50, cached=400, **more),
        Turn(text="My next plan.", tokens_in=600, out=30),
        ending(agent, tokens_in=1_200, out=60, cached=900),
    )


@each_agent
@each_model
@streamed_or_not
def test_totals_equal_the_servers_ledger(agent: str, kind: str, streamed: bool, home: Path) -> None:
    with serving(turns(*script_of(agent, kind))) as wire:
        model = model_of(kind, wire.address)
        made = agent_of(agent, model, streamed=streamed, planning_interval=1)
        before, of_agent = dict(vars(model)), set(vars(made))
        result = cl.run(made, "What does an apple cost?")
    assert (result.state, result.answer, result.error) == ("success", "42", None)
    expected = {"input_tokens": 3_300, "output_tokens": 180, "cache_read_tokens": 1_300}  # 500 + 1000 + 600 + 1200, ...
    expected |= {"cache_write_tokens": 100} if kind == "litellm-anthropic" else {"output_reasoning_tokens": 20}
    assert totals(result.counts) == served(wire) == expected
    run = result.run
    assert [(s.kind, s.number, len(s.calls)) for s in run.steps] == [
        ("planning", 1, 1), ("action", 1, 1), ("planning", 2, 1), ("action", 2, 1),
    ]  # fmt: skip
    assert {c.usage_basis for c in run.calls} == {"measured"}
    assert [t.name for t in run.tool_calls] == ["price_of"]
    assert all([a.status for a in c.attempts] == [200] for c in run.calls)
    assert all((c.ttft_s is not None) == streamed and c.duration_s for c in run.calls)
    assert all(c.messages and c.output for c in run.calls)
    assert run.state == "success"
    assert run.warnings[0].code == "monitor_differs"
    assert dict(vars(model)) == before, "everything is as it was"
    assert set(vars(made)) - {"interrupt_switch"} == of_agent - {"interrupt_switch"}


def test_patches_are_gone_afterwards_also_after_an_error(home: Path) -> None:
    before = (httpx.Client.send, time.sleep, executor.ThreadPoolExecutor)
    agent = calling(ScriptedModel(ValueError("broken")))
    kept = {id(o): dict(vars(o)) for o in (agent.model, agent.tools["price_of"])}
    tracked = cl.track(agent)
    with tracked:
        assert httpx.Client.send is not before[0]
        with pytest.raises(Exception, match="broken"):
            agent.run("?")
    assert (httpx.Client.send, time.sleep, executor.ThreadPoolExecutor) == before
    assert {id(o): dict(vars(o)) for o in (agent.model, agent.tools["price_of"])} == kept
    assert (tracked.run.state, tracked.run.calls[0].status) == ("failed", "error")
    assert "_run_stream" not in vars(agent)


def test_the_call_at_the_step_limit(home: Path) -> None:
    with serving(
        turns(*(asking("tool", tokens_in=1_000, out=50) for _ in range(2)), Turn("42", tokens_in=1_500, out=70))
    ) as wire:
        result = cl.run(agent_of("tool", model_of("openai", wire.address), max_steps=2), "?")
    assert (result.state, totals(result.counts)) == ("max_steps", {"input_tokens": 3_500, "output_tokens": 170})
    assert [(s.kind, s.number) for s in result.run.steps] == [("action", 1), ("action", 2), ("final_answer", 3)]
    assert result.checks[0].equal, "smolagents' monitor counts the same here"


@each_agent
@streamed_or_not
def test_managed_agents_at_any_depth_and_called_again(agent: str, streamed: bool, home: Path) -> None:
    """top asks mid twice; mid asks leaf each time: 1 + 2 x (1 + 1 + 1) + 1 calls and nothing lost between threads."""

    def ask(who: str, **more: Any) -> Turn:
        return (
            code(f"print({who}('do it'))", **more)
            if agent == "code"
            else Turn(calls=((who, {"task": "do it"}),), **more)
        )

    nested = (
        ask("mid", tokens_in=1_000, out=10), ask("leaf", tokens_in=200, out=20), ending(agent, tokens_in=30, out=3),
        ending(agent, tokens_in=210, out=21),
    )  # fmt: skip
    with serving(turns(*nested, *nested, ending(agent, tokens_in=1_300, out=30))) as wire:
        model = model_of("openai", wire.address)
        leaf = agent_of(agent, model, streamed=streamed, name="leaf", description="leaf")
        mid = agent_of(agent, model, streamed=streamed, name="mid", description="mid", managed_agents=[leaf])
        result = cl.run(agent_of(agent, model, streamed=streamed, managed_agents=[mid]), "?")
    # 2 x (1000 + 200 + 30 + 210) + 1300 = 4180 in; 2 x (10 + 20 + 3 + 21) + 30 = 138 out
    assert totals(result.counts) == served(wire) == {"input_tokens": 4_180, "output_tokens": 138}
    run = result.run
    names = {node.node: (node.name, node.parent) for node in run.agents}
    assert [names[s.agent][0] for s in run.steps] == [
        run.agent, "mid", "leaf", "mid", run.agent, "mid", "leaf", "mid", run.agent,
    ]  # fmt: skip
    assert [(n.name, names[n.parent][0] if n.parent else None) for n in run.agents] == [
        (run.agent, None), ("mid", run.agent), ("leaf", "mid"), ("mid", run.agent), ("leaf", "mid"),
    ]  # fmt: skip
    steps = {s.step_id: s for s in run.steps}
    assert all(steps[n.parent_step].agent == n.parent for n in run.agents if n.parent)
    assert [t.name for t in run.tool_calls] == ["mid", "leaf", "mid", "leaf"]
    top = next(c for c in result.checks if c.node == "a1")
    assert top.monitor == top.metered == (3_300, 50)  # 1000 + 1000 + 1300: its own calls, and no managed agent's


def test_429_then_good_is_one_call_with_its_tries(home: Path) -> None:
    for kind in ("openai", "litellm-openai", "litellm-anthropic"):
        with serving(turns(Turn(status=429, retry_after="1"), final(tokens_in=700, out=7))) as wire:
            result = cl.run(agent_of("tool", wait_short(model_of(kind, wire.address))), "?")
        assert totals(result.counts) == served(wire) == {"input_tokens": 700, "output_tokens": 7}
        (call,) = result.run.calls
        assert [(a.status, a.billed) for a in call.attempts] == [(429, "no"), (200, "yes")], kind
        assert call.attempts[1].usage
        assert result.cost.cost.bounds == ()


def test_a_dropped_connection_may_have_been_billed(home: Path) -> None:
    with serving(turns(Turn(drop=True), final(tokens_in=700, out=7))) as wire:
        result = cl.run(agent_of("tool", model_of("openai", wire.address)), "?")
    (call,) = result.run.calls
    assert [(a.status, a.billed, bool(a.error)) for a in call.attempts] == [
        (None, "unknown", True),
        (200, "yes", False),
    ]
    assert totals(result.counts) == {"input_tokens": 700, "output_tokens": 7}
    assert [b.reason for b in result.cost.cost.bounds] == ["maybe_billed"]


def test_a_server_that_fails_for_ever(home: Path) -> None:
    with serving(lambda _: Turn(status=500)) as wire:
        result = cl.run(agent_of("tool", model_of("openai", wire.address, client_kwargs={"max_retries": 1})), "?")
    assert (result.state, len(wire.ledger)) == ("failed", 2)
    (call,) = result.run.calls
    assert (call.status, call.usage_basis, [a.status for a in call.attempts]) == ("error", "unknown", [500, 500])
    assert result.cost.cost.total == 0
    assert result.cost.cost.bounds == ()
    assert "scripted 500" in (call.error or "")


@pytest.mark.parametrize("kind", ["openai", "litellm-openai", "litellm-anthropic"])
def test_a_stream_that_is_cut_keeps_what_was_served_as_a_lower_bound(kind: str, home: Path) -> None:
    cut = Turn(text="one two three four five six", tokens_in=1_000, cached=300, out=60, cut_after=3)
    with serving(lambda _: cut) as wire:
        result = cl.run(agent_of("code", model_of(kind, wire.address), streamed=True), "?")
    call = result.run.calls[0]
    assert (result.state, call.status, call.counts["output_tokens"]) == ("failed", "cut", 3)
    assert "cut" in {b.reason for b in result.cost.cost.bounds}
    assert [a.status for a in call.attempts] == [200]
    if kind == "litellm-anthropic":  # its first event states the input exactly
        assert totals(call.counts) == {"input_tokens": 1_000, "output_tokens": 3, "cache_read_tokens": 300}
    else:
        assert call.counts["input_tokens"] > 100
        assert call.usage_basis == "estimated"
    assert wire.ledger[0].pieces == 3


def test_an_error_inside_a_stream(home: Path) -> None:
    with serving(lambda _: Turn(text="one two three four", error_after=2)) as wire:
        result = cl.run(agent_of("code", model_of("openai", wire.address), streamed=True), "?")
    (call,) = result.run.calls
    assert (call.status, call.counts["output_tokens"]) == ("cut", 2)
    assert "scripted error" in (call.error or "")


@pytest.mark.parametrize("kind", ["openai", "litellm-openai", "hugging-face"])
def test_running_usage_in_a_stream_is_never_added_up(kind: str, home: Path) -> None:
    with serving(turns(code("final_answer('a b c d e f g')", tokens_in=1_200, out=60, running=True))) as wire:
        result = cl.run(agent_of("code", model_of(kind, wire.address), streamed=True), "?")
    assert totals(result.counts) == served(wire) == {"input_tokens": 1_200, "output_tokens": 60}
    assert result.run.calls[0].usage_basis == "measured"
    if kind == "openai":  # smolagents adds the counters up, and its monitor says so
        assert not result.checks[0].equal
        assert result.checks[0].monitor[0] > 1_200


def test_usage_that_litellm_makes_up_is_an_estimate(home: Path) -> None:
    with serving(turns(code("final_answer(1)", usage=False))) as wire:
        result = cl.run(agent_of("code", model_of("litellm-openai", wire.address), streamed=True), "?")
    (call,) = result.run.calls
    assert (call.usage_basis, [w.code for w in call.warnings]) == ("estimated", ["usage_made_up"])
    assert call.counts["input_tokens"] > 100


def test_no_usage_at_all_is_unknown_and_a_lower_bound(home: Path) -> None:
    with serving(turns(code("final_answer(1)", usage=False))) as wire:
        result = cl.run(agent_of("code", model_of("openai", wire.address), streamed=True), "?")
    (call,) = result.run.calls
    assert (call.status, call.usage_basis, dict(call.counts)) == ("ok", "unknown", {})
    assert [b.reason for b in result.cost.cost.bounds] == ["unmetered"]


def test_a_good_answer_that_the_library_loses_for_want_of_usage(home: Path) -> None:
    """Not streamed, smolagents reads `usage.prompt_tokens` of None: the run fails, the call was answered and paid."""
    with serving(turns(final(usage=False))) as wire:
        result = cl.run(agent_of("tool", model_of("openai", wire.address)), "?")
    (call,) = result.run.calls
    assert (result.state, call.status, call.attempts[0].billed) == ("failed", "error", "yes")
    assert call.output
    assert "unmetered" in {b.reason for b in result.cost.cost.bounds}


@pytest.mark.parametrize("model", [ScriptedModel, StreamedModel])
def test_any_model_subclass(model: Any, home: Path) -> None:
    scripted = model(asks(1_000, 50, ("price_of", {"fruit": "apple"})), ends(1_200, 60), model_id="gpt-4o-mini")
    agent = calling(scripted, stream_outputs=model is StreamedModel)
    result = cl.run(agent, "?")
    assert totals(result.counts) == {"input_tokens": 2_200, "output_tokens": 110}
    assert result.checks[0].equal
    assert result.run.calls[0].tools
    assert result.run.calls[0].stop


class Tokenizer:
    """One token a word, and one for each message's frame."""

    def encode(self, text: str) -> list[str]:
        return text.split()

    def apply_chat_template(self, messages: list[Any], **_: Any) -> list[str]:
        return [w for m in messages for w in (*json.dumps(m["content"]).split(), "<end>")]


def test_a_model_without_usage_is_counted_with_its_tokenizer(home: Path) -> None:
    scripted = ScriptedModel(("The answer is four words", None, None, ("final_answer", {"answer": "4"})))
    assert cl.run(calling(scripted), "?").run.calls[0].usage_basis == "unknown"
    scripted = ScriptedModel(("The answer is four words", None, None, ("final_answer", {"answer": "4"})))
    scripted.tokenizer = Tokenizer()
    (call,) = cl.run(calling(scripted), "?").run.calls
    assert (call.usage_basis, call.counts["output_tokens"]) == ("counted", 5)
    assert call.counts["input_tokens"] > 100


class Router(ScriptedModel):
    """A model that asks one model and, for the answer, another."""

    def __init__(self, *models: Any) -> None:
        super().__init__(model_id="router")
        self.models = list(models)

    def generate(self, *args: Any, **kwargs: Any) -> Any:
        for model in self.models:
            answer = model.generate(*args, **kwargs)
        return answer


def test_a_model_that_asks_others_is_one_call_with_parts(home: Path) -> None:
    with serving(turns(Turn("hm", tokens_in=100, out=1), final(tokens_in=200, out=2))) as wire:
        cheap, dear = model_of("openai", wire.address), model_of("openai", wire.address)
        dear.model_id = "gpt-4o"
        result = cl.run(calling(Router(cheap, dear)), "?")
    (call,) = result.run.calls
    assert totals(result.counts) == served(wire) == {"input_tokens": 300, "output_tokens": 3}
    assert [(p.model, p.counts["input_tokens"]) for p in call.parts] == [("gpt-4o-mini", 100), ("gpt-4o", 200)]
    kinds = [json.loads(line)["event"] for line in result.path.read_bytes().splitlines()]
    told = [kind for kind in kinds if kind in ("call_open", "attempt", "call")]
    assert told == ["call_open", "attempt", "call"]  # the first answer is on disk before the next request leaves
    assert [a.status for a in call.attempts] == [200, 200]


def test_a_purse_without_a_limit_says_what_is_spent(home: Path) -> None:
    purse = cl.Purse()
    with serving(turns(asking("tool", tokens_in=300, out=3), final(tokens_in=700, out=7))) as wire:
        result = cl.run(agent_of("tool", model_of("openai", wire.address)), "?", budget=purse)
    assert (purse.spent.tokens, purse.calls) == (1_010, 2)
    # 1,000 at 0.15 USD and 10 at 0.60 USD a million: 0.00015 + 0.000006
    assert purse.spent.usd == result.cost.cost.total == Decimal("0.000156")


def test_a_thread_of_a_tool_is_metered_too(home: Path) -> None:
    from smolagents import tool

    with serving(
        turns(
            Turn(calls=(("ponder", {}),), tokens_in=10, out=1),
            Turn("hm", tokens_in=20, out=2),
            final(tokens_in=30, out=3),
        )
    ) as wire:
        model = model_of("openai", wire.address)

        @tool
        def ponder() -> str:
            """Asks the model in a thread of its own, without any context."""
            thread = threading.Thread(
                target=lambda: model.generate([{"role": "user", "content": [{"type": "text", "text": "?"}]}])
            )
            thread.start()
            thread.join()
            return "done"

        result = cl.run(agent_of("tool", model, tools=[ponder]), "?")
    assert totals(result.counts) == {"input_tokens": 60, "output_tokens": 6}
    assert [len(s.calls) for s in result.run.steps] == [2, 1]


def test_several_runs_in_one_track_are_several_recordings(home: Path) -> None:
    with serving(lambda _: final(tokens_in=100, out=10)) as wire:
        agent = agent_of("tool", model_of("openai", wire.address))
        with cl.track(agent) as tracked:
            agent.run("first")
            assert list(agent.run("second", stream=True))
            agent.model.generate([{"role": "user", "content": [{"type": "text", "text": "third"}]}])
    assert [r.task for r in tracked.runs] == ["first", "second", ""]
    assert [len(r.calls) for r in tracked.runs] == [1, 1, 1]
    assert len(wire.ledger) == 3
    assert sorted(r.run_id for r in cl.Store().runs() if r.run_id in {t.run_id for t in tracked.runs}) == sorted(
        t.run_id for t in tracked.runs
    )


def test_overlapping_tracks_on_one_model_object(home: Path) -> None:
    with serving(lambda _: final(tokens_in=100, out=10)) as wire:
        model = model_of("openai", wire.address)
        one, two = agent_of("tool", model), agent_of("tool", model)
        outer = cl.track(one)
        with outer:
            one.run("?")
            with cl.track(two) as inner:
                two.run("?")
                one.run("?")
            one.run("?")
    assert (len(outer.runs), len(inner.runs), len(wire.ledger)) == (3, 1, 4)
    assert "generate" not in vars(model)


@streamed_or_not
def test_a_thousand_calls_over_eight_runs_on_one_model_object(streamed: bool, home: Path) -> None:
    """8 runs of 125 calls each at once, each with its own figures: 0 lost, none booked to another run."""

    def script(request: dict[str, Any]) -> Turn:
        who = int(str(request["messages"][-1]["content"][-1]["text"]).rpartition(" ")[2])
        return Turn("ok", tokens_in=1_000 + who, out=10 + who, cached=who)

    asked = [{"role": "user", "content": [{"type": "text", "text": ""}]}]
    with serving(script) as wire:
        model = model_of("openai", wire.address)
        results: dict[int, cl.Track] = {}

        def work(who: int) -> None:
            agent = agent_of("tool", model)
            ask = [{**asked[0], "content": [{"type": "text", "text": f"number {who}"}]}]
            with cl.track(agent) as tracked:
                results[who] = tracked
                for _ in range(125):
                    if streamed:
                        list(model.generate_stream(ask))
                    else:
                        model.generate(ask)

        threads = [threading.Thread(target=work, args=(who,)) for who in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    assert len(wire.ledger) == 1_000
    for who, tracked in results.items():
        assert len(tracked.run.calls) == 125
        expected = {
            "input_tokens": 125 * (1_000 + who),
            "output_tokens": 125 * (10 + who),
            "cache_read_tokens": 125 * who,
        }
        assert totals(tracked.result.counts) == {unit: n for unit, n in expected.items() if n}
    assert not [name for name in ("generate", "generate_stream") if name in vars(model)]


def test_parallel_managed_agents_of_one_step(home: Path) -> None:
    def script(request: dict[str, Any]) -> Turn:
        names = [tool["function"]["name"] for tool in request["tools"]]
        if "left" in names and len(request["messages"]) == 2:
            return Turn(calls=(("left", {"task": "go"}), ("right", {"task": "go"})), tokens_in=1_000, out=10)
        return final(tokens_in=100, out=1)

    with serving(script) as wire:
        model = model_of("openai", wire.address)
        team = [agent_of("tool", model, name=name, description="helps") for name in ("left", "right")]
        result = cl.run(agent_of("tool", model, managed_agents=team), "?")
    assert (result.state, totals(result.counts)) == ("success", served(wire))
    assert len(result.run.calls) == len(wire.ledger) == 4
    parents = {n.name: n.parent_step for n in result.run.agents if n.parent}
    assert parents == {"left": result.run.steps[0].step_id, "right": result.run.steps[0].step_id}


@streamed_or_not
def test_an_answer_without_text_is_kept_as_one(home: Path, streamed: bool) -> None:
    """A model that begins with a stop sequence says nothing, and is billed for it."""
    with serving(turns(Turn(text="", tokens_in=900, out=3), final())) as wire:
        result = cl.run(agent_of("code", model_of("openai", wire.address), streamed=streamed, max_steps=1), "?")
    call = result.run.calls[0]
    assert (call.counts["output_tokens"], call.api, call.ttft_s) == (3, "openai-chat", None)
    (said,) = [result.run.contents[one].value for one in call.output]
    assert isinstance(said, dict)
    assert {"content": "", **said} == {"role": "assistant", "content": ""}


def test_a_picture_keeps_its_size(home: Path) -> None:
    from PIL import Image

    with serving(turns(final(tokens_in=900, out=9))) as wire:
        result = cl.run(agent_of("tool", model_of("openai", wire.address)), "?", images=[Image.new("RGB", (640, 480))])
    media = result.run.calls[0].media
    assert {(m.kind, m.width, m.height) for m in media} == {("image", 640, 480)}
    assert len(media) == str(wire.ledger[0].request["messages"]).count("data:image/png")
    held = result.run.contents[media[0].sha256 or ""]
    assert (held.kind, held.value["width"], held.value["height"]) == ("image", 640, 480)  # type: ignore[index]
    messages = [c for c in result.run.contents.values() if c.kind == "message"]
    assert "base64" not in json.dumps([c.value for c in messages])


def test_a_picture_that_the_model_is_not_shown_stands_with_each_call(home: Path) -> None:
    from PIL import Image

    picture = Image.new("RGB", (960, 640))
    with serving(turns(asking("tool", tokens_in=1_000), final(tokens_in=2_000, out=9))) as wire:
        agent = agent_of("tool", model_of("openai", wire.address))
        result = cl.run(agent, "?", unseen=[picture], meta={"place": "here"})
        with pytest.raises(cl.CostLabError, match="give `images` or `unseen`"):
            cl.run(agent, "?", unseen=[picture], images=[picture])
    assert "data:image" not in str([one.request for one in wire.ledger])
    assert [[(m.width, m.height) for m in call.media] for call in result.run.calls] == [[(960, 640)]] * 2
    (kept,) = [c.value for c in result.run.contents.values() if c.kind == "image"]
    assert isinstance(kept, dict)
    assert Image.open(io.BytesIO(base64.b64decode(kept["base64"]))).size == (960, 640)
    assert (result.run.meta["place"], result.run.meta["media_counted"]) == ("here", False)
    assert sum(call.counts["input_tokens"] for call in result.run.calls) == served(wire)["input_tokens"]


def test_a_run_may_be_named(home: Path) -> None:
    with serving(turns(final(), final(), final())) as wire:
        agent = agent_of("tool", model_of("openai", wire.address))
        result = cl.run(agent, "?", run_id="apples-on-mini")
        with pytest.raises(cl.Conflict):
            cl.run(agent, "?", run_id="apples-on-mini")
        other = cl.run(agent, "?")
    assert (result.run_id, result.path.name) == ("apples-on-mini", "apples-on-mini.jsonl")
    assert other.run_id != result.run_id
    assert len(wire.ledger) == 2, "nothing is sent for a run that cannot be recorded"


def test_no_key_reaches_a_file_or_an_error(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANTED_API_KEY", "env-planted-0123456789")
    said = f"the key {KEY} of env-planted-0123456789 and typed-0123456789"
    with serving(turns(Turn(text=said, calls=(("price_of", {"fruit": said}),)), Turn(status=401))) as wire:
        model = model_of("litellm-openai", wire.address, extra_headers={"x-api-key": "header-planted-01234567"})
        result = cl.run(agent_of("tool", model), f"Say {said} header-planted-01234567", keys=("typed-0123456789",))
    assert result.state == "failed"
    written = b"".join(p.read_bytes() for p in home.rglob("*") if p.is_file()).decode() + (result.error or "")
    for secret in (KEY, "env-planted", "typed-0123", "header-planted"):
        assert secret not in written
    assert "[key removed]" in written
    assert KEY in json.dumps(wire.ledger[0].request)


def test_events_are_told_and_on_disk_as_they_happen(home: Path) -> None:
    seen: list[tuple[str, int]] = []

    def watch(event: cl.Happening) -> None:
        seen.append((event.kind, event.path.read_bytes().count(b"\n")))

    cl.run(calling(ScriptedModel(ends(10, 1))), "?", watch=watch)
    kinds = [kind for kind, _ in seen]
    assert kinds == ["run", "agent", "step_open", "call_open", "call", "step", "end"]
    lines = [n for _, n in seen]
    assert lines == sorted(lines)
    assert lines[0] == 1


def test_check_says_whether_the_answer_is_right(home: Path) -> None:
    def answer(check: object) -> object:
        return cl.run(calling(ScriptedModel(ends(10, 1, "0.4"))), "?", check=check).run.correct

    assert (answer("0.4"), answer(lambda a: a == "5"), answer(None)) == (True, False, None)
    assert answer(lambda a: 1 / 0) is None
    assert cl.run(calling(ScriptedModel(ValueError("x"))), "?", check="1").run.correct is False


def test_bills_as_the_ledger_says() -> None:
    assert billed(Turn(tokens_in=5, out=2, cached=1))["cache_read_tokens"] == 1


def test_code_agents_plain_script(home: Path) -> None:
    result = cl.run(coding(ScriptedModel(("<code>\nfinal_answer(price_of('pear'))\n</code>", 100, 10))), "?")
    assert (result.answer, [t.name for t in result.run.tool_calls]) == (0.55, ["price_of"])
