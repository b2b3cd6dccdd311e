"""`costlab run` against a server in this process: what stands where, exit codes, recordings, keys, kills."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from chromium import free_port
from live_agents import KEY
from wire_server import Turn, code, final, serving, turns

import costlab as cl

ROOT = Path(__file__).resolve().parent.parent
posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX")


def command(home: Path, address: str, *options: str, task: str = "What is 6 times 7?") -> subprocess.Popen[str]:
    """Start `costlab run` on a server."""
    environment = {**os.environ, "COSTLAB_HOME": str(home), "OPENAI_API_KEY": KEY}
    words = [sys.executable, "-m", "costlab", "run", task, "--model", "openai/gpt-4o-mini", "--json"]
    words += ["--api-base", f"{address}/v1", *options]
    return subprocess.Popen(
        words, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )  # fmt: skip


def ran(home: Path, address: str, *options: str, **more: Any) -> tuple[int, dict[str, Any], str]:
    """Run it to its end: exit code, summary, what stood on stderr."""
    process = command(home, address, *options, **more)
    out, err = process.communicate(timeout=300)
    assert out.count("\n") == 1, (out, err)
    assert KEY not in out + err
    return process.returncode, json.loads(out), err


ASKS = Turn(calls=(("calculator", {"expression": "6 * 7"}),), tokens_in=1_000, out=50, cached=400)


@pytest.mark.parametrize("options", [(), ("--stream", "--planning", "1", "--expect", "42")], ids=["plain", "all"])
def test_a_run_from_the_command_line(options: tuple[str, ...], home: Path) -> None:
    plan = [Turn(text="A plan.", tokens_in=100, out=10)] if options else []
    with serving(turns(*plan, ASKS, *plan, final(tokens_in=1_200, out=60))) as wire:
        status, summary, err = ran(home, wire.address, *options)
    assert (status, summary["state"], summary["correct"]) == (0, "success", True if options else None)
    used = summary["counts"]
    assert used["input_tokens"] == wire.total("input_tokens") == (2_400 if options else 2_200)
    assert (used["output_tokens"], used["cache_read_tokens"]) == (wire.total("output_tokens"), 400)
    assert (summary["models"], summary["tool_calls"]) == (["openai/gpt-4o-mini"], {"calculator": 1})
    assert "calculator ok" in err
    assert "1,000 tokens in (400 cached), 50 out (measured)" in err
    assert cl.Store(home).open(summary["run_id"]).state == "success"


def test_a_code_agent_from_the_command_line(home: Path) -> None:
    script = turns(code("print(calculator('6 * 7'))", tokens_in=10), code("final_answer(42)", tokens_in=20))
    with serving(script) as wire:
        status, summary, _ = ran(home, wire.address, "--agent", "code")
    assert (status, summary["counts"]["input_tokens"]) == (0, 30)


def test_a_failed_run_is_told_and_recorded(home: Path) -> None:
    with serving(lambda _: Turn(status=401)) as wire:
        status, summary, err = ran(home, wire.address)
    assert (status, summary["state"], summary["failed_calls"]) == (1, "failed", 1)
    assert "Traceback" not in err
    assert "scripted 401" in err
    assert cl.Store(home).open(summary["run_id"]).state == "failed"


def test_a_run_over_its_budget(home: Path) -> None:
    with serving(lambda _: ASKS) as wire:
        status, summary, err = ran(home, wire.address, "--budget", "0.002", "--max-tokens", "100", "--steps", "50")
    assert (status, summary["state"]) == (1, "over_budget")
    assert 0 < float(summary["total_usd"]) <= 0.002
    assert summary["counts"]["input_tokens"] == wire.total("input_tokens")
    assert "budget: 50% of 0.002 USD is used" in err


def test_a_run_that_was_ended_before_its_first_call_does_not_blame_the_server(home: Path) -> None:
    with serving(lambda _: ASKS) as wire:
        status, summary, err = ran(home, wire.address, "--budget", "0.0000001", "--max-tokens", "100")
    assert (status, summary["state"], wire.ledger) == (1, "over_budget", [])
    assert "nothing answered" not in err


def test_a_budget_without_a_price_is_refused(home: Path) -> None:
    with serving(lambda _: ASKS) as wire:
        process = command(home, wire.address, "--budget", "1", "--model", "openai/nobody-knows")
        out, err = process.communicate(timeout=300)
    assert (process.returncode, out, wire.ledger) == (1, "", [])
    assert "nobody-knows" in err
    assert "has no price" in err


@posix
@pytest.mark.parametrize("how", ["SIGINT", "SIGKILL"])
def test_a_run_ended_from_outside_keeps_every_finished_call(how: str, home: Path) -> None:
    slow = Turn(text=" ".join(["word"] * 200), tokens_in=1_500, out=200, pause=0.2)
    with serving(turns(ASKS, ASKS, slow, slow)) as wire:
        process = command(home, wire.address, "--stream")
        end = time.monotonic() + 200
        while (len(wire.ledger) < 3 or wire.ledger[2].pieces < 4) and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(getattr(signal, how))
        out, err = process.communicate(timeout=100)
    (run,) = [r for r in cl.Store(home).runs() if r.task == "What is 6 times 7?"]
    assert [c.status for c in run.calls] == ["ok", "ok", "cut"]
    assert [c.counts.get("input_tokens") for c in run.calls[:2]] == [1_000, 1_000]
    assert "cut" in run.calls[2].bounds
    if how == "SIGKILL":
        assert run.state == "cut"
        return
    assert (process.returncode, run.state, json.loads(out)["state"]) == (1, "stopped", "stopped")
    assert "Traceback" not in err
    assert run.calls[2].counts["output_tokens"] >= 1


def test_wrong_use_of_run(home: Path) -> None:
    for options in (["--budget", "0"], ["--steps", "x"], ["--agent", "other"]):
        done = subprocess.run(
            [sys.executable, "-m", "costlab", "run", "?", "--model", "openai/x", *options],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (2, "")


def test_an_address_where_nothing_listens_is_named(home: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    status, summary, err = ran(home, address)
    assert (status, summary["state"]) == (1, "failed")
    assert f"nothing answered at {address}/v1: is the server running" in err
