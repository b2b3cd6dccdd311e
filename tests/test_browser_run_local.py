"""A live run from the app on the real local model: what is recorded is what the model's own server says."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from chromium import Server, Window
from playwright.sync_api import expect
from test_browser_run import ENDED, fill, recorded, run_page, server_of_mine, start, task
from trial_samples import until

import costlab as cl


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
