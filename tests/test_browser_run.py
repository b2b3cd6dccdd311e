"""The Run page as people use it: a live run in a real Chromium, on a scripted server."""

from __future__ import annotations

import time
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

        assert KEY not in page.content()
        page.reload()  # no waiting for an idle page here: a live one draws itself again and again
        expect(card).to_contain_text("2 steps", timeout=60_000)
        page.get_by_test_id("stSidebarNav").get_by_role("link", name="Replay").click()
        wait_until_idle(page)
        assert "not here" not in page.get_by_test_id("stMain").inner_text()
        page.get_by_test_id("stSidebarNav").get_by_role("link", name="Run").click()
        expect(card).to_contain_text("2 steps", timeout=60_000)

        page.goto("about:blank")  # one page that draws itself twice a second is enough for a small machine
        other = elsewhere(app, window, f"{app.url}/run?run={trial_id}")
        expect(other.get_by_test_id("stColumn").filter(has_text="gpt-4o @").first).to_contain_text("2 steps")
        assert KEY not in other.content()
        other.locator(".st-key-trial_stop button").click()
        pressed = time.monotonic()
        until(lambda: all(one.closed_at for one in wire.ledger if one.streamed and not one.whole))
        assert time.monotonic() - pressed < 30  # the whole answer would take half an hour
        expect(other.locator(ENDED)).to_be_visible(timeout=60_000)
        card = other.get_by_test_id("stColumn").filter(has_text="gpt-4o-mini @").first
        expect(card).to_contain_text("stopped", timeout=60_000)
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
