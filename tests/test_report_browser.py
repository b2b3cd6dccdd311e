"""The page to send in a real Chromium: taken from the app, opened from disk without any network, on paper, by phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import SCREEN, looks, picture
from playwright.sync_api import Browser, Page, expect
from report_samples import billed, compared, local

import costlab as cl

HOSTILE = '</title><script>window.hacked=1</script><img src=x onerror="window.hacked=1">'


class Reader:
    """A reader's browser without a network: opens files and keeps what went wrong or was asked for."""

    def __init__(self, browser: Browser) -> None:
        self.browser, self.contexts, self.wrong, self.asked = browser, [], [], []  # type: ignore[var-annotated]

    def open(self, file: Path, size: tuple[int, int] = SCREEN, **more: Any) -> Page:
        """Open a file from disk."""
        viewport = {"width": size[0], "height": size[1]}
        context = self.browser.new_context(viewport=viewport, offline=True, **more)  # type: ignore[arg-type]
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: self.wrong.append(said.text))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(file.as_uri())
        return page

    def close(self) -> None:
        """Close what was opened; anything on the console, or asked for beside the files themselves, is a failure."""
        for context in self.contexts:
            context.close()
        assert self.wrong == []
        assert [url for url in self.asked if not url.endswith(".html")] == []


@pytest.fixture
def reader(browser: Browser) -> Iterator[Reader]:
    """A reader; whatever the page writes to the console, or asks for beside itself, fails the test."""
    found = Reader(browser)
    yield found
    found.close()


def taken(page: Page, key: str, folder: Path) -> Path:
    """Click a download button and return the file that comes."""
    with page.expect_download() as coming:
        page.locator(f".st-key-{key} button").first.click()
    path = folder / coming.value.suggested_filename
    coming.value.save_as(path)
    return path


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_fits_its_screen_in_both_colours(reader: Reader, tmp_path: Path, lang: str) -> None:
    file = tmp_path / "page.html"
    file.write_text(cl.report_html([compared(), compared(local())], lang), encoding="utf-8")
    page = reader.open(file)
    bar = page.locator(".bars .k-output").first
    for look in looks(page):
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), look
        dark = look.startswith("dark")
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(14, 17, 23)" if dark else "rgb(255, 255, 255)")
        assert bar.bounding_box()["width"] > 1  # type: ignore[index]
        filled = bar.evaluate("e => getComputedStyle(e).fill")
        assert filled == ("rgb(240, 138, 75)" if dark else "rgb(122, 36, 0)")
        picture(page, f"report-{lang}-{look}", whole=True)


def test_prints_light_on_paper(reader: Reader, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(
        cl.report_html(compared(daily=200_000)), encoding="utf-8"
    )  # a month of hundreds of thousands of USD
    page = reader.open(file, color_scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.set_viewport_size({"width": 703, "height": 1_017})  # an A4 sheet within its margins, at 96 dots an inch
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.locator(".wide thead").first.is_visible()
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def test_foreign_text_runs_nothing(reader: Reader, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(cl.report_html(compared(billed(task=HOSTILE, title=HOSTILE, agent=HOSTILE))), encoding="utf-8")
    page = reader.open(file)
    assert page.evaluate("window.hacked") is None
    expect(page.locator(".task")).to_have_text(HOSTILE)
    assert page.title().startswith("</title><script>")
