"""The lead's way in a real browser: sketch an agent, per month, two models, in Compare and as a link for others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chromium import PHONE, ROOT, Server, Window, picture, serve, wait_until_idle
from playwright.sync_api import Page, expect
from test_browser_app import figure, go

MODELS = ("openai/gpt-5-mini", "anthropic/claude-haiku-4-5")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app with an empty home."""
    with serve(ROOT / "app.py", tmp_path_factory.mktemp("app") / "home") as server:
        yield server
        assert server.alarms() == []


def type_into(page: Page, label: str, value: str) -> None:
    """Write over a number and leave the field, as a person does."""
    page.get_by_label(label, exact=True).fill(value)
    page.keyboard.press("Tab")
    wait_until_idle(page)


def press(page: Page, name: str) -> None:
    """Press one of a row of choices or a button."""
    page.get_by_role("button", name=name, exact=True).or_(page.get_by_role("radio", name=name, exact=True)).click()
    wait_until_idle(page)


def test_a_lead_sketches_an_agent_for_a_month_on_two_models(app: Server, window: Window) -> None:
    page = window.open(app.url)
    go(page, "Sketch")
    press(page, "Short chat")
    type_into(page, "Steps", "10")
    # 10 x (400 + 100) + (80 + 250) x 45 = 5,000 + 14,850; 10 x 250
    assert figure(page, "Input tokens") == "19.8k"
    assert figure(page, "Output tokens") == "2.50k"
    picture(page, "sketch")
    page.get_by_role("button", name="Clear all").click()
    wait_until_idle(page)
    for name in MODELS:
        page.locator(".st-key-models input").fill(name)
        page.get_by_role("option", name=name, exact=True).click()
        wait_until_idle(page)
    page.keyboard.press("Escape")
    press(page, "a month")
    page.get_by_role("link", name="Open in Compare").click()
    wait_until_idle(page)
    expect(page.get_by_role("heading", name="Compare", exact=True)).to_be_visible()
    expect(page.get_by_test_id("stMain")).to_contain_text("A sketch: every count is assumed")
    assert page.locator(".st-key-bars .scatterlayer .point").count() == 2  # the choices came along
    type_into(page, "Tasks a day", "200")
    # gpt-5-mini: (19,850 x 0.25 + 2,500 x 2.00) USD per million x 200 a day x 30 days = 59.775
    assert figure(page, "Reference: openai/gpt-5-mini") == "$59.78"
    picture(page, "sketch-month")
    other = window.open(page.url)  # a colleague's browser: the sketch comes with the link
    assert figure(other, "Reference: openai/gpt-5-mini") == "$59.78"
    assert other.locator(".st-key-bars .scatterlayer .point").count() == 2


def test_the_new_pages_fit_a_phone_and_leave_no_error(app: Server, window: Window) -> None:
    page = window.open(app.url, size=PHONE, scheme="dark")
    for title in ("Sketch", "Paste", "Media"):
        expand = page.get_by_test_id("stExpandSidebarButton")
        if expand.is_visible():
            expand.click()
            page.wait_for_timeout(400)
        go(page, title)
        assert page.get_by_test_id("stMain").evaluate("e => e.scrollWidth <= e.clientWidth"), f"{title} is too wide"
        assert page.get_by_test_id("stException").count() == 0
        picture(page, f"{title.lower()}-phone")
