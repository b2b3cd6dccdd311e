"""The app as people use it: a real server and a real Chromium, on two small runs beside the shipped ones."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from chromium import PHONE, Server, Window, fits, looks, picture, wait_until_idle
from playwright.sync_api import Page, expect

import costlab as cl

SLOW = 60_000  # ms that a busy machine is given

PAGES = {
    "": "Compare",
    "run": "Run",
    "replay": "Replay",
    "recordings": "Recordings",
    "monitor": "Monitor",
    "prices": "Prices",
    "sketch": "Sketch",
    "paste": "Paste",
    "media": "Media",
}


@pytest.fixture(scope="module")
def app(app_of_two_runs: Server) -> Server:
    """The app with two runs in its home."""
    return app_of_two_runs


def go(page: Page, title: str) -> None:
    """Go to another page by the sidebar, as a person does."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=title).click()
    wait_until_idle(page)
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()


def shows(page: Page, label: str, value: str) -> None:
    """Check the value of a figure by its label; one that is still being computed is waited for."""
    box = page.get_by_test_id("stMetric").filter(has_text=label).first
    expect(box.get_by_test_id("stMetricValue")).to_have_text(value, timeout=SLOW)


def type_into_cell(page: Page, grid: str, column: int, row: int, text: str) -> None:
    """Go to a cell of a grid by keyboard from its first one and type over it."""
    canvas = page.locator(f"[class*='st-key-{grid}'] canvas").first
    expect(canvas).to_be_visible(timeout=SLOW)  # a grid of other rows is drawn anew
    canvas.click(position={"x": 40, "y": 52}, force=True)
    for key, times in (("ArrowRight", column), ("ArrowDown", row)):
        for _ in range(times):
            page.keyboard.press(key)
    page.keyboard.type(text, delay=100)  # as fast as a person: the first sign opens the cell
    expect(page.locator("#portal input, .gdg-input")).to_have_value(text)  # the cell's own editor has opened
    page.keyboard.press("Enter")
    wait_until_idle(page)


def test_opens_on_recordings_and_compares_eight_models(app: Server, window: Window) -> None:
    page = window.open(f"{app.url}/?run=billed-run")
    shows(page, "As recorded", "$0.0072")
    # one mark a model: where its cost would be with nothing cached
    expect(page.locator(".st-key-bars .scatterlayer .point")).to_have_count(8, timeout=SLOW)
    picture(page, "compare")


def test_replays_step_by_step_and_by_itself(app: Server, window: Window) -> None:
    page = window.open(f"{app.url}/?run=billed-run")
    go(page, "Replay")
    page.get_by_role("button", name="First step").click()  # it stands at its end, and begins anew
    wait_until_idle(page)
    shows(page, "Steps", "1 / 2")
    shows(page, "as recorded", "$0.0045")
    page.get_by_text("100×", exact=True).click()
    wait_until_idle(page)
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_test_id("stMetric").filter(has_text="Steps")).to_contain_text("2 / 2", timeout=10_000)
    expect(page.get_by_role("button", name="Play")).to_be_visible()  # it holds at the end
    shows(page, "as recorded", "$0.0072")


def test_bad_files_are_refused_with_a_reason(app: Server, window: Window, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"event":"header","format":"costlab.recording","version":1,"run":{"run_id":"x"}}\n{broken\n{}\n')
    prices = tmp_path / "prices.csv"
    prices.write_text("provider,model,unit,price\nopenai,gpt-5-mini,input_tokens,-1\n")
    page = window.open(f"{app.url}/?run=billed-run")
    go(page, "Recordings")
    page.locator("input[type=file]").set_input_files(bad)
    expect(page.get_by_test_id("stAlert")).to_contain_text("bad.jsonl, line 2")
    picture(page, "recordings-refused")
    go(page, "Prices")
    page.get_by_role("button", name="Import CSV").click()
    page.locator("input[type=file]").set_input_files(prices)
    expect(page.get_by_test_id("stAlert")).to_contain_text("prices.csv, line 2, price")
    assert not (app.home / "overrides.csv").exists()


@pytest.mark.parametrize(("scheme", "lang"), [("light", "en"), ("dark", "zh")])
def test_every_page_fits_its_screen(app: Server, window: Window, scheme: Literal["light", "dark"], lang: str) -> None:
    t = cl.words_of(lang)
    page = window.open(f"{app.url}/?run=billed-run&lang={lang}", scheme=scheme)
    for path, english in PAGES.items():
        title = t(english)
        if path:
            go(page, title)
        assert page.get_by_test_id("stException").count() == 0
        for look in looks(page, scheme):
            assert fits(page), f"{title} scrolls sideways: {look}"
            picture(page, f"{path or 'compare'}-{look}")


def test_a_phone_reaches_the_pages(app: Server, window: Window) -> None:
    page = window.open(f"{app.url}/?run=billed-run", scheme="dark", size=PHONE)
    page.get_by_test_id("stExpandSidebarButton").click()
    page.wait_for_timeout(400)
    go(page, "Monitor")
    assert fits(page)
