"""The two ways through the app, from its first page to a page that is sent, in both languages, in a real browser."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from chromium import Server, Window, picture, wait_until_idle
from playwright.sync_api import Page, expect
from test_browser_app import SLOW, go, shows, type_into_cell
from test_report_browser import Reader, taken

import costlab as cl

MONTH = {"en": "a month of 30 days at 200 tasks a day", "zh": "每天 200 个任务"}
LEADS = ("openai/gpt-5-mini", "anthropic/claude-haiku-4-5")

in_both = pytest.mark.parametrize("lang", ["en", "zh"])


@pytest.fixture(scope="module")
def app(app_of_two_runs: Server) -> Server:
    """The app with two runs in its home."""
    return app_of_two_runs


@pytest.fixture
def reader(browser) -> Iterator[Reader]:
    """A reader without a network; an error there, or a request for anything beside the file, fails the test."""
    found = Reader(browser)
    yield found
    found.close()


def arrive(window: Window, app: Server, lang: str, t: cl.Words) -> Page:
    """Open the app as an English visitor, and turn the switch where the language is another."""
    page = window.open(app.url)
    if lang != "en":
        page.get_by_test_id("stSidebar").get_by_text(cl.LANGUAGES[lang]).click()
        wait_until_idle(page)
        assert f"lang={lang}" in page.url
    expect(page.get_by_role("heading", name=t("Compare"), exact=True)).to_be_visible()
    return page


def type_into(page: Page, label: str, value: str) -> None:
    """Write over a number and leave the field, as a person does."""
    page.get_by_label(label, exact=True).fill(value)
    page.keyboard.press("Tab")
    wait_until_idle(page)


def press(page: Page, name: str) -> None:
    """Press one of a row of choices or a button."""
    page.get_by_role("button", name=name, exact=True).or_(page.get_by_role("radio", name=name, exact=True)).click()
    wait_until_idle(page)


def choose_models(page: Page, names: tuple[str, ...], clear: str) -> None:
    """Take all models out of the list and put these in."""
    page.get_by_role("button", name=clear).first.click()
    wait_until_idle(page)
    for name in names:
        page.locator(".st-key-models input").fill(name)
        page.get_by_role("option", name=name, exact=True).click()
        wait_until_idle(page)
    page.keyboard.press("Escape")


@in_both
def test_an_engineer_decides_for_a_model(
    app: Server, window: Window, reader: Reader, tmp_path: Path, lang: str
) -> None:
    t = cl.words_of(lang)
    page = arrive(window, app, lang, t)
    page.locator(".st-key-run input").click()
    page.get_by_role("option").filter(has_text="A billed run").click()
    wait_until_idle(page)
    shows(page, t("As recorded, at the calls' day"), "$0.0072")
    expect(page.locator(".st-key-bars .scatterlayer .point")).to_have_count(8, timeout=SLOW)
    press(page, t("1,000 tasks"))
    shows(page, t("As recorded, at the calls' day"), "$7.20")
    go(page, t("Prices"))
    page.get_by_label(t("Search models")).fill("openai/gpt-5-mini")
    page.keyboard.press("Enter")
    wait_until_idle(page)
    # rows: cache read, input, output tokens; columns: model, unit, conditions, price
    type_into_cell(page, "rates-", column=2, row=2, text="4")  # output: 2 -> 4 USD per million
    expect(page.get_by_role("heading", name=t("Changed in this session"))).to_be_visible()
    expect(page.get_by_role("table")).to_contain_text("+$0.004 (+56%)")
    picture(page, f"path-prices-{lang}")
    go(page, t("Compare"))
    # (12,000 x 0.25 + 8,000 x 0.025) / 10^6 + 2,000 x 4.00 / 10^6 = 0.0112 USD a task
    shows(page, t("As recorded, at the calls' day"), "$11.20")
    if lang == "en":
        other = window.open(f"{app.url}/?run=billed-run", visitor="another")  # who has his own prices
        shows(other, t("As recorded, at the calls' day"), "$0.0072")
    rows = list(csv.DictReader(StringIO(taken(page, "download_csv", tmp_path).read_text(encoding="utf-8"))))
    mini = next(row for row in rows if row["model"] == "gpt-5-mini")
    assert mini["usd_per_task_as_recorded"] == "0.0112"
    file = taken(page, "download_html", tmp_path)
    assert file.name == "costlab-billed-run.html"
    sent = reader.open(file)
    assert sent.locator("html").get_attribute("lang") == lang
    expect(sent.locator("main")).to_contain_text("$11.20")
    assert sent.locator("svg.bars .name").count() == 8
    picture(sent, f"path-engineer-{lang}", whole=True)


@in_both
def test_a_lead_leaves_with_a_month_on_two_models(
    app: Server, window: Window, reader: Reader, tmp_path: Path, lang: str
) -> None:
    t = cl.words_of(lang)
    page = arrive(window, app, lang, t)
    go(page, t("Sketch"))
    press(page, t("Short chat"))
    type_into(page, t("Steps"), "10")
    # 10 x (400 + 100) + (80 + 250) x 45 = 5,000 + 14,850; 10 x 250
    shows(page, t("Input tokens"), "19.8k")
    choose_models(page, LEADS, "Clear all")
    press(page, t("a month"))
    page.get_by_role("link", name=t("Open in Compare")).click()
    wait_until_idle(page)
    expect(page.get_by_role("heading", name=t("Compare"), exact=True)).to_be_visible()
    expect(page.locator(".st-key-bars .scatterlayer .point")).to_have_count(2, timeout=SLOW)  # the choices came along
    type_into(page, t("Tasks a day"), "200")
    # gpt-5-mini: (19,850 x 0.25 + 2,500 x 2.00) USD per million x 200 a day x 30 days = 59.775
    label = t("Reference: {model}").format(model="openai/gpt-5-mini")
    shows(page, label, "$59.78")
    picture(page, f"path-lead-{lang}")
    other = window.open(page.url, visitor="a colleague")  # another browser: the sketch comes with the link
    shows(other, label, "$59.78")
    sent = reader.open(taken(page, "download_html", tmp_path))
    expect(sent.locator("main")).to_contain_text("$59.78")
    expect(sent.locator("main")).to_contain_text(MONTH[lang])
    assert sent.locator("svg.bars .name").count() == 2
