"""The Run page as people use it: a live run in a real Chromium, on a scripted server and on the real local model."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from chromium import Server, Window, picture, wait_until_idle
from live_agents import KEY
from playwright.sync_api import Page, expect
from trial_samples import until
from wire_server import Turn, final, serving

import costlab as cl
from costlab.runs import Run

pytestmark = pytest.mark.needs("agents")
ENDED = ".st-key-trial_new button"


def run_page(app: Server, window: Window) -> Page:
    """Return the Run page, reached from the first one."""
    page = window.open(app.url)
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Run").click()
    wait_until_idle(page)
    expect(page.get_by_role("heading", name="Run", exact=True)).to_be_visible()
    return page


def fill(page: Page, **fields: object) -> None:
    """Type into fields of the form by their names."""
    for name, value in fields.items():
        page.locator(f".st-key-trial_{name} input").fill(str(value))
        page.keyboard.press("Enter")
        wait_until_idle(page)


def server_of_mine(page: Page, address: str, models: str, key: str = "") -> None:
    """Name an OpenAI-compatible address."""
    page.get_by_role("button", name="A server of yours").click()
    fill(page, address=address, address_models=models, **({"address_key": key} if key else {}))
    page.keyboard.press("Escape")


def task(page: Page, name: str) -> None:
    """Choose a task."""
    page.locator(".st-key-trial_task input").click()
    page.get_by_role("option", name=name).click()
    wait_until_idle(page)


def start(page: Page) -> str:
    """Start, and return the id in the link."""
    page.locator(".st-key-trial_start button").click()
    expect(page.locator(".st-key-trial_stop, .st-key-trial_new").first).to_be_visible()
    return str(page.url.partition("run=")[2].partition("&")[0])


def elsewhere(app: Server, window: Window, address: str) -> Page:
    """Open a link as somebody else."""
    page = window.open(app.url, visitor="a colleague")
    page.goto(address)
    expect(page.locator(".st-key-trial_stop button")).to_be_visible(timeout=60_000)
    # on a page's own path Streamlit looks for its server there first, which the browser's console tells
    window.errors[:] = [error for error in window.errors if "404" not in error]
    return page


def recorded(app: Server, trial_id: str) -> list[Run]:
    """Return the recordings of a live run."""
    found = [run for run in cl.Store(app.home).runs() if run.meta.get("trial") == cl.trial_mark(trial_id)]
    return sorted(found, key=lambda run: int(str(run.meta["place"])))


def test_a_live_run_is_seen_left_found_again_and_stopped_from_elsewhere(app: Server, window: Window) -> None:
    began: dict[str, float] = {}

    def script(request: dict[str, Any]) -> Turn:
        asked = sum(one["role"] == "assistant" for one in request["messages"])
        began.setdefault(f"{request['model']} {asked}", time.monotonic())
        if asked == 0:
            return Turn(calls=(("calculator", {"expression": "6 * 7"}),), tokens_in=1_000, out=50)
        return Turn(text=" ".join(["word"] * 20_000), tokens_in=1_500, out=20_000, pause=0.1)

    with serving(script) as wire:
        page = run_page(app, window)
        server_of_mine(page, f"{wire.address}/v1", "gpt-4o-mini, gpt-4o", KEY)
        task(page, "Only arithmetic")
        trial_id = start(page)
        card = page.get_by_test_id("stColumn").filter(has_text="gpt-4o-mini @").first
        expect(card).to_contain_text("2 steps", timeout=120_000)
        waited = time.monotonic() - began["gpt-4o-mini 1"]
        # half a second and what drawing takes; a machine that is busy with other tests draws slowly
        assert waited < 30, f"a step was seen {waited:.2f} s after it began"
        expect(card).to_contain_text("1,000 tokens in")
        expect(card).to_contain_text("≥ $0.000")
        expect(page.get_by_text("Left in the budget")).to_contain_text("of 500,000 tokens")
        picture(page, "run-live")

        page.reload()  # no waiting for an idle page here: a live one draws itself again and again
        expect(card).to_contain_text("2 steps", timeout=60_000)
        page.get_by_test_id("stSidebarNav").get_by_role("link", name="Replay").click()
        wait_until_idle(page)
        assert "not here" not in page.get_by_test_id("stMain").inner_text()
        page.get_by_test_id("stSidebarNav").get_by_role("link", name="Run").click()
        expect(card).to_contain_text("2 steps", timeout=60_000)

        other = elsewhere(app, window, f"{app.url}/run?run={trial_id}")
        expect(other.get_by_test_id("stColumn").filter(has_text="gpt-4o @").first).to_contain_text("2 steps")
        assert KEY not in other.content() + page.content()
        other.locator(".st-key-trial_stop button").click()
        pressed = time.monotonic()
        until(lambda: all(one.closed_at for one in wire.ledger if one.streamed and not one.whole))
        assert time.monotonic() - pressed < 30  # the whole answer would take half an hour
        for one in (other, page):
            expect(one.locator(ENDED)).to_be_visible(timeout=60_000)
            expect(one.get_by_test_id("stColumn").filter(has_text="gpt-4o-mini @").first).to_contain_text(
                "stopped", timeout=60_000
            )
    runs = recorded(app, trial_id)
    assert [run.state for run in runs] == ["stopped", "stopped"]
    other.locator(ENDED).click()  # to the form: nothing that the first one typed is in it
    wait_until_idle(other)
    assert other.locator(".st-key-trial_models").is_visible()
    assert KEY not in other.content()
    everything = [path.read_text(errors="replace") for path in app.home.parent.rglob("*") if path.is_file()]
    assert not any(KEY in text for text in everything)  # recordings and the server's log


def test_results_of_repeated_runs(app: Server, window: Window) -> None:
    with serving(lambda _: final("57", tokens_in=1_000, out=50, cached=400)) as wire:
        page = run_page(app, window)
        server_of_mine(page, f"{wire.address}/v1", "gpt-4o-mini")
        task(page, "Only arithmetic")
        fill(page, repeats=3)
        trial_id = start(page)
        expect(page.locator(ENDED)).to_be_visible(timeout=120_000)
    wait_until_idle(page)
    expect(page.get_by_role("heading", name="Results")).to_be_visible()
    expect(page.get_by_text("57", exact=False).first).to_be_visible()
    runs = recorded(app, trial_id)
    assert [run.correct for run in runs] == [True, True, True]
    picture(page, "run-results", whole=True)
    page.get_by_test_id("stMain").get_by_role("link", name="Replay").click()
    wait_until_idle(page)
    assert f"run={runs[-1].run_id}" in page.url or any(f"run={run.run_id}" in page.url for run in runs)


@contextmanager
def listened(address: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Pass everything on to a model's server, and note the figures that it states itself."""
    said: list[dict[str, Any]] = []
    ask = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    class Passing(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = urllib.request.Request(f"{address}{self.path.removeprefix('/v1')}", body)
            request.add_header("Content-Type", "application/json")
            with ask(request, timeout=300) as answer:
                data = answer.read()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            parts = [line.removeprefix("data: ") for line in data.decode().splitlines() if "timings" in line]
            said.append(json.loads(parts[-1])["timings"])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Passing)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", said
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.needs("agents", "local")
def test_recorded_tokens_are_the_local_models_own(app: Server, window: Window) -> None:
    pytest.importorskip("xllamacpp", exc_type=ImportError)
    with cl.local_model(context=4_096, threads=1) as model, listened(model.api_base) as (address, said):
        page = run_page(app, window)
        server_of_mine(page, address, model.model)
        task(page, "Only arithmetic")
        fill(page, steps=1, max_tokens=16)
        trial_id = start(page)
        # a page that draws twice a second takes what a small machine needs for the model: it is left meanwhile
        page.get_by_test_id("stSidebarNav").get_by_role("link", name="Paste").click()
        until(lambda: any(run.state != "running" for run in recorded(app, trial_id)), seconds=240)
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Run").click()
    expect(page.locator(ENDED)).to_be_visible(timeout=60_000)
    (run,) = recorded(app, trial_id)
    assert len(said) == len(run.calls) >= 2
    counts = cl.run_counts(run)
    assert counts["output_tokens"] == sum(one["predicted_n"] for one in said)
    assert counts["input_tokens"] == sum(one["prompt_n"] + one["cache_n"] for one in said)
    assert counts.get("cache_read_tokens", 0) == sum(one["cache_n"] for one in said)
    assert run.bases == ("measured",)
    card = page.get_by_test_id("stColumn").filter(has_text=model.model).first
    expect(card).to_contain_text(f"{counts['input_tokens']:,} tokens in")
    expect(card).to_contain_text("not billed")
